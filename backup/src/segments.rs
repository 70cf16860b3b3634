//! Rows of COPY text cut into segments.
//!
//! Where a cut falls depends on the rows around it alone, never on how many came
//! before, so that appended or changed rows leave all other segments as they
//! were and a later backup finds those in the store. Rows are split only where one of
//! them is longer than a segment may be, so that nobody has to hold it twice.
//!
//! The rule, which must stay as it is for as long as dedupe is to work:
//!
//! - a segment ends after a row when it has reached [`MIN`] and the hash of the
//!   row's key is below the row's length times 2^64 / ([`TARGET`] - [`MIN`])
//! - it ends before a row that would take it past [`MAX`]
//! - a row longer than that stands in segments of its own, all of [`MAX`] bytes but the
//!   last, which alone counts the row
//!
//! Weighing by length makes segments of [`TARGET`] bytes on average, however
//! long the rows are.

use std::ops::Range;

use bytes::Bytes;
use memchr::{memchr, memchr_iter};

/// Below this many bytes a segment goes on.
pub const MIN: usize = 256 * 1024;

/// What segments are long on average, in bytes.
pub const TARGET: usize = 1024 * 1024;

/// Above this many bytes no segment of several rows goes.
pub const MAX: usize = 4 * 1024 * 1024;

/// The share of all hashes that one byte of a row's length is worth.
const CHANCE_PER_BYTE: u64 = u64::MAX / (TARGET - MIN) as u64;

/// Whole rows of one table, or the text of a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// COPY text, or SQL.
    pub bytes: Bytes,
    /// Rows that end in it; 0 for a script.
    pub rows: u64,
    /// Those rows, whole.
    pub ended: Bytes,
    /// The key of its first row as COPY text, its fields separated by tabs;
    /// empty where there is no key.
    pub first_key: String,
    /// The key of its last row.
    pub last_key: String,
}

impl Segment {
    /// Bytes that are no rows.
    #[must_use]
    pub fn opaque(bytes: Bytes) -> Self {
        Self {
            bytes,
            rows: 0,
            ended: Bytes::new(),
            first_key: String::new(),
            last_key: String::new(),
        }
    }

    /// A script, which has neither rows nor keys.
    #[must_use]
    pub fn script(sql: String) -> Self {
        Self {
            bytes: sql.into(),
            rows: 0,
            ended: Bytes::new(),
            first_key: String::new(),
            last_key: String::new(),
        }
    }
}

/// Cuts the rows of one table, given in order.
#[derive(Debug)]
pub struct Cutter {
    key_columns: Option<Vec<usize>>,
    pending: Vec<u8>,
    rows: u64,
    last_row: usize,
    complete: bool,
    long: Option<LongRow>,
}

/// A row that is longer than a segment, and how much of it has become segments.
#[derive(Debug)]
struct LongRow {
    row: Bytes,
    taken: usize,
    key: String,
}

impl Cutter {
    /// A cutter for rows whose key stands in the given fields, counted from 0.
    /// `None` takes the whole row for its key.
    #[must_use]
    pub fn new(key_columns: Option<Vec<usize>>) -> Self {
        Self {
            key_columns,
            pending: Vec::new(),
            rows: 0,
            last_row: 0,
            complete: false,
            long: None,
        }
    }

    /// Takes one row of at most [`MAX`] bytes, its newline included. Returns the segment that ended
    /// before it, if one did.
    pub fn push(&mut self, row: &[u8]) -> Option<Segment> {
        let exceeds = self.pending.len() + row.len() > MAX;
        let ended = (self.rows > 0 && (self.complete || exceeds)).then(|| self.cut());
        if self.rows == 0 {
            // Most segments are somewhat longer than this and grow once.
            self.pending.reserve(TARGET.max(row.len()));
        }
        self.last_row = self.pending.len();
        self.pending.extend_from_slice(row);
        self.rows += 1;
        self.complete = self.pending.len() >= MIN && self.falls_at(row);
        ended
    }

    /// Takes one row that is longer. Returns the segment that ended before it, if one
    /// did; its own come from [`Cutter::next_part`], before another row does.
    pub fn push_long(&mut self, row: Bytes) -> Option<Segment> {
        let ended = (self.rows > 0).then(|| self.cut());
        self.long = Some(LongRow {
            key: self.key(&row, 0..row.len()),
            row,
            taken: 0,
        });
        ended
    }

    /// The next segment of a long row, until there are none.
    pub fn next_part(&mut self) -> Option<Segment> {
        let long = self.long.as_mut()?;
        let end = long.row.len().min(long.taken + MAX);
        let bytes = long.row.slice(long.taken..end);
        long.taken = end;
        let is_last = end == long.row.len();
        let segment = Segment {
            bytes,
            rows: is_last.into(),
            ended: if is_last {
                long.row.clone()
            } else {
                Bytes::new()
            },
            first_key: long.key.clone(),
            last_key: long.key.clone(),
        };
        if is_last {
            self.long = None;
        }
        Some(segment)
    }

    /// Ends a segment here, whatever comes. Returns it, if it has rows.
    pub fn end_here(&mut self) -> Option<Segment> {
        (self.rows > 0).then(|| self.cut())
    }

    /// The rows that are left, if there are any.
    #[must_use]
    pub fn finish(mut self) -> Option<Segment> {
        self.end_here()
    }

    fn falls_at(&self, row: &[u8]) -> bool {
        let hash = match &self.key_columns {
            None => hash([row]),
            Some(columns) => hash(columns.iter().map(|&column| field(row, column))),
        };
        hash < CHANCE_PER_BYTE.saturating_mul(row.len() as u64)
    }

    fn cut(&mut self) -> Segment {
        let bytes = Bytes::from(std::mem::take(&mut self.pending));
        let first_row = 0..memchr(b'\n', &bytes).unwrap_or(bytes.len());
        let last_row = self.last_row..bytes.len();
        let segment = Segment {
            first_key: self.key(&bytes, first_row),
            last_key: self.key(&bytes, last_row),
            rows: self.rows,
            ended: bytes.clone(),
            bytes,
        };
        self.rows = 0;
        self.complete = false;
        segment
    }

    /// A key for people and for finding rows again; the text is UTF-8 because
    /// the session's encoding is.
    fn key(&self, bytes: &[u8], row: Range<usize>) -> String {
        let Some(columns) = &self.key_columns else {
            return String::new();
        };
        let fields: Vec<&[u8]> = columns
            .iter()
            .map(|&column| field(&bytes[row.clone()], column))
            .collect();
        String::from_utf8_lossy(&fields.join(&b'\t')).into_owned()
    }
}

/// A field of a row, without the tab or newline that ends it. Both stand in
/// COPY text only as such.
fn field(row: &[u8], index: usize) -> &[u8] {
    let row = row.strip_suffix(b"\n").unwrap_or(row);
    let mut start = 0;
    for (column, end) in memchr_iter(b'\t', row).chain([row.len()]).enumerate() {
        if column == index {
            return &row[start..end];
        }
        start = end + 1;
    }
    &[]
}

/// FNV-1a over the fields, each followed by a tab, and then the finaliser of
/// `MurmurHash3`, which spreads what distinguishes neighbouring keys over all
/// bits. No secret: it decides where cuts fall, and nothing else.
fn hash<'a>(fields: impl IntoIterator<Item = &'a [u8]>) -> u64 {
    const OFFSET_BASIS: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0000_0100_0000_01b3;
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(PRIME);
    let fnv = fields.into_iter().fold(OFFSET_BASIS, |hash, field| {
        step(field.iter().copied().fold(hash, step), b'\t')
    });
    let mixed = (fnv ^ (fnv >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    let mixed = (mixed ^ (mixed >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    mixed ^ (mixed >> 33)
}

#[cfg(test)]
mod tests;
