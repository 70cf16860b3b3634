//! The grammar of `pourtrait rollback`.

use clap::Args;

use crate::traffic::Which;

/// What `rollback` is asked.
#[derive(Debug, Args)]
pub(crate) struct Rollback {
    /// Where to, `dpl_…` or its address; without it, to the deployment before
    #[arg(value_name = "DEPLOYMENT")]
    pub(crate) deployment: Option<String>,
    /// Whose production
    #[arg(long, value_enum, default_value = "app")]
    pub(crate) project: Which,
    /// Lets later releases have the domains again, by promoting what serves or DEPLOYMENT
    #[arg(long)]
    pub(crate) release: bool,
    /// Says why, which Vercel keeps
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub(crate) reason: String,
}
