//! Whether an image is fetched, and fetching it.

use bollard::Docker;
use bollard::errors::Error as ApiError;
use bollard::models::ImageConfig;
use bollard::query_parameters::CreateImageOptionsBuilder;
use futures::TryStreamExt;
use k8s_openapi::api::core::v1::Container;

use super::{ContainerError, is_missing};

/// What an engine is asked of an image.
const ASKED: &str = "tell of the image";

/// A container's `imagePullPolicy`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PullPolicy {
    Always,
    IfNotPresent,
    Never,
}

impl PullPolicy {
    /// The API server has filled it in by the image's tag; a pod without one was written past it.
    fn of(container: &Container) -> Self {
        match container.image_pull_policy.as_deref() {
            Some("Always") => Self::Always,
            Some("Never") => Self::Never,
            _ => Self::IfNotPresent,
        }
    }
}

/// Sees to it that the container's image is there.
pub(super) async fn ready(engine: &Docker, container: &Container) -> Result<(), ContainerError> {
    let image = container.image.as_deref().unwrap_or_default();
    let policy = PullPolicy::of(container);
    if policy != PullPolicy::Always {
        match engine.inspect_image(image).await {
            Ok(_there) => return Ok(()),
            Err(error) if is_missing(&error) && policy == PullPolicy::Never => {
                return Err(ContainerError::NeverPulled {
                    image: image.to_owned(),
                });
            }
            Err(error) if is_missing(&error) => {}
            Err(source) => return Err(ContainerError::engine(ASKED)(source)),
        }
    }
    pull(engine, image).await.map_err(|source| ContainerError::Pull {
        image: image.to_owned(),
        source,
    })
}

/// What the container's image says of itself, which has been fetched.
pub(super) async fn config(engine: &Docker, container: &Container) -> Result<ImageConfig, ContainerError> {
    let image = container.image.as_deref().unwrap_or_default();
    let inspected = engine.inspect_image(image).await;
    let inspected = inspected.map_err(ContainerError::engine(ASKED))?;
    Ok(inspected.config.unwrap_or_default())
}

async fn pull(engine: &Docker, image: &str) -> Result<(), ApiError> {
    tracing::info!(image, "pulling an image");
    let options = CreateImageOptionsBuilder::new()
        .from_image(&tagged(image))
        .build();
    let mut progress = std::pin::pin!(engine.create_image(Some(options), None, None));
    while progress.try_next().await?.is_some() {}
    Ok(())
}

/// The image with a tag: an engine that is asked for none fetches all of them.
fn tagged(image: &str) -> String {
    let name = image.rsplit('/').next().unwrap_or_default();
    if name.contains([':', '@']) {
        image.to_owned()
    } else {
        format!("{image}:latest")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_without_a_tag_is_the_latest() {
        let images = [
            "busybox",
            "busybox:1.36",
            "localhost:5000/busybox",
            "a/b@sha256:0123",
        ];
        let tagged = images.map(tagged);
        let wanted = [
            "busybox:latest",
            "busybox:1.36",
            "localhost:5000/busybox:latest",
            "a/b@sha256:0123",
        ];
        assert_eq!(tagged, wanted);
    }
}
