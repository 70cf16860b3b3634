//! What somebody wrote, and how it is shown.

use jiff::Timestamp;
use ops::messages::plain_text;
use serde::Deserialize;
use uuid::Uuid;

use crate::{
    answered::{self, Answered},
    id_start,
    times::to_the_minute,
};

/// What somebody wrote, as far as the command looks at it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Written {
    pub(super) id: Uuid,
    at: Timestamp,
    environment: String,
    release: Option<String>,
    page: Option<String>,
    message: String,
    pub(super) status: String,
    /// Whether the person left where to be answered.
    reachable: bool,
    /// Where that is; an answer alone tells.
    #[serde(default)]
    pub(super) contact: Option<String>,
    issue: Option<Issue>,
    incident: Option<u64>,
    answer: Option<String>,
    answered_at: Option<Timestamp>,
    answered_by: Option<String>,
    mailed_at: Option<Timestamp>,
    closed_at: Option<Timestamp>,
    closed_by: Option<String>,
    note: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Issue {
    id: Uuid,
    title: String,
    status: String,
}

impl Written {
    fn row(&self) -> [String; 5] {
        let answered = match (&self.answer, self.status.as_str()) {
            (_, "closed") => "closed",
            (Some(_), _) if self.reachable && self.mailed_at.is_none() => "answered, not mailed",
            (Some(_), _) => "answered",
            (None, _) if self.reachable => "waits for an answer",
            (None, _) => "",
        };
        [
            id_start::shown(self.id),
            to_the_minute(self.at),
            self.about(),
            plain_text::cut(&plain_text::line(&self.message), 80),
            answered.to_owned(),
        ]
    }

    fn about(&self) -> String {
        let issue = self
            .issue
            .as_ref()
            .map(|issue| format!("error {}", id_start::shown(issue.id)));
        let incident = self.incident.map(|number| format!("incident {number}"));
        let about: Vec<_> = issue.into_iter().chain(incident).collect();
        about.join(", ")
    }

    /// One line, for whatever it is about.
    pub(crate) fn line(&self) -> String {
        let message = plain_text::cut(&plain_text::line(&self.message), 200);
        let id = id_start::shown(self.id);
        format!("{} {id}: {message}", to_the_minute(self.at))
    }

    /// What was done about it.
    pub(super) fn standing(&self) -> String {
        match self.closed_at {
            Some(at) => format!(
                "{} is closed{}",
                id_start::shown(self.id),
                done(at, self.closed_by.as_deref())
            ),
            None => format!(
                "{} is {}",
                id_start::shown(self.id),
                plain_text::line(&self.status)
            ),
        }
    }

    pub(super) fn describe(&self) -> String {
        let line = |name: &str, text: Option<&str>| {
            text.map(|text| format!("  {name}: {}", plain_text::line(text)))
        };
        let mut lines = vec![format!(
            "{}, {}",
            self.standing(),
            if self.reachable {
                "its writer can be answered"
            } else {
                "nobody can be answered"
            }
        )];
        lines.push(format!(
            "  written {} in {}",
            to_the_minute(self.at),
            plain_text::line(&self.environment)
        ));
        lines.extend(line("release", self.release.as_deref()));
        lines.extend(line("page", self.page.as_deref()));
        if let Some(Issue { id, title, status }) = &self.issue {
            let issue = format!("{} {title} ({status})", id_start::shown(*id));
            lines.extend(line("error", Some(&issue)));
        }
        let incident = self.incident.map(|number| number.to_string());
        lines.extend(line("incident", incident.as_deref()));
        lines.push(indented(&self.message));
        if let (Some(answer), Some(at)) = (&self.answer, self.answered_at) {
            let mailed = self.mailed_at.map_or_else(
                || ", not mailed from here".to_owned(),
                |at| format!(", mailed {}", to_the_minute(at)),
            );
            lines.push(format!(
                "  answered{}{mailed}",
                done(at, self.answered_by.as_deref())
            ));
            lines.push(indented(answer));
        }
        lines.extend(line("note", self.note.as_deref()));
        lines.join("\n")
    }
}

fn done(at: Timestamp, by: Option<&str>) -> String {
    let by = by.map_or_else(String::new, |by| format!(" by {}", plain_text::line(by)));
    format!(" {}{by}", to_the_minute(at))
}

fn indented(text: &str) -> String {
    let lines = plain_text::paragraph(text);
    let lines: Vec<_> = lines.lines().map(|line| format!("    {line}")).collect();
    lines.join("\n")
}

pub(super) fn table(feedback: &[Answered<Written>], status: &str, more: u64) -> String {
    const HEADING: [&str; 5] = ["feedback", "written", "about", "what", ""];
    if feedback.is_empty() {
        return match status {
            "open" => "no open feedback".to_owned(),
            _ => "no feedback".to_owned(),
        };
    }
    let table = answered::table("pieces of feedback", feedback, HEADING, Written::row);
    if more == 0 {
        table
    } else {
        format!("{table}\n… and {more} more: --limit shows more of them")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn document(fields: &Value) -> Answered<Written> {
        let mut document = json!({
            "id": "abc00000-0000-4000-8000-000000000001", "at": "2026-11-24T10:00:00Z",
            "source": "own", "environment": "production", "release": "1.4", "person": null,
            "page": "/wines", "message": "I cannot pour\u{1b}[31m.\nNot at all.", "status": "open",
            "reachable": true, "issue": null, "incident": null, "answer": null, "answeredAt": null,
            "answeredBy": null, "mailedAt": null, "closedAt": null, "closedBy": null, "note": null,
        });
        let fields = fields.as_object().unwrap().clone();
        document.as_object_mut().unwrap().extend(fields);
        Answered::read(document)
    }

    #[test]
    fn a_list_says_what_waits_for_an_answer() {
        let issue =
            json!({"id": "abd00000-0000-4000-8000-000000000002", "title": "T", "status": "open"});
        let listed = [
            document(&json!({"issue": issue, "incident": 7})),
            document(&json!({"reachable": false})),
            document(&json!({"answer": "x"})),
            document(&json!({"answer": "x", "mailedAt": "2026-11-24T10:00:00Z"})),
            document(&json!({"status": "closed", "answer": "x"})),
            document(&json!({"at": 7})),
        ];
        let text = table(&listed, "open", 3);
        let row = "abc00000  2026-11-24 10:00 UTC  error abd00000, incident 7  \
                   I cannot pour [31m. Not at all.  waits for an answer";
        assert!(text.contains(row), "{text}");
        for words in [
            "all.  answered\n",
            "all.  answered, not mailed",
            "all.  closed",
            "1 of 6 pieces",
            "and 3 more",
        ] {
            assert!(text.contains(words), "{words} in {text}");
        }
        assert!(!text.contains('\u{1b}'));
        assert_eq!(table(&[], "open", 0), "no open feedback");
    }

    #[test]
    fn it_is_shown_with_what_it_is_about_and_what_was_answered() {
        let answered = json!({
            "answer": "Now you can.\nSorry.", "answeredAt": "2026-11-24T11:00:00Z", "answeredBy": "anna",
            "mailedAt": "2026-11-24T11:01:00Z", "status": "closed", "closedAt": "2026-11-24T12:00:00Z",
            "closedBy": "bo", "note": "fixed", "reachable": false, "incident": 7,
        });
        assert_eq!(
            document(&answered).describe(Written::describe),
            "abc00000 is closed 2026-11-24 12:00 UTC by bo, nobody can be answered\n  \
               written 2026-11-24 10:00 UTC in production\n  \
               release: 1.4\n  \
               page: /wines\n  \
               incident: 7\n    \
                 I cannot pour[31m.\n    \
                 Not at all.\n  \
               answered 2026-11-24 11:00 UTC by anna, mailed 2026-11-24 11:01 UTC\n    \
                 Now you can.\n    \
                 Sorry.\n  \
               note: fixed"
        );
    }
}
