//! What subscribers are told, in words, by whatever they are reached.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::super::{
    document::{Progress, State},
    words,
};
use crate::messages::{message_facts::Severity, plain_text, quantities::time};

/// How long a subject may be, in characters.
const SUBJECT: usize = 200;

/// What a message is about, as the database keeps it.
#[derive(Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub(super) enum Facts {
    /// Whether the address wants to hear at all.
    Confirm {},
    /// Somebody asked for an address that hears already.
    Known {},
    /// A device hears from now on.
    Welcome {},
    /// Components changed.
    States { at: Timestamp, changes: Vec<Change> },
    /// People wrote about an incident.
    Words(Words),
    /// Work was announced, changed or cancelled.
    Maintenance(Work),
}

#[derive(Debug, Deserialize)]
pub(super) struct Change {
    id: String,
    name: String,
    from: State,
    to: State,
}

#[derive(Debug, Deserialize)]
pub(super) struct Words {
    at: Timestamp,
    incident: String,
    title: Option<String>,
    severity: Severity,
    status: Progress,
    words: String,
    components: Vec<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Work {
    maintenance: String,
    title: Option<String>,
    words: String,
    from: Timestamp,
    to: Timestamp,
    cancelled: bool,
}

/// A piece of news.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct News {
    /// It in one line.
    pub(super) subject: String,
    pub(super) text: String,
    /// Where on the page it stands, if that is one place.
    pub(super) place: Option<String>,
    /// What it goes on from: an incident, announced work, or some components.
    pub(super) about: Option<About>,
}

/// What a piece of news goes on from.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum About {
    /// What people tell, and go on to tell.
    Story(String),
    /// How some components are, which the next such news makes out of date.
    Components(String),
}

impl Facts {
    /// # Errors
    /// When this release does not know such facts.
    pub(super) fn read(facts: &Value) -> serde_json::Result<Self> {
        Self::deserialize(facts)
    }

    /// What is told; nothing of what only asks for an answer.
    pub(super) fn news(&self) -> Option<News> {
        match self {
            Self::Confirm {} => None,
            Self::Known {} => Some(News {
                subject: "You are subscribed already".to_owned(),
                text: "Somebody, maybe you, asked to be told at this address. It is already: nothing has changed.".to_owned(),
                place: None,
                about: None,
            }),
            Self::Welcome {} => Some(News {
                subject: "This device is told from now on".to_owned(),
                text: "When something changes, it is shown here.".to_owned(),
                place: None,
                about: None,
            }),
            Self::States { at, changes } => Some(states(*at, changes)),
            Self::Words(facts) => Some(told(facts)),
            Self::Maintenance(facts) => Some(work(facts)),
        }
    }
}

/// A subject under the name of the page.
pub(super) fn subject(page: &str, subject: &str) -> String {
    plain_text::cut(&plain_text::line(&format!("[{page}] {subject}")), SUBJECT)
}

fn states(at: Timestamp, changes: &[Change]) -> News {
    let lines: Vec<String> = changes
        .iter()
        .map(|change| {
            format!(
                "{}: {} (was: {})",
                plain_text::line(&change.name),
                words::state(change.to),
                words::state(change.from).to_lowercase()
            )
        })
        .collect();
    let subject = match changes {
        [one] => format!("{}: {}", one.name, words::state(one.to).to_lowercase()),
        changes => format!("{} components changed", changes.len()),
    };
    let ids: Vec<&str> = changes.iter().map(|change| change.id.as_str()).collect();
    News {
        subject,
        text: format!("At {}:\n\n{}", time(at), lines.join("\n")),
        place: None,
        about: Some(About::Components(ids.join(" "))),
    }
}

fn told(facts: &Words) -> News {
    let names: Vec<&str> = facts.components.iter().map(String::as_str).collect();
    let title = facts
        .title
        .clone()
        .unwrap_or_else(|| words::automatic_title(&names, facts.severity));
    News {
        subject: title,
        text: format!(
            "{}, {}\n\n{}",
            words::progress(facts.status),
            time(facts.at),
            words::text(&facts.words),
        ),
        place: Some(format!("/status/incidents/{}", facts.incident)),
        // One story an incident, whatever became of its title.
        about: Some(About::Story(format!("incident-{}", facts.incident))),
    }
}

fn work(facts: &Work) -> News {
    let title = facts
        .title
        .clone()
        .unwrap_or_else(|| "Planned maintenance".to_owned());
    News {
        subject: if facts.cancelled {
            format!("Cancelled: {title}")
        } else {
            title
        },
        text: format!(
            "{}From {} to {}\n\n{}",
            if facts.cancelled { "Cancelled. " } else { "" },
            time(facts.from),
            time(facts.to),
            words::text(&facts.words),
        ),
        place: Some(format!("/status#maintenance-{}", facts.maintenance)),
        about: Some(About::Story(format!("maintenance-{}", facts.maintenance))),
    }
}
