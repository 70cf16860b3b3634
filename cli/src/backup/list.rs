//! `pourtrait backup list`: the backups in the store, newest first, and what drills
//! say of them.

use backup::{catalogue::Listing, format::Snapshot};
use ops::{backups::drill_receipts::Known, monitoring::document::Drill};
use outside::clock;
use serde_json::{Value, json};

use super::{known_drills, quantities, repository::Repository};
use crate::environment::Environment;
use terminal::{
    failure::Verdict,
    output::{self, Output},
};

pub(super) async fn run(environment: &Environment, output: Output) -> anyhow::Result<Verdict> {
    let Listing {
        snapshots,
        unreadable,
    } = Repository::of(environment)?.all().await?;
    for error in &unreadable {
        output::note(&format!("cannot be read: {error}"));
    }
    let drills = drills(environment).await;
    let drill = |snapshot: &Snapshot| drills.as_ref()?.of(&snapshot.snapshot.to_string());
    let rows: Vec<_> = snapshots
        .iter()
        .map(|snapshot| row(snapshot, drill(snapshot).as_ref()))
        .collect();
    let heading = [
        "backup", "taken", "age", "rows", "size", "stored", "suspect", "drill",
    ];
    let text = if rows.is_empty() {
        "there is no backup".to_owned()
    } else {
        output::table(heading, &rows)
    };
    let documents: Vec<_> = snapshots
        .iter()
        .map(|snapshot| document(snapshot, drill(snapshot).as_ref()))
        .collect();
    output.result(&json!({ "backups": documents }), &text);
    Ok(if unreadable.is_empty() {
        Verdict::Good
    } else {
        Verdict::Bad
    })
}

/// What drills found; a list without it is a list as well.
async fn drills(environment: &Environment) -> Option<Known> {
    match known_drills::known_soon(environment).await {
        Ok(known) => known,
        Err(error) => {
            output::note(&format!("drills are not shown: {error:#}"));
            None
        }
    }
}

fn document(snapshot: &Snapshot, drill: Option<&Drill>) -> Value {
    let mut document = json!(snapshot);
    document["drill"] = json!(drill);
    document
}

fn row(snapshot: &Snapshot, drill: Option<&Drill>) -> [String; 8] {
    [
        snapshot.snapshot.to_string(),
        format!("{:.0}", snapshot.taken_at),
        quantities::age(clock::now(), snapshot.taken_at),
        quantities::count(snapshot.totals.rows),
        quantities::bytes(snapshot.totals.raw_bytes),
        quantities::bytes(snapshot.totals.stored_bytes),
        snapshot.suspect.clone().unwrap_or_default(),
        drill.map(verdict).unwrap_or_default(),
    ]
}

/// What a person has to know before choosing a backup.
fn verdict(drill: &Drill) -> String {
    match &drill.reason {
        None => "good".to_owned(),
        Some(_) if !drill.restored => "NOT RESTORED".to_owned(),
        Some(_) if drill.missing.iter().any(|missing| !missing.accepted) => {
            "RESTORED IN PART".to_owned()
        }
        Some(reason) => reason.clone(),
    }
}
