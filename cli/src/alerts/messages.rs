//! `pourtrait alerts messages` and `resend`: what was sent, with its receipt, and
//! what was given up.

use jiff::Timestamp;
use ops::{
    messages::channels::Channel,
    rpc::{Call, Retry},
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::open_alerts;
use crate::{
    answered::{self, Answered, word},
    id_start,
    project::{Project, author},
    times::to_the_minute,
};
use terminal::{failure::Verdict, output::Output};

/// The most that the database lists at once.
pub(super) const MOST: u32 = 500;

#[derive(Debug, Serialize)]
pub(super) struct ListMessages {
    pub(super) p_dead: bool,
    pub(super) p_alert: Option<Uuid>,
    pub(super) p_limit: u32,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Listed {
    pub(super) messages: Vec<Answered<Message>>,
}

impl Call for ListMessages {
    const NAME: &'static str = "ops_list_messages";
    const RETRY: Retry = Retry::Read;
    type Output = Listed;
}

/// A message, as far as a list shows it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Message {
    id: Uuid,
    kind: Kind,
    /// Where it goes; none where no channel was configured.
    channel: Option<Channel>,
    rule: Option<String>,
    subject: Option<String>,
    status: Status,
    attempts: u32,
    created_at: Timestamp,
    sent_at: Option<Timestamp>,
    /// What the provider calls it.
    provider_id: Option<String>,
    error: Option<String>,
    /// Why it was not sent; none if it was, or if the database does not say.
    reason: Option<Reason>,
    /// The channels that did not take it, in whose place it is sent.
    stands_in_for: Vec<Channel>,
}

/// Why a message was not sent, or is not sent now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Reason {
    BeginningUnsent,
    BeingSent,
    ChannelNotConfigured,
    Digest,
    Dropped,
    Due,
    GivenUp,
    Held,
    NoChannel,
    Over,
    Postponed,
    Retrying,
    Silenced,
}

impl Reason {
    fn text(self) -> &'static str {
        match self {
            Self::BeginningUnsent => "its beginning has not arrived",
            Self::BeingSent => "being sent",
            Self::ChannelNotConfigured => "its channel is not configured",
            Self::Digest => "waits for the digest",
            Self::Dropped => "not needed any more",
            Self::Due => "due",
            Self::GivenUp => "given up",
            Self::Held => "held: the cause is told instead",
            Self::NoChannel => "no channel was configured",
            Self::Over => "its alert is over",
            Self::Postponed => "waits for its turn",
            Self::Retrying => "is tried again",
            Self::Silenced => "silenced or in maintenance",
        }
    }
}

/// What a message says.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Firing,
    Resolved,
    Notice,
    Escalation,
    Change,
    Reminder,
}

/// How far a message has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Status {
    Pending,
    Sent,
    Dead,
    Superseded,
}

#[derive(Debug, Serialize)]
struct ResendMessage {
    p_request: Uuid,
    p_message: Uuid,
    p_actor: String,
    p_channel: Option<Channel>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Outcome {
    Queued,
    Unchanged,
    Over,
    Unknown,
}

#[derive(Debug, Serialize, Deserialize)]
struct Resent {
    outcome: Outcome,
    message: Option<Uuid>,
    /// All of them, where it was queued for several devices.
    #[serde(default)]
    messages: Vec<Uuid>,
}

impl Call for ResendMessage {
    const NAME: &'static str = "ops_resend_message";
    const RETRY: Retry = Retry::Idempotent;
    type Output = Resent;
}

pub(super) async fn list(
    project: &Project,
    dead: bool,
    alert: Option<String>,
    limit: u32,
    output: Output,
) -> anyhow::Result<Verdict> {
    let alert = match alert {
        Some(alert) => Some(named(project, &alert).await?),
        None => None,
    };
    let call = ListMessages {
        p_dead: dead,
        p_alert: alert,
        p_limit: limit,
    };
    let listed = project.call(&call).await?;
    output.result(&json!(listed), &listing(&listed.messages));
    Ok(Verdict::Good)
}

/// The alert of that id; of an open one the start is enough.
async fn named(project: &Project, alert: &str) -> anyhow::Result<Uuid> {
    match alert.parse() {
        Ok(id) => Ok(id),
        Err(_) => open_alerts::find(project, alert).await,
    }
}

pub(super) async fn resend(
    project: &Project,
    start: &str,
    channel: Option<Channel>,
    output: Output,
) -> anyhow::Result<Verdict> {
    let dead = ListMessages {
        p_dead: true,
        p_alert: None,
        p_limit: MOST,
    };
    let dead = project.call(&dead).await?.messages;
    let ids = dead.iter().filter_map(Answered::id);
    let call = ResendMessage {
        p_request: Uuid::new_v4(),
        p_message: id_start::find("dead message", start, ids)?,
        p_actor: author(),
        p_channel: channel,
    };
    let resent = project.call(&call).await?;
    let (verdict, text) = match resent.outcome {
        Outcome::Queued if resent.messages.len() > 1 => (
            Verdict::Good,
            format!(
                "queued for {} devices; it is sent within a minute",
                resent.messages.len()
            ),
        ),
        Outcome::Queued => (
            Verdict::Good,
            "queued; it is sent within a minute".to_owned(),
        ),
        Outcome::Unchanged | Outcome::Unknown => {
            (Verdict::Bad, "somebody else was quicker".to_owned())
        }
        Outcome::Over => (
            Verdict::Bad,
            "not queued: its alert is over, and whoever got the message now would never get its end"
                .to_owned(),
        ),
    };
    output.result(&json!(resent), &text);
    Ok(verdict)
}

pub(super) fn listing(messages: &[Answered<Message>]) -> String {
    const HEADING: [&str; 8] = [
        "message",
        "queued",
        "channel",
        "kind",
        "about",
        "status",
        "tries",
        "receipt or error",
    ];
    if messages.is_empty() {
        return "no messages".to_owned();
    }
    answered::table("messages", messages, HEADING, Message::row)
}

impl Message {
    /// Whether a provider has taken it.
    pub(super) fn is_sent(&self) -> bool {
        self.status == Status::Sent
    }

    fn row(&self) -> [String; 8] {
        let about = [&self.rule, &self.subject].into_iter().flatten();
        let about: Vec<_> = about
            .map(String::as_str)
            .filter(|word| !word.is_empty())
            .collect();
        [
            id_start::shown(self.id),
            to_the_minute(self.created_at),
            self.channel(),
            word(self.kind),
            about.join(" "),
            word(self.status),
            self.attempts.to_string(),
            self.receipt(),
        ]
    }

    /// The channel, and in whose place.
    fn channel(&self) -> String {
        let own = self.channel.map_or("none", Channel::as_str);
        if self.stands_in_for.is_empty() {
            return own.to_owned();
        }
        let others: Vec<_> = self
            .stands_in_for
            .iter()
            .map(|other| other.as_str())
            .collect();
        format!("{own} for {}", others.join(", "))
    }

    /// When it was sent and what the provider calls it, else why it was not: in a
    /// word, and as the last attempt ended.
    fn receipt(&self) -> String {
        match (self.sent_at, &self.provider_id) {
            (Some(at), Some(name)) => format!("{} {name}", to_the_minute(at)),
            (Some(at), None) => to_the_minute(at),
            (None, _) => {
                let reason = self.reason.map(|reason| reason.text().to_owned());
                let parts: Vec<_> = reason.into_iter().chain(self.error.clone()).collect();
                parts.join(": ")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn row(document: Value) -> [String; 8] {
        Answered::<Message>::read(document).known().unwrap().row()
    }

    #[test]
    fn a_message_shows_its_receipt_or_its_error() {
        let mut message = json!({
            "id": "abc00000-0000-4000-8000-000000000001", "createdAt": "2026-11-24T12:00:00Z",
            "channel": "email", "kind": "firing", "rule": "app_down", "subject": "x", "status": "sent",
            "attempts": 2, "sentAt": "2026-11-24T12:01:00Z", "providerId": "re-1", "standsInFor": ["slack"],
        });
        assert_eq!(
            row(message.clone()),
            [
                "abc00000",
                "2026-11-24 12:00 UTC",
                "email for slack",
                "firing",
                "app_down x",
                "sent",
                "2",
                "2026-11-24 12:01 UTC re-1",
            ]
        );
        message["sentAt"] = Value::Null;
        message["error"] = json!("refused");
        assert_eq!(row(message.clone())[7], "refused");
        message["reason"] = json!("retrying");
        assert_eq!(row(message)[7], "is tried again: refused");
    }

    #[test]
    fn a_message_on_an_unknown_channel_is_shown_as_it_stands() {
        let message: Answered<Message> = Answered::read(json!({"channel": "pigeon"}));
        let listing = listing(&[message]);
        assert!(listing.contains("{\"channel\":\"pigeon\"}"), "{listing}");
        assert!(listing.ends_with("the database may be newer"), "{listing}");
    }
}
