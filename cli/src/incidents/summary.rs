//! What an incident is, when it was, whom it hit and whose side it is on, for a
//! terminal and for a postmortem. What others wrote must not steer either. Pure.

use clap::ValueEnum;
use jiff::Timestamp;
use ops::{
    messages::plain_text,
    monitoring::document::{Cause, Evidence, Impact, Incident},
};

use super::arguments::Side;
use crate::{
    answered::{self, Answered},
    times::{to_the_minute, to_the_second},
};

/// The incidents as a table.
pub(super) fn table(incidents: &[Answered<Incident>]) -> String {
    const HEADING: [&str; 7] = [
        "number", "severity", "state", "began", "lasted", "cause", "what",
    ];
    if incidents.is_empty() {
        return "there is no incident".to_owned();
    }
    answered::table("incidents", incidents, HEADING, |incident| {
        [
            incident.number.to_string(),
            incident.severity.clone(),
            incident.status.clone(),
            to_the_minute(incident.started_at),
            length(incident.duration_seconds),
            incident.cause.side.clone(),
            name(incident),
        ]
    })
}

/// An incident in a line.
pub(super) fn line(incident: &Incident) -> String {
    format!(
        "incident {}, {}, {}: {}",
        incident.number,
        incident.severity,
        incident.status,
        name(incident)
    )
}

/// What people call it, else what its first alert was about.
pub(super) fn name(incident: &Incident) -> String {
    match (&incident.title, &incident.rule, &incident.subject) {
        (Some(title), _, _) => plain_text::line(title),
        (None, Some(rule), Some(subject)) => plain_text::line(&format!("{rule} {subject}")),
        (None, rule, subject) => plain_text::line(
            rule.as_ref()
                .or(subject.as_ref())
                .map_or("", String::as_str),
        ),
    }
}

/// When it began, was noticed, answered and over, and how long that took.
pub(super) fn times(incident: &Incident) -> [(&'static str, String); 6] {
    let at = |time: Option<Timestamp>, otherwise: &str| {
        time.map_or_else(|| otherwise.to_owned(), to_the_second)
    };
    let took = |seconds: Option<f64>| seconds.map_or_else(|| "not known".to_owned(), length);
    [
        ("began", to_the_second(incident.started_at)),
        ("detected", to_the_second(incident.detected_at)),
        ("acknowledged", at(incident.acknowledged_at, "by nobody")),
        ("resolved", at(incident.resolved_at, "not yet")),
        (
            "time to acknowledge",
            took(incident.time_to_acknowledge_seconds),
        ),
        ("time to resolve", took(incident.time_to_resolve_seconds)),
    ]
}

/// Whom and what it hit.
pub(super) fn impact(impact: &Impact) -> [(&'static str, String); 4] {
    let known = |count: Option<u64>| {
        count.map_or_else(|| "not known".to_owned(), |count| count.to_string())
    };
    let reports = match impact.reporters {
        Some(reporters) => format!("{} by {reporters} users", impact.reports),
        None => impact.reports.to_string(),
    };
    [
        ("users hit", known(impact.users)),
        ("failed requests", known(impact.failed_requests)),
        (
            "minutes down",
            impact
                .minutes_down
                .map_or_else(|| "not known".to_owned(), |minutes| minutes.to_string()),
        ),
        ("reports", reports),
    ]
}

/// Whose side it is on, and who says so.
pub(super) fn cause(cause: &Cause) -> String {
    match &cause.by {
        Some(by) => format!("{}, says {}", side(&cause.side), plain_text::line(by)),
        None => format!("{}, probably", side(&cause.side)),
    }
}

/// What people call a side; a word that this build does not know is shown as it is.
fn side(word: &str) -> &str {
    match Side::from_str(word, false) {
        Ok(Side::Ours) => "ours",
        Ok(Side::Supabase) => "Supabase",
        Ok(Side::Openai) => "OpenAI",
        Ok(Side::Google) => "Google",
        Ok(Side::Resend) => "Resend",
        Ok(Side::Vercel) => "Vercel",
        Ok(Side::Unknown) => "unknown",
        Err(_) => word,
    }
}

/// One thing that was known as it began.
pub(super) fn evidence(evidence: &Evidence) -> String {
    match evidence {
        Evidence::Bad {
            service,
            status,
            reason,
            status_code,
        } => {
            let why: Vec<_> = reason
                .iter()
                .cloned()
                .chain(status_code.map(|code| format!("status {code}")))
                .collect();
            let why = if why.is_empty() {
                String::new()
            } else {
                format!(" ({})", why.join(", "))
            };
            format!("{service} was {status}{why}")
        }
        Evidence::Up { service } => format!("{service} was up"),
        Evidence::Unknown { service } => format!("nothing was known of {service}"),
        Evidence::Deployment(deployment) => format!(
            "deployment {} ({}) was seen first {} before",
            deployment.deployment,
            deployment.commit.as_deref().unwrap_or("no commit"),
            length(deployment.seconds_before)
        ),
    }
}

/// How long, in the two largest units.
pub(super) fn length(seconds: f64) -> String {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "no incident lasts longer than the integer holds, and none negative"
    )]
    let seconds = seconds.max(0.0).round() as u64;
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, _) => format!("{minutes} min {} s", seconds % 60),
        (0, _, _) => format!("{hours} h {minutes} min"),
        (_, _, _) => format!("{days} d {hours} h"),
    }
}

#[cfg(test)]
pub(super) mod tests;
