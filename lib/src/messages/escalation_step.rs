//! Where the escalation of an alert stands, and who has acknowledged it, as the
//! facts of a message say. They are read as leniently as the rest of them.

use jiff::Timestamp;
use serde_json::Value;

use super::json_fields::{text, time};

/// Where the escalation of an alert stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Escalation {
    /// When this step was taken.
    pub at: Option<Timestamp>,
    /// The level that is asked; none where only a channel is added or an
    /// acknowledgement ended.
    pub level: Option<u64>,
    /// Levels that had nobody, whose place this one takes.
    pub passed: Vec<u64>,
    /// Who was asked before.
    pub earlier: Vec<AskedBefore>,
    /// Who has each rotation, and who comes next.
    pub on_call: Vec<OnCall>,
    /// How many more alerts of the incident ask the same people.
    pub others: u64,
    /// Whether anybody ever answered.
    pub answered: bool,
    /// Who had acknowledged the alert, where that has run out.
    pub acknowledged: Option<EndedAcknowledgement>,
}

/// Somebody who was asked before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AskedBefore {
    /// The name.
    pub name: String,
    /// The level.
    pub level: Option<u64>,
    /// When.
    pub at: Option<Timestamp>,
}

/// Who has a rotation, and who comes next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OnCall {
    /// The rotation.
    pub rotation: String,
    /// Who has it; nobody, where it has a hole.
    pub name: Option<String>,
    /// Until when; open, where nothing changes for long.
    pub until: Option<Timestamp>,
    /// Who has it then.
    pub next: Option<String>,
}

/// An acknowledgement that has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndedAcknowledgement {
    /// By whom.
    pub by: String,
    /// When.
    pub at: Option<Timestamp>,
}

/// An acknowledgement in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acknowledgement {
    /// By whom.
    pub by: String,
    /// Until when.
    pub until: Option<Timestamp>,
}

/// The level from which on vendors are asked too.
const VENDORS_FROM: u64 = 3;

impl Escalation {
    pub(super) fn read(value: &Value) -> Option<Self> {
        value.as_object()?;
        let earlier = value["told"].as_array().into_iter().flatten();
        let on_call = value["onCall"].as_array().into_iter().flatten();
        let passed = value["passed"].as_array().into_iter().flatten();
        Some(Self {
            at: time(value, "at"),
            level: value["level"].as_u64(),
            passed: passed.filter_map(Value::as_u64).collect(),
            earlier: earlier.filter_map(AskedBefore::read).collect(),
            on_call: on_call.filter_map(OnCall::read).collect(),
            others: value["others"].as_u64().unwrap_or(0),
            answered: value["answered"].as_bool().unwrap_or(false),
            acknowledged: text(value, "acknowledgedBy").map(|by| EndedAcknowledgement {
                by,
                at: time(value, "acknowledgedAt"),
            }),
        })
    }

    /// Whether the vendors of what suffers are to be asked too.
    #[must_use]
    pub fn asks_vendors(&self) -> bool {
        self.level.is_some_and(|level| level >= VENDORS_FROM)
    }
}

impl AskedBefore {
    fn read(value: &Value) -> Option<Self> {
        Some(Self {
            name: text(value, "name")?,
            level: value["level"].as_u64(),
            at: time(value, "at"),
        })
    }
}

impl OnCall {
    fn read(value: &Value) -> Option<Self> {
        Some(Self {
            rotation: text(value, "rotation")?,
            name: text(value, "name"),
            until: time(value, "until"),
            next: text(value, "next"),
        })
    }
}

impl Acknowledgement {
    pub(super) fn read(value: &Value) -> Option<Self> {
        Some(Self {
            by: text(value, "by")?,
            until: time(value, "until"),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_escalation_of_another_shape_spoils_nothing() {
        assert_eq!(Escalation::read(&json!(null)), None);
        let read = Escalation::read(&json!({"level": "two", "told": 3, "passed": [1, "x"]}));
        let read = read.unwrap();
        assert_eq!((read.level, read.passed), (None, vec![1]));
    }
}
