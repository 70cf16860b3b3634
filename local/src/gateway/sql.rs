//! A statement under construction.
//!
//! Names are always quoted, and values are always parameters in text form
//! whose types PostgreSQL infers: nothing that a client sent becomes SQL.

use bytes::BytesMut;
use tokio_postgres::types::{Format, IsNull, ToSql, Type, to_sql_checked};

/// A parameter in text form, whatever type PostgreSQL gives it.
#[derive(Debug)]
struct Text(String);

impl ToSql for Text {
    fn to_sql(
        &self,
        _type: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        out.extend_from_slice(self.0.as_bytes());
        Ok(IsNull::No)
    }

    fn accepts(_type: &Type) -> bool {
        true
    }

    fn encode_format(&self, _type: &Type) -> Format {
        Format::Text
    }

    to_sql_checked!();
}

/// The text of a statement and its parameters.
#[derive(Debug, Default)]
pub(super) struct Sql {
    text: String,
    parameters: Vec<Text>,
}

impl Sql {
    /// A statement that begins with `text`.
    pub(super) fn new(text: &str) -> Self {
        let mut sql = Self::default();
        sql.push(text);
        sql
    }

    /// Adds SQL, which must never hold anything that a client sent.
    pub(super) fn push(&mut self, text: &str) -> &mut Self {
        self.text.push_str(text);
        self
    }

    /// Adds a name.
    pub(super) fn name(&mut self, name: &str) -> &mut Self {
        self.text.push_str(&quoted(name));
        self
    }

    /// Adds a value.
    pub(super) fn value(&mut self, value: impl Into<String>) -> &mut Self {
        self.parameters.push(Text(value.into()));
        let number = self.parameters.len().to_string();
        self.push("$").push(&number)
    }

    /// Adds items with a separator between them.
    pub(super) fn list<T>(
        &mut self,
        separator: &str,
        items: impl IntoIterator<Item = T>,
        mut add: impl FnMut(&mut Self, T),
    ) -> &mut Self {
        for (index, item) in items.into_iter().enumerate() {
            if index > 0 {
                self.push(separator);
            }
            add(self, item);
        }
        self
    }

    /// The statement.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Its parameters; `UNKNOWN` lets PostgreSQL infer their types.
    pub(super) fn parameters(&self) -> Vec<(&(dyn ToSql + Sync), Type)> {
        self.parameters
            .iter()
            .map(|value| (value as &(dyn ToSql + Sync), Type::UNKNOWN))
            .collect()
    }
}

/// A name as SQL takes it, whatever its characters.
pub(super) fn quoted(name: &str) -> String {
    let name = name.split('\0').next().unwrap_or_default();
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A name with its schema as SQL takes it.
pub(super) fn qualified(schema: &str, name: &str) -> String {
    format!("{}.{}", quoted(schema), quoted(name))
}

/// The literal of an array whose elements are taken as they are.
pub(super) fn array_literal(elements: &[String]) -> String {
    let elements: Vec<String> = elements
        .iter()
        .map(|element| format!("\"{}\"", element.replace('\\', "\\\\").replace('"', "\\\"")))
        .collect();
    format!("{{{}}}", elements.join(","))
}
