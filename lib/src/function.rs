//! One request, from method check to answer: the same for every platform, the
//! local server and the tests.

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, header};

use crate::{app::App, auth::Gate, endpoint::Endpoint, handler::Routes};

/// An instance of one endpoint's function. It may be frozen, doubled and killed
/// at any instant: nothing that it keeps between requests has to survive.
#[derive(Debug)]
pub struct Function {
    app: App,
    gate: Gate,
    routes: Routes,
}

/// The id under which logs, reports and problems name a request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RequestId(pub String);

impl RequestId {
    /// The id that the platform's request carries.
    #[must_use]
    pub fn of(request: &Request<Bytes>) -> Self {
        request.extensions().get().cloned().unwrap_or_default()
    }
}

impl Function {
    /// A fresh instance, which has seen no caller yet.
    #[must_use]
    pub fn new(app: App, routes: Routes) -> Self {
        Self {
            app,
            gate: Gate::default(),
            routes,
        }
    }

    /// The environment and the clients of this instance.
    #[must_use]
    pub fn app(&self) -> &App {
        &self.app
    }

    /// Which endpoint it answers.
    #[must_use]
    pub fn endpoint(&self) -> Endpoint {
        self.routes.endpoint()
    }

    /// Answers a request. Nothing goes wrong past this: every error has become an
    /// answer.
    pub async fn handle(&self, request: Request<Bytes>) -> Response<Bytes> {
        let request_id = RequestId::of(&request);
        let head = request.method() == Method::HEAD;
        let answer = self.routes.answer(&self.app, &self.gate, request).await;
        let mut response = answer.unwrap_or_else(|problem| problem.response(&request_id.0));
        if head {
            *response.body_mut() = Bytes::new();
        }
        if self.endpoint().spec().open_to_pages {
            open_to_pages(&mut response);
        }
        finish(response, &request_id)
    }
}

/// Lets pages of any origin read an answer, its limits included. Whatever proves who they are
/// stands in the request itself, never in a cookie.
fn open_to_pages(response: &mut Response<Bytes>) {
    let headers = response.headers_mut();
    for (name, value) in [
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (
            header::ACCESS_CONTROL_EXPOSE_HEADERS,
            "retry-after, x-sentry-rate-limits, x-request-id",
        ),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

/// Headers that every answer carries. None may be kept by a cache unless it says so itself:
/// they are true now, and most need a proof.
fn finish(mut response: Response<Bytes>, RequestId(id): &RequestId) -> Response<Bytes> {
    let headers = response.headers_mut();
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    if let Ok(id) = HeaderValue::from_str(id) {
        headers.insert("x-request-id", id);
    }
    response
}
