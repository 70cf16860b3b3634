//! What a client of the protocol is answered: in its own encoding, that all was taken, that a
//! part was not, or why nothing was.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use prost::Message;
use serde_json::{Value, json};

use super::{
    UNUSABLE, is_protobuf,
    messages::{Exported, Partial, Refusal},
};
use crate::{
    handler::{self, Answer},
    ingest::{
        Taken,
        batch::{Batch, TOO_MANY},
        source::Received,
    },
    problem::Problem,
};

/// Codes of `google.rpc.Code`.
mod code {
    pub(super) const INVALID_ARGUMENT: i32 = 3;
    pub(super) const PERMISSION_DENIED: i32 = 7;
    pub(super) const RESOURCE_EXHAUSTED: i32 = 8;
    pub(super) const INTERNAL: i32 = 13;
    pub(super) const UNAVAILABLE: i32 = 14;
    pub(super) const UNAUTHENTICATED: i32 = 16;
}

/// Answers a batch: 200, with what was not taken of it under that name; 429 where nothing of
/// it could be taken because it is too much.
///
/// # Errors
/// 500 if the answer cannot be written, which is our fault.
pub(in crate::ingest) fn exported(
    rejected: &'static str,
    received: &Received,
    batch: &Batch,
    taken: &Taken,
) -> Answer {
    let dropped = |reason: &str| batch.drops.get(reason).copied().unwrap_or_default();
    let parts = [
        (dropped(UNUSABLE), "cannot be used"),
        (dropped(TOO_MANY), "are too many in a request"),
        (taken.over_quota, "are more than the key may bring"),
    ];
    if taken.over_quota > 0 && taken.over_quota == batch.items.len() as u64 {
        let message = "the key may bring no more now";
        let status = StatusCode::TOO_MANY_REQUESTS;
        let mut response = refused(&received.headers, status, code::RESOURCE_EXHAUSTED, message)?;
        let seconds = taken.retry_after_seconds.unwrap_or(60);
        response
            .headers_mut()
            .insert(header::RETRY_AFTER, seconds.into());
        return Ok(response);
    }
    let parts: Vec<_> = parts.into_iter().filter(|(count, _)| *count > 0).collect();
    let count: u64 = parts.iter().map(|(count, _)| count).sum();
    let partial = (count > 0).then(|| {
        let reasons = parts
            .iter()
            .map(|(count, reason)| format!("{count} {reason}"));
        Partial {
            rejected: i64::try_from(count).unwrap_or(i64::MAX),
            error_message: reasons.collect::<Vec<_>>().join(", "),
        }
    });
    if is_protobuf(&received.headers) {
        let message = Exported {
            partial_success: partial,
        };
        return Ok(protobuf(StatusCode::OK, &message));
    }
    let body = match partial {
        None => json!({}),
        Some(partial) => json!({ "partialSuccess": {
            // 64 bits are a text in JSON.
            rejected: partial.rejected.to_string(),
            "errorMessage": partial.error_message,
        }}),
    };
    handler::json(StatusCode::OK, &body)
}

/// A problem in the form of the protocol.
///
/// # Errors
/// 500 if the answer cannot be written, which is our fault.
pub(in crate::ingest) fn refusal(headers: &HeaderMap, problem: &Problem) -> Answer {
    let code = match problem {
        Problem::BadRequest(_)
        | Problem::NotFound(_)
        | Problem::MethodNotAllowed(_)
        | Problem::PayloadTooLarge(_)
        | Problem::UnsupportedMediaType => code::INVALID_ARGUMENT,
        Problem::Unauthorized | Problem::NotSignedIn => code::UNAUTHENTICATED,
        Problem::Forbidden => code::PERMISSION_DENIED,
        Problem::TooManyRequests { .. } => code::RESOURCE_EXHAUSTED,
        Problem::Unavailable(_) => code::UNAVAILABLE,
        Problem::Internal => code::INTERNAL,
    };
    refused(headers, problem.status(), code, &problem.to_string())
}

fn refused(headers: &HeaderMap, status: StatusCode, code: i32, message: &str) -> Answer {
    let message = message.to_owned();
    if is_protobuf(headers) {
        return Ok(protobuf(status, &Refusal { code, message }));
    }
    let body: Value = json!({ "code": code, "message": message });
    handler::json(status, &body)
}

fn protobuf(status: StatusCode, message: &impl Message) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(message.encode_to_vec()));
    *response.status_mut() = status;
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/x-protobuf"),
    );
    response
}
