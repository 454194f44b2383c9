//! Every value of the chart, set to something else once, and what becomes of it; and the warnings of `NOTES.txt`.

use std::collections::BTreeSet;

use libtest_mimic::{Failed, Trial};
use serde_json::{Value, json};

use crate::needing;
use crate::render::{helm, rendered_with};

/// A value, something else for it in JSON, the file that it changes, and what is in that file then. After a `!` stands what is
/// not in it any more; nothing, where there is no such file any more.
type Flip = (&'static str, &'static str, &'static str, &'static str);

#[rustfmt::skip]
const FLIPS: &[Flip] = &[
    ("image.repository", r#""reg.example/p""#, "deployment", "image: \"reg.example/p:"),
    ("image.tag", r#""v9""#, "deployment", "image: \"punctual:v9\""),
    ("image.digest", r#""sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef""#, "deployment", "image: \"punctual@sha256:0123"),
    ("image.pullPolicy", r#""Always""#, "deployment", "imagePullPolicy: Always"),
    ("imagePullSecrets", r#"[{"name": "pull"}]"#, "deployment", "imagePullSecrets:\n        - name: pull"),
    ("adopt", r#""opted-in""#, "deployment", "- --adopt=opted-in"),
    ("namespaces", r#"["team-a"]"#, "rbac", "namespace: team-a"),
    ("selector", r#""tier=batch""#, "deployment", "- \"--selector=tier=batch\""),
    ("calendars", r#""all""#, "deployment", "- --calendars=all"),
    ("replicas", "3", "deployment", "replicas: 3"),
    ("log.format", r#""text""#, "deployment", "- --log-format=text"),
    ("log.filter", r#""debug""#, "deployment", "value: \"debug\""),
    ("extraArgs", r#"["--max-start-rate=20"]"#, "deployment", "- \"--max-start-rate=20\""),
    ("extraEnv", r#"[{"name": "A", "value": "b"}]"#, "deployment", "- name: A\n              value: b"),
    ("extraVolumes", r#"[{"name": "tz", "emptyDir": {}}]"#, "deployment", "volumes:\n        - emptyDir: {}"),
    ("extraVolumeMounts", r#"[{"name": "tz", "mountPath": "/tz"}]"#, "deployment", "volumeMounts:\n            - mountPath: /tz"),
    ("serviceAccount.create", "false", "serviceaccount", "!"),
    ("serviceAccount.name", r#""other""#, "rbac", "name: other"),
    ("serviceAccount.annotations", r#"{"a": "b"}"#, "serviceaccount", "annotations:\n    a: b"),
    ("rbac.create", "false", "rbac", "!"),
    ("rbac.listPods", "false", "rbac", "!resources: [pods]"),
    ("resources.requests.cpu", "2", "deployment", "cpu: 2"),
    ("resources.requests.memory", r#""3Gi""#, "deployment", "memory: 3Gi"),
    ("resources.limits.memory", r#""4Gi""#, "deployment", "memory: 4Gi"),
    ("priorityClassName", r#""high""#, "deployment", "priorityClassName: high"),
    ("terminationGracePeriodSeconds", "7", "deployment", "terminationGracePeriodSeconds: 7"),
    ("podAntiAffinity", r#""hard""#, "deployment", "requiredDuringSchedulingIgnoredDuringExecution"),
    ("affinity", r#"{"nodeAffinity": {}}"#, "deployment", "affinity:\n        nodeAffinity: {}"),
    ("topologySpreadConstraints", r#"[{"maxSkew": 1}]"#, "deployment", "topologySpreadConstraints:\n        - maxSkew: 1"),
    ("nodeSelector", r#"{"disk": "ssd"}"#, "deployment", "nodeSelector:\n        disk: ssd"),
    ("tolerations", r#"[{"operator": "Exists"}]"#, "deployment", "tolerations:\n        - operator: Exists"),
    ("podDisruptionBudget.enabled", "false", "poddisruptionbudget", "!"),
    ("podDisruptionBudget.maxUnavailable", r#""50%""#, "poddisruptionbudget", "maxUnavailable: 50%"),
    ("commonLabels", r#"{"team": "platform"}"#, "service", "team: platform"),
    ("podLabels", r#"{"mesh": "off"}"#, "deployment", "mesh: \"off\""),
    ("podAnnotations", r#"{"a": "b"}"#, "deployment", "annotations:\n        a: b"),
    ("metrics.port", "9090", "deployment", "- --metrics-listen=[::]:9090"),
    ("metrics.cronJobs", r#""all""#, "deployment", "- --cronjob-metrics=all"),
    ("metrics.serviceMonitor.enabled", "true", "servicemonitor", "interval: 30s"),
    ("metrics.serviceMonitor.interval", r#""5s""#, "servicemonitor", "interval: 5s"),
    ("metrics.serviceMonitor.labels", r#"{"a": "b"}"#, "servicemonitor", "a: b"),
    ("metrics.prometheusRule.enabled", "true", "prometheusrule", "alert: PunctualNoLeader"),
    ("metrics.prometheusRule.labels", r#"{"a": "b"}"#, "prometheusrule", "a: b"),
    ("metrics.prometheusRule.runbookUrl", r#""https://books.example""#, "prometheusrule", "runbook_url: https://books.example/PunctualNoLeader.md"),
    ("metrics.dashboard.enabled", "true", "dashboard", "grafana_dashboard: \"1\""),
    ("metrics.dashboard.labels.grafana_dashboard", r#""2""#, "dashboard", "grafana_dashboard: \"2\""),
    ("networkPolicy.enabled", "true", "networkpolicy", "port: 6443"),
    ("networkPolicy.apiServerPorts", "[8443]", "networkpolicy", "port: 8443"),
    ("networkPolicy.metricsFrom", r#"[{"podSelector": {}}]"#, "networkpolicy", "from:\n        - podSelector: {}"),
    ("admissionPolicy.enabled", "true", "admissionpolicy", "validationActions: [Deny]"),
    ("admissionPolicy.action", r#""Warn""#, "admissionpolicy", "validationActions: [Warn]"),
];

/// Values, and what `NOTES.txt` warns of then.
const WARNINGS: [(&str, &str); 8] = [
    ("{replicas: 1}", "WARNING: one replica"),
    (
        "{podDisruptionBudget: {enabled: false}}",
        "WARNING: no PodDisruptionBudget",
    ),
    ("{}", "WARNING: no alerts"),
    ("{rbac: {create: false}}", "WARNING: no roles"),
    (
        "{rbac: {listPods: false}}",
        "punctual.dev/pending-deadline ends no run",
    ),
    ("{calendars: 'off'}", "CronJobs that name a calendar"),
    ("{}", "The built-in controller must be off"),
    ("{adopt: opted-in}", "kubectl patch cronjob NAME"),
];

pub(crate) fn trials(helm: bool) -> Vec<Trial> {
    vec![
        needing(helm, "flips::every_value_has_its_effect", every_value),
        needing(helm, "flips::none_is_left_out", none_left_out),
        needing(helm, "flips::the_notes_warn_of_what_is_off", notes),
    ]
}

/// The chart's values with one of them changed. What it belongs to is switched on.
fn flipped(path: &str, value: &str) -> Result<String, Failed> {
    let mut values = json!({});
    if !path.ends_with(".enabled") {
        let on = json!({ "enabled": true });
        let metrics = json!({ "serviceMonitor": on, "prometheusRule": on, "dashboard": on });
        values = json!({ "networkPolicy": on, "admissionPolicy": on, "metrics": metrics });
    }
    // Indexing makes what is not there.
    let place = path.split('.').fold(&mut values, |place, name| &mut place[name]);
    *place = serde_json::from_str(value)?;
    Ok(values.to_string())
}

fn every_value() -> Result<(), Failed> {
    for (path, value, file, expected) in FLIPS {
        let files = rendered_with(&flipped(path, value)?)?;
        let text = files.get(&format!("templates/{file}.yaml"));
        let good = match (text, expected.strip_prefix('!')) {
            (text, Some("")) => text.is_none(),
            (Some(text), Some(gone)) => !text.contains(gone),
            (Some(text), None) => text.contains(expected),
            (None, _) => false,
        };
        if !good {
            return Err(format!(
                "{path}: {value} does not make {expected:?} in {file}.yaml:\n{}",
                text.map_or("", String::as_str)
            )
            .into());
        }
    }
    Ok(())
}

fn none_left_out() -> Result<(), Failed> {
    let mut paths = BTreeSet::new();
    leaves("", &helm(&["defaults"], "")?, &mut paths);
    let flipped: BTreeSet<String> = FLIPS.iter().map(|(path, ..)| (*path).to_owned()).collect();
    let difference: Vec<&String> = paths.symmetric_difference(&flipped).collect();
    if difference.is_empty() {
        Ok(())
    } else {
        Err(format!("values.yaml and the flips differ in {difference:?}").into())
    }
}

fn leaves(path: &str, value: &Value, paths: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            for (name, value) in fields {
                let path = if path.is_empty() {
                    name.clone()
                } else {
                    format!("{path}.{name}")
                };
                leaves(&path, value, paths);
            }
        }
        _ => {
            paths.insert(path.to_owned());
        }
    }
}

fn notes() -> Result<(), Failed> {
    for (values, warning) in WARNINGS {
        let files = rendered_with(values)?;
        let notes = files.get("templates/NOTES.txt").map_or("", String::as_str);
        if !notes.contains(warning) {
            return Err(format!("with {values} the notes do not say {warning:?}:\n{notes}").into());
        }
    }
    let safe = "{replicas: 2, metrics: {prometheusRule: {enabled: true}}}";
    let files = rendered_with(safe)?;
    match files.get("templates/NOTES.txt") {
        Some(notes) if !notes.contains("WARNING") => Ok(()),
        notes => Err(format!("nothing is off, and the notes warn: {notes:?}").into()),
    }
}
