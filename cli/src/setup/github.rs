//! What the workflows of the repository are given: secrets, sealed, and variables.
//!
//! GitHub shows no secret again. Which value each has is kept as fingerprints in one
//! variable beside them, by which a second run finds nothing to do.

use std::collections::BTreeMap;

use anyhow::anyhow;
use ops::{
    config::Fingerprinter,
    platforms::{api::ApiError, github::GitHub},
};

use super::{
    book::Book,
    placement::{GITHUB_SECRETS, GITHUB_VARIABLES, portable},
    sealed_box::seal,
};

/// The variable with the fingerprints.
const FINGERPRINTS: &str = "POURTRAIT_FINGERPRINTS";

/// What is to be done.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Changes {
    /// Secrets to be set, with their values.
    pub(super) secrets: BTreeMap<&'static str, String>,
    /// Variables to be made.
    pub(super) made: BTreeMap<String, String>,
    /// Variables to be changed.
    pub(super) changed: BTreeMap<String, String>,
}

impl Changes {
    /// The names of all that is set, without the fingerprints.
    pub(super) fn names(&self) -> Vec<&str> {
        let variables = self.made.keys().chain(self.changed.keys());
        let variables = variables.map(String::as_str);
        self.secrets
            .keys()
            .copied()
            .chain(variables)
            .filter(|name| *name != FINGERPRINTS)
            .collect()
    }
}

/// What the repository lacks of what is known.
pub(super) async fn changes(
    github: &GitHub,
    book: &Book,
    fingerprinter: &Fingerprinter,
) -> anyhow::Result<Changes> {
    let names = github.secret_names().await;
    let names = names.map_err(|error| told(&error, "list the secrets"))?;
    let variables = github.variables().await;
    let variables = variables.map_err(|error| told(&error, "list the variables"))?;
    plan(book, fingerprinter, &names, &variables).map_err(|reason| anyhow!(reason))
}

fn plan(
    book: &Book,
    fingerprinter: &Fingerprinter,
    secrets: &[String],
    variables: &BTreeMap<String, String>,
) -> Result<Changes, String> {
    let known: BTreeMap<String, String> = variables
        .get(FINGERPRINTS)
        .and_then(|text| serde_json::from_str(text).ok())
        .unwrap_or_default();
    let mut changes = Changes::default();
    let mut fingerprints = BTreeMap::new();
    for (name, here) in GITHUB_SECRETS {
        let Some(value) = first(book, here) else {
            continue;
        };
        let value = portable(name, value)?;
        let fingerprint = fingerprinter.of(name, &value);
        let is_there = secrets.iter().any(|there| there.eq_ignore_ascii_case(name));
        if !is_there || known.get(name) != Some(&fingerprint) {
            changes.secrets.insert(name, value);
        }
        fingerprints.insert(name, fingerprint);
    }
    let mut wanted = BTreeMap::new();
    for (name, here) in GITHUB_VARIABLES {
        if let Some(value) = first(book, here) {
            wanted.insert(name.to_owned(), portable(name, value)?);
        }
    }
    if !fingerprints.is_empty() {
        let text = serde_json::to_string(&fingerprints).map_err(|error| error.to_string())?;
        wanted.insert(FINGERPRINTS.to_owned(), text);
    }
    for (name, value) in wanted {
        match variables.get(&name) {
            None => changes.made.insert(name, value),
            Some(there) if *there != value => changes.changed.insert(name, value),
            Some(_) => None,
        };
    }
    Ok(changes)
}

fn first<'a>(book: &'a Book, names: &[&str]) -> Option<&'a str> {
    names.iter().find_map(|name| book.get(name))
}

/// Makes the changes; the fingerprints come last, so that a run that is cut off sets again
/// what it may have set.
pub(super) async fn apply(github: &GitHub, changes: &Changes) -> anyhow::Result<()> {
    if !changes.secrets.is_empty() {
        let key = github.sealing_key().await;
        let key = key.map_err(|error| told(&error, "read the key for secrets"))?;
        for (name, value) in &changes.secrets {
            let sealed = seal(&key.key, value)?;
            let set = github.set_secret(name, &sealed, &key.id).await;
            set.map_err(|error| told(&error, &format!("set the secret {name}")))?;
        }
    }
    let is_last = |name: &str| name == FINGERPRINTS;
    let variables = || {
        let made = changes.made.iter().map(|pair| (pair, true));
        let others = changes.changed.iter().map(|pair| (pair, false));
        made.chain(others)
    };
    let first = variables().filter(|((name, _), _)| !is_last(name));
    let last = variables().filter(|((name, _), _)| is_last(name));
    for ((name, value), is_new) in first.chain(last) {
        let set = if is_new {
            github.create_variable(name, value).await
        } else {
            github.change_variable(name, value).await
        };
        set.map_err(|error| told(&error, &format!("set the variable {name}")))?;
    }
    Ok(())
}

fn told(error: &ApiError, what: &str) -> anyhow::Error {
    let after = if error.is_uncertain() {
        "; whether it was done is not known, and running this again sets it again"
    } else {
        ""
    };
    anyhow!("cannot {what} on GitHub: {error}{after}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_new_or_other_is_set() {
        let fingerprinter = Fingerprinter::new(&"0123456789abcdef".into());
        let mut book = Book::default();
        book.put("MONITORING_API_KEY", "0123456789abcdef");
        book.put("BASE_URL", "https://ops.example");
        let first = plan(&book, &fingerprinter, &[], &BTreeMap::new()).unwrap();
        assert_eq!(first.names(), ["MONITORING_API_KEY", "BASE_URL"]);
        let secrets = ["MONITORING_API_KEY".to_owned()];
        let second = plan(&book, &fingerprinter, &secrets, &first.made).unwrap();
        assert_eq!(second, Changes::default());
        book.put("MONITORING_API_KEY", "0123456789abcdeF");
        let third = plan(&book, &fingerprinter, &secrets, &first.made).unwrap();
        assert_eq!(third.names(), ["MONITORING_API_KEY"]);
        // One that somebody removed is set again, whatever the fingerprints say.
        let gone = plan(&book, &fingerprinter, &[], &third.changed).unwrap();
        assert_eq!(gone.secrets.len(), 1);
    }
}
