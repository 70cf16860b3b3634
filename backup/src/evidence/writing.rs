//! Receipts written into the store, each once: its path comes from what it tells.
//!
//! Whoever writes knows from the database which receipts there are, so that nothing has to be read
//! but what somebody else wrote meanwhile: after a database was restored, or by another run at
//! the same time. That is read, and the next receipt follows it as well.

use std::collections::BTreeSet;

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use outside::clock::Deadline;
use uuid::Uuid;

use super::{
    Fact, SigningError, SigningKey,
    chain::{self, Found},
    reading, receipt,
};
use crate::{
    format::object_path,
    hex,
    store::{Store, StoreError},
};

/// Receipts lie by the time of their facts, which may be that much before they are written.
const LATE: SignedDuration = SignedDuration::from_hours(72);

/// What is known of the receipts that there are.
#[derive(Debug, Clone, Default)]
pub struct Known {
    /// The hashes of those that none follows.
    pub heads: Vec<String>,
    /// The paths of all since [`Known::since`].
    pub paths: BTreeSet<String>,
    /// From which time on the store is looked at; `None` for all of it.
    pub since: Option<Timestamp>,
}

impl Known {
    /// From when on receipts are looked at by whoever knows the newest.
    #[must_use]
    pub fn since(newest: Option<Timestamp>) -> Option<Timestamp> {
        newest?.checked_sub(LATE).ok()
    }
}

/// A receipt that lies in the store.
#[derive(Debug, Clone, PartialEq)]
pub struct Written {
    /// Its path.
    pub path: String,
    /// SHA-256 of it.
    pub sha256: String,
    /// What it tells.
    pub fact: Fact,
    /// What it follows.
    pub previous: Vec<String>,
}

/// What came of writing.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Report {
    /// The receipts that lie there since, and those of others that were found.
    pub written: Vec<Written>,
    /// The paths of receipts that are known and not there.
    pub missing: Vec<String>,
    /// The first thing that is no receipt of ours, or keeps one from being written.
    pub trouble: Option<String>,
}

/// Why nothing more was written.
#[derive(Debug, thiserror::Error)]
pub enum WritingError {
    /// The store does not serve.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Nothing can be signed.
    #[error(transparent)]
    Signing(#[from] SigningError),
}

/// Writes the receipts of these facts, in their order, until the deadline. What was written is in
/// the report even where it ends with an error.
pub async fn write(
    store: &Store,
    (repo, key): (Uuid, &SigningKey),
    facts: &[Fact],
    known: &Known,
    deadline: Deadline,
) -> (Report, Result<(), WritingError>) {
    let mut report = Report::default();
    let done = write_into(&mut report, store, (repo, key), facts, known, deadline).await;
    (report, done)
}

async fn write_into(
    report: &mut Report,
    store: &Store,
    (repo, key): (Uuid, &SigningKey),
    facts: &[Fact],
    known: &Known,
    deadline: Deadline,
) -> Result<(), WritingError> {
    let store = store.reading_back();
    put_key(&store, key).await?;
    let others = look(&store, (repo, key), known, report).await?;
    let mut heads = chain::joined(&known.heads, &others);
    report.written.extend(others.into_iter().filter_map(noted));
    let there: BTreeSet<String> = report.written.iter().map(|one| one.path.clone()).collect();
    for fact in facts {
        let path = fact.path();
        if there.contains(&path) || known.paths.contains(&path) {
            continue;
        }
        if deadline.has_passed() {
            break;
        }
        let text = receipt::render(key, repo, fact, heads.clone())?;
        match store.put_new(&path, text.clone()).await {
            Ok(()) => {
                let written = Written {
                    path,
                    sha256: hex::sha256(&text),
                    fact: fact.clone(),
                    previous: std::mem::take(&mut heads),
                };
                heads.push(written.sha256.clone());
                report.written.push(written);
            }
            // Somebody was faster, or the answer of an earlier try was lost.
            Err(StoreError::Taken { .. }) => {
                let other = reading::found(
                    path.clone(),
                    &store.get(&path).await?,
                    repo,
                    std::slice::from_ref(key.public()),
                );
                heads = chain::joined(&heads, std::slice::from_ref(&other));
                tell_trouble(report, &other);
                report.written.extend(noted(other));
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// The public key lies beside the receipts, for whoever has the store alone.
async fn put_key(store: &Store, key: &SigningKey) -> Result<(), StoreError> {
    let path = object_path::public_key(&key.public().id());
    let text = Bytes::from(key.public().to_pem());
    if store.get_if_there(&path).await?.as_ref() == Some(&text) {
        return Ok(());
    }
    store.put_new(&path, text).await
}

/// The receipts that are in the store and not known, after those that are known and missing were
/// reported.
async fn look(
    store: &Store,
    (repo, key): (Uuid, &SigningKey),
    known: &Known,
    report: &mut Report,
) -> Result<Vec<Found>, StoreError> {
    let after = known.since.map(object_path::receipts_since);
    let after = after.unwrap_or_default();
    let listed = store.list_after(object_path::RECEIPTS, &after).await?;
    let listed: BTreeSet<String> = listed.into_iter().map(|object| object.path).collect();
    let begin = format!("{}/{after}", object_path::RECEIPTS);
    let missing = known.paths.difference(&listed);
    report.missing = missing.filter(|path| **path > begin).cloned().collect();
    let unknown = listed.difference(&known.paths).cloned().collect();
    let keys = std::slice::from_ref(key.public());
    let read = reading::these(store, repo, keys, unknown, &mut |_| {}).await?;
    let found: Vec<_> = read.into_iter().map(|one| one.found).collect();
    for one in &found {
        tell_trouble(report, one);
    }
    Ok(found)
}

fn tell_trouble(report: &mut Report, found: &Found) {
    if let Err(why) = &found.receipt {
        let trouble = || format!("{}: {why}", found.path);
        report.trouble.get_or_insert_with(trouble);
    }
}

/// A receipt of somebody else, as it is noted.
fn noted(found: Found) -> Option<Written> {
    let receipt = found.receipt.ok()?;
    Some(Written {
        path: found.path,
        sha256: found.sha256,
        fact: receipt.fact,
        previous: receipt.previous,
    })
}
