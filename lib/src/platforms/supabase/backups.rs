//! The backups that Supabase makes itself, and restore points.

use std::time::Duration;

use http::Method;
use jiff::Timestamp;
use outside::clock;
use serde::Serialize;
use serde_json::{Value, json};
use tokio::time::timeout;

use super::Management;
use crate::platforms::api::{ApiError, Call};

/// How many backups are told of, the newest first.
const TOLD: usize = 10;

/// How long it is waited before a restore point is looked at again.
const BETWEEN_LOOKS: Duration = Duration::from_secs(2);

/// What there is of a project's backups, in our words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ProviderBackups {
    /// Whether any moment can be restored.
    pub pitr: bool,
    /// The newest ones, the newest first.
    pub backups: Vec<ProviderBackup>,
    /// Up to when the log reaches, where any moment can be restored.
    pub latest_physical: Option<Timestamp>,
    /// How many are not told of because they cannot be read.
    #[serde(skip)]
    pub unreadable: usize,
}

/// One backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ProviderBackup {
    /// When it was made.
    pub at: Timestamp,
    /// `COMPLETED`, `FAILED`, `PENDING`, `ARCHIVED`, `CANCELED` or `REMOVED`.
    pub status: String,
}

/// What became of a restore point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RestorePoint {
    /// It can be gone back to.
    Available,
    /// The project has no such feature.
    Unsupported,
}

/// Why there is no restore point.
#[derive(Debug, thiserror::Error)]
pub enum NoRestorePoint {
    /// The platform refused it, or could not be asked.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// The platform gave it up.
    #[error("the platform says that it is {0}")]
    Failed(String),
    /// It is not ready in time.
    #[error("it was not ready within {} s", .0.as_secs())]
    Late(Duration),
}

impl Management {
    /// Reads which backups there are.
    pub async fn backups(&self, project: &str) -> Result<ProviderBackups, ApiError> {
        let call = Call::get(["v1", "projects", project, "database", "backups"]);
        let said: Value = self.api().read(&call).await?;
        ProviderBackups::read(&said)
    }

    /// Makes a restore point of that name and waits until it can be gone back to. It is
    /// asked for once: whether a lost answer made it, looking tells.
    pub async fn restore_point(
        &self,
        project: &str,
        name: &str,
        patience: Duration,
    ) -> Result<RestorePoint, NoRestorePoint> {
        let made = timeout(patience, self.make_restore_point(project, name)).await;
        made.unwrap_or(Err(NoRestorePoint::Late(patience)))
    }

    async fn make_restore_point(
        &self,
        project: &str,
        name: &str,
    ) -> Result<RestorePoint, NoRestorePoint> {
        let path = [
            "v1",
            "projects",
            project,
            "database",
            "backups",
            "restore-point",
        ];
        let make = Call::new(Method::POST, path).json(json!({ "name": name }));
        let lost = match self.api().send(&make).await {
            Ok(_) => None,
            Err(error) if is_unsupported(&error) => {
                // A project that is not there at all answers the same.
                self.backups(project).await?;
                return Ok(RestorePoint::Unsupported);
            }
            Err(error) if error.is_uncertain() => Some(error),
            Err(error) => return Err(error.into()),
        };
        let look = Call::get(path).with("name", name);
        loop {
            let said: Value = match (self.api().read(&look).await, &lost) {
                (Err(absent), Some(lost)) if absent.is_absent() => return Err(lost.clone().into()),
                (read, _) => read?,
            };
            match said["status"].as_str() {
                Some("AVAILABLE") => return Ok(RestorePoint::Available),
                Some("PENDING") => clock::wait(BETWEEN_LOOKS).await,
                Some(other) => return Err(NoRestorePoint::Failed(other.to_owned())),
                None => return Err(ApiError::Odd("a restore point without a status".into()).into()),
            }
        }
    }
}

impl ProviderBackups {
    fn read(said: &Value) -> Result<Self, ApiError> {
        let Some(listed) = said["backups"].as_array() else {
            return Err(ApiError::Odd("no list of backups".to_owned()));
        };
        let mut backups: Vec<_> = listed.iter().filter_map(ProviderBackup::read).collect();
        let unreadable = listed.len() - backups.len();
        backups.sort_by_key(|backup| std::cmp::Reverse(backup.at));
        backups.truncate(TOLD);
        let physical = &said["physical_backup_data"]["latest_physical_backup_date_unix"];
        Ok(Self {
            pitr: said["pitr_enabled"].as_bool().unwrap_or(false),
            backups,
            latest_physical: physical
                .as_i64()
                .and_then(|seconds| Timestamp::from_second(seconds).ok()),
            unreadable,
        })
    }
}

impl ProviderBackup {
    fn read(said: &Value) -> Option<Self> {
        Some(Self {
            at: moment(said["inserted_at"].as_str()?)?,
            status: said["status"].as_str()?.chars().take(40).collect(),
        })
    }
}

/// A time as the API writes it, which may lack its zone and is UTC then.
fn moment(text: &str) -> Option<Timestamp> {
    let in_utc = || format!("{text}Z").parse().ok();
    text.parse().ok().or_else(in_utc)
}

/// Plans without it answer so.
fn is_unsupported(error: &ApiError) -> bool {
    matches!(error.status(), Some(402 | 404))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_odd_backup_takes_no_other_along() {
        let said = json!({
            "pitr_enabled": true,
            "backups": [
                {"id": 1, "inserted_at": "2026-11-22T01:00:00Z", "status": "COMPLETED"},
                {"id": 2, "inserted_at": "yesterday", "status": "COMPLETED"},
                {"id": 3, "inserted_at": "2026-11-23T01:00:00", "status": "FAILED"},
                7,
            ],
            "physical_backup_data": {"latest_physical_backup_date_unix": 1_795_000_000},
        });
        let read = ProviderBackups::read(&said).unwrap();
        let statuses: Vec<_> = read.backups.iter().map(|one| one.status.as_str()).collect();
        assert_eq!(statuses, ["FAILED", "COMPLETED"]);
        assert_eq!(read.unreadable, 2);
        assert_eq!(read.latest_physical.unwrap().as_second(), 1_795_000_000);
        assert!(ProviderBackups::read(&json!({"message": "?"})).is_err());
    }
}
