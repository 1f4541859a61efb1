//! Connections that cannot pile up: a limited number, each for a limited time.
//!
//! A new connection always gets in: where there are too many the oldest is closed. One on which
//! nothing moves, or that is old, is closed too; who still wants something connects again.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::serve::Listener;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::time::{Instant, Sleep, sleep_until};

/// Far more than scrapers and people need, far fewer than a process may have files open.
const MOST: usize = 256;
/// A connection may idle for this long.
const IDLE: Duration = Duration::from_secs(10);
/// A connection may live for this long.
const LIFE: Duration = Duration::from_secs(60);
/// So many bytes a client may send without an answer in between: many times the longest request
/// there is, and little memory for all connections together.
const UNANSWERED: usize = 64 << 10;

pub(super) struct Bounded {
    listener: TcpListener,
    /// Oldest first; dropping one closes its connection.
    open: VecDeque<oneshot::Sender<()>>,
}

impl Bounded {
    pub(super) fn new(listener: TcpListener) -> Self {
        Self { listener, open: VecDeque::new() }
    }
}

impl Listener for Bounded {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        let (stream, address) = Listener::accept(&mut self.listener).await;
        self.open.retain(|open| !open.is_closed());
        while self.open.len() >= MOST {
            self.open.pop_front();
        }
        let (open, evicted) = oneshot::channel();
        self.open.push_back(open);
        (Connection::new(stream, evicted), address)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

pub(super) struct Connection {
    stream: TcpStream,
    evicted: oneshot::Receiver<()>,
    until: Pin<Box<Sleep>>,
    end: Instant,
    unanswered: usize,
}

impl Connection {
    fn new(stream: TcpStream, evicted: oneshot::Receiver<()>) -> Self {
        let now = Instant::now();
        let until = Box::pin(sleep_until(now + IDLE));
        Self { stream, evicted, until, end: now + LIFE, unanswered: 0 }
    }

    /// Fails once its time is over; else what came of the operation, after which the time to
    /// move begins anew.
    fn bounded<T>(
        &mut self,
        context: &mut Context<'_>,
        operation: impl FnOnce(Pin<&mut TcpStream>, &mut Context<'_>) -> Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        let evicted = Pin::new(&mut self.evicted).poll(context).is_ready();
        if evicted || self.until.as_mut().poll(context).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        let moved = operation(Pin::new(&mut self.stream), context);
        if moved.is_ready() {
            self.until.as_mut().reset((Instant::now() + IDLE).min(self.end));
        }
        moved
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.unanswered > UNANSWERED {
            return Poll::Ready(Err(io::ErrorKind::InvalidData.into()));
        }
        let before = buffer.filled().len();
        let read = this.bounded(context, |stream, context| stream.poll_read(context, buffer));
        this.unanswered += buffer.filled().len() - before;
        read
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        this.unanswered = 0;
        this.bounded(context, |stream, context| stream.poll_write(context, bytes))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        this.unanswered = 0;
        this.bounded(context, |stream, context| stream.poll_write_vectored(context, pieces))
    }

    /// Else each answer would be copied into a buffer of its connection.
    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    async fn listening() -> (Bounded, SocketAddr) {
        let listener = Bounded::new(TcpListener::bind("127.0.0.1:0").await.unwrap());
        let address = listener.local_addr().unwrap();
        (listener, address)
    }

    /// How many seconds a connection lives whose client sends a byte that often.
    async fn life(every: Duration) -> u64 {
        let (mut listener, address) = listening().await;
        let mut client = TcpStream::connect(address).await.unwrap();
        let (mut connection, _) = listener.accept().await;
        let start = Instant::now();
        let drip = async {
            while client.write_all(b"x").await.is_ok() {
                tokio::time::sleep(every).await;
            }
        };
        let read = async { while connection.read_u8().await.is_ok() {} };
        tokio::select! {
            () = drip => panic!("the client ended first"),
            () = read => {}
        }
        start.elapsed().as_secs()
    }

    #[tokio::test(start_paused = true)]
    async fn who_sends_nothing_or_drop_by_drop_is_let_go() {
        for (every, seconds) in [(3600, 10), (11, 10), (9, 60), (1, 60)] {
            assert_eq!(life(Duration::from_secs(every)).await, seconds, "every {every} s");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_oldest_makes_way() {
        let (mut listener, address) = listening().await;
        let mut clients = Vec::new();
        let mut connections = Vec::new();
        for _ in 0..=MOST {
            clients.push(TcpStream::connect(address).await.unwrap());
            connections.push(listener.accept().await.0);
        }
        let mut first = async |n: usize| {
            let mut byte = [0];
            let read = connections[n].read(&mut byte);
            tokio::time::timeout(Duration::from_secs(1), read).await
        };
        let closed = first(0).await.expect("at once").unwrap_err();
        assert_eq!(closed.kind(), io::ErrorKind::TimedOut);
        assert!(first(1).await.is_err() && first(MOST).await.is_err(), "the others stay");
    }

    #[tokio::test]
    async fn nobody_is_read_for_ever_without_an_answer() {
        let (mut listener, address) = listening().await;
        let mut client = TcpStream::connect(address).await.unwrap();
        let (mut connection, _) = listener.accept().await;
        let mut bytes = vec![0; UNANSWERED / 2];
        for _ in 0..4 {
            client.write_all(&bytes).await.unwrap();
            connection.read_exact(&mut bytes).await.unwrap();
            connection.write_all(b"an answer").await.unwrap();
        }
        client.write_all(&bytes).await.unwrap();
        connection.read_exact(&mut bytes).await.unwrap();
        client.write_all(&bytes).await.unwrap();
        client.write_all(b"one more").await.unwrap();
        let mut rest = Vec::new();
        let error = connection.read_to_end(&mut rest).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    }
}
