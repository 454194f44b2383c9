//! The alerts fire when they must and not when they must not, speak of metrics that exist, and each has a runbook.

use std::process::Command;

use libtest_mimic::{Failed, Trial};
use punctual::cronjob::Key;
use punctual::schedule::{TimeZones, Timestamp};
use punctual::telemetry::{Metrics, RequestLabel, Wellbeing};

use crate::{CHART, needing, read, runs};

pub(crate) fn trials() -> Vec<Trial> {
    let promtool = runs("promtool", &["--version"]);
    vec![
        needing(promtool, "alerts::the_rules_are_well_formed", || {
            promtool_says(&["check", "rules"], "rules/punctual.yaml")
        }),
        needing(promtool, "alerts::they_fire_when_they_must_and_only_then", || {
            promtool_says(&["test", "rules"], "rules/tests.yaml")
        }),
        Trial::test("alerts::each_has_a_runbook", each_has_a_runbook),
        Trial::test("alerts::each_is_tested", each_is_tested),
        Trial::test("alerts::every_metric_is_served", every_metric_is_served),
    ]
}

fn promtool_says(arguments: &[&str], file: &str) -> Result<(), Failed> {
    let output = Command::new("promtool")
        .args(arguments)
        .arg(format!("{CHART}/{file}"))
        .output()?;
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stdout, output.stderr].concat();
    Err(String::from_utf8_lossy(&said).into_owned().into())
}

/// The values of a key, in a file of ours that writes one a line.
fn values<'a>(text: &'a str, key: &str) -> Vec<&'a str> {
    text.lines()
        .filter_map(|line| line.trim().strip_prefix(key))
        .map(str::trim)
        .collect()
}

fn each_has_a_runbook() -> Result<(), Failed> {
    let rules = read(&format!("{CHART}/rules/punctual.yaml"))?;
    let (alerts, runbooks) = (values(&rules, "- alert:"), values(&rules, "runbook:"));
    if alerts.is_empty() || alerts.len() != runbooks.len() {
        return Err(format!("{} alerts, {} runbooks", alerts.len(), runbooks.len()).into());
    }
    for (alert, runbook) in alerts.iter().zip(runbooks) {
        let text = read(&format!("docs/runbooks/{runbook}"))?;
        for part in [
            format!("# {alert}").as_str(),
            "**What it means.**",
            "**What to look at.**",
            "**What to do.**",
        ] {
            if !text.contains(part) {
                return Err(format!("docs/runbooks/{runbook} lacks {part:?}").into());
            }
        }
    }
    Ok(())
}

/// An alert without a history in which it fires is not known to work, and one without a history in which it does not is
/// not known to be right.
fn each_is_tested() -> Result<(), Failed> {
    let rules = read(&format!("{CHART}/rules/punctual.yaml"))?;
    let tests = read(&format!("{CHART}/rules/tests.yaml"))?;
    for alert in values(&rules, "- alert:") {
        if !values(&tests, "alertname:").contains(&alert) {
            return Err(format!("no history in rules/tests.yaml makes {alert} fire").into());
        }
        if !tests.contains(&format!("alertname: {alert}, exp_alerts: []")) {
            return Err(format!("no history in rules/tests.yaml leaves {alert} silent").into());
        }
    }
    Ok(())
}

fn every_metric_is_served() -> Result<(), Failed> {
    let metrics = Metrics::default();
    // Without a request there is nothing to count them by.
    let request = RequestLabel {
        verb: "create",
        resource: "jobs",
        code: 201,
    };
    metrics.count_request(&request, None);
    let wellbeing = Wellbeing {
        failing: 3,
        expected_success: Some(Timestamp::UNIX_EPOCH),
        last_success: Some(Timestamp::UNIX_EPOCH),
        next_due: Some(Timestamp::UNIX_EPOCH),
        ..Wellbeing::default()
    };
    let key = Key {
        namespace: "a".into(),
        name: "b".into(),
    };
    metrics.set_wellbeing(&key, Some(wellbeing));
    let scrape = metrics.render(&TimeZones::built_in(), Timestamp::UNIX_EPOCH);
    for file in ["rules/punctual.yaml", "dashboards/punctual.json"] {
        let text = read(&format!("{CHART}/{file}"))?;
        let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        for metric in words.filter(|word| word.starts_with("punctual_")) {
            let family = ["_bucket", "_count", "_sum", "_total"]
                .iter()
                .fold(metric, |name, suffix| name.strip_suffix(suffix).unwrap_or(name));
            if !scrape.contains(&format!("# TYPE {family} ")) {
                return Err(format!("{file} speaks of {metric}, which is not served").into());
            }
        }
    }
    Ok(())
}
