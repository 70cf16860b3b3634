//! OpenTelemetry's protocol over HTTP, in both of its encodings: traces, logs and metrics.
//!
//! A client is answered in the encoding in which it sent. What is left out on purpose, such as
//! the spans of what an app does within itself, counts as taken, or clients would tell of it
//! with every batch; what cannot be used and what is more than the key may bring is told as a
//! partial success, which nobody sends again.

mod answer;
pub(super) mod attributes;
mod json;
mod logs;
pub(super) mod messages;
mod metrics;
mod sender;
mod spans;

use http::HeaderMap;
use prost::Message;
use serde_json::Value;

use super::{
    batch::Batch,
    source::{Received, Source},
};
use crate::{bounded_json, media_type, problem::Problem};

pub(super) use answer::refusal;

/// How many levels of a request are read: twelve hold a value, and three more each level of
/// what is in it.
const LEVELS: usize = 32;

/// Why something is left out that a client should not have sent.
const UNUSABLE: &str = "unusable";

pub(super) const TRACES: Source = Source {
    name: "otlp traces",
    decode: |received| {
        let traces = request(received, json::traces)?;
        Ok(batch(&traces, spans::take))
    },
    answer: |received, batch, taken| answer::exported("rejectedSpans", received, batch, taken),
    note_too_large: None,
};

pub(super) const LOGS: Source = Source {
    name: "otlp logs",
    decode: |received| Ok(batch(&logs_of(received)?, logs::take)),
    answer: |received, batch, taken| answer::exported("rejectedLogRecords", received, batch, taken),
    note_too_large: None,
};

pub(super) const METRICS: Source = Source {
    name: "otlp metrics",
    decode: |received| {
        let metrics = request(received, json::metrics)?;
        Ok(batch(&metrics, metrics::take))
    },
    answer: |received, batch, taken| answer::exported("rejectedDataPoints", received, batch, taken),
    note_too_large: None,
};

/// The log records of a request, for sources that send theirs in this form.
///
/// # Errors
/// 400 for what is of neither encoding.
pub(super) fn logs_of(received: &Received) -> Result<messages::Logs, Problem> {
    request(received, json::logs)
}

/// What a client of this protocol is answered about a batch of log records.
pub(super) use answer::exported;

/// Whether a body is in the encoding of protocol buffers; everything else is JSON.
pub(super) fn is_protobuf(headers: &HeaderMap) -> bool {
    let kind = media_type::of(headers);
    let kinds = ["application/x-protobuf", "application/protobuf"];
    kind.is_some_and(|kind| kinds.contains(&kind.as_str()))
}

fn batch<T>(request: &T, take: fn(&T, &mut Batch)) -> Batch {
    let mut batch = Batch::default();
    take(request, &mut batch);
    batch
}

/// A request in either encoding. Nothing at all is an empty one in both.
fn request<T: Message + Default>(
    received: &Received,
    of_json: fn(&Value) -> T,
) -> Result<T, Problem> {
    let body = received.body.as_slice();
    if is_protobuf(&received.headers) {
        return T::decode(body).map_err(|error| {
            Problem::BadRequest(format!("the body is not in protocol buffers: {error}"))
        });
    }
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(T::default());
    }
    match bounded_json::read(body, LEVELS) {
        Ok(document @ Value::Object(_)) => Ok(of_json(&document)),
        Ok(_) => Err(Problem::BadRequest("the body must be an object".into())),
        Err(error) => Err(Problem::BadRequest(format!("the body is no JSON: {error}"))),
    }
}

#[cfg(test)]
mod tests;
