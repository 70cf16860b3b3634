//! How an alert ended that was not seen to be good again, as the facts of a message say.
//! They are read as leniently as the rest of them.

use serde::Serialize;
use serde_json::Value;

use super::json_fields::text;

/// How an alert ended, if not by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AlertEnd {
    /// What ended it.
    pub how: EndedBy,
    /// By whom, where that is known.
    pub by: Option<String>,
    /// What they said about it.
    pub note: Option<String>,
}

/// What ends an alert that was not seen to be good again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum EndedBy {
    /// A person closed it.
    Closed,
    /// What it was about is no longer watched.
    Unwatched,
}

impl AlertEnd {
    pub(super) fn read(value: &Value) -> Option<Self> {
        Some(Self {
            how: match value["how"].as_str()? {
                "closed" => EndedBy::Closed,
                "unwatched" => EndedBy::Unwatched,
                _ => return None,
            },
            by: text(value, "by"),
            note: text(value, "note"),
        })
    }

    /// The word before the headline.
    #[must_use]
    pub fn label(&self) -> &'static str {
        match self.how {
            EndedBy::Closed => "Closed",
            EndedBy::Unwatched => "Not watched",
        }
    }

    /// What is known of the end, with the note.
    pub(super) fn described(&self) -> String {
        let by = self
            .by
            .as_ref()
            .map_or_else(String::new, |by| format!(" by {by}"));
        let what = match self.how {
            EndedBy::Closed => format!("closed{by}; nobody observed that it is over"),
            EndedBy::Unwatched if by.is_empty() => "it is no longer watched".to_owned(),
            EndedBy::Unwatched => format!("what is watched was changed{by}"),
        };
        match &self.note {
            Some(note) => format!("{what}\n{note}"),
            None => what,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_end_says_how_by_whom_and_why() {
        for (end, expected) in [
            (
                json!({"how": "closed", "by": "Anna", "note": "works on my side"}),
                "closed by Anna; nobody observed that it is over\nworks on my side",
            ),
            (
                json!({"how": "unwatched", "by": "Bo", "note": null}),
                "what is watched was changed by Bo",
            ),
            (json!({"how": "unwatched"}), "it is no longer watched"),
        ] {
            assert_eq!(AlertEnd::read(&end).unwrap().described(), expected, "{end}");
        }
        for other in [json!(null), json!({"how": "exploded"}), json!("closed")] {
            assert_eq!(AlertEnd::read(&other), None, "{other}");
        }
    }
}
