//! `pourtrait backup run`: one backup, from here.

use std::time::Duration;

use ops::{
    app::App,
    backup::{
        cron::{self, Report, Sealed},
        setup::Setup,
    },
    clock::Deadline,
    database,
    endpoint::Endpoint,
    jobs::Outcome,
};
use serde_json::json;

use super::figures;
use crate::{
    environment::Environment,
    failure::{Misuse, Verdict},
    output::{self, Output},
};

/// No function's limit holds here, only that of patience.
const TIME: Duration = Duration::from_secs(12 * 60 * 60);

pub(super) async fn run(environment: &Environment, output: Output) -> anyhow::Result<Verdict> {
    let config = environment.config();
    let setup = Setup::of(&config).map_err(|error| {
        let origin = environment.origin();
        Misuse(format!("{error} in {origin}: see `pourtrait check`"))
    })?;
    let host = database::host(&setup.database.url)?;
    output::note(&format!("source: {host} (from {})", environment.origin()));
    let app = App::new(Endpoint::Backup, config);
    let report = Box::pin(cron::now(&app, Deadline::after(TIME))).await?;
    output.result(&json!(report), &in_words(&report));
    Ok(match report.outcome {
        Outcome::Done => Verdict::Good,
        Outcome::Skipped | Outcome::Partial | Outcome::Failed => Verdict::Bad,
    })
}

fn in_words(report: &Report) -> String {
    let reason = report.reason.as_deref().unwrap_or_default();
    match (&report.backup, report.outcome) {
        (Some(sealed), _) => sealed_in_words(sealed),
        (None, Outcome::Skipped) => format!("nothing was done: {reason}"),
        (None, _) => format!("there is no new backup: {reason}"),
    }
}

fn sealed_in_words(sealed: &Sealed) -> String {
    let figures = &sealed.figures;
    let suspect = match &sealed.suspect {
        Some(reason) => format!("\nSUSPECT: {reason}"),
        None => String::new(),
    };
    format!(
        "sealed {}\n\
         {} rows of {} tables, {} read in {}\n\
         {} stored, {} were in the store already{suspect}",
        sealed.snapshot,
        figures::count(figures.rows),
        figures::count(figures.tables),
        figures::bytes(figures.bytes_read),
        figures::took(Duration::from_millis(figures.duration_ms)),
        figures::bytes(figures.bytes_stored),
        figures::bytes(figures.bytes_reused),
    )
}
