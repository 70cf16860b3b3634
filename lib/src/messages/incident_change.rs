//! What happened to an incident, as the facts of a notice say, and in words. They are read
//! as leniently as the rest of them.

use serde::Serialize;
use serde_json::Value;

use super::json_fields::text;

/// What happened to an incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct IncidentChange {
    /// What it was.
    pub what: Happening,
    /// How far people are with it: a word of the database.
    pub state: Option<String>,
    /// Who did it; `None` for what happened by itself.
    pub by: Option<String>,
    /// What was said about it for everybody.
    pub text: Option<String>,
}

/// What can happen to an incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Happening {
    /// It began.
    Opened,
    /// It goes on, and something about it is new.
    Updated,
    /// It is over.
    Resolved,
    /// It was over, and is not.
    Reopened,
}

impl IncidentChange {
    pub(super) fn read(value: &Value) -> Option<Self> {
        Some(Self {
            what: match value["what"].as_str()? {
                "opened" => Happening::Opened,
                "resolved" => Happening::Resolved,
                "reopened" => Happening::Reopened,
                // Whatever it was, something is new.
                _ => Happening::Updated,
            },
            state: text(value, "state"),
            by: text(value, "by"),
            text: text(value, "text"),
        })
    }

    /// `Incident #7 was opened by Anna: Checkout is slow`.
    pub(super) fn headline(&self, number: Option<u64>, title: &str) -> String {
        let incident = number.map_or_else(
            || "An incident".to_owned(),
            |number| format!("Incident #{number}"),
        );
        let happened = match (self.what, self.state.as_deref()) {
            (Happening::Opened, _) => "was opened",
            (Happening::Reopened, _) => "was opened again",
            (Happening::Resolved, _) => "is resolved",
            (Happening::Updated, Some("identified")) => "is identified",
            (Happening::Updated, Some("monitoring")) => "is watched after a fix",
            (Happening::Updated, _) => "was updated",
        };
        let by = match (self.what, &self.by) {
            (Happening::Opened | Happening::Reopened | Happening::Updated, Some(by))
                if happened.starts_with("was ") =>
            {
                format!(" by {by}")
            }
            _ => String::new(),
        };
        format!("{incident} {happened}{by}: {title}")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_headline_says_what_happened_to_which_incident() {
        for (change, expected) in [
            (
                json!({"what": "opened", "state": "investigating", "by": "Anna"}),
                "Incident #7 was opened by Anna: T",
            ),
            (
                json!({"what": "opened", "by": null}),
                "Incident #7 was opened: T",
            ),
            (
                json!({"what": "updated", "state": "monitoring", "by": "Anna"}),
                "Incident #7 is watched after a fix: T",
            ),
            (
                json!({"what": "updated", "state": "investigating", "by": "Anna"}),
                "Incident #7 was updated by Anna: T",
            ),
            (
                json!({"what": "resolved", "by": "Anna"}),
                "Incident #7 is resolved: T",
            ),
        ] {
            let read = IncidentChange::read(&change).unwrap();
            assert_eq!(read.headline(Some(7), "T"), expected, "{change}");
        }
        assert_eq!(IncidentChange::read(&json!(null)), None);
    }
}
