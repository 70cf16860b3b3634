//! JSON for machines: `{type, timestamp, data}`, as Standard Webhooks suggests.
//!
//! Every key is always there, what is not known is null, and keys are only ever
//! added. Texts from outside are as they came: whoever shows one escapes it.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::messages::{
    escalation_step::{AskedBefore, Escalation},
    message::{Content, Digest, Message},
    message_facts::{Facts, Kind},
    message_links::Link,
    plain_text,
    recipients::Person,
};

/// The body of a call. The same message has the same body, whenever it is sent.
#[must_use]
pub(in crate::messages::channels) fn body(content: &Content) -> Value {
    match content {
        Content::Message(message) => json!({
            "type": event(message.kind),
            "timestamp": happened_at(&message.facts),
            "data": of_message(message),
        }),
        Content::Digest(digest) => json!({
            "type": "digest",
            "timestamp": digest.messages.iter().filter_map(|message| happened_at(&message.facts)).max(),
            "data": of_digest(digest),
        }),
    }
}

fn event(kind: Kind) -> &'static str {
    match kind {
        Kind::Firing => "alert.firing",
        Kind::Resolved => "alert.resolved",
        Kind::Escalation => "alert.escalation",
        Kind::Reminder => "alert.reminder",
        Kind::Notice => "notice",
    }
}

/// When it happened that the message tells of.
fn happened_at(facts: &Facts) -> Option<Timestamp> {
    let escalated = facts.escalation.as_ref().and_then(|step| step.at);
    match facts.kind {
        Kind::Resolved => facts.resolved_at,
        Kind::Escalation | Kind::Reminder => escalated,
        Kind::Firing | Kind::Notice => facts.opened_at,
    }
}

fn of_message(message: &Message) -> Value {
    let facts = &message.facts;
    json!({
        "headline": plain_text::line(&message.headline),
        "kind": message.kind.as_str(),
        "severity": message.severity,
        "rule": message.rule,
        "subject": facts.subject,
        "alert": facts.alert,
        "fingerprint": facts.fingerprint,
        "incident": facts.incident,
        "since": facts.since,
        "openedAt": facts.opened_at,
        "resolvedAt": facts.resolved_at,
        "ended": facts.ended,
        "incidentChange": facts.incident_change,
        "occurrences": facts.occurrences,
        "value": facts.value,
        "threshold": facts.threshold,
        "unit": facts.unit,
        "samples": facts.samples,
        "reason": facts.reason,
        "service": facts.service,
        "affects": facts.affects,
        "environment": facts.environment,
        "deployment": facts.deployment,
        "commit": facts.commit,
        "title": facts.title,
        "message": facts.message,
        "detail": facts.detail,
        "asked": message.recipients.people.iter().map(person).collect::<Vec<_>>(),
        "escalation": facts.escalation.as_ref().map(escalation),
        "links": links(&message.links),
    })
}

fn of_digest(digest: &Digest) -> Value {
    json!({
        "headline": digest.headline(),
        "messages": digest.messages.iter().map(of_message).collect::<Vec<_>>(),
        "links": links(&digest.links),
    })
}

fn person(person: &Person) -> Value {
    json!({
        "name": person.name,
        "role": person.role,
        "email": person.email,
        "slack": person.slack,
    })
}

fn escalation(step: &Escalation) -> Value {
    let earlier = step
        .earlier
        .iter()
        .map(|AskedBefore { name, level, at }| json!({ "name": name, "level": level, "at": at }));
    json!({
        "at": step.at,
        "level": step.level,
        "passed": step.passed,
        "told": earlier.collect::<Vec<_>>(),
        "others": step.others,
        "answered": step.answered,
        "acknowledgedBy": step.acknowledged.as_ref().map(|ended| &ended.by),
        "acknowledgedAt": step.acknowledged.as_ref().and_then(|ended| ended.at),
    })
}

fn links(links: &[Link]) -> Value {
    let links = links.iter();
    links
        .map(|Link { label, url }| json!({ "label": label, "url": url }))
        .collect()
}
