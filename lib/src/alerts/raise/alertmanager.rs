//! Notifications of Prometheus Alertmanager's webhook, version 4, and of Grafana's,
//! version 1, which has the same form, as alerts of ours. An alert is the same one as
//! long as its labels are: its own fingerprint says so.
//!
//! Each alert is read on its own: what is wrong with one takes no other along.

use jiff::Timestamp;
use outside::database_time;
use serde_json::{Map, Value};

use super::{
    door_notes::DoorNotes,
    raised_alerts::{self, NewAlert, Status, as_text, hash, severity_of},
};
use crate::messages::{message_facts::Severity, plain_text};

/// How many labels an alert keeps.
const LABELS_LIMIT: usize = 30;

/// How many characters of a label, an address or a line are kept.
const LINE_LIMIT: usize = 200;

/// What an alert is about: the first of these labels that it has.
const SUBJECT_LABELS: [&str; 3] = ["instance", "job", "service"];

/// Addresses that an alert may carry.
const ADDRESSES: [&str; 4] = ["generatorURL", "dashboardURL", "panelURL", "silenceURL"];

/// Whether a body has the shape of a notification, be it right or wrong.
pub(super) fn is_notification(body: &Map<String, Value>) -> bool {
    let has = |key: &str| body.contains_key(key);
    let alerts = body.get("alerts").and_then(Value::as_array);
    let is_theirs =
        |alert: &Value| alert.get("labels").is_some() && alert.get("startsAt").is_some();
    has("alerts") && has("version") && has("groupKey")
        || alerts.is_some_and(|alerts| alerts.iter().any(is_theirs))
}

/// Reads a notification: the alerts in its order, `None` in the place of what is
/// none.
///
/// # Errors
/// Why there is no list of alerts, as a text for the caller.
pub(super) fn parse(
    body: &Map<String, Value>,
    environment: &'static str,
    notes: &mut DoorNotes,
) -> Result<Vec<Option<NewAlert>>, String> {
    let source = match body.get("version").and_then(Value::as_str) {
        Some("4") => "alertmanager",
        Some("1") => "grafana",
        _ => {
            notes.add(
                "version",
                "expected \"4\", or \"1\" of Grafana, read as \"4\"",
            );
            "alertmanager"
        }
    };
    note_truncation(body);
    let list = body.get("alerts").and_then(Value::as_array);
    let list = raised_alerts::take(list.ok_or("alerts: expected an array")?, notes)?;
    let alerts = list.iter().enumerate();
    let read = alerts.map(|(index, alert)| {
        let mut own = DoorNotes::default();
        let found =
            Alert::read(alert, &mut own).map(|alert| alert.into_new(source, environment, &mut own));
        notes.append(&format!("alerts[{index}]."), own);
        found
    });
    Ok(read.collect())
}

/// Logs that the sender left alerts out, which nobody else knows.
fn note_truncation(body: &Map<String, Value>) {
    let truncated = body.get("truncatedAlerts").and_then(Value::as_u64);
    if let Some(truncated) = truncated.filter(|truncated| *truncated > 0) {
        let group = body.get("groupKey").and_then(Value::as_str);
        tracing::warn!(
            group = line(group, LINE_LIMIT),
            truncated,
            "alerts were left out of a notification by its sender"
        );
    }
}

/// An alert of a notification.
struct Alert<'a> {
    fields: &'a Map<String, Value>,
    status: Status,
    labels: Vec<(&'a str, String)>,
}

impl<'a> Alert<'a> {
    fn read(alert: &'a Value, notes: &mut DoorNotes) -> Option<Self> {
        let Some(fields) = alert.as_object() else {
            notes.add("alert", "refused: expected an object");
            return None;
        };
        let status = match fields.get("status").and_then(Value::as_str) {
            Some("firing") => Status::Firing,
            Some("resolved") => Status::Resolved,
            _ => {
                notes.add("status", "expected firing or resolved, taken as firing");
                Status::Firing
            }
        };
        let labels = fields.get("labels").and_then(Value::as_object);
        if labels.is_none() {
            notes.add("labels", "expected an object, taken as none");
        }
        let labels = labels.into_iter().flatten();
        Some(Self {
            fields,
            status,
            labels: labels
                .map(|(name, value)| (name.as_str(), as_text(value)))
                .collect(),
        })
    }

    fn into_new(self, source: &str, environment: &'static str, notes: &mut DoorNotes) -> NewAlert {
        let kind = line(self.label("alertname"), 100).unwrap_or_else(|| "alert".to_owned());
        let subject = SUBJECT_LABELS
            .iter()
            .find_map(|label| line(self.label(label), LINE_LIMIT));
        let title = ["summary", "title"]
            .iter()
            .find_map(|name| line(self.annotation(name), LINE_LIMIT));
        let message = ["description", "message"]
            .iter()
            .find_map(|name| paragraph(self.annotation(name)));
        let severity = self.label("severity").and_then(severity_of);
        let mut alert = NewAlert {
            status: self.status,
            source: source.to_owned(),
            severity: Some(severity.unwrap_or(Severity::Medium)),
            title: Some(title.unwrap_or_else(|| kind.clone())),
            message,
            subject,
            data: Some(self.data()),
            since: self.since(notes),
            fingerprint: Some(self.fingerprint(notes)),
            kind,
            environment,
        };
        alert.mark(notes);
        alert
    }

    fn label(&self, name: &str) -> Option<&str> {
        let mut labels = self.labels.iter();
        let (_, value) = labels.find(|(label, _)| *label == name)?;
        Some(value)
    }

    fn annotation(&self, name: &str) -> Option<&str> {
        self.fields.get("annotations")?.get(name)?.as_str()
    }

    /// What makes it the same alert, which is shown and compared. Where it has none
    /// of its own, its labels are its identity, as they are its sender's.
    fn fingerprint(&self, notes: &mut DoorNotes) -> String {
        let own = self.fields.get("fingerprint").and_then(Value::as_str);
        let fits = |text: &&str| {
            (1..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
        };
        if let Some(own) = own.filter(fits) {
            return own.to_owned();
        }
        let note = "expected 1 to 64 letters and digits, made of the labels";
        notes.add("fingerprint", note);
        let mut labels = self.labels.clone();
        labels.sort();
        hash(&format!("{labels:?}"))[..16].to_owned()
    }

    /// Since when it has been so, if the database can name that time.
    fn since(&self, notes: &mut DoorNotes) -> Option<Timestamp> {
        let starts = self.fields.get("startsAt").map(as_text);
        database_time::parse(&starts.unwrap_or_default())
            .map_err(|problem| notes.add("startsAt", &format!("{problem}, taken as now")))
            .ok()
    }

    fn data(&self) -> Map<String, Value> {
        let labels: Map<String, Value> = self
            .labels
            .iter()
            .take(LABELS_LIMIT)
            .filter_map(|(name, value)| {
                let name = line(Some(name), 100)?;
                Some((name, line(Some(value), LINE_LIMIT)?.into()))
            })
            .collect();
        let mut data = Map::new();
        data.insert("labels".to_owned(), labels.into());
        let left_out = self.labels.len().saturating_sub(LABELS_LIMIT);
        if left_out > 0 {
            data.insert("labelsLeftOut".to_owned(), left_out.into());
        }
        let values = self.fields.get("valueString").and_then(Value::as_str);
        if let Some(values) = line(values, LINE_LIMIT) {
            data.insert("values".to_owned(), values.into());
        }
        let runbook = ("runbookURL", self.annotation("runbook_url"));
        let own = |name| (name, self.fields.get(name).and_then(Value::as_str));
        for (name, address) in ADDRESSES.map(own).into_iter().chain([runbook]) {
            if let Some(address) = line(address, 500) {
                data.insert(name.to_owned(), address.into());
            }
        }
        data
    }
}

/// One line of at most so many characters; `None` where there is no text.
fn line(text: Option<&str>, limit: usize) -> Option<String> {
    let line = plain_text::cut(&plain_text::line(text?), limit);
    (!line.is_empty()).then_some(line)
}

fn paragraph(text: Option<&str>) -> Option<String> {
    let paragraph = plain_text::cut(&plain_text::paragraph(text?), 4_000);
    (!paragraph.is_empty()).then_some(paragraph)
}

#[cfg(test)]
mod tests;
