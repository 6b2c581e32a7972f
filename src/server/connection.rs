//! Gives a request's head one second from its first byte, and a new connection ten for that byte.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::Version;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Sleep;

/// From a head's first byte to its last.
pub const HEAD_MAX: Duration = Duration::from_secs(1);

/// From a connection's beginning to its first byte; later it may idle for longer.
pub const FIRST_BYTE_MAX: Duration = Duration::from_secs(10);

const IDLE: u8 = 0;
const HEAD: u8 = 1;
const BUSY: u8 = 2;
/// HTTP/2 keeps its own time: streams come and go, and frames come between them.
const MULTIPLEXED: u8 = 3;
/// Nothing has come yet.
const NEW: u8 = 4;

/// What a connection is at, shared by its reading side and its requests.
#[derive(Clone)]
pub struct Phase(Arc<AtomicU8>);

impl Default for Phase {
    fn default() -> Phase {
        Phase(Arc::new(AtomicU8::new(NEW)))
    }
}

impl Phase {
    /// A head has been read whole.
    pub fn request_began(&self, version: Version) {
        let phase = if version == Version::HTTP_2 {
            MULTIPLEXED
        } else {
            BUSY
        };
        self.0.store(phase, Ordering::Relaxed);
    }

    /// Its answer is ready; the next byte begins another head.
    pub fn request_ended(&self) {
        self.swap(BUSY, IDLE);
    }

    fn swap(&self, from: u8, to: u8) -> bool {
        self.0
            .compare_exchange(from, to, Ordering::Relaxed, Ordering::Relaxed)
            .is_ok()
    }

    /// A byte has come; whether it begins a head.
    fn byte_came(&self) -> bool {
        self.swap(IDLE, HEAD) || self.swap(NEW, HEAD)
    }

    fn has_limit(&self) -> bool {
        matches!(self.0.load(Ordering::Relaxed), HEAD | NEW)
    }
}

/// A stream whose reads fail when nothing comes for `FIRST_BYTE_MAX`, or a head takes longer than `HEAD_MAX`.
/// To be made within a runtime.
pub struct HeadTimeout<S> {
    stream: S,
    phase: Phase,
    sleep: Option<Pin<Box<Sleep>>>,
}

impl<S> HeadTimeout<S> {
    /// Watches `stream`, whose requests report to `phase`.
    pub fn new(stream: S, phase: Phase) -> HeadTimeout<S> {
        HeadTimeout {
            stream,
            phase,
            sleep: Some(Box::pin(tokio::time::sleep(FIRST_BYTE_MAX))),
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for HeadTimeout<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(cx, buf);
        if buf.filled().len() > before && self.phase.byte_came() {
            self.sleep = Some(Box::pin(tokio::time::sleep(HEAD_MAX)));
        }
        if !self.phase.has_limit() {
            self.sleep = None;
        }
        if polled.is_pending()
            && let Some(sleep) = &mut self.sleep
            && sleep.as_mut().poll(cx).is_ready()
        {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for HeadTimeout<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::time::Instant;

    #[tokio::test(start_paused = true)]
    async fn a_connection_on_which_nothing_comes_is_closed_after_ten_seconds() {
        let (_client, server) = tokio::io::duplex(64);
        let mut stream = HeadTimeout::new(server, Phase::default());
        let began = Instant::now();
        let read = stream.read_u8().await;
        assert_eq!(read.unwrap_err().kind(), io::ErrorKind::TimedOut);
        assert_eq!(began.elapsed().as_secs(), FIRST_BYTE_MAX.as_secs());
    }

    #[tokio::test(start_paused = true)]
    async fn a_head_that_does_not_end_is_cut_off_after_a_second_and_an_idle_connection_is_not() {
        let (mut client, server) = tokio::io::duplex(64);
        let phase = Phase::default();
        let mut stream = HeadTimeout::new(server, phase.clone());
        client.write_all(b"G").await.unwrap();
        assert_eq!(stream.read_u8().await.unwrap(), b'G');
        phase.request_began(Version::HTTP_11);
        phase.request_ended();
        let idle = tokio::time::timeout(FIRST_BYTE_MAX * 6, stream.read_u8()).await;
        assert!(idle.is_err(), "it may idle between requests");
        client.write_all(b"G").await.unwrap();
        assert_eq!(stream.read_u8().await.unwrap(), b'G');
        let began = Instant::now();
        assert!(stream.read_u8().await.is_err());
        assert_eq!(began.elapsed().as_secs(), HEAD_MAX.as_secs());
    }
}
