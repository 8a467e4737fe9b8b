//! A connection whose client is not waited for without end.
//!
//! The HTTP library bounds how long a connection may be without a request. What it can't tell is a
//! client that has begun one and dawdles, or one that does not take what it is sent; both show in how
//! a connection's bytes come and go.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep};

/// What a connection is about just now.
#[derive(Clone, Default)]
pub(super) struct Phase(Arc<AtomicU8>);

/// Between two requests.
const IDLE: u8 = 0;
/// A request's head has begun.
const HEAD: u8 = 1;
/// A request is being answered; its body is its reader's to bound.
const ANSWERING: u8 = 2;
/// It speaks another protocol, which looks after itself.
const UPGRADED: u8 = 3;

impl Phase {
    /// A request's head is complete.
    pub(super) fn answering(&self) {
        self.0.store(ANSWERING, Ordering::Relaxed);
    }

    /// There is an answer; `is_last` when what follows is another protocol.
    pub(super) fn answered(&self, is_last: bool) {
        let next = if is_last { UPGRADED } else { IDLE };
        self.0.store(next, Ordering::Relaxed);
    }

    fn is(&self, phase: u8) -> bool {
        self.0.load(Ordering::Relaxed) == phase
    }
}

/// A TCP connection with time limits. One task alone reads and writes it.
pub(super) struct Patient {
    stream: TcpStream,
    phase: Phase,
    head: Limit,
    write: Limit,
}

impl Patient {
    /// `head` is how long a request's head may take from its first byte on, `write` how long the
    /// client may take nothing of what waits for it.
    pub(super) fn new(stream: TcpStream, phase: Phase, head: Duration, write: Duration) -> Self {
        Self {
            stream,
            phase,
            head: Limit::new(head),
            write: Limit::new(write),
        }
    }
}

/// A time limit that runs now and then.
struct Limit {
    after: Duration,
    running: Option<Pin<Box<Sleep>>>,
}

impl Limit {
    fn new(after: Duration) -> Self {
        Self {
            after,
            running: None,
        }
    }

    fn stop(&mut self) {
        self.running = None;
    }

    /// Whether it is over; it begins where it does not run.
    fn is_over(&mut self, cx: &mut Context<'_>) -> bool {
        let after = self.after;
        let sleep = || Box::pin(tokio::time::sleep_until(Instant::now() + after));
        let running = self.running.get_or_insert_with(sleep);
        running.as_mut().poll(cx).is_ready()
    }
}

fn late(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, what)
}

impl AsyncRead for Patient {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buffer);
        if self.phase.is(IDLE) && buffer.filled().len() > before {
            self.phase.0.store(HEAD, Ordering::Relaxed);
        }
        if !self.phase.is(HEAD) {
            self.head.stop();
        } else if read.is_pending() && self.head.is_over(cx) {
            return Poll::Ready(Err(late("the head of a request did not come in time")));
        }
        read
    }
}

impl Patient {
    /// Bounds how long a write may wait for the client.
    fn in_time<T>(
        &mut self,
        cx: &mut Context<'_>,
        written: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.write.stop();
        } else if self.write.is_over(cx) {
            return Poll::Ready(Err(late("the client does not take its answer")));
        }
        written
    }
}

impl AsyncWrite for Patient {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.in_time(cx, written)
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
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, bytes);
        self.in_time(cx, written)
    }
}
