//! A database that is opened to be read: the beginning and the end of a run's
//! sessions.

use futures_util::future::try_join_all;
use outside::database::Received;
use secrecy::SecretString;
use tokio_postgres::error::SqlState;

use super::RunError;
use crate::{
    format::SequenceState,
    pinned_session::PinnedSession,
    preflight::{self, Canary, Fault},
    schema::{self, Schema, SchemaError, Sequence},
    source::{DatabaseSnapshot, SnapshotReader, SourceError, read_sequences},
};

/// How many snapshots are taken when the schema changes under them.
const SNAPSHOTS: usize = 3;

/// A database that is ready to be read: one snapshot, seen by all sessions,
/// every table locked, every doubt out of the way.
#[derive(Debug)]
pub(super) struct OpenedSource {
    pub(super) snapshot: DatabaseSnapshot,
    pub(super) readers: Vec<SnapshotReader>,
    pub(super) schema: Schema,
    pub(super) canary: Canary,
}

impl OpenedSource {
    /// How much came over each session.
    pub(super) fn received(&self) -> Vec<Received> {
        let readers = self.readers.iter().map(SnapshotReader::received);
        [self.snapshot.session().received()]
            .into_iter()
            .chain(readers)
            .collect()
    }
}

/// Opens the sessions and brings them into one snapshot.
pub(super) async fn open(
    url: &SecretString,
    ca: Option<&str>,
    workers: usize,
) -> Result<OpenedSource, RunError> {
    let mut control = open_session(url, ca).await?;
    // Until it joins the snapshot, the first worker sees the catalogs of now.
    let outsider = open_session(url, ca).await?;
    let others: Vec<PinnedSession> =
        try_join_all((1..workers).map(|_| open_session(url, ca))).await?;
    let sessions = [&control, &outsider].into_iter().chain(&others);
    let faults = examine(&control, sessions).await?;
    let mut left = SNAPSHOTS;
    let (snapshot, canary, schema) = loop {
        let canary = Canary::write(control.client()).await?;
        let snapshot = DatabaseSnapshot::take(control).await?;
        left -= 1;
        match describe(&snapshot, &outsider, canary, &faults).await {
            Ok((canary, schema)) => break (snapshot, canary, schema),
            Err(RunError::Source(SourceError::Moved(what))) if left > 0 => {
                tracing::info!(what, "the database changed while a backup began: once more");
                control = snapshot.leave().await?;
            }
            Err(error) => return Err(error),
        }
    };
    let joining = [outsider]
        .into_iter()
        .chain(others)
        .map(|session| SnapshotReader::join(session, snapshot.id()));
    Ok(OpenedSource {
        readers: try_join_all(joining).await?,
        canary,
        snapshot,
        schema,
    })
}

/// Proves that no session lost its transaction, ends them all, and reads the
/// sequences in between.
pub(super) async fn close(
    snapshot: DatabaseSnapshot,
    readers: Vec<SnapshotReader>,
    sequences: &[Sequence],
) -> Result<Vec<SequenceState>, SourceError> {
    for reader in &readers {
        reader.probe().await?;
    }
    snapshot.probe().await?;
    for reader in readers {
        reader.leave().await?.close().await?;
    }
    let control = snapshot.leave().await?;
    let states = read_sequences(&control, sequences).await?;
    control.close().await?;
    Ok(states)
}

async fn open_session(url: &SecretString, ca: Option<&str>) -> Result<PinnedSession, SourceError> {
    Ok(PinnedSession::open(url, ca).await?)
}

/// What can be said before there is a snapshot. Sessions are examined when all
/// are open: a pooler has then had a reason to share one.
async fn examine(
    control: &PinnedSession,
    sessions: impl Iterator<Item = &PinnedSession>,
) -> Result<Vec<Fault>, SourceError> {
    let mut faults = preflight::examine_server(control).await?;
    for session in sessions {
        for fault in preflight::examine_session(session).await? {
            if !faults.contains(&fault) {
                faults.push(fault);
            }
        }
    }
    Ok(faults)
}

/// Reads the schema and locks its tables; nothing of it may have changed since
/// the snapshot.
async fn describe(
    snapshot: &DatabaseSnapshot,
    outsider: &PinnedSession,
    canary: Result<Canary, Fault>,
    known: &[Fault],
) -> Result<(Canary, Schema), RunError> {
    let client = snapshot.session().client();
    let described = schema::describe(client).await;
    if let Err(SchemaError::Session(error)) = &described
        && error.code() == Some(&SqlState::LOCK_NOT_AVAILABLE)
    {
        return Err(SourceError::Busy("the schema".to_owned()).into());
    }
    // Reading it may have failed only because it changed meanwhile.
    snapshot.guard_catalog(outsider).await?;
    let mut faults = known.to_vec();
    let canary = canary.map_err(|fault| faults.push(fault)).ok();
    if let Ok(schema) = &described {
        faults.extend(preflight::examine_schema(client, schema).await?);
    }
    let (Some(canary), true) = (canary, faults.is_empty()) else {
        return Err(RunError::Preflight(faults));
    };
    let schema = described?;
    if let Some(fault) = canary.examine(client).await? {
        return Err(RunError::Preflight(vec![fault]));
    }
    snapshot.lock(&schema.tables).await?;
    snapshot.guard(outsider, &schema.tables).await?;
    Ok((canary, schema))
}

#[cfg(test)]
mod tests {
    use local_supabase::postgres::TestDatabase;

    use super::*;
    use crate::{
        schema::{Name, Scope, Table},
        source::Access,
    };

    #[tokio::test]
    async fn a_reader_whose_transaction_failed_ends_in_no_backup() {
        let database = TestDatabase::empty().await.unwrap();
        let cluster = database.cluster().await.unwrap();
        let url = cluster.postgres_url(database.name()).into();
        let ca = cluster.ca_pem_path();
        let open = async || open_session(&url, ca.to_str()).await.unwrap();
        for fails in [false, true] {
            let snapshot = DatabaseSnapshot::take(open().await).await.unwrap();
            let reader = SnapshotReader::join(open().await, snapshot.id());
            let reader = reader.await.unwrap();
            if fails {
                let gone = Table {
                    name: Name {
                        schema: "public".to_owned(),
                        name: "gone".to_owned(),
                    },
                    oid: 0,
                    scope: Scope::App,
                    columns: Vec::new(),
                    primary_key: Vec::new(),
                };
                assert!(reader.open(&gone, Access::Unplanned).await.is_err());
            }
            let closed = close(snapshot, vec![reader], &[]).await;
            assert_eq!(closed.is_err(), fails, "{closed:?}");
        }
    }
}
