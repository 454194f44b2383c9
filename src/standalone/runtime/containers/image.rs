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
    if !is_name(image) {
        return Err(ContainerError::InvalidImage {
            image: image.to_owned(),
        });
    }
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

/// Whether this can be the name of an image: `[HOST[:PORT]/]PATH[:TAG][@DIGEST]`, by the grammar that engines and the
/// kubelet share (`reference` of the distribution project).
fn is_name(image: &str) -> bool {
    let (name, digest) = match image.split_once('@') {
        Some((name, digest)) => (name, Some(digest)),
        None => (image, None),
    };
    let (host, path) = match name.split_once('/') {
        Some((host, path)) if is_host(host) => (host, path),
        _ => ("", name),
    };
    let (path, tag) = match path.split_once(':') {
        Some((path, tag)) => (path, Some(tag)),
        None => (path, None),
    };
    let is_of_host = |c: char| c.is_ascii_alphanumeric() || ".-:[]".contains(c);
    host.chars().all(is_of_host)
        && path.split('/').all(is_component)
        && tag.is_none_or(is_tag)
        && digest.is_none_or(is_digest)
}

/// Whether the first part of a name is that of a registry.
fn is_host(first: &str) -> bool {
    first.contains(['.', ':']) || first == "localhost" || first.chars().any(|c| c.is_ascii_uppercase())
}

/// A part of the path: small letters and digits, with single separators in between.
fn is_component(part: &str) -> bool {
    let is_word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let separators = part.split(is_word).filter(|between| !between.is_empty());
    let is_separator = |text: &str| matches!(text, "." | "_" | "__") || text.chars().all(|c| c == '-');
    part.starts_with(is_word) && part.ends_with(is_word) && separators.into_iter().all(is_separator)
}

fn is_tag(tag: &str) -> bool {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    tag.len() <= 128 && tag.starts_with(is_word) && tag.chars().all(|c| is_word(c) || c == '.' || c == '-')
}

fn is_digest(digest: &str) -> bool {
    let Some((_, hex)) = digest.split_once(':') else {
        return false;
    };
    hex.len() >= 32 && hex.chars().all(|c| c.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_no_image_can_have() {
        let digest = format!("b@sha256:{}", "0a".repeat(32));
        let good = [
            "busybox",
            "busybox:1.36_x-Y",
            "library/busy__box",
            "localhost/punctual-test:1",
            "localhost:5000/a/b--c:v1",
            "Registry.example.com/a/b",
            "[::1]:5000/a",
            &digest,
        ];
        let bad = [
            "",
            "Busybox",
            "busy box",
            "a//b",
            "/a",
            "a/",
            "a:",
            "a:-1",
            "a:b:c",
            "a...b",
            "-a",
            "a@sha256:12",
            "a@",
            "example.com/A",
            "https://example.com/a",
        ];
        let taken: Vec<_> = good.iter().chain(&bad).filter(|name| is_name(name)).collect();
        assert_eq!(taken, good.iter().collect::<Vec<_>>());
    }

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
