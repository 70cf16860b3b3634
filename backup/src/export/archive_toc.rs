//! `toc.dat`, the list of an archive in the directory format of `pg_dump`, version 1.14: what
//! `pg_restore` of PostgreSQL 12 and all later ones read.
//!
//! Numbers are a sign and four bytes, the lowest first; texts have their length before them.

use jiff::{Timestamp, tz::TimeZone};

use super::archive_entries::{Body, Entry};
use crate::{format::Manifest, restore_sql};

/// The beginning: whose format, its version, how long numbers and offsets are, and that
/// what follows is as in an archive of tar, which a folder's list says of itself.
const HEADER: [u8; 11] = *b"PGDMP\x01\x0e\x00\x04\x08\x03";

/// Who wrote it.
const WRITER: &str = concat!("Pourtrait Ops ", env!("CARGO_PKG_VERSION"));

/// The list under way.
pub(super) struct Toc(Vec<u8>);

impl Toc {
    /// Begins the list of so many entries.
    pub(super) fn new(manifest: &Manifest, entries: usize) -> Self {
        let mut toc = Self(HEADER.to_vec());
        // Rows lie uncompressed.
        toc.number(0);
        toc.time(manifest.taken_at);
        toc.text(Some(&manifest.server.database));
        toc.text(Some(&manifest.server.version));
        toc.text(Some(WRITER));
        toc.number(entries);
        toc
    }

    /// Adds an entry; `statements` are those of its body, if it runs any.
    pub(super) fn push(&mut self, entry: &Entry<'_>, statements: &str) {
        let file = rows_file(entry);
        self.number(entry.id);
        self.number(usize::from(file.is_some()));
        // Its places in the source's catalogs, by which nothing goes.
        self.text(Some("0"));
        self.text(Some("0"));
        self.text(Some(&entry.name));
        self.text(Some(&entry.kind));
        self.number(entry.section as usize);
        self.text(Some(statements));
        // What drops it.
        self.text(Some(""));
        match &entry.body {
            Body::Rows(data) => {
                let copy = restore_sql::copy(&data.table, &data.columns, false);
                self.text(Some(&format!("{copy};\n")));
            }
            Body::Object(..) | Body::Statement(_) => self.text(None),
        }
        self.text(entry.schema);
        // Tablespace and access method, which statements name where it matters.
        self.text(None);
        self.text(None);
        // Owners are entries of their own.
        self.text(Some(""));
        // Whether rows have oids, which none has since PostgreSQL 12.
        self.text(Some("false"));
        for need in &entry.needs {
            self.text(Some(&need.to_string()));
        }
        self.text(None);
        self.text(Some(&file.unwrap_or_default()));
    }

    /// The file's bytes.
    pub(super) fn finish(self) -> Vec<u8> {
        self.0
    }

    /// A number that is not negative.
    fn number(&mut self, number: usize) {
        self.signed(i64::try_from(number).unwrap_or(i64::MAX));
    }

    fn signed(&mut self, number: i64) {
        self.0.push(u8::from(number < 0));
        let [lowest @ .., _, _, _, _] = number.unsigned_abs().to_le_bytes();
        self.0.extend(lowest);
    }

    fn text(&mut self, text: Option<&str>) {
        match text {
            None => self.signed(-1),
            Some(text) => {
                self.number(text.len());
                self.0.extend(text.as_bytes());
            }
        }
    }

    /// As C's `struct tm` has it: months from 0, years from 1900, and no summer time.
    fn time(&mut self, at: Timestamp) {
        let at = TimeZone::UTC.to_datetime(at);
        for part in [
            at.second(),
            at.minute(),
            at.hour(),
            at.day(),
            at.month() - 1,
        ] {
            self.signed(part.into());
        }
        self.signed(i64::from(at.year()) - 1900);
        self.signed(0);
    }
}

/// The file with the rows that an entry brings.
pub(super) fn rows_file(entry: &Entry<'_>) -> Option<String> {
    match entry.body {
        Body::Rows(_) => Some(format!("{}.dat", entry.id)),
        Body::Object(..) | Body::Statement(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_texts_are_written_as_pg_restore_reads_them() {
        let mut toc = Toc(Vec::new());
        toc.number(0x0102_0304);
        toc.signed(-1);
        toc.text(Some("é"));
        toc.text(None);
        assert_eq!(
            toc.finish(),
            [
                &[0, 4, 3, 2, 1][..],
                &[1, 1, 0, 0, 0],
                &[0, 2, 0, 0, 0, 0xc3, 0xa9],
                &[1, 1, 0, 0, 0],
            ]
            .concat()
        );
    }
}
