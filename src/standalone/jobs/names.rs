//! The names of a Job's pods.
//!
//! Kubernetes draws them by lot: `<job>-<five characters>`. Here the five characters are a function of the Job's uid
//! and of how many pods it has had, so the name of the next pod is known before it is made, and making it twice is
//! refused by the API. That is the same lock as a run's name is for Jobs.

use std::collections::BTreeSet;

use crate::fnv::fnv1a;
use crate::standalone::name_suffix::{self, NAME_MAX, name_suffix};

/// Deals names out.
#[derive(Debug)]
pub(super) struct Names<'j> {
    job: &'j str,
    uid: &'j str,
    /// The pods there are, whose names are taken.
    taken: BTreeSet<&'j str>,
    /// The number of the next pod.
    next: u64,
}

impl<'j> Names<'j> {
    /// Names for the pods of a Job that has counted `counted` pods, besides those in `taken`.
    pub(super) fn new(job: &'j str, uid: &'j str, taken: BTreeSet<&'j str>, counted: u64) -> Self {
        Self {
            job,
            uid,
            taken,
            next: counted,
        }
    }

    /// The name of the next pod; `index` is its completion index, if it has one.
    pub(super) fn deal(&mut self, index: Option<i32>) -> String {
        let prefix = prefix(self.job, index);
        loop {
            let name = format!("{prefix}{}", suffix(self.uid, self.next));
            self.next += 1;
            if !self.taken.contains(name.as_str()) {
                return name;
            }
        }
    }
}

/// `<job>-` or `<job>-<index>-`, with the Job's name cut so that the whole name fits.
pub(super) fn prefix(job: &str, index: Option<i32>) -> String {
    let end = index.map_or_else(|| "-".to_owned(), |index| format!("-{index}-"));
    let room = NAME_MAX.saturating_sub(name_suffix::LENGTH + end.len());
    let cut = job
        .char_indices()
        .map(|(at, _)| at)
        .find(|at| *at >= room)
        .unwrap_or(job.len());
    // Where a dot would come before the dash, the name would be none.
    format!("{}{end}", job[..cut].trim_end_matches(['.', '-']))
}

/// Five characters for the `number`-th pod of a Job.
fn suffix(uid: &str, number: u64) -> String {
    let mut hash = fnv1a(uid.bytes().chain(number.to_le_bytes()));
    hash ^= hash >> 32;
    name_suffix(hash.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_function_of_the_job_and_of_the_number() {
        let deal = |uid, counted| Names::new("report", uid, BTreeSet::new(), counted).deal(None);
        assert_eq!(deal("u-1", 0), deal("u-1", 0));
        assert_ne!(deal("u-1", 0), deal("u-1", 1));
        assert_ne!(deal("u-1", 0), deal("u-2", 0));
        insta::assert_snapshot!(deal("u-1", 0), @"report-24nsk");
    }

    #[test]
    fn a_taken_name_is_passed_over() {
        let first = Names::new("report", "u-1", BTreeSet::new(), 0).deal(None);
        let mut names = Names::new("report", "u-1", BTreeSet::from([first.as_str()]), 0);
        let second = Names::new("report", "u-1", BTreeSet::new(), 1).deal(None);
        assert_eq!(names.deal(None), second);
    }

    #[test]
    fn names_spread() {
        let mut names = Names::new("report", "u-1", BTreeSet::new(), 0);
        let dealt: BTreeSet<String> = (0..2_000).map(|_| names.deal(None)).collect();
        assert!(dealt.len() > 1_990, "{} of 2,000 differ", dealt.len());
    }

    #[test]
    fn a_long_name_is_cut_and_its_index_is_kept() {
        let job = "a".repeat(63);
        let mut names = Names::new(&job, "u-1", BTreeSet::new(), 0);
        for index in [None, Some(0), Some(12_345)] {
            assert_eq!(names.deal(index).len(), 63, "{index:?}");
        }
        assert!(names.deal(Some(7)).contains("a-7-"));
    }

    #[test]
    fn a_name_that_is_cut_at_a_dot_is_still_a_name() {
        let job = format!("{}.bbbb", "a".repeat(56));
        assert_eq!(prefix(&job, None), format!("{}-", "a".repeat(56)));
    }
}
