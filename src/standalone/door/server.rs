//! Connections: TLS, limits on time and number, and an end in good order.

use std::future::pending;
use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
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

/// How many fields a header may have.
const HEADER_FIELDS_MAX: usize = 100;

/// How long requests that are under way may take to be answered when the server stops, or the connection has to leave.
const FAREWELL_TIME: Duration = Duration::from_secs(5);

/// How long to wait before accepting again when the system has no room for another connection.
const ACCEPT_RETRY: Duration = Duration::from_secs(1);

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
    mut stop: watch::Receiver<bool>,
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
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIME)
        .max_headers(HEADER_FIELDS_MAX)
        .max_buf_size(HEADER_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    let stopped = async { stop.wait_for(|stop| *stop).await.is_ok() };
    tokio::select! {
        ended = connection.as_mut() => return ended.map_err(|error| error.to_string()),
        () = stays_a_stranger(&place, deadline) => return Err("no request with the token in time".to_owned()),
        () = place.asked_to_leave() => {}
        _stopped_or_dropped = stopped => {}
    }
    connection.as_mut().graceful_shutdown();
    let ended = timeout(FAREWELL_TIME, connection).await;
    ended
        .map_err(|_| "it did not end in time".to_owned())?
        .map_err(|error| error.to_string())
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
