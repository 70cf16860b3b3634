//! COPY text, row by row and field by field, as the server would read it.

use memchr::memchr;

/// A row that is not COPY text. It never repeats what is in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("row {row} {what}")]
pub(super) struct RowFault {
    /// Which, counted from 1.
    row: u64,
    what: &'static str,
}

/// How many rows of so many columns there are.
pub(super) fn count(text: &[u8], columns: usize) -> Result<u64, RowFault> {
    let mut rest = text;
    let mut row = 0;
    while !rest.is_empty() {
        row += 1;
        let fault = |what| RowFault { row, what };
        let end = memchr(b'\n', rest).ok_or_else(|| fault("has no end"))?;
        check(&rest[..end], columns).map_err(fault)?;
        rest = &rest[end + 1..];
    }
    Ok(row)
}

fn check(row: &[u8], columns: usize) -> Result<(), &'static str> {
    if std::str::from_utf8(row).is_err() {
        return Err("is not UTF-8");
    }
    if columns == 0 {
        return if row.is_empty() {
            Ok(())
        } else {
            Err("has fields, and its table no columns")
        };
    }
    let mut fields = 0;
    for field in row.split(|&byte| byte == b'\t') {
        fields += 1;
        if field != b"\\N" && !is_escaped(field) {
            return Err("has a backslash that escapes nothing");
        }
    }
    if fields == columns {
        Ok(())
    } else {
        Err("has more or fewer fields than its table has columns")
    }
}

/// Whether every backslash is followed by what the server puts after one.
fn is_escaped(field: &[u8]) -> bool {
    let mut rest = field;
    while let Some(backslash) = memchr(b'\\', rest) {
        match rest.get(backslash + 1) {
            Some(b'\\' | b'b' | b'f' | b'n' | b'r' | b't' | b'v') => rest = &rest[backslash + 2..],
            Some(_) | None => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests;
