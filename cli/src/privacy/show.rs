//! `pourtrait privacy show`: what is held of somebody.

use ops::privacy::{
    erasure::{self, Erased},
    export,
    marks::{self, Marked},
    proof::ProofKeys,
    ways::Ways,
};
use serde_json::json;

use super::{arguments::Whose, find, session};
use crate::{environment::Environment, project::author};
use terminal::{
    failure::Verdict,
    output::{self, Output},
};

pub(super) async fn run(
    whose: &Whose,
    environment: &Environment,
    output: Output,
) -> anyhow::Result<Verdict> {
    let (mut client, host) = session(environment).await?;
    let person = find(&client, &whose.person).await?;
    let ways = Ways::find(&client, &whose.delete).await?;
    let planned = erasure::plan(&mut client, &person, &ways).await?;
    let marked = marks::find(&client, &person).await?;
    let elsewhere = elsewhere(&marked, &planned);
    let keys = environment.config().monitoring_api_key;
    let keys = keys.as_ref().and_then(ProofKeys::new);
    let subject = keys.map(|keys| keys.subject(person.id));
    export::note_shown(&client, subject.as_deref(), &author()).await?;
    let document = json!({
        "host": host,
        "user": person.id,
        "account": person.has_account,
        "tables": planned.tables,
        "namedOnlyOtherwise": elsewhere,
    });
    output.result(&document, &text(&planned, &elsewhere));
    Ok(Verdict::Good)
}

/// Where marks stand in tables to which no key leads. What Auth keeps goes with the account.
fn elsewhere(marked: &Marked, planned: &Erased) -> Marked {
    let is_reached = |name: &str| {
        planned
            .tables
            .iter()
            .any(|one| one.table.to_string() == name)
    };
    let mut elsewhere = marked.clone();
    elsewhere
        .tables
        .retain(|(table, _)| table.schema != "auth" && !is_reached(&table.to_string()));
    elsewhere
}

/// What erasing does, table by table.
pub(super) fn text(planned: &Erased, elsewhere: &Marked) -> String {
    let rows: Vec<_> = planned
        .tables
        .iter()
        .map(|one| {
            [
                one.table.to_string(),
                one.deleted.to_string(),
                one.released.to_string(),
            ]
        })
        .collect();
    let mut lines = vec![
        if planned.account {
            "an account, which goes with all that Auth keeps of it".to_owned()
        } else {
            "no account".to_owned()
        },
        if rows.is_empty() {
            "no table refers to them".to_owned()
        } else {
            output::table(
                ["table", "rows that go", "rows that stay without them"],
                &rows,
            )
        },
    ];
    lines.extend(not_covered(elsewhere));
    lines.join("\n")
}

/// What erasing does not reach.
pub(super) fn not_covered(marked: &Marked) -> Vec<String> {
    let mut lines: Vec<_> = marked
        .tables
        .iter()
        .map(|(table, rows)| {
            format!("NOT COVERED: {rows} rows of {table} name them in a way that no key tells")
        })
        .collect();
    if marked.files > 0 {
        lines.push(format!(
            "NOT COVERED: {} files in Storage are theirs; the app deletes files",
            marked.files
        ));
    }
    lines.extend(
        marked
            .unread
            .iter()
            .map(|table| format!("NOT LOOKED INTO: {table}, which this session may not read")),
    );
    lines
}
