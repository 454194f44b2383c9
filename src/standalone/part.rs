//! A part of the machine: a task that runs until it is told to stop, and is noticed when it ends before.

use std::future::pending;

use tokio::task::{JoinError, JoinHandle};

/// A task that is to run until it is told to stop.
#[derive(Debug)]
pub struct Part {
    name: &'static str,
    /// None when its end was told.
    task: Option<JoinHandle<()>>,
}

/// A part that has ended.
#[derive(Debug)]
pub struct EndedPart {
    /// What it is called.
    pub name: &'static str,
    /// Its panic, if that was it.
    pub panic: Option<JoinError>,
}

impl Part {
    /// Starts a part. Must be called on a tokio runtime.
    pub fn start(name: &'static str, run: impl Future<Output = ()> + Send + 'static) -> Self {
        let task = Some(tokio::spawn(run));
        Self { name, task }
    }

    /// Waits until it has ended, which it tells once.
    pub async fn ended(&mut self) -> EndedPart {
        let Some(task) = &mut self.task else {
            return pending().await;
        };
        let panic = task.await.err();
        self.task = None;
        EndedPart {
            name: self.name,
            panic,
        }
    }

    /// Waits for the end that it was told to come to, unless it has told of its end before.
    pub async fn end(mut self) {
        if self.task.is_none() {
            return;
        }
        let EndedPart { name, panic } = self.ended().await;
        if let Some(error) = panic {
            tracing::error!(%error, "{name} ended by itself");
        }
    }

    /// Ends it in the midst of what it does.
    pub fn abort(self) {
        if let Some(task) = self.task {
            task.abort();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_end_is_told_once_with_the_panic() {
        let mut part = Part::start("the cook", async { panic!("out of salt") });
        let EndedPart { name, panic } = part.ended().await;
        assert_eq!(name, "the cook");
        assert!(panic.expect("a panic").to_string().contains("out of salt"));
        assert!(futures::poll!(Box::pin(part.ended())).is_pending());
        part.end().await;
        assert!(Part::start("the guest", async {}).ended().await.panic.is_none());
    }
}
