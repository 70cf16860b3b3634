//! `pourtrait incidents`: what people work on, what they do about it, and what is
//! written about it afterwards.

mod postmortem;
mod words;

use std::{fs::File, io::Write, path::Path};

use anyhow::Context;
use jiff::{Timestamp, civil::Date};
use ops::{
    alerts::acknowledge::{ActOnAlert, Action},
    monitoring::document::{Incident, IncidentStory},
    rpc::{Call, Retry},
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::{
    lengths,
    project::{Project, author},
};
use crate::{
    arguments::incidents::{Change, Incidents, Severity, Side, State},
    environment::Environment,
    failure::{Misuse, Verdict},
    output::{self, Output},
};

#[derive(Debug, Serialize)]
struct ListIncidents {
    p_limit: u8,
    p_before: Option<i64>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Listed {
    incidents: Vec<Incident>,
}

impl Call for ListIncidents {
    const NAME: &'static str = "ops_list_incidents";
    const RETRY: Retry = Retry::Read;
    type Output = Listed;
}

#[derive(Debug, Serialize)]
struct ShowIncident {
    p_number: i64,
}

impl Call for ShowIncident {
    const NAME: &'static str = "ops_show_incident";
    const RETRY: Retry = Retry::Read;
    type Output = Option<IncidentStory>;
}

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
struct NoteIncident {
    p_request: Uuid,
    p_number: i64,
    p_kind: &'static str,
    p_text: String,
    p_by: String,
    p_owner: Option<String>,
    p_due: Option<Date>,
}

impl Call for NoteIncident {
    const NAME: &'static str = "ops_note_incident";
    const RETRY: Retry = Retry::Idempotent;
    type Output = Incident;
}

pub(crate) async fn run(
    action: Incidents,
    environment: &Environment,
    output: Output,
) -> anyhow::Result<Verdict> {
    let project = Project::of(environment)?;
    match action {
        Incidents::List { limit, before } => {
            let list = ListIncidents {
                p_limit: limit,
                p_before: before,
            };
            let listed = project.call(&list).await?;
            output.result(&json!(listed), &words::listing(&listed.incidents));
        }
        Incidents::Show { number } => {
            let story = show(&project, number).await?;
            output.result(&json!(story), &words::story(&story));
        }
        Incidents::Postmortem { number, out } => {
            let text = postmortem::write(&show(&project, number).await?);
            keep(&text, out.as_deref(), output)?;
        }
        Incidents::Change(change) => {
            project.show(environment);
            let changed = apply(&project, change).await?;
            output.result(&json!(changed), &words::line(&changed));
        }
    }
    Ok(Verdict::Good)
}

/// Does what changes an incident; returns it as it is then.
async fn apply(project: &Project, change: Change) -> anyhow::Result<Incident> {
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
        Change::Update { number, what } => {
            let update = UpdateIncident {
                p_request: Uuid::new_v4(),
                p_number: number,
                p_state: what.state,
                p_severity: what.severity,
                p_cause: what.cause,
                p_public: what.public,
                p_by: author(),
            };
            project.call(&update).await
        }
        Change::Note {
            number,
            text,
            lesson,
        } => {
            let kind = if lesson { "lesson" } else { "note" };
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
                ..note(number, "action", text)
            };
            project.call(&action).await
        }
        Change::Acknowledge {
            number,
            length,
            note,
        } => {
            let until = length.as_deref().map(lengths::until).transpose()?;
            acknowledge(project, number, until, note).await
        }
    }
}

fn note(number: i64, kind: &'static str, text: String) -> NoteIncident {
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
    let story = show(project, number).await?;
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
        };
        project.call(&act).await?;
    }
    Ok(show(project, number).await?.incident)
}

async fn show(project: &Project, number: i64) -> anyhow::Result<IncidentStory> {
    let story = project.call(&ShowIncident { p_number: number }).await?;
    story.ok_or_else(|| Misuse(format!("there is no incident {number}")).into())
}

/// Writes a text where it was asked for, never over what somebody has edited.
fn keep(text: &str, out: Option<&Path>, output: Output) -> anyhow::Result<()> {
    let Some(path) = out else {
        output.result(&json!({ "markdown": text }), text);
        return Ok(());
    };
    let mut file =
        File::create_new(path).with_context(|| format!("cannot write {}", path.display()))?;
    file.write_all(text.as_bytes())
        .with_context(|| format!("cannot write {}", path.display()))?;
    output::note(&format!("written to {}", path.display()));
    Ok(())
}
