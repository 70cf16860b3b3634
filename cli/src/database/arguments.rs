//! The grammar of `pourtrait database`.

use clap::Subcommand;

/// What `database` can do.
#[derive(Debug, Subcommand)]
pub(crate) enum Database {
    /// Shows the server's own statistics, as they are now
    Show,
    /// Shows what of it costs something and gives nothing, each with the statement that changes it
    Advise,
    /// Shows what is used of what there is, how that grows, and in how many days it is full
    Resources,
}
