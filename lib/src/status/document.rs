//! The page's document, as `ops_status` makes it. All of it is public.

use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Deserializer, Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{
    messages::{message_facts::Severity, plain_text},
    rpc::{Call, Retry},
};

/// Asks for the page.
#[derive(Debug, Serialize)]
pub struct ReadStatus {
    /// Of which environment.
    pub p_environment: &'static str,
}

impl Call for ReadStatus {
    const NAME: &'static str = "ops_status";
    const RETRY: Retry = Retry::Read;
    type Output = Document;
}

/// The whole page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Document {
    /// Whether anybody may see it; nothing else is there if not.
    pub is_public: bool,
    /// When all of it was true, by the database's clock.
    pub generated_at: Timestamp,
    /// Whose status it is.
    #[serde(default, deserialize_with = "line")]
    pub name: String,
    /// How the whole is.
    #[serde(default)]
    pub state: State,
    /// When something was looked at last.
    pub last_look_at: Option<Timestamp>,
    /// What it is about, in order.
    #[serde(default, deserialize_with = "readable")]
    pub components: Vec<Component>,
    /// What went wrong, the newest first.
    #[serde(default, deserialize_with = "readable")]
    pub incidents: Vec<Incident>,
    /// Announced work, in order of time.
    #[serde(default, deserialize_with = "readable")]
    pub maintenances: Vec<Maintenance>,
    /// What was proven of backups.
    #[serde(default)]
    pub trust: Trust,
}

/// How a component is, or the whole.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It works.
    Operational,
    /// Announced work is under way.
    Maintenance,
    /// It is slow, or fails in part.
    Degraded,
    /// Some of it does not work.
    PartialOutage,
    /// It does not work.
    MajorOutage,
    /// Nothing says.
    #[default]
    Unknown,
}

impl State {
    /// Every state, from best to worst, and what is not known.
    pub const ALL: [Self; 6] = [
        Self::Operational,
        Self::Maintenance,
        Self::Degraded,
        Self::PartialOutage,
        Self::MajorOutage,
        Self::Unknown,
    ];

    /// The word by which style sheets and scripts know it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Operational => "operational",
            Self::Maintenance => "maintenance",
            Self::Degraded => "degraded",
            Self::PartialOutage => "partial_outage",
            Self::MajorOutage => "major_outage",
            Self::Unknown => "unknown",
        }
    }
}

/// A part of what the page is about.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Component {
    /// Its name in addresses.
    pub id: String,
    /// What people call it.
    #[serde(deserialize_with = "line")]
    pub name: String,
    /// More about it.
    #[serde(deserialize_with = "line_if_any")]
    pub description: Option<String>,
    /// The heading under which it stands.
    #[serde(deserialize_with = "line_if_any")]
    pub group: Option<String>,
    /// How it is shown.
    pub state: State,
    /// Since when that is so, where something is wrong.
    pub since: Option<Timestamp>,
    /// How it is measured.
    pub measured: State,
    /// Whether a person says so.
    pub by_hand: bool,
    /// What that person says about it.
    #[serde(deserialize_with = "line_if_any")]
    pub note: Option<String>,
    /// When it was first on the page.
    pub created_at: Timestamp,
    /// When it changed last.
    pub updated_at: Timestamp,
    /// The last ninety days.
    pub days: Days,
}

/// Ninety days, the first of which is named; in seconds a day, and `None` before
/// anybody looked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Days {
    /// The first day, in UTC.
    pub from: Date,
    /// How long it worked.
    pub up: Vec<Option<u32>>,
    /// How long it did not.
    pub down: Vec<Option<u32>>,
    /// How long nobody knows.
    pub unknown: Vec<Option<u32>>,
    /// How long announced work went on.
    pub maintenance: Vec<Option<u32>>,
    /// The share of the known time in which it worked, in percent.
    pub percent: Option<f64>,
    /// That share if it did not work whenever nobody knows.
    pub lower: Option<f64>,
    /// That share if it worked whenever nobody knows.
    pub upper: Option<f64>,
    /// The share of the time that is known, in percent.
    pub coverage: Option<f64>,
}

/// Something that went wrong.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Incident {
    /// Its public name in addresses.
    pub id: String,
    /// The title that people gave for everybody.
    #[serde(deserialize_with = "line_if_any")]
    pub title: Option<String>,
    /// How bad it is.
    pub severity: Severity,
    /// How far people are with it.
    pub status: Progress,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended.
    pub resolved_at: Option<Timestamp>,
    /// When somebody of the team was told first.
    pub told_at: Option<Timestamp>,
    /// The ids of the components that suffer.
    pub components: Vec<String>,
    /// What is told of it, in order of time.
    #[serde(default, deserialize_with = "readable")]
    pub updates: Vec<Update>,
}

/// How far people are with an incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Progress {
    /// Nobody knows yet what it is.
    Investigating,
    /// It is known what it is.
    Identified,
    /// It seems to be over.
    Monitoring,
    /// It is over.
    Resolved,
}

/// One thing that is told of an incident.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Update {
    /// Its public name.
    pub id: String,
    /// When it was told.
    pub at: Timestamp,
    /// How far people were.
    pub status: Progress,
    /// Who tells it.
    pub kind: UpdateKind,
    /// The words, where a person wrote them.
    #[serde(deserialize_with = "text_if_any")]
    pub words: Option<String>,
}

/// Who tells of an incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum UpdateKind {
    /// A person.
    Words,
    /// The checks: it began.
    Began,
    /// The checks: it came back.
    Reopened,
    /// The checks, or a person without words: it is over.
    Resolved,
}

/// Announced work.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Maintenance {
    /// Its public name.
    pub id: String,
    /// The title that people gave it.
    #[serde(deserialize_with = "line_if_any")]
    pub title: Option<String>,
    /// What they say about it.
    #[serde(deserialize_with = "text")]
    pub words: String,
    /// When it begins.
    pub from: Timestamp,
    /// When it ends.
    pub to: Timestamp,
    /// How far it is.
    pub state: WorkState,
    /// The ids of the components that it is about.
    pub components: Vec<String>,
    /// How often what is told of it was changed.
    pub sequence: u32,
    /// When it became public.
    pub published_at: Timestamp,
    /// When that changed last.
    pub updated_at: Timestamp,
}

/// How far announced work is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WorkState {
    /// It is to come.
    Planned,
    /// It goes on.
    Active,
    /// It was.
    Over,
    /// It will not be.
    Cancelled,
}

/// What was proven of backups.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Trust {
    /// The time of the newest backup.
    pub last_backup_at: Option<Timestamp>,
    /// When a backup was last restored for a test.
    pub last_restore_at: Option<Timestamp>,
    /// How long that took, in seconds.
    pub last_restore_seconds: Option<f64>,
    /// How old the newest backup is, where the setting `status.backups` says so, as of what
    /// follows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub age_seconds: Option<f64>,
    /// In how many places backups lie.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub places: Option<u64>,
    /// How far the other place is behind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub behind_seconds: Option<f64>,
}

impl Document {
    /// What is shown where nothing at all is known.
    #[must_use]
    pub fn of_nothing(now: Timestamp) -> Self {
        Self {
            is_public: true,
            generated_at: now,
            name: String::new(),
            state: State::Unknown,
            last_look_at: None,
            components: Vec::new(),
            incidents: Vec::new(),
            maintenances: Vec::new(),
            trust: Trust::default(),
        }
    }

    /// The component of an id.
    #[must_use]
    pub fn component(&self, id: &str) -> Option<&Component> {
        self.components.iter().find(|component| component.id == id)
    }

    /// The names of components, in the order of the page.
    pub(super) fn names(&self, ids: &[String]) -> Vec<&str> {
        let components = self.components.iter();
        components
            .filter(|component| ids.contains(&component.id))
            .map(|component| component.name.as_str())
            .collect()
    }
}

/// How long a text of a person may be, in characters.
const TEXT: usize = 5_000;

/// The same of one line.
const LINE: usize = 500;

/// What people wrote, as one line that shows what it says and nothing else.
fn line<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    Ok(plain_text::cut(&plain_text::line(&text), LINE))
}

/// The same with its lines.
fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    Ok(plain_text::cut(&plain_text::paragraph(&text), TEXT))
}

/// A line where there is one that shows something.
fn line_if_any<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    let line = text.map(|text| plain_text::cut(&plain_text::line(&text), LINE));
    Ok(line.filter(|line| !line.is_empty()))
}

/// The same with its lines.
fn text_if_any<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    let text = text.map(|text| plain_text::cut(&plain_text::paragraph(&text), TEXT));
    Ok(text.filter(|text| !text.is_empty()))
}

/// Elements one by one: what this release cannot read takes no other along.
fn readable<'de, T, D>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    T: DeserializeOwned,
    D: Deserializer<'de>,
{
    let elements = Vec::<Value>::deserialize(deserializer)?;
    let read = elements.into_iter().filter_map(|element| {
        T::deserialize(element)
            .inspect_err(
                |error| tracing::error!(%error, "a part of the status page cannot be read"),
            )
            .ok()
    });
    Ok(read.collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_odd_element_takes_no_other_along() {
        let maintenance = |to: &str| {
            json!({
                "id": "a", "title": null, "words": "w", "from": "2026-11-24T10:00:00Z", "to": to, "state": "planned",
                "components": [], "sequence": 0, "publishedAt": "2026-11-24T10:00:00Z",
                "updatedAt": "2026-11-24T10:00:00Z",
            })
        };
        let document: Document = serde_json::from_value(json!({
            "isPublic": true, "generatedAt": "2026-11-24T10:00:00+00:00", "name": "n", "state": "unknown",
            "lastLookAt": null, "components": [{}], "incidents": [7],
            "maintenances": [maintenance("infinity"), maintenance("2026-11-24T11:00:00Z")], "trust": {
                "lastBackupAt": null, "lastRestoreAt": null, "lastRestoreSeconds": null
            },
        }))
        .unwrap();
        assert_eq!(document.maintenances.len(), 1);
        assert!(document.components.is_empty() && document.incidents.is_empty());
    }
}
