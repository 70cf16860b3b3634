//! The alerts that a request raises. Everything that is wrong with them is reported
//! together, so that a caller repairs it once.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::{
    alerts::{message_facts::Severity, plain_text},
    bounded_json,
};

/// How many alerts one request may raise.
const ALERTS_LIMIT: usize = 100;

/// The largest `data`, in bytes of JSON.
const DATA_LIMIT: usize = 8 * 1024;

/// How many levels of a body are taken; an alert is not lost over what nests deeper.
const BODY_LEVELS: usize = 16;

/// How many problems are named; more would not be read.
const PROBLEMS_NAMED: usize = 20;

/// The source of what users report, which opens an incident.
const USER_REPORT: &str = "user-report";

const FIELDS: [&str; 9] = [
    "status",
    "source",
    "type",
    "severity",
    "title",
    "message",
    "subject",
    "fingerprint",
    "data",
];

/// An alert from outside, as the database takes it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NewAlert {
    /// Whether it begins or is over.
    pub status: Status,
    /// Who says so.
    pub source: String,
    /// Of what kind it is, in the caller's words.
    #[serde(rename = "type")]
    pub kind: String,
    /// How bad it is; a resolution and a user's report need none.
    pub severity: Option<Severity>,
    /// One line; a resolution may name its alert otherwise.
    pub title: Option<String>,
    /// More about it.
    pub message: Option<String>,
    /// What it is about.
    pub subject: Option<String>,
    /// What makes it the same alert; else source, type and subject or title.
    pub fingerprint: Option<String>,
    /// Named values that go with it.
    pub data: Option<Map<String, Value>>,
    /// Since when it has been so; without it, since it is raised.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// The environment that it was raised in: ours.
    pub environment: &'static str,
}

/// Whether an alert begins or is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// It begins, or goes on.
    Firing,
    /// It is over.
    Resolved,
}

/// Reads a body as JSON, without what nests too deep.
///
/// # Errors
/// Where it stops being JSON, as a text for the caller.
pub(super) fn read(body: &[u8]) -> Result<Value, String> {
    bounded_json::read(body, BODY_LEVELS).map_err(|error| {
        // Serde's text names a place, never what stood there.
        format!(
            "the body is not JSON: {}",
            plain_text::cut(&error.to_string(), 200)
        )
    })
}

/// Reads `{"alerts": […]}`, a bare array, or one alert.
///
/// # Errors
/// Everything that is wrong, as one text for the caller.
pub(super) fn parse(body: &Value, environment: &'static str) -> Result<Vec<NewAlert>, String> {
    let mut problems = Problems::default();
    let alerts = match body {
        Value::Array(list) => problems.alerts(list, environment),
        Value::Object(object) if object.contains_key("alerts") => {
            for key in object.keys().filter(|key| *key != "alerts") {
                problems.add(&named(key), "unknown field");
            }
            if let Some(list) = object["alerts"].as_array() {
                problems.alerts(list, environment)
            } else {
                problems.add("alerts", "expected an array");
                Vec::new()
            }
        }
        Value::Object(object) => problems
            .alert(object, "", environment)
            .into_iter()
            .collect(),
        _ => return Err("expected an alert, or an array of alerts, or {\"alerts\": […]}".into()),
    };
    problems.or(alerts)
}

/// Everything that is wrong so far.
#[derive(Debug, Default)]
struct Problems {
    named: Vec<String>,
    more: usize,
}

impl Problems {
    fn add(&mut self, place: &str, problem: &str) {
        if self.named.len() < PROBLEMS_NAMED {
            self.named.push(format!("{place}: {problem}"));
        } else {
            self.more += 1;
        }
    }

    fn or<T>(self, value: T) -> Result<T, String> {
        if self.named.is_empty() {
            return Ok(value);
        }
        let more = match self.more {
            0 => String::new(),
            more => format!("; and {more} more"),
        };
        Err(self.named.join("; ") + &more)
    }

    fn alerts(&mut self, list: &[Value], environment: &'static str) -> Vec<NewAlert> {
        if list.is_empty() || list.len() > ALERTS_LIMIT {
            let problem = format!("expected 1 to {ALERTS_LIMIT} alerts, got {}", list.len());
            self.add("alerts", &problem);
            return Vec::new();
        }
        list.iter()
            .enumerate()
            .filter_map(|(index, alert)| {
                let Some(alert) = alert.as_object() else {
                    self.add(&format!("alerts[{index}]"), "expected an object");
                    return None;
                };
                self.alert(alert, &format!("alerts[{index}]."), environment)
            })
            .collect()
    }

    /// `None` where something is wrong, which is then noted.
    fn alert(
        &mut self,
        alert: &Map<String, Value>,
        at: &str,
        environment: &'static str,
    ) -> Option<NewAlert> {
        for key in alert.keys().filter(|key| !FIELDS.contains(&key.as_str())) {
            self.add(&format!("{at}{}", named(key)), "unknown field");
        }
        let mut read = Fields {
            problems: self,
            alert,
            at,
        };
        let status = read.status();
        let source = read.slug("source");
        read.require("source");
        let kind = read.slug("type");
        // Users cannot say how bad it is; the database does.
        let judged = source.as_deref() != Some(USER_REPORT);
        let severity = read.severity(judged && status == Some(Status::Firing));
        let title = read.line("title", 200);
        let message = read.message();
        let subject = read.line("subject", 200);
        let fingerprint = read.line("fingerprint", 200);
        let data = read.data();
        read.identity(status?);
        Some(NewAlert {
            status: status?,
            source: source?,
            kind: kind.unwrap_or_else(|| "external".to_owned()),
            severity,
            title,
            message,
            subject,
            fingerprint,
            data,
            since: None,
            environment,
        })
    }
}

/// The fields of one alert.
struct Fields<'a> {
    problems: &'a mut Problems,
    alert: &'a Map<String, Value>,
    at: &'a str,
}

impl<'a> Fields<'a> {
    fn value(&self, name: &str) -> Option<&'a Value> {
        self.alert.get(name).filter(|value| !value.is_null())
    }

    fn note(&mut self, name: &str, problem: &str) {
        self.problems.add(&format!("{}{name}", self.at), problem);
    }

    fn wrong<T>(&mut self, name: &str, problem: &str) -> Option<T> {
        self.note(name, problem);
        None
    }

    /// Notes a field that is not there; one that is wrong is noted where it is
    /// read.
    fn require(&mut self, name: &str) {
        if self.value(name).is_none() {
            self.note(name, "missing");
        }
    }

    fn status(&mut self) -> Option<Status> {
        match self.value("status").map(Value::as_str) {
            None | Some(Some("firing")) => Some(Status::Firing),
            Some(Some("resolved")) => Some(Status::Resolved),
            Some(_) => self.wrong("status", "expected firing or resolved"),
        }
    }

    fn severity(&mut self, needed: bool) -> Option<Severity> {
        let Some(value) = self.value("severity") else {
            if needed {
                self.note("severity", "missing");
            }
            return None;
        };
        value
            .as_str()
            .and_then(Severity::parse)
            .or_else(|| self.wrong("severity", "expected critical, high, medium or low"))
    }

    /// A name that identities are made of.
    fn slug(&mut self, name: &str) -> Option<String> {
        let text = self.value(name)?.as_str();
        let fits = |text: &&str| {
            (1..=50).contains(&text.len())
                && text
                    .bytes()
                    .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-'))
        };
        match text.filter(fits) {
            Some(text) => Some(text.to_owned()),
            None => self.wrong(name, "expected 1 to 50 of a-z, 0-9, '.', '_' and '-'"),
        }
    }

    fn line(&mut self, name: &str, limit: usize) -> Option<String> {
        self.text(name, limit, char::is_control)
    }

    fn message(&mut self) -> Option<String> {
        self.text("message", 4_000, |letter| {
            letter.is_control() && !matches!(letter, '\n' | '\t')
        })
    }

    fn text(&mut self, name: &str, limit: usize, is_forbidden: fn(char) -> bool) -> Option<String> {
        let Some(text) = self.value(name)?.as_str() else {
            return self.wrong(name, "expected text");
        };
        if text.trim().is_empty() || text.chars().count() > limit {
            return self.wrong(name, &format!("expected 1 to {limit} characters"));
        }
        if text.contains(is_forbidden) {
            return self.wrong(name, "contains control characters");
        }
        Some(text.to_owned())
    }

    fn data(&mut self) -> Option<Map<String, Value>> {
        let Some(data) = self.value("data")?.as_object() else {
            return self.wrong("data", "expected an object");
        };
        let bytes = serde_json::to_string(data).map_or(usize::MAX, |text| text.len());
        if bytes > DATA_LIMIT {
            return self.wrong(
                "data",
                &format!("expected at most {DATA_LIMIT} bytes of JSON"),
            );
        }
        if has_nul(data) {
            // PostgreSQL has no way to keep it.
            return self.wrong("data", "contains U+0000");
        }
        Some(data.clone())
    }

    /// A resolution has to say which alert it resolves, a firing what it is.
    fn identity(&mut self, status: Status) {
        match status {
            Status::Firing => self.require("title"),
            Status::Resolved => {
                let names = ["fingerprint", "subject", "title"];
                if names.iter().all(|name| self.value(name).is_none()) {
                    self.note(
                        "fingerprint",
                        "a resolved alert needs the fingerprint, subject or title that it was raised with",
                    );
                }
            }
        }
    }
}

fn has_nul(object: &Map<String, Value>) -> bool {
    object
        .iter()
        .any(|(name, value)| name.contains('\0') || holds_nul(value))
}

fn holds_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(list) => list.iter().any(holds_nul),
        Value::Object(object) => has_nul(object),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// A caller's own field name, fit to be repeated.
fn named(key: &str) -> String {
    plain_text::cut(&plain_text::line(key), 40)
}

#[cfg(test)]
mod tests;
