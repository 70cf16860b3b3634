//! The audit log as a file that outlives the database: a line of JSON that says what it is, then
//! a line for each row, with all that is hashed. Whoever has the file verifies it as the log.

use std::{
    fs::File,
    io::{BufRead, BufReader, BufWriter, IntoInnerError, Write},
    path::Path,
};

use anyhow::{Context, bail};
use backup::audit_anchors::Anchor;
use jiff::Timestamp;
use ops::audit_log::{
    row::Row,
    verifier::{Report, Verifier},
};
use outside::clock;
use serde::{Deserialize, Serialize};

use terminal::{failure::Misuse, private_file};

/// What the first line says of the file.
const FORMAT: &str = "pourtrait audit log 1";

/// The first line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Head {
    format: String,
    host: String,
    written_at: Timestamp,
    /// The last row that was deleted by age.
    checkpoint: Option<Row>,
}

/// A file that is being written.
#[derive(Debug)]
pub(crate) struct Writing {
    file: BufWriter<File>,
    last: Option<(i64, String)>,
    rows: u64,
}

/// What was written.
#[derive(Debug)]
pub(crate) struct Written {
    /// How many rows.
    pub(crate) rows: u64,
    /// The number and the hash of the last one.
    pub(crate) last: Option<(i64, String)>,
}

impl Writing {
    /// Begins a file, where there is none of that name.
    pub(crate) fn begin(path: &Path, host: &str, checkpoint: Option<Row>) -> anyhow::Result<Self> {
        let made = private_file::create(path);
        let file = made.with_context(|| Misuse(format!("cannot make {}", path.display())))?;
        let mut writing = Self {
            file: BufWriter::new(file),
            last: None,
            rows: 0,
        };
        writing.line(&Head {
            format: FORMAT.to_owned(),
            host: host.to_owned(),
            written_at: clock::now(),
            checkpoint,
        })?;
        Ok(writing)
    }

    /// Adds the next row.
    pub(crate) fn add(&mut self, row: &Row) -> anyhow::Result<()> {
        self.line(row)?;
        self.last = Some((row.seq, row.hash.clone()));
        self.rows += 1;
        Ok(())
    }

    /// The number of the row that was added last, 0 before the first.
    pub(crate) fn last(&self) -> i64 {
        self.last.as_ref().map_or(0, |(seq, _)| *seq)
    }

    /// Ends it: all of it is on the disk then.
    pub(crate) fn end(self) -> anyhow::Result<Written> {
        let file = self.file.into_inner().map_err(IntoInnerError::into_error)?;
        file.sync_all()?;
        Ok(Written {
            rows: self.rows,
            last: self.last,
        })
    }

    fn line(&mut self, what: &impl Serialize) -> anyhow::Result<()> {
        serde_json::to_writer(&mut self.file, what)?;
        self.file.write_all(b"\n")?;
        Ok(())
    }
}

/// Holds the rows of a file against each other and against what backups saw.
pub(super) fn verify(path: &Path, anchors: Vec<Anchor>) -> anyhow::Result<Report> {
    let opened = File::open(path);
    let file = opened.with_context(|| Misuse(format!("cannot read {}", path.display())))?;
    let mut lines = BufReader::new(file).lines();
    let odd = || Misuse(format!("{} is no file of an audit log", path.display()));
    let first = lines.next().with_context(odd)?.with_context(odd)?;
    let head: Head = serde_json::from_str(&first).with_context(odd)?;
    if head.format != FORMAT {
        bail!(odd());
    }
    let mut verifier = match &head.checkpoint {
        Some(checkpoint) => Verifier::after(checkpoint, anchors, clock::now()),
        None => Verifier::new(anchors),
    };
    for (number, line) in (2..).zip(lines) {
        let told = || format!("line {number} of {} is no row", path.display());
        let row: Row = serde_json::from_str(&line.with_context(told)?).with_context(told)?;
        verifier.take(&row);
    }
    Ok(verifier.finish())
}
