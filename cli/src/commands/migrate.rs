//! `pourtrait migrate`: the schema of one database, over a direct session.

use anyhow::Context;
use ops::{
    database,
    migrate::{self, Migration},
};
use serde_json::json;

use crate::{
    arguments::Migrate,
    environment::Environment,
    failure::Verdict,
    output::{self, Output},
};

pub(crate) async fn run(
    action: Option<Migrate>,
    environment: &Environment,
    output: Output,
) -> anyhow::Result<Verdict> {
    let (url, ca) = environment.database()?;
    let host = database::host(&url)?;
    output::note(&format!("target: {host} (from {})", environment.origin()));
    let mut client = database::connect(&url, ca.as_deref()).await?;
    match action.unwrap_or(Migrate::Apply) {
        Migrate::Apply => {
            let mut starting =
                |migration: &Migration| output::note(&format!("applying {}", migration.file()));
            let applied = migrate::apply(&mut client, &mut starting)
                .await
                .context("cannot migrate")?;
            let text = match applied.len() {
                0 => "nothing to do: every migration was applied before".to_owned(),
                1 => "1 migration applied".to_owned(),
                count => format!("{count} migrations applied"),
            };
            output.result(&json!({ "host": host, "applied": files(&applied) }), &text);
        }
        Migrate::Plan => {
            let pending = migrate::status(&client).await?.pending;
            let text = if pending.is_empty() {
                "nothing to apply".to_owned()
            } else {
                format!(
                    "to be applied, in this order:\n{}",
                    files(&pending).join("\n")
                )
            };
            output.result(&json!({ "host": host, "pending": files(&pending) }), &text);
        }
        Migrate::Status => {
            let status = migrate::status(&client).await?;
            let row = |state: &'static str| move |file| [file, state.to_owned()];
            let applied = files(&status.applied).into_iter().map(row("applied"));
            let rows: Vec<_> = applied
                .chain(files(&status.pending).into_iter().map(row("pending")))
                .collect();
            output.result(
                &json!({
                    "host": host,
                    "applied": files(&status.applied),
                    "pending": files(&status.pending),
                }),
                &output::table(["migration", "state"], &rows),
            );
        }
    }
    Ok(Verdict::Good)
}

fn files(migrations: &[&'static Migration]) -> Vec<String> {
    migrations
        .iter()
        .map(|migration| migration.file())
        .collect()
}
