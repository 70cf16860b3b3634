//! Log records: those of severity error and above are errors, the others events.

use serde_json::Value;

use super::{
    attributes::{self, Attributes},
    messages::{LogRecord, Logs},
    sender::{Sender, trace_of},
};
use crate::ingest::{
    batch::Batch,
    detail::Details,
    item::{Item, Kind},
    moment, thrown,
};

/// `SEVERITY_NUMBER_ERROR`.
const ERROR: i32 = 17;

/// `SEVERITY_NUMBER_FATAL`.
const FATAL: i32 = 21;

/// Makes items of records.
pub(super) fn take(logs: &Logs, batch: &mut Batch) {
    for part in &logs.resource_logs {
        let sender = Sender::new(part.resource.as_ref());
        for record in part.scope_logs.iter().flat_map(|scope| &scope.log_records) {
            match read(&sender, record) {
                Some(item) => batch.add(item),
                None => batch.drop(super::UNUSABLE, 1),
            }
        }
    }
}

/// Nothing of a record that says nothing.
fn read(sender: &Sender, record: &LogRecord) -> Option<Item> {
    let said = Attributes(&record.attributes);
    let body = record
        .body
        .as_ref()
        .map(attributes::json)
        .unwrap_or_default();
    if body.is_null() && record.attributes.is_empty() && record.event_name.is_empty() {
        return None;
    }
    let time = [record.time_unix_nano, record.observed_time_unix_nano];
    let time = time.into_iter().find_map(moment::of_nanoseconds);
    let trace = trace_of(&record.trace_id);
    let more = said.all();
    let same = Value::from(vec![
        Value::from(record.time_unix_nano),
        Value::from(trace.clone()),
        Value::from(record.event_name.as_str()),
        body.clone(),
        Value::Object(more.clone()),
    ]);
    let same = same.to_string();
    let text = match &body {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let is_error = severity(record) >= ERROR;
    let item = if is_error {
        error(
            said,
            &text,
            severity(record) >= FATAL,
            trace,
            same.as_bytes(),
        )
    } else {
        let named = Some(record.event_name.as_str()).filter(|name| !name.is_empty());
        let name = named
            .or_else(|| said.text(&["event.name"]))
            .unwrap_or("log");
        let details = Details::default()
            .with("message", (!body.is_null()).then_some(body))
            .with("level", Some(record.severity_text.to_ascii_lowercase()))
            .with("trace", trace)
            .with(
                "attributes",
                (!more.is_empty()).then_some(Value::Object(more)),
            );
        Item::new(Kind::Event, name, None, same.as_bytes()).detail(details.all())
    };
    Some(sender.sign(item, said).at(time))
}

fn error(
    said: Attributes<'_>,
    text: &str,
    fatal: bool,
    trace: Option<String>,
    same: &[u8],
) -> Item {
    let thrown = thrown::read(text);
    let name = said.text(&["exception.type"]).unwrap_or(thrown.name);
    let message = said.text(&["exception.message"]).unwrap_or(thrown.message);
    let stack = said.text(&["exception.stacktrace"]).or(thrown.stack);
    let details = Details::default()
        .with("message", Some(message))
        .with("stack", stack)
        .with("severity", Some(if fatal { "critical" } else { "high" }))
        .with("transaction", said.text(&["http.route", "next.route"]))
        .with("trace", trace);
    Item::new(Kind::Error, name, None, same).detail(details.all())
}

/// The number, or what the text says where there is none.
fn severity(record: &LogRecord) -> i32 {
    if record.severity_number != 0 {
        return record.severity_number;
    }
    let text = record.severity_text.to_ascii_lowercase();
    match text.as_str() {
        "error" | "err" => ERROR,
        "fatal" | "critical" | "crit" | "alert" | "emergency" | "panic" => FATAL,
        _ => 0,
    }
}
