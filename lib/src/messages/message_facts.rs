//! What a row of the outbox knows of an alert: facts, as of the transition.
//!
//! They are read leniently, one key at a time. A row that an older or a newer release
//! of the database wrote must still become a message, so a key that is missing or of
//! another type is left out.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::{
    alert_end::AlertEnd,
    escalation_step::{Acknowledgement, Escalation},
    incident_change::IncidentChange,
    json_fields::{text, time},
    recipients::Recipients,
    report::Report,
};

/// How bad something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Can wait for the digest.
    Low,
    /// Somebody should look today.
    Medium,
    /// Somebody should look now. An unknown word counts as this, because a message
    /// that is too loud is better than one that nobody notices.
    #[default]
    High,
    /// Everybody drops what they do.
    Critical,
}

impl Severity {
    /// All of them, the worst first.
    pub const ALL: [Self; 4] = [Self::Critical, Self::High, Self::Medium, Self::Low];

    /// The word that the database uses.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }

    /// The severity of that word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|severity| severity.as_str() == word)
    }
}

/// What a message is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Kind {
    /// An alert has opened.
    #[default]
    Firing,
    /// It is over.
    Resolved,
    /// It goes on, and the next people are asked.
    Escalation,
    /// It goes on, and nobody has answered for a long time.
    Reminder,
    /// Something worth knowing that can neither open nor resolve.
    Notice,
}

impl Kind {
    /// The word that the database uses.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Firing => "firing",
            Self::Resolved => "resolved",
            Self::Escalation => "escalation",
            Self::Reminder => "reminder",
            Self::Notice => "notice",
        }
    }

    /// The kind of that word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [
            Self::Firing,
            Self::Resolved,
            Self::Escalation,
            Self::Reminder,
            Self::Notice,
        ]
        .into_iter()
        .find(|kind| kind.as_str() == word)
    }

    /// Whether it says that something is wrong now, so that a reader may answer.
    #[must_use]
    pub fn is_open(self) -> bool {
        match self {
            Self::Firing | Self::Escalation | Self::Reminder => true,
            Self::Resolved | Self::Notice => false,
        }
    }
}

/// A time in which nothing was observed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gap {
    /// The last tick before it.
    pub from: Timestamp,
    /// The first tick after it.
    pub to: Timestamp,
}

/// Everything that a message may say. Texts are as they came: whoever shows one
/// cleans, escapes and cuts it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Facts {
    /// The alert, if it is about one.
    pub alert: Option<Uuid>,
    /// What makes two alerts the same.
    pub fingerprint: Option<String>,
    /// The rule's id, which this release may not know.
    pub rule: String,
    /// What the rule is about: a URL, a host, a service, an endpoint.
    pub subject: String,
    /// How bad it is.
    pub severity: Severity,
    /// Opened, over, or only worth knowing.
    pub kind: Kind,
    /// Since when it has been bad.
    pub since: Option<Timestamp>,
    /// When the alert opened.
    pub opened_at: Option<Timestamp>,
    /// When it was over.
    pub resolved_at: Option<Timestamp>,
    /// The figure that was judged; of a resolution, the one that was good again
    /// or, if there is none, the last bad one.
    pub value: Option<f64>,
    /// What it was compared with.
    pub threshold: Option<f64>,
    /// The unit of both: `%`, `ms`, `s`, `d`.
    pub unit: Option<String>,
    /// On how many measurements the figure rests.
    pub samples: Option<u64>,
    /// Why a check failed, as a stable word, or in words.
    pub reason: Option<String>,
    /// The service concerned.
    pub service: Option<String>,
    /// The services that suffer.
    pub affects: Vec<String>,
    /// The app's environment.
    pub environment: Option<String>,
    /// The platform's id of the deployment.
    pub deployment: Option<String>,
    /// The commit it was built from.
    pub commit: Option<String>,
    /// How often it was seen.
    pub occurrences: Option<u64>,
    /// The number of the incident it belongs to.
    pub incident: Option<u64>,
    /// The id of that incident.
    pub incident_id: Option<Uuid>,
    /// What the raiser calls it.
    pub title: Option<String>,
    /// What the raiser or the app says of it.
    pub message: Option<String>,
    /// Who raised it, for alerts from outside.
    pub origin: Option<String>,
    /// Named values that the raiser sent along.
    pub data: Vec<(String, String)>,
    /// The HTTP status that a check was answered with.
    pub status_code: Option<u64>,
    /// The time in which nothing was observed.
    pub gap: Option<Gap>,
    /// Everything else that was observed or sent along: an object, or null.
    pub detail: Value,
    /// To whom it is sent.
    pub recipients: Recipients,
    /// Where the escalation stands, if there was one.
    pub escalation: Option<Escalation>,
    /// Who has acknowledged it, if that is in force.
    pub acknowledgement: Option<Acknowledgement>,
    /// What happened to an incident, if it is about that.
    pub incident_change: Option<IncidentChange>,
    /// How a period went, if it is a report.
    pub report: Option<Report>,
    /// How it ended, if it was not seen to be good again.
    pub ended: Option<AlertEnd>,
    /// The channels that did not take it, in whose place it is sent.
    pub stands_in_for: Vec<String>,
    /// The digits by which its reader answers it, where a phone can.
    pub code: Option<String>,
    /// Whether it says no more than what it is about, because the whole could not be
    /// read.
    pub bare: bool,
}

/// How many of a raiser's values a message shows.
const DATA_SHOWN: usize = 10;

impl Facts {
    /// Reads the facts of an outbox row.
    #[must_use]
    pub fn read(row: &Value) -> Self {
        let detail = &row["detail"];
        Self {
            alert: text(row, "alert").and_then(|id| id.parse().ok()),
            fingerprint: text(row, "fingerprint"),
            rule: text(row, "rule").unwrap_or_default(),
            subject: text(row, "subject").unwrap_or_default(),
            severity: word(row, "severity", Severity::parse),
            kind: word(row, "kind", Kind::parse),
            since: time(row, "since"),
            opened_at: time(row, "openedAt"),
            resolved_at: time(row, "resolvedAt"),
            value: row["value"].as_f64(),
            threshold: row["threshold"].as_f64(),
            unit: text(row, "unit"),
            samples: row["samples"].as_u64(),
            reason: text(row, "reason"),
            service: text(row, "service"),
            affects: texts(&row["affects"]),
            environment: text(row, "environment"),
            deployment: text(row, "deployment"),
            commit: text(row, "commit"),
            occurrences: row["occurrences"].as_u64(),
            incident: row["incident"].as_u64(),
            incident_id: text(row, "incidentId").and_then(|id| id.parse().ok()),
            title: text(row, "title"),
            message: text(row, "message"),
            origin: text(detail, "source"),
            data: data(&detail["data"]),
            status_code: detail["statusCode"].as_u64(),
            gap: gap(detail).or_else(|| gap(&detail["gap"])),
            detail: Some(detail)
                .filter(|detail| detail.is_object())
                .cloned()
                .unwrap_or_default(),
            recipients: Recipients::read(&row["recipients"]),
            escalation: Escalation::read(&row["escalation"]),
            acknowledgement: Acknowledgement::read(&row["acknowledgement"]),
            incident_change: IncidentChange::read(&row["incidentChange"]),
            report: Report::read(&row["report"]),
            ended: AlertEnd::read(&row["ended"]),
            stands_in_for: texts(&row["standsInFor"]),
            code: text(row, "code"),
            bare: row["bare"].as_bool().unwrap_or(false),
        }
    }
}

fn word<T: Default>(object: &Value, key: &str, parse: fn(&str) -> Option<T>) -> T {
    object[key].as_str().and_then(parse).unwrap_or_default()
}

fn texts(list: &Value) -> Vec<String> {
    let texts = list.as_array().into_iter().flatten();
    texts.filter_map(Value::as_str).map(str::to_owned).collect()
}

fn gap(object: &Value) -> Option<Gap> {
    Some(Gap {
        from: time(object, "from")?,
        to: time(object, "to")?,
    })
}

/// Plain values by name; what is nested has no place in a message.
fn data(object: &Value) -> Vec<(String, String)> {
    let entries = object.as_object().into_iter().flatten();
    entries
        .filter_map(|(name, value)| {
            let value = match value {
                Value::String(text) => text.clone(),
                Value::Bool(_) | Value::Number(_) => value.to_string(),
                Value::Null | Value::Array(_) | Value::Object(_) => return None,
            };
            Some((name.clone(), value))
        })
        .take(DATA_SHOWN)
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_row_is_read_whole() {
        let facts = Facts::read(&json!({
            "rule": "app_down", "subject": "https://wine.example/", "severity": "critical",
            "kind": "resolved", "since": "2026-11-24T03:12:00+00:00", "value": 12.5, "samples": 3,
            "affects": ["app"], "incident": 7, "detail": {"statusCode": 503, "data": {"a": 1, "b": [2], "c": "d"}},
        }));
        assert_eq!(facts.rule, "app_down");
        assert_eq!(
            (facts.severity, facts.kind),
            (Severity::Critical, Kind::Resolved)
        );
        assert_eq!(facts.since, "2026-11-24T03:12:00Z".parse().ok());
        assert_eq!((facts.value, facts.samples), (Some(12.5), Some(3)));
        assert_eq!((facts.status_code, facts.incident), (Some(503), Some(7)));
        assert_eq!(
            facts.data,
            [("a".into(), "1".into()), ("c".into(), "d".into())]
        );
    }

    #[test]
    fn a_key_of_another_type_or_an_unknown_word_spoils_nothing() {
        for row in [
            json!({}),
            json!(null),
            json!([1]),
            json!({"rule": 1, "subject": null, "severity": "apocalyptic", "kind": [], "since": "soon",
                   "value": "x", "affects": "app", "detail": 3, "incident": -1}),
        ] {
            assert_eq!(Facts::read(&row), Facts::default(), "{row}");
        }
    }

    #[test]
    fn a_gap_is_found_in_both_places() {
        let gap =
            json!({"from": "2026-11-24T03:00:00Z", "to": "2026-11-24T03:12:00Z", "seconds": 720});
        let notice = Facts::read(&json!({"detail": gap}));
        let blind = Facts::read(&json!({"detail": {"gap": gap}}));
        assert!(notice.gap.is_some());
        assert_eq!(notice.gap, blind.gap);
    }
}
