//! The grammar of `setup`.

use std::path::PathBuf;

use clap::Args;

/// How `setup` is run.
#[derive(Debug, Clone, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(crate) struct Setup {
    /// Reads answers from this env file; without a terminal nothing else is asked
    #[arg(long, value_name = "FILE")]
    pub(super) answers: Option<PathBuf>,
    /// Answers one variable; may be given several times, and wins over the file
    #[arg(long = "set", value_name = "NAME=VALUE")]
    pub(super) set: Vec<String>,
    /// Keeps the private backup key in this file, which lies in no repository; without it
    /// the key is shown once
    #[arg(long, value_name = "FILE")]
    pub(super) identity: Option<PathBuf>,
    /// Makes a key for push messages too
    #[arg(long)]
    pub(super) web_push: bool,
    /// Makes this project on Vercel where there is none of that name
    #[arg(long, value_name = "NAME")]
    pub(super) create_vercel_project: Option<String>,
    /// Makes this project on Supabase where there is none of that name, which may cost money
    #[arg(long, value_name = "NAME", requires_all = ["supabase_organization", "supabase_region"])]
    pub(super) create_supabase_project: Option<String>,
    /// The organization that the new project belongs to
    #[arg(long, value_name = "SLUG")]
    pub(super) supabase_organization: Option<String>,
    /// Where the new project runs, such as eu-central-1
    #[arg(long, value_name = "REGION")]
    pub(super) supabase_region: Option<String>,
    /// Changes no GitHub secret and no GitHub variable
    #[arg(long)]
    pub(super) without_github: bool,
    /// Shows what would be done, and does nothing
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Replaces values that somebody else set, here and on the platforms
    #[arg(long)]
    pub(super) yes: bool,
}
