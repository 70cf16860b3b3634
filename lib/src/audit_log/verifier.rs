//! Whether the audit log is what was written: rows in order against each other, and against
//! what backups anchored outside the database. It keeps no row, so that a log of any length
//! takes the memory of its anchors alone.
//!
//! What comes after the last anchor is proven by the chain alone: whoever may do everything in
//! the database could have written it anew. Before it nothing can be changed, taken out, put
//! in, moved or cut off without being found.
//!
//! Rows go by age from the beginning of the log alone. A cut is believed if the log tells of it
//! in a row that a backup anchored, the row at the cut was a year old by then, and the first
//! row that is left follows it. So nobody who writes into the database can cut it unseen: the
//! anchor of the telling would have shown it while all rows were still there.

use backup::audit_anchors::Anchor;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::row::Row;

/// How many findings are named; a log that was written anew has one for each row.
const NAMED: usize = 50;

/// No setting keeps rows for less.
const KEPT: SignedDuration = SignedDuration::from_hours(365 * 24);

/// A row is written a moment before the backup that does not see it yet begins.
const COMMIT: SignedDuration = SignedDuration::from_hours(1);

/// Something that is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Finding {
    /// Rows are gone.
    #[error("rows {from} to {to} are missing")]
    Missing {
        /// The first of them.
        from: i64,
        /// The last.
        to: i64,
    },
    /// A row has a number that was had already.
    #[error("row {seq} is out of order")]
    OutOfOrder {
        /// Which.
        seq: i64,
    },
    /// A row does not name the one before it.
    #[error("row {seq} does not follow the row before it")]
    Unlinked {
        /// Which.
        seq: i64,
    },
    /// What a row says is not what was hashed.
    #[error("row {seq} was changed")]
    Changed {
        /// Which.
        seq: i64,
    },
    /// What people read of a row is not what was hashed.
    #[error("the details of row {seq} were changed")]
    DetailsChanged {
        /// Which.
        seq: i64,
    },
    /// Details are gone of which no row says that they were erased, or a row says so of
    /// details that are there.
    #[error("the details of {missing} rows are gone, and erasures tell of {erased} others")]
    DetailsRemoved {
        /// How many are gone.
        missing: u64,
        /// Of how many rows erasures tell.
        erased: u64,
    },
    /// A row is not the one that a backup anchored.
    #[error("row {seq} is not the one that the backup of {taken_at} saw")]
    Unanchored {
        /// Which.
        seq: u64,
        /// When the backup saw another.
        taken_at: Timestamp,
    },
    /// The row at the cut is not what was hashed.
    #[error("row {seq}, the last one that was deleted by age, was changed")]
    CutChanged {
        /// Which.
        seq: i64,
    },
    /// The first rows are gone, and the log does not say that they would go.
    #[error("rows 1 to {seq} are gone, and no row says that they would be deleted")]
    CutUntold {
        /// The last of them.
        seq: i64,
    },
    /// The first rows are gone, though none may go at that age.
    #[error("rows 1 to {seq} were deleted before they were a year old")]
    CutEarly {
        /// The last of them.
        seq: i64,
    },
    /// The first rows are gone, and no backup saw that they would go.
    #[error(
        "rows 1 to {seq} are gone, and no backup saw row {told}, which says that they would be deleted"
    )]
    CutUnanchored {
        /// The last of them.
        seq: i64,
        /// The row that says so.
        told: i64,
    },
    /// The end of the log is gone.
    #[error("the log ends before row {seq}, which the backup of {taken_at} saw")]
    CutOff {
        /// The last row that was seen.
        seq: u64,
        /// When.
        taken_at: Timestamp,
    },
}

/// A restore that the log tells of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Restored {
    /// The row that says so.
    pub seq: i64,
    /// From which backup.
    pub snapshot: Option<String>,
    /// When.
    pub at: Timestamp,
    /// Whether a backup had anchored the row before: then the log goes on from where that
    /// backup saw it.
    pub is_anchored: bool,
}

/// Rows that were deleted by age.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Cut {
    /// How many, from the first one on.
    pub rows: i64,
    /// When the last of them was written.
    pub last_at: Option<Timestamp>,
    /// The row that says that they would go.
    pub told_by: Option<i64>,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// How many rows there are.
    pub rows: u64,
    /// Those that were deleted by age; nothing where none was.
    pub cut: Option<Cut>,
    /// The newest row that a backup anchored.
    pub anchored: Option<Anchor>,
    /// How many rows lie after it.
    pub after_anchor: u64,
    /// How many anchors the rows were held against.
    pub anchors: u64,
    /// How many anchors are of a database that was restored from a backup since.
    pub former_anchors: u64,
    /// How many rows had their details erased.
    pub erased: u64,
    /// The restores that the log tells of.
    pub restores: Vec<Restored>,
    /// What is not as it was written, the first ones.
    pub findings: Vec<Finding>,
    /// How many there are in all.
    pub found: u64,
}

impl Report {
    /// Whether everything is as it was written.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.found == 0
    }
}

/// Takes rows in order.
#[derive(Debug)]
pub struct Verifier {
    anchors: std::iter::Peekable<std::vec::IntoIter<Anchor>>,
    last_seq: i64,
    last_hash: String,
    missing_details: Tally,
    recorded_erasures: Tally,
    /// Whether the row that was taken last is one that a backup saw.
    last_is_anchored: bool,
    /// Whether any backup anchored the log.
    has_anchors: bool,
    checkpoint: Option<Checkpoint>,
    report: Report,
}

/// Where the log was cut.
#[derive(Debug)]
struct Checkpoint {
    seq: i64,
    hash: String,
    /// When its row was written; nothing if it does not say.
    at: Option<Timestamp>,
    /// The first row that says that this much would go, and when it said so.
    told: Option<(i64, Timestamp)>,
    /// When the log is verified.
    now: Timestamp,
}

/// Numbers of rows, in so little memory that two sets of them can be compared: how many, and
/// the sum of a hash of each.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Tally {
    count: u64,
    sum: u128,
}

impl Tally {
    fn add(&mut self, seq: i64) {
        let hash = Sha256::digest(seq.to_be_bytes());
        let half = hash.first_chunk().copied().unwrap_or_default();
        self.count += 1;
        self.sum = self.sum.wrapping_add(u128::from_be_bytes(half));
    }
}

/// The rows whose details an erasure took.
#[derive(Debug, Deserialize)]
struct Erasure {
    rows: Vec<i64>,
}

impl Verifier {
    /// Begins with what was anchored, in any order.
    #[must_use]
    pub fn new(mut anchors: Vec<Anchor>) -> Self {
        anchors.sort_by_key(|anchor| (anchor.seq, anchor.taken_at));
        Self {
            has_anchors: !anchors.is_empty(),
            anchors: anchors.into_iter().peekable(),
            last_seq: 0,
            last_hash: Row::no_row().to_owned(),
            missing_details: Tally::default(),
            recorded_erasures: Tally::default(),
            last_is_anchored: true,
            checkpoint: None,
            report: Report {
                rows: 0,
                cut: None,
                anchored: None,
                after_anchor: 0,
                anchors: 0,
                former_anchors: 0,
                erased: 0,
                restores: Vec::new(),
                findings: Vec::new(),
                found: 0,
            },
        }
    }

    /// Begins behind the last row that was deleted by age, at that time.
    #[must_use]
    pub fn after(checkpoint: &Row, anchors: Vec<Anchor>, now: Timestamp) -> Self {
        let has_anchors = !anchors.is_empty();
        let at: Option<Timestamp> = checkpoint.at.parse().ok();
        let mut is_anchored = false;
        let kept = anchors.into_iter().filter(|anchor| {
            let seq = i64::try_from(anchor.seq).unwrap_or(i64::MAX);
            if seq == checkpoint.seq && anchor.hash == checkpoint.hash {
                is_anchored = true;
                return false;
            }
            // One that was made before the row at the cut was written is about rows that are
            // gone, whichever database it is of.
            let begun = |at: Timestamp| at.checked_add(COMMIT).unwrap_or(at);
            let until = at.map(|at| if seq < checkpoint.seq { begun(at) } else { at });
            until.is_none_or(|until| anchor.taken_at >= until)
        });
        let mut verifier = Self::new(kept.collect());
        verifier.has_anchors = has_anchors;
        verifier.last_is_anchored = is_anchored;
        verifier.last_seq = checkpoint.seq;
        verifier.last_hash.clone_from(&checkpoint.hash);
        if checkpoint.own_hash() != checkpoint.hash || at.is_none() {
            verifier.find(Finding::CutChanged {
                seq: checkpoint.seq,
            });
        }
        verifier.checkpoint = Some(Checkpoint {
            seq: checkpoint.seq,
            hash: checkpoint.hash.clone(),
            at,
            told: None,
            now,
        });
        verifier
    }

    /// The number of the row that was taken last, 0 before the first.
    #[must_use]
    pub fn last(&self) -> i64 {
        self.last_seq
    }

    /// Takes the next row.
    pub fn take(&mut self, row: &Row) {
        self.report.rows += 1;
        self.look_at_order(row);
        if row.own_hash() != row.hash {
            self.find(Finding::Changed { seq: row.seq });
        }
        self.look_at_details(row);
        self.look_at_restore(row);
        self.look_at_cut(row);
        self.last_seq = self.last_seq.max(row.seq);
        self.last_hash.clone_from(&row.hash);
        self.look_at_anchors(row);
    }

    /// Says what came of it, once the log has ended.
    #[must_use]
    pub fn finish(mut self) -> Report {
        while let Some(anchor) = self.anchors.next() {
            let finding = Finding::CutOff {
                seq: anchor.seq,
                taken_at: anchor.taken_at,
            };
            self.find_unless_former(&anchor, finding);
        }
        if self.missing_details != self.recorded_erasures {
            self.find(Finding::DetailsRemoved {
                missing: self.missing_details.count,
                erased: self.recorded_erasures.count,
            });
        }
        let first = self.judge_cut();
        let anchored = self.report.anchored.as_ref();
        let anchored = anchored.map_or(0, |anchor| anchor.seq);
        let last = u64::try_from(self.last_seq).unwrap_or_default();
        self.report.after_anchor = last.saturating_sub(anchored.max(first));
        self.report.erased = self.missing_details.count;
        self.report
    }

    fn look_at_order(&mut self, row: &Row) {
        let next = self.last_seq + 1;
        if row.seq > next {
            self.find(Finding::Missing {
                from: next,
                to: row.seq - 1,
            });
        } else if row.seq < next {
            self.find(Finding::OutOfOrder { seq: row.seq });
        }
        if row.previous != self.last_hash {
            self.find(Finding::Unlinked { seq: row.seq });
        }
    }

    fn look_at_details(&mut self, row: &Row) {
        match row.details_hold() {
            None => self.missing_details.add(row.seq),
            Some(false) => self.find(Finding::DetailsChanged { seq: row.seq }),
            Some(true) if row.action == "details.erased" => {
                let document = row.document.as_deref().unwrap_or_default();
                let erasure: Option<Erasure> = serde_json::from_str(document).ok();
                let rows = erasure.map_or_else(Vec::new, |erasure| erasure.rows);
                let first = self.checkpoint.as_ref().map_or(0, |cut| cut.seq);
                for seq in rows.into_iter().filter(|seq| *seq > first) {
                    self.recorded_erasures.add(seq);
                }
            }
            Some(true) => {}
        }
    }

    fn look_at_restore(&mut self, row: &Row) {
        if row.action != "database.restored" {
            return;
        }
        let Ok(at) = row.at.parse() else {
            return self.find(Finding::Changed { seq: row.seq });
        };
        self.report.restores.push(Restored {
            seq: row.seq,
            snapshot: row.subject.clone(),
            at,
            is_anchored: self.last_is_anchored,
        });
    }

    /// Whether a row says that what is gone would go.
    fn look_at_cut(&mut self, row: &Row) {
        let Some(cut) = self.checkpoint.as_mut().filter(|cut| cut.told.is_none()) else {
            return;
        };
        let told = (row.action == "log.cut").then_some(row.subject.as_deref());
        let Some((seq, hash)) = told.flatten().and_then(last_to_go) else {
            return;
        };
        let says_so = seq > cut.seq || seq == cut.seq && hash == cut.hash;
        if let Some(at) = row.at.parse().ok().filter(|_| says_so) {
            cut.told = Some((row.seq, at));
        }
    }

    /// Whether the first rows may be gone, and how many are.
    fn judge_cut(&mut self) -> u64 {
        let Some(cut) = self.checkpoint.take() else {
            return 0;
        };
        let seq = cut.seq;
        let gone = u64::try_from(seq).unwrap_or_default();
        self.report.cut = Some(Cut {
            rows: seq,
            last_at: cut.at,
            told_by: cut.told.map(|(told, _)| told),
        });
        let Some((told, told_at)) = cut.told else {
            self.find(Finding::CutUntold { seq });
            return gone;
        };
        let latest = told_at.min(cut.now).checked_sub(KEPT);
        if cut.at > latest.ok() {
            self.find(Finding::CutEarly { seq });
        }
        let anchored = self.report.anchored.as_ref();
        let is_seen =
            anchored.is_some_and(|anchor| i64::try_from(anchor.seq).is_ok_and(|seq| seq >= told));
        if self.has_anchors && !is_seen {
            self.find(Finding::CutUnanchored { seq, told });
        }
        gone
    }

    /// The anchors up to a row, which was taken.
    fn look_at_anchors(&mut self, row: &Row) {
        let seq = u64::try_from(row.seq).unwrap_or_default();
        self.last_is_anchored = false;
        while let Some(anchor) = self.anchors.next_if(|anchor| anchor.seq <= seq) {
            self.report.anchors += 1;
            if anchor.seq == seq && anchor.hash == row.hash {
                self.last_is_anchored = true;
                self.report.anchored = Some(anchor);
            } else {
                let finding = Finding::Unanchored {
                    seq: anchor.seq,
                    taken_at: anchor.taken_at,
                };
                self.find_unless_former(&anchor, finding);
            }
        }
    }

    /// An anchor that does not fit is of the former database if it was made before a restore,
    /// and is of a row that the restored one did not have yet.
    fn find_unless_former(&mut self, anchor: &Anchor, finding: Finding) {
        let is_former = self.report.restores.iter().any(|restored| {
            restored.is_anchored
                && u64::try_from(restored.seq).is_ok_and(|seq| seq <= anchor.seq)
                && anchor.taken_at < restored.at
        });
        if is_former {
            self.report.former_anchors += 1;
        } else {
            self.find(finding);
        }
    }

    fn find(&mut self, finding: Finding) {
        self.report.found += 1;
        if self.report.findings.len() < NAMED {
            self.report.findings.push(finding);
        }
    }
}

/// What a row says that tells of a cut: the last row that goes, and its hash.
fn last_to_go(subject: &str) -> Option<(i64, &str)> {
    let (seq, hash) = subject.strip_prefix("row ")?.split_once(", ")?;
    Some((seq.parse().ok()?, hash))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hexadecimal::hexadecimal;

    /// A row that says that, at that minute of the day, after those.
    fn add(rows: &mut Vec<Row>, action: &str, minute: usize) {
        let document = "{}";
        let details = Sha256::new().chain_update([7; 32]).chain_update(document);
        let last = rows.last();
        let mut row = Row {
            seq: last.map_or(1, |row| row.seq + 1),
            at: format!("2026-11-24T12:{minute:02}:00.000000Z"),
            action: action.to_owned(),
            actor: None,
            subject: Some("20261124T120000Z-1-0badcafe".to_owned()),
            details: hexadecimal(&details.finalize()),
            previous: last.map_or_else(|| Row::no_row().to_owned(), |row| row.hash.clone()),
            hash: String::new(),
            salt: Some("07".repeat(32)),
            document: Some(document.to_owned()),
        };
        row.hash = row.own_hash();
        rows.push(row);
    }

    fn log(rows: usize) -> Vec<Row> {
        let mut all = Vec::new();
        (0..rows).for_each(|minute| add(&mut all, "setting.changed", minute));
        all
    }

    fn anchor(row: &Row) -> Anchor {
        let seq = row.seq.unsigned_abs();
        Anchor::new(seq, row.hash.clone(), row.at.parse().unwrap())
    }

    fn report(rows: &[Row], anchors: &[Anchor]) -> Report {
        let mut verifier = Verifier::new(anchors.to_vec());
        for row in rows {
            verifier.take(row);
        }
        verifier.finish()
    }

    #[test]
    fn what_lies_after_the_last_anchor_is_counted() {
        let rows = log(9);
        let good = report(&rows, &[anchor(&rows[6]), anchor(&rows[2])]);
        assert!(good.is_good(), "{good:?}");
        assert_eq!((good.rows, good.anchors, good.after_anchor), (9, 2, 2));
        assert_eq!(good.anchored, Some(anchor(&rows[6])));
        let nothing = report(&[], &[]);
        assert!(nothing.is_good() && nothing.anchored.is_none());
    }

    #[test]
    fn the_log_of_a_restored_database_goes_on_from_where_its_backup_saw_it() {
        let former = log(9);
        let seen = [anchor(&former[3]), anchor(&former[5]), anchor(&former[8])];
        // Restored from the backup that saw six rows, after the one that saw nine.
        let mut rows = former[..6].to_vec();
        add(&mut rows, "database.restored", 20);
        add(&mut rows, "setting.changed", 21);
        add(&mut rows, "setting.changed", 22);
        add(&mut rows, "setting.changed", 23);
        let later = anchor(&rows[9]);
        let all = [seen.to_vec(), vec![later.clone()]].concat();
        let good = report(&rows, &all);
        assert!(good.is_good(), "{good:?}");
        assert_eq!((good.former_anchors, good.restores.len()), (1, 1));
        assert!(good.restores[0].is_anchored);
        assert_eq!(good.anchored, Some(later));

        // What a backup after the restore saw has to be there.
        let cut = report(&rows[..8], &all);
        assert_eq!(
            cut.findings,
            [Finding::CutOff {
                seq: 10,
                taken_at: "2026-11-24T12:23:00Z".parse().unwrap(),
            }]
        );
        // A log that is cut where no backup saw it is no restored one.
        let mut rows = former[..5].to_vec();
        add(&mut rows, "database.restored", 20);
        let found = report(&rows, &seen);
        assert_eq!(found.found, 2, "{found:?}");
        assert!(!found.restores[0].is_anchored);
    }

    /// A log of which the first rows are years old and are gone, the row at the cut, and what
    /// backups saw.
    fn cut_log() -> (Row, Vec<Row>, Vec<Anchor>) {
        let mut rows = log(6);
        for (row, year) in rows.iter_mut().zip(2016..) {
            row.at = format!("{year}-11-24T12:00:00.000000Z");
        }
        rows[5].action = "log.cut".to_owned();
        rows[5].at = "2026-11-24T11:59:00.000000Z".to_owned();
        for seq in 0..6 {
            if seq == 5 {
                rows[5].subject = Some(format!("row 3, {}", rows[2].hash));
            }
            rows[seq].previous = match seq {
                0 => Row::no_row().to_owned(),
                _ => rows[seq - 1].hash.clone(),
            };
            rows[seq].hash = rows[seq].own_hash();
        }
        for minute in 0..4 {
            add(&mut rows, "setting.changed", minute);
        }
        let seen = [1, 2, 4, 5, 8].map(|at| anchor(&rows[at]));
        (rows[2].clone(), rows.split_off(3), seen.to_vec())
    }

    fn cut_report(checkpoint: &Row, rows: &[Row], anchors: &[Anchor]) -> Report {
        let now = "2026-11-30T12:00:00Z".parse().unwrap();
        let mut verifier = Verifier::after(checkpoint, anchors.to_vec(), now);
        for row in rows {
            verifier.take(row);
        }
        verifier.finish()
    }

    #[test]
    fn a_cut_that_was_told_and_anchored_leaves_the_log_whole() {
        let (checkpoint, rows, seen) = cut_log();
        let good = cut_report(&checkpoint, &rows, &seen);
        assert!(good.is_good(), "{good:?}");
        let cut = good.cut.unwrap();
        assert_eq!((cut.rows, cut.told_by), (3, Some(6)));
        assert_eq!((good.rows, good.anchors, good.after_anchor), (7, 3, 1));
        let without = cut_report(&checkpoint, &rows, &[]);
        assert!(without.is_good(), "{without:?}");
        // Without the row at the cut it is a log that lacks rows.
        assert!(!report(&rows, &seen).is_good());
    }

    #[test]
    fn a_cut_that_is_forged_is_found() {
        let (checkpoint, rows, seen) = cut_log();
        let found = |checkpoint: &Row, rows: &[Row], seen: &[Anchor]| {
            let report = cut_report(checkpoint, rows, seen);
            report
                .findings
                .first()
                .cloned()
                .unwrap_or_else(|| panic!("{report:?}"))
        };
        // Further than was told.
        let further = found(&rows[0], &rows[1..], &seen);
        assert_eq!(further, Finding::CutUntold { seq: 4 });
        // Told where no backup saw it.
        let mut forged = rows[1..].to_vec();
        add(&mut forged, "log.cut", 20);
        let last = forged.last_mut().unwrap();
        last.subject = Some(format!("row 4, {}", rows[0].hash));
        last.hash = last.own_hash();
        assert_eq!(
            found(&rows[0], &forged, &seen),
            Finding::CutUnanchored { seq: 4, told: 11 }
        );
        // Of rows that are too young, by somebody who waited for a backup.
        let young = &rows[5];
        let mut forged = rows[6..].to_vec();
        add(&mut forged, "log.cut", 20);
        let last = forged.last_mut().unwrap();
        last.subject = Some(format!("row {}, {}", young.seq, young.hash));
        last.hash = last.own_hash();
        let later = [seen.clone(), vec![anchor(&forged[1])]].concat();
        assert_eq!(found(young, &forged, &later), Finding::CutEarly { seq: 9 });
        // The row at the cut says otherwise, or is another one.
        let mut changed = checkpoint.clone();
        changed.at = "2015-11-24T12:00:00.000000Z".to_owned();
        assert_eq!(
            found(&changed, &rows, &seen),
            Finding::CutChanged { seq: 3 }
        );
        changed.hash = changed.own_hash();
        assert_eq!(found(&changed, &rows, &seen), Finding::Unlinked { seq: 4 });
        // Everything is written anew behind a row that backups never saw.
        changed.seq = 4000;
        changed.hash = changed.own_hash();
        assert!(matches!(
            found(&changed, &[], &seen),
            Finding::Unanchored { .. } | Finding::CutOff { .. } | Finding::CutUntold { .. }
        ));
    }

    #[test]
    fn of_many_findings_the_first_are_named_and_all_are_counted() {
        let mut rows = log(60);
        for row in &mut rows {
            row.subject = None;
        }
        let found = report(&rows, &[]);
        assert_eq!((found.found, found.findings.len()), (60, NAMED));
    }

    #[test]
    fn an_anchor_of_a_row_that_is_missing_is_found_with_the_hole() {
        let rows = log(9);
        let seen = [anchor(&rows[4])];
        let with_hole = [&rows[..3], &rows[6..]].concat();
        let found = report(&with_hole, &seen);
        assert_eq!(found.findings[0], Finding::Missing { from: 4, to: 6 });
        assert!(
            found
                .findings
                .iter()
                .any(|finding| matches!(finding, Finding::Unanchored { seq: 5, .. }))
        );
    }
}
