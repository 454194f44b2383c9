//! JSON that does not have the types of its kind: what is wrong, and where.
//!
//! A deserializer says what it did not expect, and not where that was. The place is looked for only once reading has
//! failed, and by nothing but reading: of the parts that can't be read by themselves either, the smallest is the place.
//! To keep track of it on the way would take code for every type that can be read, a fifteenth of the whole program.

use std::fmt;

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::path::{FieldPath, Step};

/// Why something could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Misfit {
    /// Where the first mistake is.
    path: FieldPath,
    /// What is wrong with it, in the words of the deserializer.
    problem: String,
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path.steps().is_empty() {
            f.write_str(&self.problem)
        } else {
            write!(f, "{}: {}", self.path, self.problem)
        }
    }
}

/// Reads JSON as a `T`.
pub(crate) fn read<T: DeserializeOwned>(value: &Value) -> Result<T, Misfit> {
    T::deserialize(value).map_err(|error| Misfit {
        path: place(value.clone(), &|part| T::deserialize(part).is_ok()),
        problem: error.to_string(),
    })
}

/// The path to the first of the smallest parts that can't be read, not even when everything beside the way to it is
/// left out.
fn place(mut value: Value, can_be_read: &dyn Fn(&Value) -> bool) -> FieldPath {
    // In `value`, every container on this way holds only what comes next.
    let mut way = Vec::new();
    loop {
        let parts = parts(std::mem::take(at(&mut value, &way)));
        let misfit = parts.into_iter().find_map(|(step, part)| {
            *at(&mut value, &way) = alone(&step, part);
            (!can_be_read(&value)).then_some(step)
        });
        match misfit {
            Some(step) => way.push(step),
            None => return FieldPath::from_steps(&way),
        }
    }
}

/// What a container holds.
fn parts(value: Value) -> Vec<(Step, Value)> {
    match value {
        Value::Object(fields) => fields
            .into_iter()
            .map(|(name, value)| (Step::Field(name), value))
            .collect(),
        Value::Array(items) => items
            .into_iter()
            .enumerate()
            .map(|(index, item)| (Step::Index(index), item))
            .collect(),
        _ => Vec::new(),
    }
}

/// A container that holds one thing only.
fn alone(step: &Step, part: Value) -> Value {
    match step {
        Step::Field(name) | Step::Key(name) => Value::Object([(name.clone(), part)].into_iter().collect()),
        Step::Index(_) => Value::Array(vec![part]),
    }
}

/// Where a way leads on which every container holds one thing only.
fn at<'a>(value: &'a mut Value, way: &[Step]) -> &'a mut Value {
    way.iter().fold(value, |container, step| match step {
        Step::Field(name) | Step::Key(name) => &mut container[name],
        Step::Index(_) => &mut container[0],
    })
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::batch::v1::Job;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_misfit_is_found_at_any_depth() {
        let job = |spec: Value| json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "a"}, "spec": spec});
        let pod = |spec: Value| job(json!({"parallelism": 2, "template": {"spec": spec}}));
        for (job, wanted) in [
            (json!(5), "invalid type: integer `5`, expected Job"),
            (
                job(json!("soon")),
                r#"spec: invalid type: string "soon", expected JobSpec"#,
            ),
            (
                job(json!({"completions": "3", "parallelism": 2})),
                r#"spec.completions: invalid type: string "3", expected i32"#,
            ),
            // Of two mistakes, the first.
            (
                job(json!({"parallelism": {}, "completions": "3"})),
                r#"spec.completions: invalid type: string "3", expected i32"#,
            ),
            (
                pod(json!({"containers": [{"name": "a"}, {"name": "b", "args": ["-n", 5]}]})),
                "spec.template.spec.containers[1].args[1]: invalid type: integer `5`, expected a string",
            ),
            (
                pod(
                    json!({"containers": [{"name": "a", "ports": [{"containerPort": 80}, {"containerPort": "http"}]}]}),
                ),
                r#"spec.template.spec.containers[0].ports[1].containerPort: invalid type: string "http", expected i32"#,
            ),
            (
                pod(json!({"nodeSelector": {"a": "b", "disk.type/x": true}})),
                "spec.template.spec.nodeSelector.disk.type/x: invalid type: boolean `true`, expected a string",
            ),
            (
                json!({"apiVersion": "batch/v2", "kind": "Job"}),
                r#"apiVersion: invalid value: string "batch/v2", expected batch/v1"#,
            ),
        ] {
            let misfit = read::<Job>(&job).expect_err(wanted);
            assert_eq!(misfit.to_string(), wanted);
        }
    }

    #[test]
    fn what_fits_is_read() {
        let job: Job = read(&json!({"metadata": {"name": "a"}, "spec": {"template": {}}})).expect("a Job");
        assert_eq!(job.metadata.name.as_deref(), Some("a"));
    }
}
