//! What a caller asks to be done: as JSON with a proof of their own, or as the
//! form behind a link.

use jiff::{SignedDuration, Timestamp};
use outside::database_time;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use url::form_urlencoded;
use uuid::Uuid;

use crate::messages::plain_text;

/// The longest note, as the database takes it.
const NOTE_LIMIT: usize = 1_000;
const NAME_LIMIT: usize = 100;

/// For how many minutes the form offers to snooze.
pub(super) const SNOOZES: [(u32, &str); 5] = [
    (60, "1 hour"),
    (120, "2 hours"),
    (240, "4 hours"),
    (720, "12 hours"),
    (1_440, "1 day"),
];

/// In how many minutes the form offers to begin a silence.
pub(super) const BEGINNINGS: [u32; 4] = [60, 240, 720, 1_440];

/// What can be done about an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// Somebody is at it.
    Acknowledge,
    /// Nobody is, after all.
    Unacknowledge,
    /// It can wait until a named time.
    Snooze,
    /// Nothing is sent about it until a named time.
    Silence,
    /// It is over.
    Resolve,
}

/// What can be done about an incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum IncidentAction {
    /// Somebody is at it, which acknowledges its open alerts.
    Acknowledge,
    /// They can wait until a named time.
    Snooze,
    /// It is over.
    Resolve,
    /// Something to remember.
    Note,
}

/// Which alerts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Selection {
    /// Those.
    Alerts(Vec<Uuid>),
    /// Those of an incident, by its number.
    Incident(u64),
    /// Those that match every field: a text or a list of texts, in which * stands for
    /// anything. The fields are the database's to check.
    Match(Map<String, Value>),
}

/// A request in JSON.
#[derive(Debug, PartialEq)]
pub(super) enum Requested {
    OfAlerts(Asked),
    OfIncident(AskedOfIncident),
}

/// A request about an incident.
#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct AskedOfIncident {
    pub(super) incident: Uuid,
    pub(super) action: IncidentAction,
    #[serde(default)]
    minutes: Option<u32>,
    #[serde(default)]
    pub(super) note: Option<String>,
}

impl AskedOfIncident {
    /// Until when it is to hold; what has no end takes no minutes, and a snooze needs them.
    pub(super) fn until(&self, now: Timestamp) -> Result<Option<Timestamp>, String> {
        match (self.action, self.minutes) {
            (IncidentAction::Acknowledge | IncidentAction::Snooze, Some(minutes)) => now
                .checked_add(SignedDuration::from_mins(minutes.into()))
                .map(Some)
                .map_err(|_| format!("minutes must be at most 10080, got {minutes}")),
            (IncidentAction::Snooze, None) => {
                Err("minutes must say for how long to snooze, got nothing".to_owned())
            }
            (IncidentAction::Resolve | IncidentAction::Note, Some(minutes)) => Err(format!(
                "minutes must be left out of what has no end, got {minutes}"
            )),
            (_, None) => Ok(None),
        }
    }
}

/// A request about one alert or about those that are selected.
#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Asked {
    #[serde(default)]
    alert_id: Option<Uuid>,
    #[serde(default)]
    select: Option<Selection>,
    pub(super) action: Action,
    #[serde(default, deserialize_with = "time")]
    pub(super) from: Option<Timestamp>,
    #[serde(default, deserialize_with = "time")]
    pub(super) until: Option<Timestamp>,
    #[serde(default)]
    pub(super) note: Option<String>,
}

/// What a request is about.
#[derive(Debug, PartialEq)]
pub(super) enum Wanted {
    One(Uuid),
    Many(Selection),
}

impl Asked {
    /// What it is about: one of the two, and a beginning for many alone.
    pub(super) fn wanted(&self) -> Result<Wanted, String> {
        match (self.alert_id, &self.select) {
            (Some(_), None) if self.from.is_some() => {
                Err("from needs select, and the action silence".to_owned())
            }
            (Some(alert), None) => Ok(Wanted::One(alert)),
            (None, Some(select)) => Ok(Wanted::Many(select.clone())),
            _ => Err("exactly one of alertId and select is needed".to_owned()),
        }
    }
}

/// How far the answer to one alert goes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Scope {
    /// To that alert.
    #[default]
    Alert,
    /// To every open alert of its incident.
    Incident,
    /// To whatever the same rule finds.
    Rule,
    /// To whatever concerns the same service.
    Service,
}

impl Scope {
    pub(super) const ALL: [(Self, &str); 4] = [
        (Self::Alert, "alert"),
        (Self::Incident, "incident"),
        (Self::Rule, "rule"),
        (Self::Service, "service"),
    ];

    fn parse(word: &str) -> Self {
        let mut known = Self::ALL.into_iter();
        known
            .find(|(_, name)| *name == word)
            .map_or(Self::Alert, |(scope, _)| scope)
    }
}

/// The form behind a link, filled in.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Filled {
    pub(super) name: Option<String>,
    pub(super) note: Option<String>,
    pub(super) scope: Scope,
    minutes: Option<u32>,
    in_minutes: Option<u32>,
}

/// Reads a request in JSON: about an incident where it names one.
pub(super) fn parse(body: &[u8]) -> Result<Requested, String> {
    #[derive(Deserialize)]
    struct Named {
        incident: Option<serde::de::IgnoredAny>,
    }

    let named = serde_json::from_slice(body);
    if let Ok(Named { incident: Some(_) }) = named {
        let asked: AskedOfIncident = read(body, "{incident, action, minutes?, note?}")?;
        return Ok(Requested::OfIncident(AskedOfIncident {
            note: asked.note.as_deref().and_then(note),
            ..asked
        }));
    }
    let asked: Asked = read(body, "{alertId or select, action, from?, until?, note?}")?;
    Ok(Requested::OfAlerts(Asked {
        note: asked.note.as_deref().and_then(note),
        ..asked
    }))
}

fn read<T: serde::de::DeserializeOwned>(body: &[u8], expected: &str) -> Result<T, String> {
    serde_json::from_slice(body).map_err(|error| {
        format!(
            "expected {expected}: {}",
            plain_text::cut(&plain_text::line(&error.to_string()), 200)
        )
    })
}

/// A time that the database can name, or none.
fn time<'de, D: serde::Deserializer<'de>>(value: D) -> Result<Option<Timestamp>, D::Error> {
    let text = Option::<String>::deserialize(value)?;
    let time = text.map(|text| database_time::parse(&text)).transpose();
    time.map_err(|problem| serde::de::Error::custom(format!("until {problem}")))
}

/// Reads a form. What is missing or wrong is as good as not filled in.
pub(super) fn parse_form(body: &[u8]) -> Filled {
    let mut filled = Filled::default();
    for (field, value) in form_urlencoded::parse(body) {
        match &*field {
            "name" => filled.name = name(&value),
            "note" => filled.note = note(&value),
            "minutes" => filled.minutes = value.parse().ok(),
            "in" => filled.in_minutes = value.parse().ok(),
            "scope" => filled.scope = Scope::parse(&value),
            _ => {}
        }
    }
    filled
}

impl Filled {
    /// The end of the snooze that was chosen; the shortest if none of those
    /// that are offered was.
    pub(super) fn snoozed_until(&self, now: Timestamp) -> Option<Timestamp> {
        let now = self.begins_at(now).unwrap_or(now);
        let offered = SNOOZES.iter().map(|(minutes, _)| *minutes);
        let minutes = offered
            .clone()
            .find(|minutes| Some(*minutes) == self.minutes)
            .or_else(|| offered.min())?;
        now.checked_add(SignedDuration::from_mins(minutes.into()))
            .ok()
    }
}

impl Filled {
    /// When a silence is to begin, if not at once.
    pub(super) fn begins_at(&self, now: Timestamp) -> Option<Timestamp> {
        let minutes = self
            .in_minutes
            .filter(|minutes| BEGINNINGS.contains(minutes))?;
        now.checked_add(SignedDuration::from_mins(minutes.into()))
            .ok()
    }
}

/// What somebody calls themselves, in one line.
pub(super) fn name(words: &str) -> Option<String> {
    some(plain_text::cut(&plain_text::line(words), NAME_LIMIT))
}

fn note(words: &str) -> Option<String> {
    some(plain_text::cut(&plain_text::paragraph(words), NOTE_LIMIT))
}

fn some(words: String) -> Option<String> {
    (!words.trim().is_empty()).then_some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_read_whole_and_its_note_is_cleaned() {
        let body = br#"{"alertId":"00000000-0000-0000-0000-000000000001","action":"snooze",
            "until":"2026-11-24T16:00:00+01:00","note":"vendor\u0000\u202e is at it"}"#;
        let asked = parse(body).unwrap();
        assert_eq!(
            asked,
            Requested::OfAlerts(Asked {
                alert_id: Some(Uuid::from_u128(1)),
                select: None,
                action: Action::Snooze,
                from: None,
                until: "2026-11-24T15:00:00Z".parse().ok(),
                note: Some("vendor is at it".into()),
            })
        );
    }

    #[test]
    fn a_request_about_an_incident_holds_for_as_many_minutes_as_it_says() {
        let now: Timestamp = "2026-11-24T12:00:00Z".parse().unwrap();
        for (action, minutes, expected) in [
            ("acknowledge", "", Ok(None)),
            (
                "acknowledge",
                r#","minutes":60"#,
                Ok(Some("2026-11-24T13:00:00Z")),
            ),
            (
                "snooze",
                r#","minutes":120"#,
                Ok(Some("2026-11-24T14:00:00Z")),
            ),
            (
                "snooze",
                "",
                Err("minutes must say for how long to snooze, got nothing"),
            ),
            ("resolve", "", Ok(None)),
            (
                "resolve",
                r#","minutes":1"#,
                Err("minutes must be left out of what has no end, got 1"),
            ),
            ("note", r#","note":"seen\u0007 ""#, Ok(None)),
        ] {
            let body = format!(
                r#"{{"incident":"00000000-0000-0000-0000-000000000001","action":"{action}"{minutes}}}"#
            );
            let Ok(Requested::OfIncident(asked)) = parse(body.as_bytes()) else {
                panic!("{body}");
            };
            let until = expected.map(|until| until.map(|until| until.parse().unwrap()));
            assert_eq!(asked.until(now), until.map_err(str::to_owned), "{body}");
            assert_eq!(asked.note.as_deref(), (action == "note").then_some("seen"));
        }
        for rest in [
            r#""action":"unacknowledge""#,
            r#""action":"note","until":"2026-11-24T15:00:00Z""#,
            r#""action":"snooze","minutes":-1"#,
            r#""action":"snooze","minutes":"60""#,
            r#""action":"note","alertId":"00000000-0000-0000-0000-000000000001""#,
        ] {
            let body = format!(r#"{{"incident":"00000000-0000-0000-0000-000000000001",{rest}}}"#);
            assert!(parse(body.as_bytes()).is_err(), "{body}");
        }
        assert!(parse(br#"{"incident":7,"action":"note"}"#).is_err());
    }

    #[test]
    fn what_is_no_request_is_refused() {
        for body in [
            "",
            "[]",
            "{}",
            r#"{"alertId":"x","action":"acknowledge"}"#,
            r#"{"alertId":"00000000-0000-0000-0000-000000000001","action":"ignore"}"#,
            r#"{"alertId":"00000000-0000-0000-0000-000000000001","action":"acknowledge","who":"me"}"#,
            r#"{"alertId":"00000000-0000-0000-0000-000000000001","action":"snooze","until":"soon"}"#,
            r#"{"alertId":"00000000-0000-0000-0000-000000000001","action":"snooze","until":"-000044-03-15T12:00:00Z"}"#,
            r#"{"alertId":"00000000-0000-0000-0000-000000000001","action":"snooze","until":1764000000}"#,
        ] {
            assert!(parse(body.as_bytes()).is_err(), "{body}");
        }
    }

    #[test]
    fn a_form_is_read_and_a_snooze_is_one_of_those_offered() {
        let now: Timestamp = "2026-11-24T12:00:00Z".parse().unwrap();
        for (form, until) in [
            ("token=t&minutes=240", "2026-11-24T16:00:00Z"),
            ("token=t&minutes=999999", "2026-11-24T13:00:00Z"),
            ("token=t", "2026-11-24T13:00:00Z"),
        ] {
            let filled = parse_form(form.as_bytes());
            assert_eq!(filled.snoozed_until(now), until.parse().ok(), "{form}");
        }
        let filled = parse_form(b"token=t&name=+Anna%0A+K+&note=+&x=1");
        assert_eq!(
            (filled.name.as_deref(), filled.note),
            (Some("Anna K"), None)
        );
    }
}
