//! What the gateway answers when it cannot do what was asked.
//!
//! Every error has the four keys that clients of PostgREST read: `code`,
//! `message`, `details` and `hint`.

use bytes::Bytes;
use http::{
    HeaderName, HeaderValue, Response, StatusCode,
    header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE},
};
use serde_json::json;

use super::TokenRefused;

/// Where a proxy's error is told; PostgREST repeats its code there.
const PROXY_STATUS: HeaderName = HeaderName::from_static("proxy-status");

/// The result of everything that may end in an answer to the client.
pub(super) type Result<T> = std::result::Result<T, ApiError>;

/// An error as the client sees it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ApiError {
    status: StatusCode,
    /// Absent where Supabase's outer gateway answers instead of PostgREST.
    code: Option<Box<str>>,
    message: Box<str>,
    details: Option<Box<str>>,
    hint: Option<Box<str>>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl ApiError {
    /// An error with PostgREST's code and text.
    pub(super) fn new(status: StatusCode, code: &str, message: impl Into<Box<str>>) -> Self {
        Self {
            status,
            code: Some(code.into()),
            message: message.into(),
            details: None,
            hint: None,
            headers: Vec::new(),
        }
    }

    /// An error of Supabase's outer gateway, which checks API keys.
    pub(super) fn bad_key(message: &str, hint: &str) -> Self {
        Self {
            code: None,
            hint: Some(hint.into()),
            ..Self::new(StatusCode::UNAUTHORIZED, "", message)
        }
    }

    /// A token that proves nothing: 401, told in `WWW-Authenticate` too.
    pub(super) fn bad_token(code: &str, message: &str) -> Self {
        let challenge = format!("Bearer error=\"invalid_token\", error_description=\"{message}\"");
        Self::new(StatusCode::UNAUTHORIZED, code, message).header(WWW_AUTHENTICATE, &challenge)
    }

    /// A malformed request: 400.
    pub(super) fn bad_request(code: &str, message: impl Into<Box<str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message)
    }

    /// A range that selects nothing: 416.
    pub(super) fn bad_range(details: impl Into<Box<str>>) -> Self {
        Self::new(
            StatusCode::RANGE_NOT_SATISFIABLE,
            "PGRST103",
            "Requested range not satisfiable",
        )
        .details(details)
    }

    /// The database cannot be reached: 503, which clients may try again.
    pub(super) fn unreachable(code: &str, message: &str, cause: &dyn std::error::Error) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, code, message)
            .details(chain(cause))
            .header(RETRY_AFTER, "1")
    }

    /// The refusal of a token, for callers that answer in another form.
    pub(super) fn into_token_refused(self) -> TokenRefused {
        TokenRefused {
            code: self.code.unwrap_or_default().into(),
            message: self.message.into(),
        }
    }

    /// Adds what was found.
    pub(super) fn details(mut self, details: impl Into<Box<str>>) -> Self {
        self.details = Some(details.into());
        self
    }

    /// Adds what to do.
    pub(super) fn hint(mut self, hint: impl Into<Box<str>>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds a header; one whose value no header can hold is left out.
    pub(super) fn header(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.push((name, value));
        }
        self
    }

    /// The answer.
    pub(super) fn into_response(self) -> Response<Bytes> {
        let body = match &self.code {
            Some(code) => json!({
                "code": code,
                "message": self.message,
                "details": self.details,
                "hint": self.hint,
            }),
            None => json!({"message": self.message, "hint": self.hint}),
        };
        let mut response = Response::new(Bytes::from(body.to_string()));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("application/json; charset=utf-8"),
        );
        let proxy_status = self.code.map(|code| format!("PostgREST; error={code}"));
        if let Some(Ok(value)) = proxy_status.map(|text| HeaderValue::from_str(&text)) {
            headers.insert(PROXY_STATUS, value);
        }
        for (name, value) in self.headers {
            headers.append(name, value);
        }
        response
    }
}

/// An error with all its causes, in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text = format!("{text}: {cause}");
        next = cause.source();
    }
    text
}
