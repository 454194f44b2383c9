//! What a client reads: the `Accept` header, and the best of it that can be given.
//!
//! Source: "Resource representations" of the Kubernetes API Concepts. Protobuf is read and never written: clients that
//! ask for it name JSON as well.

use std::cmp::Reverse;

use http::HeaderMap;
use http::header::ACCEPT;

use super::{ApiError, JSON};

/// How objects are written as YAML.
pub(super) const YAML: &str = "application/yaml";

/// How an answer is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Notation {
    /// See [`JSON`].
    Json,
    /// See [`YAML`].
    Yaml,
}

/// What is shown of objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// All of them.
    Objects,
    /// Rows of a table.
    Table,
    /// Only their metadata.
    Metadata,
}

/// What a client is answered with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Accepted {
    pub(super) notation: Notation,
    pub(super) shape: Shape,
}

impl Accepted {
    /// The best that the client accepts and that is given here. All is fine with a client that does not say.
    pub(super) fn of(headers: &HeaderMap) -> Result<Self, ApiError> {
        let lines = headers.get_all(ACCEPT).iter();
        let lines = lines.filter_map(|line| line.to_str().ok());
        let mut ranges: Vec<Range> = lines
            .flat_map(|line| line.split(','))
            .filter(|range| !range.trim().is_empty())
            .map(Range::read)
            .collect();
        if ranges.is_empty() {
            ranges.push(Range::read("*/*"));
        }
        // As kube-apiserver has it: what is named goes before what is only not excluded, however well that is liked.
        ranges.sort_by_key(|range| (range.is_wild(), Reverse(range.weight)));
        let best = ranges.iter().find_map(Range::answered);
        best.ok_or(ApiError::NotAcceptable {
            given: "application/json, application/yaml",
        })
    }
}

/// One range of the header.
struct Range<'a> {
    media_type: &'a str,
    parameters: Vec<(&'a str, &'a str)>,
    /// How well it is liked, in thousandths.
    weight: u16,
}

impl<'a> Range<'a> {
    fn read(text: &'a str) -> Self {
        let mut parts = text.split(';').map(str::trim);
        let media_type = parts.next().unwrap_or_default();
        let parameters: Vec<(&str, &str)> = parts.filter_map(|part| part.split_once('=')).collect();
        let mut range = Range {
            media_type,
            parameters,
            weight: 1000,
        };
        if let Some(liked) = range.parameter("q").and_then(|liked| liked.parse::<f64>().ok()) {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "between 0 and 1000"
            )]
            let weight = (liked.clamp(0.0, 1.0) * 1000.0) as u16;
            range.weight = weight;
        }
        range
    }

    fn is_wild(&self) -> bool {
        self.media_type.ends_with("/*")
    }

    fn parameter(&self, name: &str) -> Option<&'a str> {
        let named = self.parameters.iter().find(|(key, _)| *key == name);
        named.map(|(_, value)| *value)
    }

    /// What is answered to it, if it can be.
    fn answered(&self) -> Option<Accepted> {
        let notation = match self.media_type {
            JSON | "application/*" | "*/*" => Notation::Json,
            // Of YAML there are no streams.
            YAML if self.parameter("stream").is_none() => Notation::Yaml,
            _ => return None,
        };
        let of_meta = self.parameter("g") == Some("meta.k8s.io");
        let version = self.parameter("v");
        let shape = match self.parameter("as") {
            None => Shape::Objects,
            Some("Table") if of_meta && matches!(version, Some("v1" | "v1beta1")) => Shape::Table,
            Some("PartialObjectMetadata" | "PartialObjectMetadataList")
                if of_meta && version == Some("v1") =>
            {
                Shape::Metadata
            }
            Some(_) => return None,
        };
        Some(Accepted { notation, shape })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepted(accept: &str) -> Option<(Notation, Shape)> {
        let headers = HeaderMap::from_iter([(ACCEPT, accept.parse().unwrap())]);
        let accepted = Accepted::of(&headers).ok()?;
        Some((accepted.notation, accepted.shape))
    }

    #[test]
    fn the_best_that_is_given_is_taken() {
        use Notation::{Json, Yaml};
        use Shape::{Metadata, Objects, Table};
        let kubectl_get = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json";
        #[rustfmt::skip]
        let table = [
            ("",                                                                 Some((Json, Objects))),
            ("application/json",                                                 Some((Json, Objects))),
            ("application/yaml",                                                 Some((Yaml, Objects))),
            ("application/json;q=0.2, application/yaml;q=0.3",                   Some((Yaml, Objects))),
            ("*/*, application/yaml;q=0.1",                                      Some((Yaml, Objects))),
            ("*/*",                                                              Some((Json, Objects))),
            ("application/*",                                                    Some((Json, Objects))),
            ("text/html, */*;q=0.8",                                             Some((Json, Objects))),
            (kubectl_get,                                                        Some((Json, Table))),
            ("application/json;as=Table;v=v9;g=meta.k8s.io, application/json",   Some((Json, Objects))),
            ("application/yaml;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1", Some((Yaml, Metadata))),
            ("application/vnd.kubernetes.protobuf,application/json",             Some((Json, Objects))),
            ("application/vnd.kubernetes.protobuf",                              None),
            ("application/json;as=Table;v=v9;g=meta.k8s.io",                     None),
            ("text/html",                                                        None),
        ];
        for (accept, expected) in table {
            assert_eq!(accepted(accept), expected, "{accept}");
        }
    }
}
