//! The grammar of `pourtrait deploy`.

use clap::Args;

use crate::traffic::Which;

/// What `deploy` is asked.
#[derive(Debug, Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of the command line"
)]
pub(crate) struct Deploy {
    /// What is deployed, from the folder that this is called in
    #[arg(long, value_enum, default_value = "app")]
    pub(crate) project: Which,
    /// Prints what would be done, and does nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Goes on from this deployment, which is built and serves nobody
    #[arg(long, value_name = "DEPLOYMENT")]
    pub(crate) staged: Option<String>,
    /// Promotes even where production is pinned by a rollback, which ends the pin
    #[arg(long)]
    pub(crate) unpin: bool,
    /// Asks neither whether the folder is as committed nor for lint and tests
    #[arg(long)]
    pub(crate) skip_gates: bool,
    /// Goes on where the database's functions of now could not be put back
    #[arg(long)]
    pub(crate) one_way: bool,
}
