//! How a command finds its way to an API server: the files that say where it is, and the proxies between.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::mpsc;
use std::time::Duration;

use kube::config::Kubeconfig;
use tempfile::TempDir;

use crate::door::Server;
use crate::{command, exit_code, text};

/// A `punctual up` with a kubeconfig that can be changed.
struct Place {
    folder: TempDir,
    server: Server,
}

impl Place {
    fn new() -> Self {
        let folder = TempDir::new().expect("a folder");
        let server = Server::start(&folder.path().join("data"), &[]);
        Place { folder, server }
    }

    /// A copy of its kubeconfig, changed.
    fn kubeconfig(&self, change: impl FnOnce(&mut Kubeconfig)) -> String {
        let mut kubeconfig =
            Kubeconfig::read_from(self.server.folder.join("kubeconfig")).expect("a kubeconfig");
        change(&mut kubeconfig);
        let path = self.folder.path().join("changed");
        std::fs::write(&path, serde_json::to_vec(&kubeconfig).expect("JSON")).expect("a file");
        path.to_str().expect("UTF-8").to_owned()
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }
}

/// What `get` says with these variables.
fn get(arguments: &[&str], variables: &[(&str, &str)]) -> String {
    let output = command(&["get"])
        .args(arguments)
        .envs(variables.iter().copied())
        .output()
        .expect("punctual can be started");
    format!("{} {}", exit_code(&output), text(&output.stderr))
}

/// What it says when it has reached the server.
const REACHED: &str = "0 there is no CronJob that matches\n";

#[test]
fn a_token_may_end_with_its_line() {
    let place = Place::new();
    let token = place.server.folder.join("token");
    let text = std::fs::read_to_string(token).expect("a token");
    let file = place.path().join("token");
    std::fs::write(&file, format!("{}\n", text.trim())).expect("a file");
    let kubeconfig = place.kubeconfig(|kubeconfig| {
        let user = kubeconfig.auth_infos[0].auth_info.as_mut().expect("a user");
        user.token = None;
        user.token_file = Some(file.display().to_string());
    });
    assert_eq!(get(&["--kubeconfig", &kubeconfig], &[]), REACHED);
    place.server.stop();
}

#[test]
fn files_of_the_list_that_are_not_there_are_passed_over() {
    let place = Place::new();
    let list = format!("/nowhere:{}/kubeconfig", place.server.folder.display());
    assert_eq!(get(&[], &[("KUBECONFIG", &list)]), REACHED);
    insta::assert_snapshot!(get(&[], &[("KUBECONFIG", "/nowhere:/nor/here")]));
    place.server.stop();
}

/// The command that starts it is one to paste.
#[test]
fn that_no_up_runs_with_the_folder_is_told_by_every_command() {
    let folder = TempDir::new().expect("a folder");
    let data = folder.path().join("of the shop");
    Server::start(&data, &[]).stop();
    let data = data.to_str().expect("UTF-8");
    let told = |arguments: &[&str]| {
        let output = command(arguments).args(["--data-dir", data]).output();
        let output = output.expect("punctual can be started");
        let folder = folder.path().to_str().expect("UTF-8");
        format!(
            "{} {}",
            exit_code(&output),
            text(&output.stderr).replace(folder, "FOLDER")
        )
    };
    let of_get = told(&["get"]);
    insta::assert_snapshot!(of_get);
    for arguments in [
        &["suspend", "backup"][..],
        &["resume", "backup"],
        &["skip-next", "backup"],
        &["trigger", "backup"],
        &["forecast", "backup"],
        &[
            "backfill",
            "backup",
            "--from",
            "2026-01-01T00:00:00Z",
            "--to",
            "2026-01-02T00:00:00Z",
        ],
    ] {
        assert_eq!(told(arguments), of_get, "{arguments:?}");
    }
    let state = folder.path().to_str().expect("UTF-8");
    insta::assert_snapshot!(get(&["--local"], &[("XDG_STATE_HOME", state)]).replace(state, "FOLDER"));
}

/// Neither what names a proxy nor what excepts from it is read more closely than needed.
#[test]
fn no_proxy_is_asked_for_this_machine() {
    let place = Place::new();
    let folder = place.server.folder.to_str().expect("UTF-8");
    for variables in [
        &[("HTTPS_PROXY", "http://127.0.0.1:9")][..],
        &[("HTTPS_PROXY", "http://a b")],
        &[("HTTPS_PROXY", "http://127.0.0.1:9"), ("NO_PROXY", "localhost,")],
    ] {
        assert_eq!(get(&["--data-dir", folder], variables), REACHED, "{variables:?}");
    }
    place.server.stop();
}

#[test]
fn an_address_of_a_proxy_that_is_none_is_told() {
    let place = Place::new();
    let elsewhere = place.kubeconfig(|kubeconfig| {
        let cluster = kubeconfig.clusters[0].cluster.as_mut().expect("a cluster");
        cluster.server = Some("https://k8s.invalid:6443".to_owned());
    });
    let by_variable = get(&["--kubeconfig", &elsewhere], &[("HTTPS_PROXY", "http://a b")]);
    let named = place.kubeconfig(|kubeconfig| {
        let cluster = kubeconfig.clusters[0].cluster.as_mut().expect("a cluster");
        cluster.proxy_url = Some("http://a b".to_owned());
    });
    let by_cluster = get(&["--kubeconfig", &named], &[]).replace(&named, "FILE");
    insta::assert_snapshot!(format!("{by_variable}{by_cluster}"));
    place.server.stop();
}

/// One that tells whom it leads to. It is not asked about `NO_PROXY`, as in kubectl: that is for the proxies of variables.
#[test]
fn the_proxy_that_a_cluster_names_is_asked() {
    let place = Place::new();
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let proxy = format!("http://{}", listener.local_addr().expect("an address"));
    let mut server = String::new();
    let kubeconfig = place.kubeconfig(|kubeconfig| {
        let cluster = kubeconfig.clusters[0].cluster.as_mut().expect("a cluster");
        cluster.proxy_url = Some(proxy);
        server = cluster.server.clone().expect("an address");
    });
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || {
        for client in listener.incoming() {
            lead(client.expect("a connection"), &tell);
        }
    });
    for variables in [&[][..], &[("NO_PROXY", "127.0.0.1,")]] {
        assert_eq!(get(&["--kubeconfig", &kubeconfig], variables), REACHED);
        let target = told
            .recv_timeout(Duration::from_secs(30))
            .unwrap_or_else(|_| panic!("the proxy was passed by with {variables:?}"));
        assert_eq!(format!("https://{target}"), server.trim_end_matches('/'));
    }
    place.server.stop();
}

/// Leads one client to where it asks for, which is told, until it has gone.
fn lead(mut client: TcpStream, tell: &mpsc::Sender<String>) {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        client.read_exact(&mut byte).expect("a request");
        request.extend(byte);
    }
    let request = String::from_utf8(request).expect("UTF-8");
    let target = request.split(' ').nth(1).expect("a target").to_owned();
    let mut there = TcpStream::connect(&target).expect("the server");
    tell.send(target).expect("the test listens");
    client
        .write_all(b"HTTP/1.1 200 Connected\r\n\r\n")
        .expect("an answer");
    let (mut back_from, mut back_to) = (there.try_clone().expect("one"), client.try_clone().expect("one"));
    std::thread::spawn(move || std::io::copy(&mut back_from, &mut back_to));
    // It ends with the client.
    let _ended = std::io::copy(&mut client, &mut there);
}
