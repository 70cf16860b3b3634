//! Definitions in a file, and what applying it changes: the database works that out,
//! does it or not, and tells either way.

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::project::plain;
use terminal::failure::Misuse;

/// What is to be applied, and how.
#[derive(Debug, Args)]
pub(crate) struct Apply {
    /// The file, as `export` writes it
    file: PathBuf,
    /// Also removes what the file does not name
    #[arg(long)]
    pub(crate) remove: bool,
    /// Says what would change, and changes nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// What applying a file changes, or would change.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Plan {
    changes: Vec<Change>,
    /// What is there and the file does not name.
    unnamed: Vec<String>,
    dry_run: bool,
}

#[derive(Debug, Deserialize)]
struct Change {
    name: String,
    from: Option<Map<String, Value>>,
    to: Option<Map<String, Value>>,
}

/// The text of a file that holds these definitions under that key.
pub(crate) fn write(key: &str, definitions: &[Value]) -> String {
    format!("{:#}", json!({ key: definitions }))
}

impl Apply {
    /// The definitions that the file holds under that key.
    pub(crate) fn definitions(&self, key: &str) -> anyhow::Result<Vec<Value>> {
        let file = self.file.display();
        let text = std::fs::read_to_string(&self.file)
            .with_context(|| Misuse(format!("{file} cannot be read")))?;
        definitions(&text, key).map_err(|problem| Misuse(format!("{file}: {problem}")).into())
    }
}

fn definitions(text: &str, key: &str) -> Result<Vec<Value>, String> {
    let mut document: Map<String, Value> =
        serde_json::from_str(text).map_err(|error| error.to_string())?;
    match document.remove(key) {
        Some(Value::Array(definitions)) => Ok(definitions),
        _ => Err(format!("expected an object with an array `{key}`")),
    }
}

/// The plan that the database answered, for people.
pub(crate) fn describe(answered: &Value) -> anyhow::Result<String> {
    let plan = Plan::deserialize(answered).context("the database may be newer than this build")?;
    let mut lines: Vec<_> = plan.changes.iter().map(Change::line).collect();
    lines.push(plan.summary());
    if !plan.unnamed.is_empty() {
        lines.push(format!(
            "kept, though the file does not name them (--remove removes them): {}",
            plan.unnamed.join(", ")
        ));
    }
    Ok(lines.join("\n"))
}

impl Plan {
    fn summary(&self) -> String {
        let count = |is: fn(&Change) -> bool| self.changes.iter().filter(|one| is(one)).count();
        let added = count(|change| change.from.is_none());
        let removed = count(|change| change.to.is_none());
        let changed = self.changes.len() - added - removed;
        let done = if self.dry_run { "would be" } else { "were" };
        format!("{added} {done} added, {changed} changed, {removed} removed")
    }
}

impl Change {
    fn line(&self) -> String {
        let name = &self.name;
        match (&self.from, &self.to) {
            (None, Some(to)) => format!("+ {name}: {}", all(to)),
            (Some(from), Some(to)) => format!("~ {name}: {}", differences(from, to)),
            (_, None) => format!("- {name}"),
        }
    }
}

fn all(fields: &Map<String, Value>) -> String {
    let fields = fields.iter().filter(|(field, _)| *field != "name");
    let fields: Vec<_> = fields
        .map(|(field, value)| format!("{field}={}", plain(value)))
        .collect();
    fields.join(" ")
}

fn differences(from: &Map<String, Value>, to: &Map<String, Value>) -> String {
    let gone = from.keys().filter(|field| !to.contains_key(*field));
    let shown = |value: Option<&Value>| value.map_or_else(|| "nothing".to_owned(), plain);
    let differences: Vec<_> = to
        .keys()
        .chain(gone)
        .filter(|field| from.get(*field) != to.get(*field))
        .map(|field| {
            format!(
                "{field} {} → {}",
                shown(from.get(field)),
                shown(to.get(field))
            )
        })
        .collect();
    differences.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read_back() {
        let checks = vec![json!({"name": "a", "kind": "dns", "host": "a.example"})];
        assert_eq!(definitions(&write("checks", &checks), "checks"), Ok(checks));
        for wrong in ["[]", "{}", r#"{"checks": {}}"#, "{"] {
            assert!(definitions(wrong, "checks").is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_plan_says_what_changes_into_what_and_what_is_kept() {
        let plan = json!({
            "dryRun": true, "unnamed": ["old", "older"], "changes": [
                {"name": "a", "change": "added", "from": null, "to": {"name": "a", "kind": "tcp", "port": 25}},
                {"name": "b", "change": "edited",
                 "from": {"name": "b", "everySeconds": 60, "contains": "x"},
                 "to": {"name": "b", "everySeconds": 300, "tags": ["shop"]}},
                {"name": "c", "change": "removed", "from": {"name": "c"}, "to": null},
            ],
        });
        assert_eq!(
            describe(&plan).unwrap(),
            "+ a: kind=tcp port=25\n\
             ~ b: everySeconds 60 → 300, tags nothing → [\"shop\"], contains x → nothing\n\
             - c\n\
             1 would be added, 1 changed, 1 removed\n\
             kept, though the file does not name them (--remove removes them): old, older"
        );
    }
}
