//! The smallest HTTP client and server that the harness can do with.

use std::{convert::Infallible, future::Future, net::SocketAddr, pin::Pin};

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, client, server, service::service_fn};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};

/// A whole answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    /// The body as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {:?}", self.body))
    }

    /// A header's text; empty without one.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }
}

/// A request without a body.
pub(crate) fn request(method: &str, path: &str) -> Request<Bytes> {
    Request::builder()
        .method(method)
        .uri(path)
        .body(Bytes::new())
        .unwrap()
}

/// Sends a request over a connection of its own and reads the whole answer.
pub(crate) async fn ask(to: SocketAddr, request: Request<Bytes>) -> Answer {
    let stream = TcpStream::connect(to).await.unwrap();
    let (mut sender, connection) = client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .unwrap();
    let connection = tokio::spawn(connection);
    let mut request = request.map(Full::new);
    request
        .headers_mut()
        .insert("host", "ops.example".parse().unwrap());
    let (head, body) = sender.send_request(request).await.unwrap().into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    connection.abort();
    Answer {
        status: head.status,
        headers: head.headers,
        body,
    }
}

/// What a server here does with a request.
pub(crate) type Answering = Pin<Box<dyn Future<Output = Response<Full<Bytes>>> + Send>>;

/// Serves on a port of its own until the test ends.
pub(crate) async fn serve<F>(answer: F) -> SocketAddr
where
    F: Fn(Request<Incoming>) -> Answering + Clone + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let answer = answer.clone();
            let service = service_fn(move |request| {
                let answer = answer(request);
                async move { Ok::<_, Infallible>(answer.await) }
            });
            // A caller that goes away ends its connection; nobody asks why.
            tokio::spawn(
                server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service),
            );
        }
    });
    address
}

/// A request's whole body.
pub(crate) async fn body(request: Request<Incoming>) -> Bytes {
    request.into_body().collect().await.unwrap().to_bytes()
}
