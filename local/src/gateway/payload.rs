//! The body of a request: JSON, or a form.
//!
//! Its text goes to PostgreSQL as it is, so that no number is ever rounded;
//! only its keys are read here.

use std::{collections::BTreeSet, fmt};

use http::{HeaderMap, header::CONTENT_TYPE};
use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Value};
use url::form_urlencoded;

use super::error::{ApiError, Result};

/// A body, as JSON.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Payload {
    /// The body itself.
    pub(super) json: String,
    /// How it holds rows.
    pub(super) layout: Layout,
    /// The keys of the first row, sorted.
    pub(super) keys: BTreeSet<String>,
    /// Whether all rows are objects with the same keys.
    pub(super) uniform: bool,
}

/// Where the rows of a body are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Layout {
    /// The body is the one row.
    Object,
    /// The body is a list of rows, at least one.
    Array,
    /// There is none.
    Empty,
}

/// A form's fields, where one was sent.
pub(super) type Form = Vec<(String, String)>;

/// The forms that a body may have.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Body {
    Json(Payload),
    Form(Form),
}

impl Body {
    /// Reads a body by its content type. `empty` stands for a body of no bytes
    /// where that is allowed.
    pub(super) fn parse(headers: &HeaderMap, bytes: &[u8], empty: Option<&str>) -> Result<Self> {
        let content_type = headers
            .get(CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .unwrap_or("application/json");
        match content_type.split(';').next().unwrap_or_default().trim() {
            "application/x-www-form-urlencoded" => Ok(Self::Form(
                form_urlencoded::parse(bytes).into_owned().collect(),
            )),
            "application/json"
            | "application/vnd.pgrst.object+json"
            | "application/vnd.pgrst.array+json" => {
                let text = std::str::from_utf8(bytes).map_err(|_| invalid())?;
                let text = match empty {
                    Some(empty) if text.trim().is_empty() => empty,
                    _ => text,
                };
                Payload::parse(text).map(Self::Json)
            }
            _ => Err(ApiError::bad_request(
                "PGRST102",
                format!("Content-Type not acceptable: {content_type}"),
            )),
        }
    }

    /// The body as rows; a form is one row of texts.
    pub(super) fn into_payload(self) -> Result<Payload> {
        match self {
            Self::Json(payload) => Ok(payload),
            Self::Form(form) => {
                let object: Map<String, Value> = form
                    .into_iter()
                    .map(|(key, value)| (key, Value::String(value)))
                    .collect();
                Payload::parse(&Value::Object(object).to_string())
            }
        }
    }
}

impl Payload {
    fn parse(text: &str) -> Result<Self> {
        let text = text.trim();
        let (layout, rows) = if text.starts_with('[') {
            let rows: Vec<Row> = serde_json::from_str(text).map_err(|_| invalid())?;
            (Layout::Array, rows)
        } else {
            let row: Row = serde_json::from_str(text).map_err(|_| invalid())?;
            (
                Layout::Object,
                row.keys.is_some().then_some(row).into_iter().collect(),
            )
        };
        let first = rows.first().map(|row| row.keys.clone());
        let uniform = rows
            .iter()
            .all(|row| row.keys.is_some() && Some(&row.keys) == first.as_ref());
        Ok(Self {
            json: text.to_owned(),
            layout: if rows.is_empty() {
                Layout::Empty
            } else {
                layout
            },
            keys: first.flatten().unwrap_or_default(),
            uniform,
        })
    }
}

/// One element of a body.
struct Row {
    /// `None` for anything but an object.
    keys: Option<BTreeSet<String>>,
}

impl<'de> Deserialize<'de> for Row {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let keys = deserializer.deserialize_any(KeyCollector)?;
        Ok(Self { keys })
    }
}

/// Collects keys and passes over values, which PostgreSQL will read.
struct KeyCollector;

impl<'de> Visitor<'de> for KeyCollector {
    type Value = Option<BTreeSet<String>>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_map<A: MapAccess<'de>>(
        self,
        mut map: A,
    ) -> std::result::Result<Self::Value, A::Error> {
        let mut keys = BTreeSet::new();
        while let Some((key, IgnoredAny)) = map.next_entry()? {
            keys.insert(key);
        }
        Ok(Some(keys))
    }

    fn visit_seq<A: SeqAccess<'de>>(
        self,
        mut list: A,
    ) -> std::result::Result<Self::Value, A::Error> {
        while let Some(IgnoredAny) = list.next_element()? {}
        Ok(None)
    }

    fn visit_bool<E>(self, _: bool) -> std::result::Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_i64<E>(self, _: i64) -> std::result::Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_u64<E>(self, _: u64) -> std::result::Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_f64<E>(self, _: f64) -> std::result::Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_str<E>(self, _: &str) -> std::result::Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_unit<E>(self) -> std::result::Result<Self::Value, E> {
        Ok(None)
    }
}

fn invalid() -> ApiError {
    ApiError::bad_request("PGRST102", "Empty or invalid json")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(content_type: &str, body: &str) -> Result<Payload> {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, content_type.parse().unwrap());
        Body::parse(&headers, body.as_bytes(), None)?.into_payload()
    }

    #[test]
    fn rows_and_keys_are_found() {
        let check = |body: &str, layout: Layout, keys: &[&str], uniform: bool| {
            let payload = parse("application/json; charset=utf-8", body).unwrap();
            assert_eq!(payload.json, body.trim());
            assert_eq!(payload.layout, layout, "{body}");
            assert_eq!(payload.keys.iter().collect::<Vec<_>>(), keys, "{body}");
            assert_eq!(payload.uniform, uniform, "{body}");
        };
        check(
            r#" {"b":1.00000000000000000001,"a":null} "#,
            Layout::Object,
            &["a", "b"],
            true,
        );
        check(r#"[{"a":1},{"a":[2]}]"#, Layout::Array, &["a"], true);
        check(r#"[{"a":1},{"b":2}]"#, Layout::Array, &["a"], false);
        check(r#"[{"a":1},2]"#, Layout::Array, &["a"], false);
        check("[1]", Layout::Array, &[], false);
        check("[]", Layout::Empty, &[], true);
        check("5", Layout::Empty, &[], true);
        check("\"text\"", Layout::Empty, &[], true);
        check("null", Layout::Empty, &[], true);
        check("{}", Layout::Object, &[], true);
    }

    #[test]
    fn a_form_is_one_row_of_texts() {
        let payload = parse("application/x-www-form-urlencoded", "a=1&b=x+y").unwrap();
        assert_eq!(payload.json, r#"{"a":"1","b":"x y"}"#);
    }

    #[test]
    fn other_bodies_are_refused() {
        let check = |content_type, body, message: &str| {
            let refusal = parse(content_type, body);
            assert_eq!(refusal, Err(ApiError::bad_request("PGRST102", message)));
        };
        check("application/json", "", "Empty or invalid json");
        check("application/json", "{", "Empty or invalid json");
        check("text/csv", "a,b", "Content-Type not acceptable: text/csv");
    }
}
