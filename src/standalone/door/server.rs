//! Connections: TLS, limits on time and number, and an end in good order.

use std::future::pending;
use std::io::{self, ErrorKind};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until, timeout, timeout_at};
use tokio_rustls::{TlsAcceptor, rustls};

use super::places::{Place, Places};

/// How many connections may be open in all; more wait until one ends. It leaves room for those that are on their way out
/// beside those that have a [place](super::places).
const CONNECTIONS_AT_ONCE: usize = 500;

/// How long a client may take from its arrival to the end of the header of a request that shows the token.
const STRANGER_TIME: Duration = Duration::from_secs(10);

/// How long a client may take from the end of one answer to the end of the next request's header. It bounds idle
/// connections, too.
const HEADER_TIME: Duration = Duration::from_secs(30);

/// The largest header, in bytes.
const HEADER_BYTES_MAX: usize = 32 * 1024;

/// The same, as HTTP/2 counts it.
const HTTP2_HEADER_BYTES_MAX: u32 = 32 * 1024;

/// How many requests a connection of HTTP/2 may have under way: as many as [places](super::places) let in from all. Go's
/// clients put all their watches onto one connection.
const REQUESTS_OF_ONE_MAX: u32 = 400;

/// How much of each answer waits for a client of HTTP/2 that is slow, in bytes.
const SEND_BYTES_MAX: usize = 64 * 1024;

/// How long a client of HTTP/2 may take to say that it is still there.
const PING_TIME: Duration = Duration::from_secs(20);

/// How many fields a header may have.
const HEADER_FIELDS_MAX: usize = 100;

/// How long requests that are under way may take to be answered when the server stops, or the connection has to leave.
const FAREWELL_TIME: Duration = Duration::from_secs(5);

/// How long to wait before accepting again when the system has no room for another connection.
const ACCEPT_RETRY: Duration = Duration::from_secs(1);

/// HTTP/2, as the client and we agree on it in the handshake.
pub(super) const HTTP2: &[u8] = b"h2";

/// The first byte of a TLS handshake.
const TLS_HANDSHAKE: u8 = 0x16;

/// What a client hears that does not speak TLS, in the words of Kubernetes' servers.
const PLAIN_HTTP: &[u8] = b"HTTP/1.0 400 Bad Request\r\nConnection: close\r\n\r\n\
Client sent an HTTP request to an HTTPS server.\n";

/// Serves `api` until `stop` becomes true or is dropped, and returns when all connections have ended.
pub(super) async fn serve(
    listener: TcpListener,
    tls: rustls::ServerConfig,
    api: Router,
    places: Places,
    stop: watch::Receiver<bool>,
) {
    let tls = TlsAcceptor::from(Arc::new(tls));
    let room = Arc::new(Semaphore::new(CONNECTIONS_AT_ONCE));
    let mut connections = JoinSet::new();
    let mut stopped = stop.clone();
    let stopped = stopped.wait_for(|stop| *stop);
    tokio::pin!(stopped);
    loop {
        let permit = tokio::select! {
            _ = &mut stopped => break,
            permit = Arc::clone(&room).acquire_owned() => permit,
        };
        // Nobody closes the semaphore.
        let Ok(permit) = permit else { break };
        let stream = tokio::select! {
            _ = &mut stopped => break,
            // Connections that have ended are forgotten as others come.
            Some(_) = connections.join_next() => continue,
            stream = accept(&listener) => stream,
        };
        let (tls, api, place, stop) = (tls.clone(), api.clone(), places.welcome(), stop.clone());
        connections.spawn(async move {
            let _permit = permit;
            if let Err(error) = converse(stream, tls, api, place, stop).await {
                tracing::debug!(error, "a connection to the embedded API ended");
            }
        });
    }
    drop(listener);
    let all = async { while connections.join_next().await.is_some() {} };
    let _out_of_patience = timeout(FAREWELL_TIME, all).await;
}

async fn accept(listener: &TcpListener) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return stream,
            // The client has gone again already.
            Err(error) if is_the_clients(&error) => {}
            Err(error) => {
                tracing::warn!(%error, "the embedded API can't accept connections at the moment");
                sleep(ACCEPT_RETRY).await;
            }
        }
    }
}

fn is_the_clients(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset | ErrorKind::ConnectionRefused
    )
}

/// One connection, from its handshake to its end.
async fn converse(
    stream: TcpStream,
    tls: TlsAcceptor,
    api: Router,
    place: Place,
    stop: watch::Receiver<bool>,
) -> Result<(), String> {
    let deadline = Instant::now() + STRANGER_TIME;
    let greeted = tokio::select! {
        greeted = timeout_at(deadline, greet(stream, tls)) => greeted,
        () = place.asked_to_leave() => return Err("a newer stranger took its place".to_owned()),
    };
    let stream = greeted
        .map_err(|_| "no TLS handshake in time".to_owned())?
        .map_err(|error| error.to_string())?;
    let (desk, api) = (place.desk(), TowerToHyperService::new(api));
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(desk.clone());
        api.call(request)
    });
    let speaks_http2 = stream.get_ref().1.alpn_protocol() == Some(HTTP2);
    let stream = TokioIo::new(stream);
    if speaks_http2 {
        let connection = http2().serve_connection(stream, service);
        attend(
            connection,
            |connection| connection.graceful_shutdown(),
            &place,
            deadline,
            stop,
        )
        .await
    } else {
        let connection = http1().serve_connection(stream, service);
        attend(
            connection,
            |connection| connection.graceful_shutdown(),
            &place,
            deadline,
            stop,
        )
        .await
    }
}

/// Serves a connection until it ends, or has to: then it is told so, and answers what is under way.
async fn attend<C: Future<Output = hyper::Result<()>>>(
    connection: C,
    say_goodbye: impl FnOnce(Pin<&mut C>),
    place: &Place,
    deadline: Instant,
    mut stop: watch::Receiver<bool>,
) -> Result<(), String> {
    tokio::pin!(connection);
    let stopped = async { stop.wait_for(|stop| *stop).await.is_ok() };
    tokio::select! {
        ended = connection.as_mut() => return ended.map_err(|error| error.to_string()),
        () = stays_a_stranger(place, deadline) => return Err("no request with the token in time".to_owned()),
        () = place.asked_to_leave() => {}
        _stopped_or_dropped = stopped => {}
    }
    say_goodbye(connection.as_mut());
    let ended = timeout(FAREWELL_TIME, connection).await;
    ended
        .map_err(|_| "it did not end in time".to_owned())?
        .map_err(|error| error.to_string())
}

/// HTTP/1.1, within limits.
fn http1() -> http1::Builder {
    let mut server = http1::Builder::new();
    server
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIME)
        .max_headers(HEADER_FIELDS_MAX)
        .max_buf_size(HEADER_BYTES_MAX);
    server
}

/// HTTP/2, within the same limits. Nobody waits in it for the end of an answer, so that a client is asked whether it is
/// still there.
fn http2() -> http2::Builder<TokioExecutor> {
    let mut server = http2::Builder::new(TokioExecutor::new());
    server
        .timer(TokioTimer::new())
        .keep_alive_interval(HEADER_TIME)
        .keep_alive_timeout(PING_TIME)
        .max_header_list_size(HTTP2_HEADER_BYTES_MAX)
        .max_concurrent_streams(REQUESTS_OF_ONE_MAX)
        .max_send_buf_size(SEND_BYTES_MAX);
    server
}

/// Ends at the deadline, if nobody has shown the token by then.
async fn stays_a_stranger(place: &Place, deadline: Instant) {
    sleep_until(deadline).await;
    if place.is_known() {
        pending::<()>().await;
    }
}

async fn greet(
    mut stream: TcpStream,
    tls: TlsAcceptor,
) -> io::Result<tokio_rustls::server::TlsStream<TcpStream>> {
    stream.set_nodelay(true)?;
    let mut first = [0];
    if stream.peek(&mut first).await? == 1 && first != [TLS_HANDSHAKE] {
        stream.write_all(PLAIN_HTTP).await?;
        stream.shutdown().await?;
        return Err(io::Error::other("the client does not speak TLS"));
    }
    tls.accept(stream).await
}
