//! What a period comes to, and what is not evidenced. Pure.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use ops::backups::evidence::{
    ActFacts, CollectionFacts, DrillFacts, Evidence, FactRow, Named, RecoveryFacts,
    ReplicationFacts, RunFacts, VerificationFacts,
};
use serde::Serialize;

use super::in_store::Chain;

/// What a period comes to.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Summary {
    pub(super) sealed: usize,
    pub(super) suspect: usize,
    pub(super) failed: usize,
    pub(super) missed: usize,
    pub(super) verifications: usize,
    pub(super) damaged: usize,
    pub(super) drills: usize,
    pub(super) bad_drills: usize,
    /// The longest restore that a drill measured.
    pub(super) longest_restore_seconds: Option<f64>,
    pub(super) collections: usize,
    pub(super) copyings: usize,
    /// How far the copy was behind at most, after a copying.
    pub(super) largest_lag_seconds: Option<f64>,
    /// Facts that have no receipt yet.
    pub(super) without_receipt: usize,
    pub(super) coverage: Vec<Covered>,
    /// What is not evidenced, a sentence each.
    pub(super) not_evidenced: Vec<String>,
}

/// Something that backups of the period leave out.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Covered {
    /// Whether it is the app's, or comes from elsewhere.
    pub(super) is_gap: bool,
    #[serde(flatten)]
    pub(super) named: Named,
    /// How many backups leave it out.
    pub(super) backups: usize,
    pub(super) first_at: Timestamp,
    pub(super) last_at: Timestamp,
}

/// Sums a period up.
pub(super) fn of(evidence: &Evidence, chain: &Chain) -> Summary {
    let runs: Vec<RunFacts> = read(evidence, &["backup", "failure"]);
    let verifications: Vec<VerificationFacts> = read(evidence, &["verification"]);
    let drills: Vec<DrillFacts> = read(evidence, &["drill"]);
    let copyings: Vec<ReplicationFacts> = read(evidence, &["replication"]);
    let longest = |seconds: &mut dyn Iterator<Item = f64>| seconds.reduce(f64::max);
    let sealed = runs.iter().filter(|run| run.outcome == "done");
    let mut summary = Summary {
        sealed: sealed.clone().count(),
        suspect: sealed.filter(|run| run.suspect.is_some()).count(),
        failed: runs.iter().filter(|run| run.outcome != "done").count(),
        missed: evidence.missed.len(),
        verifications: verifications.len(),
        damaged: verifications
            .iter()
            .filter(|one| one.fault_count > 0)
            .count(),
        drills: drills.len(),
        bad_drills: drills
            .iter()
            .filter(|drill| drill.outcome != "good")
            .count(),
        longest_restore_seconds: longest(&mut drills.iter().filter_map(|drill| drill.seconds)),
        collections: read::<CollectionFacts>(evidence, &["collection"]).len(),
        copyings: copyings.len(),
        largest_lag_seconds: longest(&mut copyings.iter().filter_map(|copy| copy.lag_seconds)),
        without_receipt: evidence
            .facts
            .iter()
            .filter(|fact| fact.receipt.is_none())
            .count(),
        coverage: coverage(evidence),
        not_evidenced: Vec::new(),
    };
    summary.not_evidenced = not_evidenced(evidence, chain, &summary, &drills);
    summary
}

fn read<T: serde::de::DeserializeOwned>(evidence: &Evidence, kinds: &[&str]) -> Vec<T> {
    let facts = evidence.facts.iter();
    let facts = facts.filter(|fact| kinds.contains(&fact.kind.as_str()));
    facts.filter_map(FactRow::read).collect()
}

/// Whether this build knows what it tells.
fn is_readable(fact: &FactRow) -> bool {
    match fact.kind.as_str() {
        "backup" | "failure" => fact.read::<RunFacts>().is_some(),
        "verification" => fact.read::<VerificationFacts>().is_some(),
        "drill" => fact.read::<DrillFacts>().is_some(),
        "recovery" => fact.read::<RecoveryFacts>().is_some(),
        "collection" => fact.read::<CollectionFacts>().is_some(),
        "replication" => fact.read::<ReplicationFacts>().is_some(),
        "pin" | "restore" => fact.read::<ActFacts>().is_some(),
        // Reviews are told by themselves.
        "review" => true,
        _ => false,
    }
}

/// What the backups leave out, each once with how many do.
fn coverage(evidence: &Evidence) -> Vec<Covered> {
    let mut known: BTreeMap<(bool, Named), Covered> = BTreeMap::new();
    for fact in evidence.facts.iter().filter(|fact| fact.kind == "backup") {
        for (is_gap, list) in [(true, "gaps"), (false, "notCovered")] {
            let named: BTreeSet<Named> = fact.named(list).into_iter().collect();
            for named in named {
                let one = known
                    .entry((!is_gap, named.clone()))
                    .or_insert_with(|| Covered {
                        is_gap,
                        named,
                        backups: 0,
                        first_at: fact.at,
                        last_at: fact.at,
                    });
                one.backups += 1;
                one.last_at = fact.at;
            }
        }
    }
    known.into_values().collect()
}

fn not_evidenced(
    evidence: &Evidence,
    chain: &Chain,
    summary: &Summary,
    drills: &[DrillFacts],
) -> Vec<String> {
    let mut told = Vec::new();
    let mut tell = |is_so: bool, text: &str| {
        if is_so {
            told.push(text.to_owned());
        }
    };
    tell(
        matches!(chain, Chain::Unread { .. }),
        "The receipts in the store were not read, so everything here is the database's word alone.",
    );
    tell(
        summary.without_receipt > 0,
        "Some of what is told here has no signed receipt yet; the next backup writes them.",
    );
    tell(
        !evidence.facts.iter().all(is_readable),
        "Something was done that this build cannot read; the database may be newer.",
    );
    tell(evidence.until < evidence.to, "The period is not over.");
    tell(
        evidence
            .first_slot
            .is_none_or(|first| first > evidence.from),
        "Before the first slot of the schedule nobody watched whether backups were made.",
    );
    tell(
        evidence.rpo.ages.without_seconds > 0.0,
        "For a part of the period there was no backup at all.",
    );
    tell(summary.sealed == 0, "No backup was sealed in the period.");
    tell(
        summary.verifications == 0,
        "No backup was read in its store (`pourtrait backup verify`).",
    );
    tell(
        summary.drills == summary.bad_drills,
        "No drill proved that a backup can be restored (`pourtrait backup drill`).",
    );
    let is_partial =
        |drill: &DrillFacts| drill.tables_in_backup.is_some_and(|all| drill.tables < all);
    tell(
        !drills.is_empty() && drills.iter().all(is_partial),
        "Every drill restored a part of the tables: none restored all of them at once.",
    );
    tell(
        summary.copyings == 0,
        "No second copy was kept (`BACKUP_REPLICA_URL`): one provider holds every backup.",
    );
    tell(
        evidence.reviews.is_empty(),
        "Nobody has signed off the period (`pourtrait backup evidence review`).",
    );
    tell(
        true,
        "What backups leave out is named under Coverage and is not evidenced: it has to be kept elsewhere.",
    );
    tell(
        true,
        "A drill compares rows, objects and policies with their source. Whether people could work with the application after it, somebody has to say.",
    );
    tell(
        true,
        "Who may read or delete in the store, and who did, is in the provider's own logs.",
    );
    told
}
