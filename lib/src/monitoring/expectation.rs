//! What an answer has to be. Pure.

use std::collections::BTreeMap;

use http::HeaderMap;
use regex::{Regex, RegexBuilder};
use serde::Deserialize;
use serde_json::{Map, Number, Value};

/// How large a pattern may become once it is compiled, in bytes: what it costs to
/// search an answer grows with this.
const PATTERN_LIMIT: usize = 1024 * 1024;

/// How much of an expectation a message repeats, in characters.
const REPEATED: usize = 100;

/// What counts as up.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Expectation {
    /// Statuses that count as up; none named means any 2xx.
    status: Statuses,
    /// A text that the answer has to contain.
    contains: Option<String>,
    /// A text that it must not contain.
    not_contains: Option<String>,
    /// A regular expression that has to be found in it.
    matches: Option<String>,
    /// One that must not be found.
    not_matches: Option<String>,
    /// What its headers have to be, by name.
    answer_headers: BTreeMap<String, ExpectedHeader>,
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

/// What a header has to be.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(untagged)]
enum ExpectedHeader {
    /// It has to be there, or must not be.
    Present(bool),
    /// It has to be just that.
    Equals(String),
    /// A regular expression that has to be found in it.
    Matches { matches: String },
}

/// What an answer lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unmet {
    /// A stable word: `text`, `unwanted`, `header`, `json`, `pattern`.
    pub reason: &'static str,
    /// Which of the expectations it was, where the word alone does not tell.
    pub which: Option<String>,
}

impl Unmet {
    fn of(reason: &'static str, which: &str) -> Self {
        Self {
            reason,
            which: Some(which.chars().take(REPEATED).collect()),
        }
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
        let Self {
            status: _,
            answer_headers: _,
            contains,
            not_contains,
            matches,
            not_matches,
            json,
        } = self;
        let texts = [contains, not_contains, matches, not_matches];
        texts.iter().any(|text| text.is_some()) || !json.is_empty()
    }

    /// Refuses a pattern that cannot be read.
    ///
    /// # Errors
    /// The first such pattern.
    pub fn check_patterns(&self) -> Result<(), Unmet> {
        let headers = self.answer_headers.values();
        let of_headers = headers.filter_map(|expected| match expected {
            ExpectedHeader::Matches { matches } => Some(matches),
            ExpectedHeader::Present(_) | ExpectedHeader::Equals(_) => None,
        });
        let of_body = [&self.matches, &self.not_matches].into_iter().flatten();
        of_body
            .chain(of_headers)
            .try_for_each(|pattern| compile(pattern).map(drop))
    }

    /// Judges the headers of an answer.
    ///
    /// # Errors
    /// The first that is not as it should be.
    pub fn judge_headers(&self, headers: &HeaderMap) -> Result<(), Unmet> {
        for (name, expected) in &self.answer_headers {
            let mut found = headers.get_all(name).iter();
            let met = match expected {
                ExpectedHeader::Present(present) => headers.contains_key(name) == *present,
                ExpectedHeader::Equals(text) => {
                    found.any(|value| value.as_bytes() == text.as_bytes())
                }
                ExpectedHeader::Matches { matches } => {
                    let pattern = compile(matches)?;
                    found.any(|value| pattern.is_match(&String::from_utf8_lossy(value.as_bytes())))
                }
            };
            if !met {
                return Err(Unmet::of("header", name));
            }
        }
        Ok(())
    }

    /// Judges a body.
    ///
    /// # Errors
    /// The first that it lacks, or has and must not have.
    pub fn judge(&self, body: &str) -> Result<(), Unmet> {
        for (text, wanted) in [(&self.contains, true), (&self.not_contains, false)] {
            let Some(text) = text else { continue };
            verdict(body.contains(text), wanted, text)?;
        }
        for (pattern, wanted) in [(&self.matches, true), (&self.not_matches, false)] {
            let Some(pattern) = pattern else { continue };
            verdict(compile(pattern)?.is_match(body), wanted, pattern)?;
        }
        if self.json.is_empty() {
            return Ok(());
        }
        let no_json = |_| Unmet {
            reason: "json",
            which: None,
        };
        let document: Value = serde_json::from_str(body).map_err(no_json)?;
        let unmet = self.json.iter().find(|(path, expected)| {
            !value_at(&document, path).is_some_and(|found| equal(found, expected))
        });
        unmet.map_or(Ok(()), |(path, _)| Err(Unmet::of("json", path)))
    }
}

fn verdict(found: bool, wanted: bool, which: &str) -> Result<(), Unmet> {
    match (found, wanted) {
        (true, true) | (false, false) => Ok(()),
        (false, true) => Err(Unmet::of("text", which)),
        (true, false) => Err(Unmet::of("unwanted", which)),
    }
}

/// A pattern, ready to search.
pub(super) fn compile(pattern: &str) -> Result<Regex, Unmet> {
    RegexBuilder::new(pattern)
        .size_limit(PATTERN_LIMIT)
        .dfa_size_limit(PATTERN_LIMIT)
        .build()
        .map_err(|error| Unmet::of("pattern", &last_line(&error)))
}

/// An error of a pattern draws it on several lines; the last one says what it is.
fn last_line(error: &regex::Error) -> String {
    let text = error.to_string();
    let last = text.lines().next_back().unwrap_or_default();
    last.trim_start_matches("error: ").to_owned()
}

/// The value at a path of the small subset that the database admits: `$`, then
/// `.name` and `[index]`.
pub(super) fn value_at<'a>(document: &'a Value, path: &str) -> Option<&'a Value> {
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
            (json!({"notContains": "oops"}), "it is ok", Ok(())),
            (json!({"notContains": "oops"}), "oops", Err("unwanted")),
            (json!({"matches": "^v[0-9]+$"}), "v12", Ok(())),
            (json!({"matches": "^v[0-9]+$"}), "v1.2", Err("text")),
            (json!({"matches": r"(?i)GRÜN\s\w"}), "grün w", Ok(())),
            (json!({"notMatches": "[0-9]{4}"}), "123", Ok(())),
            (json!({"notMatches": "[0-9]{4}"}), "1234", Err("unwanted")),
            (json!({"matches": "("}), "(", Err("pattern")),
            // Looking ahead would not be linear.
            (json!({"notMatches": "(?=x)"}), "x", Err("pattern")),
            (
                json!({"contains": "up", "json": {"$.a": 1}}),
                r#"{"a":1}"#,
                Err("text"),
            ),
        ];
        for (expected, body, verdict) in cases {
            let judged = expectation(expected.clone()).judge(body);
            let judged = judged.map_err(|unmet| unmet.reason);
            assert_eq!(judged, verdict, "{expected} {body}");
        }
    }

    #[test]
    fn headers_are_there_or_not_and_as_they_should_be() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("content-type", "text/html; charset=utf-8"),
            ("set-cookie", "a=1"),
            ("set-cookie", "b=2"),
        ] {
            headers.append(name, value.parse().unwrap());
        }
        for (expected, verdict) in [
            (json!({"Content-Type": true}), Ok(())),
            (json!({"content-type": false}), Err("header")),
            (json!({"x-powered-by": false}), Ok(())),
            (json!({"x-powered-by": true}), Err("header")),
            (json!({"content-type": "text/html; charset=utf-8"}), Ok(())),
            (json!({"content-type": "text/html"}), Err("header")),
            (json!({"content-type": {"matches": "^text/html"}}), Ok(())),
            (
                json!({"content-type": {"matches": "^text/plain"}}),
                Err("header"),
            ),
            (json!({"content-type": {"matches": "("}}), Err("pattern")),
            (json!({"set-cookie": "b=2"}), Ok(())),
            (json!({"set-cookie": "c=3"}), Err("header")),
        ] {
            let judged = expectation(json!({"answerHeaders": expected})).judge_headers(&headers);
            assert_eq!(judged.map_err(|unmet| unmet.reason), verdict, "{expected}");
        }
    }

    #[test]
    fn what_is_unmet_is_named_and_cut() {
        let long = "x".repeat(300);
        for (expected, which) in [
            (json!({"contains": long}), Some("x".repeat(100))),
            (json!({"notContains": "ok"}), Some("ok".into())),
            (json!({"json": {"$.a": 1, "$.b": 2}}), Some("$.b".into())),
            (json!({"matches": "a{99999}"}), Some("exceeds".into())),
        ] {
            let unmet = expectation(expected.clone())
                .judge(r#"{"a":1,"ok":0}"#)
                .unwrap_err();
            let said = unmet.which.as_deref().unwrap_or_default();
            assert!(
                said.contains(which.as_deref().unwrap_or_default()),
                "{expected}: {unmet:?}"
            );
        }
    }
}
