//! Notifications of Prometheus Alertmanager's webhook, version 4, as alerts of
//! ours. An alert is the same one as long as its labels are: Alertmanager's own
//! fingerprint says so.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::raised_alerts::{NewAlert, Status};
use crate::alerts::{message_facts::Severity, plain_text};

/// How many alerts one notification may bring: more than a group of alerts
/// ought to hold, fewer than the database takes.
const ALERTS_LIMIT: usize = 500;

/// How many labels an alert keeps.
const LABELS_LIMIT: usize = 30;

/// How many characters of a label, an address or a line are kept.
const LINE_LIMIT: usize = 200;

/// What an alert is about: the first of these labels that it has.
const SUBJECT_LABELS: [&str; 3] = ["instance", "job", "service"];

/// A notification of Alertmanager.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Notification {
    version: String,
    group_key: String,
    /// How many more alerts the receiver's `max_alerts` cut off.
    #[serde(default)]
    truncated_alerts: u64,
    alerts: Vec<Alert>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Alert {
    status: State,
    labels: BTreeMap<String, String>,
    #[serde(default)]
    annotations: BTreeMap<String, String>,
    starts_at: Timestamp,
    #[serde(rename = "generatorURL", default)]
    generator_url: String,
    fingerprint: String,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum State {
    Firing,
    Resolved,
}

/// Whether a body has the shape of a notification, be it right or wrong.
pub(super) fn is_notification(body: &Map<String, Value>) -> bool {
    ["version", "groupKey", "alerts"]
        .iter()
        .all(|key| body.contains_key(*key))
}

impl Notification {
    /// Reads a notification.
    ///
    /// # Errors
    /// What is wrong with it, as a text for the caller.
    pub(super) fn parse(body: Value) -> Result<Self, String> {
        let notification: Self = serde_json::from_value(body)
            .map_err(|error| plain_text::cut(&error.to_string(), 200))?;
        if notification.version != "4" {
            return Err("version: expected \"4\"".to_owned());
        }
        let count = notification.alerts.len();
        if !(1..=ALERTS_LIMIT).contains(&count) {
            return Err(format!(
                "alerts: expected 1 to {ALERTS_LIMIT}, got {count}; see the receiver's max_alerts"
            ));
        }
        if let Some(index) = notification
            .alerts
            .iter()
            .position(|alert| !alert.is_named())
        {
            return Err(format!(
                "alerts[{index}]: expected a fingerprint of 1 to 64 letters and digits"
            ));
        }
        Ok(notification)
    }

    /// Logs that Alertmanager left alerts out, which nobody else knows.
    pub(super) fn note_truncation(&self) {
        if self.truncated_alerts > 0 {
            tracing::warn!(
                group = %plain_text::cut(&plain_text::line(&self.group_key), LINE_LIMIT),
                truncated = self.truncated_alerts,
                "alertmanager left alerts out of a notification"
            );
        }
    }

    /// The alerts, in Alertmanager's order.
    pub(super) fn into_alerts(self, environment: &'static str) -> Vec<NewAlert> {
        self.alerts
            .into_iter()
            .map(|alert| alert.into_new(environment))
            .collect()
    }
}

impl Alert {
    /// The fingerprint becomes part of an identity, which is shown and compared.
    fn is_named(&self) -> bool {
        (1..=64).contains(&self.fingerprint.len())
            && self
                .fingerprint
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric())
    }

    fn into_new(self, environment: &'static str) -> NewAlert {
        let kind = line(self.labels.get("alertname"), 100).unwrap_or_else(|| "alert".to_owned());
        let subject = SUBJECT_LABELS
            .iter()
            .find_map(|label| line(self.labels.get(*label), LINE_LIMIT));
        let title = ["summary", "title"]
            .iter()
            .find_map(|name| line(self.annotations.get(*name), LINE_LIMIT));
        let message = ["description", "message"]
            .iter()
            .find_map(|name| paragraph(self.annotations.get(*name)));
        NewAlert {
            status: match self.status {
                State::Firing => Status::Firing,
                State::Resolved => Status::Resolved,
            },
            source: "alertmanager".to_owned(),
            severity: Some(severity(self.labels.get("severity").map(String::as_str))),
            title: Some(title.unwrap_or_else(|| kind.clone())),
            message,
            subject,
            data: Some(self.data()),
            since: Some(self.starts_at),
            fingerprint: Some(self.fingerprint),
            kind,
            environment,
        }
    }

    fn data(&self) -> Map<String, Value> {
        let labels = self
            .labels
            .iter()
            .take(LABELS_LIMIT)
            .filter_map(|(name, value)| {
                Some((
                    line(Some(name), 100)?,
                    line(Some(value), LINE_LIMIT)?.into(),
                ))
            })
            .collect::<Map<_, _>>();
        let mut data = Map::new();
        data.insert("labels".to_owned(), labels.into());
        let left_out = self.labels.len().saturating_sub(LABELS_LIMIT);
        if left_out > 0 {
            data.insert("labelsLeftOut".to_owned(), left_out.into());
        }
        let addresses = [
            ("generatorURL", Some(&self.generator_url)),
            ("runbookURL", self.annotations.get("runbook_url")),
        ];
        for (name, address) in addresses {
            if let Some(address) = line(address, 500) {
                data.insert(name.to_owned(), address.into());
            }
        }
        data
    }
}

/// One line of at most so many characters; `None` where there is no text.
fn line(text: Option<&String>, limit: usize) -> Option<String> {
    let line = plain_text::cut(&plain_text::line(text?), limit);
    (!line.is_empty()).then_some(line)
}

fn paragraph(text: Option<&String>) -> Option<String> {
    let paragraph = plain_text::cut(&plain_text::paragraph(text?), 4_000);
    (!paragraph.is_empty()).then_some(paragraph)
}

/// What the label says, in the words that teams use; one that is missing or
/// unknown is medium: a message is sent, and wakes nobody.
fn severity(label: Option<&str>) -> Severity {
    match label.unwrap_or_default().to_ascii_lowercase().as_str() {
        "critical" | "page" | "emergency" | "fatal" => Severity::Critical,
        "error" | "high" | "major" => Severity::High,
        "info" | "low" | "notice" | "none" => Severity::Low,
        _ => Severity::Medium,
    }
}

#[cfg(test)]
mod tests;
