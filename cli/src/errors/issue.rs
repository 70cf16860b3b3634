//! An error of the app, and how it is shown.

use std::collections::BTreeMap;

use jiff::Timestamp;
use ops::messages::{message_facts::Severity, plain_text};
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use super::said;
use crate::{
    answered::{self, Answered},
    feedback::written::Written,
    id_start,
    sourcemaps::{
        original::Original,
        resolve::{Looked, ShownFrame},
    },
    times::to_the_minute,
};

/// How many lines of a stack are shown.
const STACK: usize = 12;

/// Of how many frames the source is shown.
const SOURCES: usize = 3;

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
    /// What people wrote about it last.
    #[serde(default)]
    feedback: Vec<Answered<Written>>,
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
        let release = plain_text::line(&release);
        let release = release
            .strip_prefix(',')
            .map_or(String::new(), |release| format!(",{release}"));
        format!(
            "{}\n  {}, {}, {}{}\n  {} times to {} since {}, last {}{release}\n  last 24 hours: {}",
            self.standing(),
            self.severity.as_str(),
            self.category,
            if self.culprit.is_empty() {
                "nobody knows where".to_owned()
            } else {
                plain_text::line(&self.culprit)
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
    /// What source maps are asked for, by the number of the event among the newest.
    pub(super) fn looked(&self) -> Vec<(usize, Looked<'_>)> {
        let events = self.newest.iter().enumerate();
        let looked = events.filter_map(|(nth, event)| {
            let Event {
                release, detail, ..
            } = event.known()?;
            let release = release.as_deref();
            Some((nth, Looked { release, detail }))
        });
        looked.collect()
    }

    /// The issue and its newest events, with the frames of each by its number.
    pub(super) fn describe(&self, frames: &BTreeMap<usize, Vec<ShownFrame>>) -> String {
        let newest = self.newest.iter().enumerate().map(|(nth, event)| {
            let frames = frames.get(&nth).map(Vec::as_slice).unwrap_or_default();
            event.describe(|event| event.describe(frames))
        });
        let newest: Vec<_> = newest.collect();
        let feedback = self.feedback.iter();
        let feedback = feedback.map(|one| format!("  wrote {}", one.describe(Written::line)));
        let issue: Vec<_> = std::iter::once(self.issue.describe())
            .chain(feedback)
            .collect();
        format!("{}\n\n{}", issue.join("\n"), newest.join("\n\n"))
    }
}

impl Event {
    fn describe(&self, frames: &[ShownFrame]) -> String {
        let release = self.release.as_deref().map_or_else(String::new, |release| {
            format!(", {}", plain_text::line(release))
        });
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
        let mut sources = 0;
        for frame in frames.iter().take(STACK) {
            lines.push(format!("    {}", shown(frame)));
            if let Some(original) = frame.original.as_ref().filter(|one| one.is_own())
                && sources < SOURCES
            {
                lines.extend(source(original));
                sources += 1;
            }
        }
        lines.extend(unresolved(frames));
        lines.join("\n")
    }
}

/// A frame as it was written, and as it was sent.
fn shown(frame: &ShownFrame) -> String {
    let text = match &frame.original {
        None => frame.said.clone(),
        Some(original) => format!(
            "at {} ({}:{}:{}) ← {}",
            original.function.as_deref().unwrap_or("?"),
            original.file,
            original.line,
            original.column,
            frame.said.trim_start_matches("at "),
        ),
    };
    plain_text::line(&text)
}

/// The lines around a place, with a mark at its own.
fn source(original: &Original) -> Vec<String> {
    let lines = original.lines.iter().map(|line| {
        let mark = if line.number == original.line {
            '>'
        } else {
            ' '
        };
        let text = plain_text::paragraph(&line.text);
        format!("      {mark} {:>5} | {text}", line.number)
            .trim_end()
            .to_owned()
    });
    lines.collect()
}

/// Why frames could not be led back to what was written, each reason once.
fn unresolved(frames: &[ShownFrame]) -> Vec<String> {
    let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
    for reason in frames
        .iter()
        .filter_map(|frame| frame.unresolved.as_deref())
    {
        *reasons.entry(reason).or_default() += 1;
    }
    let lines = reasons.into_iter().map(|(reason, count)| {
        let frames = if count == 1 { "frame" } else { "frames" };
        let reason = plain_text::line(reason);
        format!("  {count} {frames} as built, not as written: {reason}")
    });
    lines.collect()
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
    use crate::sourcemaps::original::SourceLine;

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
            "id": "x", "at": "2026-11-24T12:00:00Z", "source": "sentry", "release": "1.1\u{1b}", "name": "TypeError",
            "detail": {"message": "x\u{1b}"},
        }, 7]);
        document["feedback"] = json!([{
            "id": "abd00000-0000-4000-8000-000000000002", "at": "2026-11-24T11:00:00Z", "environment": "production",
            "message": "I cannot\npour", "status": "open", "reachable": true,
        }]);
        let shown: Shown = serde_json::from_value(document).unwrap();
        let frame = |said: &str, unresolved: Option<&str>| ShownFrame {
            said: said.to_owned(),
            original: None,
            unresolved: unresolved.map(str::to_owned),
        };
        let line = |number, text: &str| SourceLine {
            number,
            text: text.to_owned(),
        };
        let written = ShownFrame {
            original: Some(Original {
                file: "src/app/wine\u{1b}s.ts".to_owned(),
                line: 7,
                column: 3,
                function: Some("addWine".to_owned()),
                lines: vec![line(6, "{"), line(7, "\tthrow\u{1b} wine"), line(8, "")],
                calls: None,
            }),
            ..frame("at a (https://wine.example/a.js:1:99)", None)
        };
        let frames = vec![
            written,
            frame("at b (b.js:1:2)", Some("no map")),
            frame("at c (c.js:1:2)", Some("no map")),
            frame("at load (node:x)", None),
        ];
        assert_eq!(shown.looked().len(), 1);
        let text = shown.describe(&BTreeMap::from([(0, frames)]));
        let expected = [
            "2026-11-24 12:00 UTC by sentry, 1.1",
            "  message: x",
            "    at addWine (src/app/wine s.ts:7:3) ← a (https://wine.example/a.js:1:99)",
            "            6 | {",
            "      >     7 |  throw wine",
            "            8 |",
            "    at b (b.js:1:2)",
            "    at c (c.js:1:2)",
            "    at load (node:x)",
            "  2 frames as built, not as written: no map",
            "",
            "not understood",
        ]
        .join("\n");
        assert!(text.contains(&expected), "{text}");
        assert!(text.contains("12 times to 3 people since"), "{text}");
        assert!(text.contains("from 1.0 to 1.1"), "{text}");
        let wrote = "\n  wrote 2026-11-24 11:00 UTC abd00000: I cannot pour\n\n";
        assert!(text.contains(wrote), "{text}");
    }
}
