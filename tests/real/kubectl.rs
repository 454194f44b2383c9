//! Stock kubectl against `punctual up`, through its kubeconfig, as a person has them side by side.

use std::path::PathBuf;
use std::process::Command;

use crate::machine::until;
use crate::up::Up;

/// Where it is: with the other binaries of Kubernetes, or on the path.
pub(crate) fn program() -> PathBuf {
    let assets = std::env::var_os("KUBEBUILDER_ASSETS").map(PathBuf::from);
    let beside = assets
        .map(|folder| folder.join("kubectl"))
        .filter(|path| path.exists());
    beside.unwrap_or_else(|| "kubectl".into())
}

/// Whether this machine has one.
pub(crate) fn is_there() -> bool {
    let asked = Command::new(program()).args(["version", "--client"]).output();
    asked.is_ok_and(|output| output.status.success())
}

/// What a command answers, errors and all.
fn kubectl(up: &Up, line: &str) -> String {
    let output = Command::new(program())
        .args(line.split(' '))
        .env("KUBECONFIG", up.folder.path().join("data/kubeconfig"))
        .env("HOME", up.folder.path())
        .output()
        .unwrap();
    String::from_utf8([output.stdout, output.stderr].concat()).unwrap()
}

/// Asks until the answer is as wanted.
async fn answers(up: &Up, line: &str, wanted: &str) {
    until(|| async {
        let answer = kubectl(up, line);
        if answer == wanted { Ok(()) } else { Err(answer) }.into()
    })
    .await;
}

const MANIFESTS: &str = r#"
apiVersion: batch/v1
kind: Job
metadata: {name: hello}
spec:
  template:
    metadata: {labels: {app: greeter}}
    spec:
      restartPolicy: Never
      containers:
      - {name: main, image: none, command: [sh, -c, "echo one; echo two; echo three"]}
---
apiVersion: batch/v1
kind: Job
metadata: {name: again}
spec:
  template:
    spec:
      restartPolicy: OnFailure
      terminationGracePeriodSeconds: 1
      containers:
      - name: main
        image: none
        command:
        - sh
        - -c
        - if mkdir BEEN_PATH 2>/dev/null; then echo first start; exit 1; else echo second start; exec sleep 600; fi
---
apiVersion: batch/v1
kind: Job
metadata: {name: two}
spec:
  template:
    spec:
      restartPolicy: Never
      initContainers:
      - {name: before, image: none, command: [echo, before]}
      containers:
      - {name: a, image: none, command: [echo, of a]}
      - {name: b, image: none, command: [echo, of b]}
"#;

/// `kubectl logs`, in the ways in which it is used.
pub(crate) async fn logs() {
    let been = tempfile::tempdir().unwrap();
    let been = been.path().join("been");
    let up = Up::start(&MANIFESTS.replace("BEEN_PATH", been.to_str().unwrap()), &[]);
    for job in ["hello", "two"] {
        let ask = format!("get job {job} -o jsonpath={{.status.succeeded}}");
        answers(&up, &ask, "1").await;
    }
    answers(&up, "logs job/again", "second start\n").await;
    let pod = kubectl(
        &up,
        "get pod -l job-name=hello -o jsonpath={.items[0].metadata.name}",
    );
    let session = [
        "logs job/hello",
        "logs -f job/hello",
        "logs job/hello --tail=1",
        "logs job/hello --tail=0",
        "logs job/hello --since=1h --limit-bytes=5",
        "logs -l app=greeter --tail=2",
        "logs -l app=greeter --prefix --tail=1",
        "logs job/again --previous",
        "logs job/hello --previous",
        "logs job/two",
        "logs job/two -c b",
        "logs job/two -c other",
        "logs job/none",
    ];
    let session =
        session.map(|line| format!("$ kubectl {line}\n{}", kubectl(&up, line).replace(&pod, "POD")));
    // The rest of a pod's name is made up.
    let made_up = kubectl(
        &up,
        "get pod -l job-name=two -o jsonpath={.items[0].metadata.name}",
    );
    // With this mistake, newer ones go on to list the containers that there are.
    let session = session.join("\n").replace(&made_up, "POD");
    let session: Vec<&str> = session
        .lines()
        .map(|line| match line.split_once(" out of: ") {
            Some((mistake, _)) if mistake.starts_with("error: ") => mistake,
            _ => line,
        })
        .collect();
    insta::assert_snapshot!(session.join("\n"));

    // kubectl asks for them in an order of its own, another one each time.
    let all = kubectl(&up, "logs job/two --all-containers");
    let mut all: Vec<&str> = all.lines().collect();
    all.sort_unstable();
    assert_eq!(all, ["before", "of a", "of b"]);

    let dated = kubectl(&up, "logs job/hello --timestamps");
    let is_dated = |line: &str| chrono::DateTime::parse_from_rfc3339(line.split(' ').next().unwrap()).is_ok();
    assert!(
        dated.lines().count() == 3 && dated.lines().all(is_dated),
        "{dated}"
    );
}
