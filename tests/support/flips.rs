//! Every value of the chart, set to something else once: rendered by `tests/chart`, taken in by a real server in
//! `tests/kubernetes`.

use serde_json::json;

/// A value, something else for it in JSON, the file that it changes, and what is in that file then. After a `!` stands what is
/// not in it any more; nothing, where there is no such file any more.
pub(crate) type Flip = (&'static str, &'static str, &'static str, &'static str);

#[rustfmt::skip]
pub(crate) const FLIPS: &[Flip] = &[
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
    ("leaseDurationSeconds", "15", "deployment", "- --lease-duration=15s"),
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
    ("resources.requests.memory", r#""100Mi""#, "deployment", "memory: 100Mi"),
    ("resources.limits.memory", r#""4Gi""#, "deployment", "memory: 4Gi"),
    ("priorityClassName", r#""high""#, "deployment", "priorityClassName: high"),
    ("terminationGracePeriodSeconds", "7", "deployment", "terminationGracePeriodSeconds: 7"),
    ("runAsUser", "null", "deployment", "!65532"),
    ("podAntiAffinity", r#""hard""#, "deployment", "requiredDuringSchedulingIgnoredDuringExecution"),
    ("affinity", r#"{"nodeAffinity": {}}"#, "deployment", "affinity:\n        nodeAffinity: {}"),
    ("topologySpreadConstraints", r#"[{"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "ScheduleAnyway"}]"#, "deployment", "topologySpreadConstraints:\n        - maxSkew: 1"),
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

/// The chart's values with one of them changed. What it belongs to is switched on.
pub(crate) fn flipped(path: &str, value: &str) -> String {
    let mut values = json!({});
    if !path.ends_with(".enabled") {
        let on = json!({ "enabled": true });
        let metrics = json!({ "serviceMonitor": on, "prometheusRule": on, "dashboard": on });
        values = json!({ "networkPolicy": on, "admissionPolicy": on, "metrics": metrics });
    }
    // Indexing makes what is not there.
    let place = path.split('.').fold(&mut values, |place, name| &mut place[name]);
    *place = serde_json::from_str(value).expect("JSON");
    if path == "extraVolumeMounts" {
        values["extraVolumes"] = json!([{ "name": "tz", "emptyDir": {} }]);
    }
    values.to_string()
}
