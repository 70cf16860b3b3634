//! The grammar of `pourtrait status`.

use clap::Args;

use crate::traffic::Which;

/// What `status` is asked.
#[derive(Debug, Args)]
pub(crate) struct Status {
    /// Also shows recent deployments, and whether one can go back to each
    #[arg(long)]
    pub(crate) deployments: bool,
    /// Whose production
    #[arg(long, value_enum, default_value = "app")]
    pub(crate) project: Which,
}
