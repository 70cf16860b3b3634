//! `pourtrait maintenance`: announced work, which silences messages and is left
//! out of uptime, and what the job of that name deletes by age. The database decides
//! when a window is in force and what is past.

pub(crate) mod arguments;
mod past_rows;

use jiff::Timestamp;
use ops::rpc::{Call, Retry};
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use crate::{
    answered::{self, Answered, oddities, word},
    environment::Environment,
    project::{Project, author},
    times::to_the_minute,
};
use arguments::{Maintenance, Public, Weekdays, Window};
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
    /// The days on which it recurs; none if it does not.
    weekdays: Option<Weekdays>,
    local_time: Option<String>,
    duration_minutes: Option<u32>,
    zone: Option<String>,
    /// When a window that recurs no longer does.
    ends_at: Timestamp,
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

/// How many maintenance windows are kept, and what is wrong with those that cannot be read.
pub(crate) async fn kept(project: &Project) -> anyhow::Result<(usize, Vec<String>)> {
    let listed = project.call(&ListMaintenance {}).await?.maintenance;
    Ok((listed.len(), oddities("maintenance windows", &listed)))
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
struct PublishMaintenance {
    p_id: Uuid,
    p_title: Option<String>,
    p_words: String,
    p_by: String,
}

impl Call for PublishMaintenance {
    const NAME: &'static str = "ops_publish_maintenance";
    // The same again changes nothing.
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
        Maintenance::Plan | Maintenance::Run { dry_run: true } => {
            return past_rows::plan(&project, output).await;
        }
        Maintenance::Run { dry_run: false } => {
            project.show(environment);
            return past_rows::delete(environment, output).await;
        }
        Maintenance::Add(mut window) => {
            project.show(environment);
            let words = window.public.take();
            let title = window.public_title.take();
            let add = AddMaintenance {
                p_id: Uuid::new_v4(),
                p_window: window.into(),
                p_by: author(),
            };
            let added = project.call(&add).await?;
            match words {
                Some(words) => publish(&project, add.p_id, Public { words, title }).await?,
                None => added,
            }
        }
        Maintenance::Publish { id, public } => {
            project.show(environment);
            publish(&project, id, public).await?
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

async fn publish(
    project: &Project,
    id: Uuid,
    public: Public,
) -> anyhow::Result<Answered<Announced>> {
    let publish = PublishMaintenance {
        p_id: id,
        p_title: public.title,
        p_words: public.words,
        p_by: author(),
    };
    project.call(&publish).await
}

fn table(windows: &[Answered<Announced>]) -> String {
    const HEADING: [&str; 7] = ["id", "state", "from", "to", "repeats", "of", "reason"];
    answered::table("maintenance windows", windows, HEADING, Announced::row)
}

impl Announced {
    fn row(&self) -> [String; 7] {
        [
            self.id.to_string(),
            word(self.state),
            self.next_from.clone().unwrap_or_default(),
            self.next_to.clone().unwrap_or_default(),
            self.rule(),
            self.scope(),
            format!("{} ({})", self.reason, self.author),
        ]
    }

    /// When it recurs, as it was announced.
    fn rule(&self) -> String {
        match (
            &self.weekdays,
            &self.local_time,
            self.duration_minutes,
            &self.zone,
        ) {
            (Some(days), Some(at), Some(minutes), Some(zone)) => format!(
                "every {days} at {at} {zone} for {minutes} min until {}",
                to_the_minute(self.ends_at)
            ),
            _ => "once".to_owned(),
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_that_recurs_shows_its_rule_and_its_zone() {
        let mut document = json!({
            "id": "00000000-0000-4000-8000-000000000001", "state": "planned", "reason": "Import",
            "author": "Ada", "checks": [], "services": ["ai"], "nextFrom": "a", "nextTo": "b",
            "weekdays": [1, 4], "localTime": "02:00", "durationMinutes": 30, "zone": "Europe/Paris",
            "endsAt": "2027-06-30T00:00:00Z",
        });
        let row = |document| Answered::<Announced>::read(document).known().unwrap().row();
        assert_eq!(
            row(document.clone())[4],
            "every mon,thu at 02:00 Europe/Paris for 30 min until 2027-06-30 00:00 UTC"
        );
        for key in ["weekdays", "localTime", "durationMinutes", "zone"] {
            document[key] = json!(null);
        }
        assert_eq!(row(document)[4], "once");
    }
}
