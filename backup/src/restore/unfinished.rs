//! The mark in a target that says that its restore has not ended: what is there is a part
//! until the mark is gone, however the restore came to its end.

use tokio_postgres::Client;

use super::{Cause, restore_error::refused};

/// A restore that began and did not end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfinished {
    /// The backup's name.
    pub backup: String,
    /// When it began, by the target's clock, in UTC.
    pub since: String,
}

impl std::fmt::Display for Unfinished {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { backup, since } = self;
        write!(
            formatter,
            "half restored since {since}, from backup {backup}"
        )
    }
}

/// Where the mark stands: in a schema of its own, or where the role may make none in
/// `public`.
const PLACES: [&str; 2] = [
    "pourtrait_restore.unfinished",
    "public.pourtrait_restore_unfinished",
];

/// Looks for the mark of a restore into this database.
///
/// # Errors
/// When the database cannot be asked.
pub async fn unfinished(session: &Client) -> Result<Option<Unfinished>, tokio_postgres::Error> {
    for place in PLACES {
        let there = "select pg_catalog.to_regclass($1) is not null";
        let row = session.query_one(there, &[&place]).await?;
        if row.get::<_, bool>(0) {
            let read = format!(
                "select backup, pg_catalog.to_char(since at time zone 'UTC', \
                 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') from {place}"
            );
            let row = session.query_opt(&read, &[]).await?;
            return Ok(row.map(|row| Unfinished {
                backup: row.get(0),
                since: row.get(1),
            }));
        }
    }
    Ok(None)
}

/// Refuses a target that bears the mark.
pub(super) async fn refuse(session: &Client) -> Result<(), Cause> {
    match unfinished(session).await {
        Ok(None) => Ok(()),
        Ok(Some(unfinished)) => Err(Cause::Unfinished(unfinished.to_string())),
        Err(error) => Err(refused("cannot look at the target")(error)),
    }
}

/// Marks the target, before anything else is changed there.
pub(super) async fn mark(session: &Client, backup: &str) -> Result<(), Cause> {
    let backup = crate::restore_sql::literal(backup);
    let mark = |schema: &str, place| {
        format!(
            "{schema} create table {place} as select {backup}::text as backup, \
             pg_catalog.clock_timestamp() as since"
        )
    };
    let [own, public] = PLACES;
    let in_own = mark("create schema pourtrait_restore;", own);
    match session.batch_execute(&in_own).await {
        Ok(()) => Ok(()),
        Err(error) if error.as_db_error().is_some() => {
            let in_public = session.batch_execute(&mark("", public)).await;
            in_public.map_err(refused("cannot mark the target as half restored"))
        }
        Err(error) => Err(refused("cannot mark the target as half restored")(error)),
    }
}

/// Takes the mark away: the restore has come to its end.
pub(super) async fn unmark(session: &Client) -> Result<(), Cause> {
    let [own, public] = PLACES;
    let unmark = format!(
        "set client_min_messages to warning; drop table if exists {own}, {public}; \
         drop schema if exists pourtrait_restore; reset client_min_messages"
    );
    let done = session.batch_execute(&unmark).await;
    done.map_err(refused(
        "cannot take the mark of a half restored target away",
    ))
}
