//! A row of a log, whatever service it is of.

use jiff::Timestamp;
use serde_json::Value;

use crate::ingest::moment;

/// What all rows have.
#[derive(Debug)]
pub(super) struct Row<'a> {
    /// What it says, as a text.
    pub(super) message: &'a str,
    /// When.
    pub(super) time: Option<Timestamp>,
    /// What it says, in parts. They lie in an array of one where the row went through
    /// another store.
    pub(super) metadata: &'a Value,
    whole: &'a Value,
}

impl<'a> Row<'a> {
    /// Reads a row; what has neither a message nor parts is none.
    pub(super) fn new(row: &'a Value) -> Option<Self> {
        let metadata = only(&row["metadata"]);
        let message = row["event_message"].as_str();
        if message.is_none() && !metadata.is_object() {
            return None;
        }
        Some(Self {
            message: message.unwrap_or_default(),
            time: moment::of_microseconds(&row["timestamp"]).or_else(|| {
                moment::read(&row["timestamp"]).filter(|_| row["timestamp"].is_string())
            }),
            metadata,
            whole: row,
        })
    }

    /// A part of what it says.
    pub(super) fn part(&self, name: &str) -> &'a Value {
        only(&self.metadata[name])
    }

    /// What tells it from other rows: its id, or else all of it.
    pub(super) fn same(&self) -> String {
        match self.whole["id"].as_str() {
            Some(id) => format!("supabase row {id}"),
            None => self.whole.to_string(),
        }
    }
}

/// What an array of one holds; anything else as it is.
pub(super) fn only(value: &Value) -> &Value {
    match value.as_array().map(Vec::as_slice) {
        Some([one]) => one,
        Some(_) | None => value,
    }
}
