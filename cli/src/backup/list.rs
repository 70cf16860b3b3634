//! `pourtrait backup list`: the backups in the store, newest first.

use backup::{catalogue::Listing, format::Snapshot};
use outside::clock;
use serde_json::json;

use super::{quantities, repository::Repository};
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
    let rows: Vec<_> = snapshots.iter().map(row).collect();
    let heading = [
        "backup", "taken", "age", "rows", "size", "stored", "suspect",
    ];
    let text = if rows.is_empty() {
        "there is no backup".to_owned()
    } else {
        output::table(heading, &rows)
    };
    output.result(&json!({ "backups": snapshots }), &text);
    Ok(if unreadable.is_empty() {
        Verdict::Good
    } else {
        Verdict::Bad
    })
}

fn row(snapshot: &Snapshot) -> [String; 7] {
    [
        snapshot.snapshot.to_string(),
        format!("{:.0}", snapshot.taken_at),
        quantities::age(clock::now(), snapshot.taken_at),
        quantities::count(snapshot.totals.rows),
        quantities::bytes(snapshot.totals.raw_bytes),
        quantities::bytes(snapshot.totals.stored_bytes),
        snapshot.suspect.clone().unwrap_or_default(),
    ]
}
