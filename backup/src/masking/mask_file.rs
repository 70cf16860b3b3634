//! Which column has which mask, as people write it: a line for each, in a form that is TOML too.
//!
//! `public.profiles.email = "email"`. A name with other characters than letters, digits and
//! underscores stands in double quotes. What follows `#` is for people.

use std::{collections::BTreeMap, fmt};

use super::MaskKind;
use crate::schema::Name;

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ColumnName {
    /// The table, or the whole of some partitions.
    pub table: Name,
    /// The column.
    pub column: String,
}

/// As a file has it.
impl fmt::Display for ColumnName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Name { schema, name } = &self.table;
        let parts = [schema, name, &self.column].map(|part| {
            if is_bare(part) {
                part.clone()
            } else {
                serde_json::Value::String(part.clone()).to_string()
            }
        });
        formatter.write_str(&parts.join("."))
    }
}

/// The masks of columns, by their names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MaskFile {
    /// What a person has decided of each.
    pub columns: BTreeMap<ColumnName, MaskKind>,
}

/// A file that is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what}")]
pub struct MaskFileError {
    /// Which line, counted from 1.
    pub line: usize,
    /// What is wrong with it.
    pub what: String,
}

impl MaskFile {
    /// Reads a file.
    ///
    /// # Errors
    /// See [`MaskFileError`].
    pub fn parse(text: &str) -> Result<Self, MaskFileError> {
        let mut file = Self::default();
        for (place, line) in text.lines().enumerate() {
            let fault = |what: String| MaskFileError {
                line: place + 1,
                what,
            };
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (column, kind) = entry(line).map_err(fault)?;
            if file.columns.contains_key(&column) {
                return Err(fault(format!("{column} is named twice")));
            }
            file.columns.insert(column, kind);
        }
        Ok(file)
    }
}

fn entry(line: &str) -> Result<(ColumnName, MaskKind), String> {
    const FORM: &str = "a mask must be written as public.profiles.email = \"email\"";
    let form = || FORM.to_owned();
    let (schema, rest) = part(line).ok_or_else(form)?;
    let (name, rest) = rest.strip_prefix('.').and_then(part).ok_or_else(form)?;
    let (column, rest) = rest.strip_prefix('.').and_then(part).ok_or_else(form)?;
    let value = rest.trim_start().strip_prefix('=').ok_or_else(form)?;
    let (word, after) = string(value.trim_start()).ok_or_else(form)?;
    let after = after.trim_start();
    if !after.is_empty() && !after.starts_with('#') {
        return Err(form());
    }
    let kind = MaskKind::parse(&word).ok_or_else(|| {
        format!(
            "a mask must be keep, null, hash, email, name, phone, text, date or fixed:VALUE, got {word:?}"
        )
    })?;
    let table = Name { schema, name };
    Ok((ColumnName { table, column }, kind))
}

fn is_bare(part: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    !part.is_empty() && part.bytes().all(is_plain)
}

/// A part of a name, and what follows it.
fn part(text: &str) -> Option<(String, &str)> {
    if text.starts_with('"') {
        return string(text);
    }
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let (part, rest) = text.split_at(end.unwrap_or(text.len()));
    (!part.is_empty()).then(|| (part.to_owned(), rest))
}

/// A text in double quotes with JSON's escapes, and what follows it.
fn string(text: &str) -> Option<(String, &str)> {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<String>();
    let value = text.starts_with('"').then(|| values.next())??.ok()?;
    Some((value, text.get(values.byte_offset()..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_names_a_column_and_its_mask() {
        let text = "# who may read this\n\n\
            public.profiles.email = \"email\" # unique\n\
            \"odd schema\".\"a \\\"b\\\".c\".\"Größe\"=\"fixed:a # b\"\n";
        let file = MaskFile::parse(text).unwrap();
        let told: Vec<_> = file
            .columns
            .iter()
            .map(|(column, kind)| format!("{column} = {kind}"))
            .collect();
        assert_eq!(
            told,
            [
                r#""odd schema"."a \"b\".c"."Größe" = fixed:a # b"#,
                "public.profiles.email = email"
            ]
        );
    }

    #[test]
    fn a_wrong_line_is_told_with_its_number() {
        let form = "a mask must be written as public.profiles.email = \"email\"";
        for (line, what) in [
            ("public.profiles = \"email\"", form),
            ("public.profiles.email = email", form),
            ("public.profiles.email = \"email\" and", form),
            ("[public]", form),
            (
                "public.profiles.email = \"mail\"",
                "a mask must be keep, null, hash, email, name, phone, text, date or fixed:VALUE, got \"mail\"",
            ),
        ] {
            let wrong = MaskFile::parse(&format!("# one\n{line}\n")).unwrap_err();
            assert_eq!(wrong.to_string(), format!("line 2: {what}"), "{line}");
        }
        let twice = "a.b.c = \"keep\"\na.b.c = \"null\"";
        let twice = MaskFile::parse(twice).unwrap_err();
        assert_eq!(twice.to_string(), "line 2: a.b.c is named twice");
    }
}
