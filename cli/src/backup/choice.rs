//! From options to the backup that is meant, and to what is chosen of it.

use backup::{
    format::Snapshot,
    schema::Name,
    selection::{Chosen, Parts, Selection},
};

use super::{
    arguments::{Choice, Moment},
    repository::Repository,
};
use terminal::{failure::Misuse, output};

impl Moment {
    /// The backup that was meant: the newest before a time, or else the one that was named.
    pub(super) async fn find(
        &self,
        repository: &Repository,
        named: &str,
    ) -> anyhow::Result<Snapshot> {
        match self.before {
            Some(time) => repository.find_before(time).await,
            None => repository.find(named).await,
        }
    }
}

impl Choice {
    /// What was chosen, of all or of rows alone.
    pub(super) fn selection(&self, data_only: bool) -> Result<Selection, Misuse> {
        Ok(Selection {
            parts: match (self.schema_only, data_only) {
                (true, _) => Parts::Schema,
                (false, true) => Parts::Data,
                (false, false) => Parts::All,
            },
            schemas: self.schemas.clone(),
            tables: names("--table", &self.tables)?,
            exclude_tables: names("--exclude-table", &self.exclude_tables)?,
            skip: self.skip.clone(),
            rows_of: None,
            without_owners: self.no_owner,
            without_privileges: self.no_privileges,
        })
    }
}

/// Says what a selection leaves out of what somebody may expect.
pub(super) fn tell(chosen: &Chosen<'_>) {
    for left in &chosen.left_out {
        output::note(&format!("note: {} was left out: {}", left.what, left.why));
    }
    for table in &chosen.unfilled {
        output::note(&format!("note: {table} is made without its rows"));
    }
}

/// A selection in words, for whoever reads what is going to happen; `None` for everything.
pub(super) fn told(selection: &Selection) -> Option<String> {
    let named = |tables: &[Name]| tables.iter().map(ToString::to_string).collect::<Vec<_>>();
    let mut only = selection
        .schemas
        .iter()
        .map(|name| format!("schema {name}"));
    let only: Vec<_> = only.by_ref().chain(named(&selection.tables)).collect();
    let but = [named(&selection.exclude_tables), selection.skip.clone()].concat();
    let mut parts = Vec::new();
    match selection.parts {
        Parts::All => {}
        Parts::Schema => parts.push("objects without rows".to_owned()),
        Parts::Data => parts.push("rows into tables that are there".to_owned()),
    }
    if !only.is_empty() {
        parts.push(format!("of {} alone", only.join(", ")));
    }
    if !but.is_empty() {
        parts.push(format!("without {}", but.join(", ")));
    }
    if selection.without_owners {
        parts.push("without owners".to_owned());
    }
    if selection.without_privileges {
        parts.push("without privileges".to_owned());
    }
    (!parts.is_empty()).then(|| parts.join(", "))
}

/// The table that an option named, with its schema.
pub(super) fn named_table(option: &str, text: &str) -> Result<Name, Misuse> {
    table(text).ok_or_else(|| {
        Misuse(format!(
            "a table must be named with its schema, such as public.orders or \
             \"odd.schema\".\"Odd Table\", got {option} {text}"
        ))
    })
}

/// A column and a value that an option named.
pub(super) fn column_and_value(option: &str, text: &str) -> Result<(String, String), Misuse> {
    let pair = text
        .split_once('=')
        .filter(|(column, _)| !column.is_empty());
    let (column, value) = pair.ok_or_else(|| {
        Misuse(format!(
            "a column and a value must be given as id=7, got {option} {text}"
        ))
    })?;
    Ok((column.to_owned(), value.to_owned()))
}

/// The tables that an option named, each with its schema.
pub(super) fn names(option: &str, texts: &[String]) -> Result<Vec<Name>, Misuse> {
    texts.iter().map(|text| named_table(option, text)).collect()
}

/// Two identifiers with a dot between. Without quotes one is taken as it is written, for
/// that is how backups are listed.
fn table(text: &str) -> Option<Name> {
    let (schema, rest) = identifier(text)?;
    let (name, rest) = match rest.strip_prefix('.')? {
        quoted if quoted.starts_with('"') => identifier(quoted)?,
        plain => (plain.to_owned(), ""),
    };
    let whole = rest.is_empty() && !schema.is_empty() && !name.is_empty();
    whole.then_some(Name { schema, name })
}

/// The identifier that a text begins with, and what follows it.
fn identifier(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find('.').unwrap_or(text.len());
        return Some((text[..end].to_owned(), &text[end..]));
    };
    let mut name = String::new();
    let mut rest = quoted;
    loop {
        let (part, after) = rest.split_once('"')?;
        name += part;
        match after.strip_prefix('"') {
            Some(more) => {
                name.push('"');
                rest = more;
            }
            None => return Some((name, after)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_named_with_its_schema() {
        for (text, schema, name) in [
            ("public.orders", "public", "orders"),
            ("app.a.b", "app", "a.b"),
            ("Shop.Order Items", "Shop", "Order Items"),
            (r#""odd.schema"."a ""b"".c""#, "odd.schema", r#"a "b".c"#),
            (r#"public."Größe""#, "public", "Größe"),
        ] {
            let expected = Name {
                schema: schema.to_owned(),
                name: name.to_owned(),
            };
            assert_eq!(table(text), Some(expected), "{text}");
        }
        for wrong in [
            "orders",
            ".orders",
            "public.",
            r#""public.orders"#,
            r#""a"b.c"#,
            r#"a."b"c"#,
        ] {
            assert_eq!(table(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn choices_are_told_in_words() {
        assert_eq!(told(&Selection::default()), None);
        let chosen = Selection {
            parts: Parts::Schema,
            schemas: vec!["app".into()],
            tables: names("--table", &["public.wines".into()]).unwrap(),
            skip: vec!["index app.slow".into()],
            without_owners: true,
            ..Selection::default()
        };
        assert_eq!(
            told(&chosen).unwrap(),
            "objects without rows, of schema app, \"public\".\"wines\" alone, \
             without index app.slow, without owners"
        );
    }
}
