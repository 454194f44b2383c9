//! Fields that people put in the wrong place, and what is said of them.

use std::sync::Arc;

use super::*;
use crate::manifest::diagnostic::Severity;
use crate::manifest::report::Reporter;
use crate::manifest::source::Source;
use crate::manifest::yaml;

/// What is said of a CronJob's strays, and the tree that was meant.
fn settled(text: &str) -> (String, serde_json::Value) {
    let source = Arc::new(Source {
        name: "cron.yaml".to_owned(),
        text: text.to_owned(),
    });
    let (documents, mistakes) = yaml::read(&source);
    assert!(mistakes.is_empty(), "{mistakes:?}");
    let mut node = documents[0].clone();
    let root = Schema::named("io.k8s.api.batch.v1.CronJob").unwrap();
    let strays = settle(&mut node, root);
    let reporter = Reporter {
        source: &source,
        node: &documents[0],
        within: &FieldPath::root(),
        subject: "CronJob",
    };
    let told = strays.iter().map(|stray| {
        let told = stray.tell(&reporter, Severity::Error);
        let help = told.help.map(|help| format!("; {help}")).unwrap_or_default();
        format!("{}{help}", told.message)
    });
    (told.collect::<Vec<_>>().join("\n"), node.to_json())
}

/// What is said when `fields`, each `path: value`, are added to a good CronJob.
fn said(fields: &[(&str, &str)]) -> String {
    let mut lines = String::from("{");
    for (path, value) in fields {
        let steps: Vec<&str> = path.split('.').collect();
        let open = steps.join(": {") + ": ";
        lines.push_str(&open);
        lines.push_str(value);
        lines.push_str(&"}".repeat(steps.len() - 1));
        lines.push_str(", ");
    }
    lines.push('}');
    settled(&lines).0
}

#[test]
fn what_was_meant_is_recognised() {
    let pod = "spec.jobTemplate.spec.template.spec";
    let job = "spec.jobTemplate.spec";
    let field = |parent: &str, name: &str, value: &str| said(&[(&format!("{parent}.{name}"), value)]);
    let table = [
        field("spec", "timezone", "Europe/Rome"),
        field("spec", "tz", "Europe/Rome"),
        field("spec", "shedule", "x"),
        field("spec", "restartPolicy", "Never"),
        field("spec", "template", "{spec: {containers: []}}"),
        field("spec", "template", "{spec: {template: {spec: {}}}}"),
        field("spec", "backoffLimit", "3"),
        field("spec", "flavour", "vanilla"),
        field("metadata", "schedule", "x"),
        field(job, "timeZone", "Europe/Rome"),
        field(job, "failedJobsHistoryLimit", "1"),
        field(job, "automountServiceAccountToken", "false"),
        field(job, "containers", "[]"),
        field("spec.jobTemplate", "template", "{spec: {containers: []}}"),
        field("spec.jobTemplate.spec.template", "restartPolicy", "Never"),
        field("spec.jobTemplate.spec.template", "annotations", "{a: b}"),
        field(pod, "imagePullPolicy", "Always"),
        field(pod, "backoffLimit", "3"),
        field(pod, "container", "[]"),
        field(pod, "schedule", "x"),
        field(pod, "volumeMounts", "[]"),
        field(&format!("{pod}.securityContext"), "privileged", "true"),
    ];
    insta::assert_snapshot!(table.join("\n"));
}

#[test]
fn what_stands_beside_its_home_is_told_of_together_and_put_there() {
    let (said, meant) = settled(
        "
spec:
  jobTemplate:
    spec:
      template:
        args: [a]
        restartPolicy: Never
        spec:
          containers:
            - name: main
          image: busybox
          command: [sh]
",
    );
    insta::assert_snapshot!(said);
    let pod = &meant["spec"]["jobTemplate"]["spec"]["template"]["spec"];
    assert_eq!(
        pod.to_string(),
        r#"{"containers":[{"args":["a"],"command":["sh"],"image":"busybox","name":"main"}],"restartPolicy":"Never"}"#
    );
}

#[test]
fn a_missing_level_is_put_in() {
    let (said, meant) = settled(
        "
spec:
  jobTemplate:
    template:
      containers:
        - name: main
          imgae: busybox
    backoffLimit: 2
",
    );
    insta::assert_snapshot!(said);
    assert_eq!(
        meant["spec"]["jobTemplate"].to_string(),
        r#"{"spec":{"backoffLimit":2,"template":{"spec":{"containers":[{"image":"busybox","name":"main"}]}}}}"#
    );
}

#[test]
fn what_could_be_either_and_what_is_there_already_stay_out() {
    let (said, _) = settled(
        "
metadata: {name: report}
spec:
  name: report
  schedule: '@daily'
  jobTemplate:
    spec:
      metadata: {labels: {a: b}}
      template:
        restartPolicy: Never
        spec:
          restartPolicy: OnFailure
          containers: [{name: a, image: b}, {name: c, image: d}]
          env: []
",
    );
    insta::assert_snapshot!(said);
}
