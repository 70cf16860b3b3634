//! The claimed rows of the outbox, and what is made of them to be sent: facts become
//! messages, with the links by which a reader answers.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use url::Url;
use uuid::Uuid;

use crate::{
    alerts::acknowledge::answer_links,
    auth::signed_link::Signer,
    config::Config,
    messages::{
        channels::{Outgoing, Place},
        message::{Content, Digest, Message, Occasion},
        message_facts::{Facts, Kind},
        message_links::{Link, Places},
        plain_text,
    },
};

/// How much of the reason is kept for which a row cannot be read.
const REASON_LIMIT: usize = 200;

/// What is due. Messages stay as they came until each is read on its own: one that
/// this release cannot read must not hold up the others.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Claimed {
    messages: Vec<Value>,
    digests: Vec<Value>,
    /// The address of a runbook elsewhere, if the settings name one.
    #[serde(default)]
    runbook: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ClaimedMessage {
    id: Uuid,
    kind: RowKind,
    facts: Value,
    created_at: Timestamp,
    /// The first message of the alert, where the channel gave it a name.
    #[serde(default)]
    thread: Option<String>,
}

/// The kinds of rows in the outbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum RowKind {
    Firing,
    Resolved,
    Escalation,
    Reminder,
    Notice,
    /// How the first message is to read now.
    Change,
}

impl RowKind {
    /// The kind of message that it makes. A change shows what its facts say: that
    /// the alert goes on, or that it is over.
    fn of_message(self) -> Option<Kind> {
        match self {
            Self::Firing => Some(Kind::Firing),
            Self::Resolved => Some(Kind::Resolved),
            Self::Escalation => Some(Kind::Escalation),
            Self::Reminder => Some(Kind::Reminder),
            Self::Notice => Some(Kind::Notice),
            Self::Change => None,
        }
    }

    /// Where its message stands, given the first one of the alert.
    fn place(self, first: Option<String>) -> Place {
        let Some(first) = first else {
            return Place::Anew;
        };
        match self {
            Self::Change => Place::Instead(first),
            Self::Escalation | Self::Reminder => Place::Broadcast(first),
            Self::Firing | Self::Resolved | Self::Notice => Place::Thread(first),
        }
    }
}

#[derive(Debug, Deserialize)]
struct ClaimedDigest {
    ids: Vec<Uuid>,
    /// The facts of the first ids; there may be more ids than anybody reads.
    items: Vec<Value>,
    #[serde(default)]
    occasion: Occasion,
}

/// What is sent as one, for one row of the outbox or for several.
pub(super) struct Parcel {
    pub(super) rows: Vec<Uuid>,
    /// The name by which providers know it, however often it is sent.
    pub(super) key: String,
    pub(super) content: Content,
    pub(super) place: Place,
}

impl Parcel {
    /// What a channel is given to send.
    pub(super) fn outgoing(&self) -> Outgoing<'_> {
        Outgoing {
            content: &self.content,
            key: &self.key,
            place: &self.place,
        }
    }
}

/// What a claim amounts to.
pub(super) struct Packed {
    pub(super) parcels: Vec<Parcel>,
    pub(super) unread: Vec<Unread>,
}

/// Rows that this release cannot read, and why.
pub(super) struct Unread {
    pub(super) rows: Vec<Uuid>,
    pub(super) reason: String,
}

/// Reads a claim, element by element.
pub(super) fn pack(claimed: &Claimed, config: &Config) -> Packed {
    let runbook = claimed.runbook.as_deref().and_then(web_address);
    let places = Places {
        base: config.base_url.as_ref(),
        runbook: runbook.as_ref(),
    };
    let signer = config.monitoring_api_key.as_ref().map(Signer::new);
    let mut packed = Packed {
        parcels: Vec::new(),
        unread: Vec::new(),
    };
    for row in &claimed.messages {
        match ClaimedMessage::deserialize(row) {
            Ok(message) => packed
                .parcels
                .push(single(message, signer.as_ref(), places)),
            Err(error) => packed.set_aside(&row["id"], &error),
        }
    }
    for rows in &claimed.digests {
        match ClaimedDigest::deserialize(rows) {
            Ok(digest) if digest.ids.is_empty() => {}
            Ok(digest) => packed.parcels.push(together(digest, places)),
            Err(error) => packed.set_aside(&rows["ids"], &error),
        }
    }
    packed
}

impl Packed {
    /// Sets rows aside, by their id or their list of ids.
    fn set_aside(&mut self, ids: &Value, error: &serde_json::Error) {
        let one = Uuid::deserialize(ids).map(|id| vec![id]);
        let rows = one.or_else(|_| Vec::deserialize(ids)).unwrap_or_default();
        tracing::error!(?rows, %error, "messages of the outbox cannot be read");
        self.unread.push(Unread {
            rows,
            reason: plain_text::cut(&plain_text::line(&error.to_string()), REASON_LIMIT),
        });
    }
}

fn single(message: ClaimedMessage, signer: Option<&Signer>, places: Places<'_>) -> Parcel {
    let mut facts = Facts::read(&message.facts);
    facts.kind = message.kind.of_message().unwrap_or(facts.kind);
    let mut content = Message::new(&facts, places);
    let answers = answers(&message, &facts, signer, places.base);
    content.links.splice(0..0, answers);
    Parcel {
        rows: vec![message.id],
        key: message.id.to_string(),
        content: Content::Message(content),
        place: message.kind.place(message.thread),
    }
}

fn together(digest: ClaimedDigest, places: Places<'_>) -> Parcel {
    let items: Vec<Facts> = digest.items.iter().map(Facts::read).collect();
    let content = match digest.occasion {
        Occasion::Daily => Digest::new(&items, places),
        Occasion::Group => Digest::group(&items, digest.ids.len(), places),
    };
    Parcel {
        key: digest_key(&digest.ids),
        rows: digest.ids,
        content: Content::Digest(content),
        place: Place::Anew,
    }
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
            answer_links::of_message(signer, base, alert, message.id, message.created_at)
        }
        _ => Vec::new(),
    }
}

fn web_address(text: &str) -> Option<Url> {
    Url::parse(text)
        .ok()
        .filter(|url| matches!(url.scheme(), "https" | "http"))
}

/// The name of several rows that go together. With one row more it is another name.
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
        match &pack(&claimed, &Config::from_lookup(&lookup)).parcels[0].content {
            Content::Message(message) => message.links.iter().map(|link| link.label).collect(),
            Content::Digest(_) => panic!("a single message"),
        }
    }

    fn place(kind: &str, thread: Option<&str>) -> Place {
        let kind = RowKind::deserialize(&json!(kind)).unwrap();
        kind.place(thread.map(str::to_owned))
    }

    #[test]
    fn what_this_release_cannot_read_is_set_aside_and_takes_no_other_along() {
        let ids = [1, 2, 3, 4].map(Uuid::from_u128);
        let message = |id: Uuid, kind: &str| {
            json!({"id": id, "kind": kind, "createdAt": "2026-11-24T03:14:08Z",
                   "facts": {"rule": "app_down"}})
        };
        let claimed = json!({
            "messages": [message(ids[0], "hologram"), message(ids[1], "firing"), {"kind": 7}],
            "digests": [{"ids": [ids[2], ids[3]], "items": [], "occasion": "eclipse"}],
        });
        let claimed: Claimed = serde_json::from_value(claimed).unwrap();
        let packed = pack(&claimed, &Config::from_lookup(&|_| None));
        let sent: Vec<_> = packed
            .parcels
            .into_iter()
            .map(|parcel| parcel.rows)
            .collect();
        assert_eq!(sent, [[ids[1]]]);
        let unread: Vec<_> = packed
            .unread
            .into_iter()
            .map(|unread| unread.rows)
            .collect();
        assert_eq!(unread, [vec![ids[0]], vec![], vec![ids[2], ids[3]]]);
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
            ("reminder", Place::Broadcast(first())),
            ("notice", Place::Thread(first())),
            ("change", Place::Instead(first())),
        ] {
            assert_eq!(place(kind, Some("C1:17.5")), expected, "{kind}");
        }
    }

    #[test]
    fn what_goes_on_can_be_answered_where_links_can_be_signed() {
        let base = ("BASE_URL", "https://ops.wine.example");
        let key = ("MONITORING_API_KEY", "key-of-sixteen-letters");
        let both = ["Acknowledge", "Snooze", "Open alert", "Runbook"];
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
