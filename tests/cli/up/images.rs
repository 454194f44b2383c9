//! Pods that rely on an image, or ask for a runtime.

use insta::assert_snapshot;

use super::{IMAGE_ONLY, Manifest, events};
use crate::{exit_code, punctual, text};

#[test]
fn a_container_without_a_command_says_what_to_do() {
    let manifest = "
apiVersion: batch/v1
kind: Job
metadata: {name: image-only}
spec:
  backoffLimit: 0
  template:
    spec:
      restartPolicy: Never
      containers: [{name: main, image: alpine}]
";
    let (all, code) = Manifest::new(manifest).run_for("2s");
    assert_eq!(code, 0);
    let not_started = events(&all, "notStarted");
    assert_snapshot!(format!(
        "{}: {}",
        not_started[0]["reason"], not_started[0]["message"]
    ));
    assert_eq!(events(&all, "jobFailed").len(), 1);
}

#[test]
fn a_command_of_this_machine_stands_for_an_image() {
    let manifest = Manifest::new(IMAGE_ONLY);
    let path = manifest.path();
    let path = path.to_str().expect("UTF-8");
    let entrypoint = "greeter=echo 'hello,  you'";
    let output = punctual(&[
        "up",
        path,
        "--for",
        "2s",
        "-o",
        "json",
        "--ephemeral",
        "--entrypoint",
        entrypoint,
    ]);
    let shown = text(&output.stdout);
    assert!(shown.contains(r#""line":"hello,  you from the pod""#), "{shown}");
    let refused = punctual(&["up", path, "--entrypoint", "greeter"]);
    assert_eq!(exit_code(&refused), 2);
    assert_snapshot!(text(&refused.stderr));
}

#[test]
fn without_a_container_engine_it_says_what_to_do() {
    let manifest = Manifest::new(IMAGE_ONLY);
    let engine = ["--ephemeral", "--container-engine", "/nowhere/engine.sock"];
    let path = manifest.path();
    let mut arguments = vec!["up", path.to_str().expect("UTF-8"), "--runtime", "container"];
    arguments.extend(engine);
    let refused = punctual(&arguments);
    assert_eq!(exit_code(&refused), 1);
    assert_snapshot!(text(&refused.stderr));

    // One pod alone waits, as it does for an image that can't be pulled.
    let annotated = IMAGE_ONLY.replace(
        "annotations: {}",
        "annotations: {punctual.dev/runtime: container}",
    );
    let manifest = Manifest::new(&annotated);
    let path = manifest.path();
    let mut arguments = vec!["up", path.to_str().expect("UTF-8"), "--for", "4s", "-o", "json"];
    arguments.extend(engine);
    let output = punctual(&arguments);
    assert_eq!(exit_code(&output), 0);
    assert!(
        text(&output.stdout).contains(r#""reason":"CreateContainerError""#),
        "{}",
        text(&output.stdout)
    );
}

#[test]
fn a_runtime_that_there_is_not_is_refused_where_it_is_written() {
    let annotated = IMAGE_ONLY.replace("annotations: {}", "annotations: {punctual.dev/runtime: docker}");
    let manifest = Manifest::new(&annotated);
    let path = manifest.path();
    let path = path.to_str().expect("UTF-8");
    let refused = punctual(&["up", path, "--for", "2s", "--ephemeral"]);
    assert_eq!(exit_code(&refused), 3);
    assert_snapshot!(text(&refused.stderr).replace(path, "cron.yaml"));
}
