//! The controller as its users run it: a process, whose memory and time on a processor the kernel tells.

use std::net::TcpListener;
use std::process::Command;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep};

use crate::control_plane::{ControlPlane, Guarded};
use crate::kernel;

/// How long it may take to list everything.
const START_TIME: Duration = Duration::from_mins(2);

/// A running `punctual controller`. Dropped, it is killed.
pub(crate) struct Punctual {
    process: Guarded,
}

impl Punctual {
    /// Starts it in charge of everything, and waits until it is ready.
    pub(crate) async fn start(control_plane: &ControlPlane) -> Self {
        let port = free_port();
        let mut command = Command::new(env!("CARGO_BIN_EXE_punctual"));
        command
            .arg("controller")
            .arg("--kubeconfig")
            .arg(control_plane.kubeconfig())
            .args(["--lease-namespace", "default"])
            // Each process of a benchmark is alone, and does not wait for the lease of one that was killed.
            .args(["--lease-name", &format!("bench-{port}")])
            .args(["--metrics-listen", &format!("127.0.0.1:{port}")]);
        let log = std::env::temp_dir().join(format!("punctual-bench-{port}.log"));
        let punctual = Punctual {
            process: Guarded::spawn(&command, &log, None),
        };
        let deadline = Instant::now() + START_TIME;
        while !is_ready(port).await {
            assert!(
                Instant::now() < deadline && !punctual.process.has_ended(),
                "the controller is not ready:\n{}",
                punctual.process.log()
            );
            sleep(Duration::from_millis(100)).await;
        }
        punctual
    }

    /// Waits until it has next to nothing to do any more.
    pub(crate) async fn until_quiet(&self) {
        while self.processor_share(Duration::from_secs(2)).await > 0.02 {}
    }

    /// Memory that it holds now, in megabytes.
    pub(crate) fn resident_mb(&self) -> f64 {
        kernel::memory_mb(self.process.pid(), "VmRSS:")
    }

    /// The most that it ever held.
    pub(crate) fn most_resident_mb(&self) -> f64 {
        kernel::memory_mb(self.process.pid(), "VmHWM:")
    }

    /// The share of one core that it takes over a time.
    pub(crate) async fn processor_share(&self, time: Duration) -> f64 {
        let (start, before) = (Instant::now(), self.processor_seconds());
        sleep(time).await;
        (self.processor_seconds() - before) / start.elapsed().as_secs_f64()
    }

    fn processor_seconds(&self) -> f64 {
        kernel::processor_seconds(self.process.pid())
    }
}

async fn is_ready(port: u16) -> bool {
    let ask = async {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
        stream
            .write_all(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            .await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        std::io::Result::Ok(answer.starts_with("HTTP/1.1 200"))
    };
    ask.await.unwrap_or(false)
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("an address").port()
}
