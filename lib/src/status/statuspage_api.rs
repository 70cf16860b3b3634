//! The read API that clients of Statuspage speak, version 2: bots, aggregators and the apps of
//! chats know these addresses and these words.

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use url::Url;

use super::{
    document::{Component, Document, Incident, Maintenance, Progress, State, WorkState},
    place::ApiPath,
    words,
};
use crate::messages::{message_facts::Severity, plain_text};

/// The page's id: one deployment has one page.
const PAGE: &str = "status";

/// What stands at an address.
pub(super) fn answer(document: &Document, base: &Url, path: ApiPath) -> Value {
    let api = Api {
        document,
        page: format!("{}/status", base.as_str().trim_end_matches('/')),
    };
    let mut answer = Map::new();
    answer.insert("page".to_owned(), api.page());
    let mut put = |key: &str, value: Value| {
        answer.insert(key.to_owned(), value);
    };
    let open = |incident: &&Incident| incident.status != Progress::Resolved;
    let to_come =
        |work: &&Maintenance| matches!(work.state, WorkState::Planned | WorkState::Active);
    let is = |state| move |work: &&Maintenance| work.state == state;
    match path {
        ApiPath::Summary => {
            put("components", api.components());
            put("incidents", api.incidents(open));
            put("scheduled_maintenances", api.maintenances(to_come));
            put("status", api.status());
        }
        ApiPath::Status => put("status", api.status()),
        ApiPath::Components => put("components", api.components()),
        ApiPath::Incidents => put("incidents", api.incidents(|_| true)),
        ApiPath::Unresolved => put("incidents", api.incidents(open)),
        ApiPath::Maintenances => put("scheduled_maintenances", api.maintenances(|_| true)),
        ApiPath::Upcoming => put(
            "scheduled_maintenances",
            api.maintenances(is(WorkState::Planned)),
        ),
        ApiPath::Active => put(
            "scheduled_maintenances",
            api.maintenances(is(WorkState::Active)),
        ),
    }
    Value::Object(answer)
}

struct Api<'a> {
    document: &'a Document,
    page: String,
}

impl Api<'_> {
    fn page(&self) -> Value {
        json!({
            "id": PAGE,
            "name": plain_text::line(&self.document.name),
            "url": self.page,
            "time_zone": "Etc/UTC",
            "updated_at": moment(self.document.generated_at),
        })
    }

    fn status(&self) -> Value {
        let indicator = match self.document.state {
            State::Operational => "none",
            State::Maintenance => "maintenance",
            // There is no word for not knowing, and none is not it.
            State::Degraded | State::Unknown => "minor",
            State::PartialOutage => "major",
            State::MajorOutage => "critical",
        };
        json!({ "indicator": indicator, "description": words::headline(self.document) })
    }

    /// The headings in order, each as a component that holds others.
    fn groups(&self) -> Vec<&str> {
        let mut groups = Vec::new();
        for name in self
            .document
            .components
            .iter()
            .filter_map(|one| one.group.as_deref())
        {
            if !groups.contains(&name) {
                groups.push(name);
            }
        }
        groups
    }

    fn components(&self) -> Value {
        let groups = self.groups();
        let headings = groups.iter().enumerate().map(|(nth, name)| {
            let members: Vec<&Component> = self
                .document
                .components
                .iter()
                .filter(|one| one.group.as_deref() == Some(name))
                .collect();
            json!({
                "id": group_id(nth), "name": plain_text::line(name),
                "status": worst(&members), "position": nth + 1, "group": true, "group_id": null,
                "components": members.iter().map(|one| &one.id).collect::<Vec<_>>(),
                "description": null, "showcase": false, "start_date": null, "page_id": PAGE,
                "only_show_if_degraded": false,
                "created_at": members.iter().map(|one| one.created_at).min().map(moment),
                "updated_at": members.iter().map(|one| one.updated_at).max().map(moment),
            })
        });
        let components = self.document.components.iter().enumerate();
        let components = components.map(|(nth, one)| component(one, nth, &groups));
        headings.chain(components).collect()
    }

    fn those(&self, ids: &[String]) -> Value {
        let groups = self.groups();
        let components = self.document.components.iter().enumerate();
        components
            .filter(|(_, one)| ids.contains(&one.id))
            .map(|(nth, one)| component(one, nth, &groups))
            .collect()
    }

    fn incidents(&self, wanted: impl Fn(&&Incident) -> bool) -> Value {
        let incidents = self.document.incidents.iter().filter(wanted);
        incidents.map(|incident| self.incident(incident)).collect()
    }

    fn incident(&self, incident: &Incident) -> Value {
        let monitoring = incident
            .updates
            .iter()
            .rev()
            .find(|one| one.status == Progress::Monitoring);
        let newest = incident
            .updates
            .last()
            .map_or(incident.started_at, |one| one.at);
        let affected = self.those(&incident.components);
        let updates: Value = incident
            .updates
            .iter()
            .rev()
            .map(|one| {
                update(
                    &one.id,
                    &incident.id,
                    status_of(one.status),
                    &words::update(one, incident),
                    one.at,
                )
            })
            .collect();
        json!({
            "id": incident.id,
            "name": words::standing_title(incident, self.document),
            "status": status_of(incident.status),
            "created_at": moment(incident.started_at),
            "updated_at": moment(newest),
            "monitoring_at": monitoring.map(|one| moment(one.at)),
            "resolved_at": incident.resolved_at.map(moment),
            "started_at": moment(incident.started_at),
            "impact": match incident.severity {
                Severity::Critical => "critical",
                Severity::High => "major",
                Severity::Medium | Severity::Low => "minor",
            },
            "shortlink": format!("{}/incidents/{}", self.page, incident.id),
            "page_id": PAGE,
            "incident_updates": updates,
            "components": affected,
        })
    }

    fn maintenances(&self, wanted: impl Fn(&&Maintenance) -> bool) -> Value {
        let shown = self
            .document
            .maintenances
            .iter()
            // The API has no word for what was cancelled.
            .filter(|work| work.state != WorkState::Cancelled)
            .filter(wanted);
        shown.map(|work| self.maintenance(work)).collect()
    }

    fn maintenance(&self, work: &Maintenance) -> Value {
        let status = match work.state {
            WorkState::Planned => "scheduled",
            WorkState::Active => "in_progress",
            WorkState::Over | WorkState::Cancelled => "completed",
        };
        let id = format!("{}-{}", work.id, work.sequence);
        json!({
            "id": work.id,
            "name": words::maintenance_title(work),
            "status": status,
            "created_at": moment(work.published_at),
            "updated_at": moment(work.updated_at),
            "monitoring_at": null,
            "resolved_at": (work.state == WorkState::Over).then(|| moment(work.to)),
            "started_at": moment(work.from),
            "impact": "maintenance",
            "shortlink": format!("{}#maintenance-{}", self.page, work.id),
            "page_id": PAGE,
            "scheduled_for": moment(work.from),
            "scheduled_until": moment(work.to),
            "incident_updates": [update(&id, &work.id, status, &words::text(&work.words), work.updated_at)],
            "components": self.those(&work.components),
        })
    }
}

fn component(one: &Component, nth: usize, groups: &[&str]) -> Value {
    let group = one.group.as_deref();
    let group = groups.iter().position(|name| Some(*name) == group);
    json!({
        "id": one.id,
        "name": plain_text::line(&one.name),
        "status": component_status(one.state),
        "created_at": moment(one.created_at),
        "updated_at": moment(one.updated_at),
        "position": nth + 1,
        "description": one.description.as_deref().map(words::text),
        "showcase": true,
        "start_date": one.created_at.strftime("%Y-%m-%d").to_string(),
        "group_id": group.map(group_id),
        "page_id": PAGE,
        "group": false,
        "only_show_if_degraded": false,
    })
}

fn update(id: &str, incident: &str, status: &str, body: &str, at: Timestamp) -> Value {
    json!({
        "id": id, "status": status, "body": body, "incident_id": incident, "created_at": moment(at),
        "updated_at": moment(at), "display_at": moment(at), "affected_components": null,
    })
}

fn component_status(state: State) -> &'static str {
    match state {
        State::Operational => "operational",
        State::Maintenance => "under_maintenance",
        // There is no word for not knowing, and operational is not it.
        State::Degraded | State::Unknown => "degraded_performance",
        State::PartialOutage => "partial_outage",
        State::MajorOutage => "major_outage",
    }
}

fn worst(members: &[&Component]) -> &'static str {
    let known = |state: State| {
        if state == State::Unknown {
            State::Degraded
        } else {
            state
        }
    };
    let worst = members.iter().map(|one| known(one.state)).max();
    component_status(worst.unwrap_or_default())
}

fn status_of(progress: Progress) -> &'static str {
    match progress {
        Progress::Investigating => "investigating",
        Progress::Identified => "identified",
        Progress::Monitoring => "monitoring",
        Progress::Resolved => "resolved",
    }
}

fn group_id(nth: usize) -> String {
    format!("group-{}", nth + 1)
}

/// To the millisecond, as that API writes it.
fn moment(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::status::sample;

    fn at(document: &Document, path: ApiPath) -> Value {
        answer(
            document,
            &"https://ops.wine.example/".parse().unwrap(),
            path,
        )
    }

    #[test]
    fn the_summary_has_what_clients_read() {
        let mut document = sample::document(&[State::Operational, State::Unknown]);
        document.components[1].group = Some("More".to_owned());
        let summary = at(&document, ApiPath::Summary);
        assert_eq!(
            summary["page"],
            json!({
                "id": "status", "name": "Wine", "url": "https://ops.wine.example/status", "time_zone": "Etc/UTC",
                "updated_at": "2026-11-24T10:10:00.000Z",
            })
        );
        assert_eq!(
            summary["status"]["indicator"], "minor",
            "not known is not fine"
        );
        let statuses: Vec<_> = summary["components"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| &one["status"])
            .collect();
        assert_eq!(
            statuses,
            [
                "degraded_performance",
                "operational",
                "degraded_performance"
            ]
        );
        assert_eq!(summary["components"][2]["group_id"], "group-1");
        assert_eq!(summary["incidents"], json!([]), "it is over");
        assert_eq!(summary["scheduled_maintenances"][0]["status"], "scheduled");
        let incident = at(&document, ApiPath::Incidents)["incidents"][0].clone();
        assert_eq!(
            (
                &incident["name"],
                &incident["impact"],
                &incident["resolved_at"]
            ),
            (
                &json!("Part 0: not working"),
                &json!("critical"),
                &json!("2026-11-24T10:08:00.000Z")
            )
        );
        let bodies: Vec<_> = incident["incident_updates"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| &one["status"])
            .collect();
        assert_eq!(
            bodies,
            ["resolved", "identified", "investigating"],
            "the newest first"
        );
    }

    #[test]
    fn lists_hold_what_their_address_says() {
        let mut document = sample::document(&[State::Operational]);
        document.maintenances = ["planned", "active", "over", "cancelled"]
            .map(|state| serde_json::from_value(sample::maintenance(state)).unwrap())
            .into();
        document.incidents[0].status = Progress::Monitoring;
        for (path, key, count) in [
            (ApiPath::Maintenances, "scheduled_maintenances", 3),
            (ApiPath::Upcoming, "scheduled_maintenances", 1),
            (ApiPath::Active, "scheduled_maintenances", 1),
            (ApiPath::Summary, "scheduled_maintenances", 2),
            (ApiPath::Unresolved, "incidents", 1),
            (ApiPath::Components, "components", 1),
        ] {
            assert_eq!(
                at(&document, path)[key].as_array().unwrap().len(),
                count,
                "{path:?}"
            );
        }
    }
}
