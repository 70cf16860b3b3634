//! The proof that no receipt is missing or altered: by the chain itself, by the backups that there
//! are, and by what the project knows of.

use std::collections::BTreeSet;

use backup::{
    catalogue,
    evidence::{
        PublicKey,
        chain::{self, Found, Proof},
        reading::{self, Read},
    },
    store::{Store, StoreError},
};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use uuid::Uuid;

use super::known_receipts::Plan;
use crate::{
    monitoring::document::Receipts,
    rpc::{Call, Retry},
};

/// How long after it was sealed a backup has its receipt: runs are half an hour apart, and some
/// fail.
const RECEIPTED: SignedDuration = SignedDuration::from_hours(24);

/// Tells the project what was found when the chain of receipts was read.
#[derive(Debug, Serialize)]
pub struct RecordReceiptCheck {
    p_check: Check,
}

/// What was found. Sent again, it counts once.
#[derive(Debug, Serialize)]
struct Check {
    id: Uuid,
    whole: bool,
    receipts: usize,
    heads: Vec<String>,
    faults: Vec<Fault>,
}

/// Something that is wrong with a receipt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// The receipt, or the backup that has none.
    pub what: String,
    /// What is wrong.
    pub why: String,
}

/// How many faults are told.
const FAULTS: usize = 20;

impl RecordReceiptCheck {
    /// Of a reading that ends now.
    #[must_use]
    pub fn of(proven: &Proven) -> Self {
        let Proven { proof, faults, .. } = proven;
        Self::found(proof.receipts, &proof.heads, faults)
    }

    pub(super) fn found(receipts: usize, heads: &[String], faults: &[Fault]) -> Self {
        Self {
            p_check: Check {
                id: Uuid::new_v4(),
                whole: faults.is_empty(),
                receipts,
                heads: heads.to_vec(),
                faults: faults.iter().take(FAULTS).cloned().collect(),
            },
        }
    }
}

impl Call for RecordReceiptCheck {
    const NAME: &'static str = "ops_record_receipt_check";
    const RETRY: Retry = Retry::Idempotent;
    type Output = Receipts;
}

impl Fault {
    /// A receipt that is known and not in the store.
    #[must_use]
    pub fn missing(path: &str) -> Self {
        Self {
            what: path.to_owned(),
            why: "it was written and is missing".to_owned(),
        }
    }
}

/// All receipts of a store, and everything that is wrong with them.
#[derive(Debug)]
pub struct Proven {
    /// In the order of paths.
    pub receipts: Vec<Read>,
    /// What they come to by themselves.
    pub proof: Proof,
    /// Everything that is wrong.
    pub faults: Vec<Fault>,
}

/// Reads every receipt and holds it against these keys, the others, the backups of the store, and
/// what the project had noted before. `watch` is told how many were read.
///
/// # Errors
/// Why the store cannot be read.
pub async fn prove(
    store: &Store,
    repo: Uuid,
    keys: &[PublicKey],
    known: Option<&Plan>,
    now: Timestamp,
    watch: &mut (dyn FnMut(usize) + Send),
) -> Result<Proven, StoreError> {
    let receipts = reading::all(store, repo, keys, watch).await?;
    let found: Vec<_> = receipts.iter().map(|one| one.found.clone()).collect();
    let proof = chain::prove(&found);
    let mut faults: Vec<_> = proof.faults.iter().map(of_chain).collect();
    faults.extend(without_receipt(store, &found, now).await?);
    faults.extend(known.iter().flat_map(|known| lost(known, &found)));
    Ok(Proven {
        receipts,
        proof,
        faults,
    })
}

fn of_chain(fault: &chain::Fault) -> Fault {
    let chain::Fault { path, what, at } = fault;
    let at = at.map_or_else(String::new, |at| format!(", at {at:.0}"));
    Fault {
        what: path.clone(),
        why: format!("{what}{at}"),
    }
}

/// Backups that have no receipt though they should: so the newest receipts are missed, which no
/// other follows.
async fn without_receipt(
    store: &Store,
    found: &[Found],
    now: Timestamp,
) -> Result<Vec<Fault>, StoreError> {
    let told: BTreeSet<&str> = found
        .iter()
        .filter_map(|one| one.receipt.as_ref().ok())
        .filter(|receipt| receipt.fact.kind == "backup")
        .filter_map(|receipt| Some(receipt.fact.snapshot.as_ref()?.as_str()))
        .collect();
    let Some(first) = first_receipt(found) else {
        return Ok(Vec::new());
    };
    let listing = catalogue::snapshots(store).await?;
    let missed = listing.snapshots.iter().filter(|backup| {
        let is_due = (first..now - RECEIPTED).contains(&backup.sealed_at);
        is_due && !told.contains(backup.snapshot.as_str())
    });
    Ok(missed
        .map(|backup| Fault {
            what: backup.snapshot.to_string(),
            why: "this backup has no receipt".to_owned(),
        })
        .collect())
}

/// Backups of builds before receipts may have none.
fn first_receipt(found: &[Found]) -> Option<Timestamp> {
    let receipts = found.iter().filter_map(|one| one.receipt.as_ref().ok());
    receipts.map(|receipt| receipt.fact.at).min()
}

/// Receipts that the project knows of and that are not there.
fn lost(known: &Plan, found: &[Found]) -> Vec<Fault> {
    let paths: BTreeSet<&str> = found.iter().map(|one| one.path.as_str()).collect();
    let hashes: BTreeSet<&str> = found.iter().map(|one| one.sha256.as_str()).collect();
    let missing = known.paths.iter();
    let missing = missing.filter(|path| !paths.contains(path.as_str()));
    let heads = known.heads.iter();
    let heads = heads.filter(|hash| !hashes.contains(hash.as_str()));
    missing
        .map(|path| Fault::missing(path))
        .chain(heads.map(|hash| Fault {
            what: format!("the receipt with the SHA-256 {hash}"),
            why: "it was written last, and is missing or altered".to_owned(),
        }))
        .collect()
}
