//! The commands of this machine that stand for images: `--entrypoint IMAGE=COMMAND`.
//!
//! A process has no image, so a container that relies on its image's entrypoint can't be one, unless somebody says which
//! command of this machine does the same. Like an entrypoint the command stands before the container's `args`, and a
//! container with a `command` of its own does not need it.

use std::collections::BTreeMap;
use std::str::FromStr;

use k8s_openapi::api::core::v1::Container;
use thiserror::Error;

/// One image, and the command that stands for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entrypoint {
    image: String,
    words: Vec<String>,
}

/// Why an entrypoint could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum EntrypointError {
    /// There is no image, no `=` or no command.
    #[error(
        "write it as IMAGE=COMMAND, such as busybox=/usr/bin/busybox or 'report:2=python3 /srv/report.py'"
    )]
    Incomplete,
    /// The command ends within a quotation.
    #[error("a quotation mark in the command is not closed")]
    OpenQuotation,
}

impl FromStr for Entrypoint {
    type Err = EntrypointError;

    /// The command is taken apart as a shell takes it: at spaces, but not within quotation marks.
    fn from_str(text: &str) -> Result<Self, EntrypointError> {
        let (image, command) = text.split_once('=').ok_or(EntrypointError::Incomplete)?;
        let words = shlex::split(command).ok_or(EntrypointError::OpenQuotation)?;
        if image.is_empty() || words.is_empty() {
            return Err(EntrypointError::Incomplete);
        }
        Ok(Self {
            image: image.to_owned(),
            words,
        })
    }
}

/// All of them, by image.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Entrypoints(BTreeMap<String, Vec<String>>);

impl FromIterator<Entrypoint> for Entrypoints {
    fn from_iter<I: IntoIterator<Item = Entrypoint>>(entrypoints: I) -> Self {
        let pairs = entrypoints.into_iter();
        let named = pairs.map(|Entrypoint { image, words }| (familiar(&image).to_owned(), words));
        Self(named.collect())
    }
}

impl Entrypoints {
    /// The first words of a container's command line: its `command`, or what stands for its image. Its `args` follow.
    /// Nothing, when it has neither.
    ///
    /// An image that is named without a tag stands for all its tags that are not named themselves.
    pub(super) fn command<'c>(&'c self, container: &'c Container) -> Option<&'c [String]> {
        if let Some(command) = container.command.as_deref().filter(|words| !words.is_empty()) {
            return Some(command);
        }
        let image = familiar(container.image.as_deref()?);
        let words = self.0.get(image).or_else(|| self.0.get(without_tag(image)))?;
        Some(words)
    }
}

/// The short name of an image that has a long one as well: `busybox` for `docker.io/library/busybox`.
fn familiar(image: &str) -> &str {
    let own = image.strip_prefix("docker.io/").unwrap_or(image);
    own.strip_prefix("library/").unwrap_or(own)
}

/// The name of an image. A colon before the last `/` is that of a port.
fn without_tag(image: &str) -> &str {
    let name = image.split('@').next().unwrap_or(image);
    match name.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => name,
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn entrypoints(texts: &[&str]) -> Entrypoints {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn the_command_of_an_image() {
        let known = entrypoints(&[
            "busybox=/usr/bin/busybox",
            "report:2=python3 '/srv/my report.py' --full",
            "localhost:5000/tool=tool",
        ]);
        let command = |container: Value| {
            let container = serde_json::from_value(container).unwrap();
            known.command(&container).unwrap_or_default().join("|")
        };
        let of_image = |image: &str| command(json!({"name": "main", "image": image}));
        assert_eq!(of_image("busybox"), "/usr/bin/busybox");
        assert_eq!(of_image("busybox:1.36"), "/usr/bin/busybox");
        assert_eq!(of_image("busybox@sha256:0123"), "/usr/bin/busybox");
        assert_eq!(of_image("docker.io/library/busybox:1.28"), "/usr/bin/busybox");
        assert_eq!(of_image("library/busybox"), "/usr/bin/busybox");
        assert_eq!(of_image("quay.io/library/busybox"), "");
        assert_eq!(of_image("report:2"), "python3|/srv/my report.py|--full");
        assert_eq!(of_image("report:3"), "");
        assert_eq!(of_image("report"), "");
        assert_eq!(of_image("localhost:5000/tool:7"), "tool");
        assert_eq!(of_image("localhost"), "");
        let own = json!({"name": "main", "image": "busybox", "command": ["date"]});
        assert_eq!(command(own), "date");
    }

    #[test]
    fn what_is_no_entrypoint() {
        let refused = |text: &str| text.parse::<Entrypoint>().unwrap_err();
        for text in ["busybox", "=date", "busybox=", "busybox=  ", ""] {
            assert_eq!(refused(text), EntrypointError::Incomplete, "{text}");
        }
        assert_eq!(refused("busybox=sh -c 'date"), EntrypointError::OpenQuotation);
    }
}
