//! From options to what is chosen of a backup.

use backup::{
    schema::Name,
    selection::{Chosen, Parts, Selection},
};

use super::arguments::Choice;
use terminal::{failure::Misuse, output};

impl Choice {
    /// What was chosen.
    pub(super) fn selection(&self) -> Result<Selection, Misuse> {
        Ok(Selection {
            parts: if self.schema_only {
                Parts::Schema
            } else {
                Parts::All
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

/// Tables, each with its schema.
fn names(option: &str, texts: &[String]) -> Result<Vec<Name>, Misuse> {
    let name = |text: &String| match text.split_once('.') {
        Some((schema, name)) if !schema.is_empty() && !name.is_empty() => Ok(Name {
            schema: schema.to_owned(),
            name: name.to_owned(),
        }),
        Some(_) | None => Err(Misuse(format!(
            "a table must be named with its schema, such as public.orders, got {option} {text}"
        ))),
    };
    texts.iter().map(name).collect()
}
