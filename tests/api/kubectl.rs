//! Stock kubectl against the embedded API, over plain HTTP on loopback: a session as people have it.
//!
//! Shown as ignored where there is no kubectl. Only what does not depend on its version is compared.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use punctual::clock::SystemClock;
use punctual::schedule::TimeZones;
use punctual::standalone::api::Api;
use punctual::standalone::store::MemoryStore;

/// Whether this machine has one.
pub(crate) fn is_there() -> bool {
    Command::new("kubectl")
        .args(["version", "--client"])
        .output()
        .is_ok_and(|output| output.status.success())
}

/// A manifest as people write it.
const MANIFEST: &str = r#"
apiVersion: batch/v1
kind: CronJob
metadata:
  name: hello
spec:
  schedule: "*/5 * * * *"
  jobTemplate:
    spec:
      template:
        spec:
          restartPolicy: OnFailure
          containers:
          - name: hello
            image: busybox
            command: ["echo", "hello"]
"#;

/// The same, changed: another schedule, and one more container before the first.
const CHANGED: &str = r#"
apiVersion: batch/v1
kind: CronJob
metadata:
  name: hello
spec:
  schedule: "0 * * * *"
  jobTemplate:
    spec:
      template:
        spec:
          restartPolicy: OnFailure
          containers:
          - name: first
            image: busybox
            command: ["true"]
          - name: hello
            image: busybox
            command: ["echo", "hello"]
"#;

/// What `explain` says of a field.
const EXPLAINED: &str = r"GROUP:      batch
KIND:       CronJob
VERSION:    v1

FIELD: timeZone <string>


DESCRIPTION:
    The time zone name for the given schedule, see
    https://en.wikipedia.org/wiki/List_of_tz_database_time_zones. If not
    specified, this will default to the time zone of the kube-controller-manager
    process. The set of valid time zone names and the time zone offset is loaded
    from the system-wide time zone database by the API server during CronJob
    validation and the controller manager during execution. If no system-wide
    time zone database can be found a bundled version of the database is used
    instead. If the time zone name becomes invalid during the lifetime of a
    CronJob or due to a change in host configuration, the controller will stop
    creating new new Jobs and will create a system event with the reason
    UnknownTimeZone. More information can be found in
    https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/#time-zones
    

";

/// What is typed, what is on standard input, and what is answered.
const SESSION: &[(&str, &str, &str)] = &[
    (
        "get namespaces -o name",
        "",
        "namespace/default\nnamespace/kube-system\n",
    ),
    (
        "api-resources --api-group=batch -o name",
        "",
        "cronjobs.batch\njobs.batch\n",
    ),
    ("apply -f -", MANIFEST, "cronjob.batch/hello created\n"),
    (
        "get cj --no-headers -o wide",
        "",
        "hello   */5 * * * *   <none>   False   0     <none>   0s    hello   busybox   <none>\n",
    ),
    (
        "create job manual --from=cronjob/hello",
        "",
        "job.batch/manual created\n",
    ),
    (
        "get job manual -o jsonpath={.spec.template.spec.containers[0].command}/{.metadata.ownerReferences[0].name}",
        "",
        "[\"echo\",\"hello\"]/hello",
    ),
    ("delete job manual", "", "job.batch \"manual\" deleted\n"),
    (
        "create cronjob nightly --image=busybox --schedule=@daily -- true",
        "",
        "cronjob.batch/nightly created\n",
    ),
    ("get cj nightly -o jsonpath={..command}", "", "[\"true\"]"),
    ("delete cj nightly", "", "cronjob.batch \"nightly\" deleted\n"),
    ("create namespace team", "", "namespace/team created\n"),
    (
        "create configmap words -n team --from-literal=a=b",
        "",
        "configmap/words created\n",
    ),
    (
        "create secret generic key -n team --from-literal=a=b",
        "",
        "secret/key created\n",
    ),
    (
        "create serviceaccount robot -n team",
        "",
        "serviceaccount/robot created\n",
    ),
    ("get secret key -n team -o jsonpath={.data.a}", "", "Yg=="),
    ("get cm words -n team --no-headers", "", "words   1     0s\n"),
    ("auth can-i create pods", "", "yes\n"),
    ("auth whoami -o jsonpath={.status.userInfo.username}", "", "owner"),
    ("explain cronjob.spec.timeZone --output=plaintext", "", EXPLAINED),
    ("apply -f -", MANIFEST, "cronjob.batch/hello unchanged\n"),
    (
        "apply -f - --dry-run=server",
        CHANGED,
        "cronjob.batch/hello configured (server dry run)\n",
    ),
    ("apply -f -", CHANGED, "cronjob.batch/hello configured\n"),
    ("get cj hello -o jsonpath={.spec.schedule}", "", "0 * * * *"),
    (
        "get cj hello -o jsonpath={..containers[*].name}",
        "",
        "first hello",
    ),
    (
        "create -f -",
        MANIFEST,
        "Error from server (AlreadyExists): error when creating \"STDIN\": cronjobs.batch \"hello\" already exists\n",
    ),
    ("label cronjob hello team=a", "", "cronjob.batch/hello labeled\n"),
    (
        "annotate cronjob hello note=b",
        "",
        "cronjob.batch/hello annotated\n",
    ),
    ("get cj -l team=a -o name", "", "cronjob.batch/hello\n"),
    ("get cj -A --field-selector metadata.name=other -o name", "", ""),
    (
        "patch cj hello -p {\"spec\":{\"suspend\":true}}",
        "",
        "cronjob.batch/hello patched\n",
    ),
    (
        "patch cj hello --type merge -p {\"spec\":{\"suspend\":false}}",
        "",
        "cronjob.batch/hello patched\n",
    ),
    (
        "patch cj hello --type json -p [{\"op\":\"remove\",\"path\":\"/metadata/labels/team\"}]",
        "",
        "cronjob.batch/hello patched\n",
    ),
    (
        "set image cj/hello hello=alpine",
        "",
        "cronjob.batch/hello image updated\n",
    ),
    ("get cj hello -o jsonpath={..containers[1].image}", "", "alpine"),
    ("replace -f -", MANIFEST, "cronjob.batch/hello replaced\n"),
    (
        "run oneshot --image=busybox --restart=Never --command -- true",
        "",
        "pod/oneshot created\n",
    ),
    ("delete pod oneshot", "", "pod \"oneshot\" deleted\n"),
    (
        "get cj none",
        "",
        "Error from server (NotFound): cronjobs.batch \"none\" not found\n",
    ),
    (
        "delete cj hello --cascade=foreground",
        "",
        "cronjob.batch \"hello\" deleted\n",
    ),
    ("get cronjobs,jobs,pods -o name", "", ""),
];

/// Has the whole session.
pub(crate) async fn session() {
    let store = Arc::new(MemoryStore::new());
    let zones = Arc::new(TimeZones::built_in());
    let api = Api::start(store, SystemClock::shared(), zones)
        .await
        .expect("the API starts");
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a free port");
    let server = format!("http://{}", listener.local_addr().expect("an address"));
    let serving = tokio::spawn(async move { axum::serve(listener, api.router()).await });
    let home = tempfile::tempdir().expect("a folder for kubectl's cache");
    for (line, input, expected) in SESSION {
        let (home, server) = (home.path().to_owned(), server.clone());
        let answer = tokio::task::spawn_blocking(move || kubectl(&home, &server, line, input));
        let answer = answer.await.expect("kubectl runs");
        // Newer versions say in which namespace they delete.
        assert_eq!(
            without_age(&answer.replace(" from default namespace", "")),
            *expected,
            "kubectl {line}"
        );
    }
    serving.abort();
}

/// The answer of a slow machine as that of a quick one, as long as it takes less than ten seconds.
fn without_age(answer: &str) -> String {
    (1..10).fold(answer.to_owned(), |answer, seconds| {
        answer.replace(&format!(" {seconds}s"), " 0s")
    })
}

/// One command, and what it writes.
fn kubectl(home: &Path, server: &str, line: &str, input: &str) -> String {
    let words = if let Some((options, patch)) = line.split_once(" -p ") {
        options.split(' ').chain(["-p", patch]).collect::<Vec<_>>()
    } else {
        line.split(' ').collect()
    };
    let mut child = Command::new("kubectl")
        .args(["--server", server, "--cache-dir"])
        .arg(home)
        .args(words)
        .env("KUBECONFIG", "/dev/null")
        .env("HOME", home)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("kubectl starts");
    child
        .stdin
        .take()
        .expect("a pipe")
        .write_all(input.as_bytes())
        .expect("kubectl reads");
    let output = child.wait_with_output().expect("kubectl ends");
    let text = [output.stdout, output.stderr].concat();
    String::from_utf8(text).expect("kubectl writes text")
}
