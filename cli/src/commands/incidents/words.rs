//! Incidents in words, for a terminal and for a postmortem. What others wrote must
//! not steer either. Pure.

use jiff::Timestamp;
use ops::{
    alerts::text,
    monitoring::document::{Cause, Evidence, Happening, Impact, Incident, IncidentStory, Source},
};
use serde_json::Value;

use crate::output;

/// The incidents as a table.
pub(super) fn listing(incidents: &[Incident]) -> String {
    if incidents.is_empty() {
        return "there is no incident".to_owned();
    }
    let rows: Vec<_> = incidents
        .iter()
        .map(|incident| {
            [
                incident.number.to_string(),
                incident.severity.clone(),
                incident.status.clone(),
                minute(incident.started_at),
                length(incident.duration_seconds),
                incident.cause.side.clone(),
                name(incident),
            ]
        })
        .collect();
    output::table(
        [
            "number", "severity", "state", "began", "lasted", "cause", "what",
        ],
        &rows,
    )
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

/// An incident with everything that happened.
pub(super) fn story(story: &IncidentStory) -> String {
    let incident = &story.incident;
    let mut lines = vec![line(incident), String::new()];
    lines.extend(times(incident).map(|(what, value)| format!("{what:<20}{value}")));
    lines.push(format!("{:<20}{}", "affects", incident.affects.join(", ")));
    lines.push(format!("{:<20}{}", "cause", cause(&incident.cause)));
    let evidence = incident.cause.evidence.iter().map(evidence);
    lines.extend(evidence.map(|evidence| format!("{:<20}- {evidence}", "")));
    let impact = impact(&incident.impact).map(|(what, value)| format!("{what:<20}{value}"));
    lines.extend(impact);
    lines.push(String::new());
    lines.extend(story.timeline.iter().map(|entry| {
        let who = entry
            .actor
            .as_deref()
            .map(|actor| format!(" ({})", text::line(actor)));
        format!(
            "{}  {}{}",
            second(entry.at),
            happening(entry),
            who.unwrap_or_default()
        )
    }));
    if story.timeline_left_out > 0 {
        lines.push(format!("and {} more", story.timeline_left_out));
    }
    lines.join("\n")
}

/// What people call it, else what its first alert was about.
pub(super) fn name(incident: &Incident) -> String {
    match (&incident.title, &incident.rule, &incident.subject) {
        (Some(title), _, _) => text::line(title),
        (None, Some(rule), Some(subject)) => text::line(&format!("{rule} {subject}")),
        (None, rule, subject) => text::line(
            rule.as_ref()
                .or(subject.as_ref())
                .map_or("", String::as_str),
        ),
    }
}

/// When what was, and how long it took.
pub(super) fn times(incident: &Incident) -> [(&'static str, String); 6] {
    let at = |time: Option<Timestamp>, otherwise: &str| {
        time.map_or_else(|| otherwise.to_owned(), second)
    };
    let took = |seconds: Option<f64>| seconds.map_or_else(|| "not known".to_owned(), length);
    [
        ("began", second(incident.started_at)),
        ("detected", second(incident.detected_at)),
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
        Some(by) => format!("{}, says {}", side(&cause.side), text::line(by)),
        None => format!("{}, probably", side(&cause.side)),
    }
}

fn side(side: &str) -> &str {
    match side {
        "supabase" => "Supabase",
        "openai" => "OpenAI",
        "google" => "Google",
        "resend" => "Resend",
        "vercel" => "Vercel",
        other => other,
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

/// One thing that happened, without who did it.
pub(super) fn happening(entry: &Happening) -> String {
    let what = match entry.source {
        Source::Sample => format!("first bad sample of {}{}", alert(entry), reason(entry)),
        Source::Alert => format!("{} {}{}", alert(entry), words(&entry.kind), reached(entry)),
        Source::Incident => of_incident(entry),
        Source::Message => message(entry),
    };
    match &entry.note {
        Some(note) => format!("{what}: {}", text::line(note)),
        None => what,
    }
}

fn of_incident(entry: &Happening) -> String {
    let detail = |key: &str| entry.detail[key].as_str().unwrap_or("nothing");
    match entry.kind.as_str() {
        "opened" | "resolved" | "reopened" => format!("incident {}", entry.kind),
        "alert_joined" => format!("{} joined", alert(entry)),
        "severity_changed" | "state_changed" | "cause_changed" => format!(
            "{} from {} to {}",
            words(&entry.kind),
            detail("from"),
            detail("to")
        ),
        "reported" => "a user reported".to_owned(),
        "action" => format!(
            "to do by {} until {}",
            text::line(detail("owner")),
            detail("due")
        ),
        "public_update" => format!("public, {}", detail("state")),
        other => words(other),
    }
}

fn message(entry: &Happening) -> String {
    let detail = |key: &str| entry.detail[key].as_str().map(text::line);
    let people = entry.detail["people"].as_array().into_iter().flatten();
    let people: Vec<_> = people.filter_map(Value::as_str).collect();
    let to = if people.is_empty() {
        String::new()
    } else {
        format!(" to {}", text::line(&people.join(", ")))
    };
    let outcome = match entry.kind.as_str() {
        "sent" => "sent",
        "retry" => "failed, tried again later",
        "dead" => "given up",
        _ => "tried, without an answer",
    };
    let receipt = detail("receipt").map(|receipt| format!(", receipt {receipt}"));
    format!(
        "{} message of {} on {}{to} {outcome}{}",
        detail("message").unwrap_or_default(),
        alert(entry),
        detail("channel").unwrap_or_default(),
        receipt.unwrap_or_default()
    )
}

fn alert(entry: &Happening) -> String {
    let named = [&entry.rule, &entry.subject].into_iter().flatten();
    text::line(&named.map(String::as_str).collect::<Vec<_>>().join(" "))
}

fn reason(entry: &Happening) -> String {
    let reason = entry.detail["reason"].as_str();
    reason.map_or_else(String::new, |reason| format!(" ({})", text::line(reason)))
}

/// Whom a step of the ladder reached, or until when something holds.
fn reached(entry: &Happening) -> String {
    let people: Vec<_> = entry.detail["people"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|person| person["name"].as_str())
        .collect();
    if !people.is_empty() {
        return format!(" to {}", text::line(&people.join(", ")));
    }
    let until = entry.detail["until"]
        .as_str()
        .and_then(|until| until.parse().ok());
    until.map_or_else(String::new, |until| format!(" until {}", minute(until)))
}

fn words(kind: &str) -> String {
    kind.replace('_', " ")
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

/// To the minute, in UTC.
fn minute(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

/// To the second, in UTC.
pub(super) fn second(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

#[cfg(test)]
pub(super) mod tests;
