//! What an answer has to be. Pure.

use serde::Deserialize;
use serde_json::{Map, Number, Value};

/// What counts as up.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default)]
pub struct Expectation {
    /// Statuses that count as up; none named means any 2xx.
    status: Statuses,
    /// A text that the answer has to contain.
    contains: Option<String>,
    /// Values that the answer has to have, by path: `$.a.b[0]`.
    json: Map<String, Value>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(untagged)]
enum Statuses {
    One(u16),
    Several(Vec<u16>),
}

impl Default for Statuses {
    fn default() -> Self {
        Self::Several(Vec::new())
    }
}

impl Expectation {
    /// Whether a status counts as up.
    #[must_use]
    pub fn admits(&self, status: u16) -> bool {
        match &self.status {
            Statuses::One(expected) => *expected == status,
            Statuses::Several(expected) if expected.is_empty() => (200..300).contains(&status),
            Statuses::Several(expected) => expected.contains(&status),
        }
    }

    /// Whether anything is expected of the body.
    #[must_use]
    pub fn needs_body(&self) -> bool {
        self.contains.is_some() || !self.json.is_empty()
    }

    /// Judges a body.
    ///
    /// # Errors
    /// The stable word for what is missing: `text` or `json`.
    pub fn judge(&self, body: &str) -> Result<(), &'static str> {
        if let Some(text) = &self.contains
            && !body.contains(text)
        {
            return Err("text");
        }
        if self.json.is_empty() {
            return Ok(());
        }
        let document: Value = serde_json::from_str(body).map_err(|_| "json")?;
        let met = self.json.iter().all(|(path, expected)| {
            value_at(&document, path).is_some_and(|found| equal(found, expected))
        });
        if met { Ok(()) } else { Err("json") }
    }
}

/// The value at a path of the small subset that the database admits: `$`, then
/// `.name` and `[index]`.
fn value_at<'a>(document: &'a Value, path: &str) -> Option<&'a Value> {
    let steps = path.strip_prefix('$')?.replace('[', ".[");
    steps
        .split('.')
        .skip(1)
        .try_fold(document, |value, step| match step.strip_prefix('[') {
            Some(index) => value.get(index.strip_suffix(']')?.parse::<usize>().ok()?),
            None => value.get(step),
        })
}

/// Equality as people mean it: 1 and 1.0 are one number, and whole numbers are
/// compared to the last digit. The database admits no number that would be rounded
/// on its way here.
fn equal(found: &Value, expected: &Value) -> bool {
    match (found, expected) {
        (Value::Number(found), Value::Number(expected)) => match (whole(found), whole(expected)) {
            (Some(found), Some(expected)) => found == expected,
            (None, None) => found.as_f64() == expected.as_f64(),
            (Some(_), None) | (None, Some(_)) => false,
        },
        _ => found == expected,
    }
}

/// A number as a whole one, if it is that and not rounded.
fn whole(number: &Number) -> Option<i128> {
    let float = || number.as_f64().filter(|float| float.fract() == 0.0);
    number
        .as_i128()
        .or_else(|| format!("{:.0}", float()?).parse().ok())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn expectation(value: Value) -> Expectation {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn a_status_counts_if_it_is_named_or_any_success_if_none_is() {
        for (status, admitted, refused) in [
            (
                json!({}),
                [200, 204, 299].as_slice(),
                [199, 301, 404, 500].as_slice(),
            ),
            (json!({ "status": 404 }), &[404], &[200, 500]),
            (json!({ "status": [200, 401] }), &[200, 401], &[201, 403]),
        ] {
            let expectation = expectation(status);
            assert!(admitted.iter().all(|status| expectation.admits(*status)));
            assert!(!refused.iter().any(|status| expectation.admits(*status)));
        }
    }

    #[test]
    fn a_path_leads_to_a_value_or_nowhere() {
        let document = json!({"a": {"b": [{"c-d": 1}, null]}, "": 2, "[0]": 3});
        for (path, found) in [
            ("$", Some(&document)),
            ("$.a.b[0].c-d", Some(&json!(1))),
            ("$.a.b[1]", Some(&Value::Null)),
            ("$.a.b[2]", None),
            ("$.a.b.c", None),
            ("$.a[0]", None),
            ("$.x", None),
            ("a", None),
        ] {
            assert_eq!(value_at(&document, path), found, "{path}");
        }
        assert_eq!(value_at(&json!([[7]]), "$[0][0]"), Some(&json!(7)));
    }

    #[test]
    fn a_body_is_judged_by_text_and_values() {
        let cases = [
            (json!({}), "anything", Ok(())),
            (json!({"contains": "ok"}), "it is ok", Ok(())),
            (json!({"contains": "ok"}), "it is not", Err("text")),
            (
                json!({"json": {"$.status": "up"}}),
                r#"{"status":"up"}"#,
                Ok(()),
            ),
            (
                json!({"json": {"$.status": "up"}}),
                r#"{"status":"down"}"#,
                Err("json"),
            ),
            (json!({"json": {"$.status": "up"}}), "{}", Err("json")),
            (json!({"json": {"$.status": "up"}}), "<html>", Err("json")),
            (json!({"json": {"$.n": 1}}), r#"{"n":1.0}"#, Ok(())),
            (json!({"json": {"$.n": 1}}), r#"{"n":"1"}"#, Err("json")),
            (json!({"json": {"$.n": 1}}), r#"{"n":1.5}"#, Err("json")),
            (json!({"json": {"$.n": 1000}}), r#"{"n":1e3}"#, Ok(())),
            (json!({"json": {"$.n": 0.1}}), r#"{"n":0.1}"#, Ok(())),
            // Neighbours that are one number once they are rounded.
            (
                json!({"json": {"$.n": 9_007_199_254_740_993_u64}}),
                r#"{"n":9007199254740993}"#,
                Ok(()),
            ),
            (
                json!({"json": {"$.n": 9_007_199_254_740_993_u64}}),
                r#"{"n":9007199254740992}"#,
                Err("json"),
            ),
            (
                json!({"json": {"$.n": u64::MAX}}),
                r#"{"n":18446744073709551616}"#,
                Err("json"),
            ),
            (
                json!({"json": {"$.n": i64::MIN}}),
                r#"{"n":-9223372036854775807}"#,
                Err("json"),
            ),
            (json!({"json": {"$.n": null}}), r#"{"n":null}"#, Ok(())),
            (json!({"json": {"$.n": null}}), "{}", Err("json")),
            (
                json!({"json": {"$[0]": true, "$[1]": false}}),
                "[true,false]",
                Ok(()),
            ),
            (
                json!({"json": {"$[0]": true, "$[1]": false}}),
                "[true,true]",
                Err("json"),
            ),
            (
                json!({"contains": "up", "json": {"$.a": 1}}),
                r#"{"a":1}"#,
                Err("text"),
            ),
        ];
        for (expected, body, verdict) in cases {
            let judged = expectation(expected.clone()).judge(body);
            assert_eq!(judged, verdict, "{expected} {body}");
        }
    }
}
