//! `pourtrait maintenance`: announced work, which silences messages and is left
//! out of uptime. When it is in force is decided in the database.

use ops::rpc::{Call, Retry};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::project::{Project, author};
use crate::{
    arguments::maintenance::{Maintenance, Window},
    environment::Environment,
    failure::Verdict,
    output::{self, Output},
};

/// A window, as every function answers it.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Announced {
    id: Uuid,
    state: String,
    reason: String,
    author: String,
    checks: Vec<String>,
    services: Vec<String>,
    starts_at: String,
    ends_at: String,
    weekdays: Option<Vec<u8>>,
    local_time: Option<String>,
    duration_minutes: Option<u32>,
    zone: Option<String>,
    next_from: Option<String>,
    next_to: Option<String>,
    created_at: String,
    removed_at: Option<String>,
    removed_by: Option<String>,
}

#[derive(Debug, Serialize)]
struct ListMaintenance {}

#[derive(Debug, Deserialize)]
struct Listed {
    maintenance: Vec<Announced>,
}

impl Call for ListMaintenance {
    const NAME: &'static str = "ops_list_maintenance";
    const RETRY: Retry = Retry::Read;
    type Output = Listed;
}

#[derive(Debug, Serialize)]
struct AddMaintenance {
    p_id: Uuid,
    p_window: Value,
    p_by: String,
}

impl Call for AddMaintenance {
    const NAME: &'static str = "ops_add_maintenance";
    const RETRY: Retry = Retry::Idempotent;
    type Output = Announced;
}

#[derive(Debug, Serialize)]
struct RemoveMaintenance {
    p_id: Uuid,
    p_by: String,
}

impl Call for RemoveMaintenance {
    const NAME: &'static str = "ops_remove_maintenance";
    const RETRY: Retry = Retry::Idempotent;
    type Output = Announced;
}

pub(crate) async fn run(
    action: Maintenance,
    environment: &Environment,
    output: Output,
) -> anyhow::Result<Verdict> {
    let project = Project::of(environment)?;
    let window = match action {
        Maintenance::List => {
            let listed = project.call(&ListMaintenance {}).await?.maintenance;
            output.result(&json!(listed), &listing(&listed));
            return Ok(Verdict::Good);
        }
        Maintenance::Add(window) => {
            project.show(environment);
            let add = AddMaintenance {
                p_id: Uuid::new_v4(),
                p_window: document(&window),
                p_by: author(),
            };
            project.call(&add).await?
        }
        Maintenance::Remove { id } => {
            project.show(environment);
            let remove = RemoveMaintenance {
                p_id: id,
                p_by: author(),
            };
            project.call(&remove).await?
        }
    };
    output.result(&json!(window), &listing(&[window]));
    Ok(Verdict::Good)
}

fn document(window: &Window) -> Value {
    json!({
        "reason": window.reason,
        "startsAt": window.from,
        "endsAt": window.until,
        "checks": window.checks,
        "services": window.services,
        "weekdays": window.every.as_ref().map(|days| &days.0),
        "localTime": window.at,
        "durationMinutes": window.minutes,
        "zone": window.zone,
    })
}

fn listing(windows: &[Announced]) -> String {
    let rows: Vec<_> = windows
        .iter()
        .map(|window| {
            [
                window.id.to_string(),
                window.state.clone(),
                window.next_from.clone().unwrap_or_default(),
                window.next_to.clone().unwrap_or_default(),
                scope(window),
                format!("{} ({})", window.reason, window.author),
            ]
        })
        .collect();
    output::table(["id", "state", "from", "to", "of", "reason"], &rows)
}

fn scope(window: &Announced) -> String {
    let names: Vec<_> = window
        .services
        .iter()
        .chain(&window.checks)
        .cloned()
        .collect();
    if names.is_empty() {
        "everything".to_owned()
    } else {
        names.join(", ")
    }
}
