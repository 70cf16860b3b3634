//! What people do about an incident: open it, acknowledge its alerts, update it,
//! write something down.

use jiff::{Timestamp, civil::Date};
use ops::{
    alerts::acknowledge::{ActOnAlert, Action},
    monitoring::document::Incident,
    rpc::{Call, Retry},
};
use serde::Serialize;
use uuid::Uuid;

use super::{
    arguments::{Change, Changed, Severity, Side, State},
    story,
};
use crate::{
    project::{Project, author},
    times::end_of,
};
use terminal::failure::Misuse;

#[derive(Debug, Serialize)]
struct OpenIncident {
    p_request: Uuid,
    p_title: String,
    p_severity: Severity,
    p_affects: Vec<String>,
    p_by: String,
    p_started_at: Option<Timestamp>,
}

impl Call for OpenIncident {
    const NAME: &'static str = "ops_open_incident";
    const RETRY: Retry = Retry::Idempotent;
    type Output = Incident;
}

#[derive(Debug, Serialize)]
struct UpdateIncident {
    p_request: Uuid,
    p_number: i64,
    p_state: Option<State>,
    p_severity: Option<Severity>,
    p_cause: Option<Side>,
    p_public: Option<String>,
    p_by: String,
}

impl Call for UpdateIncident {
    const NAME: &'static str = "ops_update_incident";
    const RETRY: Retry = Retry::Idempotent;
    type Output = Incident;
}

#[derive(Debug, Serialize)]
struct TitleIncident {
    p_request: Uuid,
    p_number: i64,
    p_title: String,
    p_by: String,
}

impl Call for TitleIncident {
    const NAME: &'static str = "ops_title_incident";
    const RETRY: Retry = Retry::Idempotent;
    type Output = Incident;
}

#[derive(Debug, Serialize)]
struct NoteIncident {
    p_request: Uuid,
    p_number: i64,
    p_kind: NoteKind,
    p_text: String,
    p_by: String,
    p_owner: Option<String>,
    p_due: Option<Date>,
}

/// What a note is.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "lowercase")]
enum NoteKind {
    Note,
    Lesson,
    Action,
}

impl Call for NoteIncident {
    const NAME: &'static str = "ops_note_incident";
    const RETRY: Retry = Retry::Idempotent;
    type Output = Incident;
}

/// Does what changes an incident; returns it as it is then.
pub(super) async fn apply(project: &Project, change: Change) -> anyhow::Result<Incident> {
    match change {
        Change::Open {
            title,
            severity,
            affects,
            since,
        } => {
            let open = OpenIncident {
                p_request: Uuid::new_v4(),
                p_title: title,
                p_severity: severity,
                p_affects: affects,
                p_by: author(),
                p_started_at: since,
            };
            project.call(&open).await
        }
        Change::Update { number, what } => change_incident(project, number, what).await,
        Change::Note {
            number,
            text,
            lesson,
        } => {
            let kind = if lesson {
                NoteKind::Lesson
            } else {
                NoteKind::Note
            };
            project.call(&note(number, kind, text)).await
        }
        Change::Action {
            number,
            text,
            owner,
            due,
        } => {
            let action = NoteIncident {
                p_owner: Some(owner),
                p_due: Some(due),
                ..note(number, NoteKind::Action, text)
            };
            project.call(&action).await
        }
        Change::Acknowledge {
            number,
            length,
            note,
        } => {
            let until = length.map(end_of).transpose()?;
            acknowledge(project, number, until, note).await
        }
    }
}

/// The title comes first: whoever reads the words reads it above them.
async fn change_incident(
    project: &Project,
    number: i64,
    mut what: Changed,
) -> anyhow::Result<Incident> {
    let mut titled = None;
    if let Some(title) = what.public_title.take() {
        let call = TitleIncident {
            p_request: Uuid::new_v4(),
            p_number: number,
            p_title: title,
            p_by: author(),
        };
        titled = Some(project.call(&call).await?);
    }
    match titled {
        Some(titled) if what.is_empty() => Ok(titled),
        _ => project.call(&update(number, what)).await,
    }
}

fn update(number: i64, what: Changed) -> UpdateIncident {
    UpdateIncident {
        p_request: Uuid::new_v4(),
        p_number: number,
        p_state: what.state,
        p_severity: what.severity,
        p_cause: what.cause,
        p_public: what.public,
        p_by: author(),
    }
}

fn note(number: i64, kind: NoteKind, text: String) -> NoteIncident {
    NoteIncident {
        p_request: Uuid::new_v4(),
        p_number: number,
        p_kind: kind,
        p_text: text,
        p_by: author(),
        p_owner: None,
        p_due: None,
    }
}

/// Acknowledges each of its open alerts; one that has resolved meanwhile needs
/// nobody.
async fn acknowledge(
    project: &Project,
    number: i64,
    until: Option<Timestamp>,
    note: Option<String>,
) -> anyhow::Result<Incident> {
    let story = story::fetch(project, number).await?;
    if story.open_alerts.is_empty() {
        return Err(Misuse(format!("incident {number} has no open alert")).into());
    }
    for alert in story.open_alerts {
        let act = ActOnAlert {
            p_request: Uuid::new_v4(),
            p_alert: alert,
            p_action: Action::Acknowledge,
            p_until: until,
            p_note: note.clone(),
            p_actor: author(),
            p_link: None,
            p_role: None,
        };
        project.call(&act).await?;
    }
    Ok(story::fetch(project, number).await?.incident)
}
