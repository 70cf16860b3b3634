//! A postmortem in Markdown: what is known is written down, what only people know
//! is asked for. Nothing is invented. Pure.

use std::fmt::Write;

use ops::{messages::plain_text, monitoring::document::Evidence};

use super::{
    story::Story,
    summary,
    timeline::{Entry, Event, IncidentEvent, Task},
};
use crate::answered::known;

/// The postmortem of an incident.
pub(super) fn write(story: &Story) -> String {
    let incident = &story.incident;
    let mut text = format!(
        "# Incident {}: {}\n\nSeverity {}, {}. Affects {}.\n",
        incident.number,
        escape(&summary::name(incident)),
        incident.severity,
        incident.status,
        list(&incident.affects)
    );
    section(
        &mut text,
        "Summary",
        &missing("what happened and whom it touched, in two sentences"),
    );
    let impact = summary::impact(&incident.impact);
    section(
        &mut text,
        "Impact",
        &bullets(impact.map(|(what, value)| format!("{what}: {value}"))),
    );
    section(&mut text, "Cause", &cause(story));
    section(
        &mut text,
        "Times",
        &bullets(summary::times(incident).map(|(what, value)| format!("{what}: {value}"))),
    );
    section(&mut text, "Timeline", &timeline(story));
    section(&mut text, "What went well", &missing("what helped"));
    section(&mut text, "Lessons", &lessons(story));
    section(&mut text, "Actions", &actions(story));
    text
}

fn section(text: &mut String, title: &str, body: &str) {
    let _ = write!(text, "\n## {title}\n\n{}\n", body.trim_end());
}

/// What only people know.
fn missing(what: &str) -> String {
    format!("_To be filled in: {what}._")
}

fn cause(story: &Story) -> String {
    let cause = &story.incident.cause;
    let is_among = |evidence: &Evidence| matches!(evidence, Evidence::Deployment(_));
    // A deployment that was recent is among the evidence.
    let began_after = story.incident.began_after.as_ref();
    let began_after = began_after.filter(|_| !cause.evidence.iter().any(is_among));
    let began_after = began_after.map(|deployment| {
        format!(
            "it began {} after deployment {} was seen first",
            summary::length(deployment.seconds_before),
            deployment.deployment
        )
    });
    format!(
        "Side: {}.\n\n{}\n\n{}",
        escape(&summary::cause(cause)),
        bullets(
            cause
                .evidence
                .iter()
                .map(summary::evidence)
                .chain(began_after)
        ),
        missing("the root cause, and why it was not noticed before")
    )
}

fn timeline(story: &Story) -> String {
    let mut table = "| Time | What | Who |\n| --- | --- | --- |\n".to_owned();
    for answered in &story.timeline {
        let (time, who) = match answered.known() {
            Some(entry) => (entry.time(), entry.actor().unwrap_or_default()),
            None => (String::new(), ""),
        };
        let what = answered.describe(Entry::happening);
        let _ = writeln!(table, "| {time} | {} | {} |", escape(&what), escape(who));
    }
    if story.timeline_left_out > 0 {
        let _ = writeln!(table, "\nAnd {} more.", story.timeline_left_out);
    }
    table
}

fn lessons(story: &Story) -> String {
    let lessons: Vec<_> = of_the_incident(story)
        .filter(|(_, event)| matches!(event, IncidentEvent::Lesson(_)))
        .filter_map(|(entry, _)| entry.note().map(str::to_owned))
        .collect();
    if lessons.is_empty() {
        return missing(
            "what we know now that we did not know then; `pourtrait incidents note NUMBER --lesson`",
        );
    }
    bullets(lessons)
}

fn actions(story: &Story) -> String {
    let rows: Vec<_> = of_the_incident(story)
        .filter_map(|(entry, event)| {
            let IncidentEvent::Action(task) = event else {
                return None;
            };
            Some(row(entry, task))
        })
        .collect();
    if rows.is_empty() {
        return missing("what is done, by whom, until when; `pourtrait incidents action NUMBER`");
    }
    format!(
        "| What | Owner | Due |\n| --- | --- | --- |\n{}\n",
        rows.join("\n")
    )
}

fn row(entry: &Entry, Task { owner, due }: &Task) -> String {
    let what = escape(entry.note().unwrap_or_default());
    format!("| {what} | {} | {due} |", escape(owner))
}

/// What happened to the incident itself.
fn of_the_incident(story: &Story) -> impl Iterator<Item = (&Entry, &IncidentEvent)> {
    known(&story.timeline).filter_map(|entry| match &entry.event {
        Event::Incident(event) => Some((entry, event)),
        Event::FirstBadSample(_) | Event::Alert(_) | Event::Message(_) => None,
    })
}

fn bullets(lines: impl IntoIterator<Item = String>) -> String {
    let lines = lines.into_iter().map(|line| format!("- {}", escape(&line)));
    lines.collect::<Vec<_>>().join("\n")
}

fn list(services: &[String]) -> String {
    if services.is_empty() {
        return "nothing that was named".to_owned();
    }
    escape(&services.join(", "))
}

/// A text of others as text: on one line, and neither Markdown nor HTML.
fn escape(text: &str) -> String {
    plain_text::escaped(&plain_text::line(text), usize::MAX, |letter| match letter {
        '\\' => Some("\\\\"),
        '|' => Some("\\|"),
        '<' => Some("\\<"),
        '>' => Some("\\>"),
        '*' => Some("\\*"),
        '_' => Some("\\_"),
        '`' => Some("\\`"),
        '[' => Some("\\["),
        ']' => Some("\\]"),
        '#' => Some("\\#"),
        _ => None,
    })
}

#[cfg(test)]
mod tests;
