//! What fits a Kubernetes type, and what is noted of what does not.

use std::sync::Arc;

use k8s_openapi::api::batch::v1::CronJob;
use k8s_openapi::api::core::v1::{Container, Probe, ResourceRequirements};

use super::*;
use crate::manifest::source::Source;
use crate::manifest::yaml;

/// Decodes YAML, and writes each misfit as `text at the place: message; help`.
fn decoded<T: for<'de> Deserialize<'de>>(text: &str) -> (Option<T>, Vec<String>) {
    let source = Arc::new(Source {
        name: "cron.yaml".to_owned(),
        text: text.to_owned(),
    });
    let (documents, mistakes) = yaml::read(&source);
    assert!(mistakes.is_empty(), "{mistakes:?}");
    let (value, misfits) = decode(&documents[0], text);
    let line = |misfit: &Misfit| {
        let help = misfit.help.as_deref().unwrap_or("-");
        format!("{} | {} | {}", &text[misfit.span.clone()], misfit.message, help)
    };
    (value, misfits.iter().map(line).collect())
}

#[test]
fn everything_wrong_is_found_in_one_pass() {
    let text = "
spec:
  schedule: 5
  suspend: 'true'
  startingDeadlineSeconds: 1.5
  successfulJobsHistoryLimit: 3000000000
  jobTemplate:
    spec:
      template:
        spec:
          containers:
            - name: [main]
              env: {A: b}
";
    let (cron_job, misfits) = decoded::<CronJob>(text);
    assert!(cron_job.is_some());
    insta::assert_snapshot!(misfits.join("\n"), @"
    5 | `schedule` must be a string, found the number `5` | a schedule has five fields and is quoted: `schedule: \"5 * * * *\"`
    'true' | `suspend` must be `true` or `false`, found the string 'true' | leave out the quotes: `suspend: true`
    1.5 | `startingDeadlineSeconds` must be a whole number, found the number `1.5` | -
    3000000000 | `successfulJobsHistoryLimit` must be at most 2147483647, found the number `3000000000` | -
    [ | `name` must be a string, found a list | -
    A | `env` must be a list, found a mapping | `env` is a list: write each variable as an item, `- name: A` with `value:` below it
    ");
}

/// One row a value that people write for a switch, and what they are told to write.
#[test]
fn a_word_for_a_switch_is_told_as_kubernetes_writes_it() {
    for (written, help) in [
        ("\"Yes\"", "write `suspend: true`"),
        ("'off'", "write `suspend: false`"),
        ("0", "write `suspend: false`"),
        ("\"false\"", "leave out the quotes: `suspend: false`"),
        ("maybe", "-"),
    ] {
        let text = format!("spec:\n  suspend: {written}\n");
        let (_, misfits) = decoded::<CronJob>(&text);
        let [misfit] = &misfits[..] else {
            panic!("{written}: {misfits:?}")
        };
        assert_eq!(misfit.rsplit(" | ").next(), Some(help), "{written}");
    }
}

#[test]
fn a_quantity_is_the_text_of_its_number() {
    let (resources, misfits) =
        decoded::<ResourceRequirements>("limits: {cpu: 0.5, memory: 128Mi, pods: 1_0, hugepages: 0x10}");
    assert_eq!(misfits, Vec::<String>::new());
    let limits = resources.unwrap().limits.unwrap();
    assert_eq!(limits["cpu"].0, "0.5");
    assert_eq!(limits["memory"].0, "128Mi");
}

#[test]
fn a_null_quantity_is_zero() {
    let (resources, misfits) = decoded::<ResourceRequirements>("limits: {memory: ~}\nrequests: {cpu: null}");
    assert_eq!(misfits, Vec::<String>::new());
    let resources = resources.unwrap();
    assert_eq!(resources.limits.unwrap()["memory"].0, "0");
    assert_eq!(resources.requests.unwrap()["cpu"].0, "0");
}

#[test]
fn a_port_is_a_number_or_a_name() {
    let (probe, misfits) = decoded::<Probe>("httpGet: {port: 80, path: /}\ntcpSocket: {port: http}");
    assert_eq!(misfits, Vec::<String>::new());
    assert!(probe.is_some());
    let (_, misfits) = decoded::<Probe>("httpGet: {port: [80]}");
    assert_eq!(
        misfits,
        ["[ | `port` must be a number or a string, found a list | -"]
    );
}

#[test]
fn null_is_as_good_as_nothing() {
    let (container, misfits) = decoded::<Container>("name: ~\nimage:\nenv: null\ncommand: [null, a]");
    assert_eq!(misfits, Vec::<String>::new());
    assert_eq!(container.unwrap().command.unwrap(), ["", "a"]);
}

#[test]
fn a_time_is_checked_by_its_own_type() {
    let (_, misfits) = decoded::<CronJob>("metadata: {creationTimestamp: yesterday}");
    assert_eq!(misfits.len(), 1);
    assert!(
        misfits[0].starts_with("yesterday | `creationTimestamp`: "),
        "{misfits:?}"
    );
}
