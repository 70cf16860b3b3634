//! The rows of a table as they are stored: which pieces may hold those of a key, and what
//! stands in them. Pure.

use std::collections::HashSet;

use memchr::memchr_iter;

use super::{
    checksum,
    format::{Piece, TableData},
    source::RangeType,
};

/// Pieces that hold whole rows together: one, or all that one long row stands in.
pub(super) fn groups(data: &TableData) -> impl Iterator<Item = &[Piece]> {
    data.pieces.split_inclusive(|piece| piece.rows > 0)
}

/// What pieces hold, told by their content: equal for equal rows, in whatever backup.
pub(super) fn content(pieces: &[Piece]) -> String {
    let hashes: Vec<&str> = pieces
        .iter()
        .map(|piece| piece.raw_sha256.as_str())
        .collect();
    hashes.concat()
}

/// Rows of COPY text, each without its newline.
pub(super) fn rows(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut start = 0;
    memchr_iter(b'\n', text).map(move |end| {
        let row = &text[start..end];
        start = end + 1;
        row
    })
}

/// The fields of a row, as COPY text.
pub(super) fn fields(row: &[u8]) -> impl Iterator<Item = &[u8]> {
    row.split(|&byte| byte == b'\t')
}

/// The value of a field; nothing for null.
pub(super) fn value(field: &[u8]) -> Option<String> {
    checksum::value_of(&String::from_utf8_lossy(field))
}

/// The field of a value, as the server would write it.
pub(super) fn field(value: Option<&str>) -> Vec<u8> {
    let Some(value) = value else {
        return b"\\N".to_vec();
    };
    let mut field = Vec::with_capacity(value.len());
    for byte in value.bytes() {
        let escaped = match byte {
            b'\\' => b'\\',
            0x08 => b'b',
            0x0c => b'f',
            b'\n' => b'n',
            b'\r' => b'r',
            b'\t' => b't',
            0x0b => b'v',
            plain => {
                field.push(plain);
                continue;
            }
        };
        field.extend_from_slice(&[b'\\', escaped]);
    }
    field
}

/// Rows of a table that have these values in these columns.
#[derive(Debug)]
pub(super) struct WithKey<'a> {
    data: &'a TableData,
    /// Where each column stands, and the value that it has.
    places: Vec<(usize, String)>,
    /// The values of the first columns of the order, as far as they can be compared.
    prefix: Vec<(RangeType, String)>,
}

impl<'a> WithKey<'a> {
    /// The rows of a table.
    ///
    /// # Errors
    /// The first column that the table does not have.
    pub(super) fn of(data: &'a TableData, key: &[(String, String)]) -> Result<Self, String> {
        let mut places = Vec::new();
        for (column, value) in key {
            let mut columns = data.columns.iter();
            let place = columns.position(|name| name == column);
            let place = place.ok_or_else(|| column.clone())?;
            places.push((place, as_stored(&data.types[place], value)));
        }
        let ordered = data.order.iter().map_while(|column| {
            let place = data.columns.iter().position(|name| name == column)?;
            let (_, value) = places.iter().find(|(at, _)| *at == place)?;
            Some((RangeType::of_sql(&data.types[place])?, value.clone()))
        });
        let prefix = ordered.collect();
        Ok(Self {
            data,
            places,
            prefix,
        })
    }

    /// Whether the order of the rows tells where they lie.
    pub(super) fn is_ordered(&self) -> bool {
        !self.prefix.is_empty()
    }

    /// The pieces that may hold them, and the only ones.
    pub(super) fn groups(&self) -> impl Iterator<Item = &'a [Piece]> + '_ {
        groups(self.data).filter(|pieces| self.may_be_in(pieces))
    }

    fn may_be_in(&self, pieces: &[Piece]) -> bool {
        let (Some(first), Some(last)) = (pieces.first(), pieces.last()) else {
            return false;
        };
        !self.is_below(&first.first_key) && !self.is_above(&last.last_key)
    }

    fn is_below(&self, bound: &str) -> bool {
        self.compare(bound) == Some(std::cmp::Ordering::Less)
    }

    fn is_above(&self, bound: &str) -> bool {
        self.compare(bound) == Some(std::cmp::Ordering::Greater)
    }

    /// The known values beside those of a bound; nothing where their texts do not tell.
    fn compare(&self, bound: &str) -> Option<std::cmp::Ordering> {
        let mut bounds = bound.split('\t');
        for (kind, value) in &self.prefix {
            let bound = checksum::value_of(bounds.next()?)?;
            let order = kind.compare(value, &bound)?;
            if order.is_ne() {
                return Some(order);
            }
        }
        Some(std::cmp::Ordering::Equal)
    }

    /// Whether a row is one of them.
    pub(super) fn is_met_by(&self, row: &[u8]) -> bool {
        let fields: Vec<&[u8]> = fields(row).collect();
        self.places.iter().all(|(place, wanted)| {
            let found = fields.get(*place).and_then(|field| value(field));
            found.as_ref() == Some(wanted)
        })
    }
}

/// Among how many keys the order of the rows is asked for each.
const FEW_KEYS: usize = 64;

/// Rows of a table that have one of some keys.
#[derive(Debug)]
pub(super) struct WithAnyKey<'a> {
    data: &'a TableData,
    places: Vec<usize>,
    keys: HashSet<Vec<String>>,
    few: Vec<WithKey<'a>>,
}

impl<'a> WithAnyKey<'a> {
    /// The rows whose columns hold one of these lists of values. Nothing where a column is not
    /// there, or is of a type of which equal values may have different texts.
    pub(super) fn of(
        data: &'a TableData,
        columns: &[String],
        keys: HashSet<Vec<String>>,
    ) -> Option<Self> {
        let place = |column: &String| {
            let place = data.columns.iter().position(|name| name == column)?;
            RangeType::of_sql(&data.types[place]).map(|_| place)
        };
        let places = columns.iter().map(place).collect::<Option<Vec<_>>>()?;
        let named = |values: &Vec<String>| {
            let key: Vec<_> = columns
                .iter()
                .cloned()
                .zip(values.iter().cloned())
                .collect();
            WithKey::of(data, &key).ok()
        };
        let few = keys.iter().filter(|_| keys.len() <= FEW_KEYS);
        Some(Self {
            few: few.filter_map(named).collect(),
            data,
            places,
            keys,
        })
    }

    /// The pieces that may hold them, and the only ones.
    pub(super) fn groups(&self) -> impl Iterator<Item = &'a [Piece]> + '_ {
        groups(self.data).filter(|pieces| {
            let any = || self.few.iter().any(|key| key.may_be_in(pieces));
            self.keys.len() > FEW_KEYS || any()
        })
    }

    /// Whether a row is one of them.
    pub(super) fn is_met_by(&self, row: &[u8]) -> bool {
        let fields: Vec<&[u8]> = fields(row).collect();
        let found = self.places.iter().map(|place| value(fields.get(*place)?));
        let found: Option<Vec<String>> = found.collect();
        found.is_some_and(|key| self.keys.contains(&key))
    }
}

/// A value as the server writes it: people write UUIDs in capitals.
fn as_stored(sql: &str, value: &str) -> String {
    match RangeType::of_sql(sql) {
        Some(RangeType::Fixed("uuid")) => value.trim().to_lowercase(),
        Some(RangeType::Fixed("smallint" | "integer" | "bigint")) => value
            .trim()
            .parse()
            .map_or_else(|_| value.to_owned(), |number: i64| number.to_string()),
        _ => value.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        format::Checksum,
        schema::{Name, Scope},
    };

    fn piece(rows: u64, first_key: &str, last_key: &str) -> Piece {
        Piece {
            name: format!("{first_key}-{last_key}"),
            rows,
            raw_len: 1,
            raw_sha256: String::new(),
            first_key: first_key.to_owned(),
            last_key: last_key.to_owned(),
        }
    }

    fn data(columns: &[(&str, &str)], order: &[&str], pieces: Vec<Piece>) -> TableData {
        TableData {
            table: Name {
                schema: "public".into(),
                name: "t".into(),
            },
            scope: Scope::App,
            columns: columns.iter().map(|(name, _)| (*name).into()).collect(),
            types: columns.iter().map(|(_, sql)| (*sql).into()).collect(),
            order: order.iter().map(|name| (*name).into()).collect(),
            rows: 1,
            checksum: Checksum {
                first: "0".into(),
                second: "0".into(),
            },
            read: None,
            pieces,
        }
    }

    fn names(data: &TableData, key: &[(&str, &str)]) -> Vec<String> {
        let key: Vec<_> = key
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let wanted = WithKey::of(data, &key).unwrap();
        let groups = wanted.groups();
        groups.map(|pieces| pieces[0].name.clone()).collect()
    }

    #[test]
    fn only_pieces_whose_range_can_hold_a_key_are_named() {
        let columns = [
            ("at", "timestamp with time zone"),
            ("id", "bigint"),
            ("n", "numeric"),
        ];
        let by_id = data(
            &columns,
            &["id"],
            vec![
                piece(3, "1", "9"),
                piece(3, "10", "30"),
                piece(3, "31", "99"),
            ],
        );
        assert_eq!(names(&by_id, &[("id", "10")]), ["10-30"]);
        assert_eq!(names(&by_id, &[("id", " 030")]), ["10-30"]);
        assert_eq!(names(&by_id, &[("id", "100")]), [""; 0]);
        assert_eq!(names(&by_id, &[("n", "10")]).len(), 3);
        assert_eq!(names(&by_id, &[("id", "ten")]).len(), 3);

        let by_time = data(
            &columns,
            &["at", "id"],
            vec![
                piece(3, "2026-01-01 00:00:00+00\t1", "2026-01-02 00:00:00+00\t5"),
                piece(3, "2026-01-02 00:00:00+00\t6", "2026-01-03 00:00:00+00\t1"),
                piece(3, "2026-01-04 00:00:00+00\t1", "\\N\t7"),
            ],
        );
        let second = "2026-01-02 00:00:00+00";
        assert_eq!(names(&by_time, &[("at", second)]).len(), 2);
        let both = [("id", "6"), ("at", second)];
        assert_eq!(names(&by_time, &both), [by_time.pieces[1].name.as_str()]);
        assert_eq!(names(&by_time, &[("id", "6")]).len(), 3);
        // Nulls come last, and nobody can say before which value.
        let later = [("at", "2030-01-01 00:00:00+00")];
        assert_eq!(names(&by_time, &later), [by_time.pieces[2].name.as_str()]);
    }

    #[test]
    fn a_long_row_is_all_of_its_pieces() {
        let pieces = vec![
            piece(2, "1", "2"),
            piece(0, "3", "3"),
            piece(0, "3", "3"),
            piece(1, "3", "3"),
            piece(1, "4", "4"),
        ];
        let data = data(&[("id", "bigint")], &["id"], pieces);
        let lengths: Vec<_> = groups(&data).map(<[Piece]>::len).collect();
        assert_eq!(lengths, [1, 3, 1]);
        assert_eq!(names(&data, &[("id", "3")]), ["3-3"]);
    }

    #[test]
    fn rows_of_some_keys_lie_where_one_of_them_can() {
        let data = data(
            &[("id", "bigint"), ("worth", "numeric")],
            &["id"],
            vec![
                piece(3, "1", "9"),
                piece(3, "10", "30"),
                piece(3, "31", "99"),
            ],
        );
        let columns = ["id".to_owned()];
        let keys = |numbers: std::ops::Range<u32>| numbers.map(|n| vec![n.to_string()]).collect();
        let few = WithAnyKey::of(&data, &columns, keys(28..33)).unwrap();
        assert_eq!(few.groups().count(), 2);
        assert!(few.is_met_by(b"30\t1") && !few.is_met_by(b"33\t1") && !few.is_met_by(b"\\N\t1"));
        let many = WithAnyKey::of(&data, &columns, keys(1000..2000)).unwrap();
        assert_eq!(many.groups().count(), 3);
        let unsure = WithAnyKey::of(&data, &["worth".to_owned()], keys(1..2));
        assert!(unsure.is_none(), "1 and 1.0 are equal");
    }

    #[test]
    fn a_field_is_read_as_the_value_that_was_written() {
        for text in ["", "\\N", "a\\b", "\u{8}\u{b}\u{c}\r\n\t", "Größe", "\\."] {
            let written = field(Some(text));
            assert_eq!(value(&written).as_deref(), Some(text));
            assert!(!written.contains(&b'\t') && !written.contains(&b'\n'));
        }
        assert_eq!(value(&field(None)), None);
    }

    #[test]
    fn rows_are_told_by_values_and_not_by_their_text() {
        let data = data(&[("id", "uuid"), ("name", "text")], &[], Vec::new());
        let wanted = |column: &str, value: &str| {
            WithKey::of(&data, &[(column.to_owned(), value.to_owned())]).unwrap()
        };
        let row = b"0b0e4a5e-0000-4000-8000-00000000000a\ta\\tb";
        assert!(wanted("name", "a\tb").is_met_by(row));
        assert!(wanted("id", "0B0E4A5E-0000-4000-8000-00000000000A").is_met_by(row));
        assert!(!wanted("name", "a").is_met_by(row));
        assert!(!wanted("name", "\\N").is_met_by(b"x\t\\N"));
        let unknown = WithKey::of(&data, &[("price".to_owned(), "1".to_owned())]);
        assert_eq!(unknown.err().as_deref(), Some("price"));
        let all: Vec<_> = rows(b"a\tb\n\nc\n").collect();
        assert_eq!(all, [&b"a\tb"[..], b"", b"c"]);
    }
}
