//! Turns HTTP into calls and back: the listeners, their limits, and the one place that chooses statuses.

pub mod admin;
pub mod connection;
mod health;
pub mod hook;
pub(crate) mod receipts;
pub mod reply;
pub(crate) mod voice;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use hyper::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use crate::server::connection::{HeadTimeout, Phase};
use crate::server::reply::Response;

/// Connections of one listener at a time; one more waits to be accepted.
pub const CONNECTIONS_MAX: usize = 10_000;
/// A TLS handshake takes no longer than this.
const HANDSHAKE_MAX: Duration = Duration::from_secs(2);
/// An idle connection is closed after this.
const IDLE_MAX: Duration = Duration::from_secs(75);
/// HTTP/2 streams on one connection at a time.
const STREAMS_MAX: u32 = 1_000;
/// Between pings on a quiet HTTP/2 connection, and for their answer.
const PING_EVERY: Duration = Duration::from_secs(20);
/// A request's head, all headers together.
const HEAD_BYTES_MAX: usize = 32 * 1024;
/// After a failed accept (out of file descriptors, say), before the next one.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// The certificate in force; `None` inside means plain HTTP.
pub type TlsSlot = Arc<ArcSwapOption<tokio_rustls::rustls::ServerConfig>>;

/// Answers requests of one listener.
pub trait Handler: Send + Sync + 'static {
    /// Answers one request of `peer`.
    fn handle(
        self: Arc<Self>,
        request: Request<Incoming>,
        peer: SocketAddr,
    ) -> impl Future<Output = Response> + Send;
}

/// Serves `listener` until `stop`, then lets every request under way finish.
pub async fn serve<H: Handler>(
    listener: TcpListener,
    tls: TlsSlot,
    handler: Arc<H>,
    stop: CancellationToken,
) {
    let graceful = GracefulShutdown::new();
    let room = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let Ok(place) = Arc::clone(&room).acquire_owned().await else {
            break;
        };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.cancelled() => break,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let watcher = graceful.watcher();
        let (tls, handler) = (tls.load_full(), Arc::clone(&handler));
        tokio::spawn(async move {
            let _place = place;
            serve_stream(stream, peer, tls, handler, watcher).await;
        });
    }
    drop(listener);
    graceful.shutdown().await;
}

async fn serve_stream<H: Handler>(
    stream: TcpStream,
    peer: SocketAddr,
    tls: Option<Arc<tokio_rustls::rustls::ServerConfig>>,
    handler: Arc<H>,
    watcher: hyper_util::server::graceful::Watcher,
) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY could not be set");
    }
    let Some(tls) = tls else {
        return serve_io(stream, peer, handler, watcher).await;
    };
    match tokio::time::timeout(HANDSHAKE_MAX, TlsAcceptor::from(tls).accept(stream)).await {
        Ok(Ok(stream)) => serve_io(stream, peer, handler, watcher).await,
        Ok(Err(error)) => tracing::debug!(%error, "a TLS handshake failed"),
        Err(_) => tracing::debug!("a TLS handshake took too long"),
    }
}

async fn serve_io<H: Handler, S>(
    stream: S,
    peer: SocketAddr,
    handler: Arc<H>,
    watcher: hyper_util::server::graceful::Watcher,
) where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
{
    let phase = Phase::default();
    let io = TokioIo::new(HeadTimeout::new(stream, phase.clone()));
    let service = service_fn(move |request: Request<Incoming>| {
        let (handler, phase) = (Arc::clone(&handler), phase.clone());
        async move {
            phase.request_began(request.version());
            let response = handler.handle(request, peer).await;
            phase.request_ended();
            Ok::<_, std::convert::Infallible>(response)
        }
    });
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(IDLE_MAX)
        .max_buf_size(HEAD_BYTES_MAX);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS_MAX)
        .max_header_list_size(u32::try_from(HEAD_BYTES_MAX).unwrap_or(u32::MAX))
        .keep_alive_interval(PING_EVERY)
        .keep_alive_timeout(PING_EVERY);
    let connection = builder.serve_connection(io, service).into_owned();
    if let Err(error) = watcher.watch(connection).await {
        tracing::debug!(error = %error, "a connection ended early");
    }
}
