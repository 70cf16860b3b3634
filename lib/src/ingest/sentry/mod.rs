//! What Sentry's clients send, with only their DSN changed: envelopes to
//! `/api/PROJECT/envelope/`, and from old ones bare events to `/api/PROJECT/store/`.
//!
//! An [`envelope`] holds parts of many types; each type that is kept has a file of its own
//! here. What is not kept is counted by its reason, because a client learns of nothing but
//! limits. See "Envelopes" at develop.sentry.dev.

mod check_in;
mod client_report;
mod crontab;
mod envelope;
mod error;
mod event;
mod feedback;
mod fields;
mod log;
mod metric;
mod pattern;
mod session;
mod span;
mod vital;

use http::{HeaderValue, StatusCode, header};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::{
    Taken,
    batch::Batch,
    item::{Item, Kind},
    source::{Received, Source},
};
use crate::{
    bounded_json, encoded_body,
    handler::{self, Answer},
    hexadecimal::hexadecimal,
    problem::Problem,
};
use envelope::{Envelope, Part};
use fields::Fields;

/// How many parts an envelope may have.
const PARTS: usize = 100;

/// How large a part may be, in bytes.
const LARGEST: usize = 1024 * 1024;

/// How many levels of a part are read.
const LEVELS: usize = 14;

pub(super) const ENVELOPE: Source = Source {
    name: "sentry",
    decode: decode_envelope,
    answer,
    note_too_large: Some(note_too_large),
};

pub(super) const STORE: Source = Source {
    name: "sentry",
    decode: decode_event,
    answer,
    note_too_large: Some(note_too_large),
};

/// What is made of a request.
struct Reading {
    batch: Batch,
    /// What the envelope says of itself. It tells apart what has no id of its own.
    said: String,
}

fn decode_envelope(received: &Received) -> Result<Batch, Problem> {
    let envelope =
        Envelope::open(&received.body).map_err(|wrong| Problem::BadRequest(wrong.to_owned()))?;
    let mut reading = Reading {
        batch: Batch {
            sent_at: fields::time(&envelope.header, "sent_at"),
            reference: fields::id(&envelope.header, "event_id"),
            ..Batch::default()
        },
        said: Value::from(envelope.header).to_string(),
    };
    for (nth, part) in envelope.parts.enumerate() {
        match part {
            _ if nth >= PARTS => reading.batch.drop("too many in a request", 1),
            Part::Whole { kind, payload, .. } => reading.read(&kind, payload),
            Part::Truncated => reading.batch.drop("truncated", 1),
            Part::Unreadable => reading.batch.drop("unreadable", 1),
        }
    }
    Ok(reading.batch)
}

fn decode_event(received: &Received) -> Result<Batch, Problem> {
    let event: Fields = bounded_json::read(&received.body, LEVELS)
        .map_err(|error| Problem::BadRequest(format!("the body is no event: {error}")))?;
    let mut reading = Reading {
        batch: Batch {
            reference: fields::id(&event, "event_id"),
            ..Batch::default()
        },
        said: String::new(),
    };
    let kind = fields::text(&event, "type").filter(|kind| *kind == "transaction");
    if received.body.len() > LARGEST {
        reading.note_too_large("event", received.body.len());
    } else {
        reading.keep(kind.unwrap_or("event"), &event);
    }
    Ok(reading.batch)
}

/// What is known of a body that nobody reads: that it came.
fn note_too_large(body: &[u8]) -> Batch {
    let mut reading = Reading {
        batch: Batch::default(),
        said: hexadecimal(&Sha256::digest(body)),
    };
    reading.note_too_large("envelope", encoded_body::LIMIT);
    reading.batch
}

impl Reading {
    fn read(&mut self, kind: &str, payload: &[u8]) {
        if is_skipped(kind) {
            self.batch.drop("attachment, replay or profile", 1);
        } else if payload.len() > LARGEST {
            self.note_too_large(kind, payload.len());
        } else if category(kind).is_none() {
            self.batch.drop("unknown type", 1);
        } else {
            match bounded_json::read(payload, LEVELS) {
                Ok(given) => self.keep(kind, &given),
                Err(_) => self.batch.drop("unreadable", 1),
            }
        }
    }

    /// Keeps what a part of that type holds.
    fn keep(&mut self, kind: &str, given: &Fields) {
        match kind {
            "event" => self.add(kind, error::read(&self.said, given)),
            "transaction" => self.add_spans(kind, span::of_transaction(&self.said, given)),
            "span" if !given.contains_key("items") => {
                self.add_spans(kind, span::of_standalone(&self.said, given));
            }
            "span" | "log" | "trace_metric" => self.keep_each(kind, given),
            "session" => self.add(kind, session::read(&self.said, given)),
            "sessions" => {
                for item in session::of_aggregates(&self.said, given) {
                    self.add(kind, item);
                }
            }
            "check_in" => self.take_check_in(given),
            "client_report" => {
                for (reason, items) in client_report::read(given) {
                    self.batch.drop(&reason, items);
                }
            }
            "feedback" => self.add_known(kind, feedback::of_event(&self.said, given)),
            "user_report" => self.add_known(kind, feedback::of_report(&self.said, given)),
            _ => self.batch.drop("unknown type", 1),
        }
    }

    /// Keeps the items of a container; one odd one is left out alone.
    fn keep_each(&mut self, kind: &str, given: &Fields) {
        for item in fields::listed(given, "items") {
            let Some(given) = item.as_object() else {
                self.batch.drop("unreadable", 1);
                continue;
            };
            match kind {
                "span" => self.add_spans(kind, span::of_stream(&self.said, given)),
                "log" => self.add_known(kind, log::read(&self.said, given)),
                _ => self.add_known(kind, metric::read(&self.said, given)),
            }
        }
    }

    fn take_check_in(&mut self, given: &Fields) {
        match check_in::read(given) {
            Some(_) if !check_in::is_production(given) => {
                self.batch.drop("check-in outside production", 1);
            }
            Some(check_in) => self.batch.check_ins.push(check_in),
            None => self.batch.drop("unusable check-in", 1),
        }
    }

    fn add_spans(&mut self, kind: &str, read: span::Read) {
        self.batch
            .drop("span of a kind that is not kept", read.left_out);
        for item in read.items {
            self.add(kind, item);
        }
    }

    fn add_known(&mut self, kind: &str, item: Option<Item>) {
        match item {
            Some(item) => self.add(kind, item),
            None => self.batch.drop("unreadable", 1),
        }
    }

    fn add(&mut self, kind: &str, item: Item) {
        self.batch.add_of(category(kind).unwrap_or("default"), item);
    }

    /// A broken app that sends too much reports at least that.
    fn note_too_large(&mut self, kind: &str, bytes: usize) {
        let same = format!("{}{kind}{bytes}", self.said);
        let item = Item::new(
            Kind::Error,
            "event too large",
            self.batch.reference,
            same.as_bytes(),
        );
        let detail = Map::from_iter([
            (
                "message".to_owned(),
                json!(format!("{bytes} bytes or more, of {LARGEST} that may be")),
            ),
            ("severity".to_owned(), json!("medium")),
            ("type".to_owned(), json!(kind)),
        ]);
        self.add("event", item.detail(detail));
    }
}

/// Types that are known and never kept.
fn is_skipped(kind: &str) -> bool {
    matches!(kind, "attachment" | "view_hierarchy")
        || kind.starts_with("replay")
        || kind.starts_with("profile")
}

/// What clients call the limit under which a type falls; none of a type that is unknown.
fn category(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "event" => "error",
        "transaction" => "transaction",
        "span" => "span",
        "log" => "log_item",
        "trace_metric" => "trace_metric",
        "session" | "sessions" => "session",
        "check_in" => "monitor",
        "client_report" => "internal",
        "feedback" => "feedback",
        "user_report" => "user_report",
        _ => return None,
    })
}

/// The event's id; and once the quota is used up, which kinds wait how long. It is 429 where
/// nothing of the batch could be taken.
fn answer(_: &Received, batch: &Batch, taken: &Taken) -> Answer {
    let id = batch.reference.map(|id| id.simple().to_string());
    let body = id.map_or(json!({}), |id| json!({ "id": id }));
    let refused = usize::try_from(taken.over_quota).unwrap_or(usize::MAX);
    let admitted = batch.items.len().saturating_sub(refused);
    let nothing = refused > 0 && admitted == 0;
    let status = if nothing {
        StatusCode::TOO_MANY_REQUESTS
    } else {
        StatusCode::OK
    };
    let mut response = handler::json(status, &body)?;
    if let (1.., Some(seconds)) = (refused, taken.retry_after_seconds) {
        let mut categories = batch
            .categories
            .get(admitted..)
            .unwrap_or_default()
            .to_vec();
        categories.sort_unstable();
        categories.dedup();
        let limits = format!("{seconds}:{}:key", categories.join(";"));
        let headers = response.headers_mut();
        if let Ok(limits) = HeaderValue::from_str(&limits) {
            headers.insert("x-sentry-rate-limits", limits);
        }
        headers.insert(header::RETRY_AFTER, seconds.into());
    }
    Ok(response)
}

#[cfg(test)]
mod tests;
