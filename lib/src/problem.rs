//! Errors as a caller sees them: RFC 9457 `application/problem+json`.
//!
//! A problem says what the caller can do about it and nothing of our insides;
//! what happened inside is logged where it happened, under the same request id.

use bytes::Bytes;
use http::{HeaderValue, Method, Response, StatusCode, header};
use serde_json::{Map, Value, json};

/// Why a request was not served.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Problem {
    /// 400: the request cannot be understood; the text says what and where.
    #[error("bad request: {0}")]
    BadRequest(String),
    /// 401: no proof of who is calling, or a wrong one.
    #[error("unauthorized")]
    Unauthorized,
    /// 401: an address, password, code or session that is not right, whichever it is.
    #[error("invalid")]
    NotSignedIn,
    /// 403: the caller is known and may not do this.
    #[error("forbidden")]
    Forbidden,
    /// 404: what the request names is not there; the text is for callers.
    #[error("not found: {0}")]
    NotFound(&'static str),
    /// 405: the endpoint exists, the method does not.
    #[error("method not allowed")]
    MethodNotAllowed(Vec<Method>),
    /// 413: the body is larger than the endpoint takes, in bytes.
    #[error("body over {0} bytes")]
    PayloadTooLarge(usize),
    /// 415: the body's type is not the one the endpoint takes.
    #[error("unsupported media type")]
    UnsupportedMediaType,
    /// 429: too many wrong proofs or tries; seconds until the next one.
    #[error("too many tries")]
    TooManyRequests {
        /// Seconds until the next try.
        retry_after: u64,
    },
    /// 503: configuration or a dependency is missing; the text is for callers.
    #[error("unavailable: {0}")]
    Unavailable(&'static str),
    /// 500: our fault. The log says what.
    #[error("internal error")]
    Internal,
}

impl Problem {
    /// The HTTP status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self {
            Self::BadRequest(_) => StatusCode::BAD_REQUEST,
            Self::Unauthorized | Self::NotSignedIn => StatusCode::UNAUTHORIZED,
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed(_) => StatusCode::METHOD_NOT_ALLOWED,
            Self::PayloadTooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooManyRequests { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn detail(&self) -> String {
        match self {
            Self::BadRequest(detail) => detail.clone(),
            Self::Unauthorized => "a valid proof of who is calling is required".into(),
            Self::NotSignedIn => "invalid: this does not sign anybody in".into(),
            Self::Forbidden => "the caller is known but may not do this".into(),
            Self::MethodNotAllowed(allowed) => format!("allowed: {}", join(allowed)),
            Self::PayloadTooLarge(limit) => format!("the body may have at most {limit} bytes"),
            Self::UnsupportedMediaType => "the body must be application/json".into(),
            Self::TooManyRequests { retry_after } => {
                format!("too many tries; try again in {retry_after} s")
            }
            Self::NotFound(detail) | Self::Unavailable(detail) => (*detail).into(),
            Self::Internal => {
                "something went wrong here; the request id finds it in the log".into()
            }
        }
    }

    /// The answer, with the headers that its status asks for.
    #[must_use]
    pub fn response(&self, request_id: &str) -> Response<Bytes> {
        let status = self.status();
        let body: Map<String, Value> = [
            ("type", json!("about:blank")),
            ("title", json!(status.canonical_reason())),
            ("status", json!(status.as_u16())),
            ("detail", json!(self.detail())),
            ("requestId", json!(request_id)),
        ]
        .map(|(key, value)| (key.to_owned(), value))
        .into_iter()
        .collect();
        let mut response = Response::new(Bytes::from(Value::from(body).to_string()));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        match self {
            Self::Unauthorized | Self::NotSignedIn => {
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            Self::MethodNotAllowed(allowed) => {
                if let Ok(value) = HeaderValue::from_str(&join(allowed)) {
                    headers.insert(header::ALLOW, value);
                }
            }
            Self::TooManyRequests { retry_after } => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from(*retry_after));
            }
            _ => {}
        }
        response
    }
}

fn join(methods: &[Method]) -> String {
    methods
        .iter()
        .map(Method::as_str)
        .collect::<Vec<_>>()
        .join(", ")
}
