//! What to return, and in which order.

use super::{
    cursor::{Cursor, Parsed},
    field::{self, Field},
};

/// One item of `select`.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::gateway) enum Item {
    /// `*`: every column.
    All,
    /// One column, or a value inside it.
    Field {
        field: Field,
        alias: Option<String>,
        /// A type's name of letters, digits, `_`, `$` and blanks alone, so that
        /// it may stand in a statement as it is.
        cast: Option<String>,
    },
}

impl Item {
    pub(super) fn parse(cursor: &mut Cursor<'_>) -> Parsed<Self> {
        cursor.skip_blanks();
        if cursor.eat("*") {
            cursor.skip_blanks();
            return Ok(Self::All);
        }
        let alias = cursor.attempt(alias);
        let field = Field::parse(cursor)?;
        let cast = cursor.eat("::").then(|| cast(cursor)).transpose()?;
        cursor.skip_blanks();
        Ok(Self::Field { field, alias, cast })
    }
}

fn alias(cursor: &mut Cursor<'_>) -> Parsed<String> {
    let alias = field::name(cursor)?;
    cursor.expect(":")?;
    if cursor.peek() == Some(':') {
        return Err(cursor.unexpected("a field"));
    }
    Ok(alias)
}

fn cast(cursor: &mut Cursor<'_>) -> Parsed<String> {
    let name = cursor
        .take_while(|found| found.is_alphanumeric() || matches!(found, '_' | '$' | ' '))
        .trim_matches(' ');
    if name.is_empty() {
        return Err(cursor.unexpected("a type"));
    }
    Ok(name.to_owned())
}

/// One item of `order`.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::gateway) struct OrderTerm {
    pub(in crate::gateway) field: Field,
    /// PostgreSQL's words after the field: direction and place of nulls.
    pub(in crate::gateway) suffix: String,
}

impl OrderTerm {
    pub(super) fn parse(cursor: &mut Cursor<'_>) -> Parsed<Self> {
        let field = Field::parse(cursor)?;
        let mut suffix = String::new();
        for (word, sql) in [(".asc", " ASC"), (".desc", " DESC")] {
            if suffix.is_empty() && cursor.eat(word) {
                suffix.push_str(sql);
            }
        }
        for (word, sql) in [
            (".nullsfirst", " NULLS FIRST"),
            (".nullslast", " NULLS LAST"),
        ] {
            if cursor.eat(word) {
                suffix.push_str(sql);
                break;
            }
        }
        cursor.skip_blanks();
        Ok(Self { field, suffix })
    }
}
