//! The grammar of `pourtrait audit`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::report::Asked;

/// What `audit` can do.
#[derive(Debug, Subcommand)]
pub(crate) enum Audit {
    /// Shows who did what that has to be answered for, the newest first
    List(List),
    /// Proves that the log is as it was written, by its hashes and by what backups saw of it
    Verify(Verify),
    /// Writes the whole log into a file that can be verified without the database
    Export {
        /// The file to write; it must not be there
        #[arg(long, value_name = "FILE")]
        output: PathBuf,
    },
    /// Writes what an auditor asks for: what differs from the last month, the proof of the log,
    /// what was changed, people, keys and their age, what is kept, who may read it, how it is
    /// encrypted and what of that was verified, TLS, headers and advisories
    Security(Asked),
}

impl Audit {
    /// Whether it does without anything that names a project.
    pub(crate) fn needs_no_project(&self) -> bool {
        matches!(self, Self::Verify(Verify { file: Some(_) }))
    }
}

/// What is verified.
#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// A file that `audit export` or `uninstall` wrote, instead of the database
    #[arg(long, value_name = "FILE")]
    pub(super) file: Option<PathBuf>,
}

/// Which rows are shown.
#[derive(Debug, Args)]
pub(crate) struct List {
    /// Those of one kind alone, such as setting.changed
    #[arg(long, value_name = "ACTION")]
    pub(super) action: Option<String>,
    /// Those before this row
    #[arg(long, value_name = "ROW")]
    pub(super) before: Option<i64>,
    /// How many at most
    #[arg(long, default_value_t = 50)]
    pub(super) limit: u32,
}
