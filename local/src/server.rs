//! A small HTTP/1.1 server on 127.0.0.1 that can be closed and opened again on
//! the same port, as a service that goes away and comes back.

use std::{fmt, future::Future, net::SocketAddr, pin::Pin, sync::Arc, time::Duration};

use anyhow::Context;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use rustix::net::{Shutdown, shutdown};
use tokio::{
    net::{TcpListener, TcpSocket, TcpStream},
    sync::{Mutex, watch},
    task::{JoinHandle, JoinSet},
};

use crate::{clock, raw_targets::RawTargets};

/// How long a graceful stop waits for answers under way.
const GRACE: Duration = Duration::from_secs(5);

/// What a handler does with a request.
#[derive(Debug)]
pub enum Answer {
    /// Answers it.
    Response(Response<Bytes>),
    /// Closes the connection without a word.
    Drop,
}

impl From<Response<Bytes>> for Answer {
    fn from(response: Response<Bytes>) -> Self {
        Self::Response(response)
    }
}

type Handler =
    Arc<dyn Fn(Request<Bytes>) -> Pin<Box<dyn Future<Output = Answer> + Send>> + Send + Sync>;

/// A server on one address. Dropping it closes the port and every connection.
pub struct Server {
    address: SocketAddr,
    /// Keeps a port that nobody named while the server is closed: bound, and never listening.
    /// Whoever takes any port meanwhile gets another.
    held: Option<TcpSocket>,
    handler: Handler,
    running: Mutex<Option<Running>>,
}

struct Running {
    accepting: JoinHandle<()>,
    phase: watch::Sender<Phase>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Open,
    /// Answers under way are finished, nothing new is taken.
    Stopping,
    /// Everything is dropped.
    Closed,
}

impl Server {
    /// Serves `handler` on 127.0.0.1, on any free port if none is named. A
    /// handler gets the whole body, however long, and the client's
    /// [`SocketAddr`] as an extension.
    pub async fn bind<F, A, R>(port: Option<u16>, handler: F) -> anyhow::Result<Self>
    where
        F: Fn(Request<Bytes>) -> A + Send + Sync + 'static,
        A: Future<Output = R> + Send + 'static,
        R: Into<Answer>,
    {
        let named = SocketAddr::from(([127, 0, 0, 1], port.unwrap_or(0)));
        let held = match port {
            Some(_) => None,
            None => Some(bound(named, true)?),
        };
        let address = held.as_ref().map_or(Ok(named), TcpSocket::local_addr)?;
        let listener = listen(address, held.is_some())?;
        let address = listener.local_addr()?;
        let handler: Handler = Arc::new(move |request| {
            let answer = handler(request);
            Box::pin(async move { answer.await.into() })
        });
        let running = Running::start(listener, Arc::clone(&handler));
        Ok(Self {
            address,
            held,
            handler,
            running: Mutex::new(Some(running)),
        })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its base URL, without a slash at the end.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Stops gracefully: takes no connection any more, finishes the answers
    /// under way, for at most five seconds.
    pub async fn stop(&self) {
        self.end(Phase::Stopping).await;
    }

    /// Closes the port and cuts every connection.
    pub async fn close(&self) {
        self.end(Phase::Closed).await;
    }

    /// Opens the port again after it was closed; an open one stays as it is.
    pub async fn open(&self) -> anyhow::Result<()> {
        let mut running = self.running.lock().await;
        if running.is_none() {
            let listener = listen(self.address, self.held.is_some())?;
            *running = Some(Running::start(listener, Arc::clone(&self.handler)));
        }
        Ok(())
    }

    async fn end(&self, phase: Phase) {
        if let Some(mut running) = self.running.lock().await.take() {
            running.phase.send_replace(phase);
            // It ends by itself; a panic in it would end it all the same.
            let _ended = (&mut running.accepting).await;
        }
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Server")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

impl Running {
    fn start(listener: TcpListener, handler: Handler) -> Self {
        let (phase, phases) = watch::channel(Phase::Open);
        Self {
            accepting: tokio::spawn(accept(listener, handler, phases)),
            phase,
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// Listens, on a port that may be shared with the socket that holds it.
fn listen(address: SocketAddr, held: bool) -> anyhow::Result<TcpListener> {
    bound(address, held)?
        .listen(1024)
        .with_context(|| format!("cannot listen on {address}"))
}

/// A socket that has an address and does nothing yet. Sockets that are `shared` may all have
/// the same address, as long as they are of one user; nobody else can have it.
fn bound(address: SocketAddr, shared: bool) -> anyhow::Result<TcpSocket> {
    let bind = || {
        let socket = TcpSocket::new_v4()?;
        // Either lets connections that ended a moment ago keep nobody from the port.
        socket.set_reuseaddr(!shared)?;
        socket.set_reuseport(shared)?;
        socket.bind(address)?;
        Ok::<_, std::io::Error>(socket)
    };
    bind().with_context(|| format!("cannot listen on {address}"))
}

async fn accept(listener: TcpListener, handler: Handler, mut phases: watch::Receiver<Phase>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    connections.spawn(serve(stream, peer, Arc::clone(&handler), phases.clone()));
                }
                // Out of file descriptors, say: others may be given back soon.
                Err(_) => clock::wait(Duration::from_millis(10)).await,
            },
            Some(_) = connections.join_next() => {}
            _ = phases.changed() => break,
        }
    }
    // A process that another thread has forked, and that has not begun its own program yet, holds
    // the socket too: closing alone would leave the port open until then.
    let _closed = shutdown(&listener, Shutdown::Both);
    drop(listener);
    if *phases.borrow() == Phase::Stopping {
        let finish = async { while connections.join_next().await.is_some() {} };
        // Whoever has not finished by then is cut below.
        let _in_time = tokio::time::timeout(GRACE, finish).await;
    }
    connections.shutdown().await;
}

async fn serve(
    stream: TcpStream,
    peer: SocketAddr,
    handler: Handler,
    mut phases: watch::Receiver<Phase>,
) {
    // Answers are short; waiting to fill a packet only makes them late.
    let _without_delay = stream.set_nodelay(true);
    let service = service_fn(|request| answer(request, peer, &handler));
    let stream = TokioIo::new(RawTargets::of(stream));
    let connection = http1::Builder::new().serve_connection(stream, service);
    let mut connection = std::pin::pin!(connection);
    let stopping = async {
        // The server's end is one more reason to stop.
        let _known = phases.wait_for(|phase| *phase != Phase::Open).await;
    };
    // A client that went away, or a handler that wants the connection closed:
    // nothing is left to do either way.
    tokio::select! {
        _ended = connection.as_mut() => {}
        () = stopping => {
            connection.as_mut().graceful_shutdown();
            let _ended = connection.await;
        }
    }
}

async fn answer(
    request: Request<Incoming>,
    peer: SocketAddr,
    handler: &Handler,
) -> Result<Response<Full<Bytes>>, Cut> {
    let (mut parts, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| Cut)?.to_bytes();
    parts.extensions.insert(peer);
    match handler(Request::from_parts(parts, body)).await {
        Answer::Response(response) => Ok(response.map(Full::new)),
        Answer::Drop => Err(Cut),
    }
}

/// Tells hyper to close the connection.
#[derive(Debug)]
struct Cut;

impl fmt::Display for Cut {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("connection cut")
    }
}

impl std::error::Error for Cut {}
