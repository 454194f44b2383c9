//! Who is let in, and who is not: over real connections, with clients of all sorts.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use futures::stream;
use http::HeaderMap;
use insta::assert_snapshot;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use super::*;
use crate::clock::SystemClock;

/// A door on a free port, with an API behind it that says `inside`, and a stream that never ends.
struct World {
    data: DataDir,
    address: SocketAddr,
    authority: String,
    stop: watch::Sender<bool>,
    serving: JoinHandle<()>,
    _folder: TempDir,
}

async fn world() -> World {
    world_within(Limits::default()).await
}

async fn world_within(limits: Limits) -> World {
    let folder = TempDir::new().unwrap();
    let data = DataDir::open(&folder.path().join("data")).unwrap();
    let door = Door::build(&data, &DoorOptions::default(), SystemClock::shared())
        .await
        .unwrap();
    let endless = || async {
        let chunk = || Ok::<_, std::io::Error>("event\n");
        Body::from_stream(futures::StreamExt::chain(
            stream::iter([chunk()]),
            stream::pending(),
        ))
    };
    let api = Router::new()
        .route("/", get(|| async { "inside" }))
        .route("/agent", get(agent))
        .route("/watch", get(endless));
    let (stop, stopped) = watch::channel(false);
    World {
        address: door.address(),
        authority: door.authority_pem().to_owned(),
        serving: tokio::spawn(door.serve_within(limits, api, stopped)),
        data,
        stop,
        _folder: folder,
    }
}

/// Answers what a client says that it is.
async fn agent(headers: HeaderMap) -> String {
    format!("{:?}", headers["user-agent"])
}

impl World {
    async fn connect(&self, name: &str) -> std::io::Result<TlsStream<TcpStream>> {
        let mut roots = RootCertStore::empty();
        roots
            .add(CertificateDer::from_pem_slice(self.authority.as_bytes()).unwrap())
            .unwrap();
        let client = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let stream = TcpStream::connect(self.address).await?;
        let name = ServerName::try_from(name.to_owned()).unwrap();
        TlsConnector::from(Arc::new(client)).connect(name, stream).await
    }

    /// Begins a request that shows the token, on a connection that is kept, and reads the first `N` bytes of its answer.
    async fn begin<const N: usize>(&self, path: &str) -> (TlsStream<TcpStream>, String) {
        let token = std::fs::read_to_string(self.data.token()).unwrap();
        let mut stream = self.connect("localhost").await.unwrap();
        let token = token.trim();
        let request =
            format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut begin = [0; N];
        stream.read_exact(&mut begin).await.unwrap();
        (stream, String::from_utf8_lossy(&begin).into_owned())
    }

    /// The answer to a request whose header has these lines; the token stands for `TOKEN`.
    async fn ask(&self, lines: &[&str]) -> String {
        let token = std::fs::read_to_string(self.data.token()).unwrap();
        let mut stream = self.connect("127.0.0.1").await.unwrap();
        let mut lines = lines.to_vec();
        lines.push("Connection: close\r\n\r\n");
        let request = lines.join("\r\n").replace("TOKEN", token.trim());
        stream.write_all(request.as_bytes()).await.unwrap();
        read(&mut stream).await
    }
}

/// Everything that a server says; one that ends without TLS's farewell has said it, too.
async fn read(stream: &mut (impl tokio::io::AsyncRead + Unpin)) -> String {
    let mut answer = Vec::new();
    let _unfinished = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

/// The first line and the body of an answer.
fn gist(answer: &str) -> String {
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((answer, ""));
    format!("{}\n{body}", head.lines().next().unwrap_or_default())
}

#[tokio::test]
async fn who_shows_the_token_is_let_in_by_every_name_of_the_server() {
    let world = world().await;
    for host in [
        "127.0.0.1",
        "localhost",
        "LOCALHOST.",
        "[::1]:6443",
        "127.0.0.1:1",
    ] {
        let host = format!("Host: {host}");
        let answer = world
            .ask(&["GET / HTTP/1.1", &host, "Authorization: bearer TOKEN"])
            .await;
        assert_eq!(gist(&answer), "HTTP/1.1 200 OK\ninside", "{host}");
        assert!(answer.contains("cache-control: no-cache, private"), "{answer}");
    }
    // As libraries for WebSockets send it.
    let request = [
        "GET / HTTP/1.1",
        "Host: localhost:1",
        "Origin: https://localhost:1",
        "Authorization: Bearer TOKEN",
    ];
    assert_eq!(gist(&world.ask(&request).await), "HTTP/1.1 200 OK\ninside");
    for name in ["localhost", "127.0.0.1", "::1"] {
        world
            .connect(name)
            .await
            .expect("the certificate is for this name");
    }
    world
        .connect("example.com")
        .await
        .expect_err("the certificate is not for other names");
}

#[tokio::test]
async fn whoever_comes_from_outside_is_some_program() {
    let world = world().await;
    for (line, agent) in [("User-Agent: curl/8", "curl/8"), ("Accept: */*", "unknown")] {
        let request = [
            "GET /agent HTTP/1.1",
            "Host: localhost",
            "Authorization: Bearer TOKEN",
            line,
        ];
        assert_eq!(
            gist(&world.ask(&request).await),
            format!("HTTP/1.1 200 OK\n{agent:?}")
        );
    }
}

#[tokio::test]
async fn strangers_and_web_pages_get_nothing() {
    let world = world().await;
    let (host, token) = ("Host: localhost", "Authorization: Bearer TOKEN");
    let mut told = Vec::new();
    for header in [
        &[host][..],
        &[host, "Authorization: Bearer wrong"],
        &[host, "Authorization: Bearer "],
        &[host, "Authorization: Basic TOKEN"],
        &[host, token, token],
        &[host, token, "Origin: https://evil.example"],
        &[host, token, "Origin: null"],
        &[host, token, "Origin: https://localhost:1"],
        &[host, token, "Origin: http://localhost"],
        &[host, token, "Sec-Fetch-Site: same-origin"],
        &[host, token, "Impersonate-User: joe"],
        &["Host: rebound.evil.example", token],
        &["Host: 10.1.2.3", token],
        &["Host: user@localhost", token],
        &[host, host, token],
        &[token],
    ] {
        let mut lines = vec!["GET / HTTP/1.1"];
        lines.extend(header);
        let answer = world.ask(&lines).await;
        assert!(!answer.contains("inside"), "{answer}");
        told.push(format!("{}\n{}", header.join(", "), gist(&answer)));
    }
    for request in [
        "OPTIONS / HTTP/1.1",
        "GET /livez HTTP/1.1",
        "GET https://evil.example/ HTTP/1.1",
    ] {
        told.push(format!("{request}\n{}", gist(&world.ask(&[request, host]).await)));
    }
    assert_snapshot!(told.join("\n\n"));
}

#[tokio::test]
async fn a_client_without_tls_is_told_so() {
    let world = world().await;
    let mut stream = TcpStream::connect(world.address).await.unwrap();
    stream
        .write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        .await
        .unwrap();
    let answer = read(&mut stream).await;
    assert_eq!(
        gist(&answer),
        "HTTP/1.0 400 Bad Request\nClient sent an HTTP request to an HTTPS server.\n"
    );
}

#[tokio::test]
async fn a_header_without_an_end_is_not_read_for_ever() {
    let world = world().await;
    let mut stream = world.connect("localhost").await.unwrap();
    stream
        .write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n")
        .await
        .unwrap();
    let filler = format!("X: {}\r\n", "x".repeat(1_000));
    let mut sent = 0;
    while sent < 1_000_000 && stream.write_all(filler.as_bytes()).await.is_ok() {
        sent += filler.len();
    }
    let answer = read(&mut stream).await;
    assert!(
        answer.is_empty() || answer.starts_with("HTTP/1.1 431"),
        "{answer}"
    );
}

#[tokio::test]
async fn the_end_ends_watches_and_idle_connections() {
    let world = world().await;
    let (mut watching, begin) = world.begin::<12>("/watch").await;
    assert_eq!(begin, "HTTP/1.1 200");
    let idle = world.connect("localhost").await.unwrap();
    world.stop.send_replace(true);
    let rest = read(&mut watching).await;
    assert!(
        rest.ends_with("0\r\n\r\n"),
        "the stream is brought to its end: {rest:?}"
    );
    world.serving.await.unwrap();
    drop(idle);
}

const ASK: [&str; 3] = ["GET / HTTP/1.1", "Host: localhost", "Authorization: Bearer TOKEN"];

#[tokio::test]
async fn strangers_who_wait_keep_nobody_out() {
    let world = world_within(Limits {
        strangers: 4,
        ..Limits::default()
    })
    .await;
    let mut silent = Vec::new();
    for _ in 0..8 {
        silent.push(TcpStream::connect(world.address).await.unwrap());
        silent.push(world.connect("localhost").await.unwrap().into_inner().0);
    }
    assert_eq!(gist(&world.ask(&ASK).await), "HTTP/1.1 200 OK\ninside");
    assert_eq!(read(&mut silent[0]).await, "", "the first of them had to leave");
}

#[tokio::test]
async fn watches_leave_places_for_short_requests_and_are_told_when_there_are_too_many() {
    let world = world_within(Limits {
        streams: 2,
        known: 3,
        ..Limits::default()
    })
    .await;
    let (first, begin) = world.begin::<12>("/watch").await;
    assert_eq!(begin, "HTTP/1.1 200");
    let (_second, begin) = world.begin::<12>("/watch").await;
    assert_eq!(begin, "HTTP/1.1 200");
    let (mut third, begin) = world.begin::<12>("/watch").await;
    let answer = format!("{begin}{}", read(&mut third).await);
    assert!(answer.to_lowercase().contains("retry-after: 1\r\n"), "{answer}");
    assert_snapshot!(gist(&answer));
    assert_eq!(gist(&world.ask(&ASK).await), "HTTP/1.1 200 OK\ninside");
    // Idle ones leave for newcomers.
    let (mut idle, _) = world.begin::<12>("/").await;
    for _ in 0..3 {
        assert_eq!(gist(&world.ask(&ASK).await), "HTTP/1.1 200 OK\ninside");
    }
    assert!(read(&mut idle).await.ends_with("inside"), "and it is at its end");
    drop(first);
    for _ in 0..1_000 {
        let (_, begin) = world.begin::<12>("/watch").await;
        if begin == "HTTP/1.1 200" {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("a watch that has ended leaves its place within ten seconds");
}

#[tokio::test]
async fn the_port_the_token_and_the_authority_stay_the_same() {
    let world = world().await;
    let kubeconfig = std::fs::read_to_string(world.data.kubeconfig()).unwrap();
    world.stop.send_replace(true);
    world.serving.await.unwrap();
    let again = Door::build(&world.data, &DoorOptions::default(), SystemClock::shared())
        .await
        .unwrap();
    assert_eq!((again.address(), again.moved_from()), (world.address, None));
    assert_eq!(
        std::fs::read_to_string(world.data.kubeconfig()).unwrap(),
        kubeconfig
    );
    // Another program, as far as the next one can tell.
    let moved = Door::build(&world.data, &DoorOptions::default(), SystemClock::shared())
        .await
        .unwrap();
    assert_ne!(moved.address(), world.address);
    assert_eq!(moved.moved_from(), Some(world.address));
}

#[tokio::test]
async fn other_machines_are_let_in_only_when_that_is_said() {
    let folder = TempDir::new().unwrap();
    let data = DataDir::open(&folder.path().join("data")).unwrap();
    let everywhere: SocketAddr = "0.0.0.0:0".parse().unwrap();
    let build = async |listen, exposed_as: &[&str]| {
        let exposed_as = exposed_as.iter().map(|host| host.parse().unwrap()).collect();
        Door::build(&data, &DoorOptions { listen, exposed_as }, SystemClock::shared()).await
    };
    let refused = build(Some(everywhere), &[]).await.unwrap_err();
    assert_snapshot!(refused);
    let useless = build(Some("127.0.0.1:0".parse().unwrap()), &["build1.example.com"])
        .await
        .unwrap_err();
    assert_snapshot!(useless);
    let open = build(Some(everywhere), &["build1.example.com"]).await.unwrap();
    assert!(open.address().ip().is_unspecified());
    let port = open.address().port();
    drop(open);
    // What was said once is not taken for granted.
    let closed = build(None, &[]).await.unwrap();
    assert!(
        closed.address().ip().is_loopback() && closed.moved_from().is_none(),
        "{port}"
    );
}
