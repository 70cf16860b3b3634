//! What changed from one archive to the next, without anybody who can open them: each value is
//! kept as a keyed hash beside where it stands.

use std::collections::BTreeMap;

use backup::keys::DedupeKey;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Each value of an archive, by where it stands: `vercel.project.nodeVersion`.
pub type Leaves = BTreeMap<String, String>;

/// What names an element of a list, in the order in which it is looked for.
const NAMES: [&str; 6] = ["key", "name", "slug", "path", "jobname", "id"];

/// How many digits of a hash tell two values apart.
const DIGITS: usize = 16;

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// Where.
    pub path: String,
    /// What became of it.
    pub change: Change,
}

/// What became of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Change {
    /// It was not there before.
    Added,
    /// It is another.
    Changed,
    /// It is not there any more.
    Removed,
}

/// The values of a document, each under `prefix` and the way to it.
pub(super) fn leaves(prefix: &str, document: &Value, key: &DedupeKey) -> Leaves {
    let mut found = Leaves::new();
    walk(prefix.to_owned(), document, key, &mut found);
    found
}

/// How `after` differs from `before`, in the order of the places.
#[must_use]
pub fn differences(before: &Leaves, after: &Leaves) -> Vec<Difference> {
    let mut found: Vec<_> = after
        .iter()
        .filter_map(|(path, hash)| {
            let change = match before.get(path) {
                None => Change::Added,
                Some(earlier) if earlier == hash => return None,
                Some(_) => Change::Changed,
            };
            Some((path, change))
        })
        .collect();
    let gone = before.keys().filter(|path| !after.contains_key(*path));
    found.extend(gone.map(|path| (path, Change::Removed)));
    found.sort_by_key(|(path, _)| *path);
    found
        .into_iter()
        .map(|(path, change)| Difference {
            path: path.clone(),
            change,
        })
        .collect()
}

fn walk(path: String, value: &Value, key: &DedupeKey, found: &mut Leaves) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                walk(format!("{path}.{name}"), member, key, found);
            }
        }
        Value::Array(elements) if elements.iter().any(Value::is_object) => {
            for (nth, element) in elements.iter().enumerate() {
                let name = called(element).unwrap_or_else(|| nth.to_string());
                walk(format!("{path}[{name}]"), element, key, found);
            }
        }
        plain => {
            // The place is part of it, so that equal values in two places do not show.
            let hash = key.name_of(format!("application\0{path}\0{plain}").as_bytes());
            found.insert(path, hash[..DIGITS].to_owned());
        }
    }
}

fn called(element: &Value) -> Option<String> {
    NAMES.into_iter().find_map(|name| match element.get(name)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use backup::keys;
    use serde_json::json;
    use uuid::Uuid;

    use super::*;

    #[test]
    fn an_element_is_known_by_its_name_and_not_by_its_place() {
        let secret = keys::Secret::parse(&keys::generate().secret).unwrap();
        let key = secret.dedupe_key(Uuid::nil(), 0);
        let before = json!({"envs": [{"key": "A", "type": "plain"}, {"key": "B", "type": "plain"}], "node": "22.x"});
        let after = json!({"envs": [{"key": "C", "type": "plain"}, {"key": "A", "type": "sensitive"}], "node": "22.x"});
        let found = differences(&leaves("v", &before, &key), &leaves("v", &after, &key));
        let told: Vec<_> = found
            .iter()
            .map(|difference| (difference.path.as_str(), difference.change))
            .collect();
        assert_eq!(
            told,
            [
                ("v.envs[A].type", Change::Changed),
                ("v.envs[B].key", Change::Removed),
                ("v.envs[B].type", Change::Removed),
                ("v.envs[C].key", Change::Added),
                ("v.envs[C].type", Change::Added),
            ]
        );
    }
}
