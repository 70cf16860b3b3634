//! The details of an item, of which each is there or not.

use serde_json::{Map, Value};

/// Details as they are gathered.
#[derive(Debug, Default)]
pub(super) struct Details(Map<String, Value>);

impl Details {
    /// With that one, if there is anything to say.
    pub(super) fn with(mut self, name: &str, value: Option<impl Into<Value>>) -> Self {
        match value.map(Into::into) {
            None | Some(Value::Null) => {}
            Some(Value::String(text)) if text.is_empty() => {}
            Some(value) => {
                self.0.insert(name.to_owned(), value);
            }
        }
        self
    }

    /// With the fields of that record that have those names.
    pub(super) fn of(self, record: &Value, names: &[&str]) -> Self {
        names.iter().fold(self, |details, name| {
            details.with(name, record.get(*name).cloned())
        })
    }

    /// All of them.
    pub(super) fn all(self) -> Map<String, Value> {
        self.0
    }
}
