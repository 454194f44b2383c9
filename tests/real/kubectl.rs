//! Stock kubectl against `punctual up`, through its kubeconfig, as a person has them side by side.

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use crate::machine::until;

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

/// A `punctual up` with these manifests; it ends with the test, however that ends.
struct Up {
    child: Child,
    folder: TempDir,
}

impl Up {
    fn start(manifests: &str) -> Up {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("manifests.yaml");
        std::fs::write(&file, manifests).unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_punctual"))
            .args(["up", "--data-dir"])
            .arg(folder.path().join("data"))
            .arg(file)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        // The first line comes when the kubeconfig is there.
        output.read_line(&mut String::new()).unwrap();
        std::thread::spawn(move || std::io::copy(&mut output, &mut std::io::sink()));
        Up { child, folder }
    }

    /// What a command answers, errors and all.
    fn kubectl(&self, line: &str) -> String {
        let output = Command::new(program())
            .args(line.split(' '))
            .env("KUBECONFIG", self.folder.path().join("data/kubeconfig"))
            .env("HOME", self.folder.path())
            .output()
            .unwrap();
        String::from_utf8([output.stdout, output.stderr].concat()).unwrap()
    }

    /// Asks until the answer is as wanted.
    async fn answers(&self, line: &str, wanted: &str) {
        until(|| async {
            let answer = self.kubectl(line);
            if answer == wanted { Ok(()) } else { Err(answer) }.into()
        })
        .await;
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        // Twice: the second one ends what still runs.
        for _ in 0..2 {
            let _told = Command::new("kill")
                .args(["-INT", &self.child.id().to_string()])
                .status();
            std::thread::sleep(std::time::Duration::from_millis(200));
        }
        let _its_end = self.child.wait();
    }
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
    let up = Up::start(&MANIFESTS.replace("BEEN_PATH", been.to_str().unwrap()));
    for job in ["hello", "two"] {
        let ask = format!("get job {job} -o jsonpath={{.status.succeeded}}");
        up.answers(&ask, "1").await;
    }
    up.answers("logs job/again", "second start\n").await;
    let pod = up.kubectl("get pod -l job-name=hello -o jsonpath={.items[0].metadata.name}");
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
        "logs job/two --all-containers",
        "logs job/none",
    ];
    let session = session.map(|line| format!("$ kubectl {line}\n{}", up.kubectl(line).replace(&pod, "POD")));
    // The rest of a pod's name is made up.
    let made_up = up.kubectl("get pod -l job-name=two -o jsonpath={.items[0].metadata.name}");
    insta::assert_snapshot!(session.join("\n").replace(&made_up, "POD"));

    let dated = up.kubectl("logs job/hello --timestamps");
    let is_dated = |line: &str| chrono::DateTime::parse_from_rfc3339(line.split(' ').next().unwrap()).is_ok();
    assert!(
        dated.lines().count() == 3 && dated.lines().all(is_dated),
        "{dated}"
    );
}
