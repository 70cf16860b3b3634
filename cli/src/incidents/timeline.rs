//! What happened around an incident, entry by entry: what the database keeps of
//! it, and how people read it. Pure.

use jiff::{Timestamp, civil::Date};
use ops::{messages::channels::Channel, messages::plain_text};
use serde::{Deserialize, Serialize, de::IgnoredAny};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::times::{to_the_minute, to_the_second};

/// An entry as it is kept.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Kept {
    at: Timestamp,
    source: Source,
    /// What happened, in the words of its source.
    kind: String,
    /// Who did it; none for what happened by itself.
    actor: Option<String>,
    note: Option<String>,
    alert: Option<Uuid>,
    rule: Option<String>,
    subject: Option<String>,
    /// What else is known, which depends on what happened.
    detail: Value,
}

/// Where an entry is kept.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Source {
    /// The first bad sample of an alert.
    Sample,
    /// What happened to an alert.
    Alert,
    /// What happened to the incident itself.
    Incident,
    /// An attempt to send a message.
    Message,
}

/// An entry of a timeline.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(try_from = "Kept", into = "Kept")]
pub(super) struct Entry {
    kept: Kept,
    pub(super) event: Event,
}

/// What happened.
#[derive(Debug, Clone)]
pub(super) enum Event {
    FirstBadSample(Sample),
    Alert(AlertEvent),
    Incident(IncidentEvent),
    Message(Attempt),
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Sample {
    reason: Option<String>,
}

/// What happened to an alert.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "kind", content = "detail", rename_all = "snake_case")]
pub(super) enum AlertEvent {
    Opened(IgnoredAny),
    Resolved(IgnoredAny),
    Escalated { people: Vec<Person> },
    Acknowledged(Hold),
    AcknowledgementEnding(Hold),
    AcknowledgementEnded(IgnoredAny),
    Unacknowledged(IgnoredAny),
    Snoozed(Hold),
    Silenced(Hold),
    Closed(IgnoredAny),
}

/// Until when something holds.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Hold {
    until: Option<Timestamp>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Person {
    name: Option<String>,
}

/// What happened to the incident itself.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "kind", content = "detail", rename_all = "snake_case")]
pub(super) enum IncidentEvent {
    Opened(IgnoredAny),
    Resolved(IgnoredAny),
    Reopened(IgnoredAny),
    AlertJoined(IgnoredAny),
    SeverityChanged(Change),
    StateChanged(Change),
    CauseChanged(Change),
    Reported(IgnoredAny),
    Note(IgnoredAny),
    Lesson(IgnoredAny),
    Action(Task),
    PublicUpdate { state: Option<String> },
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Change {
    from: Option<String>,
    to: Option<String>,
}

/// Something to be done.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Task {
    pub(super) owner: String,
    pub(super) due: Date,
}

/// An attempt to send a message, and what came of it.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "kind", content = "detail", rename_all = "snake_case")]
pub(super) enum Attempt {
    Sent(Message),
    Retry(Message),
    Refused(Message),
    Untried(Message),
    Unread(Message),
    Dead(Message),
    Attempted(Message),
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Message {
    /// What the message says: `firing`, `resolved` and so on.
    message: String,
    channel: Option<Channel>,
    receipt: Option<String>,
    /// Whom it names; a step of an escalation may have no name.
    people: Vec<Option<String>>,
}

impl TryFrom<Kept> for Entry {
    type Error = serde_json::Error;

    fn try_from(kept: Kept) -> Result<Self, Self::Error> {
        let tagged = json!({ "kind": kept.kind, "detail": kept.detail });
        let event = match kept.source {
            Source::Sample => Event::FirstBadSample(Sample::deserialize(&kept.detail)?),
            Source::Alert => Event::Alert(AlertEvent::deserialize(tagged)?),
            Source::Incident => Event::Incident(IncidentEvent::deserialize(tagged)?),
            Source::Message => Event::Message(Attempt::deserialize(tagged)?),
        };
        Ok(Self { kept, event })
    }
}

impl From<Entry> for Kept {
    fn from(entry: Entry) -> Self {
        entry.kept
    }
}

impl Entry {
    /// The entry on a line of its own.
    pub(super) fn line(&self) -> String {
        let who = self
            .actor()
            .map(|actor| format!(" ({})", plain_text::line(actor)));
        format!(
            "{}  {}{}",
            self.time(),
            self.happening(),
            who.unwrap_or_default()
        )
    }

    /// When it happened.
    pub(super) fn time(&self) -> String {
        to_the_second(self.kept.at)
    }

    /// Who did it.
    pub(super) fn actor(&self) -> Option<&str> {
        self.kept.actor.as_deref()
    }

    /// What somebody wrote about it.
    pub(super) fn note(&self) -> Option<&str> {
        self.kept.note.as_deref()
    }

    /// What happened, without who did it.
    pub(super) fn happening(&self) -> String {
        let alert = self.alert();
        let what = match &self.event {
            Event::FirstBadSample(Sample { reason }) => {
                let reason = reason.as_ref().map(|reason| plain_text::line(reason));
                let reason = reason.map(|reason| format!(" ({reason})"));
                format!("first bad sample of {alert}{}", reason.unwrap_or_default())
            }
            Event::Alert(event) => format!("{alert} {}", event.text()),
            Event::Incident(event) => event.text(&alert),
            Event::Message(attempt) => attempt.text(&alert),
        };
        match self.note() {
            Some(note) => format!("{what}: {}", plain_text::line(note)),
            None => what,
        }
    }

    /// The alert concerned, by its rule and its subject.
    fn alert(&self) -> String {
        let named = [&self.kept.rule, &self.kept.subject].into_iter().flatten();
        plain_text::line(&named.map(String::as_str).collect::<Vec<_>>().join(" "))
    }
}

impl AlertEvent {
    fn text(&self) -> String {
        match self {
            Self::Opened(_) => "opened".to_owned(),
            Self::Resolved(_) => "resolved".to_owned(),
            Self::Escalated { people } => {
                let names = people.iter().filter_map(|person| person.name.as_deref());
                format!("escalated{}", addressed(names))
            }
            Self::Acknowledged(hold) => format!("acknowledged{}", hold.text()),
            Self::AcknowledgementEnding(hold) => {
                format!("acknowledgement ends soon{}", hold.text())
            }
            Self::AcknowledgementEnded(_) => "acknowledgement ended".to_owned(),
            Self::Unacknowledged(_) => "unacknowledged".to_owned(),
            Self::Snoozed(hold) => format!("snoozed{}", hold.text()),
            Self::Silenced(hold) => format!("silenced{}", hold.text()),
            Self::Closed(_) => "closed".to_owned(),
        }
    }
}

impl Hold {
    fn text(&self) -> String {
        self.until
            .map(|until| format!(" until {}", to_the_minute(until)))
            .unwrap_or_default()
    }
}

impl IncidentEvent {
    fn text(&self, alert: &str) -> String {
        match self {
            Self::Opened(_) => "incident opened".to_owned(),
            Self::Resolved(_) => "incident resolved".to_owned(),
            Self::Reopened(_) => "incident reopened".to_owned(),
            Self::AlertJoined(_) => format!("{alert} joined"),
            Self::SeverityChanged(change) => format!("severity changed {}", change.text()),
            Self::StateChanged(change) => format!("state changed {}", change.text()),
            Self::CauseChanged(change) => format!("cause changed {}", change.text()),
            Self::Reported(_) => "a user reported".to_owned(),
            Self::Note(_) => "note".to_owned(),
            Self::Lesson(_) => "lesson".to_owned(),
            Self::Action(Task { owner, due }) => {
                format!("to do by {} until {due}", plain_text::line(owner))
            }
            Self::PublicUpdate { state } => format!("public, {}", or_nothing(state.as_ref())),
        }
    }
}

impl Change {
    fn text(&self) -> String {
        format!(
            "from {} to {}",
            or_nothing(self.from.as_ref()),
            or_nothing(self.to.as_ref())
        )
    }
}

impl Attempt {
    fn text(&self, alert: &str) -> String {
        let (message, outcome) = match self {
            Self::Sent(message) => (message, "sent"),
            Self::Retry(message) => (message, "failed, tried again later"),
            Self::Refused(message) => (message, "refused, tried again later"),
            Self::Untried(message) => (message, "postponed"),
            Self::Unread(message) => (message, "not readable, given up"),
            Self::Dead(message) => (message, "given up"),
            Self::Attempted(message) => (message, "tried, without an answer"),
        };
        let receipt = message
            .receipt
            .as_ref()
            .map(|receipt| plain_text::line(receipt));
        let receipt = receipt.map(|receipt| format!(", receipt {receipt}"));
        format!(
            "{} message of {alert} on {}{} {outcome}{}",
            plain_text::line(&message.message),
            message.channel.map_or("no channel", Channel::as_str),
            addressed(message.people.iter().flatten().map(String::as_str)),
            receipt.unwrap_or_default()
        )
    }
}

/// To whom something was sent, if to anybody by name.
fn addressed<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<_> = names.collect();
    if names.is_empty() {
        return String::new();
    }
    format!(" to {}", plain_text::line(&names.join(", ")))
}

fn or_nothing(word: Option<&String>) -> &str {
    word.map_or("nothing", String::as_str)
}

#[cfg(test)]
pub(super) mod tests;
