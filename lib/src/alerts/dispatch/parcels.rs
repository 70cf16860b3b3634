//! From claimed rows to what is sent as one: facts become messages, with the
//! links that let a reader answer.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use url::Url;
use uuid::Uuid;

use crate::{
    alerts::{
        acknowledge::Signer,
        channels::Place,
        facts::{Facts, Kind},
        message::{Content, Digest, Link, Message, Occasion, Places},
    },
    config::Config,
};

/// What is due. Facts stay as they came until each is read on its own: one that
/// cannot be read must not hold up the others.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Claimed {
    messages: Vec<ClaimedMessage>,
    digests: Vec<ClaimedDigest>,
    /// The address of a runbook elsewhere, if the settings name one.
    #[serde(default)]
    runbook: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ClaimedMessage {
    id: Uuid,
    kind: String,
    facts: Value,
    created_at: Timestamp,
    /// The first message of the alert, where the channel gave it a name.
    #[serde(default)]
    thread: Option<String>,
}

impl ClaimedMessage {
    fn place(&self) -> Place {
        match (self.kind.as_str(), self.thread.clone()) {
            (_, None) => Place::Anew,
            ("change", Some(first)) => Place::Instead(first),
            ("escalation" | "reminder", Some(first)) => Place::Broadcast(first),
            (_, Some(first)) => Place::Thread(first),
        }
    }
}

#[derive(Debug, Deserialize)]
struct ClaimedDigest {
    ids: Vec<Uuid>,
    /// Of the first ids; there may be more than anybody reads.
    items: Vec<Value>,
    #[serde(default)]
    occasion: Occasion,
}

/// What is sent as one, for one row of the outbox or for several.
pub(super) struct Parcel {
    pub(super) rows: Vec<Uuid>,
    /// Names it to providers, however often it is sent.
    pub(super) key: String,
    pub(super) content: Content,
    pub(super) place: Place,
}

/// What a claim amounts to.
pub(super) fn pack(claimed: &Claimed, config: &Config) -> Vec<Parcel> {
    let runbook = claimed.runbook.as_deref().and_then(web_address);
    let places = Places {
        base: config.base_url.as_ref(),
        runbook: runbook.as_ref(),
    };
    let signer = config.monitoring_api_key.as_ref().map(Signer::new);
    let singles = claimed.messages.iter().map(|message| {
        let mut facts = Facts::read(&message.facts);
        // A change shows what its facts say: that it goes on, or that it is over.
        facts.kind = Kind::parse(&message.kind).unwrap_or(facts.kind);
        let mut content = Message::new(&facts, places);
        let answers = answers(message, &facts, signer.as_ref(), places.base);
        content.links.splice(0..0, answers);
        Parcel {
            rows: vec![message.id],
            key: message.id.to_string(),
            content: Content::Message(content),
            place: message.place(),
        }
    });
    let digests = claimed.digests.iter().map(|digest| {
        let items: Vec<Facts> = digest.items.iter().map(Facts::read).collect();
        Parcel {
            rows: digest.ids.clone(),
            key: digest_key(&digest.ids),
            content: Content::Digest(match digest.occasion {
                Occasion::Daily => Digest::new(&items, places),
                Occasion::Group => Digest::group(&items, digest.ids.len(), places),
            }),
            place: Place::Anew,
        }
    });
    singles
        .chain(digests)
        .filter(|parcel| !parcel.rows.is_empty())
        .collect()
}

/// The links by which a reader of a message about an open alert may answer it.
fn answers(
    message: &ClaimedMessage,
    facts: &Facts,
    signer: Option<&Signer>,
    base: Option<&Url>,
) -> Vec<Link> {
    match (facts.kind.is_open(), facts.alert, signer, base) {
        (true, Some(alert), Some(signer), Some(base)) => {
            signer.links(base, alert, message.id, message.created_at)
        }
        _ => Vec::new(),
    }
}

fn web_address(text: &str) -> Option<Url> {
    Url::parse(text)
        .ok()
        .filter(|url| matches!(url.scheme(), "https" | "http"))
}

/// Names what goes together by its rows: with one more it is something else.
fn digest_key(ids: &[Uuid]) -> String {
    let hash = ids
        .iter()
        .fold(Sha256::new(), |hash, id| hash.chain_update(id.as_bytes()))
        .finalize();
    hash[..16].iter().fold("digest-".to_owned(), |key, byte| {
        key + &format!("{byte:02x}")
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_digest_is_named_by_its_rows() {
        let ids = [1, 2].map(Uuid::from_u128);
        assert_eq!(digest_key(&ids), digest_key(&ids));
        assert_ne!(digest_key(&ids), digest_key(&ids[..1]));
        assert_eq!(digest_key(&ids).len(), "digest-".len() + 32);
    }

    #[test]
    fn a_runbook_elsewhere_has_to_be_a_web_address() {
        assert!(web_address("https://wiki.example/ops").is_some());
        assert!(web_address("javascript:alert(1)").is_none());
        assert!(web_address("").is_none());
    }

    fn links(kind: &str, variables: &[(&str, &str)]) -> Vec<&'static str> {
        let claimed = json!({"digests": [], "messages": [{
            "id": Uuid::from_u128(2), "kind": kind, "createdAt": "2026-11-24T03:14:08Z",
            "facts": {"alert": Uuid::from_u128(1), "rule": "app_down"},
        }]});
        let claimed: Claimed = serde_json::from_value(claimed).unwrap();
        let lookup = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        match &pack(&claimed, &Config::from_lookup(&lookup))[0].content {
            Content::Message(message) => message.links.iter().map(|link| link.label).collect(),
            Content::Digest(_) => panic!("a single message"),
        }
    }

    fn place(kind: &str, thread: Option<&str>) -> Place {
        let message = json!({
            "id": Uuid::from_u128(2), "kind": kind, "createdAt": "2026-11-24T03:14:08Z",
            "facts": {}, "thread": thread,
        });
        serde_json::from_value::<ClaimedMessage>(message)
            .unwrap()
            .place()
    }

    #[test]
    fn what_is_said_later_belongs_to_the_first_message_where_that_has_a_name() {
        let first = || "C1:17.5".to_owned();
        for kind in ["firing", "escalation", "resolved", "notice", "change"] {
            assert_eq!(place(kind, None), Place::Anew, "{kind}");
        }
        for (kind, expected) in [
            ("firing", Place::Thread(first())),
            ("resolved", Place::Thread(first())),
            ("escalation", Place::Broadcast(first())),
            ("change", Place::Instead(first())),
        ] {
            assert_eq!(place(kind, Some("C1:17.5")), expected, "{kind}");
        }
    }

    #[test]
    fn what_goes_on_can_be_answered_where_links_can_be_signed() {
        let base = ("BASE_URL", "https://ops.wine.example");
        let key = ("MONITORING_API_KEY", "key-of-sixteen-letters");
        let both = ["Acknowledge", "Snooze", "Runbook", "Dashboard"];
        for (kind, variables, expected) in [
            ("firing", vec![base, key], both.to_vec()),
            ("escalation", vec![base, key], both.to_vec()),
            ("reminder", vec![base, key], both.to_vec()),
            ("resolved", vec![base, key], both[2..].to_vec()),
            ("firing", vec![base], both[2..].to_vec()),
            ("firing", vec![key], vec![]),
        ] {
            assert_eq!(links(kind, &variables), expected, "{kind} {variables:?}");
        }
    }
}
