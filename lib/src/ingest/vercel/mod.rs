//! Vercel's drains: request logs, Speed Insights and Web Analytics, each record told apart by
//! its schema. A body is an array, one record, or a record a line.
//!
//! What shows whose drain it is stands in `auth`: the project key in its URL and, where its
//! secret is known, the signature of the body.

mod analytics;
mod logs;
mod speed_insights;
mod webhooks;

use serde_json::Value;

use super::{
    batch::Batch,
    source::{self, Received, Source},
};
use crate::{bounded_json, problem::Problem};

pub(super) use webhooks::SOURCE as WEBHOOK;

/// How many levels of a record are read.
const LEVELS: usize = 8;

pub(super) const DRAIN: Source = Source {
    name: "vercel",
    decode,
    answer: source::counted,
    note_too_large: None,
};

fn decode(received: &Received) -> Result<Batch, Problem> {
    let mut batch = Batch::default();
    let records = records(&received.body, &mut batch)?;
    let mut logs = logs::Logs::new(received.own_host.as_deref());
    for record in &records {
        match record["schema"].as_str() {
            Some(schema) if schema.starts_with("vercel.speed_insights.") => {
                speed_insights::take(record, &mut batch);
            }
            Some(schema) if schema.starts_with("vercel.analytics.") => {
                analytics::take(record, &mut batch);
            }
            None if record["id"].is_string() && record["source"].is_string() => {
                logs.take(record, &mut batch);
            }
            Some(_) | None => batch.drop("unknown type", 1),
        }
    }
    Ok(batch)
}

/// The records of a body; a line that cannot be read is left out.
fn records(body: &[u8], batch: &mut Batch) -> Result<Vec<Value>, Problem> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(Vec::new());
    }
    let whole = match bounded_json::read(body, LEVELS) {
        Ok(Value::Array(records)) => return Ok(records),
        Ok(record @ Value::Object(_)) => return Ok(vec![record]),
        Ok(_) => None,
        Err(error) => Some(error),
    };
    let lines = body.split(|byte| *byte == b'\n');
    let lines = lines.filter(|line| !line.iter().all(u8::is_ascii_whitespace));
    let read: Vec<Option<Value>> = lines
        .map(|line| {
            bounded_json::read(line, LEVELS)
                .ok()
                .filter(Value::is_object)
        })
        .collect();
    let unreadable = read.iter().filter(|record| record.is_none()).count();
    if unreadable == read.len() {
        let reason = whole.map_or_else(|| "it is no record".to_owned(), |error| error.to_string());
        return Err(Problem::BadRequest(format!(
            "the body must be records in JSON: {reason}"
        )));
    }
    batch.drop("unreadable line", unreadable as u64);
    Ok(read.into_iter().flatten().collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    pub(super) fn decoded(body: &str) -> Result<Batch, Problem> {
        decode(&Received {
            body: body.as_bytes().to_vec(),
            own_host: Some("ops.wine.example".to_owned()),
            ..Received::default()
        })
    }

    #[test]
    fn an_array_one_record_and_a_record_a_line_are_read() {
        let record = json!({"schema": "vercel.analytics.v2", "eventType": "pageview", "path": "/"});
        let lines = format!("{record}\n\r\n{record}\n{{\n{record}");
        for (body, items, dropped) in [
            (json!([record, record]).to_string(), 2, 0),
            (format!("  {record}"), 1, 0),
            (serde_json::to_string_pretty(&record).unwrap(), 1, 0),
            (lines, 3, 1),
            ("[]".to_owned(), 0, 0),
            (String::new(), 0, 0),
            (" \n".to_owned(), 0, 0),
        ] {
            let batch = decoded(&body).unwrap();
            assert_eq!(batch.items.len(), items, "{body}");
            assert_eq!(batch.drops.values().sum::<u64>(), dropped, "{body}");
        }
    }

    #[test]
    fn what_is_no_record_is_refused_and_what_is_unknown_counted() {
        for body in ["{", "7", "null", "\"x\"", "\u{0}", "a\nb"] {
            let refused = matches!(decoded(body), Err(Problem::BadRequest(_)));
            assert!(refused, "{body}");
        }
        let batch = decoded(r#"[7, null, {}, {"schema":"vercel.audit_log.v1"}, {"id":"1"}]"#);
        assert_eq!(batch.unwrap().drops["unknown type"], 5);
    }
}
