//! What a drill found, as documents and for people to read.

use std::time::Duration;

use backup::format::Snapshot;
use jiff::Timestamp;
use ops::{
    backups::drill_receipts::{Known, Receipt},
    monitoring::document::{Compared, Drill, MissingObject},
};
use serde_json::{Value, json};

use super::quantities;

/// The verdict on a drill.
#[derive(Debug)]
pub(super) enum Judged {
    /// The project's, which has the receipt.
    Recorded(Box<Drill>),
    /// What can be said without it.
    Alone {
        reason: Option<String>,
        missing: Vec<MissingObject>,
    },
}

impl Judged {
    /// Judges as the project would, by what is known of it.
    pub(super) fn alone(receipt: &Receipt, known: Option<&Known>) -> Self {
        let accepted = known.map_or(&[][..], |known| &known.accepted[..]);
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let missing = receipt.missing.iter().map(|missing| {
            let what = text(&missing["what"]);
            MissingObject {
                accepted: accepted.contains(&what),
                reason: Some(text(&missing["reason"])),
                what,
            }
        });
        let missing: Vec<_> = missing.collect();
        let unaccepted: Vec<_> = missing
            .iter()
            .filter(|missing| !missing.accepted)
            .map(|missing| missing.what.as_str())
            .collect();
        let lacks = (!unaccepted.is_empty()).then(|| format!("missing: {}", unaccepted.join("; ")));
        Self::Alone {
            reason: receipt.reason.clone().or(lacks),
            missing,
        }
    }

    pub(super) fn is_good(&self) -> bool {
        self.reason().is_none()
    }

    /// Whether whoever was to hear of it has.
    pub(super) fn is_recorded(&self, wanted: bool) -> bool {
        !wanted || matches!(self, Self::Recorded(_))
    }

    fn reason(&self) -> Option<&str> {
        match self {
            Self::Recorded(drill) => drill.reason.as_deref(),
            Self::Alone { reason, .. } => reason.as_deref(),
        }
    }

    fn missing(&self) -> &[MissingObject] {
        match self {
            Self::Recorded(drill) => &drill.missing,
            Self::Alone { missing, .. } => missing,
        }
    }
}

/// What was measured.
#[derive(Debug)]
pub(super) struct Report {
    snapshot: String,
    taken_at: Timestamp,
    /// How old the backup was when the drill began.
    age: f64,
    seconds: Option<f64>,
    rows: Option<u64>,
    bytes: Option<u64>,
    tables: usize,
    tables_in_backup: u64,
    /// What was held against the backup beside rows.
    compared: Option<Compared>,
    /// How long a restore may take and how old a backup may be, where that is known.
    limits: Option<(f64, f64)>,
}

impl Report {
    pub(super) fn of(
        snapshot: &Snapshot,
        started_at: Timestamp,
        known: Option<&Known>,
        receipt: &Receipt,
    ) -> Self {
        Self {
            snapshot: receipt.snapshot.clone(),
            taken_at: snapshot.taken_at,
            age: started_at.duration_since(snapshot.taken_at).as_secs_f64(),
            seconds: receipt.seconds,
            rows: receipt.rows,
            bytes: receipt.bytes,
            tables: receipt.tables.len(),
            tables_in_backup: receipt.tables_in_backup,
            compared: receipt.compared,
            limits: known.map(|known| (known.rto_seconds, known.rpo_seconds)),
        }
    }

    pub(super) fn document(&self, judged: &Judged) -> Value {
        json!({
            "backup": self.snapshot,
            "takenAt": self.taken_at,
            "good": judged.is_good(),
            "reason": judged.reason(),
            "recorded": judged.is_recorded(true),
            "seconds": self.seconds,
            "rtoSeconds": self.limits.map(|(rto, _)| rto),
            "ageSeconds": self.age,
            "rpoSeconds": self.limits.map(|(_, rpo)| rpo),
            "rows": self.rows,
            "bytes": self.bytes,
            "tables": self.tables,
            "tablesInBackup": self.tables_in_backup,
            "missing": judged.missing(),
            "compared": self.compared,
        })
    }

    pub(super) fn text(&self, judged: &Judged) -> String {
        let mut lines = vec![match judged.reason() {
            None => format!("GOOD: {} can be restored", self.snapshot),
            Some("too_long") => {
                format!("BAD: {} takes longer to restore than it may", self.snapshot)
            }
            Some(reason) => format!("BAD: {}: {reason}", self.snapshot),
        }];
        lines.extend(self.measured());
        lines.extend(self.compared.as_ref().map(compared));
        lines.extend(judged.missing().iter().map(missing));
        lines.join("\n")
    }

    fn measured(&self) -> Option<String> {
        let (seconds, rows, bytes) = (self.seconds?, self.rows?, self.bytes?);
        let least = |limit: Option<f64>| match limit {
            Some(limit) => format!(" (at most {})", took(limit)),
            None => String::new(),
        };
        Some(format!(
            "restored in {}{}: {} rows of {} of {} tables, {}, equal to the backup\n\
             the backup was {} old{}",
            took(seconds),
            least(self.limits.map(|(rto, _)| rto)),
            quantities::count(rows),
            quantities::count(self.tables as u64),
            quantities::count(self.tables_in_backup),
            quantities::bytes(bytes),
            took(self.age),
            least(self.limits.map(|(_, rpo)| rpo)),
        ))
    }
}

fn compared(compared: &Compared) -> String {
    let Compared {
        objects,
        sequences,
        queries,
        files,
        files_opened,
        file_bytes: _,
    } = compared;
    let files = match files.zip(*files_opened) {
        Some((files, opened)) => format!(
            ", {} of {} files of Storage opened",
            quantities::count(opened),
            quantities::count(files)
        ),
        None => String::new(),
    };
    format!(
        "compared as well: {} objects, {} sequences; {} queries of the application asked{files}",
        quantities::count(*objects),
        quantities::count(*sequences),
        quantities::count(*queries),
    )
}

fn missing(missing: &MissingObject) -> String {
    let MissingObject {
        what,
        reason,
        accepted,
    } = missing;
    let word = if *accepted { "accepted" } else { "missing" };
    format!("{word}: {what}: {}", reason.as_deref().unwrap_or_default())
}

fn took(seconds: f64) -> String {
    quantities::took(Duration::try_from_secs_f64(seconds).unwrap_or_default())
}
