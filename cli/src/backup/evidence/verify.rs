//! `pourtrait backup evidence --verify`: that no receipt is missing or altered, from the store alone.

use ops::backups::receipt_proof::{Proven, RecordReceiptCheck};
use serde_json::json;

use super::{
    super::{arguments::Evidence, quantities::count},
    in_store::{self, InStore},
};
use crate::{
    environment::Environment,
    project::{PATIENCE, Project},
};
use terminal::{
    failure::Verdict,
    output::{self, Output},
};

/// How many faults are shown; `--json` has all.
const SHOWN: usize = 20;

pub(super) async fn run(
    options: &Evidence,
    environment: &Environment,
    output: Output,
) -> anyhow::Result<Verdict> {
    let read = in_store::read(environment, options.signed_by.as_deref()).await?;
    if !options.no_receipt {
        tell(environment, &read).await;
    }
    let InStore { place, proven, .. } = &read;
    let Proven { proof, faults, .. } = proven;
    let document = json!({
        "store": place, "receipts": proof.receipts, "kinds": proof.kinds, "keys": proof.keys,
        "beginnings": proof.beginnings, "forks": proof.forks, "heads": proof.heads, "faults": faults,
        "heldAgainstProject": read.is_held_against_project, "whole": faults.is_empty(),
    });
    output.result(&document, &text(&read));
    Ok(if faults.is_empty() {
        Verdict::Good
    } else {
        Verdict::Bad
    })
}

/// What was found is found, whether or not the project hears of it.
async fn tell(environment: &Environment, read: &InStore) {
    let record = RecordReceiptCheck::of(&read.proven);
    let told = match Project::of(environment) {
        Ok(project) => project.call_within(PATIENCE, &record).await.map(drop),
        Err(error) => Err(error),
    };
    if let Err(error) = told {
        output::note(&format!("the project is not told: {error:#}"));
    }
}

fn text(read: &InStore) -> String {
    let InStore { place, proven, .. } = read;
    let Proven { proof, faults, .. } = proven;
    let mut lines = vec![format!(
        "{} receipts in {place}: {}",
        count(proof.receipts as u64),
        if faults.is_empty() {
            "none is missing or altered".to_owned()
        } else {
            format!("BROKEN, {} faults", faults.len())
        }
    )];
    let kinds = proof.kinds.iter();
    let kinds: Vec<_> = kinds.map(|(kind, of)| format!("{kind} {of}")).collect();
    lines.extend((!kinds.is_empty()).then(|| kinds.join(", ")));
    let keys = proof.keys.iter();
    lines.extend(keys.map(|key| format!("signed with the key {key}")));
    if proof.forks > 0 {
        lines.push(format!(
            "{} times two receipts followed the same one, because two runs wrote at once",
            proof.forks
        ));
    }
    if proof.heads.len() > 1 {
        lines.push(format!(
            "{} ends are not joined yet; the next run does that",
            proof.heads.len()
        ));
    }
    let shown = faults.iter().take(SHOWN);
    lines.extend(shown.map(|fault| format!("FAULT: {}: {}", fault.what, fault.why)));
    if faults.len() > SHOWN {
        lines.push(format!("and {} more", faults.len() - SHOWN));
    }
    lines.join("\n")
}
