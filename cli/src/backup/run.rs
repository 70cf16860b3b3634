//! `pourtrait backup run`: one backup, from here.

use std::{cmp::Reverse, time::Duration};

use backup::files::FileFigures;
use ops::{
    app::App,
    backups::{self, Read, Report, Sealed, backup_setup::BackupSetup},
    jobs::Outcome,
};
use outside::{clock::Deadline, database};
use serde_json::json;

use super::{left_out, quantities};
use crate::environment::Environment;
use terminal::{
    failure::{Misuse, Verdict},
    output::{self, Output},
};

/// How many tables are shown of which something was read.
const SHOWN: usize = 10;

/// No function's limit holds here, only that of patience.
const TIME: Duration = Duration::from_secs(12 * 60 * 60);

pub(super) async fn run(
    environment: &Environment,
    whole: bool,
    output: Output,
) -> anyhow::Result<Verdict> {
    let config = environment.config();
    let setup = BackupSetup::of(&config).map_err(|error| {
        let origin = environment.origin();
        Misuse(format!("{error} in {origin}: see `pourtrait check`"))
    })?;
    let host = database::host(&setup.database.url)?;
    output::note(&format!("source: {host} (from {})", environment.origin()));
    let app = App::new(config);
    let report = Box::pin(backups::now(&app, whole, Deadline::after(TIME))).await?;
    let gaps = report.details.backup.as_ref();
    let gaps = gaps.map_or(&[][..], |sealed| &sealed.gaps[..]);
    let accepted = left_out::accepted(environment, gaps).await;
    output.result(&json!(report), &text(&report, &accepted));
    Ok(match report.outcome {
        Outcome::Done => Verdict::Good,
        Outcome::Skipped | Outcome::Partial | Outcome::Failed => Verdict::Bad,
    })
}

fn text(report: &Report, accepted: &[String]) -> String {
    let reason = report.details.reason.as_deref().unwrap_or_default();
    match (&report.details.backup, report.outcome) {
        (Some(sealed), _) => sealed_text(sealed, accepted),
        (None, Outcome::Skipped) => format!("nothing was done: {reason}"),
        (None, _) => format!("there is no new backup: {reason}"),
    }
}

fn sealed_text(sealed: &Sealed, accepted: &[String]) -> String {
    let figures = &sealed.figures;
    let suspect = match &sealed.suspect {
        Some(reason) => format!("\nSUSPECT: {reason}"),
        None => String::new(),
    };
    format!(
        "sealed {}\n\
         {} rows of {} tables, {} read in {}\n\
         {} were taken over unread: of the tables {} unchanged, {} in part, {} read whole\n\
         {} stored, {} were in the store already{suspect}{}\n{}{}",
        sealed.snapshot,
        quantities::count(figures.rows),
        quantities::count(figures.tables),
        quantities::bytes(figures.reading.bytes_read),
        quantities::took(Duration::from_millis(figures.duration_ms)),
        quantities::bytes(figures.reading.bytes_taken_over),
        quantities::count(figures.reading.tables_unchanged),
        quantities::count(figures.reading.tables_in_part),
        quantities::count(figures.reading.tables_whole),
        quantities::bytes(figures.bytes_stored),
        quantities::bytes(figures.bytes_reused),
        figures.files.as_ref().map(files_text).unwrap_or_default(),
        reads_text(&sealed.reads),
        left_out::text(&sealed.gaps, &sealed.not_covered, accepted),
    )
}

/// The tables of which most was read, and why.
fn reads_text(reads: &[Read]) -> String {
    let mut read: Vec<_> = reads.iter().filter(|one| one.read.bytes_read > 0).collect();
    read.sort_by_key(|one| Reverse(one.read.bytes_read));
    let rows: Vec<_> = read
        .iter()
        .take(SHOWN)
        .map(|one| {
            [
                one.table.clone(),
                quantities::bytes(one.read.bytes_read),
                one.read.to_string(),
            ]
        })
        .collect();
    let others = read.len().saturating_sub(SHOWN);
    let others = match others {
        0 => String::new(),
        others => format!("and {others} more, with --json\n"),
    };
    if rows.is_empty() {
        return String::new();
    }
    let table = output::table(["read of", "bytes", "how"], &rows);
    format!("\n{table}\n{others}\n")
}

/// What it has of the files of Storage.
fn files_text(files: &FileFigures) -> String {
    let coverage = &files.coverage;
    let counted = |count: u64, what: &str| match count {
        0 => String::new(),
        some => format!(", {} {what}", quantities::count(some)),
    };
    let reason = match &files.reason {
        Some(reason) => format!("\nfiles of Storage: {reason}"),
        None => String::new(),
    };
    format!(
        "\n{} of {} files of Storage, {}; fetched {}, {}{}{}{}{reason}",
        quantities::count(coverage.kept),
        quantities::count(coverage.files),
        quantities::bytes(coverage.kept_bytes),
        quantities::count(files.fetched),
        quantities::bytes(files.fetched_bytes),
        counted(coverage.waiting, "wait for the next run"),
        counted(coverage.failed, "are not given"),
        counted(coverage.rows_without_file, "rows have no file"),
    )
}
