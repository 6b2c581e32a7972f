//! Gives a request's head one second from its first byte, and leaves idle connections alone.

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

const IDLE: u8 = 0;
const HEAD: u8 = 1;
const BUSY: u8 = 2;
/// HTTP/2 keeps its own time: streams come and go, and frames come between them.
const MULTIPLEXED: u8 = 3;

/// What a connection is at, shared by its reading side and its requests.
#[derive(Clone, Default)]
pub struct Phase(Arc<AtomicU8>);

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

    fn is_head(&self) -> bool {
        self.0.load(Ordering::Relaxed) == HEAD
    }
}

/// A stream whose reads fail when a head takes longer than `HEAD_MAX`.
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
            sleep: None,
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
        if buf.filled().len() > before && self.phase.swap(IDLE, HEAD) {
            self.sleep = Some(Box::pin(tokio::time::sleep(HEAD_MAX)));
        }
        if !self.phase.is_head() {
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
