//! `pourtrait maintenance`: announced work, which silences messages and is left
//! out of uptime. The database decides when it is in force.

pub(crate) mod arguments;

use jiff::Timestamp;
use ops::rpc::{Call, Retry};
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use crate::{
    answered::{self, Answered, word},
    environment::Environment,
    project::{Project, author},
};
use arguments::{Maintenance, Weekdays, Window};
use terminal::{failure::Verdict, output::Output};

/// A window, as far as a list shows it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Announced {
    id: Uuid,
    state: State,
    reason: String,
    author: String,
    checks: Vec<String>,
    services: Vec<String>,
    next_from: Option<String>,
    next_to: Option<String>,
}

/// How far a window has come.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum State {
    Planned,
    Active,
    Over,
    Removed,
}

#[derive(Debug, Serialize)]
struct ListMaintenance {}

#[derive(Debug, Deserialize)]
struct Listed {
    maintenance: Vec<Answered<Announced>>,
}

impl Call for ListMaintenance {
    const NAME: &'static str = "ops_list_maintenance";
    const RETRY: Retry = Retry::Read;
    type Output = Listed;
}

#[derive(Debug, Serialize)]
struct AddMaintenance {
    p_id: Uuid,
    p_window: NewWindow,
    p_by: String,
}

/// A window to announce.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct NewWindow {
    reason: String,
    starts_at: Option<Timestamp>,
    ends_at: Timestamp,
    checks: Vec<String>,
    services: Vec<String>,
    weekdays: Option<Weekdays>,
    local_time: Option<String>,
    duration_minutes: Option<u32>,
    zone: Option<String>,
}

impl From<Window> for NewWindow {
    fn from(window: Window) -> Self {
        Self {
            reason: window.reason,
            starts_at: window.from,
            ends_at: window.until,
            checks: window.checks,
            services: window.services,
            weekdays: window.every,
            local_time: window.at,
            duration_minutes: window.minutes,
            zone: window.zone,
        }
    }
}

impl Call for AddMaintenance {
    const NAME: &'static str = "ops_add_maintenance";
    const RETRY: Retry = Retry::Idempotent;
    type Output = Answered<Announced>;
}

#[derive(Debug, Serialize)]
struct RemoveMaintenance {
    p_id: Uuid,
    p_by: String,
}

impl Call for RemoveMaintenance {
    const NAME: &'static str = "ops_remove_maintenance";
    const RETRY: Retry = Retry::Idempotent;
    type Output = Answered<Announced>;
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
            output.result(&json!(listed), &table(&listed));
            return Ok(Verdict::Good);
        }
        Maintenance::Add(window) => {
            project.show(environment);
            let add = AddMaintenance {
                p_id: Uuid::new_v4(),
                p_window: window.into(),
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
    output.result(&json!(window), &table(&[window]));
    Ok(Verdict::Good)
}

fn table(windows: &[Answered<Announced>]) -> String {
    const HEADING: [&str; 6] = ["id", "state", "from", "to", "of", "reason"];
    answered::table("maintenance windows", windows, HEADING, Announced::row)
}

impl Announced {
    fn row(&self) -> [String; 6] {
        [
            self.id.to_string(),
            word(self.state),
            self.next_from.clone().unwrap_or_default(),
            self.next_to.clone().unwrap_or_default(),
            self.scope(),
            format!("{} ({})", self.reason, self.author),
        ]
    }

    fn scope(&self) -> String {
        let names: Vec<_> = self.services.iter().chain(&self.checks).cloned().collect();
        if names.is_empty() {
            "everything".to_owned()
        } else {
            names.join(", ")
        }
    }
}
