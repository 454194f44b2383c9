//! What listens beside the machine, and tells what is shown: who follows the manifests, and who notices ends.

use std::future::pending;

use crate::standalone::{EndedPart, Part};

/// The parts that listen until everything stops.
#[derive(Debug)]
pub(super) struct Listeners {
    ends: Part,
    /// None where the manifests are not followed.
    manifests: Option<Part>,
}

impl Listeners {
    /// Starts them. Must be called on a tokio runtime.
    pub(super) fn start(
        ends: impl Future<Output = ()> + Send + 'static,
        manifests: Option<impl Future<Output = ()> + Send + 'static>,
    ) -> Self {
        Listeners {
            ends: Part::start("the watch of Jobs and pods", ends),
            manifests: manifests.map(|follow| Part::start("the watch of the manifests", follow)),
        }
    }

    /// Waits until one of them has ended by itself.
    pub(super) async fn ended(&mut self) -> EndedPart {
        let manifests = async {
            match &mut self.manifests {
                Some(part) => part.ended().await,
                None => pending().await,
            }
        };
        tokio::select! {
            ended = self.ends.ended() => ended,
            ended = manifests => ended,
        }
    }

    /// Follows the manifests no more. Ends are noticed until the machine has stopped.
    pub(super) fn stop_following(self) {
        if let Some(part) = self.manifests {
            part.abort();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn whichever_dies_is_noticed() {
        let dies = || async { panic!("a fault") };
        let mut listeners = Listeners::start(pending(), Some(dies()));
        let ended = listeners.ended().await;
        assert_eq!(ended.name, "the watch of the manifests");
        assert!(ended.panic.is_some());
        assert!(futures::poll!(Box::pin(listeners.ended())).is_pending());
        let mut listeners = Listeners::start(dies(), None::<std::future::Pending<()>>);
        assert_eq!(listeners.ended().await.name, "the watch of Jobs and pods");
    }
}
