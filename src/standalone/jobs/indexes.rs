//! Sets of completion indexes, written as Kubernetes writes them: `0,2-5,7`.

use std::collections::BTreeSet;
use std::fmt;

/// A set of indexes. A Job has at most 100,000 of them when its failures are counted one by one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Indexes(BTreeSet<i32>);

impl Indexes {
    /// Reads `0,2-5,7`. What is not a number, or not below `completions`, is passed over.
    pub(super) fn read(text: &str, completions: i32) -> Self {
        let mut indexes = BTreeSet::new();
        for part in text.split(',') {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            if let (Ok(first), Ok(last)) = (first.parse::<i32>(), last.parse::<i32>()) {
                indexes.extend(first.max(0)..=last.min(completions - 1));
            }
        }
        Self(indexes)
    }

    pub(super) fn insert(&mut self, index: i32) {
        self.0.insert(index);
    }

    pub(super) fn contains(&self, index: i32) -> bool {
        self.0.contains(&index)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many there are.
    pub(super) fn count(&self) -> i32 {
        i32::try_from(self.0.len()).unwrap_or(i32::MAX)
    }

    /// How many are in both sets.
    pub(super) fn common(&self, other: &Self) -> i32 {
        i32::try_from(self.0.intersection(&other.0).count()).unwrap_or(i32::MAX)
    }
}

impl FromIterator<i32> for Indexes {
    fn from_iter<I: IntoIterator<Item = i32>>(indexes: I) -> Self {
        Self(indexes.into_iter().collect())
    }
}

impl fmt::Display for Indexes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0.iter().copied().peekable();
        let mut separator = "";
        while let Some(first) = rest.next() {
            let mut last = first;
            while let Some(next) = rest.next_if(|next| *next == last + 1) {
                last = next;
            }
            match last - first {
                0 => write!(f, "{separator}{first}")?,
                // Two in a row are shorter with a comma than with a dash, and Kubernetes writes them so.
                1 => write!(f, "{separator}{first},{last}")?,
                _ => write!(f, "{separator}{first}-{last}")?,
            }
            separator = ",";
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn sets_as_kubernetes_writes_them() {
        for (indexes, written) in [
            (vec![], ""),
            (vec![3], "3"),
            (vec![0, 1], "0,1"),
            (vec![0, 1, 2], "0-2"),
            (vec![0, 2, 3, 4, 5, 7], "0,2-5,7"),
            (vec![0, 1, 3, 4], "0,1,3,4"),
        ] {
            assert_eq!(indexes.into_iter().collect::<Indexes>().to_string(), written);
        }
    }

    #[test]
    fn what_is_out_of_range_or_no_number_is_passed_over() {
        for (written, kept) in [
            ("0-9", "0-4"),
            ("3,9", "3"),
            ("x,2", "2"),
            ("1-y,4", "4"),
            ("", ""),
            ("4-2", ""),
            ("-1", ""),
        ] {
            assert_eq!(Indexes::read(written, 5).to_string(), kept, "{written}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(indexes in prop::collection::btree_set(0_i32..60, 0..40)) {
            let indexes = Indexes(indexes);
            prop_assert_eq!(Indexes::read(&indexes.to_string(), 60), indexes);
        }
    }
}
