//! Supabase's log drains, as JSON over HTTP and in OpenTelemetry's form: errors of PostgreSQL,
//! sign-ins that failed, requests that its edge answered with an error of its own.
//!
//! A row has `event_message`, `timestamp` in microseconds and `metadata`, whose parts tell
//! which service it is of. In OpenTelemetry's form the service is the sender's name, the
//! message the event's, and the rest of the row the body.

mod auth;
mod edge;
mod postgres;
mod row;

use serde_json::{Map, Value};

use super::{
    batch::Batch,
    otlp,
    source::{self, Received, Source},
};
use crate::{bounded_json, problem::Problem};
use row::Row;

/// How many levels of a row are read.
const LEVELS: usize = 12;

pub(super) const SOURCE: Source = Source {
    name: "supabase",
    decode,
    answer: |received, batch, taken| {
        if otlp::is_protobuf(&received.headers) {
            otlp::exported("rejectedLogRecords", received, batch, taken)
        } else {
            source::counted(received, batch, taken)
        }
    },
    note_too_large: None,
};

fn decode(received: &Received) -> Result<Batch, Problem> {
    let mut batch = Batch::default();
    for row in rows(received)? {
        let Some(row) = Row::new(&row) else {
            batch.drop("unknown type", 1);
            continue;
        };
        let item = postgres::read(&row)
            .or_else(|| auth::read(&row))
            .or_else(|| edge::read(&row));
        match item {
            Some(item) => batch.add(item),
            None => batch.drop("row that is not kept", 1),
        }
    }
    Ok(batch)
}

fn rows(received: &Received) -> Result<Vec<Value>, Problem> {
    if otlp::is_protobuf(&received.headers) {
        return Ok(records(&otlp::logs_of(received)?));
    }
    if received.body.iter().all(u8::is_ascii_whitespace) {
        return Ok(Vec::new());
    }
    match bounded_json::read(&received.body, LEVELS) {
        Ok(Value::Array(rows)) => Ok(rows),
        Ok(document @ Value::Object(_)) if document["resourceLogs"].is_array() => {
            Ok(records(&otlp::logs_of(received)?))
        }
        Ok(row @ Value::Object(_)) => Ok(vec![row]),
        Ok(_) => Err(Problem::BadRequest(
            "the body must be an array of rows".into(),
        )),
        Err(error) => Err(Problem::BadRequest(format!("the body is no JSON: {error}"))),
    }
}

/// The rows that records of OpenTelemetry's form are.
fn records(logs: &otlp::messages::Logs) -> Vec<Value> {
    let mut rows = Vec::new();
    for part in &logs.resource_logs {
        for record in part.scope_logs.iter().flat_map(|scope| &scope.log_records) {
            let body = record.body.as_ref().map(otlp::attributes::json);
            let mut row = match body {
                Some(Value::Object(fields)) => fields,
                Some(Value::String(message)) => {
                    Map::from_iter([("event_message".to_owned(), Value::String(message))])
                }
                Some(_) | None => Map::new(),
            };
            if !record.event_name.is_empty() {
                row.entry("event_message")
                    .or_insert_with(|| Value::from(record.event_name.as_str()));
            }
            let microseconds = record.time_unix_nano / 1_000;
            if microseconds > 0 {
                row.entry("timestamp")
                    .or_insert_with(|| Value::from(microseconds));
            }
            rows.push(Value::Object(row));
        }
    }
    rows
}

#[cfg(test)]
mod tests;
