//! The query string: what to select, filter, order and cut.
//!
//! Decoded like a form. `select`, `columns`, `on_conflict`, `order`, `limit`,
//! `offset`, `and` and `or` are reserved; everything else is a filter, or an
//! argument of a called function. Stricter than PostgREST in one point: what
//! is left over behind a parsed value is an error everywhere.

mod cursor;
mod field;
mod filter;
mod select;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use url::form_urlencoded;

use super::error::{ApiError, Result};
use cursor::{Cursor, Parsed, parse_whole};
pub(super) use field::{Field, Operand};
use filter::Scope;
pub(super) use filter::{Condition, Test};
pub(super) use select::{Item, OrderTerm};

/// A parsed query string.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Query {
    /// Empty means every column.
    pub(super) select: Vec<Item>,
    /// The keys of the body that are written.
    pub(super) columns: Option<Vec<String>>,
    /// The columns whose unique constraint an upsert goes by.
    pub(super) on_conflict: Option<Vec<String>>,
    pub(super) order: Vec<OrderTerm>,
    /// As given, so possibly negative.
    pub(super) limit: Option<i64>,
    /// In rows; a negative one is 0.
    pub(super) offset: u64,
    /// All must hold.
    pub(super) conditions: Vec<Condition>,
    /// Parameters that are no filter, for a call by GET.
    pub(super) arguments: Vec<(String, String)>,
    /// All parameters in order of their names, encoded again.
    pub(super) canonical: String,
}

/// What a parameter that is not reserved may be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Others {
    /// A filter only.
    Filters,
    /// An argument, where its value has not the form of a filter.
    FiltersAndArguments,
}

impl Query {
    /// Parses everything after the question mark.
    pub(super) fn parse(raw: &str, others: Others) -> Result<Self> {
        let mut parameters = pairs(raw);
        let mut query = Self::default();
        let mut has_order = false;
        let mut has_select = false;
        for (key, value) in &parameters {
            match key.as_ref() {
                "select" if has_select => {}
                "select" => {
                    has_select = true;
                    query.select = parse_select(value)?;
                }
                "columns" if query.columns.is_none() => {
                    query.columns = Some(parse_names("columns parameter", value)?);
                }
                "on_conflict" if query.on_conflict.is_none() => {
                    query.on_conflict = Some(parse_names("on_conflict parameter", value)?);
                }
                "columns" | "on_conflict" => {}
                "order" if has_order => {}
                "order" => {
                    has_order = true;
                    query.order = parse_whole("order", value, |c| c.comma_list(OrderTerm::parse))?;
                }
                "limit" => query.limit = value.parse().ok().or(query.limit),
                "offset" => {
                    if let Ok(offset) = value.parse::<i64>() {
                        query.offset = u64::try_from(offset).unwrap_or(0);
                    }
                }
                "and" | "or" | "not.and" | "not.or" => {
                    query.conditions.push(parse_group(key, value)?);
                }
                _ => query.add_other(key, value, others)?,
            }
        }
        parameters.sort();
        query.canonical = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(&parameters)
            .finish()
            .replace('+', "%20");
        Ok(query)
    }

    fn add_other(&mut self, key: &str, value: &str, others: Others) -> Result<()> {
        let test = parse_whole("filter", value, |cursor| {
            filter::test(cursor, Scope::Parameter)
        });
        if others == Others::FiltersAndArguments && test.is_err() {
            self.arguments.push((key.to_owned(), value.to_owned()));
            return Ok(());
        }
        let field = parse_whole("tree path", key, parse_key)?;
        if let Some(embedded) = field.1 {
            return Err(not_embedded(&embedded));
        }
        let (negated, test) = test?;
        self.conditions.push(Condition::Field {
            field: field.0,
            negated,
            test,
        });
        Ok(())
    }
}

/// Key and value of each parameter; one without `=` does not count.
fn pairs(raw: &str) -> Vec<(Cow<'_, str>, Cow<'_, str>)> {
    raw.split('&')
        .filter(|parameter| parameter.contains('='))
        .flat_map(|parameter| form_urlencoded::parse(parameter.as_bytes()))
        .collect()
}

fn parse_select(value: &str) -> Result<Vec<Item>> {
    if value.trim_matches(' ').is_empty() {
        return Ok(Vec::new());
    }
    parse_whole("select parameter", value, |c| c.comma_list(Item::parse))
}

fn parse_names(what: &str, value: &str) -> Result<Vec<String>> {
    parse_whole(what, value, |cursor| cursor.comma_list(field::name))
}

fn parse_group(key: &str, value: &str) -> Result<Condition> {
    let members = parse_whole("logic tree", value, |cursor| filter::members(cursor, 0))?;
    Ok(Condition::Group {
        negated: key.starts_with("not."),
        any: key.ends_with("or"),
        members,
    })
}

/// The field of a filter, and the embedded resource that a dot would name.
fn parse_key(cursor: &mut Cursor<'_>) -> Parsed<(Field, Option<String>)> {
    let field = Field::parse(cursor)?;
    if !cursor.eat(".") {
        return Ok((field, None));
    }
    cursor.take_rest();
    let embedded = field.column.clone();
    Ok((field, Some(embedded)))
}

fn not_embedded(name: &str) -> ApiError {
    ApiError::bad_request(
        "PGRST108",
        format!("'{name}' is not an embedded resource in this request"),
    )
    .hint(format!(
        "Verify that '{name}' is included in the 'select' query parameter."
    ))
}
