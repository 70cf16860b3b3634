//! Advisories of the dependencies, as cargo-deny found them in the committed `Cargo.lock`. It
//! is not run here: whoever runs it hands in what it wrote, and nothing is claimed without that.

use serde::Serialize;
use serde_json::{Deserializer, Value};

/// What cargo-deny found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Dependencies {
    /// Advisories of packages that are used, in the order of their ids.
    pub advisories: Vec<Advisory>,
}

/// An advisory of a package.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Advisory {
    /// `RUSTSEC-2026-0001`.
    pub id: String,
    /// Of which package.
    pub package: String,
    /// `error`, `warning`, `note` or `help`, as `deny.toml` judges it.
    pub severity: String,
    /// What it is about.
    pub title: String,
}

/// Reads what `cargo deny --format json check advisories` writes to standard error: a document
/// of JSON for each finding, and one that sums them up, without which it did not come to its
/// end.
///
/// # Errors
/// Why nothing is known by that.
pub fn read(text: &str) -> Result<Dependencies, String> {
    let documents: Vec<Value> = Deserializer::from_str(text)
        .into_iter::<Value>()
        .collect::<Result<_, _>>()
        .map_err(|_| "it is not what `cargo deny --format json check advisories` writes")?;
    let summed = documents.iter().find(|one| one["type"] == "summary");
    let summed = summed.map(|one| &one["fields"]["advisories"]);
    let Some(summed) = summed.filter(|summed| summed.is_object()) else {
        return Err("its summary says nothing of advisories: cargo-deny did not end".to_owned());
    };
    let mut advisories: Vec<_> = documents.iter().filter_map(advisory).collect();
    advisories.sort();
    advisories.dedup();
    let errors = summed["errors"].as_u64().unwrap_or_default();
    if errors > 0 && advisories.is_empty() {
        return Err(format!("it counts {errors} errors and names none of them"));
    }
    Ok(Dependencies { advisories })
}

fn advisory(document: &Value) -> Option<Advisory> {
    let fields = &document["fields"];
    let advisory = &fields["advisory"];
    let text = |value: &Value| value.as_str().map(str::to_owned);
    Some(Advisory {
        id: text(&advisory["id"])?,
        package: text(&advisory["package"])?,
        severity: text(&fields["severity"]).unwrap_or_else(|| "unknown".to_owned()),
        title: text(&advisory["title"]).unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SUMMARY: &str = r#"{"type":"summary","fields":{"advisories":{"errors":1,"helps":0,"notes":0,"warnings":0}}}"#;

    #[test]
    fn advisories_are_read_from_what_cargo_deny_writes() {
        let found = r#"{"type":"diagnostic","fields":{"severity":"error","code":"vulnerability","message":"x",
            "advisory":{"id":"RUSTSEC-2026-0007","package":"wine","title":"a leak"},"graphs":[]}}"#;
        let log = r#"{"type":"log","fields":{"level":"WARN","message":"x"}}"#;
        let read = read(&format!("{log}\n{found}\n{found}\n{SUMMARY}")).unwrap();
        let advisory = &read.advisories[0];
        assert_eq!(read.advisories.len(), 1);
        assert_eq!(
            [
                &advisory.id,
                &advisory.package,
                &advisory.severity,
                &advisory.title
            ],
            ["RUSTSEC-2026-0007", "wine", "error", "a leak"]
        );
    }

    #[test]
    fn nothing_is_claimed_without_a_summary() {
        let good = SUMMARY.replace("\"errors\":1", "\"errors\":0");
        assert_eq!(read(&good).unwrap().advisories, []);
        for text in [
            "",
            "{}",
            "not json",
            SUMMARY,
            r#"{"type":"summary","fields":{"bans":{}}}"#,
        ] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
