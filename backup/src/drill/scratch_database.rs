//! The database that a drill makes and drops.
//!
//! Its name says whose it is. While a drill is at work it holds a lock of that name
//! in the database that it was given, so that what a killed one left behind can be
//! told from what another one needs. Nothing else is ever dropped.

use outside::{clock, database};
use secrecy::{ExposeSecret, SecretString};
use tokio_postgres::Client;
use url::Url;
use uuid::Uuid;

use crate::pinned_session::{PinnedSession, SessionError, in_words};

/// What every name begins with; a time and eight random digits follow.
const PREFIX: &str = "pourtrait_drill_";

/// Databases of drills that nobody is connected to.
const ABANDONED: &str = "select datname from pg_database as known \
    where datname ~ '^pourtrait_drill_[0-9]{8}t[0-9]{6}z_[0-9a-f]{8}$' \
    and pg_has_role(datdba, 'usage') \
    and not exists (select from pg_stat_activity as session \
        where session.datname = known.datname and backend_type = 'client backend')";

/// Why there is no scratch database, or why it is still there.
#[derive(Debug, thiserror::Error)]
pub enum ScratchError {
    /// The URL does not let its database be exchanged for another.
    #[error("the server's URL must be of the form postgresql://user:password@host:port/database")]
    Url,
    /// The server cannot be reached.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// The server does not let one be made.
    #[error("cannot make a scratch database: {0}")]
    NotMade(String),
    /// It could not be dropped.
    #[error("cannot drop the scratch database {name}: {reason}")]
    NotDropped {
        /// Which.
        name: String,
        /// The server's words.
        reason: String,
    },
}

/// A database of a drill that is at work.
#[derive(Debug)]
pub(super) struct ScratchDatabase<'a> {
    name: String,
    url: SecretString,
    server: &'a SecretString,
    ca: Option<&'a str>,
    /// Holds the lock of its name, and is used for nothing else.
    guard: PinnedSession,
}

impl<'a> ScratchDatabase<'a> {
    /// Makes one. It comes from `template0`, so it holds nothing but PostgreSQL.
    pub(super) async fn make(
        server: &'a SecretString,
        ca: Option<&'a str>,
    ) -> Result<Self, ScratchError> {
        let name = new_name();
        let url = url_of(server, &name)?;
        let guard = PinnedSession::open(server, ca).await?;
        let refused = |error| ScratchError::NotMade(in_words(&error));
        try_lock(guard.client(), &name).await.map_err(refused)?;
        let statement = format!("create database {name} template template0");
        let made = guard.client().batch_execute(&statement).await;
        made.map_err(refused)?;
        Ok(Self {
            name,
            url,
            server,
            ca,
            guard,
        })
    }

    /// Its own URL.
    pub(super) fn url(&self) -> &SecretString {
        &self.url
    }

    /// Drops it, whoever is still connected: sessions that were cut off go on for a
    /// moment. The session is a new one, because the drill may have ended for want
    /// of the others.
    pub(super) async fn drop(self) -> Result<(), ScratchError> {
        let session = PinnedSession::open(self.server, self.ca).await?;
        let statement = format!("drop database if exists {} with (force)", self.name);
        let done = session.client().batch_execute(&statement).await;
        done.map_err(|error| ScratchError::NotDropped {
            reason: in_words(&error),
            name: self.name,
        })?;
        // What was done is done, however the sessions end.
        let _ = session.close().await;
        let _ = self.guard.close().await;
        Ok(())
    }
}

/// Drops what killed drills left on a server. Answers with the names.
pub(super) async fn clear(
    server: &SecretString,
    ca: Option<&str>,
) -> Result<Vec<String>, ScratchError> {
    let session = PinnedSession::open(server, ca).await?;
    let client = session.client();
    let failed = |error| ScratchError::Session(SessionError::from(error));
    let rows = client.query(ABANDONED, &[]).await.map_err(failed)?;
    let mut dropped = Vec::new();
    for row in rows {
        let name: String = row.get(0);
        if !try_lock(client, &name).await.map_err(failed)? {
            continue;
        }
        // Without force: whoever is connected after all keeps it.
        let statement = format!("drop database if exists {name}");
        match client.batch_execute(&statement).await {
            Ok(()) => dropped.push(name),
            Err(error) if error.as_db_error().is_some() => {
                tracing::warn!(
                    name,
                    reason = in_words(&error),
                    "a database of a drill stays"
                );
            }
            Err(error) => return Err(failed(error)),
        }
    }
    session.close().await?;
    Ok(dropped)
}

/// Takes the lock of a name until the session ends.
async fn try_lock(session: &Client, name: &str) -> Result<bool, tokio_postgres::Error> {
    const LOCK: &str = "select pg_try_advisory_lock(hashtextextended($1, 0))";
    let row = session.query_one(LOCK, &[&name]).await?;
    Ok(row.get(0))
}

/// In lower case, so that it needs no quotes anywhere.
fn new_name() -> String {
    let now = clock::now();
    let random = Uuid::new_v4().simple().to_string();
    format!(
        "{PREFIX}{}_{}",
        now.strftime("%Y%m%dt%H%M%Sz"),
        &random[..8]
    )
}

/// The URL of another database on the same server.
fn url_of(server: &SecretString, name: &str) -> Result<SecretString, ScratchError> {
    let readable = database::host(server).is_ok();
    let mut url = Url::parse(server.expose_secret()).map_err(|_| ScratchError::Url)?;
    if !readable || url.cannot_be_a_base() {
        return Err(ScratchError::Url);
    }
    // A parameter of that name would win over the path.
    let kept: Vec<(String, String)> = url
        .query_pairs()
        .filter(|(key, _)| key != "dbname")
        .map(|(key, value)| (key.into_owned(), value.into_owned()))
        .collect();
    url.set_path(name);
    url.set_query(None);
    if !kept.is_empty() {
        url.query_pairs_mut().extend_pairs(kept);
    }
    Ok(String::from(url).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scratch(server: &str) -> Option<String> {
        let url = url_of(&server.to_owned().into(), "scratch").ok()?;
        Some(url.expose_secret().to_owned())
    }

    #[test]
    fn only_the_database_of_a_url_is_exchanged() {
        for (server, expected) in [
            (
                "postgresql://a:b@host/db",
                Some("postgresql://a:b@host/scratch"),
            ),
            (
                "postgres://a.ref:p%40ss@host:5432/postgres?sslmode=require",
                Some("postgres://a.ref:p%40ss@host:5432/scratch?sslmode=require"),
            ),
            ("postgresql://a@host", Some("postgresql://a@host/scratch")),
            (
                "postgresql://a@host/db?dbname=other",
                Some("postgresql://a@host/scratch"),
            ),
            ("host=h dbname=d", None),
            ("postgresql:///db", None),
        ] {
            assert_eq!(scratch(server).as_deref(), expected, "{server}");
        }
    }

    #[test]
    fn a_name_is_one_that_the_next_drill_knows() {
        let name = new_name();
        let digits = name.strip_prefix(PREFIX).unwrap();
        assert_eq!(digits.len(), 25, "{name}");
        assert!(
            name.bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
        );
        assert_ne!(name, new_name());
    }
}
