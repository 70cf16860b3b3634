//! A table's rows told apart by ranges of one column.
//!
//! Every row is in exactly one part, whatever the bounds: what is taken over of some parts and
//! read of the others is the whole table, and bounds that are out of order cost time and
//! nothing else. The server finds a row's part by itself, in one pass over the table for all
//! of them, without an index.

use std::ops::Range;

use crate::{
    restore_sql::literal,
    schema::{Column, quoted},
};

/// The parts of a table's rows, from the least values of a column to the greatest. Part 0 is
/// what comes before the first bound; the last one is also where nulls are, which an order
/// has last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Partition {
    column: String,
    kind: RangeType,
    bounds: Vec<String>,
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
        let sql = column.type_sql.as_str();
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

impl Partition {
    /// The parts that begin at these values of a column.
    #[must_use]
    pub fn new(column: String, kind: RangeType, bounds: Vec<String>) -> Self {
        Self {
            column,
            kind,
            bounds,
        }
    }

    /// The numbers of its parts.
    #[must_use]
    pub fn parts(&self) -> Range<usize> {
        0..self.bounds.len() + 1
    }

    /// The number of a row's part, as SQL.
    #[must_use]
    pub fn sql(&self) -> String {
        let (value, bound_type) = match self.kind {
            RangeType::Text => {
                let value = format!("{}::text collate \"C\"", quoted(&self.column));
                (value, "text")
            }
            RangeType::Fixed(name) => (quoted(&self.column), name),
        };
        let bounds: Vec<String> = self.bounds.iter().map(|bound| element(bound)).collect();
        let bounds = literal(&format!("{{{}}}", bounds.join(",")));
        let last = self.bounds.len();
        format!("coalesce(width_bucket({value}, {bounds}::{bound_type}[]), {last})")
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
    fn bounds_are_written_so_that_no_value_is_anything_else() {
        let bounds = vec!["".to_owned(), r#"a"b\c,{}'"#.to_owned()];
        let partition = Partition::new("a\"b".to_owned(), RangeType::Text, bounds);
        let expected =
            r#"coalesce(width_bucket("a""b"::text collate "C", '{"","a\"b\\c,{}''"}'::text[]), 2)"#;
        assert_eq!(partition.sql(), expected);
        assert_eq!(partition.parts(), 0..3);
    }
}
