//! A report: how a day, a week or a month went beside the four before it. The database
//! gives the figures; here they get their names, their words and a verdict.
//!
//! It is read as leniently as all facts: a line that this release does not know goes by the
//! name that the database gave it, and takes no other line along.

mod definition;
mod text;
mod verdict;

pub use definition::{ALL, Better, Definition, SECTIONS, Section, Unit};
pub use text::text;
pub use verdict::Verdict;

use jiff::{SignedDuration, Timestamp, tz::Offset};
use serde_json::Value;

use super::{json_fields, quantities};

/// How many differences a report names.
const SECURITY_TOLD: usize = 20;

/// How many periods a figure is compared with.
const PERIODS: usize = 4;

/// A report as it is told.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// `daily`, `weekly` or `monthly`.
    pub kind: String,
    /// The app's environment.
    pub environment: String,
    /// When its period begins.
    pub from: Timestamp,
    /// When its period is over.
    pub to: Timestamp,
    /// When the period began that it is beside.
    pub before: Option<Timestamp>,
    /// In the order in which they are read: by section, then as defined.
    pub lines: Vec<Line>,
    /// What of the month's cost nobody tells.
    pub cost_unknown: Vec<String>,
    /// What an auditor reads of the month; nothing where it was not looked at.
    pub security: Option<Security>,
}

/// What an auditor reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Security {
    /// What differs from the month before, a sentence each; nothing where there was none.
    pub differences: Option<Vec<String>>,
}

/// A figure beside those of the periods before.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// Its id in the database.
    pub id: String,
    /// What this release knows of it.
    pub definition: Option<&'static Definition>,
    /// What it is of, where there are several: a service, an event.
    pub subject: Option<String>,
    /// The figure; `None` where nothing is known.
    pub value: Option<f64>,
    /// The same of the four periods before, the newest first.
    pub before: [Option<f64>; PERIODS],
    /// On how many measurements it rests, where it rests on some.
    pub samples: Option<f64>,
    /// On how many it has to rest.
    pub minimum: Option<f64>,
    /// What the settings bound it by.
    pub bound: Option<f64>,
    /// What else is to be said, such as why nothing is known.
    pub note: Option<String>,
}

impl Report {
    /// Reads a report; `None` if it is not one at all.
    #[must_use]
    pub fn read(value: &Value) -> Option<Self> {
        let mut lines: Vec<Line> = value["lines"]
            .as_array()?
            .iter()
            .filter_map(Line::read)
            .collect();
        lines.extend(never_told(&lines));
        for line in &mut lines {
            line.note = note(line, value);
        }
        lines.sort_by_key(|line| {
            ALL.iter()
                .position(|known| known.id == line.id)
                .unwrap_or(ALL.len())
        });
        Some(Self {
            kind: json_fields::text(value, "kind")?,
            environment: json_fields::text(value, "environment").unwrap_or_default(),
            from: json_fields::time(value, "from")?,
            to: json_fields::time(value, "to")?,
            before: json_fields::time(&value["before"], "from"),
            lines,
            cost_unknown: value["costUnknown"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect(),
            security: value["security"].as_object().map(|kept| Security {
                differences: kept.get("differences").and_then(sentences),
            }),
        })
    }

    /// `Daily report of 2026-11-29: 2 lines call for a look`.
    #[must_use]
    pub fn headline(&self) -> String {
        let mut kind = self.kind.clone();
        if let Some(first) = kind.get_mut(..1) {
            first.make_ascii_uppercase();
        }
        let calling = self.lines.iter().filter(|line| line.verdict().calls());
        let calling = match calling.count() {
            0 => "nothing calls for a look".to_owned(),
            1 => "1 line calls for a look".to_owned(),
            count => format!("{count} lines call for a look"),
        };
        format!("{kind} report of {}: {calling}", self.period())
    }

    /// `2026-11-29`, `2026-11-23 to 2026-11-29`, `November 2026`.
    #[must_use]
    pub fn period(&self) -> String {
        let from = Offset::UTC.to_datetime(self.from);
        let last = Offset::UTC.to_datetime(
            self.to
                .checked_sub(SignedDuration::from_secs(1))
                .unwrap_or(self.to),
        );
        match self.kind.as_str() {
            "monthly" => from.strftime("%B %Y").to_string(),
            _ if from.date() == last.date() => from.date().to_string(),
            _ => format!("{} to {}", from.date(), last.date()),
        }
    }

    /// What it is beside: `Beside 2026-11-22 and the mean of the four such days before.`
    #[must_use]
    pub fn comparison(&self) -> String {
        let (periods, from) = match self.kind.as_str() {
            "daily" => ("same days of the week", "%Y-%m-%d"),
            "weekly" => ("weeks", "the week from %Y-%m-%d"),
            _ => ("months", "%B %Y"),
        };
        match self.before {
            Some(before) => format!(
                "Beside {}, and the mean of the four {periods} before. Times are UTC.",
                before.strftime(from)
            ),
            None => format!("Beside the mean of the four {periods} before. Times are UTC."),
        }
    }

    /// What of security differs from the month before, a sentence each; nothing where no month
    /// was looked at.
    #[must_use]
    pub fn security_words(&self) -> Vec<String> {
        let Some(security) = &self.security else {
            return Vec::new();
        };
        let none = Vec::new();
        let differences = security.differences.as_ref().unwrap_or(&none);
        let said = match (&security.differences, differences.len()) {
            (None, _) => "Security: no month before was looked at".to_owned(),
            (_, 0) => "Security: nothing differs from the month before".to_owned(),
            (_, 1) => "Security: 1 difference from the month before".to_owned(),
            (_, count) => format!("Security: {count} differences from the month before"),
        };
        let told = differences.iter().take(SECURITY_TOLD).cloned();
        let more = differences.len().saturating_sub(SECURITY_TOLD);
        let rest = (more > 0).then(|| format!("and {more} more"));
        let all = "all of it: pourtrait audit security".to_owned();
        [said]
            .into_iter()
            .chain(told)
            .chain(rest)
            .chain([all])
            .collect()
    }

    /// The lines of a section; those that this release does not know are in the last.
    pub fn section(&self, section: Section) -> impl Iterator<Item = &Line> {
        self.lines
            .iter()
            .filter(move |line| line.section() == section)
    }

    /// What calls for a look, a line each.
    #[must_use]
    pub fn summary(&self) -> String {
        let calling: Vec<String> = self
            .lines
            .iter()
            .filter(|line| line.verdict().calls())
            .map(|line| {
                format!(
                    "{}: {}, {}",
                    line.label(),
                    line.figure(),
                    line.verdict_words()
                )
            })
            .collect();
        let differs = self
            .security
            .as_ref()
            .and_then(|kept| kept.differences.as_ref());
        let differs = differs.filter(|differences| !differences.is_empty());
        let security = differs.and_then(|_| self.security_words().into_iter().next());
        calling
            .into_iter()
            .chain(security)
            .collect::<Vec<_>>()
            .join("\n")
    }
}

impl Line {
    fn read(value: &Value) -> Option<Self> {
        let id = json_fields::text(value, "line")?;
        let mut before = [None; PERIODS];
        for (nth, slot) in before.iter_mut().enumerate() {
            *slot = value["before"][nth].as_f64();
        }
        Some(Self {
            definition: Definition::of(&id),
            id,
            subject: json_fields::text(value, "subject"),
            value: value["value"].as_f64(),
            before,
            samples: value["samples"].as_f64(),
            minimum: value["minimum"].as_f64(),
            bound: value["bound"].as_f64(),
            note: None,
        })
    }

    /// Its name, with what it is of.
    #[must_use]
    pub fn label(&self) -> String {
        let label = self
            .definition
            .map_or(self.id.as_str(), |known| known.label);
        match &self.subject {
            Some(subject) => format!("{label}: {subject}"),
            None => label.to_owned(),
        }
    }

    /// Where it stands.
    #[must_use]
    pub fn section(&self) -> Section {
        self.definition
            .map_or(Section::Other, |known| known.section)
    }

    /// The figure in words.
    #[must_use]
    pub fn figure(&self) -> String {
        self.value.map_or_else(
            || {
                self.note
                    .clone()
                    .unwrap_or_else(|| "no data yet".to_owned())
            },
            |value| self.say(value),
        )
    }

    /// The same of the period before.
    #[must_use]
    pub fn former(&self) -> String {
        self.before[0].map_or_else(|| "-".to_owned(), |value| self.say(value))
    }

    /// The mean of the periods before that are known.
    #[must_use]
    pub fn mean(&self) -> String {
        verdict::mean(&self.before).map_or_else(|| "-".to_owned(), |value| self.say(value))
    }

    /// What the figure means.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        verdict::verdict(self)
    }

    /// The same in words, with the bound that it passed.
    #[must_use]
    pub fn verdict_words(&self) -> String {
        let words = self.verdict().words();
        match (self.verdict(), self.bound) {
            (Verdict::BeyondBound, Some(bound)) => format!("{words} of {}", self.say(bound)),
            _ => words.to_owned(),
        }
    }

    /// The command or page that tells more.
    #[must_use]
    pub fn way(&self) -> &'static str {
        self.definition.map_or("/dashboard", |known| known.way)
    }

    fn say(&self, value: f64) -> String {
        let unit = self.definition.map_or(Unit::Plain, |known| known.unit);
        match (unit, self.subject.as_deref()) {
            // Of the Web Vitals one is no time.
            (Unit::Milliseconds, Some("CLS")) => quantities::quantity(value, None),
            (unit, _) => unit.say(value),
        }
    }
}

/// A list of sentences; nothing if it is none.
fn sentences(value: &Value) -> Option<Vec<String>> {
    let all = value.as_array()?.iter().filter_map(Value::as_str);
    Some(all.map(str::to_owned).collect())
}

/// Lines that the database has no row of, because there was never anything of their kind.
fn never_told(told: &[Line]) -> Vec<Line> {
    ALL.iter()
        .filter(|known| !told.iter().any(|line| line.id == known.id))
        .map(|known| Line {
            id: known.id.to_owned(),
            definition: Some(known),
            subject: None,
            value: None,
            before: [None; PERIODS],
            samples: None,
            minimum: None,
            bound: None,
            note: None,
        })
        .collect()
}

/// Why there is no figure, or since when it has been known.
fn note(line: &Line, report: &Value) -> Option<String> {
    if line.id != "outdated" {
        return None;
    }
    let handed_in = &report["outdatedHandedIn"];
    let Some(tool) = &line.subject else {
        return Some("never handed in".to_owned());
    };
    let at = json_fields::time(handed_in, tool)?;
    Some(format!("as handed in on {}", at.strftime("%Y-%m-%d")))
}

#[cfg(test)]
mod tests;
