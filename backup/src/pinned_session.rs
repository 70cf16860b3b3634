//! Database sessions that a backup and a restore can rely on.
//!
//! Everything that the text of a value depends on is pinned as `pg_dump` pins
//! it, and recorded; nothing that the role or the database has configured cuts
//! a long statement short.

use std::fmt::Write;

use outside::database::{self, ConnectError, Driven, Received};
use secrecy::SecretString;
use tokio::task::JoinHandle;
use tokio_postgres::Client;
use uuid::Uuid;

/// What COPY text and checksums depend on.
const TEXT: &[(&str, &str)] = &[
    ("client_encoding", "UTF8"),
    ("standard_conforming_strings", "on"),
    ("extra_float_digits", "3"),
    ("datestyle", "ISO, YMD"),
    ("intervalstyle", "postgres"),
    ("timezone", "UTC"),
    ("bytea_output", "hex"),
    ("xmloption", "content"),
    ("lc_monetary", "C"),
];

/// How a session behaves. The last four end it soon after its client is gone:
/// the snapshot and the locks of a function that was killed must not outlive it.
const CONDUCT: &[(&str, &str)] = &[
    ("statement_timeout", "0"),
    ("lock_timeout", "0"),
    ("idle_in_transaction_session_timeout", "0"),
    ("idle_session_timeout", "0"),
    ("search_path", ""),
    ("check_function_bodies", "off"),
    ("row_security", "off"),
    ("synchronize_seqscans", "off"),
    // A planner that compares a query with constraints runs what they call.
    ("constraint_exclusion", "off"),
    ("client_connection_check_interval", "10s"),
    ("tcp_keepalives_idle", "60"),
    ("tcp_keepalives_interval", "10"),
    ("tcp_keepalives_count", "3"),
];

/// A setting of our own, by which a session knows itself again.
const MARKER: &str = "pourtrait.session";

/// Why a session cannot be relied on.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// It could not be opened.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// What was set in it is gone: somebody shares it.
    #[error(
        "the session does not keep its settings, so a transaction pooler is in between; use the session connection (port 5432)"
    )]
    Shared,
    /// It ended, or the server refused a statement.
    #[error("the database session failed: {0}")]
    Failed(String),
}

impl From<tokio_postgres::Error> for SessionError {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Failed(in_words(&error))
    }
}

/// A verified session with pinned settings. Dropped, it is cut off at once,
/// whatever it is doing; [`PinnedSession::close`] ends it in good order.
#[derive(Debug)]
pub struct PinnedSession {
    client: Client,
    driver: Driver,
    received: Received,
    marker: String,
}

impl PinnedSession {
    /// Opens a session and pins its settings.
    ///
    /// # Errors
    /// See [`SessionError`].
    pub async fn open(url: &SecretString, ca: Option<&str>) -> Result<Self, SessionError> {
        let Driven {
            client,
            driver,
            received,
        } = database::connect_driven(url, ca).await?;
        let session = Self {
            client,
            driver: Driver(driver),
            received,
            marker: Uuid::new_v4().to_string(),
        };
        session.client.batch_execute(&pin(&session.marker)).await?;
        Ok(session)
    }

    /// Where statements go.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// How much came over it, counted on while it lasts.
    #[must_use]
    pub fn received(&self) -> Received {
        self.received.clone()
    }

    /// Checks that the server's session is still the one that was set up. A
    /// transaction pooler hands the same one to the next client that was opened.
    ///
    /// # Errors
    /// [`SessionError::Shared`] if it is not.
    pub async fn prove(&self) -> Result<(), SessionError> {
        let row = self
            .client
            .query_one("select current_setting($1, true)", &[&MARKER])
            .await?;
        if row.get::<_, Option<&str>>(0) == Some(&self.marker) {
            Ok(())
        } else {
            Err(SessionError::Shared)
        }
    }

    /// The settings that COPY text and checksums depend on, as the server has
    /// them.
    ///
    /// # Errors
    /// When the server cannot be asked.
    pub async fn settings(&self) -> Result<Vec<(String, String)>, SessionError> {
        let names: Vec<&str> = TEXT.iter().map(|(name, _)| *name).collect();
        let rows = self
            .client
            .query(
                "select name, current_setting(name)
                 from unnest($1::text[]) with ordinality as wanted (name, position)
                 order by position",
                &[&names],
            )
            .await?;
        Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
    }

    /// Ends the session in good order and tells what went wrong in it, even
    /// after the last answer.
    ///
    /// # Errors
    /// When the session had failed.
    pub async fn close(self) -> Result<(), SessionError> {
        let Self {
            client, mut driver, ..
        } = self;
        drop(client);
        match (&mut driver.0).await {
            Ok(ended) => Ok(ended?),
            Err(lost) => Err(SessionError::Failed(lost.to_string())),
        }
    }
}

/// The task that drives a session. A client that is merely dropped would first
/// read everything that the server still has to say, which for COPY is a table.
#[derive(Debug)]
struct Driver(JoinHandle<Result<(), tokio_postgres::Error>>);

impl Drop for Driver {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// What a server or a session said, without the detail lines and without the value that
/// could not be read: these are a row's.
pub(crate) fn in_words(error: &tokio_postgres::Error) -> String {
    match error.as_db_error() {
        Some(server) => {
            let code = server.code().code();
            format!("{} ({code})", without_value(server.message(), code))
        }
        None => match std::error::Error::source(error) {
            Some(cause) => format!("{error}: {cause}"),
            None => error.to_string(),
        },
    }
}

/// A message about data (class 22) ends with the value: `invalid input syntax for type
/// integer: "x"`.
fn without_value<'a>(message: &'a str, code: &str) -> &'a str {
    match message.split_once(": \"") {
        Some((words, _)) if code.starts_with("22") => words,
        _ => message,
    }
}

fn pin(marker: &str) -> String {
    let own = [(MARKER, marker)];
    let mut sql = String::from(
        "select set_config(name, '0', false) from pg_settings where name = 'transaction_timeout';",
    );
    for (name, value) in TEXT.iter().chain(CONDUCT).chain(&own) {
        // Constants and a UUID: nothing in them needs quoting.
        let _ = write!(sql, "select set_config('{name}', '{value}', false);");
    }
    sql
}
