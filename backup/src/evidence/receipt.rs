//! A receipt: a fact about backups, and the statement of in-toto that tells it.

use bytes::Bytes;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::{EnvelopeError, PublicKey, SigningError, SigningKey, envelope};
use crate::{
    format::{SnapshotName, object_path},
    hex,
};

/// What the predicate of a receipt is.
pub const PREDICATE_TYPE: &str = "urn:pourtrait-ops:backup-receipt:v1";

const STATEMENT_TYPE: &str = "https://in-toto.io/Statement/v1";

/// Something that was done with backups.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Fact {
    /// What kind of thing: a word of lower-case letters, such as `backup` or `drill`.
    pub kind: String,
    /// What tells it from all others of its kind.
    pub id: String,
    /// When it was done or became known, by the database's clock.
    pub at: Timestamp,
    /// The backup that it is about; `None` where it is about none, or several.
    pub snapshot: Option<SnapshotName>,
    /// SHA-256 of the commit record of that backup; `None` where nobody noted it.
    pub record_sha256: Option<String>,
    /// What was done, with its figures.
    pub facts: Map<String, Value>,
}

impl Fact {
    /// Where the receipt of this fact lies, and of no other.
    #[must_use]
    pub fn path(&self) -> String {
        let told = hex::sha256(format!("{} {}", self.kind, self.id).as_bytes());
        object_path::receipt(self.at, &self.kind, &told[..16])
    }
}

/// What a receipt is about, as stock tools compare it: an object by its hash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subject {
    /// The path of a commit record in the store, or `repository`.
    pub name: String,
    /// Its hashes, by algorithm.
    pub digest: Digest,
}

/// The hash of a subject.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Digest {
    /// SHA-256: of the commit record, or of the repository's name as text.
    pub sha256: String,
}

/// A receipt that was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Receipt {
    /// What it tells.
    pub fact: Fact,
    /// What it is about.
    pub subject: Subject,
    /// SHA-256 of the receipts before it: one, none for the first, and several where it joins
    /// what others wrote at the same time.
    pub previous: Vec<String>,
    /// The id of the key that signed it.
    pub key: String,
}

/// Why something is no receipt.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReceiptError {
    /// Its envelope does not count.
    #[error(transparent)]
    Envelope(#[from] EnvelopeError),
    /// It states something else.
    #[error("it is signed, and no receipt that this release reads: {0}")]
    Statement(String),
    /// It lies where another one should.
    #[error("it is the receipt that should lie at {0}")]
    Misplaced(String),
    /// Another repository's.
    #[error("it is a receipt of the repository {0}")]
    Another(Uuid),
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Statement {
    #[serde(rename = "_type")]
    statement_type: String,
    subject: Vec<Subject>,
    predicate_type: String,
    predicate: Predicate,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Predicate {
    repository: Uuid,
    previous: Vec<String>,
    #[serde(flatten)]
    fact: Fact,
}

/// The signed receipt of a fact behind those, as it lies in the store.
pub(super) fn render(
    key: &SigningKey,
    repo: Uuid,
    fact: &Fact,
    previous: Vec<String>,
) -> Result<Bytes, SigningError> {
    let statement = Statement {
        statement_type: STATEMENT_TYPE.to_owned(),
        subject: vec![subject(repo, fact)],
        predicate_type: PREDICATE_TYPE.to_owned(),
        predicate: Predicate {
            repository: repo,
            previous,
            fact: fact.clone(),
        },
    };
    let payload = serde_json::to_vec(&statement).unwrap_or_default();
    Ok(Bytes::from(envelope::seal(key, &payload)?))
}

/// Reads the receipt that lies at `path`, signed by one of these keys.
pub(super) fn parse(
    path: &str,
    text: &[u8],
    repo: Uuid,
    keys: &[PublicKey],
) -> Result<Receipt, ReceiptError> {
    let (payload, key) = envelope::open(text, keys)?;
    let statement: Statement = serde_json::from_slice(&payload)
        .map_err(|error| ReceiptError::Statement(error.to_string()))?;
    let other = |what: &str| ReceiptError::Statement(what.to_owned());
    if statement.statement_type != STATEMENT_TYPE || statement.predicate_type != PREDICATE_TYPE {
        return Err(other("its type is another"));
    }
    let Predicate {
        repository,
        previous,
        fact,
    } = statement.predicate;
    if repository != repo {
        return Err(ReceiptError::Another(repository));
    }
    let [subject] =
        <[Subject; 1]>::try_from(statement.subject).map_err(|_| other("it has not one subject"))?;
    let its = fact.path();
    if its == path {
        Ok(Receipt {
            fact,
            subject,
            previous,
            key,
        })
    } else {
        Err(ReceiptError::Misplaced(its))
    }
}

/// A statement has to be about something that can be hashed. What is about no backup, or about one
/// whose record nobody hashed, is about the repository.
fn subject(repo: Uuid, fact: &Fact) -> Subject {
    let (name, sha256) = match (&fact.snapshot, &fact.record_sha256) {
        (Some(snapshot), Some(sha256)) => (object_path::record(snapshot), sha256.clone()),
        (Some(_), None) | (None, _) => (
            "repository".to_owned(),
            hex::sha256(repo.to_string().as_bytes()),
        ),
    };
    Subject {
        name,
        digest: Digest { sha256 },
    }
}

#[cfg(test)]
mod tests {
    use secrecy::SecretString;
    use serde_json::json;

    use super::*;
    use crate::keys::Secret;

    const REPO: Uuid = Uuid::from_u128(1);

    fn key() -> SigningKey {
        let secret = Secret::parse(&SecretString::from("a".repeat(64))).unwrap();
        SigningKey::of(&secret, REPO).unwrap()
    }

    fn fact(snapshot: Option<&str>) -> Fact {
        Fact {
            kind: "backup".to_owned(),
            id: Uuid::from_u128(7).to_string(),
            at: "2026-11-24T12:00:00.5Z".parse().unwrap(),
            snapshot: snapshot.map(|name| name.parse().unwrap()),
            record_sha256: snapshot.map(|_| "c".repeat(64)),
            facts: json!({"rows": 5}).as_object().unwrap().clone(),
        }
    }

    #[test]
    fn a_receipt_is_read_as_it_was_written_and_lies_where_its_fact_says() {
        let key = key();
        let keys = [key.public().clone()];
        for (snapshot, about) in [
            (
                Some("20261124T120000Z-1-0123abcd"),
                "v1/snap/2026/11/24/20261124T120000Z-1-0123abcd.json",
            ),
            (None, "repository"),
        ] {
            let fact = fact(snapshot);
            let text = render(&key, REPO, &fact, vec!["b".repeat(64)]).unwrap();
            let receipt = parse(&fact.path(), &text, REPO, &keys).unwrap();
            assert_eq!(receipt.fact, fact);
            assert_eq!(receipt.subject.name, about);
            assert_eq!(receipt.previous, ["b".repeat(64)]);
            let elsewhere = parse("v1/rcpt/x.json", &text, REPO, &keys);
            assert_eq!(elsewhere, Err(ReceiptError::Misplaced(fact.path())));
            let other = parse(&fact.path(), &text, Uuid::nil(), &keys);
            assert_eq!(other, Err(ReceiptError::Another(REPO)));
        }
    }

    #[test]
    fn what_tells_facts_apart_tells_their_paths_apart() {
        let one = fact(None);
        assert!(
            one.path()
                .starts_with("v1/rcpt/2026/11/20261124T120000Z-backup-"),
            "{}",
            one.path()
        );
        let mut later = one.clone();
        later.facts = Map::new();
        assert_eq!(later.path(), one.path());
        let mut other = one.clone();
        other.id = Uuid::from_u128(8).to_string();
        assert_ne!(other.path(), one.path());
    }
}
