//! Connections whose other end has gone without a word: a node that lost its power, a firewall that forgot them.

use std::time::Duration;

use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use kube::client::{ClientBuilder, ConfigExt as _};
use kube::{Client, Config};
use tower::{BoxError, ServiceBuilder};

/// How long the other end may leave what was sent unacknowledged. Its kernel does that, however long a webhook takes to answer.
/// Without, a request waits for an answer as long as any may take, and so does each on the other connections there were.
const UNACKNOWLEDGED: Duration = Duration::from_secs(5);

/// After how long without a word it is asked whether it is still there: a watch may have nothing to say for minutes.
const KEEPALIVE: Duration = Duration::from_secs(15);

/// Kube's own client, but for the connections. What a proxy does with them is up to the proxy.
///
/// # Errors
///
/// When the certificates or the credentials of the configuration can't be used.
pub(super) fn client(config: &Config) -> kube::Result<Client> {
    if config.proxy_url.is_some() {
        return Client::try_from(config.clone());
    }
    let mut connector = HttpConnector::new();
    connector.enforce_http(false);
    connector.set_keepalive(Some(KEEPALIVE));
    connector.set_keepalive_interval(Some(UNACKNOWLEDGED));
    #[cfg(target_os = "linux")]
    connector.set_tcp_user_timeout(Some(UNACKNOWLEDGED));
    let connector = config.rustls_https_connector_with_connector(connector)?;
    let mut connector = hyper_timeout::TimeoutConnector::new(connector);
    connector.set_connect_timeout(config.connect_timeout);
    connector.set_read_timeout(config.read_timeout);
    connector.set_write_timeout(config.write_timeout);
    connector.set_reset_reader_on_write(config.reset_reader_on_write);
    let connections = hyper_util::client::legacy::Client::builder(TokioExecutor::new()).build(connector);
    let service = ServiceBuilder::new()
        .layer(config.base_uri_layer())
        .option_layer(config.auth_layer()?)
        .layer(config.extra_headers_layer()?)
        .map_err(BoxError::from)
        .service(connections);
    Ok(ClientBuilder::new(service, config.default_namespace.clone()).build())
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    use socket2::{SockFilter, SockRef};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::{TcpListener, TcpStream};

    /// A node loses its power: what is sent to it is never acknowledged, let alone answered.
    #[tokio::test]
    async fn a_request_on_a_connection_that_is_dead_fails_long_before_it_is_given_up() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let config = Config::new(format!("http://{address}").parse().expect("an address"));
        let client = client(&config).expect("a client");
        let ask = || {
            let request = http::Request::get("/version").body(vec![]).expect("a request");
            client.request_text(request)
        };
        let (answer, mut connection) = tokio::join!(ask(), async {
            let (mut connection, _) = listener.accept().await.expect("a connection");
            answer_once(&mut connection).await;
            connection
        });
        assert_eq!(answer.expect("an answer"), "well");
        // The return value of this program is how much of a packet is kept.
        let drop_all = [SockFilter::new(0x06, 0, 0, 0)];
        SockRef::from(&connection)
            .attach_filter(&drop_all)
            .expect("it hears nothing any more");
        let given_up = tokio::time::timeout(4 * UNACKNOWLEDGED, ask()).await;
        assert!(given_up.expect("long before").is_err(), "nobody answered");
        connection.shutdown().await.ok();
    }

    async fn answer_once(connection: &mut TcpStream) {
        let mut request = [0; 4_096];
        let _length = connection.read(&mut request).await.expect("a request");
        let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nwell";
        connection.write_all(answer).await.expect("it is answered");
    }
}
