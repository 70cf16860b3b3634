//! A table's rows told apart by ranges of the first columns of its order.
//!
//! Every row is in exactly one part, whatever the bounds: what is taken over of some parts and
//! read of the others is the whole table, and bounds that are out of order cost time and
//! nothing else. The server finds a row's part by itself, in one pass over the table for all
//! of them, without an index.

use std::{cmp::Ordering, ops::Range};

use crate::{
    restore_sql::literal,
    schema::{Column, quoted},
};

/// The parts of a table's rows, from the least values to the greatest. Part 0 is what comes
/// before the first bound; the last one is also where nulls are, which an order has last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Partition {
    first: RangeColumn,
    second: Option<RangeColumn>,
    bounds: Vec<Bound>,
}

/// A column that tells ranges apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RangeColumn {
    /// Its name.
    pub name: String,
    /// How its values are compared.
    pub kind: RangeType,
}

/// Where a part begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bound {
    /// The value of the first column.
    pub first: String,
    /// Among the rows that share it, the value of the second; none for all of them.
    pub second: Option<String>,
}

/// The type of a column whose ranges the server tells apart without running anything but its
/// own code, and whose values have one text each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RangeType {
    /// Compared by its bytes.
    Text,
    /// By the server's own order: the type of its bounds.
    Fixed(&'static str),
}

impl RangeType {
    /// Of a column; nothing if it is of another type.
    #[must_use]
    pub fn of(column: &Column) -> Option<Self> {
        Self::of_sql(&column.type_sql)
    }

    /// Of a type as SQL.
    #[must_use]
    pub fn of_sql(sql: &str) -> Option<Self> {
        let plain = ["smallint", "integer", "bigint", "uuid", "date"];
        if let Some(name) = plain.into_iter().find(|name| *name == sql) {
            Some(Self::Fixed(name))
        } else if sql == "text"
            || sql == "character varying"
            || sql.starts_with("character varying(") && sql.ends_with(')')
        {
            Some(Self::Text)
        } else if is_timestamp(sql, "with time zone") {
            Some(Self::Fixed("timestamp with time zone"))
        } else if is_timestamp(sql, "without time zone") {
            Some(Self::Fixed("timestamp without time zone"))
        } else {
            None
        }
    }

    /// Compares two values by their texts, as the server compares the values; nothing where
    /// the texts do not tell, as those of times before Christ.
    #[must_use]
    pub fn compare(self, one: &str, other: &str) -> Option<Ordering> {
        match self {
            Self::Text | Self::Fixed("uuid") => Some(one.cmp(other)),
            Self::Fixed("smallint" | "integer" | "bigint") => {
                let number = |text: &str| text.parse::<i64>().ok();
                Some(number(one)?.cmp(&number(other)?))
            }
            // A day, and a time in UTC: their digits stand where they count.
            Self::Fixed(_) => {
                let is_plain = |text: &str| {
                    text.as_bytes().get(4) == Some(&b'-')
                        && text.bytes().all(|byte| !byte.is_ascii_alphabetic())
                };
                (is_plain(one) && is_plain(other)).then(|| one.cmp(other))
            }
        }
    }

    /// The type of bounds.
    fn sql(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Fixed(name) => name,
        }
    }

    /// How many parts there may be. The bounds of texts are walked along for each row.
    #[must_use]
    pub fn most_parts(self) -> usize {
        match self {
            Self::Text => 512,
            Self::Fixed(_) => 4096,
        }
    }
}

/// Whether a type is a timestamp of this kind, of any precision.
fn is_timestamp(sql: &str, zone: &str) -> bool {
    let rest = sql.strip_prefix("timestamp");
    let precision = rest.and_then(|rest| rest.strip_suffix(zone)).map(str::trim);
    let digits = |text: &str| text.len() == 3 && text.starts_with('(') && text.ends_with(')');
    precision.is_some_and(|precision| precision.is_empty() || digits(precision))
}

impl RangeColumn {
    /// A column of a table, if its type allows it.
    #[must_use]
    pub fn of(column: &Column) -> Option<Self> {
        Some(Self {
            name: column.name.clone(),
            kind: RangeType::of(column)?,
        })
    }

    /// The number of bounds that a row's value is not below, as SQL.
    fn bucket<'a>(&self, bounds: impl Iterator<Item = &'a str>) -> String {
        let bounds: Vec<String> = bounds.map(element).collect();
        let bounds = literal(&format!("{{{}}}", bounds.join(",")));
        let kind = self.kind.sql();
        format!("width_bucket({}, {bounds}::{kind}[])", self.value())
    }

    fn value(&self) -> String {
        match self.kind {
            RangeType::Text => format!("{}::text collate \"C\"", quoted(&self.name)),
            RangeType::Fixed(_) => quoted(&self.name),
        }
    }
}

impl Partition {
    /// The parts that begin at these bounds, which are in order.
    #[must_use]
    pub fn new(first: RangeColumn, second: Option<RangeColumn>, bounds: Vec<Bound>) -> Self {
        Self {
            first,
            second,
            bounds,
        }
    }

    /// The numbers of its parts.
    #[must_use]
    pub fn parts(&self) -> Range<usize> {
        0..self.bounds.len() + 1
    }

    /// The number of a row's part, as SQL.
    ///
    /// The first column leads to the last part that begins at or below its value. Only rows
    /// that share their first value with a bound of the second column are told apart by that.
    #[must_use]
    pub fn sql(&self) -> String {
        let last = self.bounds.len();
        let (mut firsts, mut ends, mut branches) = (Vec::new(), vec![0], Vec::new());
        let mut place = 0;
        for group in self.bounds.chunk_by(|one, other| one.first == other.first) {
            firsts.push(group[0].first.as_str());
            // What shares the first value and comes before its first bound of the second.
            let base = place + usize::from(group[0].second.is_none());
            place += group.len();
            ends.push(place);
            let seconds: Vec<&str> = group
                .iter()
                .filter_map(|bound| bound.second.as_deref())
                .collect();
            if let (Some(second), [_, ..]) = (&self.second, &seconds[..]) {
                let value = literal(&group[0].first);
                let kind = self.first.kind.sql();
                let bucket = second.bucket(seconds.into_iter());
                branches.push(format!(" when {value}::{kind} then {base} + {bucket}"));
            }
        }
        let bucket = self.first.bucket(firsts.into_iter());
        if branches.is_empty() {
            return format!("coalesce({bucket}, {last})");
        }
        let ends: Vec<String> = ends.iter().map(ToString::to_string).collect();
        format!(
            "coalesce(case {}{} else ('{{{}}}'::int[])[{bucket} + 1] end, {last})",
            self.first.value(),
            branches.concat(),
            ends.join(",")
        )
    }
}

/// A value within the text of an array.
fn element(value: &str) -> String {
    format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(type_sql: &str) -> Column {
        Column {
            name: "id".to_owned(),
            type_sql: type_sql.to_owned(),
            default_sql: None,
            generated: false,
            not_null: true,
        }
    }

    #[test]
    fn types_with_one_order_and_one_text_a_value_make_ranges() {
        for (sql, expected) in [
            ("bigint", Some(RangeType::Fixed("bigint"))),
            ("uuid", Some(RangeType::Fixed("uuid"))),
            ("text", Some(RangeType::Text)),
            ("character varying(20)", Some(RangeType::Text)),
            (
                "timestamp(3) with time zone",
                Some(RangeType::Fixed("timestamp with time zone")),
            ),
            (
                "timestamp without time zone",
                Some(RangeType::Fixed("timestamp without time zone")),
            ),
            ("numeric", None),
            ("double precision", None),
            ("character(2)", None),
            ("text[]", None),
            ("character varying(20)[]", None),
            ("timestamp with time zone[]", None),
            ("public.mood", None),
            ("extensions.citext", None),
        ] {
            assert_eq!(RangeType::of(&column(sql)), expected, "{sql}");
        }
    }

    #[test]
    fn texts_are_compared_as_the_server_compares_their_values() {
        let time = "timestamp with time zone";
        for (sql, lesser, greater) in [
            ("bigint", "-10", "-9"),
            ("bigint", "9", "10"),
            ("text", "Z", "a"),
            (
                "uuid",
                "0b0e4a5e-0000-4000-8000-000000000000",
                "a0000000-0000-4000-8000-000000000000",
            ),
            ("date", "0999-12-31", "2026-01-01"),
            (time, "2026-01-01 00:00:00+00", "2026-01-01 00:00:00.5+00"),
            (
                time,
                "2026-01-01 00:00:00.5+00",
                "2026-01-01 00:00:00.55+00",
            ),
        ] {
            let kind = RangeType::of_sql(sql).unwrap();
            assert_eq!(kind.compare(lesser, greater), Some(Ordering::Less), "{sql}");
            assert_eq!(kind.compare(greater, lesser), Some(Ordering::Greater));
            assert_eq!(kind.compare(lesser, lesser), Some(Ordering::Equal));
        }
        for (sql, untold) in [
            ("date", "0044-03-15 BC"),
            ("date", "infinity"),
            (time, "12026-01-01 00:00:00+00"),
            ("bigint", "seven"),
        ] {
            let kind = RangeType::of_sql(sql).unwrap();
            assert_eq!(kind.compare(untold, "2026-01-01"), None, "{untold}");
        }
    }

    fn bound(first: &str, second: Option<&str>) -> Bound {
        Bound {
            first: first.to_owned(),
            second: second.map(ToOwned::to_owned),
        }
    }

    #[test]
    fn bounds_are_written_so_that_no_value_is_anything_else() {
        let bounds = vec![bound("", None), bound(r#"a"b\c,{}'"#, None)];
        let named = RangeColumn {
            name: "a\"b".to_owned(),
            kind: RangeType::Text,
        };
        let partition = Partition::new(named, None, bounds);
        let expected =
            r#"coalesce(width_bucket("a""b"::text collate "C", '{"","a\"b\\c,{}''"}'::text[]), 2)"#;
        assert_eq!(partition.sql(), expected);
        assert_eq!(partition.parts(), 0..3);
    }

    #[test]
    fn rows_that_share_a_value_are_told_apart_by_the_next_column() {
        let column = |name: &str, kind| RangeColumn {
            name: name.to_owned(),
            kind,
        };
        let bounds = vec![
            bound("2026-01-01", None),
            bound("2026-01-02", Some("4")),
            bound("2026-01-02", Some("9")),
            bound("2026-01-03", None),
            bound("2026-01-03", Some("5")),
        ];
        let day = column("day", RangeType::Fixed("date"));
        let id = column("id", RangeType::Fixed("bigint"));
        let partition = Partition::new(day, Some(id), bounds);
        assert_eq!(
            partition.sql(),
            "coalesce(case \"day\" \
             when '2026-01-02'::date then 1 + width_bucket(\"id\", '{\"4\",\"9\"}'::bigint[]) \
             when '2026-01-03'::date then 4 + width_bucket(\"id\", '{\"5\"}'::bigint[]) \
             else ('{0,1,3,5}'::int[])[width_bucket(\"day\", \
             '{\"2026-01-01\",\"2026-01-02\",\"2026-01-03\"}'::date[]) + 1] end, 5)"
        );
    }
}
