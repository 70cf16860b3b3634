//! The target: its sessions, what has to be true before it is changed, and what
//! is said to it as a whole.

use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::future::try_join_all;
use secrecy::SecretString;
use serde_json::Value;
use tokio_postgres::Client;

use super::{
    Cause, Event, Listener, Note, firing, refusals::Missing, restore_error::refused,
    restore_plan::Plan, unfinished,
};
use crate::{
    format::{Manifest, SequenceState},
    pinned_session::{PinnedSession, in_words},
    restore_sql,
    schema::Name,
    selection::{Chosen, Parts},
};

/// More than a server grants by default, for building indexes, and no more than
/// the smallest server can give to four sessions at once.
const MAINTENANCE_MEMORY: &str = "set maintenance_work_mem to '128MB';";

/// The sessions that work at once, pinned alike; there is always one.
pub(super) struct Sessions {
    main: PinnedSession,
    more: Vec<PinnedSession>,
}

impl Sessions {
    /// Opens `jobs` sessions, at least one.
    pub(super) async fn open(
        url: &SecretString,
        ca: Option<&str>,
        jobs: usize,
    ) -> Result<Self, Cause> {
        let open = async || -> Result<PinnedSession, Cause> {
            let session = PinnedSession::open(url, ca).await?;
            session.prove().await?;
            let set = session.client().batch_execute(MAINTENANCE_MEMORY).await;
            set.map_err(refused("cannot set a session up"))?;
            Ok(session)
        };
        Ok(Self {
            main: open().await?,
            more: try_join_all((1..jobs).map(|_| open())).await?,
        })
    }

    /// The one for everything that is done once.
    pub(super) fn main(&self) -> &Client {
        self.main.client()
    }

    /// All of them.
    pub(super) fn all(&self) -> impl Iterator<Item = &Client> {
        self.more
            .iter()
            .chain([&self.main])
            .map(PinnedSession::client)
    }

    /// Lets all of them play the role of a replica. Answers whether the role may.
    pub(super) async fn play_replicas(&self) -> Result<bool, Cause> {
        for session in self.all() {
            if !firing::play_replica(session).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Does work on every item, with as many items at once as there are sessions.
    /// Futures rather than asynchronous closures, which no other thread could be proven
    /// to take.
    pub(super) async fn each<'a, T, R, F>(
        &'a self,
        items: &'a [T],
        work: impl Fn(&'a Client, &'a T) -> F,
    ) -> Result<Vec<R>, Cause>
    where
        F: Future<Output = Result<R, Cause>>,
    {
        let (next, work) = (&AtomicUsize::new(0), &work);
        let workers = self.all().map(|session| async move {
            let mut results = Vec::new();
            while let Some(item) = items.get(next.fetch_add(1, Ordering::Relaxed)) {
                results.push(work(session, item).await?);
            }
            Ok::<_, Cause>(results)
        });
        let results = try_join_all(workers).await?;
        Ok(results.into_iter().flatten().collect())
    }

    /// Ends them, and tells what went wrong in them after the last answer.
    pub(super) async fn close(self) -> Result<(), Cause> {
        for session in self.more.into_iter().chain([self.main]) {
            session.close().await?;
        }
        Ok(())
    }
}

/// Refuses a target that is not empty or lacks what the backup needs. Answers
/// with the platform's schemas that it lacks.
pub(super) async fn check(
    session: &Client,
    plan: &Plan<'_>,
    parts: Parts,
) -> Result<Vec<String>, Cause> {
    unfinished::refuse(session).await?;
    check_version(session, plan).await?;
    if parts == Parts::Data {
        check_tables(session, plan).await?;
        return Ok(Vec::new());
    }
    let found = there(session, &plan.chosen).await?;
    if !found.is_empty() {
        return Err(Cause::NotEmpty(found));
    }
    let missing = missing_extensions(session, &plan.chosen).await?;
    if !missing.is_empty() {
        return Err(Cause::Extensions(missing));
    }
    let absent = absent_schemas(session, &plan.chosen).await?;
    check_managed(session, plan, &absent).await?;
    Ok(absent)
}

/// A server takes what an older one had, and not the other way round.
async fn check_version(session: &Client, plan: &Plan<'_>) -> Result<(), Cause> {
    let target = major_version(session).await?;
    let backup = plan.chosen.manifest.server.version_num / 10_000;
    if target < backup {
        return Err(Cause::Older { target, backup });
    }
    Ok(())
}

/// The major version of the target's server.
pub(super) async fn major_version(session: &Client) -> Result<u32, Cause> {
    const VERSION: &str = "select current_setting('server_version_num')::integer / 10000";
    let row = session.query_one(VERSION, &[]).await;
    let row = row.map_err(refused("cannot look at the target"))?;
    Ok(row.get::<_, i32>(0).unsigned_abs())
}

/// Rows alone need tables that are there and empty.
async fn check_tables(session: &Client, plan: &Plan<'_>) -> Result<(), Cause> {
    let (mut absent, mut filled) = (Vec::new(), Vec::new());
    for data in plan.tables() {
        match has_rows(session, &data.table).await? {
            None => absent.push(data.table.to_string()),
            Some(true) => filled.push(format!("rows in {}", data.table)),
            Some(false) => {}
        }
    }
    if !absent.is_empty() {
        return Err(Cause::NoTables(absent));
    }
    if !filled.is_empty() {
        return Err(Cause::NotEmpty(filled));
    }
    Ok(())
}

/// Whether a table has rows; `None` where it is not there.
async fn has_rows(session: &Client, table: &Name) -> Result<Option<bool>, Cause> {
    let failed = || refused(format!("cannot look at {table}"));
    let there = "select to_regclass($1) is not null";
    let row = session.query_one(there, &[&table.to_string()]).await;
    if !row.map_err(failed())?.get::<_, bool>(0) {
        return Ok(None);
    }
    let rows = format!("select exists (select from only {table})");
    let row = session.query_one(&rows, &[]).await.map_err(failed())?;
    Ok(Some(row.get(0)))
}

/// The roles of these that the target lacks.
pub(super) async fn missing_roles(session: &Client, roles: &[&str]) -> Result<Vec<String>, Cause> {
    const MISSING: &str = "select role from unnest($1::text[]) role \
        where not exists (select from pg_roles where rolname = role)";
    names(session, MISSING, roles).await
}

/// Puts every sequence where it stood. Answers with those that are not there.
pub(super) async fn set_sequences(
    session: &Client,
    sequences: &[&SequenceState],
) -> Result<Vec<Missing>, Cause> {
    let mut missing = Vec::new();
    for state in sequences {
        let statement = restore_sql::setval(state);
        match session.batch_execute(&statement).await {
            Ok(()) => {}
            Err(error) if error.as_db_error().is_some() => missing.push(Missing {
                what: format!("state of sequence {}", state.sequence),
                reason: in_words(&error),
                statement: format!("{statement};\n"),
            }),
            Err(error) => {
                let doing = format!("cannot set sequence {}", state.sequence);
                return Err(refused(doing)(error));
            }
        }
    }
    Ok(missing)
}

/// The sequences that stand otherwise than they were put: something of the app's has called them.
/// One that the role may set and not read is not compared.
pub(super) async fn moved_sequences(
    session: &Client,
    sequences: &[&SequenceState],
    known: &[Missing],
) -> Result<Vec<Missing>, Cause> {
    let mut moved = Vec::new();
    for state in sequences {
        let what = format!("state of sequence {}", state.sequence);
        if known.iter().any(|missing| missing.what == what) {
            continue;
        }
        let query = format!("select last_value, is_called from {}", state.sequence);
        let row = match session.query_one(&query, &[]).await {
            Ok(row) => row,
            Err(error) if error.as_db_error().is_some() => continue,
            Err(error) => {
                let doing = format!("cannot read sequence {}", state.sequence);
                return Err(refused(doing)(error));
            }
        };
        let found: (i64, bool) = (row.get(0), row.get(1));
        if found != (state.last_value, state.is_called) {
            moved.push(Missing {
                what,
                reason: "it stands elsewhere than in the source".to_owned(),
                statement: format!("{};\n", restore_sql::setval(state)),
            });
        }
    }
    Ok(moved)
}

/// Gives the planner its statistics. Answers with the tables of which the server
/// gathers none.
pub(super) async fn analyze(
    sessions: &Sessions,
    tables: &[&Name],
    tell: Listener<'_>,
) -> Result<Vec<Note>, Cause> {
    let notes = sessions.each(tables, |session, table| async move {
        // A table of the platform may be another's to analyze, which is a
        // warning and no error.
        let done = session.batch_execute(&format!("analyze {table}")).await;
        tell(Event::Advanced(1));
        match done {
            Ok(()) => Ok(None),
            Err(error) if error.as_db_error().is_some() => Ok(Some(Note::NotAnalyzed {
                table: (*table).clone(),
                reason: in_words(&error),
            })),
            Err(error) => Err(refused(format!("cannot analyze {table}"))(error)),
        }
    });
    let notes = notes.await?;
    Ok(notes.into_iter().flatten().collect())
}

/// Lets the bundle's own schema settle what must not go on as it was, where it
/// knows how to.
pub(super) async fn after_restore(
    session: &Client,
    manifest: &Manifest,
    took: std::time::Duration,
) -> Result<Option<Value>, Cause> {
    const EXISTS: &str = "select exists (select from pg_proc \
        where proname = 'after_restore' and pronamespace = to_regnamespace('ops'))";
    const CALL: &str =
        "select ops.after_restore($1, $2::text::timestamptz, $3::text::numeric)::text";
    let failed = || refused("cannot call ops.after_restore");
    let exists = session.query_one(EXISTS, &[]).await.map_err(failed())?;
    if !exists.get::<_, bool>(0) {
        return Ok(None);
    }
    let taken_at = manifest.taken_at.to_string();
    let seconds = format!("{:.3}", took.as_secs_f64());
    let row = session
        .query_one(CALL, &[&manifest.snapshot, &taken_at, &seconds])
        .await
        .map_err(failed())?;
    let answer: Option<&str> = row.get(0);
    Ok(answer.and_then(|text| serde_json::from_str(text).ok()))
}

/// What lies where the backup's objects would.
async fn there(session: &Client, chosen: &Chosen<'_>) -> Result<Vec<String>, Cause> {
    let (used, made) = (chosen.app_schemas(), chosen.made_schemas());
    let rows = session.query(restore_sql::THERE, &[&used, &made]).await;
    let rows = rows.map_err(refused("cannot look at the target"))?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// The extensions that the backup's objects need and the server does not have.
async fn missing_extensions(session: &Client, chosen: &Chosen<'_>) -> Result<Vec<String>, Cause> {
    const MISSING: &str = "select needed from unnest($1::text[]) needed \
        where not exists (select from pg_available_extensions where name = needed)";
    names(session, MISSING, &chosen.needed_extensions()).await
}

async fn absent_schemas(session: &Client, chosen: &Chosen<'_>) -> Result<Vec<String>, Cause> {
    const ABSENT: &str = "select name from unnest($1::text[]) name \
        where not exists (select from pg_namespace where nspname = name)";
    names(session, ABSENT, &chosen.managed_schemas()).await
}

/// The platform's tables have to be there and empty, or their whole schema has
/// to be absent.
async fn check_managed(session: &Client, plan: &Plan<'_>, absent: &[String]) -> Result<(), Cause> {
    let present = plan
        .managed
        .iter()
        .filter(|data| !absent.contains(&data.table.schema));
    let (mut missing, mut filled) = (Vec::new(), Vec::new());
    for data in present {
        let table = data.table.to_string();
        match has_rows(session, &data.table).await? {
            None => missing.extend((data.rows > 0).then_some(table)),
            Some(true) => filled.push(format!("rows in {table}")),
            Some(false) => {}
        }
    }
    if !missing.is_empty() {
        return Err(Cause::ManagedTables(missing));
    }
    if !filled.is_empty() {
        return Err(Cause::NotEmpty(filled));
    }
    Ok(())
}

/// Asks for names among names.
async fn names(session: &Client, query: &str, among: &[&str]) -> Result<Vec<String>, Cause> {
    let rows = session
        .query(query, &[&among])
        .await
        .map_err(refused("cannot look at the target"))?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}
