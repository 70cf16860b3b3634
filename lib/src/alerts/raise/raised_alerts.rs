//! The alerts that a request raises, in our own form.
//!
//! No alert is lost over a detail: what does not fit is cut or replaced, noted for
//! the caller, and marked in the alert. Refused is only what says nothing.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::door_notes::DoorNotes;
use crate::{
    hexadecimal::hexadecimal,
    messages::{message_facts::Severity, plain_text},
};

/// How many alerts one request may raise.
pub(super) const ALERTS_LIMIT: usize = 500;

/// The largest `data`, in bytes of JSON.
const DATA_LIMIT: usize = 8 * 1024;

/// How many characters of a line, and of several, are kept.
const LINE_LIMIT: usize = 200;
const MESSAGE_LIMIT: usize = 4_000;

/// How many characters of a name that identities are made of are kept.
const NAME_LIMIT: usize = 50;

/// The source of what users report, which opens an incident.
const USER_REPORT: &str = "user-report";

/// The key in `data` under which an alert says what the door changed.
const MARK: &str = "doorNotes";

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

impl NewAlert {
    /// Marks the alert with what the door changed about it.
    pub(super) fn mark(&mut self, notes: &DoorNotes) {
        if let Some(text) = notes.text() {
            let data = self.data.get_or_insert_default();
            data.insert(MARK.to_owned(), plain_text::cut(&text, 500).into());
        }
    }
}

/// Reads `{"alerts": […]}`, a bare array, or one alert: the alerts in their order,
/// `None` in the place of what is none.
///
/// # Errors
/// Why there is no list of alerts, as a text for the caller.
pub(super) fn parse(
    body: &Value,
    environment: &'static str,
    notes: &mut DoorNotes,
) -> Result<Vec<Option<NewAlert>>, String> {
    match body {
        Value::Array(list) => alerts(list, environment, notes),
        Value::Object(object) if object.contains_key("alerts") => {
            for key in object.keys().filter(|key| *key != "alerts") {
                notes.add(&named(key), "unknown field, left out");
            }
            let list = object["alerts"].as_array();
            alerts(list.ok_or("alerts: expected an array")?, environment, notes)
        }
        Value::Object(_) => Ok(vec![element(body, "", environment, notes)]),
        _ => Err("expected an alert, or an array of alerts, or {\"alerts\": […]}".into()),
    }
}

fn alerts(
    list: &[Value],
    environment: &'static str,
    notes: &mut DoorNotes,
) -> Result<Vec<Option<NewAlert>>, String> {
    let taken = take(list, notes)?.iter().enumerate();
    let read =
        taken.map(|(index, alert)| element(alert, &format!("alerts[{index}]"), environment, notes));
    Ok(read.collect())
}

/// As many alerts as a request may raise.
///
/// # Errors
/// There are none.
pub(super) fn take<'a>(list: &'a [Value], notes: &mut DoorNotes) -> Result<&'a [Value], String> {
    if list.is_empty() {
        return Err("alerts: expected at least one".to_owned());
    }
    let left_out = list.len().saturating_sub(ALERTS_LIMIT);
    if left_out > 0 {
        tracing::warn!(left_out, "a request brought more alerts than are taken");
        let note = format!("{ALERTS_LIMIT} were read, {left_out} left out: send them again");
        notes.add("alerts", &note);
    }
    Ok(&list[..list.len() - left_out])
}

fn element(
    alert: &Value,
    place: &str,
    environment: &'static str,
    notes: &mut DoorNotes,
) -> Option<NewAlert> {
    let Some(fields) = alert.as_object() else {
        notes.add(place, "refused: expected an object");
        return None;
    };
    let mut own = DoorNotes::default();
    let mut read = Fields {
        notes: &mut own,
        fields,
    };
    let found = read.alert(environment);
    let prefix = if place.is_empty() {
        String::new()
    } else {
        format!("{place}.")
    };
    let found = found.map(|mut alert| {
        alert.mark(&own);
        alert
    });
    notes.append(&prefix, own);
    found
}

/// The fields of one alert.
struct Fields<'a> {
    notes: &'a mut DoorNotes,
    fields: &'a Map<String, Value>,
}

/// A text as it is kept, and whether that is less than was sent.
struct Kept {
    text: String,
    is_cut: bool,
}

impl<'a> Fields<'a> {
    /// `None` where there is nothing to raise or to resolve, which is noted.
    fn alert(&mut self, environment: &'static str) -> Option<NewAlert> {
        for key in self.fields.keys() {
            if !FIELDS.contains(&key.as_str()) {
                self.notes.add(&named(key), "unknown field, left out");
            }
        }
        let status = self.status();
        let source = self.name("source").unwrap_or_else(|| {
            self.notes.add("source", "missing, taken as `unknown`");
            "unknown".to_owned()
        });
        let kind = self.name("type").unwrap_or_else(|| "external".to_owned());
        let severity = self.severity(status, &source);
        let message = self.text("message", MESSAGE_LIMIT, plain_text::paragraph);
        let subject = self.line("subject");
        let given_title = self.line("title");
        let fingerprint = self.fingerprint(&kind, subject.as_ref(), given_title.as_ref());
        let title = given_title.or_else(|| match status {
            Status::Firing => self.other_title(&[message.as_ref(), subject.as_ref()]),
            Status::Resolved => None,
        });
        let data = self.data();
        if fingerprint.is_none() && subject.is_none() && title.is_none() {
            let (field, note) = match status {
                Status::Firing => (
                    "title",
                    "refused: an alert needs one, or at least a message",
                ),
                Status::Resolved => (
                    "fingerprint",
                    "refused: a resolved alert needs the fingerprint, subject or title that it was raised with",
                ),
            };
            self.notes.add(field, note);
            return None;
        }
        let text = |kept: Option<Kept>| kept.map(|kept| kept.text);
        Some(NewAlert {
            status,
            source,
            title: match status {
                Status::Firing => Some(text(title).unwrap_or_else(|| kind.clone())),
                Status::Resolved => text(title),
            },
            kind,
            severity,
            message: text(message),
            subject: text(subject),
            fingerprint,
            data,
            since: None,
            environment,
        })
    }

    fn value(&self, name: &str) -> Option<&'a Value> {
        self.fields.get(name).filter(|value| !value.is_null())
    }

    fn status(&mut self) -> Status {
        let word = self.value("status").map(as_text);
        match word.map(|word| word.trim().to_ascii_lowercase()).as_deref() {
            None | Some("firing") => Status::Firing,
            Some("resolved") => Status::Resolved,
            Some(_) => {
                self.notes
                    .add("status", "expected firing or resolved, taken as firing");
                Status::Firing
            }
        }
    }

    /// Users cannot say how bad it is, the database does; and what is over is not
    /// bad at all. Everybody else has to say it.
    fn severity(&mut self, status: Status, source: &str) -> Option<Severity> {
        const EXPECTED: &str = "expected critical, high, medium or low";
        let Some(value) = self.value("severity") else {
            let is_needed = status == Status::Firing && source != USER_REPORT;
            return is_needed.then(|| {
                self.notes.add("severity", "missing, taken as medium");
                Severity::Medium
            });
        };
        let word = as_text(value);
        let known = severity_of(&word);
        if known.is_none() {
            self.notes
                .add("severity", &format!("{EXPECTED}, taken as medium"));
        }
        Some(known.unwrap_or(Severity::Medium))
    }

    /// A name that identities are made of. One that has to be made to fit ends with
    /// a hash of what was given, so that two never become one.
    fn name(&mut self, name: &str) -> Option<String> {
        const EXPECTED: &str = "expected 1 to 50 of a-z, 0-9, '.', '_' and '-'";
        let given = as_text(self.value(name)?).trim().to_ascii_lowercase();
        let fits = |letter: &char| matches!(letter, 'a'..='z' | '0'..='9' | '.' | '_' | '-');
        if (1..=NAME_LIMIT).contains(&given.len()) && given.chars().all(|letter| fits(&letter)) {
            return Some(given);
        }
        self.notes.add(name, &format!("{EXPECTED}, made to fit"));
        let kept: String = given.chars().filter(fits).take(NAME_LIMIT - 9).collect();
        (!given.is_empty()).then(|| format!("{kept}-{}", &hash(&given)[..8]))
    }

    fn line(&mut self, name: &str) -> Option<Kept> {
        let given = self.value(name).and_then(Value::as_str);
        if given.is_some_and(|given| given.trim().contains(['\n', '\r'])) {
            self.notes.add(name, "line breaks taken as blanks");
        }
        self.text(name, LINE_LIMIT, plain_text::line)
    }

    fn text(&mut self, name: &str, limit: usize, clean: fn(&str) -> String) -> Option<Kept> {
        let value = self.value(name)?;
        let given = as_text(value);
        let cleaned = clean(&given);
        let text = plain_text::cut(&cleaned, limit);
        let is_cut = text != cleaned;
        if !value.is_string() {
            self.notes.add(name, "expected text, taken as JSON");
        }
        if text.is_empty() {
            self.notes.add(name, "shows nothing, left out");
        } else if is_cut {
            self.notes.add(name, &format!("cut to {limit} characters"));
        } else if letters(&given).ne(letters(&cleaned)) {
            self.notes.add(name, "invisible characters removed");
        }
        (!text.is_empty()).then_some(Kept { text, is_cut })
    }

    /// The identity that the alert was given. Where it rests on a text that was
    /// cut, one is made of the whole text: a cut must not make two alerts one.
    fn fingerprint(
        &mut self,
        kind: &str,
        subject: Option<&Kept>,
        title: Option<&Kept>,
    ) -> Option<String> {
        let fields = self.fields;
        let whole = |name: &str| hash(&fields.get(name).map(as_text).unwrap_or_default());
        if let Some(given) = self.line("fingerprint") {
            return Some(if given.is_cut {
                whole("fingerprint")
            } else {
                given.text
            });
        }
        let (name, text) = match (subject, title) {
            (Some(subject), _) => ("subject", subject),
            (None, Some(title)) => ("title", title),
            (None, None) => return None,
        };
        text.is_cut.then(|| format!("{kind}:{}", whole(name)))
    }

    /// What stands for a title that is missing: the first of the texts that is there.
    fn other_title(&mut self, texts: &[Option<&Kept>]) -> Option<Kept> {
        let text = texts.iter().flatten().next()?;
        self.notes
            .add("title", "missing, taken from the other texts");
        Some(Kept {
            text: plain_text::cut(&plain_text::line(&text.text), LINE_LIMIT),
            is_cut: false,
        })
    }

    fn data(&mut self) -> Option<Map<String, Value>> {
        let mut data = match self.value("data")? {
            Value::Object(data) => data.clone(),
            other => {
                self.notes
                    .add("data", "expected an object, kept as its `value`");
                Map::from_iter([("value".to_owned(), other.clone())])
            }
        };
        if has_nul(&data) {
            // PostgreSQL has no way to keep it.
            self.notes.add("data", "U+0000 removed");
            data = without_nul(data);
        }
        let mut left = DATA_LIMIT;
        let entries = data.len();
        data.retain(|name, value| {
            let bytes = name.len() + value.to_string().len();
            let fits = bytes <= left;
            left -= if fits { bytes } else { 0 };
            fits
        });
        if data.len() < entries {
            let note = format!("cut to {DATA_LIMIT} bytes of JSON");
            self.notes.add("data", &note);
        }
        Some(data)
    }
}

/// What a word says of how bad something is, in the words that teams use; `None`
/// where it is none of them.
pub(super) fn severity_of(word: &str) -> Option<Severity> {
    match word.trim().to_ascii_lowercase().as_str() {
        "critical" | "page" | "emergency" | "fatal" => Some(Severity::Critical),
        "error" | "high" | "major" => Some(Severity::High),
        "medium" | "warning" | "warn" => Some(Severity::Medium),
        "info" | "low" | "notice" | "none" => Some(Severity::Low),
        _ => None,
    }
}

/// A text, or what JSON writes for something else.
pub(super) fn as_text(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

/// What a text consists of beside blanks.
fn letters(text: &str) -> impl Iterator<Item = char> + '_ {
    text.chars().filter(|letter| !letter.is_whitespace())
}

/// The SHA-256 of a text in hexadecimal.
pub(super) fn hash(text: &str) -> String {
    hexadecimal(&Sha256::digest(text))
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

fn without_nul(object: Map<String, Value>) -> Map<String, Value> {
    let entries = object.into_iter();
    entries
        .map(|(name, value)| (name.replace('\0', ""), value_without_nul(value)))
        .collect()
}

fn value_without_nul(value: Value) -> Value {
    match value {
        Value::String(text) => text.replace('\0', "").into(),
        Value::Array(list) => list.into_iter().map(value_without_nul).collect(),
        Value::Object(object) => without_nul(object).into(),
        other @ (Value::Null | Value::Bool(_) | Value::Number(_)) => other,
    }
}

/// A caller's own field name, fit to be repeated.
fn named(key: &str) -> String {
    plain_text::cut(&plain_text::line(key), 40)
}

#[cfg(test)]
mod tests;
