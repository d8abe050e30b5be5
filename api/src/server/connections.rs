//! Connections: taken one after the other, watched while nothing is asked on them, and ended without dropping an answer.
//!
//! hyper has one time limit for the head of a request, which runs while a connection idles, too. Here they are two: who is
//! slow to say what they want holds a connection only for a moment, and who is done for now may keep it for a while.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::serve::Listener;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::TokioIo;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, Sleep};
use tokio_util::sync::CancellationToken;

/// How long a connection may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    /// From its beginning, or from the first byte of a later request, until the head of the request is there.
    pub(super) head: Duration,
    /// From the last byte of an answer until the first byte of the next request.
    pub(super) idle: Duration,
}

/// Serves until it is stopped, and then finishes what is under way.
pub(super) async fn serve(
    mut listener: TcpListener,
    router: Router,
    patience: Patience,
    stop: CancellationToken,
) {
    let connections = GracefulShutdown::new();
    loop {
        // axum's way of accepting waits a moment when there are no more file descriptors.
        let (stream, address) = tokio::select! {
            accepted = Listener::accept(&mut listener) => accepted,
            () = stop.cancelled() => break,
        };
        let is_working = Arc::new(AtomicBool::new(false));
        let service = answering(router.clone(), address, Arc::clone(&is_working));
        let stream = TokioIo::new(Watched::new(stream, patience, is_working));
        let connection = connections.watch(http1::Builder::new().serve_connection(stream, service));
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(error = %error, "a connection ended early");
            }
        });
    }
    drop(listener);
    connections.shutdown().await;
}

/// Answers requests, and says while it is at work.
fn answering(
    router: Router,
    address: SocketAddr,
    is_working: Arc<AtomicBool>,
) -> impl Service<
    Request<Incoming>,
    Response = axum::response::Response,
    Error = std::convert::Infallible,
    Future: Send,
> {
    let router = TowerToHyperService::new(router);
    service_fn(move |mut request: Request<Incoming>| {
        // Requests and wrong passwords are counted by the client's address.
        request.extensions_mut().insert(ConnectInfo(address));
        is_working.store(true, Ordering::Relaxed);
        let answer = router.call(request.map(Body::new));
        let is_working = Arc::clone(&is_working);
        async move {
            let answer = answer.await;
            is_working.store(false, Ordering::Relaxed);
            answer
        }
    })
}

/// A stream that fails when nothing is asked on it for too long.
struct Watched {
    stream: TcpStream,
    patience: Patience,
    /// Set while a request is being answered: that has a time limit of its own.
    is_working: Arc<AtomicBool>,
    /// Whether some of a request's head has come.
    has_begun: bool,
    limit: Instant,
    alarm: Pin<Box<Sleep>>,
}

impl Watched {
    fn new(stream: TcpStream, patience: Patience, is_working: Arc<AtomicBool>) -> Self {
        let limit = Instant::now() + patience.head;
        Self {
            stream,
            patience,
            is_working,
            // Who connects is about to ask.
            has_begun: true,
            limit,
            alarm: Box::pin(tokio::time::sleep_until(limit)),
        }
    }

    fn is_working(&self) -> bool {
        self.is_working.load(Ordering::Relaxed)
    }

    /// Notices that something has come.
    fn heard(&mut self) {
        if !self.is_working() && !self.has_begun {
            self.has_begun = true;
            self.limit = Instant::now() + self.patience.head;
        }
    }

    /// Notices that something of an answer goes.
    fn answered(&mut self) {
        self.has_begun = false;
        self.limit = Instant::now() + self.patience.idle;
    }

    fn poll_limit(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.is_working() {
            return Poll::Pending;
        }
        if self.alarm.deadline() != self.limit {
            self.alarm.as_mut().reset(self.limit);
        }
        self.alarm
            .as_mut()
            .poll(context)
            .map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        match Pin::new(&mut self.stream).poll_read(context, buffer) {
            Poll::Ready(Ok(())) => {
                if buffer.filled().len() > before {
                    self.heard();
                }
                Poll::Ready(Ok(()))
            }
            Poll::Pending => self.poll_limit(context),
            failed => failed,
        }
    }
}

impl AsyncWrite for Watched {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.answered();
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.answered();
        Pin::new(&mut self.stream).poll_write_vectored(context, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(context);
        // hyper reads no more until it is woken: from here on the alarm has to do that.
        match self.poll_limit(context) {
            Poll::Ready(late) if flushed.is_pending() => Poll::Ready(late),
            _ => flushed,
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
