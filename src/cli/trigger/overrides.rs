//! What differs from the template this time. No I/O.

use serde_json::{Value, json};

/// Names the container that is meant when nobody says, as kubectl has it.
const DEFAULT_CONTAINER: &str = "kubectl.kubernetes.io/default-container";

/// The arguments that change the container.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(group = clap::ArgGroup::new("changed").multiple(true).args(["env", "args", "image"]))]
pub(super) struct OverrideArgs {
    /// Set a variable; may be given several times
    #[arg(long, value_name = "NAME=VALUE", value_parser = variable)]
    env: Vec<(String, String)>,

    /// Run with these arguments instead of the template's; given once for each
    #[arg(long, value_name = "ARG", allow_hyphen_values = true)]
    args: Vec<String>,

    /// Run this image
    #[arg(long, value_name = "IMAGE")]
    image: Option<String>,

    /// The container that the three above are about; needed where there are several
    #[arg(short, long, value_name = "NAME", requires = "changed")]
    container: Option<String>,
}

/// The parts of `NAME=VALUE`.
fn variable(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("write it like NAME=VALUE".into()),
    }
}

impl OverrideArgs {
    fn are_none(&self) -> bool {
        self.env.is_empty() && self.args.is_empty() && self.image.is_none()
    }

    /// Changes the `spec` of a Job.
    ///
    /// # Errors
    ///
    /// When it is not clear which container is meant.
    pub(super) fn apply(&self, spec: &mut Value) -> Result<(), String> {
        if self.are_none() {
            return Ok(());
        }
        let template = &mut spec["template"];
        let annotated = template["metadata"]["annotations"][DEFAULT_CONTAINER].as_str();
        let asked = self.container.clone().or(annotated.map(str::to_owned));
        let containers = template["spec"]["containers"].as_array_mut();
        let containers = containers.ok_or("the template has no containers")?;
        let container = find(containers, asked.as_deref())?;
        if let Some(image) = &self.image {
            container["image"] = image.as_str().into();
        }
        if !self.args.is_empty() {
            container["args"] = json!(self.args);
        }
        for (name, value) in &self.env {
            set_variable(container, name, value);
        }
        Ok(())
    }
}

/// The container of a name, or the only one.
fn find<'a>(containers: &'a mut [Value], name: Option<&str>) -> Result<&'a mut Value, String> {
    let names: Vec<String> = containers
        .iter()
        .map(|container| container["name"].as_str().unwrap_or_default().to_owned())
        .collect();
    let index = match name {
        Some(name) => names.iter().position(|known| known == name),
        None => (names.len() == 1).then_some(0),
    };
    let unclear = match name {
        Some(name) => format!("there is no container {name}; there are {}", names.join(", ")),
        None => format!(
            "there are several containers; say which with --container: {}",
            names.join(", ")
        ),
    };
    index.and_then(|index| containers.get_mut(index)).ok_or(unclear)
}

/// Sets a variable in its place; a new one comes last, so that it may refer to those before it.
fn set_variable(container: &mut Value, name: &str, value: &str) {
    let entry = json!({ "name": name, "value": value });
    if !container["env"].is_array() {
        container["env"] = json!([]);
    }
    let Some(variables) = container["env"].as_array_mut() else {
        return;
    };
    match variables.iter_mut().find(|variable| variable["name"] == name) {
        Some(known) => *known = entry,
        None => variables.push(entry),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        overrides: OverrideArgs,
    }

    /// One row a command line: what the containers are then, or why it is refused.
    #[test]
    fn only_what_is_asked_differs_from_the_template() {
        let secret = json!({ "name": "KEY", "valueFrom": { "secretKeyRef": { "name": "s", "key": "k" } } });
        let one = json!([{ "name": "main", "image": "a:1", "args": ["x"], "env": [secret, { "name": "B", "value": "2" }] }]);
        let two = json!([{ "name": "main", "image": "a:1" }, { "name": "proxy", "image": "p:1" }]);
        let rows = [
            ("", &one, json!(one)),
            (
                "--image a:2",
                &one,
                json!([{ "name": "main", "image": "a:2", "args": ["x"], "env": one[0]["env"] }]),
            ),
            (
                "--args=--full --args y",
                &one,
                json!([{ "name": "main", "image": "a:1", "args": ["--full", "y"], "env": one[0]["env"] }]),
            ),
            (
                "--env KEY=a=b --env C=",
                &one,
                json!([{ "name": "main", "image": "a:1", "args": ["x"], "env": [
                    { "name": "KEY", "value": "a=b" }, { "name": "B", "value": "2" }, { "name": "C", "value": "" },
                ] }]),
            ),
            ("", &two, json!(two)),
            (
                "-c proxy --image p:2",
                &two,
                json!([{ "name": "main", "image": "a:1" }, { "name": "proxy", "image": "p:2" }]),
            ),
            (
                "--image a:2",
                &two,
                json!("there are several containers; say which with --container: main, proxy"),
            ),
            (
                "-c side --image a:2",
                &two,
                json!("there is no container side; there are main, proxy"),
            ),
        ];
        for (line, containers, expected) in rows {
            let mut spec = json!({ "template": { "spec": { "containers": containers } } });
            let applied = parse(line).apply(&mut spec);
            let found = applied.map_or_else(Value::from, |()| spec["template"]["spec"]["containers"].take());
            assert_eq!(found, expected, "{line}");
        }
    }

    #[test]
    fn the_template_may_say_which_container_is_meant() {
        let mut spec = json!({ "template": {
            "metadata": { "annotations": { DEFAULT_CONTAINER: "b" } },
            "spec": { "containers": [{ "name": "a" }, { "name": "b" }] },
        } });
        parse("--image i").apply(&mut spec).expect("clear");
        assert_eq!(
            spec["template"]["spec"]["containers"],
            json!([{ "name": "a" }, { "name": "b", "image": "i" }])
        );
    }

    #[test]
    fn a_container_alone_says_nothing() {
        assert!(Line::try_parse_from(["trigger", "-c", "a"]).is_err());
    }

    #[test]
    fn a_template_that_is_none_is_refused_without_a_panic() {
        assert!(parse("--image i").apply(&mut Value::Null).is_err());
        assert!(variable("=x").is_err() && variable("x").is_err());
    }

    fn parse(line: &str) -> OverrideArgs {
        let words = std::iter::once("trigger").chain(line.split_whitespace());
        Line::parse_from(words).overrides
    }
}
