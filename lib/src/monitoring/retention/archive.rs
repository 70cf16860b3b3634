//! Rows that go are written to the archive first, and stay until they were read back there:
//! the columns that say nothing of a person as Parquet, and all of them encrypted to whoever
//! can read the backups. A part that is written again lies in the same place.

use std::time::Duration;

use backup::{keys::Recipients, seal, store::Store};
use bytes::Bytes;
use jiff::civil::Date;
use outside::clock::Deadline;
use serde::{Deserialize, Serialize};
use tokio::{task::spawn_blocking, time::timeout};
use uuid::Uuid;

use super::parquet::{self, Column, Kind};
use crate::{
    app::App,
    config::Archive as Configured,
    jobs::Run,
    rpc::{Call, Retry, RpcError},
};

/// What writing a part may take, reading back included.
const WRITING: Duration = Duration::from_secs(20);

/// What is left for having it deleted.
const DELETING: Duration = Duration::from_secs(2);

/// How many rows a part has at most: a few hundred kilobytes.
const ROWS: u32 = 5_000;

#[derive(Debug, Serialize)]
struct ReadPastRows<'a> {
    p_run: Uuid,
    p_fence: i64,
    p_name: &'a str,
    p_limit: u32,
}

/// What is to be archived next of a table.
#[derive(Debug, Deserialize)]
#[serde(tag = "outcome", rename_all = "lowercase")]
enum Next {
    /// These.
    Rows(PastRows),
    /// Nothing is left.
    Done,
    /// Something keeps it.
    Hindered { reason: String },
    /// Another run has taken over.
    Superseded,
}

/// Rows of one day.
#[derive(Debug, Clone, Deserialize)]
struct PastRows {
    table: String,
    day: Date,
    columns: Vec<KnownColumn>,
    rows: Vec<Vec<Option<String>>>,
    ids: Vec<Uuid>,
    digest: String,
}

#[derive(Debug, Clone, Deserialize)]
struct KnownColumn {
    name: String,
    kind: String,
    scale: Option<u32>,
    /// Whether it says nothing of a person.
    clear: bool,
}

impl Call for ReadPastRows<'_> {
    const NAME: &'static str = "ops_read_past_rows";
    const RETRY: Retry = Retry::Never;
    type Output = Next;
}

#[derive(Debug, Serialize)]
struct ForgetArchived<'a> {
    p_run: Uuid,
    p_fence: i64,
    p_name: &'a str,
    p_ids: &'a [Uuid],
    p_digest: &'a str,
    /// Why they are not archived, where they are not.
    p_reason: Option<&'a str>,
}

/// What became of archived rows.
#[derive(Debug, Deserialize)]
#[serde(tag = "outcome", rename_all = "lowercase")]
enum Forgotten {
    Done { rows: u64 },
    Hindered { reason: String },
    Superseded,
}

impl Call for ForgetArchived<'_> {
    const NAME: &'static str = "ops_forget_archived";
    // If the answer was lost they are gone, and lie in the archive.
    const RETRY: Retry = Retry::Never;
    type Output = Forgotten;
}

/// What became of a part.
pub(super) enum Archived {
    /// So many rows lie in the archive and are deleted.
    Rows(u64),
    /// None are left.
    Done,
    /// They stay, for that reason.
    Hindered(String),
    /// Another run has taken over.
    Superseded,
}

/// Where rows are archived.
pub(super) struct Archive {
    store: Store,
    recipients: Option<Recipients>,
}

impl Archive {
    /// The archive, if there is to be one; or why there is none although there is to be.
    pub(super) fn open(app: &App) -> Result<Option<Self>, String> {
        let place = match &app.config.archive {
            Configured::Absent => return Ok(None),
            Configured::Unusable => {
                return Err("the archive is not configured as it should be".to_owned());
            }
            Configured::At(place) => place,
        };
        let store = place.place.open(&app.outbound);
        let recipients = place
            .recipients
            .as_deref()
            .map(Recipients::parse)
            .transpose();
        Ok(Some(Self {
            store: store.map_err(|error| error.to_string())?,
            recipients: recipients.map_err(|error| error.to_string())?,
        }))
    }

    /// Archives a part of a table's rows that are past, and has them deleted once they lie
    /// there.
    pub(super) async fn part(
        &self,
        app: &App,
        run: &Run,
        name: &str,
        deadline: Deadline,
    ) -> Result<Archived, RpcError> {
        let read = ReadPastRows {
            p_run: run.id,
            p_fence: run.fence,
            p_name: name,
            p_limit: ROWS,
        };
        let rows = match app.call(&read, deadline).await? {
            Next::Rows(rows) => rows,
            Next::Done => return Ok(Archived::Done),
            Next::Hindered { reason } => return Ok(Archived::Hindered(reason)),
            Next::Superseded => return Ok(Archived::Superseded),
        };
        let time = deadline.remaining().saturating_sub(DELETING).min(WRITING);
        let written = timeout(time, self.write(&rows)).await;
        let written =
            written.unwrap_or_else(|_| Err("the archive does not answer in time".to_owned()));
        let forget = ForgetArchived {
            p_run: run.id,
            p_fence: run.fence,
            p_name: name,
            p_ids: &rows.ids,
            p_digest: &rows.digest,
            p_reason: written.as_ref().err().map(String::as_str),
        };
        Ok(match app.call(&forget, deadline).await? {
            Forgotten::Done { rows } => Archived::Rows(rows),
            Forgotten::Hindered { reason } => Archived::Hindered(reason),
            Forgotten::Superseded => Archived::Superseded,
        })
    }

    /// Writes both files of a part and reads them back.
    async fn write(&self, rows: &PastRows) -> Result<(), String> {
        let (rows, recipients) = (rows.clone(), self.recipients.clone());
        let place = format!("{}/day={}/part-{}", rows.table, rows.day, rows.digest);
        let files = spawn_blocking(move || rows.files(recipients.as_ref())).await;
        let (clear, sealed) = files.map_err(|_| "the rows cannot be written".to_owned())??;
        let mut files = vec![(format!("{place}.parquet"), clear)];
        files.extend(sealed.map(|sealed| (format!("{place}.parquet.zst.age"), sealed)));
        for (path, bytes) in files {
            // It is there only once what lies there are these bytes.
            let put = self.store.put_over(&path, Bytes::from(bytes)).await;
            put.map_err(|error| error.to_string())?;
        }
        Ok(())
    }
}

impl PastRows {
    /// The clear file, and the sealed one if there is somebody to read it and something to seal.
    fn files(&self, recipients: Option<&Recipients>) -> Result<(Vec<u8>, Option<Vec<u8>>), String> {
        let clear = self.file(|column| column.clear)?;
        let is_personal = self.columns.iter().any(|column| !column.clear);
        let sealed = match recipients {
            Some(recipients) if is_personal => {
                let whole = self.file(|_| true)?;
                Some(seal::seal(&whole, recipients).map_err(|error| error.to_string())?)
            }
            _ => None,
        };
        Ok((clear, sealed))
    }

    fn file(&self, holds: impl Fn(&KnownColumn) -> bool) -> Result<Vec<u8>, String> {
        let columns = self
            .columns
            .iter()
            .enumerate()
            .filter(|(_, column)| holds(column));
        let columns: Vec<_> = columns
            .map(|(nth, column)| Column {
                name: &column.name,
                kind: column.kind(),
                values: self
                    .rows
                    .iter()
                    .map(|row| row.get(nth)?.as_deref())
                    .collect(),
            })
            .collect();
        parquet::write(&columns).map_err(|error| error.to_string())
    }
}

impl KnownColumn {
    /// What this build does not know is written as text, as the database says it.
    fn kind(&self) -> Kind {
        match (self.kind.as_str(), self.scale) {
            ("integer", _) => Kind::Integer,
            ("decimal", Some(scale)) => Kind::Decimal { scale },
            ("double", _) => Kind::Double,
            ("boolean", _) => Kind::Boolean,
            ("timestamp", _) => Kind::Timestamp,
            _ => Kind::Text,
        }
    }
}

#[cfg(test)]
mod tests;
