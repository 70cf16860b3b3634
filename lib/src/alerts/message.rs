//! From facts to a message that no channel has touched yet.
//!
//! Pure, and the same facts always give the same message: a message that is
//! sent again because its answer was lost must be recognised as the same. So
//! nothing here depends on when it is sent.

mod digest;

use url::Url;

pub use self::digest::{Digest, Occasion};
use super::{
    audience::{Escalation, Recipients},
    facts::{Facts, Kind, Severity},
    figures, ladder,
    rules::{self, Rule},
    vendors,
};

/// What there is to say, in plain text as it came: whoever renders it cleans,
/// escapes and cuts.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// Opened, over, or only worth knowing.
    pub kind: Kind,
    /// How bad it is.
    pub severity: Severity,
    /// The rule's id.
    pub rule: String,
    /// One sentence that says what happened.
    pub headline: String,
    /// What the raiser or the app adds, where the headline does not say it all.
    pub body: Option<String>,
    /// Since when, how bad, whom it affects, where.
    pub fields: Vec<Field>,
    /// Where to go on.
    pub links: Vec<Link>,
    /// To whom it goes.
    pub recipients: Recipients,
    /// What all of it was made from, for readers that are machines.
    pub facts: Box<Facts>,
}

/// One named fact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Its name.
    pub label: &'static str,
    /// What is so.
    pub value: String,
}

/// A place to go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// What is there.
    pub label: &'static str,
    /// An absolute URL that needs no escaping beyond the channel's own.
    pub url: String,
}

/// What is sent as one.
#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    /// One message.
    Message(Message),
    /// What could wait, together.
    Digest(Digest),
}

/// Where links lead.
#[derive(Debug, Clone, Copy, Default)]
pub struct Places<'a> {
    /// Where the bundle answers; without it there are no links into it.
    pub base: Option<&'a Url>,
    /// A runbook elsewhere, from the settings; else the bundle's own page.
    pub runbook: Option<&'a Url>,
}

impl Places<'_> {
    fn runbook(self, rule: &str) -> Option<Link> {
        let page = match (self.runbook, self.base) {
            (Some(elsewhere), _) => elsewhere.as_str().to_owned(),
            (None, Some(base)) => format!("{}/runbook.html", trimmed(base)),
            (None, None) => return None,
        };
        // What is no alert has no entry.
        if rule.is_empty() {
            return None;
        }
        // An id is a word; what else a database might send has no anchor.
        let anchor: String = rule
            .chars()
            .filter(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-'))
            .collect();
        Some(Link {
            label: "Runbook",
            url: format!("{page}#{anchor}"),
        })
    }

    fn dashboard(self) -> Option<Link> {
        Some(Link {
            label: "Dashboard",
            url: format!(
                "{}/api/monitoring/dashboard?timeRange=1h",
                trimmed(self.base?)
            ),
        })
    }
}

fn trimmed(base: &Url) -> &str {
    base.as_str().trim_end_matches('/')
}

impl Message {
    /// The message that facts amount to.
    #[must_use]
    pub fn new(facts: &Facts, places: Places<'_>) -> Self {
        let headline = ladder::headline(facts, rules::headline(facts));
        let vendors = facts
            .escalation
            .as_ref()
            .is_some_and(Escalation::asks_vendors)
            .then(|| vendors::links(facts));
        let body = facts
            .message
            .clone()
            .filter(|message| !headline.ends_with(message.as_str()));
        Self {
            kind: facts.kind,
            severity: facts.severity,
            rule: facts.rule.clone(),
            body,
            fields: fields(facts),
            links: places
                .runbook(&facts.rule)
                .into_iter()
                .chain(places.dashboard())
                .chain(vendors.into_iter().flatten())
                .collect(),
            recipients: facts.recipients.clone(),
            facts: Box::new(facts.clone()),
            headline,
        }
    }

    /// The word before the headline: the severity, or that it is over.
    #[must_use]
    pub fn label(&self) -> &'static str {
        match (self.kind, self.severity) {
            (Kind::Resolved, _) => "Resolved",
            (Kind::Notice, _) => "Notice",
            (Kind::Firing | Kind::Escalation | Kind::Reminder, Severity::Critical) => "Critical",
            (Kind::Firing | Kind::Escalation | Kind::Reminder, Severity::High) => "High",
            (Kind::Firing | Kind::Escalation | Kind::Reminder, Severity::Medium) => "Medium",
            (Kind::Firing | Kind::Escalation | Kind::Reminder, Severity::Low) => "Low",
        }
    }
}

/// What is said of an alert, in the order in which one asks.
fn fields(facts: &Facts) -> Vec<Field> {
    let [level, asked, told, acknowledged] = ladder::fields(facts);
    let fields = [
        ("In place of", in_place_of(facts)),
        ("Since", since(facts)),
        ("Resolved", resolved(facts)),
        level,
        asked,
        told,
        acknowledged,
        ("Not observed", not_observed(facts)),
        (measured_label(facts), measured(facts)),
        (affected_label(facts), affects(facts)),
        ("Seen", seen(facts)),
        ("Data", data(facts)),
        (
            "Incident",
            facts.incident.map(|number| format!("#{number}")),
        ),
        ("Raised by", facts.origin.clone()),
        ("Running", running(facts)),
    ];
    fields
        .into_iter()
        .filter_map(|(label, value)| {
            Some(Field {
                label,
                value: value?,
            })
        })
        .collect()
}

/// A copy says whose place it takes, or its reader would wonder why it came here.
fn in_place_of(facts: &Facts) -> Option<String> {
    let channels: Vec<&str> = facts
        .stands_in_for
        .iter()
        .map(|channel| rules::channel_name(channel))
        .collect();
    (!channels.is_empty()).then(|| format!("{}, where it does not arrive", channels.join(" and ")))
}

fn since(facts: &Facts) -> Option<String> {
    let since = facts.since.filter(|_| facts.kind != Kind::Notice)?;
    let before = match (facts.kind, facts.opened_at) {
        (Kind::Firing, Some(opened)) if opened.duration_since(since).as_secs() > 0 => {
            let before = figures::between(since, opened);
            format!(", {before} before this alert")
        }
        _ => String::new(),
    };
    Some(format!("{}{before}", figures::time(since)))
}

fn resolved(facts: &Facts) -> Option<String> {
    let at = facts.resolved_at.filter(|_| facts.kind == Kind::Resolved)?;
    let after = facts.since.map_or_else(String::new, |since| {
        format!(", after {}", figures::between(since, at))
    });
    Some(format!("{}{after}", figures::time(at)))
}

fn not_observed(facts: &Facts) -> Option<String> {
    let gap = facts.gap?;
    Some(format!(
        "{} to {} ({})",
        figures::time(gap.from),
        figures::time(gap.to),
        figures::between(gap.from, gap.to)
    ))
}

/// A resolution carries the good figure where there is one; else what it
/// carries is how bad it had been.
fn measured_label(facts: &Facts) -> &'static str {
    if facts.kind != Kind::Resolved {
        return "Found";
    }
    let good_again = match (facts.value, facts.threshold) {
        (Some(left), Some(limit)) if facts.unit.as_deref() == Some("d") => left >= limit,
        (Some(value), Some(limit)) => value <= limit && facts.samples != Some(0),
        _ => facts.reason.as_deref() == Some("removed"),
    };
    if good_again { "Now" } else { "Was" }
}

fn measured(facts: &Facts) -> Option<String> {
    // The headline of a gap is its length.
    if Rule::parse(&facts.rule) == Some(Rule::MonitoringGap) {
        return None;
    }
    let unit = facts.unit.as_deref();
    let value = facts.value.map(|value| match unit {
        Some("d") if value < 0.0 => format!("ended {} ago", figures::days(-value)),
        Some("d") => format!("{} left", figures::days(value)),
        _ => {
            let measure = Rule::parse(&facts.rule).map_or("measured", Rule::measure);
            format!("{measure} {}", figures::quantity(value, unit))
        }
    });
    let threshold = facts
        .threshold
        .filter(|_| value.is_some())
        .map(|threshold| format!("threshold {}", figures::quantity(threshold, unit)));
    let samples = facts
        .samples
        .filter(|samples| value.is_some() && *samples > 0)
        .map(|samples| figures::count(samples, "measurement"));
    let reason = facts
        .reason
        .as_deref()
        .map(|word| rules::reason(word, facts.status_code));
    let parts: Vec<String> = [reason, value, threshold, samples]
        .into_iter()
        .flatten()
        .collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

fn affected_label(facts: &Facts) -> &'static str {
    match facts.kind {
        Kind::Resolved => "Affected",
        Kind::Firing | Kind::Escalation | Kind::Reminder | Kind::Notice => "Affects",
    }
}

fn affects(facts: &Facts) -> Option<String> {
    let sentence = Rule::parse(&facts.rule)
        .filter(|_| facts.kind != Kind::Resolved)
        .and_then(|rule| rule.consequence(facts));
    sentence
        .map(str::to_owned)
        .or_else(|| (!facts.affects.is_empty()).then(|| facts.affects.join(", ")))
}

fn seen(facts: &Facts) -> Option<String> {
    // How often a check found the same says nothing that the time does not.
    let counted = matches!(
        Rule::parse(&facts.rule),
        Some(Rule::CriticalError | Rule::AppAlert | Rule::External)
    );
    facts
        .occurrences
        .filter(|times| counted && *times > 1)
        .map(|times| figures::count(times, "time"))
}

fn data(facts: &Facts) -> Option<String> {
    let entries: Vec<String> = facts
        .data
        .iter()
        .map(|(name, value)| format!("{name}: {value}"))
        .collect();
    (!entries.is_empty()).then(|| entries.join("\n"))
}

fn running(facts: &Facts) -> Option<String> {
    let commit = facts.commit.as_deref().map(|commit| {
        let short: String = commit.chars().take(12).collect();
        format!("commit {short}")
    });
    let parts: Vec<String> = [facts.environment.clone(), commit, facts.deployment.clone()]
        .into_iter()
        .flatten()
        .collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}
