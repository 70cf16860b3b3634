//! An incident with everything that happened, as `ops_show_incident` answers it.

use ops::{
    monitoring::document::Incident,
    rpc::{Call, Retry},
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{summary, timeline::Entry};
use crate::{
    answered::{Answered, as_read, oddities},
    project::Project,
};
use terminal::failure::Misuse;

#[derive(Debug, Serialize)]
struct ShowIncident {
    p_number: i64,
}

impl Call for ShowIncident {
    const NAME: &'static str = "ops_show_incident";
    const RETRY: Retry = Retry::Read;
    type Output = Option<Story>;
}

/// An incident and its timeline.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Story {
    #[serde(flatten)]
    pub(super) incident: Incident,
    /// What happened, in order of time.
    #[serde(serialize_with = "as_read")]
    pub(super) timeline: Vec<Answered<Entry>>,
    /// How many entries were left out: later ones about alerts and messages.
    pub(super) timeline_left_out: u64,
    /// Its alerts that are not resolved.
    pub(super) open_alerts: Vec<Uuid>,
}

/// The story of the incident of that number.
pub(super) async fn fetch(project: &Project, number: i64) -> anyhow::Result<Story> {
    let story = project.call(&ShowIncident { p_number: number }).await?;
    story.ok_or_else(|| Misuse(format!("there is no incident {number}")).into())
}

impl Story {
    /// The story, to be read from top to bottom.
    pub(super) fn text(&self) -> String {
        let incident = &self.incident;
        let mut lines = vec![summary::line(incident), String::new()];
        lines.extend(summary::times(incident).map(in_columns));
        lines.push(in_columns(("affects", incident.affects.join(", "))));
        lines.push(in_columns(("cause", summary::cause(&incident.cause))));
        let evidence = incident.cause.evidence.iter().map(summary::evidence);
        lines.extend(evidence.map(|evidence| in_columns(("", format!("- {evidence}")))));
        lines.extend(summary::impact(&incident.impact).map(in_columns));
        lines.push(String::new());
        let entries = self.timeline.iter();
        lines.extend(entries.filter_map(Answered::known).map(Entry::line));
        lines.extend(oddities("entries", &self.timeline));
        if self.timeline_left_out > 0 {
            lines.push(format!("and {} more", self.timeline_left_out));
        }
        lines.join("\n")
    }
}

fn in_columns((what, value): (&str, String)) -> String {
    format!("{what:<20}{value}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{
        super::{summary::tests::incident, timeline::tests::entry},
        *,
    };

    #[test]
    fn a_story_is_read_from_top_to_bottom() {
        let acknowledged = entry("alert", "acknowledged", Some("Anna"), None, &json!({}));
        let story = Story {
            incident: incident(&json!({})),
            timeline: vec![acknowledged],
            timeline_left_out: 3,
            open_alerts: Vec::new(),
        };
        assert_eq!(
            story.text(),
            "\
incident 7, critical, resolved: app_down https://app.example/

began               2026-11-24 12:00:00 UTC
detected            2026-11-24 12:02:00 UTC
acknowledged        2026-11-24 12:03:30 UTC
resolved            2026-11-24 12:06:00 UTC
time to acknowledge 1 min 30 s
time to resolve     4 min 0 s
affects             app
cause               ours, probably
                    - app was down (http_status, status 500)
                    - database was up
                    - nothing was known of storage
                    - deployment dpl_2 (abc) was seen first 10 min 0 s before
users hit           12
failed requests     not known
minutes down        4
reports             3 by 2 users

2026-11-24 12:02:00 UTC  app_down https://app.example/ acknowledged (Anna)
and 3 more"
        );
    }

    #[test]
    fn an_entry_of_an_unknown_kind_leaves_the_others_readable() {
        let none = json!({});
        let story = Story {
            incident: incident(&none),
            timeline: vec![
                entry("incident", "merged", None, None, &none),
                entry("incident", "lesson", None, Some("x"), &none),
            ],
            timeline_left_out: 0,
            open_alerts: Vec::new(),
        };
        let text = story.text();
        assert!(text.contains("UTC  lesson: x"), "{text}");
        assert!(text.contains("unknown variant `merged`"), "{text}");
        assert!(
            text.ends_with(
                "1 of 2 entries cannot be read by this build; the database may be newer"
            ),
            "{text}"
        );
        let printed = json!(story);
        assert_eq!(printed["timeline"][0]["kind"], "merged");
        assert_eq!(printed["timeline"][1]["at"], "2026-11-24T12:02:00Z");
    }
}
