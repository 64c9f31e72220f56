//! Connections: accepted up to a number, each in a task of its own, closed when nothing moves on them.

use std::{
    future::Future as _,
    io::{self, ErrorKind, IoSlice},
    net::SocketAddr,
    pin::Pin,
    sync::{Arc, atomic::Ordering},
    task::{Context, Poll, ready},
    time::Duration,
};

use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    time::{Instant, Sleep, sleep, timeout},
};

use crate::service::Service;

/// Further clients wait in the listener's queue.
const MOST_CONNECTIONS: usize = 4096;

/// OSS's own limit on headers is not documented. This one lets a callback through that is too long, so that its sender is
/// told so.
const LARGEST_HEAD: usize = 64 * 1024;
const MOST_HEADERS: usize = 256;

/// Before the next try when there are no descriptors left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

pub(crate) async fn serve(service: Arc<Service>, listener: TcpListener) {
    let places = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else {
            return;
        };
        let (stream, client) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(_) => {
                sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        // Answers are small and wait for nothing; without this the last piece of one may wait for an acknowledgement.
        let _ = stream.set_nodelay(true);
        let service = Arc::clone(&service);
        let open = Open::new(&service);
        tokio::spawn(async move {
            let stream = Patience::new(stream, service.idle_timeout);
            match &service.tls {
                None => converse(&service, stream, client).await,
                Some(identity) => {
                    let handshake = identity.acceptor().accept(stream);
                    if let Ok(Ok(stream)) = timeout(service.idle_timeout, handshake).await {
                        converse(&service, stream, client).await;
                    }
                }
            }
            drop((open, place));
        });
    }
}

/// Counts a connection as long as it lives.
struct Open(Arc<Service>);

impl Open {
    fn new(service: &Arc<Service>) -> Self {
        service.connections.fetch_add(1, Ordering::SeqCst);
        Self(Arc::clone(service))
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.connections.fetch_sub(1, Ordering::SeqCst);
    }
}

/// One request after the other. Garbage and lost connections are the client's affair.
async fn converse(
    service: &Arc<Service>,
    stream: impl AsyncRead + AsyncWrite + Unpin,
    client: SocketAddr,
) {
    let answer = service_fn(move |request| {
        let service = Arc::clone(service);
        async move { Ok::<_, std::convert::Infallible>(service.serve(request, client).await) }
    });
    let _ = http1::Builder::new()
        .timer(TokioTimer::new())
        // Whoever has sent all of a request may say so and still gets the answer. It also means that an upload
        // which has come in whole is stored and reported even if the client goes away.
        .half_close(true)
        .header_read_timeout(service.idle_timeout)
        .max_headers(MOST_HEADERS)
        .max_buf_size(LARGEST_HEAD)
        .serve_connection(TokioIo::new(stream), answer)
        .await;
}

/// A stream that fails when the other side takes nothing of what is written for too long.
///
/// Reading has its limits elsewhere: for heads in hyper, for bodies where they are read.
struct Patience {
    stream: TcpStream,
    limit: Duration,
    waiting: Option<Pin<Box<Sleep>>>,
}

impl Patience {
    fn new(stream: TcpStream, limit: Duration) -> Self {
        Self {
            stream,
            limit,
            waiting: None,
        }
    }

    /// Any progress ends the waiting; the lack of it starts it, once.
    fn watch<T>(
        &mut self,
        context: &mut Context<'_>,
        progress: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if progress.is_ready() {
            self.waiting = None;
            return progress;
        }
        let limit = self.limit;
        let waiting = self
            .waiting
            .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(Instant::now() + limit)));
        ready!(waiting.as_mut().poll(context));
        Poll::Ready(Err(ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for Patience {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Patience {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let progress = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.watch(context, progress)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let progress = Pin::new(&mut self.stream).poll_write_vectored(context, pieces);
        self.watch(context, progress)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let progress = Pin::new(&mut self.stream).poll_flush(context);
        self.watch(context, progress)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
