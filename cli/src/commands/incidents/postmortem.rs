//! A postmortem in Markdown: what is known is written down, what only people know
//! is asked for. Nothing is invented. Pure.

use std::fmt::Write;

use ops::{
    alerts::text,
    monitoring::document::{Evidence, Happening, IncidentStory, Source},
};

use super::words;

/// The postmortem of an incident.
pub(super) fn write(story: &IncidentStory) -> String {
    let incident = &story.incident;
    let mut text = format!(
        "# Incident {}: {}\n\nSeverity {}, {}. Affects {}.\n",
        incident.number,
        escape(&words::name(incident)),
        incident.severity,
        incident.status,
        list(&incident.affects)
    );
    section(
        &mut text,
        "Summary",
        &missing("what happened and whom it touched, in two sentences"),
    );
    let impact = words::impact(&incident.impact);
    section(
        &mut text,
        "Impact",
        &bullets(impact.map(|(what, value)| format!("{what}: {value}"))),
    );
    section(&mut text, "Cause", &cause(story));
    section(
        &mut text,
        "Times",
        &bullets(words::times(incident).map(|(what, value)| format!("{what}: {value}"))),
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

fn cause(story: &IncidentStory) -> String {
    let cause = &story.incident.cause;
    let named = |evidence: &Evidence| matches!(evidence, Evidence::Deployment(_));
    let began_after = story.incident.began_after.as_ref();
    // One that was recent is among the evidence.
    let began_after = began_after.filter(|_| !cause.evidence.iter().any(named));
    let began_after = began_after.map(|deployment| {
        format!(
            "it began {} after deployment {} was seen first",
            words::length(deployment.seconds_before),
            deployment.deployment
        )
    });
    format!(
        "Side: {}.\n\n{}\n\n{}",
        escape(&words::cause(cause)),
        bullets(
            cause
                .evidence
                .iter()
                .map(words::evidence)
                .chain(began_after)
        ),
        missing("the root cause, and why it was not noticed before")
    )
}

fn timeline(story: &IncidentStory) -> String {
    let mut table = "| Time | What | Who |\n| --- | --- | --- |\n".to_owned();
    for entry in &story.timeline {
        let who = entry.actor.as_deref().unwrap_or_default();
        let _ = writeln!(
            table,
            "| {} | {} | {} |",
            words::second(entry.at),
            escape(&words::happening(entry)),
            escape(who)
        );
    }
    if story.timeline_left_out > 0 {
        let _ = writeln!(table, "\nAnd {} more.", story.timeline_left_out);
    }
    table
}

fn lessons(story: &IncidentStory) -> String {
    let lessons: Vec<_> = of_kind(story, "lesson")
        .filter_map(|entry| entry.note.clone())
        .collect();
    if lessons.is_empty() {
        return missing(
            "what we know now that we did not know then; `pourtrait incidents note NUMBER --lesson`",
        );
    }
    bullets(lessons)
}

fn actions(story: &IncidentStory) -> String {
    let mut table = "| What | Owner | Due |\n| --- | --- | --- |\n".to_owned();
    let mut none = true;
    for entry in of_kind(story, "action") {
        none = false;
        let detail = |key: &str| escape(entry.detail[key].as_str().unwrap_or_default());
        let what = escape(entry.note.as_deref().unwrap_or_default());
        let _ = writeln!(
            table,
            "| {what} | {} | {} |",
            detail("owner"),
            detail("due")
        );
    }
    if none {
        return missing("what is done, by whom, until when; `pourtrait incidents action NUMBER`");
    }
    table
}

fn of_kind<'a>(story: &'a IncidentStory, kind: &'a str) -> impl Iterator<Item = &'a Happening> {
    story
        .timeline
        .iter()
        .filter(move |entry| entry.source == Source::Incident && entry.kind == kind)
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
    text::escaped(&text::line(text), usize::MAX, |letter| match letter {
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
