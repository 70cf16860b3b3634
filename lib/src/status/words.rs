//! What the page says, in sentences: each is true of the document that it is made from.

use jiff::Timestamp;

use super::document::{
    Document, Incident, Maintenance, Progress, State, Update, UpdateKind, WorkState,
};
use crate::messages::{
    message_facts::Severity,
    plain_text,
    quantities::{duration, time},
};

/// How long a text of a person may be, in characters.
const LIMIT: usize = 5_000;

/// A component's state, in a word or two.
#[must_use]
pub(super) fn state(state: State) -> &'static str {
    match state {
        State::Operational => "Working",
        State::Maintenance => "Under maintenance",
        State::Degraded => "Slow or partly failing",
        State::PartialOutage => "Partly not working",
        State::MajorOutage => "Not working",
        State::Unknown => "Not known",
    }
}

/// How far people are, in a word.
pub(super) fn progress(progress: Progress) -> &'static str {
    match progress {
        Progress::Investigating => "Investigating",
        Progress::Identified => "Identified",
        Progress::Monitoring => "Monitoring",
        Progress::Resolved => "Resolved",
    }
}

/// The first sentence of the page.
pub(super) fn headline(document: &Document) -> String {
    let state = document.state;
    let worst: Vec<&str> = document
        .components
        .iter()
        .filter(|component| component.state == state)
        .map(|component| component.name.as_str())
        .collect();
    let names = join(&worst);
    let (is, does) = if worst.len() == 1 {
        ("is", "does")
    } else {
        ("are", "do")
    };
    let is_open = |incident: &Incident| incident.status != Progress::Resolved;
    match state {
        State::Operational if document.incidents.iter().any(is_open) => {
            "Everything works again. What happened is not closed yet.".to_owned()
        }
        State::Operational => "Everything works.".to_owned(),
        State::Maintenance => format!("{names} {is} under maintenance."),
        State::Degraded => format!("{names} {is} slow or failing in part."),
        State::PartialOutage => format!("Parts of {names} do not work."),
        State::MajorOutage => format!("{names} {does} not work."),
        State::Unknown => "How things are is not known right now.".to_owned(),
    }
}

/// Names as a sentence lists them, at most three.
fn join(names: &[&str]) -> String {
    let lines: Vec<String> = names.iter().map(|name| plain_text::line(name)).collect();
    match &lines[..] {
        [] => "Something".to_owned(),
        [one] => one.clone(),
        [one, two] => format!("{one} and {two}"),
        [one, two, three] => format!("{one}, {two} and {three}"),
        [one, two, rest @ ..] => format!("{one}, {two} and {} more", rest.len()),
    }
}

/// An incident's title, which never changes: the one that people gave, else what suffers and
/// how.
pub(super) fn incident_title(incident: &Incident, document: &Document) -> String {
    let given = incident.title.as_deref().map(plain_text::line);
    given.filter(|title| !title.is_empty()).unwrap_or_else(|| {
        automatic_title(&document.names(&incident.components), incident.severity)
    })
}

/// The same as it stands now: while an incident is open, what suffers may work again.
pub(super) fn standing_title(incident: &Incident, document: &Document) -> String {
    let given = incident.title.as_deref().map(plain_text::line);
    let is_given = given.is_some_and(|title| !title.is_empty());
    if is_given || incident.status == Progress::Resolved {
        return incident_title(incident, document);
    }
    let suffering = document
        .components
        .iter()
        .filter(|component| incident.components.contains(&component.id));
    let worst = suffering.map(|component| component.state).max();
    let names = document.names(&incident.components);
    let what = match worst {
        Some(State::Operational) => "working again, not closed yet",
        Some(State::Maintenance) => "under maintenance",
        Some(State::Degraded) => "slow or failing in part",
        Some(State::PartialOutage) => "partly not working",
        Some(State::MajorOutage) => "not working",
        // Where nothing is known, what was known last stands.
        Some(State::Unknown) | None => return incident_title(incident, document),
    };
    format!("{}: {what}", join(&names))
}

/// The title of something that nobody gave one.
pub(super) fn automatic_title(names: &[&str], severity: Severity) -> String {
    let what = match severity {
        Severity::Critical => "not working",
        Severity::High => "partly not working",
        Severity::Medium | Severity::Low => "slow or failing in part",
    };
    if names.is_empty() {
        "Trouble with the service".to_owned()
    } else {
        format!("{}: {what}", join(names))
    }
}

/// What an update says: the words of a person, else what is known by itself.
pub(super) fn update(update: &Update, incident: &Incident) -> String {
    let written = update.words.as_deref().map(text);
    match (update.kind, written) {
        (UpdateKind::Words, Some(words)) => words,
        (UpdateKind::Words, None) => progress(update.status).to_owned(),
        (UpdateKind::Began, _) => format!(
            "Our own checks have found trouble since {}.",
            time(incident.started_at)
        ),
        (UpdateKind::Reopened, _) => "It has come back.".to_owned(),
        (UpdateKind::Resolved, _) => {
            let lasted = incident.resolved_at.unwrap_or(update.at);
            let lasted = lasted.duration_since(incident.started_at).as_secs();
            let lasted = duration(u64::try_from(lasted).unwrap_or_default());
            format!("It is over. It lasted {lasted}.")
        }
    }
}

/// The sentence that stands for words as long as nobody has written any.
pub(super) fn meanwhile(incident: &Incident, looked_at: Option<Timestamp>) -> Option<String> {
    let silent = incident
        .updates
        .iter()
        .all(|update| update.kind != UpdateKind::Words);
    if !silent || incident.status == Progress::Resolved {
        return None;
    }
    let told = match incident.told_at {
        Some(at) => format!("The team was told at {}.", time(at)),
        None => "The team has not been told yet.".to_owned(),
    };
    let look = looked_at.map(|at| format!(" Our last look was at {}.", time(at)));
    Some(format!(
        "Measured since {}. {told}{} Nobody has written about it yet.",
        time(incident.started_at),
        look.unwrap_or_default()
    ))
}

/// The title of announced work.
pub(super) fn maintenance_title(maintenance: &Maintenance) -> String {
    let given = maintenance.title.as_deref().map(plain_text::line);
    given
        .filter(|title| !title.is_empty())
        .unwrap_or_else(|| "Planned maintenance".to_owned())
}

/// How far announced work is, in a word.
pub(super) fn work_state(state: WorkState) -> &'static str {
    match state {
        WorkState::Planned => "Planned",
        WorkState::Active => "Under way",
        WorkState::Over => "Done",
        WorkState::Cancelled => "Cancelled",
    }
}

/// A text of a person, with its lines, without anything that shows nothing.
pub(super) fn text(words: &str) -> String {
    plain_text::cut(&plain_text::paragraph(words), LIMIT)
}

/// The name of the page.
pub(super) fn page_name(name: &str) -> String {
    let name = plain_text::line(name);
    if name.is_empty() {
        "Status".to_owned()
    } else {
        format!("{name} status")
    }
}

#[cfg(test)]
mod tests {
    use State::{Degraded, MajorOutage, Operational, PartialOutage, Unknown};

    use super::*;
    use crate::status::sample;

    #[test]
    fn the_first_sentence_names_what_is_worst() {
        let check = |states: &[State], expected: &str| {
            let document = sample::document(states);
            assert_eq!(headline(&document), expected);
        };
        check(&[Operational], "Everything works.");
        check(&[MajorOutage, Degraded], "Part 0 does not work.");
        check(
            &[MajorOutage, MajorOutage],
            "Part 0 and Part 1 do not work.",
        );
        check(&[PartialOutage], "Parts of Part 0 do not work.");
        check(
            &[Degraded; 5],
            "Part 0, Part 1 and 3 more are slow or failing in part.",
        );
        check(
            &[Operational, Unknown],
            "How things are is not known right now.",
        );
        check(&[], "How things are is not known right now.");

        let mut document = sample::document(&[Operational]);
        let mut incident = sample::incident();
        for (status, expected) in [
            (
                Progress::Monitoring,
                "Everything works again. What happened is not closed yet.",
            ),
            (Progress::Resolved, "Everything works."),
        ] {
            incident.status = status;
            document.incidents = vec![incident.clone()];
            assert_eq!(headline(&document), expected);
        }
    }

    #[test]
    fn a_title_says_how_it_is_now_and_afterwards_how_it_was() {
        let mut incident = sample::incident();
        incident.status = Progress::Monitoring;
        for (state, expected) in [
            (Operational, "Part 0: working again, not closed yet"),
            (Degraded, "Part 0: slow or failing in part"),
            (PartialOutage, "Part 0: partly not working"),
            (MajorOutage, "Part 0: not working"),
            (State::Maintenance, "Part 0: under maintenance"),
            (Unknown, "Part 0: not working"),
        ] {
            let document = sample::document(&[state]);
            assert_eq!(standing_title(&incident, &document), expected, "{state:?}");
        }
        let document = sample::document(&[Operational]);
        incident.status = Progress::Resolved;
        assert_eq!(standing_title(&incident, &document), "Part 0: not working");
        incident.status = Progress::Monitoring;
        incident.title = Some("Sign-in fails".to_owned());
        assert_eq!(standing_title(&incident, &document), "Sign-in fails");
        incident.title = None;
        incident.components = vec!["elsewhere".to_owned()];
        assert_eq!(
            standing_title(&incident, &document),
            "Trouble with the service"
        );
    }

    #[test]
    fn before_anybody_wrote_the_page_says_what_is_true_by_itself() {
        let mut incident = sample::incident();
        incident
            .updates
            .retain(|update| update.kind != UpdateKind::Words);
        incident.status = Progress::Investigating;
        let look = "2026-11-24T10:05:00Z".parse().ok();
        assert_eq!(
            meanwhile(&incident, look).unwrap(),
            "Measured since 2026-11-24 10:00 UTC. The team has not been told yet. Our last look was at \
             2026-11-24 10:05 UTC. Nobody has written about it yet."
        );
        incident.told_at = "2026-11-24T10:03:00Z".parse().ok();
        assert!(
            meanwhile(&incident, None)
                .unwrap()
                .contains("was told at 2026-11-24 10:03 UTC. Nobody")
        );
        assert_eq!(meanwhile(&sample::incident(), look), None, "somebody wrote");
        incident.status = Progress::Resolved;
        assert_eq!(meanwhile(&incident, look), None, "it is over");
    }
}
