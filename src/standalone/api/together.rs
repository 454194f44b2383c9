//! Many writes of one kind, under way at the same time: so they share the syncs of the disk, for each of which a single
//! write would wait.

use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use tokio::task::coop::consume_budget;

use super::error::ApiError;

/// How many are under way: as many as the database takes in one transaction. Where work is started all the time, each waits
/// for its turn until it has waited long enough (`turns`), and so many still get through a hundred a second.
const AT_ONCE: usize = 256;

/// Does this with each of them, in their order as far as one has to wait for the other. Ends with the first failure.
pub(super) async fn each<T, F>(
    items: impl IntoIterator<Item = T>,
    mut write: impl FnMut(T) -> F,
) -> Result<(), ApiError>
where
    F: Future<Output = Result<(), ApiError>>,
{
    let items = stream::iter(items).map(Ok);
    let written = items.try_for_each_concurrent(AT_ONCE, |item| {
        let written = write(item);
        async {
            // Of most nothing is to be written, and a hundred thousand of those would keep others from the processor.
            consume_budget().await;
            written.await
        }
    });
    written.await
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::sync::Barrier;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn as_many_as_may_be_are_under_way_and_no_more() {
        let (barrier, under_way, done) = (Barrier::new(AT_ONCE), AtomicUsize::new(0), AtomicUsize::new(0));
        let write = async |_| {
            assert!(under_way.fetch_add(1, Ordering::Relaxed) < AT_ONCE);
            barrier.wait().await;
            under_way.fetch_sub(1, Ordering::Relaxed);
            done.fetch_add(1, Ordering::Relaxed);
            Ok(())
        };
        let all = tokio::time::timeout(std::time::Duration::from_secs(1), each(0..3 * AT_ONCE, write));
        all.await.expect("none waits for the other").expect("no failure");
        assert_eq!(done.into_inner(), 3 * AT_ONCE);
    }

    #[tokio::test]
    async fn after_a_failure_none_is_begun() {
        let begun = AtomicUsize::new(0);
        let write = async |number| {
            begun.fetch_add(1, Ordering::Relaxed);
            if number == 2 {
                Err(ApiError::NoSuchPath)
            } else {
                Ok(())
            }
        };
        assert!(matches!(each(0..10, write).await, Err(ApiError::NoSuchPath)));
        assert_eq!(begun.into_inner(), 3);
    }
}
