//! A proxy in front of a service, for faults that only the wire can have.

use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use local_supabase::server::{Answer, Server};
use outside::outbound::{self, Outbound};

/// What a proxy does with one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Passes it on, and its answer back.
    Pass,
    /// Answers with that status; the service never hears of it.
    Refuse(StatusCode),
    /// Passes it on and loses the answer.
    LoseAnswer,
}

/// Serves in front of `upstream`; `judge` is asked for every request.
pub(crate) async fn in_front_of(
    upstream: String,
    judge: impl Fn(&Request<Bytes>) -> Verdict + Send + Sync + 'static,
) -> Server {
    let outbound = Arc::new(Outbound::default());
    Server::bind(None, move |request| {
        let verdict = judge(&request);
        let (upstream, outbound) = (upstream.clone(), Arc::clone(&outbound));
        async move {
            match verdict {
                Verdict::Refuse(status) => {
                    let mut response = Response::new(Bytes::new());
                    *response.status_mut() = status;
                    Answer::Response(response)
                }
                Verdict::Pass => forward(&outbound, &upstream, request).await,
                Verdict::LoseAnswer => {
                    forward(&outbound, &upstream, request).await;
                    Answer::Drop
                }
            }
        }
    })
    .await
    .expect("a proxy")
}

/// Passes a request on. An upstream that cuts the connection is cut here too.
pub(crate) async fn forward(
    outbound: &Outbound,
    upstream: &str,
    request: Request<Bytes>,
) -> Answer {
    let (mut head, body) = request.into_parts();
    head.headers.remove("host");
    let path = head.uri.path_and_query().map_or("/", |path| path.as_str());
    let sent = outbound
        .client()
        .expect("a client")
        .request(head.method, format!("{upstream}{path}"))
        .headers(head.headers)
        .body(body)
        .send()
        .await;
    let Ok(received) = sent else {
        return Answer::Drop;
    };
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = received.status();
    response.headers_mut().extend(received.headers().clone());
    response.headers_mut().remove("transfer-encoding");
    match outbound::body(received, usize::MAX / 2).await {
        Ok(body) => Answer::Response(response.map(|_| body)),
        Err(_) => Answer::Drop,
    }
}
