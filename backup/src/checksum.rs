//! The checksum of a table's rows, which the client and every server compute alike.
//!
//! A row has two hashes, the server's `hash_array_extended` with two seeds over the texts that
//! the types' output functions write for its columns, null being null, in UTF-8; a table's
//! checksum is the sums of these, so that the order of rows does not count. A backup computes
//! it from the COPY text that it receives, which holds the same texts, and asks the server for
//! no second conversion. A restore has the target's server compute it, so our own reading and
//! writing have no part in that side of the comparison.
//!
//! The texts come from output functions and never from a cast: the app may have made
//! one that writes something else, or needs a name that our sessions do not find. Those
//! of the server's own types are called by name, all others by `concat`, which costs a
//! fifth more. No part of a hash depends on the server's locale or encoding.
//!
//! `hash_array_extended` is linear in the hashes of its elements, so that two rows which
//! exchange the values of a column leave a sum of such hashes as it was, up to a multiple of
//! 2^64. Each of a row's two hashes therefore goes through `hashint8extended` once more, with
//! the other as its seed, before either is summed. Backups of older releases are without that
//! ([`RowHash::Plain`]).

mod text_hash;

use std::{
    collections::HashMap,
    ops::{Add, AddAssign},
    pin::pin,
};

use futures_util::TryStreamExt;
use memchr::{memchr2, memchr3};
use tokio_postgres::Client;

use self::text_hash::{SEEDS, TextHash};
use super::{
    format::{Checksum, RowHash},
    schema::{Name, quoted},
};

/// Has the server count a table's rows and compute their checksum. The session's
/// settings have to be pinned, and the columns be those of COPY.
///
/// # Errors
/// When the server refuses or the session ends.
pub async fn read(
    client: &Client,
    table: &Name,
    columns: &[String],
    hash: RowHash,
) -> Result<(u64, Checksum), tokio_postgres::Error> {
    let outputs = outputs(client, table).await?;
    let sql = query(table, columns, hash, &outputs);
    let row = client.query_one(&sql, &[]).await?;
    let checksum = Checksum {
        first: row.get(1),
        second: row.get(2),
    };
    Ok((row.get::<_, i64>(0).unsigned_abs(), checksum))
}

/// Counts and sums a table's rows from COPY text, which no planner sees.
///
/// # Errors
/// When the server refuses or the session ends.
pub async fn copied(
    client: &Client,
    table: &Name,
    columns: &[String],
    hash: RowHash,
) -> Result<(u64, Checksum), tokio_postgres::Error> {
    let list: Vec<String> = columns.iter().map(|column| quoted(column)).collect();
    let list = match list.as_slice() {
        [] => String::new(),
        list => format!(" ({})", list.join(", ")),
    };
    let rows = client
        .copy_out(&format!("copy {table}{list} to stdout"))
        .await?;
    // The server sends each row by itself.
    let (mut count, mut sums) = (0, RowSums::default());
    let mut rows = pin!(rows);
    while let Some(row) = rows.try_next().await? {
        count += 1;
        sums += RowSums::of(&row, columns.len(), hash);
    }
    Ok((count, sums.checksum()))
}

/// Has the server count and sum the rows of each part of a table. `part` is the SQL of the
/// part's number. A part without rows is left out.
///
/// # Errors
/// When the server refuses or the session ends.
pub async fn read_parts(
    client: &Client,
    table: &Name,
    columns: &[String],
    part: &str,
) -> Result<Vec<(i32, u64, RowSums)>, tokio_postgres::Error> {
    let outputs = outputs(client, table).await?;
    let sql = parts_query(table, columns, &outputs, part);
    let rows = client.query(&sql, &[]).await?;
    let sums = rows.iter().map(|row| {
        let sum = |index| row.get::<_, &str>(index).parse().unwrap_or_default();
        let count = row.get::<_, i64>(1).unsigned_abs();
        (row.get(0), count, RowSums([sum(2), sum(3)]))
    });
    Ok(sums.collect())
}

/// What writes the text of each column whose type is the server's own and no array.
async fn outputs(
    client: &Client,
    table: &Name,
) -> Result<HashMap<String, String>, tokio_postgres::Error> {
    // Types below this number came with the server.
    let sql = "select a.attname::text, p.proname::text
               from pg_catalog.pg_attribute a
               join pg_catalog.pg_type t on t.oid = a.atttypid
               join pg_catalog.pg_proc p on p.oid = t.typoutput
               where a.attrelid = $1::text::pg_catalog.regclass and a.attnum > 0
                 and t.oid < 10000 and t.typtype = 'b' and t.typelem = 0";
    let rows = client.query(sql, &[&table.to_string()]).await?;
    Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
}

/// The query: count, first and second sum.
fn query(
    table: &Name,
    columns: &[String],
    hash: RowHash,
    outputs: &HashMap<String, String>,
) -> String {
    let [first, second] = summed(hash);
    format!(
        "select count(*), concat(coalesce(sum({first}), 0)), concat(coalesce(sum({second}), 0)) \
         from ({}) as h",
        hashes_query("", &rows_query(table, columns, outputs, ""))
    )
}

/// The query: for each part its number, count, first and second sum.
fn parts_query(
    table: &Name,
    columns: &[String],
    outputs: &HashMap<String, String>,
    part: &str,
) -> String {
    let [first, second] = summed(RowHash::Mixed);
    let rows = rows_query(table, columns, outputs, &format!("{part} as n, "));
    format!(
        "select n, count(*), concat(sum({first})), concat(sum({second})) from ({}) as h group by n",
        hashes_query("n, ", &rows)
    )
}

/// What is summed of a row's hashes `a` and `b`.
fn summed(hash: RowHash) -> [&'static str; 2] {
    match hash {
        RowHash::Plain => ["a", "b"],
        RowHash::Mixed => ["hashint8extended(a, b)", "hashint8extended(b, a)"],
    }
}

/// The query: the two hashes of each row, behind what else is wanted of it. `offset 0` keeps
/// the server from computing them anew wherever they are named.
fn hashes_query(before: &str, rows: &str) -> String {
    let [first, second] = SEEDS;
    format!(
        "select {before}hash_array_extended(r collate \"C\", {first}) as a, \
         hash_array_extended(r collate \"C\", {second}) as b from ({rows}) as s offset 0"
    )
}

/// The query: an array of texts for each row, behind what else is wanted of it.
///
/// Only one of its two branches runs. In a database of another encoding than UTF-8 a
/// text is hashed as what its UTF-8 would be if those bytes were text there, which
/// every encoding of single bytes takes. `offset 0` keeps the server from making the
/// texts once for each hash.
fn rows_query(
    table: &Name,
    columns: &[String],
    outputs: &HashMap<String, String>,
    before: &str,
) -> String {
    let rows = |text: &dyn Fn(&String) -> String, condition: &str| {
        let texts: Vec<String> = columns.iter().map(text).collect();
        format!(
            "select {before}array[{}]::text[] as r from only {table} where {condition} offset 0",
            texts.join(", ")
        )
    };
    let plain = |column: &String| match outputs.get(column).map(String::as_str) {
        Some("textout") => quoted(column),
        Some(output) => format!("textin({output}({}))", quoted(column)),
        None => text_or_null(column, &concat(column)),
    };
    let converted = |column: &String| {
        let utf8 = format!("convert_to({}, 'UTF8')", concat(column));
        text_or_null(
            column,
            &format!("convert_from({utf8}, getdatabaseencoding())"),
        )
    };
    format!(
        "({}) union all ({})",
        rows(&plain, "getdatabaseencoding() = 'UTF8'"),
        rows(&converted, "getdatabaseencoding() <> 'UTF8'")
    )
}

fn concat(column: &str) -> String {
    format!("concat({})", quoted(column))
}

/// A row of nulls is no null, though `is null` says so.
fn text_or_null(column: &str, text: &str) -> String {
    let column = quoted(column);
    format!("case when {column} is distinct from null then {text} end")
}

/// Sums of two hashes over rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RowSums([i128; 2]);

impl RowSums {
    /// The sums over whole rows of COPY text that have so many columns. Heavy: not for an
    /// async thread.
    #[must_use]
    pub fn of(text: &[u8], columns: usize, hash: RowHash) -> Self {
        let mut sums = Self::default();
        let mut rest = text;
        while !rest.is_empty() {
            let (row, left) = hash_row(rest, columns);
            sums += Self::of_row(match hash {
                RowHash::Plain => row,
                RowHash::Mixed => text_hash::mixed(row),
            });
            rest = left;
        }
        sums
    }

    /// As the server writes them.
    #[must_use]
    pub fn checksum(self) -> Checksum {
        let [first, second] = self.0.map(|sum| sum.to_string());
        Checksum { first, second }
    }

    /// Reads what [`RowSums::checksum`] wrote; nothing if it is none of ours.
    #[must_use]
    pub fn parse(Checksum { first, second }: &Checksum) -> Option<Self> {
        Some(Self([first.parse().ok()?, second.parse().ok()?]))
    }

    fn of_row(hashes: [u64; 2]) -> Self {
        Self(hashes.map(|hash| i128::from(hash.cast_signed())))
    }
}

/// The value that a field of COPY text stands for; nothing for null.
pub(crate) fn value_of(field: &str) -> Option<String> {
    let value: Vec<u8> = runs(field.as_bytes()).flatten().copied().collect();
    (field != "\\N").then(|| String::from_utf8_lossy(&value).into_owned())
}

/// The checksum of the rows of several tables; `None` if one is none of ours.
#[must_use]
pub fn total<'a>(parts: impl IntoIterator<Item = &'a Checksum>) -> Option<Checksum> {
    let mut sums = RowSums::default();
    for part in parts {
        sums += RowSums::parse(part)?;
    }
    Some(sums.checksum())
}

impl AddAssign for RowSums {
    fn add_assign(&mut self, other: Self) {
        for (sum, other) in self.0.iter_mut().zip(other.0) {
            *sum += other;
        }
    }
}

impl Add for RowSums {
    type Output = Self;

    fn add(mut self, other: Self) -> Self {
        self += other;
        self
    }
}

/// The hashes of the first row, and what follows it.
fn hash_row(text: &[u8], columns: usize) -> ([u64; 2], &[u8]) {
    let mut row = [1_u64; 2];
    if columns == 0 {
        return (row, text.get(1..).unwrap_or_default());
    }
    let mut rest = text;
    loop {
        let (field, end) = hash_field(rest);
        for (row, field) in row.iter_mut().zip(field) {
            *row = row.wrapping_mul(31).wrapping_add(field);
        }
        let after = rest.get(end + 1..).unwrap_or_default();
        match rest.get(end) {
            Some(b'\t') => rest = after,
            Some(_) | None => return (row, after),
        }
    }
}

/// The hashes of the first field, and where it ends.
fn hash_field(text: &[u8]) -> ([u64; 2], usize) {
    let end = memchr3(b'\t', b'\n', b'\\', text).unwrap_or(text.len());
    if text.get(end) != Some(&b'\\') {
        return (text_hash::of(&text[..end]), end);
    }
    let end = memchr2(b'\t', b'\n', text).unwrap_or(text.len());
    let field = &text[..end];
    if field == b"\\N" {
        return ([0; 2], end);
    }
    let mut hash = TextHash::new(runs(field).map(<[u8]>::len).sum());
    for run in runs(field) {
        hash.update(run);
    }
    (hash.finish(), end)
}

/// A field's value in parts: what stands between escapes, and what they stand for.
fn runs(field: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = field;
    std::iter::from_fn(move || {
        let run = match rest {
            [] => return None,
            [b'\\', escaped, after @ ..] => {
                rest = after;
                return Some(unescaped(*escaped));
            }
            [b'\\'] => 1,
            _ => memchr::memchr(b'\\', rest).unwrap_or(rest.len()),
        };
        let (run, after) = rest.split_at(run);
        rest = after;
        Some(run)
    })
}

/// What the server writes with a backslash before it.
fn unescaped(escaped: u8) -> &'static [u8] {
    match escaped {
        b'b' => b"\x08",
        b'f' => b"\x0c",
        b'n' => b"\n",
        b'r' => b"\r",
        b't' => b"\t",
        b'v' => b"\x0b",
        _ => b"\\",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sums(text: &str) -> RowSums {
        RowSums::of(text.as_bytes(), 2, RowHash::Mixed)
    }

    #[test]
    fn order_and_cuts_between_rows_do_not_count() {
        let rows = ["1\ta\n", "2\t\\N\n", "3\t\n"];
        let mut apart = RowSums::default();
        for row in rows.iter().rev() {
            apart += sums(row);
        }
        assert_eq!(apart, sums(&rows.concat()));
    }

    /// Two rows that exchange the values of a column, as reordering does.
    #[test]
    fn rows_that_exchange_values_have_other_sums() {
        for first in 0..200 {
            let text = |one: i32, other: i32| format!("{first}\t{one}\n{}\t{other}\n", first + 1);
            let (before, after) = (sums(&text(7, 8)), sums(&text(8, 7)));
            let same = before
                .0
                .iter()
                .zip(after.0)
                .any(|(one, other)| (one - other).rem_euclid(1 << 64) == 0);
            assert!(!same, "{first}");
        }
    }

    #[test]
    fn a_field_stands_for_its_value() {
        for (field, value) in [
            ("plain", Some("plain")),
            ("", Some("")),
            ("\\N", None),
            ("a\\tb\\\\N\\n", Some("a\tb\\N\n")),
        ] {
            assert_eq!(value_of(field).as_deref(), value, "{field}");
        }
    }

    #[test]
    fn what_looks_alike_differs() {
        let alike = [
            "\t\n",
            "\\N\t\n",
            "\t\\N\n",
            "\\N\\N\t\n",
            "\\\\N\t\n",
            "a\tb\n",
            "ab\t\n",
            "\tab\n",
        ];
        let sums: Vec<_> = alike.map(sums).to_vec();
        for (index, one) in sums.iter().enumerate() {
            assert!(!sums[..index].contains(one), "{:?}", alike[index]);
        }
    }
}
