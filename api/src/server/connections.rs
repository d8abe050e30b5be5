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
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::{Instant, Sleep};
use tokio_util::sync::CancellationToken;

use super::admission::Admission;
use crate::http::{AtWork, undo_needless_escapes};

/// How long a connection may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    /// From its beginning, or from the first byte of a later request, until the head of the request is there.
    pub(super) head: Duration,
    /// From the last byte of an answer until the first byte of the next request, and from one part of an answer that the client
    /// takes to the next.
    pub(super) idle: Duration,
}

/// Idle time of connections that come to rest while there are many.
const CROWDED_IDLE: Duration = Duration::from_secs(5);
/// Bytes of an answer that the kernel holds for a client that does not read them; it may double them.
const SEND_BUFFER: u32 = 256 * 1024;
/// Connections that wait to be taken.
const BACKLOG: u32 = 1024;

/// Takes an address without listening there yet: until then whoever connects is refused, and waits for nobody.
pub(super) fn bind(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    // As the standard library does: a service that is started again must not wait for connections of the one before.
    socket.set_reuseaddr(true)?;
    // Connections inherit it. Left alone it grows to 4 MiB for each client that asks for much and reads nothing.
    socket.set_send_buffer_size(SEND_BUFFER)?;
    socket.bind(address)?;
    Ok(socket)
}

/// Listens on an address that was taken.
pub(super) fn listen(socket: TcpSocket) -> io::Result<TcpListener> {
    socket.listen(BACKLOG)
}

/// Serves until it is stopped, and then finishes what is under way.
pub(super) async fn serve(
    mut listener: TcpListener,
    router: Router,
    patience: Patience,
    admission: Arc<Admission>,
    stop: CancellationToken,
) {
    let connections = GracefulShutdown::new();
    loop {
        // axum's way of accepting waits a moment when there are no more file descriptors.
        let (stream, address) = tokio::select! {
            accepted = Listener::accept(&mut listener) => accepted,
            () = stop.cancelled() => break,
        };
        let Some(admitted) = admission.admit(address.ip()) else {
            tracing::debug!(%address, "a connection too many");
            continue;
        };
        let is_working = Arc::new(AtomicBool::new(false));
        let service = answering(router.clone(), address, Arc::clone(&is_working));
        let stream = TokioIo::new(Watched::new(stream, patience, Arc::clone(&admission), is_working));
        let connection = connections.watch(http1::Builder::new().serve_connection(stream, service));
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(error = %error, "a connection ended early");
            }
            drop(admitted);
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
        // Here, because the router of axum chooses the route before anything that is layered around it.
        undo_needless_escapes(request.uri_mut());
        // Requests and wrong passwords are counted by the client's address.
        request.extensions_mut().insert(ConnectInfo(address));
        request.extensions_mut().insert(AtWork(Arc::clone(&is_working)));
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

/// A stream that fails when nothing is asked on it, or nothing of an answer taken from it, for too long.
struct Watched {
    stream: TcpStream,
    patience: Patience,
    admission: Arc<Admission>,
    /// Set while a request is being answered: that has a time limit of its own.
    is_working: Arc<AtomicBool>,
    /// Whether some of a request's head has come.
    has_begun: bool,
    /// Whether the client takes no more of an answer for now.
    is_blocked: bool,
    limit: Instant,
    alarm: Pin<Box<Sleep>>,
}

impl Watched {
    fn new(
        stream: TcpStream,
        patience: Patience,
        admission: Arc<Admission>,
        is_working: Arc<AtomicBool>,
    ) -> Self {
        let limit = Instant::now() + patience.head;
        Self {
            stream,
            patience,
            admission,
            is_working,
            // Who connects is about to ask.
            has_begun: true,
            is_blocked: false,
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

    /// Notices that the client has taken something of an answer.
    fn answered(&mut self) {
        self.has_begun = false;
        self.is_blocked = false;
        let idle = match self.admission.is_crowded() {
            true => self.patience.idle.min(CROWDED_IDLE),
            false => self.patience.idle,
        };
        self.limit = Instant::now() + idle;
    }

    /// Notices that the client takes nothing, and fails when that has gone on for too long.
    fn poll_blocked(&mut self, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        if !self.is_blocked {
            self.is_blocked = true;
            self.limit = Instant::now() + self.patience.idle;
        }
        self.poll_alarm(context).map_ok(|()| 0)
    }

    fn poll_limit(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.is_working() && !self.is_blocked {
            true => Poll::Pending,
            false => self.poll_alarm(context),
        }
    }

    fn poll_alarm(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
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
        match Pin::new(&mut self.stream).poll_write(context, bytes) {
            Poll::Pending => self.poll_blocked(context),
            written => {
                self.answered();
                written
            }
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match Pin::new(&mut self.stream).poll_write_vectored(context, parts) {
            Poll::Pending => self.poll_blocked(context),
            written => {
                self.answered();
                written
            }
        }
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
