//! The writes of one transaction, and who waits for them.

use std::borrow::Cow;
use std::collections::HashMap;

use serde_json::Value;
use tokio::sync::oneshot;

use crate::standalone::store::state::{State, Write, may_follow};
use crate::standalone::store::{Change, Key, Object, Revision, StoreError};

/// Where an answer goes. A writer that has gone away does not hear it; its write is done all the same.
type Waiting = oneshot::Sender<Result<Object, StoreError>>;

/// Somebody wants to write.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) change: Change,
    pub(super) key: Key,
    pub(super) document: Value,
    /// The revision that the write is based on; none when there should be no object yet.
    pub(super) expected: Option<Revision>,
    pub(super) answer: Waiting,
}

/// What is to be written in one transaction.
#[derive(Debug, Default)]
pub(super) struct Batch {
    writes: Vec<Write>,
    accepted: Vec<(Waiting, Object)>,
    /// Refusals that hold only if the writes before them do.
    refused: Vec<(Waiting, StoreError)>,
    /// What the writes of this batch leave behind: the revision under each key, or nothing.
    pending: HashMap<Key, Option<Revision>>,
}

impl Batch {
    /// Checks a request against the state and the requests before it, and takes it in.
    pub(super) fn take(&mut self, request: Request, state: &State) {
        let Request {
            change,
            key,
            document,
            expected,
            answer,
        } = request;
        let pending = self.pending.get(&key);
        let found = match pending {
            Some(pending) => *pending,
            None => state.existing(&key).ok().map(Object::revision),
        };
        if let Err(refusal) = may_follow(expected, found) {
            if pending.is_some() {
                self.refused.push((answer, refusal));
            } else {
                let _gone = answer.send(Err(refusal));
            }
            return;
        }
        let newest = self
            .writes
            .last()
            .map_or(state.revision(), |write| write.object.revision());
        let object = match Object::stamp(document, newest.next()) {
            Ok(object) => object,
            Err(error) => {
                let _gone = answer.send(Err(error));
                return;
            }
        };
        let left = (change != Change::Deleted).then(|| object.revision());
        self.pending.insert(key.clone(), left);
        self.accepted.push((answer, object.clone()));
        self.writes.push(Write {
            change,
            resource: Cow::Borrowed(key.resource),
            place: key.place,
            object,
        });
    }

    /// What is to be written.
    pub(super) fn writes(&self) -> &[Write] {
        &self.writes
    }

    /// Takes out what has been written.
    pub(super) fn take_writes(&mut self) -> Vec<Write> {
        std::mem::take(&mut self.writes)
    }

    /// Tells everybody that it is written.
    pub(super) fn succeed(self) {
        for (answer, object) in self.accepted {
            let _gone = answer.send(Ok(object));
        }
        for (answer, refusal) in self.refused {
            let _gone = answer.send(Err(refusal));
        }
    }

    /// Tells everybody that it is not.
    pub(super) fn fail(self, failure: impl Fn() -> StoreError) {
        let accepted = self.accepted.into_iter().map(|(answer, _)| answer);
        let refused = self.refused.into_iter().map(|(answer, _)| answer);
        for answer in accepted.chain(refused) {
            let _gone = answer.send(Err(failure()));
        }
    }
}
