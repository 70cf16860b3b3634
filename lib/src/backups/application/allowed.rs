//! What of a platform's document is kept: the fields that are named, and no others. A field
//! that a platform adds tomorrow may hold a secret.

use serde_json::{Map, Value};

/// What of a document the named fields come to. A field is a path of names with dots between,
/// in which `*` stands for any letters; lists are passed through, and what is named has to be a
/// plain value or a list of such.
pub(super) fn select(document: &Value, fields: &[&str]) -> Value {
    let paths: Vec<Vec<&str>> = fields
        .iter()
        .map(|field| field.split('.').collect())
        .collect();
    let paths: Vec<&[&str]> = paths.iter().map(Vec::as_slice).collect();
    chosen(document, &paths).unwrap_or(Value::Null)
}

fn chosen(value: &Value, paths: &[&[&str]]) -> Option<Value> {
    if paths.iter().any(|path| path.is_empty()) {
        return is_plain(value).then(|| value.clone());
    }
    match value {
        Value::Array(elements) => {
            let kept = elements.iter().filter_map(|element| chosen(element, paths));
            Some(Value::Array(kept.collect()))
        }
        Value::Object(members) => {
            let kept: Map<String, Value> = members
                .iter()
                .filter_map(|(name, member)| {
                    let below: Vec<&[&str]> = paths
                        .iter()
                        .filter_map(|path| {
                            let (first, rest) = path.split_first()?;
                            matches(first, name).then_some(rest)
                        })
                        .collect();
                    let member = (!below.is_empty()).then(|| chosen(member, &below))?;
                    Some((name.clone(), member?))
                })
                .collect();
            Some(Value::Object(kept))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    }
}

fn is_plain(value: &Value) -> bool {
    match value {
        Value::Object(_) => false,
        Value::Array(elements) => elements
            .iter()
            .all(|element| !element.is_object() && !element.is_array()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => true,
    }
}

/// Whether a name is what a pattern says; `*` stands for any letters.
fn matches(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = name.strip_prefix(first) else {
        return false;
    };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else {
        return rest.is_empty();
    };
    for part in parts {
        let Some(at) = rest.find(part) else {
            return false;
        };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_not_named_is_not_kept() {
        let document = json!({
            "name": "pourtrait",
            "link": {"repo": "wine", "token": "hidden"},
            "envs": [{"key": "A", "value": "hidden", "target": ["production"]}, {"value": "hidden"}],
            "external_apple_enabled": true,
            "external_apple_secret": "hidden",
            "whole": {"secret": "hidden"},
        });
        let fields = [
            "name",
            "link.repo",
            "envs.key",
            "envs.target",
            "external_*_enabled",
            "whole",
        ];
        assert_eq!(
            select(&document, &fields),
            json!({
                "name": "pourtrait",
                "link": {"repo": "wine"},
                "envs": [{"key": "A", "target": ["production"]}, {}],
                "external_apple_enabled": true,
            })
        );
        assert_eq!(select(&json!("text"), &fields), Value::Null);
    }

    #[test]
    fn a_star_is_any_letters() {
        for (pattern, name, same) in [
            ("a", "a", true),
            ("a", "ab", false),
            ("a*", "a", true),
            ("*_enabled", "x_enabled", true),
            ("external_*_enabled", "external_enabled", false),
            ("a*b*c", "a-b-c", true),
            ("a*b*c", "a-c-b", false),
        ] {
            assert_eq!(matches(pattern, name), same, "{pattern} {name}");
        }
    }
}
