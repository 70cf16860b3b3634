//! `pourtrait alerts messages` and `resend`: what was sent, with its receipt, and
//! what was given up.

use anyhow::Context;
use ops::rpc::{Call, Retry};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{super::project::author, Project, time, word};
use crate::{
    failure::{Misuse, Verdict},
    output::{self, Output},
};

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
    pub(super) messages: Vec<Value>,
}

impl Call for ListMessages {
    const NAME: &'static str = "ops_list_messages";
    const RETRY: Retry = Retry::Read;
    type Output = Listed;
}

#[derive(Debug, Serialize)]
struct ResendMessage {
    p_request: Uuid,
    p_message: Uuid,
    p_actor: String,
    p_channel: Option<String>,
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
}

impl Call for ResendMessage {
    const NAME: &'static str = "ops_resend_message";
    const RETRY: Retry = Retry::Idempotent;
    type Output = Resent;
}

pub(super) async fn list(
    project: &Project,
    dead: bool,
    alert: Option<Uuid>,
    limit: u32,
    output: Output,
) -> anyhow::Result<()> {
    let call = ListMessages {
        p_dead: dead,
        p_alert: alert,
        p_limit: limit,
    };
    let listed = project.call(&call).await?;
    output.result(&json!(listed), &listing(&listed.messages));
    Ok(())
}

pub(super) async fn resend(
    project: &Project,
    start: &str,
    channel: Option<String>,
    output: Output,
) -> anyhow::Result<Verdict> {
    let dead = ListMessages {
        p_dead: true,
        p_alert: None,
        p_limit: MOST,
    };
    let call = ResendMessage {
        p_request: Uuid::new_v4(),
        p_message: find(&project.call(&dead).await?.messages, start)?,
        p_actor: author(),
        p_channel: channel,
    };
    let resent = project.call(&call).await?;
    let (verdict, text) = match resent.outcome {
        Outcome::Queued => (Verdict::Good, "queued; it is sent within a minute"),
        Outcome::Unchanged | Outcome::Unknown => (Verdict::Bad, "somebody else was quicker"),
        Outcome::Over => (
            Verdict::Bad,
            "not queued: its alert is over, and whoever hears of it now would never hear of its end",
        ),
    };
    output.result(&json!(resent), text);
    Ok(verdict)
}

/// The dead message whose id begins so.
fn find(dead: &[Value], start: &str) -> anyhow::Result<Uuid> {
    let ids: Vec<&str> = dead
        .iter()
        .filter_map(|message| message["id"].as_str())
        .filter(|id| !start.is_empty() && id.starts_with(&start.to_lowercase()))
        .collect();
    match ids.as_slice() {
        [one] => one.parse().context("the database names a message oddly"),
        [] => Err(Misuse(format!("no dead message begins with {start}")).into()),
        _ => Err(Misuse(format!("{} dead messages begin with {start}", ids.len())).into()),
    }
}

pub(super) fn listing(messages: &[Value]) -> String {
    if messages.is_empty() {
        return "no messages".to_owned();
    }
    let rows: Vec<_> = messages.iter().map(row).collect();
    output::table(
        [
            "message",
            "queued",
            "channel",
            "kind",
            "about",
            "status",
            "tries",
            "receipt or error",
        ],
        &rows,
    )
}

fn row(message: &Value) -> [String; 8] {
    let id: String = word(message, "id").chars().take(8).collect();
    let about = [word(message, "rule"), word(message, "subject")];
    let about: Vec<String> = about.into_iter().filter(|word| !word.is_empty()).collect();
    [
        id,
        time(&message["createdAt"]),
        channel(message),
        word(message, "kind"),
        about.join(" "),
        word(message, "status"),
        message["attempts"].to_string(),
        receipt(message),
    ]
}

/// The channel, and in whose place.
fn channel(message: &Value) -> String {
    let others: Vec<&str> = message["standsInFor"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let own = message["channel"].as_str().unwrap_or("none");
    if others.is_empty() {
        own.to_owned()
    } else {
        format!("{own} for {}", others.join(", "))
    }
}

/// When it was sent and what the provider calls it, else why not.
fn receipt(message: &Value) -> String {
    match message["sentAt"].as_str() {
        Some(_) => [time(&message["sentAt"]), word(message, "providerId")]
            .join(" ")
            .trim()
            .to_owned(),
        None => word(message, "error"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_shows_its_receipt_or_its_error() {
        let mut message = json!({
            "id": "abc00000-0000-4000-8000-000000000001", "createdAt": "2026-11-24T12:00:00Z",
            "channel": "email", "kind": "firing", "rule": "app_down", "subject": "x", "status": "sent",
            "attempts": 2, "sentAt": "2026-11-24T12:01:00Z", "providerId": "re-1", "standsInFor": ["slack"],
        });
        assert_eq!(
            row(&message),
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
        assert_eq!(row(&message)[7], "refused");
    }

    #[test]
    fn a_dead_message_is_named_by_the_start_of_its_id() {
        let dead = [
            json!({"id": "abc00000-0000-4000-8000-000000000001"}),
            json!({"id": "abd00000-0000-4000-8000-000000000002"}),
        ];
        assert_eq!(find(&dead, "ABC").unwrap().as_u128() & 0xf, 1);
        for start in ["ab", "x", ""] {
            assert!(find(&dead, start).is_err(), "{start}");
        }
    }
}
