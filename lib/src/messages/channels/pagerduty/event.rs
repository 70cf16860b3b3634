//! An event as `PagerDuty` takes it. Its texts are plain: nothing in them is read as
//! anything else.

use serde_json::{Map, Value, json};

use crate::messages::{
    channels::{Outgoing, Place},
    message::{Content, Digest, Field, Message},
    message_facts::{Kind, Severity},
    plain_text,
};

/// `PagerDuty` cuts a summary at 1,024 characters.
const SUMMARY_LIMIT: usize = 1_024;
const VALUE_LIMIT: usize = 2_000;

/// Who sends it, where the alert names no service.
const SOURCE: &str = "pourtrait-ops";

/// One call of the Events API, without the integration's key.
pub(super) struct Event {
    pub(super) path: &'static str,
    pub(super) body: Value,
    /// By which its incident is known.
    pub(super) dedup_key: Option<String>,
}

/// The event that says this.
pub(super) fn of(outgoing: Outgoing<'_>) -> Event {
    match outgoing.content {
        Content::Message(message) => match (action(message, outgoing.place), message.facts.alert) {
            (Some(action), Some(alert)) => alert_event(message, action, alert.to_string()),
            _ => change_event(message),
        },
        Content::Digest(digest) => of_digest(digest),
    }
}

/// What happens to the incident; nothing where there is none.
fn action(message: &Message, place: &Place) -> Option<&'static str> {
    let acknowledged = message.facts.acknowledgement.is_some();
    match (message.kind, place) {
        (Kind::Resolved, _) => Some("resolve"),
        // How its first message is to read now.
        (kind, Place::Instead(_)) if kind.is_open() && acknowledged => Some("acknowledge"),
        (Kind::Firing | Kind::Escalation | Kind::Reminder, _) => Some("trigger"),
        (Kind::Notice, _) => None,
    }
}

fn alert_event(message: &Message, action: &'static str, dedup_key: String) -> Event {
    let mut body = json!({ "event_action": action, "dedup_key": dedup_key });
    if action == "trigger" {
        body["payload"] = json!({
            "summary": summary(message),
            "source": plain_text::line(message.facts.service.as_deref().unwrap_or(SOURCE)),
            "severity": severity(message.severity),
            "component": plain_text::cut(&plain_text::line(&message.facts.subject), SUMMARY_LIMIT),
            "class": message.rule,
            "custom_details": details(message),
        });
        if let Some(since) = message.facts.since {
            body["payload"]["timestamp"] = since.to_string().into();
        }
        body["client"] = SOURCE.into();
        body["links"] = links(message);
    }
    Event {
        path: "/v2/enqueue",
        body,
        dedup_key: Some(dedup_key),
    }
}

fn change_event(message: &Message) -> Event {
    Event {
        path: "/v2/change/enqueue",
        body: json!({
            "payload": {
                "summary": summary(message), "source": SOURCE, "custom_details": details(message),
            },
            "links": links(message),
        }),
        dedup_key: None,
    }
}

fn of_digest(digest: &Digest) -> Event {
    let summaries: Vec<String> = digest.messages.iter().map(summary).collect();
    Event {
        path: "/v2/change/enqueue",
        body: json!({
            "payload": {
                "summary": plain_text::cut(&digest.headline(), SUMMARY_LIMIT),
                "source": SOURCE,
                "custom_details": { "messages": summaries },
            },
        }),
        dedup_key: None,
    }
}

fn summary(message: &Message) -> String {
    let headline = plain_text::line(&message.headline);
    plain_text::cut_at_word(&format!("{}: {headline}", message.label()), SUMMARY_LIMIT)
}

fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "critical",
        Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low => "info",
    }
}

fn details(message: &Message) -> Value {
    let mut details = Map::new();
    if let Some(body) = &message.body {
        let body = plain_text::cut(&plain_text::paragraph(body), VALUE_LIMIT);
        details.insert("Message".into(), body.into());
    }
    for Field { label, value } in &message.fields {
        let value = plain_text::cut(&plain_text::paragraph(value), VALUE_LIMIT);
        details.insert((*label).into(), value.into());
    }
    details.into()
}

fn links(message: &Message) -> Value {
    message
        .links
        .iter()
        .map(|link| json!({ "href": link.url, "text": link.label }))
        .collect()
}
