//! The proof that the audit log is what was written.

use std::path::Path;

use anyhow::{Context, bail};
use backup::{
    audit_anchors::{self, Anchor},
    store::Store,
};
use ops::{
    audit_log::{
        ReadAudit,
        verifier::{Cut, Report, Verifier},
    },
    messages::plain_text,
};
use outside::clock;

use super::log_file;
use crate::{backup::open_store, environment::Environment, project::Project, times::to_the_second};
use terminal::failure::Verdict;

/// How many rows are read at once.
pub(super) const PAGE: u32 = 500;

/// How often it is begun anew where rows go while they are read.
const TRIES: usize = 5;

/// What came of verifying the log.
pub(super) struct Proof {
    pub(super) report: Report,
    /// Where anchors lie, if anywhere.
    pub(super) store: Option<Store>,
}

/// Reads the log and holds it against itself and what backups saw of it.
pub(super) async fn find(project: &Project, environment: &Environment) -> anyhow::Result<Proof> {
    // What was anchored is read first, so that every anchored row is there to be read.
    let (store, anchors) = anchored(environment).await?;
    for _ in 0..TRIES {
        if let Some(report) = read(project, anchors.clone()).await? {
            return Ok(Proof { report, store });
        }
    }
    bail!("the log is being cut by age all the time: try again in a minute")
}

/// The same of a file that the log was written into.
pub(super) async fn of_file(path: &Path, environment: &Environment) -> anyhow::Result<Proof> {
    let (store, anchors) = anchored(environment).await?;
    let report = log_file::verify(path, anchors)?;
    Ok(Proof { report, store })
}

/// What backups saw of the log, and where that lies.
async fn anchored(environment: &Environment) -> anyhow::Result<(Option<Store>, Vec<Anchor>)> {
    if environment.get("BACKUP_URL").is_none() {
        return Ok((None, Vec::new()));
    }
    let store = open_store(environment)?;
    let listed = audit_anchors::list(&store).await;
    let anchors =
        listed.with_context(|| format!("cannot read the anchors in {}", store.place()))?;
    Ok((Some(store), anchors))
}

/// What the whole log says; nothing if it was cut while it was read.
async fn read(project: &Project, anchors: Vec<Anchor>) -> anyhow::Result<Option<Report>> {
    let page = |p_after| ReadAudit {
        p_after,
        p_limit: PAGE,
    };
    let mut next = project.call(&page(0)).await?;
    let checkpoint = next.checkpoint.clone();
    let mut verifier = match &checkpoint {
        Some(checkpoint) => Verifier::after(checkpoint, anchors, clock::now()),
        None => Verifier::new(anchors),
    };
    loop {
        if next.checkpoint != checkpoint {
            return Ok(None);
        }
        let before = verifier.last();
        for row in &next.rows {
            verifier.take(row);
        }
        // A page without a further row would be read for ever.
        if verifier.last() == before {
            return Ok(Some(verifier.finish()));
        }
        next = project.call(&page(verifier.last())).await?;
    }
}

impl Proof {
    pub(super) fn verdict(&self) -> Verdict {
        if self.report.is_good() {
            Verdict::Good
        } else {
            Verdict::Bad
        }
    }

    /// What is proven, for people.
    pub(super) fn text(&self) -> String {
        text(&self.report, self.store.as_ref())
    }
}

fn text(report: &Report, store: Option<&Store>) -> String {
    let mut lines: Vec<_> = report.findings.iter().map(ToString::to_string).collect();
    let unnamed = report.found.saturating_sub(report.findings.len() as u64);
    if unnamed > 0 {
        lines.push(format!("and {unnamed} more"));
    }
    for restored in &report.restores {
        let snapshot = restored.snapshot.as_deref().unwrap_or("an unknown backup");
        let whether = if restored.is_anchored {
            "goes on from where that backup saw it"
        } else {
            "goes on from a row that no backup saw"
        };
        lines.push(format!(
            "row {}: the database was restored from {} at {}, and the log {whether}",
            restored.seq,
            plain_text::line(snapshot),
            to_the_second(restored.at),
        ));
    }
    if let Some(cut) = &report.cut {
        lines.push(told_of_cut(cut));
    }
    if report.former_anchors > 0 {
        lines.push(format!(
            "{} anchors are of the database before a restore",
            report.former_anchors
        ));
    }
    lines.push(proven(report, store));
    lines.join("\n")
}

/// What went by age.
fn told_of_cut(cut: &Cut) -> String {
    let last = cut.last_at.map(to_the_second);
    let told = cut.told_by.map_or_else(
        || "no row says so".to_owned(),
        |told| format!("row {told} says so"),
    );
    format!(
        "rows 1 to {}, up to {}, were deleted by age, and {told}",
        cut.rows,
        last.unwrap_or_else(|| "an unknown time".to_owned()),
    )
}

/// What is proven, and how much is not.
fn proven(report: &Report, store: Option<&Store>) -> String {
    let verdict = if report.is_good() {
        "is as it was written"
    } else {
        "is NOT as it was written"
    };
    let rows = format!("the log of {} rows {verdict}", report.rows);
    let erased = match report.erased {
        0 => String::new(),
        erased => format!("; the details of {erased} were erased"),
    };
    let outside = match (&report.anchored, store) {
        (Some(anchor), Some(store)) => format!(
            "up to row {} by the backup of {} in {}; {} later rows by their own hashes alone",
            anchor.seq,
            to_the_second(anchor.taken_at),
            store.place(),
            report.after_anchor
        ),
        (_, Some(store)) => format!(
            "by its own hashes alone: no backup in {} anchors it yet",
            store.place()
        ),
        (_, None) => {
            "by its own hashes alone: BACKUP_URL is not set, so nothing outside the database was \
             asked"
                .to_owned()
        }
    };
    format!("{rows}{erased}\nproven {outside}")
}

#[cfg(test)]
mod tests {
    use ops::audit_log::row::Row;

    use super::*;

    fn report(rows: &[Row], anchors: Vec<audit_anchors::Anchor>) -> Report {
        let mut verifier = Verifier::new(anchors);
        for row in rows {
            verifier.take(row);
        }
        verifier.finish()
    }

    fn row(seq: i64, previous: &str) -> Row {
        let mut row = Row {
            seq,
            at: "2026-11-24T12:00:00.000000Z".to_owned(),
            action: "setting.changed".to_owned(),
            actor: None,
            subject: None,
            details: "0".repeat(64),
            previous: previous.to_owned(),
            hash: String::new(),
            salt: None,
            document: None,
        };
        row.hash = row.own_hash();
        row
    }

    #[test]
    fn a_verdict_says_what_proves_it() {
        let first = row(1, Row::no_row());
        let second = row(2, &first.hash);
        let empty = report(&[], vec![]);
        assert_eq!(
            text(&empty, None),
            "the log of 0 rows is as it was written\nproven by its own hashes alone: BACKUP_URL \
             is not set, so nothing outside the database was asked"
        );
        let cut = report(
            &[first, second],
            vec![audit_anchors::Anchor::new(
                3,
                "a".repeat(64),
                "2026-11-24T12:30:00Z".parse().unwrap(),
            )],
        );
        assert_eq!(
            text(&cut, None),
            "the log ends before row 3, which the backup of 2026-11-24T12:30:00Z saw\n\
             the details of 2 rows are gone, and erasures tell of 0 others\n\
             the log of 2 rows is NOT as it was written; the details of 2 were erased\n\
             proven by its own hashes alone: BACKUP_URL is not set, so nothing outside the \
             database was asked"
        );
    }
}
