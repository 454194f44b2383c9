//! How far apart two words are, for guessing what somebody meant.

/// Longer words are cut: nobody means a known name by hundreds of characters, and the cost grows with both lengths.
const MAX_LENGTH: usize = 64;

/// The number of letters to insert, delete or replace to turn one word into the other (Levenshtein's distance).
pub(crate) fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().take(MAX_LENGTH).collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (above, letter) in from.chars().take(MAX_LENGTH).enumerate() {
        let mut diagonal = row[0];
        row[0] = above + 1;
        for (column, other) in to.iter().enumerate() {
            let replaced = diagonal + usize::from(letter != *other);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests {
    use super::distance;

    #[test]
    fn counts_changed_letters() {
        assert_eq!(distance("dayly", "daily"), 1);
        assert_eq!(distance("", "daily"), 5);
        assert_eq!(distance("kitten", "sitting"), 3);
    }
}
