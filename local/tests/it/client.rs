//! A client that opens one connection for each request, so that a test sees
//! what becomes of the connection.

use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

/// How a request ended.
#[derive(Debug)]
pub(crate) enum Outcome {
    Answered(StatusCode, Response<Bytes>),
    /// The port is closed.
    Refused,
    /// The connection ended without an answer.
    Cut,
    /// Nothing came within the limit.
    Silent,
}

impl Outcome {
    /// The status, or 0 for anything but an answer.
    pub(crate) fn status(&self) -> u16 {
        match self {
            Self::Answered(status, _) => status.as_u16(),
            _ => 0,
        }
    }

    /// The answer's body as text.
    pub(crate) fn text(&self) -> String {
        match self {
            Self::Answered(_, response) => String::from_utf8_lossy(response.body()).into_owned(),
            other => panic!("no answer: {other:?}"),
        }
    }

    /// The answer's body as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text()).unwrap()
    }

    /// A header of the answer.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        match self {
            Self::Answered(_, response) => response.headers().get(name)?.to_str().ok(),
            _ => None,
        }
    }
}

/// Sends a request and waits for its end, for at most ten seconds.
pub(crate) async fn send(
    method: Method,
    url: &str,
    headers: &[(&str, &str)],
    body: impl Into<Bytes>,
) -> Outcome {
    send_within(Duration::from_secs(10), method, url, headers, body).await
}

/// Sends a request and waits for its end, for at most `limit`.
pub(crate) async fn send_within(
    limit: Duration,
    method: Method,
    url: &str,
    headers: &[(&str, &str)],
    body: impl Into<Bytes>,
) -> Outcome {
    let url = url::Url::parse(url).unwrap();
    let authority = url.authority().to_owned();
    let mut request = Request::builder()
        .method(method)
        .uri(&url[url::Position::BeforePath..])
        .header(header::HOST, &authority);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Full::new(body.into())).unwrap();
    let exchange = async {
        let Ok(stream) = TcpStream::connect(&authority).await else {
            return Outcome::Refused;
        };
        let Ok((mut sender, connection)) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await
        else {
            return Outcome::Cut;
        };
        tokio::spawn(connection);
        let Ok(response) = sender.send_request(request).await else {
            return Outcome::Cut;
        };
        let (parts, body) = response.into_parts();
        match body.collect().await {
            Ok(body) => {
                let status = parts.status;
                Outcome::Answered(status, Response::from_parts(parts, body.to_bytes()))
            }
            Err(_) => Outcome::Cut,
        }
    };
    tokio::time::timeout(limit, exchange)
        .await
        .unwrap_or(Outcome::Silent)
}
