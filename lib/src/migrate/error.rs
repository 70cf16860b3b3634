//! Why a database could not be migrated.

/// Why a database could not be migrated.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// A table file was changed after it had been applied.
    #[error("{0} was changed after it had been applied; write a new table file instead")]
    Changed(String),
    /// The tables are too new for this build's functions.
    #[error(
        "tables/{file} was applied, and release {needs} is the oldest whose functions bear it; this build is {release}: use a newer one"
    )]
    TooOld {
        /// The file that this build's functions cannot work on.
        file: String,
        /// The oldest release that can.
        needs: String,
        /// This build's release.
        release: String,
    },
    /// The ledger is one of before the first release.
    #[error(
        "ops.migrations names migrations of before release 0.1.0, which no build goes on from: make the database anew, or drop schema ops and every function public.ops_* and migrate again"
    )]
    OldLayout,
    /// Another migrator holds the lock.
    #[error("another migration is running; nothing was changed")]
    Busy,
    /// Calls did not end in time, so that the functions could not be exchanged.
    #[error(
        "the functions were not exchanged, because calls that write kept them in use for 5 s; run it again once these have ended:\n{holders}"
    )]
    InUse {
        /// Who keeps them in use, one a line.
        holders: String,
    },
    /// A file failed; it was rolled back, files before it stand.
    #[error("{file}{} failed and was rolled back: {message} ({code})", at(*line))]
    Failed {
        /// The file, or what else was being done.
        file: String,
        /// The line in it, where the server says.
        line: Option<usize>,
        /// The server's words.
        message: String,
        /// The SQLSTATE.
        code: String,
    },
    /// The ledger cannot be read as what this build writes.
    #[error("ops.function_sets cannot be read: {0}")]
    Ledger(#[from] serde_json::Error),
    /// The session ended or the server refused our own statements.
    #[error("the database session failed: {}; `pourtrait migrate status` tells what was applied", words(.0))]
    Session(#[from] tokio_postgres::Error),
}

fn at(line: Option<usize>) -> String {
    line.map(|line| format!(", line {line},"))
        .unwrap_or_default()
}

/// The server's words where it has said something, else the connection's.
fn words(error: &tokio_postgres::Error) -> String {
    match error.as_db_error() {
        Some(server) => format!("{} ({})", server.message(), server.code().code()),
        None => error.to_string(),
    }
}
