//! How a name is made up for an object that only says what its name begins with (`apiserver/pkg/storage/names`).

use uuid::Uuid;

/// The longest name that is made up; longer beginnings are cut, so that the name still fits into a label.
const GENERATED_CHARS_MAX: usize = 63;

/// How many characters are made up.
const SUFFIX_CHARS: usize = 5;

/// Consonants and digits that cannot be mistaken for each other, nor spell a word.
const ALPHABET: &[u8; 27] = b"bcdfghjklmnpqrstvwxz2456789";

/// How often a new name is made up when the first ones are taken.
pub(super) const NAME_ATTEMPTS: usize = 8;

/// A name that begins with `base` and ends by chance.
pub(super) fn generated(base: &str) -> String {
    let kept: String = base.chars().take(GENERATED_CHARS_MAX - SUFFIX_CHARS).collect();
    let mut chance = Uuid::new_v4().as_u128();
    let mut name = kept;
    for _ in 0..SUFFIX_CHARS {
        let letters = ALPHABET.len() as u128;
        let index = usize::try_from(chance % letters).unwrap_or_default();
        name.push(char::from(ALPHABET[index]));
        chance /= letters;
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_made_up_name_keeps_its_beginning_and_fits_into_a_label() {
        assert!(generated("nightly-").starts_with("nightly-") && generated("nightly-").len() == 13);
        assert_eq!(generated(&"x".repeat(200)).len(), 63);
        assert_ne!(generated("a"), generated("a"));
    }
}
