//! Makes of facts a message that no channel has touched yet.
//!
//! This is pure: the same facts always give the same message, whenever it is sent. A
//! message that is sent again because its answer was lost must be recognised as the
//! same.

mod digest;

pub use self::digest::{Digest, Occasion};
use super::{
    alert_end::AlertEnd,
    escalation_step::Escalation,
    escalation_wording,
    message_facts::{Facts, Kind, Severity},
    message_links::{Link, Places},
    quantities,
    recipients::Recipients,
    release_wording,
    report::Report,
    rules::{self, Rule},
    vendor_pages,
};

/// What is added where nothing else is known.
const BARE: &str = "The rest of this message could not be read. \
    `pourtrait alerts messages --dead` says why.";

/// What a message holds, in plain text as it came. Whoever renders it cleans, escapes
/// and cuts it.
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

/// What is sent as one.
#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    /// One message.
    Message(Message),
    /// What could wait, together.
    Digest(Digest),
}

impl Content {
    /// The address on a channel of whom it addresses alone.
    #[must_use]
    pub fn address_on(&self, channel: &str) -> Option<&str> {
        let message = match self {
            Self::Message(message) => Some(message),
            Self::Digest(digest) => digest.messages.first(),
        };
        message?.recipients.address_on(channel)
    }
}

impl Message {
    /// The message that facts amount to.
    #[must_use]
    pub fn new(facts: &Facts, places: Places<'_>) -> Self {
        let headline = escalation_wording::headline(facts, rules::headline(facts));
        let headline = match (&facts.report, &facts.incident_change) {
            (Some(report), _) => report.headline(),
            (None, Some(change)) => change.headline(facts.incident, &headline),
            (None, None) => headline,
        };
        let vendors = facts
            .escalation
            .as_ref()
            .is_some_and(Escalation::asks_vendors)
            .then(|| vendor_pages::links(facts));
        let body = facts
            .message
            .clone()
            .filter(|message| !headline.ends_with(message.as_str()))
            .or_else(|| facts.incident_change.as_ref()?.text.clone())
            .or_else(|| facts.report.as_ref().map(Report::summary))
            .filter(|body| !body.is_empty())
            .or_else(|| facts.bare.then(|| BARE.to_owned()));
        Self {
            kind: facts.kind,
            severity: facts.severity,
            rule: facts.rule.clone(),
            body,
            fields: fields(facts),
            links: places
                .dashboard(facts.incident_id, facts.alert)
                .into_iter()
                .chain(places.runbook(&facts.rule))
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
            (Kind::Resolved, _) => self
                .facts
                .ended
                .as_ref()
                .map_or("Resolved", AlertEnd::label),
            (Kind::Notice, _) if self.facts.incident_change.is_some() => "Incident",
            (Kind::Notice, _) if self.facts.report.is_some() => "Report",
            (Kind::Notice, _) => "Notice",
            (Kind::Firing | Kind::Escalation | Kind::Reminder, Severity::Critical) => "Critical",
            (Kind::Firing | Kind::Escalation | Kind::Reminder, Severity::High) => "High",
            (Kind::Firing | Kind::Escalation | Kind::Reminder, Severity::Medium) => "Medium",
            (Kind::Firing | Kind::Escalation | Kind::Reminder, Severity::Low) => "Low",
        }
    }
}

/// The named facts about an alert, in the order in which a reader asks for them.
fn fields(facts: &Facts) -> Vec<Field> {
    let [level, asked, on_call, asked_before, acknowledged] = escalation_wording::fields(facts);
    let fields = [
        ("In place of", in_place_of(facts)),
        ("Since", since(facts)),
        ("Severity", severity(facts)),
        (ended_label(facts), resolved(facts)),
        ("How it ended", how_it_ended(facts)),
        level,
        asked,
        on_call,
        asked_before,
        acknowledged,
        ("Not observed", not_observed(facts)),
        (measured_label(facts), measured(facts)),
        (affected_label(facts), affects(facts)),
        ("Evidence", release_wording::evidence(facts)),
        ("Way back", release_wording::way_back(facts)),
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
    let is_notice = facts.kind == Kind::Notice && facts.incident_change.is_none();
    let since = facts.since.filter(|_| !is_notice)?;
    let before = match (facts.kind, facts.opened_at) {
        (Kind::Firing, Some(opened)) if opened.duration_since(since).as_secs() > 0 => {
            let before = quantities::between(since, opened);
            format!(", {before} before this alert")
        }
        _ => String::new(),
    };
    Some(format!("{}{before}", quantities::time(since)))
}

/// Of an incident; a message about an alert begins with it.
fn severity(facts: &Facts) -> Option<String> {
    facts.incident_change.as_ref()?;
    Some(facts.severity.as_str().to_owned())
}

/// The name of the time at which it was over.
fn ended_label(facts: &Facts) -> &'static str {
    facts.ended.as_ref().map_or("Resolved", |_| "Ended")
}

fn how_it_ended(facts: &Facts) -> Option<String> {
    let ended = facts
        .ended
        .as_ref()
        .filter(|_| facts.kind == Kind::Resolved)?;
    Some(ended.described())
}

fn resolved(facts: &Facts) -> Option<String> {
    let is_end = facts.kind == Kind::Resolved || facts.incident_change.is_some();
    let at = facts.resolved_at.filter(|_| is_end)?;
    let after = facts.since.map_or_else(String::new, |since| {
        format!(", after {}", quantities::between(since, at))
    });
    Some(format!("{}{after}", quantities::time(at)))
}

fn not_observed(facts: &Facts) -> Option<String> {
    let gap = facts.gap?;
    Some(format!(
        "{} to {} ({})",
        quantities::time(gap.from),
        quantities::time(gap.to),
        quantities::between(gap.from, gap.to)
    ))
}

/// A resolution carries the good figure where there is one; else what it
/// carries is how bad it had been.
fn measured_label(facts: &Facts) -> &'static str {
    if facts.kind != Kind::Resolved {
        return "Found";
    }
    if facts.ended.is_some() {
        return "Was";
    }
    let good_again = match (facts.value, facts.threshold) {
        (Some(left), Some(limit)) if facts.unit.as_deref() == Some("d") => left >= limit,
        (Some(value), Some(limit)) => value <= limit && facts.samples != Some(0),
        _ => false,
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
        Some("d") if value < 0.0 => format!("ended {} ago", quantities::days(-value)),
        Some("d") => format!("{} left", quantities::days(value)),
        _ => {
            let measure = Rule::parse(&facts.rule).map_or("measured", Rule::measure);
            format!("{measure} {}", quantities::quantity(value, unit))
        }
    });
    let threshold = facts
        .threshold
        .filter(|_| value.is_some())
        .map(|threshold| format!("threshold {}", quantities::quantity(threshold, unit)));
    let samples = facts
        .samples
        .filter(|samples| value.is_some() && *samples > 0)
        .map(|samples| quantities::count(samples, "measurement"));
    let reason = facts
        .reason
        .as_deref()
        .map(|word| rules::reason(word, facts));
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
    // How often a probe found the same adds nothing to since when it does.
    let counted = matches!(
        Rule::parse(&facts.rule),
        Some(Rule::CriticalError | Rule::AppAlert | Rule::External)
    );
    facts
        .occurrences
        .filter(|times| counted && *times > 1)
        .map(|times| quantities::count(times, "time"))
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
