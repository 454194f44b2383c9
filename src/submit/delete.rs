//! Deletes Jobs, one after the other, and keeps what came of each.

use kube::api::PropagationPolicy;

use crate::policy::{Deletion, DeletionOutcome, DeletionResult};
use crate::submit::requests::Requests;
use crate::submit::trouble::Trouble;

/// What came of deletions.
#[derive(Debug, Default)]
pub(super) struct Deleted {
    /// How each ended.
    pub(super) results: Vec<DeletionResult>,
    /// The UIDs of the Jobs that are gone, or on their way.
    pub(super) uids: Vec<String>,
    /// What kept the first of those that failed.
    pub(super) trouble: Option<Trouble>,
}

impl Deleted {
    /// Deletes Jobs. What fails is noted and does not keep the others.
    pub(super) async fn all(
        requests: &Requests,
        deletions: &[Deletion],
        propagation: PropagationPolicy,
    ) -> Self {
        let mut deleted = Deleted::default();
        for deletion in deletions {
            deleted.add(requests, deletion, propagation.clone()).await;
        }
        deleted
    }

    /// Deletes one more.
    pub(super) async fn add(
        &mut self,
        requests: &Requests,
        deletion: &Deletion,
        propagation: PropagationPolicy,
    ) {
        let outcome = match requests.delete(deletion, propagation).await {
            Ok(outcome) => {
                self.uids.push(deletion.uid.clone());
                outcome
            }
            Err(trouble) => {
                let message = trouble.message.clone();
                self.trouble.get_or_insert(trouble);
                DeletionOutcome::Refused(message)
            }
        };
        let deletion = deletion.clone();
        self.results.push(DeletionResult { deletion, outcome });
    }
}
