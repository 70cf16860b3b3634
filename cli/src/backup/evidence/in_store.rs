//! The receipts as they lie in the store, read without any key that opens backups.

use std::path::Path;

use anyhow::Context;
use backup::{
    evidence::{
        PublicKey,
        chain::{self, Found},
        reading,
    },
    repository::Repository as Written,
};
use jiff::Timestamp;
use ops::backups::{
    known_receipts::{Plan, PlanReceipts},
    receipt_proof::{self, Fault, Proven},
};
use outside::clock;
use serde::Serialize;

use super::super::{progress, repository::Repository};
use crate::{
    environment::Environment,
    project::{PATIENCE, Project},
};
use terminal::{failure::Misuse, output};

/// All receipts, and what they come to.
pub(super) struct InStore {
    /// What a person calls the store.
    pub(super) place: String,
    pub(super) proven: Proven,
    /// Whether the project was asked which it knows of.
    pub(super) is_held_against_project: bool,
}

/// The receipts in the store.
#[derive(Debug, Clone, Serialize)]
#[serde(
    tag = "read",
    rename_all = "snake_case",
    rename_all_fields = "camelCase"
)]
pub(super) enum Chain {
    /// They were read.
    Whole {
        store: String,
        /// The ids of the keys that signed them.
        keys: Vec<String>,
        /// All that there are, of any time.
        receipts: usize,
        forks: usize,
        /// Those of the period.
        in_period: usize,
        first: Option<String>,
        last: Option<String>,
        root: String,
        faults: Vec<Fault>,
    },
    /// They could not be.
    Unread { reason: String },
}

impl InStore {
    /// What was read of them, without the texts.
    pub(super) fn found(&self) -> Vec<Found> {
        let receipts = self.proven.receipts.iter();
        receipts.map(|one| one.found.clone()).collect()
    }

    /// What is told of them in the report of a time.
    pub(super) fn chain(&self, from: Timestamp, to: Timestamp) -> Chain {
        let Proven { proof, faults, .. } = &self.proven;
        let stretch = chain::stretch(&self.found(), from, to);
        Chain::Whole {
            store: self.place.clone(),
            keys: proof.keys.iter().cloned().collect(),
            receipts: proof.receipts,
            forks: proof.forks,
            in_period: stretch.receipts,
            first: stretch.first,
            last: stretch.last,
            root: stretch.root,
            faults: faults.clone(),
        }
    }
}

/// Reads all of them. With a file, the key in it alone is believed.
pub(super) async fn read(
    environment: &Environment,
    signed_by: Option<&Path>,
) -> anyhow::Result<InStore> {
    let store = Repository::of(environment)?.store;
    let place = store.place().to_owned();
    let unread = || format!("cannot read the receipts in {place}");
    let repo = Written::name_in(&store).await.with_context(unread)?;
    let keys = match signed_by {
        Some(file) => vec![key_in(file)?],
        None => reading::keys(&store).await.with_context(unread)?,
    };
    // What the project knows was written before the store is read.
    let known = known(environment).await;
    let bar = progress::bar("reading receipts", 0, progress::COUNTED);
    let mut watch = |count: usize| bar.set_position(count as u64);
    let now = clock::now();
    let proven = receipt_proof::prove(&store, repo, &keys, known.as_ref(), now, &mut watch).await;
    bar.finish_and_clear();
    Ok(InStore {
        proven: proven.with_context(unread)?,
        is_held_against_project: known.is_some(),
        place,
    })
}

fn key_in(file: &Path) -> anyhow::Result<PublicKey> {
    let misuse = |reason: String| Misuse(format!("{}: {reason}", file.display()));
    let text = std::fs::read_to_string(file).map_err(|error| misuse(error.to_string()))?;
    Ok(PublicKey::parse_pem(&text).map_err(|error| misuse(error.to_string()))?)
}

/// What the project knows; nothing where it cannot be asked, for it may be what was lost.
async fn known(environment: &Environment) -> Option<Plan> {
    let asked = match Project::of(environment) {
        Ok(project) => {
            let call = PlanReceipts { p_limit: 1 };
            project.call_within(PATIENCE, &call).await
        }
        Err(error) => Err(error),
    };
    match asked {
        Ok(plan) => Some(plan),
        Err(error) => {
            output::note(&format!(
                "not held against what the project knows: {error:#}"
            ));
            None
        }
    }
}
