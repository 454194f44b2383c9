//! `punctual resume`: ends the pause of some CronJobs.

use serde_json::Value;

use crate::cli::change::{ChangeArgs, Planned, change};
use crate::cli::exit::{Exit, Failure};
use crate::cli::suspend::pause;
use crate::cronjob::extension::SUSPENDED_ANNOTATION;
use crate::manifest::{CronJob, suspended};

/// Arguments of `punctual resume`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  punctual resume backup
  punctual resume -A -l tier=batch --yes

As in Kubernetes, the newest instant that passed meanwhile is started then, unless
startingDeadlineSeconds says that it is too late.")]
pub(super) struct ResumeArgs {
    #[command(flatten)]
    which: ChangeArgs,
}

/// Ends pauses.
///
/// # Errors
///
/// As those of [`change`].
pub(super) fn resume(args: &ResumeArgs) -> Result<Exit, Failure> {
    change(&args.which, "resume", plan)
}

fn plan(object: &CronJob) -> Planned {
    let (extensions, _) = object.extensions();
    let is_paused = suspended(object, &extensions);
    // What `suspend-after-failures` has written.
    let annotations = object.metadata.annotations.as_ref();
    let has_failed = annotations.is_some_and(|all| all.contains_key(SUSPENDED_ANNOTATION));
    if has_failed {
        let mut patch = pause(object, false, None, None);
        patch["metadata"]["annotations"][SUSPENDED_ANNOTATION] = Value::Null;
        return Planned::Patch {
            patch,
            said: "resumed, after its failures".into(),
            prevents: vec![],
        };
    }
    if !is_paused && extensions.paused_until.is_none() && extensions.pause_reason.is_none() {
        return Planned::Nothing {
            said: "was not suspended".into(),
        };
    }
    Planned::Patch {
        patch: pause(object, false, None, None),
        said: "resumed".into(),
        prevents: vec![],
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::cli::suspend::tests::cronjob;

    #[test]
    fn a_pause_is_ended_where_it_was_written_and_nothing_is_left_of_it() {
        let nothing_left = json!({ "punctual.dev/suspend-reason": null, "punctual.dev/suspend-until": null });
        let mut of_ours = nothing_left.clone();
        of_ours["punctual.dev/suspend"] = Value::Null;
        for (has, patch) in [
            (
                json!({ "paused": true, "until": "T" }),
                json!({ "metadata": { "annotations": nothing_left }, "spec": { "suspend": false } }),
            ),
            (
                json!({ "managed": "true", "suspend": "true", "paused": true }),
                json!({ "metadata": { "annotations": of_ours } }),
            ),
        ] {
            let planned = plan(&cronjob(&has));
            assert_eq!(
                planned,
                Planned::Patch {
                    patch,
                    said: "resumed".into(),
                    prevents: vec![],
                },
                "{has}"
            );
        }
        for has in [json!({}), json!({ "managed": "true", "paused": true })] {
            assert!(matches!(plan(&cronjob(&has)), Planned::Nothing { .. }), "{has}");
        }
    }

    #[test]
    fn a_suspension_after_failures_is_ended_too() {
        let mut object = cronjob(&json!({}));
        let annotations = object.metadata.annotations.get_or_insert_default();
        annotations.insert(SUSPENDED_ANNOTATION.into(), "2026-11-23T12:00:00Z".into());
        let Planned::Patch { patch, .. } = plan(&object) else {
            panic!("nothing is done");
        };
        let written = &patch["metadata"]["annotations"];
        assert_eq!(written.get(SUSPENDED_ANNOTATION), Some(&Value::Null), "{patch}");
    }
}
