//! Sets of completion indexes, written as Kubernetes writes them: `0,2-5,7`.
//!
//! A Job may have two thousand million of them, so what follows on one another is kept, and counted, as one interval.

use std::collections::BTreeMap;
use std::fmt;

/// A set of indexes: the last of each interval under its first. No two of them touch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Indexes(BTreeMap<i32, i32>);

impl Indexes {
    /// Reads `0,2-5,7`. What is not a number, or not below `completions`, is passed over.
    pub(super) fn read(text: &str, completions: i32) -> Self {
        let mut indexes = Self::default();
        for part in text.split(',') {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            if let (Ok(first), Ok(last)) = (first.parse::<i32>(), last.parse::<i32>()) {
                indexes.insert_all(first.max(0), last.min(completions - 1));
            }
        }
        indexes
    }

    pub(super) fn insert(&mut self, index: i32) {
        self.insert_all(index, index);
    }

    /// Inserts what the other set has.
    pub(super) fn include(&mut self, other: &Self) {
        for (first, last) in &other.0 {
            self.insert_all(*first, *last);
        }
    }

    fn insert_all(&mut self, mut first: i32, mut last: i32) {
        if first > last {
            return;
        }
        let touched = |indexes: &Self, first: i32, last: i32| {
            let (before, end) = indexes.0.range(..=last.saturating_add(1)).next_back()?;
            (*end >= first.saturating_sub(1)).then_some((*before, *end))
        };
        while let Some((before, end)) = touched(self, first, last) {
            self.0.remove(&before);
            first = first.min(before);
            last = last.max(end);
        }
        self.0.insert(first, last);
    }

    pub(super) fn contains(&self, index: i32) -> bool {
        let before = self.0.range(..=index).next_back();
        before.is_some_and(|(_, last)| *last >= index)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many there are.
    pub(super) fn count(&self) -> i32 {
        size(self.0.iter().map(|(first, last)| (*first, *last)))
    }

    /// How many are in both sets.
    pub(super) fn common(&self, other: &Self) -> i32 {
        let mut shared = Vec::new();
        for (first, last) in &self.0 {
            let reaches_in = other.0.range(..first).next_back();
            let within = other.0.range(first..=last);
            shared.extend(
                reaches_in
                    .into_iter()
                    .chain(within)
                    .map(|(start, end)| (*start.max(first), *end.min(last)))
                    .filter(|(start, end)| start <= end),
            );
        }
        size(shared.into_iter())
    }

    /// Those below `completions` that are missing, the lowest first.
    pub(super) fn missing(&self, completions: i32) -> impl Iterator<Item = i32> {
        let ends = self.0.values().map(|last| last.saturating_add(1));
        let starts = self.0.keys().copied().chain([completions]);
        [0].into_iter()
            .chain(ends)
            .zip(starts)
            .flat_map(move |(gap, end)| gap..end.min(completions))
    }
}

/// How many indexes intervals have.
fn size(intervals: impl Iterator<Item = (i32, i32)>) -> i32 {
    intervals.fold(0, |count, (first, last)| {
        count.saturating_add(last - first).saturating_add(1)
    })
}

impl Extend<i32> for Indexes {
    fn extend<I: IntoIterator<Item = i32>>(&mut self, indexes: I) {
        for index in indexes {
            self.insert(index);
        }
    }
}

impl FromIterator<i32> for Indexes {
    fn from_iter<I: IntoIterator<Item = i32>>(indexes: I) -> Self {
        let mut set = Self::default();
        set.extend(indexes);
        set
    }
}

impl fmt::Display for Indexes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for (first, last) in &self.0 {
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
    use std::collections::BTreeSet;

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

    #[test]
    fn a_set_of_a_thousand_million_is_as_small_as_one_of_three() {
        let completions = i32::MAX;
        let mut all = Indexes::read("0-999999999,1000000001-2147483646", completions);
        assert_eq!((all.count(), all.0.len()), (i32::MAX - 1, 2));
        assert_eq!(all.missing(completions).collect::<Vec<_>>(), [1_000_000_000]);
        assert_eq!(
            all.common(&Indexes::read("5-1000000000", completions)),
            999_999_995
        );
        all.insert(1_000_000_000);
        assert_eq!(
            (all.count(), all.to_string().as_str()),
            (i32::MAX, "0-2147483646")
        );
    }

    proptest! {
        #[test]
        fn it_is_a_set(
            one in prop::collection::vec(0_i32..60, 0..60),
            other in prop::collection::vec(0_i32..60, 0..60),
        ) {
            let (model, other_model) = (one.iter().copied().collect::<BTreeSet<_>>(), other.iter().copied().collect::<BTreeSet<_>>());
            let (set, other_set) = (one.into_iter().collect::<Indexes>(), other.into_iter().collect::<Indexes>());
            prop_assert_eq!(&Indexes::read(&set.to_string(), 60), &set);
            prop_assert_eq!(usize::try_from(set.count()).unwrap(), model.len());
            prop_assert_eq!(usize::try_from(set.common(&other_set)).unwrap(), model.intersection(&other_model).count());
            let missing: Vec<i32> = (0..50).filter(|index| !model.contains(index)).collect();
            prop_assert_eq!(set.missing(50).collect::<Vec<_>>(), missing);
            prop_assert!((0..60).all(|index| set.contains(index) == model.contains(&index)));
            let mut union = set;
            union.include(&other_set);
            prop_assert_eq!(union, model.union(&other_model).copied().collect::<Indexes>());
        }
    }
}
