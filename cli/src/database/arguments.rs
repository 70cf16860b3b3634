//! The grammar of `pourtrait database`.

use clap::Subcommand;

/// What `database` can do.
#[derive(Debug, Subcommand)]
pub(crate) enum Database {
    /// Shows the server's own statistics, as they are now
    Show,
}
