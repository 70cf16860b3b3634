//! The bundle's one HTTP client, as the object store's crate takes it.

use std::time::Duration;

use futures_util::future::BoxFuture;
use http::StatusCode;
use http_body_util::BodyExt;
use object_store::{
    ClientOptions,
    client::{
        HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse,
        HttpResponseBody, HttpService,
    },
};
use outside::failure::Failure;

/// How long one request may take, a segment's upload over a slow line included.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Hands out the client, whatever options the crate would have.
#[derive(Debug)]
pub(super) struct Connector(pub(super) reqwest::Client);

impl HttpConnector for Connector {
    fn connect(&self, _options: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(Service(self.0.clone())))
    }
}

#[derive(Debug)]
struct Service(reqwest::Client);

impl HttpService for Service {
    fn call<'service, 'call>(
        &'service self,
        request: HttpRequest,
    ) -> BoxFuture<'call, Result<HttpResponse, HttpError>>
    where
        'service: 'call,
    {
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let body = body.collect().await?.to_bytes();
            let mut request = reqwest::Request::try_from(http::Request::from_parts(parts, body))
                .map_err(failed)?;
            *request.timeout_mut() = Some(TIMEOUT);
            let response = self.0.execute(request).await.map_err(failed)?;
            if let Some(status) = Status::of(response.status()) {
                return Err(HttpError::new(HttpErrorKind::Unknown, status));
            }
            let (parts, body) = http::Response::from(response).into_parts();
            let body = HttpResponseBody::new(body.map_err(failed));
            Ok(HttpResponse::from_parts(parts, body))
        })
    }
}

/// A status that the crate has no error of its own for. It hides its type for
/// all others, and with it the number; the body, which may repeat a key's id, is
/// dropped.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("it answers with status {}", .0.as_u16())]
pub(super) struct Status(StatusCode);

impl Status {
    fn of(status: StatusCode) -> Option<Self> {
        let is_known =
            status.is_success() || matches!(status.as_u16(), 304 | 401 | 403 | 404 | 409 | 412);
        (!is_known).then_some(Self(status))
    }

    /// Whether the same request may fare better a little later. Status 400 is
    /// what S3 says of bytes that were altered or went missing on the way.
    pub(super) fn is_passing(self) -> bool {
        let is_server_error = self.0.is_server_error() && !self.is_not_implemented();
        is_server_error || matches!(self.0.as_u16(), 400 | 408 | 425 | 429)
    }

    /// Whether the store does not know the request at all, today or tomorrow.
    pub(super) fn is_not_implemented(self) -> bool {
        self.0 == StatusCode::NOT_IMPLEMENTED
    }
}

/// The failure without the address, and without the crate's own retries: what a
/// lost answer means is decided by the store.
#[expect(clippy::needless_pass_by_value, reason = "as `map_err` gives it")]
fn failed(error: reqwest::Error) -> HttpError {
    let failure = Failure::of(&error);
    let kind = match failure {
        Failure::Timeout => HttpErrorKind::Timeout,
        Failure::Dns | Failure::Private | Failure::Connect | Failure::Tls => HttpErrorKind::Connect,
        Failure::Reset => HttpErrorKind::Interrupted,
        Failure::TooLarge | Failure::Request => HttpErrorKind::Unknown,
    };
    HttpError::new(kind, failure)
}
