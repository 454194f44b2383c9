//! The work queue of `fixtures/patterns`, with its items in a Redis of the test's own.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

use k8s_openapi::api::batch::v1::Job;
use kube::api::PostParams;
use punctual::manifest::load_bytes;
use punctual::schedule::TimeZones;
use serde_json::json;
use tempfile::TempDir;

use crate::machine::{Machine, holds, until};

/// A Redis on a free port of loopback, with a folder of its own; it ends with the test, however that ends.
struct Redis {
    server: Child,
    port: u16,
    _folder: TempDir,
}

impl Redis {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        // Free now; whoever takes it before Redis does makes this test fail, and no other.
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let server = Command::new("redis-server")
            .args([
                "--bind",
                "127.0.0.1",
                "--save",
                "",
                "--appendonly",
                "no",
                "--daemonize",
                "no",
            ])
            .args(["--port", &port.to_string()])
            .arg("--dir")
            .arg(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let redis = Self {
            server,
            port,
            _folder: folder,
        };
        until(|| async {
            let answer = redis.ask(&["PING"]);
            if answer == "PONG" { Ok(()) } else { Err(answer) }.into()
        })
        .await;
        redis
    }

    fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    fn ask(&self, words: &[&str]) -> String {
        let output = Command::new("redis-cli")
            .args(["-u", &self.url()])
            .args(words)
            .output();
        String::from_utf8(output.unwrap().stdout)
            .unwrap()
            .trim_end()
            .to_owned()
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ended_already = self.server.kill();
        let _its_end = self.server.wait();
    }
}

pub(crate) async fn a_work_queue() {
    let redis = Redis::start().await;
    let items: Vec<String> = (0..40).map(|item| format!("item-{item:02}")).collect();
    let mut push = vec!["RPUSH", "work"];
    push.extend(items.iter().map(String::as_str));
    assert_eq!(redis.ask(&push), "40");

    let machine = Machine::start().await;
    let text = include_str!("../../fixtures/patterns/work-queue.yaml");
    let loaded = load_bytes([("work-queue.yaml", text.as_bytes())], &TimeZones::built_in());
    assert!(loaded.diagnostics.is_empty(), "{:?}", loaded.diagnostics);
    let mut manifest = loaded.objects.into_iter().next().unwrap().json;
    let url = "/spec/template/spec/containers/0/env/0/value";
    *manifest.pointer_mut(url).expect("the address of the Redis") = json!(redis.url());
    let job: Job = serde_json::from_value(manifest).unwrap();
    machine.jobs().create(&PostParams::default(), &job).await.unwrap();

    let status = until(|| async {
        let status = machine
            .jobs()
            .get("work-queue")
            .await
            .unwrap()
            .status
            .unwrap_or_default();
        let ended = holds(&status, "Complete") || holds(&status, "Failed");
        if ended { Ok(status) } else { Err(status) }.into()
    })
    .await;
    assert!(holds(&status, "Complete"), "{status:?}");
    assert_eq!((status.failed, status.active), (None, None));
    assert!(
        (1..=3).contains(&status.succeeded.unwrap_or_default()),
        "{status:?}"
    );

    let done = redis.ask(&["LRANGE", "done", "0", "-1"]);
    let mut done: Vec<&str> = done
        .lines()
        .filter_map(|line| line.split(" by ").next())
        .collect();
    done.sort_unstable();
    assert_eq!(done, items, "each item once");
    assert_eq!(redis.ask(&["LLEN", "work"]), "0");
    assert_eq!(redis.ask(&["LLEN", "taken"]), "0");
}
