//! Why Storage refuses a request. It answers with status 400, and the real status is in the
//! body.

use bytes::Bytes;
use http::{Response, StatusCode};
use serde_json::json;
use tokio_postgres::error::SqlState;

use crate::answer;

/// A refusal.
#[derive(Debug)]
pub(super) struct Refusal {
    status: &'static str,
    error: &'static str,
    message: String,
}

impl Refusal {
    pub(super) fn new(
        status: &'static str,
        error: &'static str,
        message: impl Into<String>,
    ) -> Self {
        Self {
            status,
            error,
            message: message.into(),
        }
    }

    pub(super) fn no_bucket() -> Self {
        Self::new("404", "Bucket not found", "Bucket not found")
    }

    pub(super) fn no_object() -> Self {
        Self::new("404", "not_found", "Object not found")
    }

    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self::new("400", "InvalidRequest", message)
    }

    /// The word that clients go by.
    fn code(&self) -> &'static str {
        match (self.status, self.error) {
            ("404", "not_found") => "NoSuchKey",
            ("404", "Bucket not found") => "NoSuchBucket",
            ("403", _) => "AccessDenied",
            ("409", "Duplicate") => "ResourceAlreadyExists",
            ("413", _) => "EntityTooLarge",
            ("415", _) => "InvalidMimeType",
            ("416", _) => "InvalidRange",
            ("400", "InvalidKey") => "InvalidKey",
            ("500", _) => "InternalError",
            (_, _) => "InvalidRequest",
        }
    }

    pub(super) fn answer(&self) -> Response<Bytes> {
        let Self {
            status,
            error,
            message,
        } = self;
        // What broke inside is told as it is.
        let real = match *status {
            "500" => StatusCode::INTERNAL_SERVER_ERROR,
            _ => StatusCode::BAD_REQUEST,
        };
        answer::json(
            real,
            &json!({
                "statusCode": status,
                "code": self.code(),
                "error": error,
                "message": message,
            }),
        )
    }
}

impl From<tokio_postgres::Error> for Refusal {
    fn from(error: tokio_postgres::Error) -> Self {
        let Some(server) = error.as_db_error() else {
            return Self::new("500", "Internal", error.to_string());
        };
        match *server.code() {
            SqlState::INSUFFICIENT_PRIVILEGE => Self::new("403", "Unauthorized", server.message()),
            SqlState::UNIQUE_VIOLATION => {
                Self::new("409", "Duplicate", "The resource already exists")
            }
            SqlState::FOREIGN_KEY_VIOLATION => Self::no_bucket(),
            _ => Self::new("500", "Internal", server.message()),
        }
    }
}

impl From<std::io::Error> for Refusal {
    fn from(error: std::io::Error) -> Self {
        Self::new("500", "Internal", error.to_string())
    }
}
