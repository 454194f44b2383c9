//! A store in which somebody else gets in between, just before a certain request of the collector's.

use std::sync::{Mutex, PoisonError};

use futures::FutureExt as _;
use futures::future::BoxFuture;
use serde_json::Value;

use crate::standalone::store::{
    Answer, Key, MemoryStore, Object, Page, Range, Revision, Scope, Store, StoreError, Watch,
};

/// A store in memory, and what happens in it before its next delete, or its next list of a resource.
#[derive(Default)]
pub(super) struct Meddler {
    pub(super) store: MemoryStore,
    meddling: Mutex<Option<(Moment, BoxFuture<'static, ()>)>>,
    /// Whether nobody can watch.
    is_blind: bool,
}

/// When it happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Moment {
    BeforeDelete,
    BeforeListOf(&'static str),
}

impl std::fmt::Debug for Meddler {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.store.fmt(f)
    }
}

impl Meddler {
    /// A store that nobody can watch.
    pub(super) fn blind() -> Self {
        Self {
            is_blind: true,
            ..Self::default()
        }
    }

    /// Does this once, at the next such moment.
    pub(super) fn meddle(&self, when: Moment, what: impl Future<Output = ()> + Send + 'static) {
        *self.meddling.lock().unwrap_or_else(PoisonError::into_inner) = Some((when, what.boxed()));
    }

    async fn reach(&self, moment: Moment) {
        let due = {
            let mut meddling = self.meddling.lock().unwrap_or_else(PoisonError::into_inner);
            meddling.take_if(|(when, _)| *when == moment)
        };
        if let Some((_, what)) = due {
            what.await;
        }
    }
}

impl Store for Meddler {
    fn revision(&self) -> Answer<'_, Revision> {
        self.store.revision()
    }

    fn get<'a>(&'a self, key: &'a Key) -> Answer<'a, Object> {
        self.store.get(key)
    }

    fn list<'a>(&'a self, scope: &'a Scope, range: Range) -> Answer<'a, Page> {
        async move {
            self.reach(Moment::BeforeListOf(scope.resource)).await;
            self.store.list(scope, range).await
        }
        .boxed()
    }

    fn create<'a>(&'a self, key: &'a Key, document: Value) -> Answer<'a, Object> {
        self.store.create(key, document)
    }

    fn update<'a>(&'a self, key: &'a Key, document: Value, expected: Revision) -> Answer<'a, Object> {
        self.store.update(key, document, expected)
    }

    fn delete<'a>(&'a self, key: &'a Key, last: Value, expected: Revision) -> Answer<'a, Object> {
        async move {
            self.reach(Moment::BeforeDelete).await;
            self.store.delete(key, last, expected).await
        }
        .boxed()
    }

    fn watch<'a>(&'a self, scope: &'a Scope, after: Revision) -> Answer<'a, Box<dyn Watch>> {
        if self.is_blind {
            return async { Err(StoreError::unavailable("blind")) }.boxed();
        }
        self.store.watch(scope, after)
    }

    fn close(&self) -> Answer<'_, ()> {
        self.store.close()
    }

    fn closed(&self) -> BoxFuture<'_, ()> {
        self.store.closed()
    }
}
