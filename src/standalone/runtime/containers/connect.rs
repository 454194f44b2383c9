//! Where the container engine is.
//!
//! Docker and Podman both serve the Docker API on a socket. Whoever names one, by `--container-engine` or by the
//! variables that the engines' own commands read, gets that one and no other.

use std::sync::OnceLock;
use std::time::Duration;

use bollard::errors::Error as ApiError;
use bollard::models::SystemVersion;
use bollard::{API_DEFAULT_VERSION, Docker};
use thiserror::Error;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::telemetry::chain;

/// How the address of a socket of this machine begins.
const LOCAL: &str = "unix://";

/// How long an engine may take to say that it is there.
const HELLO_SECONDS: u64 = 10;

/// How long an engine may take to answer a request. Waits for the end of a container are asked again and again.
const ANSWER: Duration = Duration::from_mins(2);

/// The first version of Podman that tells of a container that ran out of memory. Those before looked in the wrong place for
/// what they were told of it.
const PODMAN_TELLS_OF_MEMORY: u32 = 5;

/// No engine answers.
#[derive(Debug, Clone, Error)]
pub enum NoEngine {
    /// None is there.
    #[error(
        "no container engine answers ({tried}); start Docker, or Podman's service (`systemctl start podman.socket`, or `podman system service --time 0`), or name the engine's socket by `--container-engine unix:///…` or DOCKER_HOST"
    )]
    None {
        /// The addresses that were tried, each with what came of it.
        tried: String,
    },
    /// One is there, and says nothing.
    #[error(
        "the container engine at {address} is there and did not answer within {HELLO_SECONDS} s: it is busy, or it hangs; wait for it, or restart it (`systemctl restart docker`, or `podman`)"
    )]
    Silent {
        /// Where it is.
        address: String,
    },
}

/// The addresses to try, in this order. `variable` tells the environment.
fn candidates(asked: Option<&str>, variable: impl Fn(&str) -> Option<String>) -> Vec<String> {
    let set = |name| variable(name).filter(|value| !value.is_empty());
    let named = asked
        .map(str::to_owned)
        .or_else(|| set("DOCKER_HOST"))
        .or_else(|| set("CONTAINER_HOST"));
    if let Some(named) = named {
        return vec![if named.starts_with('/') {
            format!("{LOCAL}{named}")
        } else {
            named
        }];
    }
    let of_user = set("XDG_RUNTIME_DIR").map(|folder| {
        [
            format!("{folder}/docker.sock"),
            format!("{folder}/podman/podman.sock"),
        ]
    });
    let [docker, podman] = of_user.map_or([None, None], |paths| paths.map(Some));
    let desktop = set("HOME").map(|home| format!("{home}/.docker/run/docker.sock"));
    let sockets = [
        Some("/var/run/docker.sock".to_owned()),
        docker,
        desktop,
        podman,
        Some("/run/podman/podman.sock".to_owned()),
    ];
    let sockets = sockets.into_iter().flatten();
    sockets.map(|path| format!("{LOCAL}{path}")).collect()
}

/// An engine that has answered.
#[derive(Debug, Clone)]
pub(super) struct Reached {
    pub(super) docker: Docker,
    /// Where.
    pub(super) address: String,
    /// Whether it tells of a container that it ran out of memory.
    pub(super) tells_of_memory: bool,
}

impl Reached {
    /// Whether it listens at a socket of this machine.
    pub(super) fn is_here(&self) -> bool {
        self.address.starts_with(LOCAL)
    }

    /// That it does not answer any more, if that is so.
    pub(super) async fn is_gone(&self) -> Option<NoEngine> {
        connect(std::slice::from_ref(&self.address)).await.err()
    }
}

/// The engine that answers, looked for when it is first needed.
#[derive(Debug)]
pub(super) struct Search {
    candidates: Vec<String>,
    found: OnceLock<Reached>,
    /// When the last search that found none was over, and why it did not; held by whoever searches.
    failed: Mutex<Option<(Instant, NoEngine)>>,
}

impl Search {
    pub(super) fn new(candidates: Vec<String>) -> Self {
        Self {
            candidates,
            found: OnceLock::new(),
            failed: Mutex::default(),
        }
    }

    /// The engine, if it was found before.
    pub(super) fn found(&self) -> Option<&Reached> {
        self.found.get()
    }

    /// The engine, and whether it is found only now. Who comes while somebody searches shares what comes of that: an engine
    /// that takes connections and never answers would hold up each for its own time after the other.
    pub(super) async fn engine(&self) -> Result<(&Reached, bool), NoEngine> {
        if let Some(reached) = self.found() {
            return Ok((reached, false));
        }
        let asked = Instant::now();
        let mut failed = self.failed.lock().await;
        if let Some(reached) = self.found() {
            return Ok((reached, false));
        }
        if let Some((over, why)) = &*failed
            && *over > asked
        {
            return Err(why.clone());
        }
        match connect(&self.candidates).await {
            Ok(reached) => Ok((self.found.get_or_init(|| reached), true)),
            Err(why) => {
                *failed = Some((Instant::now(), why.clone()));
                Err(why)
            }
        }
    }
}

/// Connects to the first engine that answers.
pub(super) async fn connect(candidates: &[String]) -> Result<Reached, NoEngine> {
    let mut tried = Vec::new();
    let mut silent = None;
    for address in candidates {
        match hello(address).await {
            Ok(reached) => return Ok(reached),
            Err(ApiError::RequestTimeoutError) => silent = silent.or(Some(address)),
            Err(error) => tried.push(format!("{address}: {}", chain(&error))),
        }
    }
    Err(match silent {
        Some(address) => NoEngine::Silent {
            address: address.clone(),
        },
        None => NoEngine::None {
            tried: tried.join("; "),
        },
    })
}

/// Whether the engine answers that containers will be run by.
///
/// # Errors
///
/// When none does, with the addresses that were tried.
pub async fn reach_engine(asked: Option<&str>) -> Result<(), NoEngine> {
    connect(&candidates_here(asked)).await.map(drop)
}

/// The version of the engine, if one answers.
pub(in crate::standalone::runtime) async fn version(asked: Option<&str>) -> Option<String> {
    let engine = connect(&candidates_here(asked)).await.ok()?;
    engine.docker.version().await.ok()?.version
}

/// The addresses to try on this machine.
pub(super) fn candidates_here(asked: Option<&str>) -> Vec<String> {
    candidates(asked, |name| std::env::var(name).ok())
}

async fn hello(address: &str) -> Result<Reached, ApiError> {
    let engine = if address.starts_with(LOCAL) {
        Docker::connect_with_unix(address, HELLO_SECONDS, API_DEFAULT_VERSION)?
    } else {
        Docker::connect_with_host(address)?.with_timeout(Duration::from_secs(HELLO_SECONDS))
    };
    // An older engine refuses requests of a newer version.
    let engine = engine.negotiate_version().await?;
    let version = engine.version().await?;
    Ok(Reached {
        docker: engine.with_timeout(ANSWER),
        address: address.to_owned(),
        tells_of_memory: tells_of_memory(&version),
    })
}

/// Whether an engine of this version tells of a container that it ran out of memory.
fn tells_of_memory(version: &SystemVersion) -> bool {
    let mut parts = version.components.iter().flatten();
    let Some(podman) = parts.find(|part| part.name == "Podman Engine") else {
        return true;
    };
    let major = podman
        .version
        .split('.')
        .next()
        .and_then(|major| major.parse().ok());
    major.is_none_or(|major: u32| major >= PODMAN_TELLS_OF_MEMORY)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::os::unix::net::UnixListener;

    use serde_json::json;

    use super::*;

    fn tried(asked: Option<&str>, variables: &[(&str, &str)]) -> String {
        let variable = |name: &str| {
            let mut variables = variables.iter();
            variables
                .find(|(known, _)| *known == name)
                .map(|(_, value)| (*value).to_owned())
        };
        candidates(asked, variable).join("\n")
    }

    #[test]
    fn what_is_named_is_the_only_one_tried() {
        let docker = ("DOCKER_HOST", "tcp://127.0.0.1:2375");
        assert_eq!(tried(Some("/run/mine.sock"), &[docker]), "unix:///run/mine.sock");
        assert_eq!(tried(None, &[docker]), "tcp://127.0.0.1:2375");
        let podman = ("CONTAINER_HOST", "unix:///run/p.sock");
        assert_eq!(tried(None, &[podman, ("DOCKER_HOST", "")]), "unix:///run/p.sock");
    }

    #[test]
    fn else_the_usual_sockets_are() {
        let user = [("XDG_RUNTIME_DIR", "/run/user/1000"), ("HOME", "/home/ada")];
        insta::assert_snapshot!(tried(None, &user), @r"
            unix:///var/run/docker.sock
            unix:///run/user/1000/docker.sock
            unix:///home/ada/.docker/run/docker.sock
            unix:///run/user/1000/podman/podman.sock
            unix:///run/podman/podman.sock
            ");
        insta::assert_snapshot!(tried(None, &[]), @r"
            unix:///var/run/docker.sock
            unix:///run/podman/podman.sock
            ");
    }

    #[test]
    fn podman_tells_of_memory_since_its_fifth_version() {
        for (name, version, tells) in [
            ("Podman Engine", "4.3.1", false),
            ("Podman Engine", "4.9.4-rhel", false),
            ("Podman Engine", "5.0.0", true),
            ("Podman Engine", "10.1", true),
            ("Engine", "4.3.1", true),
        ] {
            let conmon = json!({"Name": "Conmon", "Version": "conmon version 2.1.6, commit: unknown"});
            let parts = json!({"Components": [conmon, {"Name": name, "Version": version}]});
            let of = |told| tells_of_memory(&serde_json::from_value(told).unwrap());
            assert_eq!(of(parts), tells, "{name} {version}");
            assert!(of(json!({})));
        }
    }

    #[tokio::test]
    async fn the_error_names_what_was_tried_and_what_to_do() {
        let candidates = ["unix:///nowhere/docker.sock".to_owned(), "ssh://host".to_owned()];
        let error = connect(&candidates).await.map(drop).unwrap_err();
        insta::assert_snapshot!(error, @"no container engine answers (unix:///nowhere/docker.sock: Socket not found: /nowhere/docker.sock; ssh://host: URI scheme is not supported: ssh://host); start Docker, or Podman's service (`systemctl start podman.socket`, or `podman system service --time 0`), or name the engine's socket by `--container-engine unix:///…` or DOCKER_HOST");
    }
    /// Each search of the seconds it takes is one connection.
    #[tokio::test(start_paused = true)]
    async fn an_engine_that_never_answers_is_asked_once_for_all_who_wait() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("engine.sock");
        let silent = UnixListener::bind(&path).unwrap();
        silent.set_nonblocking(true).unwrap();
        let connections = || std::iter::from_fn(|| silent.accept().ok()).count();
        let search = Search::new(candidates_here(path.to_str()));
        for _ in 0..2 {
            let waiting = (0..5).map(|_| search.engine());
            let answers = futures::future::join_all(waiting).await;
            let told = answers
                .into_iter()
                .map(|answer| answer.map(drop).unwrap_err().to_string());
            let told: BTreeSet<String> = told.collect();
            let told: Vec<String> = told.into_iter().collect();
            let told = told
                .join("\n")
                .replace(&path.display().to_string(), "/engine.sock");
            insta::allow_duplicates! {
                insta::assert_snapshot!(told, @"the container engine at unix:///engine.sock is there and did not answer within 10 s: it is busy, or it hangs; wait for it, or restart it (`systemctl restart docker`, or `podman`)");
            }
            assert_eq!(connections(), 1);
        }
    }
}
