//! What a replay found, counted, beside what really happened.

use std::collections::BTreeMap;

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use ops::messages::message_facts::Severity;
use serde::{Deserialize, Serialize};

use crate::answered::Answered;
use terminal::output;

/// An alert, real or replayed.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Firing {
    pub(super) rule: String,
    pub(super) subject: String,
    pub(super) severity: Severity,
    pub(super) first_bad_at: Timestamp,
    pub(super) opened_at: Timestamp,
    pub(super) resolved_at: Option<Timestamp>,
}

/// What the database remembers of a rule and a subject from one part to the next.
/// It is sent back whole; read is only whether an alert is open.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Remembered {
    rule: String,
    subject: String,
    severity: Option<Severity>,
    first_bad_at: Option<Timestamp>,
    opened_at: Option<Timestamp>,
}

impl Remembered {
    /// The alert that is open; `None` if there is none.
    fn open_alert(&self) -> Option<Firing> {
        Some(Firing {
            rule: self.rule.clone(),
            subject: self.subject.clone(),
            severity: self.severity?,
            first_bad_at: self.first_bad_at?,
            opened_at: self.opened_at?,
            resolved_at: None,
        })
    }
}

/// A rule and how it is tried on the past.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Tried {
    pub(super) rule: String,
    pub(super) severity: Option<Severity>,
    pub(super) manner: Manner,
}

/// How a rule is tried on the past.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Manner {
    /// Anew, from what was seen.
    Judged,
    /// By the verdicts of that time.
    Recorded,
    /// Its alerts are taken as they were.
    Happened,
    /// Not at all.
    None,
}

impl Manner {
    /// Why the rule cannot be tried as it should be; `None` where it can.
    fn reason(self) -> Option<&'static str> {
        match self {
            Self::Judged => None,
            Self::Recorded => Some("by the verdicts of that time, what they measure is not kept"),
            Self::Happened => Some("as it happened, others raise it"),
            Self::None => Some("left out, it sends a notice and opens nothing"),
        }
    }
}

/// What a replay found.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Report {
    from: Timestamp,
    to: Timestamp,
    ticks: u64,
    /// What would have been open in the period, in the order of opening.
    firings: Vec<Firing>,
    /// What really was.
    happened: Vec<Firing>,
    rules: Vec<Tried>,
    /// Proposed settings that change nothing about the past.
    untried: Vec<String>,
    pages: Pages,
    pages_really: Pages,
    /// How many documents this build cannot read.
    #[serde(skip)]
    left_out: usize,
}

/// How often somebody is asked to act now.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Pages {
    total: usize,
    per_day: f64,
    busiest_day: Option<Date>,
    on_busiest_day: usize,
}

/// What opened of one subject.
#[derive(Debug, Default)]
struct Sum {
    openings: usize,
    pages: usize,
    seconds: i64,
    longest: i64,
}

impl Report {
    pub(super) fn new(
        from: Timestamp,
        to: Timestamp,
        rules: Vec<Answered<Tried>>,
        untried: Vec<String>,
    ) -> Self {
        let mut report = Self {
            from,
            to,
            ticks: 0,
            firings: Vec::new(),
            happened: Vec::new(),
            rules: Vec::new(),
            untried,
            pages: Pages::default(),
            pages_really: Pages::default(),
            left_out: 0,
        };
        report.rules = report.readable(rules);
        report
    }

    /// Those that this build can read; the others are counted.
    fn readable<T>(&mut self, answered: Vec<Answered<T>>) -> Vec<T> {
        let all = answered.len();
        let known: Vec<_> = answered
            .into_iter()
            .filter_map(Answered::into_known)
            .collect();
        self.left_out += all - known.len();
        known
    }

    /// How many documents are left out, because this build cannot read them.
    pub(super) fn left_out(&self) -> usize {
        self.left_out
    }

    /// Takes in what was resolved in a part.
    pub(super) fn add(&mut self, ticks: u64, firings: Vec<Answered<Firing>>) {
        self.ticks += ticks;
        let firings = self.readable(firings);
        self.firings.extend(firings);
    }

    /// Takes in what really opened. What no rule of ours decides would have
    /// opened all the same, with the severity that is proposed.
    pub(super) fn add_happened(&mut self, happened: Vec<Answered<Firing>>) {
        let happened = self.readable(happened);
        for firing in &happened {
            let tried = self.rules.iter().find(|tried| tried.rule == firing.rule);
            if let Some(tried) = tried.filter(|tried| tried.manner == Manner::Happened) {
                self.firings.push(Firing {
                    severity: tried.severity.unwrap_or(firing.severity),
                    ..firing.clone()
                });
            }
        }
        self.happened.extend(happened);
    }

    /// Takes in what is still open at the end, and counts the pages.
    pub(super) fn finish(&mut self, states: Vec<Answered<Remembered>>) {
        let states = self.readable(states);
        self.firings
            .extend(states.iter().filter_map(Remembered::open_alert));
        self.firings.sort_by_key(|firing| firing.opened_at);
        self.pages = self.pages_of(&self.firings);
        self.pages_really = self.pages_of(&self.happened);
    }

    /// The most pages on any day.
    pub(super) fn busiest_day(&self) -> usize {
        self.pages.on_busiest_day
    }

    fn pages_of(&self, firings: &[Firing]) -> Pages {
        let mut days: BTreeMap<Date, usize> = BTreeMap::new();
        for firing in firings.iter().filter(|firing| self.is_page(firing)) {
            let day = TimeZone::UTC.to_datetime(firing.opened_at).date();
            *days.entry(day).or_default() += 1;
        }
        let total = days.values().sum();
        let busiest = days.into_iter().max_by_key(|(_, pages)| *pages);
        Pages {
            total,
            per_day: per_day(total, self.seconds()),
            busiest_day: busiest.map(|(day, _)| day),
            on_busiest_day: busiest.map_or(0, |(_, pages)| pages),
        }
    }

    /// A page asks somebody to act now.
    fn is_page(&self, firing: &Firing) -> bool {
        self.opened(firing) && firing.severity >= Severity::High
    }

    /// Whether it opened in the period, rather than before it.
    fn opened(&self, firing: &Firing) -> bool {
        firing.opened_at >= self.from
    }

    fn seconds(&self) -> i64 {
        self.to.duration_since(self.from).as_secs()
    }

    /// Sums of what is open in the period, a rule and subject each.
    fn sums<'a>(&self, firings: &'a [Firing]) -> BTreeMap<(&'a str, &'a str), Sum> {
        let mut sums: BTreeMap<_, Sum> = BTreeMap::new();
        for firing in firings {
            let begun = firing.opened_at.max(self.from);
            let ended = firing.resolved_at.map_or(self.to, |at| at.min(self.to));
            let seconds = ended.duration_since(begun).as_secs().max(0);
            let sum = sums
                .entry((firing.rule.as_str(), firing.subject.as_str()))
                .or_default();
            sum.openings += usize::from(self.opened(firing));
            sum.pages += usize::from(self.is_page(firing));
            sum.seconds += seconds;
            sum.longest = sum.longest.max(seconds);
        }
        sums
    }

    /// The report for people.
    pub(super) fn text(&self) -> String {
        let mut lines = vec![
            format!("{} ticks from {} to {}", self.ticks, self.from, self.to),
            self.table(),
            String::new(),
            format!("pages a day: {}", self.pages.text()),
            format!("really:      {}", self.pages_really.text()),
        ];
        let untried = self.untried.iter();
        lines.extend(untried.map(|key| format!("{key}: not tried, the past cannot tell")));
        let exceptions = self.exceptions().into_iter();
        lines.extend(exceptions.map(|(reason, rules)| format!("{}: {reason}", rules.join(", "))));
        lines.join("\n")
    }

    fn table(&self) -> String {
        let really = self.sums(&self.happened);
        let mut sums = self.sums(&self.firings);
        for key in really.keys() {
            sums.entry(*key).or_default();
        }
        let rows: Vec<_> = sums
            .iter()
            .map(|(key, sum)| {
                let real = really.get(key);
                [
                    key.0.to_owned(),
                    key.1.to_owned(),
                    sum.openings.to_string(),
                    length(sum.seconds),
                    length(sum.longest),
                    format!("{:.1}", per_day(sum.pages, self.seconds())),
                    real.map_or(0, |real| real.openings).to_string(),
                    length(real.map_or(0, |real| real.seconds)),
                ]
            })
            .collect();
        if rows.is_empty() {
            return "nothing would have opened, and nothing did".to_owned();
        }
        output::table(
            [
                "rule",
                "subject",
                "opened",
                "total",
                "longest",
                "pages/day",
                "really",
                "real total",
            ],
            &rows,
        )
    }

    /// The rules that are not tried as they should be, by reason.
    fn exceptions(&self) -> BTreeMap<&'static str, Vec<&str>> {
        let mut exceptions: BTreeMap<_, Vec<&str>> = BTreeMap::new();
        for tried in &self.rules {
            if let Some(reason) = tried.manner.reason() {
                exceptions.entry(reason).or_default().push(&tried.rule);
            }
        }
        exceptions
    }
}

impl Pages {
    fn text(&self) -> String {
        let average = format!("{:.1}", self.per_day);
        match self.busiest_day {
            Some(day) => format!("{average}, most on {day}: {}", self.on_busiest_day),
            None => average,
        }
    }
}

/// A count over days, of which a part counts as one.
#[expect(clippy::cast_precision_loss, reason = "counts are small")]
fn per_day(count: usize, seconds: i64) -> f64 {
    count as f64 / (seconds as f64 / 86_400.0).max(1.0)
}

/// Two units, which is as exact as a minute's tick deserves.
fn length(seconds: i64) -> String {
    let minutes = seconds / 60;
    match (minutes / 1_440, minutes / 60 % 24, minutes % 60) {
        (0, 0, minutes) => format!("{minutes}m"),
        (0, hours, minutes) => format!("{hours}h {minutes}m"),
        (days, hours, _) => format!("{days}d {hours}h"),
    }
}

#[cfg(test)]
mod tests;
