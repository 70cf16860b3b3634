//! What the requests of one check hand on to each other: values that a check keeps of an
//! answer, and cookies. It ends with the probe; no sample and no message has any of it.

use std::{borrow::Cow, collections::BTreeMap};

use http::{HeaderMap, HeaderValue, header};
use regex::Regex;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use url::Url;

use super::Fault;
use crate::{
    config::CHECK_PREFIX,
    monitoring::{
        expectation::{compile, value_at},
        probe_targets::Keep,
    },
};

/// How long a value may be that is handed on, in bytes.
const LONGEST: usize = 16 * 1024;

/// How a value is written into a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Writing {
    /// As it is.
    Plain,
    /// Inside a text of JSON.
    Json,
    /// As a part of a URL or a form.
    Encoded,
}

/// Everything that a placeholder `${…}` may stand for.
#[derive(Debug)]
pub(super) struct Carried<'a> {
    variables: &'a BTreeMap<String, SecretString>,
    kept: BTreeMap<String, SecretString>,
    /// By host, then by name: a cookie goes back to the host that set it alone.
    cookies: BTreeMap<String, BTreeMap<String, SecretString>>,
}

impl<'a> Carried<'a> {
    pub(super) fn new(variables: &'a BTreeMap<String, SecretString>) -> Self {
        Self {
            variables,
            kept: BTreeMap::new(),
            cookies: BTreeMap::new(),
        }
    }

    /// A text with its placeholders filled in.
    ///
    /// # Errors
    /// `variable` where one stands for nothing.
    pub(super) fn fill(&self, text: &str, writing: Writing) -> Result<String, Fault> {
        self.replace(text, writing, |_| true)
    }

    /// The same for a text in which `${…}` may mean something to somebody else: only a
    /// variable has to be there.
    ///
    /// # Errors
    /// As [`Self::fill`].
    pub(super) fn fill_known(&self, text: &str, writing: Writing) -> Result<String, Fault> {
        self.replace(text, writing, |name| name.starts_with(CHECK_PREFIX))
    }

    fn replace(
        &self,
        text: &str,
        writing: Writing,
        is_needed: fn(&str) -> bool,
    ) -> Result<String, Fault> {
        let mut filled = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            filled.push_str(before);
            let (name, behind) = match after.split_once('}') {
                Some((name, behind)) => (name, Some(behind)),
                None => (after, None),
            };
            let value = self.variables.get(name).or_else(|| self.kept.get(name));
            match (value, behind) {
                (Some(value), Some(behind)) => {
                    filled.push_str(&written(value.expose_secret(), writing));
                    rest = behind;
                }
                _ if is_needed(name) => return Err(Fault::with("variable", name.to_owned())),
                // What looks like a placeholder may hold one.
                _ => {
                    filled.push_str("${");
                    rest = after;
                }
            }
        }
        filled.push_str(rest);
        Ok(filled)
    }

    /// Keeps what later requests ask for.
    ///
    /// # Errors
    /// `keep` where an answer has no such value.
    pub(super) fn keep(
        &mut self,
        wanted: &BTreeMap<String, Keep>,
        headers: &HeaderMap,
        text: &str,
    ) -> Result<(), Fault> {
        for (name, keep) in wanted {
            let value = match keep {
                Keep::Header { header } => headers
                    .get(header)
                    .and_then(|value| value.to_str().ok())
                    .map(str::to_owned),
                Keep::Matches { matches } => group(&compile(matches)?, text),
                Keep::Json { json } => single(text, json),
            };
            let value = value.filter(|value| value.len() <= LONGEST);
            let value = value.ok_or_else(|| Fault::with("keep", name.clone()))?;
            self.kept.insert(name.clone(), value.into());
        }
        Ok(())
    }

    /// Takes the cookies of an answer.
    pub(super) fn take_cookies(&mut self, url: &Url, headers: &HeaderMap) {
        let Some(host) = url.host_str() else { return };
        let kept = self.cookies.entry(host.to_owned()).or_default();
        for cookie in headers.get_all(header::SET_COOKIE) {
            let Ok(text) = cookie.to_str() else { continue };
            let (pair, attributes) = text.split_once(';').unwrap_or((text, ""));
            let Some((name, value)) = pair.split_once('=') else {
                continue;
            };
            if has_ended(attributes) {
                kept.remove(name.trim());
            } else {
                kept.insert(name.trim().to_owned(), value.trim().into());
            }
        }
    }

    /// The cookies that a host has set, as a header; none if it set none.
    pub(super) fn cookies(&self, url: &Url) -> Option<HeaderValue> {
        let kept = self.cookies.get(url.host_str()?)?;
        let pairs: Vec<_> = kept
            .iter()
            .map(|(name, value)| format!("{name}={}", value.expose_secret()))
            .collect();
        let mut value = HeaderValue::try_from(pairs.join("; ")).ok()?;
        value.set_sensitive(true);
        (!pairs.is_empty()).then_some(value)
    }
}

/// Whether a cookie is set in order to be taken away.
fn has_ended(attributes: &str) -> bool {
    attributes.split(';').any(|attribute| {
        let attribute = attribute.trim().to_ascii_lowercase();
        let age = attribute.strip_prefix("max-age=");
        age.is_some_and(|age| age.starts_with('-') || age == "0")
    })
}

/// What a pattern finds: its first group, or all of it if it has none.
fn group(pattern: &Regex, text: &str) -> Option<String> {
    let found = pattern.captures(text)?;
    let found = found.get(1).or_else(|| found.get(0))?;
    Some(found.as_str().to_owned())
}

fn single(text: &str, path: &str) -> Option<String> {
    let document: Value = serde_json::from_str(text).ok()?;
    match value_at(&document, path)? {
        Value::String(text) => Some(text.clone()),
        number @ (Value::Number(_) | Value::Bool(_)) => Some(number.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

fn written(value: &str, writing: Writing) -> Cow<'_, str> {
    match writing {
        Writing::Plain => value.into(),
        Writing::Json => {
            let quoted = Value::from(value).to_string();
            quoted[1..quoted.len() - 1].to_owned().into()
        }
        Writing::Encoded => url::form_urlencoded::byte_serialize(value.as_bytes())
            .collect::<String>()
            // In a path a plus is a plus.
            .replace('+', "%20")
            .into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(cookies: &[&str]) -> HeaderMap {
        let cookies = cookies.iter();
        cookies
            .map(|cookie| (header::SET_COOKIE, cookie.parse().unwrap()))
            .fold(HeaderMap::new(), |mut all, (name, value)| {
                all.append(name, value);
                all
            })
    }

    #[test]
    fn a_placeholder_is_written_as_its_place_needs_it() {
        let variables = [("CHECK_A".to_owned(), "a \"b\"+&c".into())].into();
        let carried = Carried::new(&variables);
        for (writing, filled) in [
            (Writing::Plain, "<a \"b\"+&c>"),
            (Writing::Json, "<a \\\"b\\\"+&c>"),
            (Writing::Encoded, "<a%20%22b%22%2B%26c>"),
        ] {
            assert_eq!(carried.fill("<${CHECK_A}>", writing).unwrap(), filled);
        }
        for text in ["${CHECK_B}", "${CHECK_A", "${token}"] {
            assert_eq!(
                carried.fill(text, Writing::Plain).unwrap_err().reason,
                "variable"
            );
        }
        // Somebody else's templates are left alone.
        let foreign = "${user} ${ ${CHECK_A}";
        let filled = carried.fill_known(foreign, Writing::Encoded).unwrap();
        assert_eq!(filled, "${user} ${ a%20%22b%22%2B%26c");
        assert!(carried.fill_known("${CHECK_B}", Writing::Plain).is_err());
    }

    #[test]
    fn values_are_kept_from_a_body_and_a_header() {
        let variables = BTreeMap::new();
        let mut carried = Carried::new(&variables);
        let wanted: BTreeMap<String, Keep> = serde_json::from_value(serde_json::json!({
            "token": {"json": "$.a.token"}, "id": {"json": "$.id"},
            "csrf": {"matches": "csrf=(\\w+)"}, "etag": {"header": "etag"},
        }))
        .unwrap();
        let mut headers = HeaderMap::new();
        headers.insert("etag", "x".parse().unwrap());
        let text = r#"{"a": {"token": "t"}, "id": 7, "b": "csrf=y"}"#;
        carried.keep(&wanted, &headers, text).unwrap();
        let filled = carried.fill("${token} ${id} ${csrf} ${etag}", Writing::Plain);
        assert_eq!(filled.unwrap(), "t 7 y x");
        for text in ["", "{}", r#"{"a": {"token": {}}, "id": 7, "b": "csrf=y"}"#] {
            let fault = carried.keep(&wanted, &headers, text).unwrap_err();
            assert_eq!(fault.reason, "keep", "{text}");
        }
    }

    #[test]
    fn cookies_go_back_to_the_host_that_set_them_until_it_takes_them_away() {
        let variables = BTreeMap::new();
        let mut carried = Carried::new(&variables);
        let here: Url = "https://wine.example/a".parse().unwrap();
        let there: Url = "https://shop.wine.example/".parse().unwrap();
        let set = headers(&["a=1; Path=/; HttpOnly", "b=2; Max-Age=60", "nonsense"]);
        carried.take_cookies(&here, &set);
        assert_eq!(carried.cookies(&here).unwrap(), "a=1; b=2");
        assert_eq!(carried.cookies(&there), None);
        carried.take_cookies(&here, &headers(&["a=; Max-Age=0", "b=3; max-age=-1"]));
        assert_eq!(carried.cookies(&here), None);
    }
}
