//! Attributes: named values of any kind, of a resource, a span, a log record or a point.

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Map, Value};

use super::messages::{Any, AnyValue, KeyValue, Resource};

/// How deep values are read.
const LEVELS: usize = 12;

/// Attributes, to be asked by name.
#[derive(Debug, Clone, Copy)]
pub(super) struct Attributes<'a>(pub(super) &'a [KeyValue]);

impl<'a> Attributes<'a> {
    /// Those of what sends, which may be missing.
    pub(super) fn of(resource: Option<&'a Resource>) -> Self {
        Self(resource.map_or(&[], |resource| &resource.attributes))
    }

    /// The first of these that is a text and not empty.
    pub(super) fn text(self, names: &[&str]) -> Option<&'a str> {
        names.iter().find_map(|name| match self.find(name)? {
            Any::Text(text) if !text.is_empty() => Some(text.as_str()),
            _ => None,
        })
    }

    /// The first of these that is a number from zero on, or the text of one.
    pub(super) fn number(self, names: &[&str]) -> Option<u64> {
        names.iter().find_map(|name| match self.find(name)? {
            Any::Integer(number) => u64::try_from(*number).ok(),
            Any::Text(text) => text.parse().ok(),
            Any::Bool(_) | Any::Double(_) | Any::Array(_) | Any::Fields(_) | Any::Bytes(_) => None,
        })
    }

    fn find(self, name: &str) -> Option<&'a Any> {
        let known = self.0.iter().find(|known| known.key == name)?;
        known.value.as_ref()?.value.as_ref()
    }

    /// All of them.
    pub(super) fn all(self) -> Map<String, Value> {
        fields(self.0, LEVELS)
    }
}

/// A value as JSON.
pub(crate) fn json(value: &AnyValue) -> Value {
    read(value, LEVELS)
}

fn fields(fields: &[KeyValue], levels: usize) -> Map<String, Value> {
    let read = |field: &KeyValue| {
        let value = field.value.as_ref();
        (
            field.key.clone(),
            value.map_or(Value::Null, |value| read(value, levels)),
        )
    };
    fields.iter().map(read).collect()
}

fn read(value: &AnyValue, levels: usize) -> Value {
    let (Some(value), Some(levels)) = (&value.value, levels.checked_sub(1)) else {
        return Value::Null;
    };
    match value {
        Any::Text(text) => Value::String(text.clone()),
        Any::Bool(yes) => Value::Bool(*yes),
        Any::Integer(number) => Value::from(*number),
        Any::Double(number) => Value::from(*number),
        Any::Array(array) => {
            let values = array.values.iter();
            values.map(|value| read(value, levels)).collect()
        }
        Any::Fields(list) => Value::Object(fields(&list.values, levels)),
        Any::Bytes(bytes) => Value::String(BASE64_STANDARD.encode(bytes)),
    }
}
