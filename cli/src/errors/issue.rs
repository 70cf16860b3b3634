//! An error of the app, and how it is shown.

use jiff::Timestamp;
use ops::messages::{message_facts::Severity, plain_text};
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use super::said;
use crate::{
    answered::{self, Answered},
    id_start,
    times::to_the_minute,
};

/// How many lines of a stack are shown.
const STACK: usize = 12;

/// Errors that are the same, as far as the command looks at them.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Issue {
    id: Uuid,
    title: String,
    culprit: String,
    category: String,
    severity: Severity,
    status: String,
    events: u64,
    people: u64,
    first_seen: Timestamp,
    last_seen: Timestamp,
    first_release: Option<String>,
    last_release: Option<String>,
    changed_by: Option<String>,
    ignored_until: Option<Timestamp>,
    regressed_at: Option<Timestamp>,
    /// How often it happened in each of the last 24 hours.
    hours: Vec<u64>,
}

/// One of them.
#[derive(Debug, Deserialize)]
struct Event {
    at: Timestamp,
    source: String,
    release: Option<String>,
    detail: Value,
}

/// An issue with those that came last.
#[derive(Debug, Deserialize)]
pub(super) struct Shown {
    #[serde(flatten)]
    issue: Issue,
    newest: Vec<Answered<Event>>,
}

impl Issue {
    fn row(&self) -> [String; 7] {
        [
            id_start::shown(self.id),
            self.severity.as_str().to_owned(),
            plain_text::line(&self.title).chars().take(80).collect(),
            format!("{} to {}", self.events, people(self.people)),
            trend(&self.hours),
            to_the_minute(self.last_seen),
            self.mark(),
        ]
    }

    /// What is special about it.
    fn mark(&self) -> String {
        match (self.status.as_str(), self.regressed_at) {
            ("open", Some(_)) => "came back".to_owned(),
            ("open", None) => String::new(),
            (status, _) => status.to_owned(),
        }
    }

    /// What was done about it.
    pub(super) fn standing(&self) -> String {
        let title = plain_text::line(&self.title);
        let until = self.ignored_until.map_or_else(String::new, |until| {
            format!(" until {}", to_the_minute(until))
        });
        let by = self
            .changed_by
            .as_deref()
            .map_or_else(String::new, |by| format!(" by {}", plain_text::line(by)));
        format!("{title} is {}{until}{by}", self.status)
    }

    fn describe(&self) -> String {
        let release = match (&self.first_release, &self.last_release) {
            (Some(first), Some(last)) if first != last => format!(", from {first} to {last}"),
            (Some(only), _) | (None, Some(only)) => format!(", in {only}"),
            (None, None) => String::new(),
        };
        format!(
            "{}\n  {}, {}, {}{}\n  {} times to {} since {}, last {}{release}\n  last 24 hours: {}",
            self.standing(),
            self.severity.as_str(),
            self.category,
            if self.culprit.is_empty() {
                "nobody knows where"
            } else {
                &self.culprit
            },
            self.regressed_at.map_or_else(String::new, |at| format!(
                ", came back {}",
                to_the_minute(at)
            )),
            self.events,
            people(self.people),
            to_the_minute(self.first_seen),
            to_the_minute(self.last_seen),
            trend(&self.hours),
        )
    }
}

impl Shown {
    pub(super) fn describe(&self) -> String {
        let newest = self
            .newest
            .iter()
            .map(|event| event.describe(Event::describe));
        let newest: Vec<_> = newest.collect();
        format!("{}\n\n{}", self.issue.describe(), newest.join("\n\n"))
    }
}

impl Event {
    fn describe(&self) -> String {
        let release = self
            .release
            .as_deref()
            .map_or_else(String::new, |release| format!(", {release}"));
        let mut lines = vec![format!(
            "{} by {}{release}",
            to_the_minute(self.at),
            self.source
        )];
        for name in ["message", "transaction", "url"] {
            if let Some(text) = said(&self.detail, name) {
                lines.push(format!("  {name}: {}", plain_text::line(text)));
            }
        }
        let stack = said(&self.detail, "stack").unwrap_or_default();
        let stack = stack.lines().take(STACK).map(plain_text::line);
        lines.extend(stack.map(|line| format!("    {line}")));
        let frames = self.detail["frames"].as_array();
        let frames = frames.into_iter().flatten().rev().take(STACK);
        lines.extend(frames.map(frame));
        lines.join("\n")
    }
}

fn frame(frame: &Value) -> String {
    let file = said(frame, "filename").unwrap_or("?");
    let function = said(frame, "function").unwrap_or("?");
    let line = frame["lineno"]
        .as_u64()
        .map_or_else(String::new, |line| format!(":{line}"));
    let text = format!("at {function} ({file}{line})");
    format!("    {}", plain_text::line(&text))
}

fn people(count: u64) -> String {
    match count {
        0 => "nobody known".to_owned(),
        1 => "1 person".to_owned(),
        10_000.. => "10000 people or more".to_owned(),
        count => format!("{count} people"),
    }
}

/// The hours as bars, the oldest first.
fn trend(hours: &[u64]) -> String {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let most = hours.iter().copied().max().unwrap_or(0);
    hours
        .iter()
        .map(|count| match (count, most) {
            (0, _) | (_, 0) => '·',
            (count, most) => {
                let bar = count.saturating_mul(8).div_ceil(most).clamp(1, 8) - 1;
                usize::try_from(bar)
                    .ok()
                    .and_then(|bar| BARS.get(bar).copied())
                    .unwrap_or('█')
            }
        })
        .collect()
}

pub(super) fn table(issues: &[Answered<Issue>], status: &str, more: u64) -> String {
    const HEADING: [&str; 7] = [
        "error",
        "severity",
        "what",
        "how often",
        "24 hours",
        "last",
        "",
    ];
    if issues.is_empty() {
        return match status {
            "open" => "no open errors".to_owned(),
            "all" => "no errors".to_owned(),
            status => format!("no errors are {status}"),
        };
    }
    let table = answered::table("errors", issues, HEADING, Issue::row);
    if more == 0 {
        table
    } else {
        format!("{table}\n… and {more} more: --limit shows more of them")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn document() -> Value {
        json!({
            "id": "abc00000-0000-4000-8000-000000000001", "title": "TypeError: x\u{1b}[31m", "culprit": "addWine app.ts",
            "category": "database", "severity": "high", "status": "open", "events": 12, "people": 3,
            "firstSeen": "2026-11-24T10:00:00Z", "lastSeen": "2026-11-24T12:00:00Z",
            "firstRelease": "1.0", "lastRelease": "1.1", "changedBy": null, "ignoredUntil": null,
            "regressedAt": "2026-11-24T11:00:00Z", "hours": [0, 1, 8],
        })
    }

    #[test]
    fn a_list_has_a_line_for_each_and_an_odd_one_spoils_nothing() {
        let odd = json!({"id": "abd00000-0000-4000-8000-000000000002"});
        let issues = [document(), odd].map(Answered::read);
        let text = table(&issues, "open", 7);
        assert!(text.contains("abc00000  high"), "{text}");
        assert!(text.contains("12 to 3 people  ·▁█"), "{text}");
        assert!(text.contains("came back"), "{text}");
        assert!(text.contains("1 of 2 errors cannot be read"), "{text}");
        assert!(text.ends_with("… and 7 more: --limit shows more of them"));
        assert!(!text.contains('\u{1b}'), "{text:?}");
        assert_eq!(table(&[], "open", 0), "no open errors");
    }

    #[test]
    fn an_error_is_shown_with_the_frames_of_its_newest() {
        let mut document = document();
        document["newest"] = json!([{
            "id": "x", "at": "2026-11-24T12:00:00Z", "source": "sentry", "release": "1.1", "name": "TypeError",
            "detail": {"message": "x\u{1b}", "frames": [
                {"filename": "a.ts", "function": "load"},
                {"filename": "b.ts", "function": "addWine", "lineno": 7},
            ]},
        }]);
        let shown: Shown = serde_json::from_value(document).unwrap();
        let text = shown.describe();
        let expected = "    at addWine (b.ts:7)\n    at load (a.ts)";
        assert!(text.ends_with(expected), "{text}");
        assert!(text.contains("12 times to 3 people since"), "{text}");
        assert!(text.contains("from 1.0 to 1.1"), "{text}");
    }
}
