//! The grammar of `pourtrait recover`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::backup::arguments::Key;

/// What to bring back.
#[derive(Debug, Subcommand)]
pub(crate) enum Recover {
    /// Makes the database anew from a backup, and lets both projects on Vercel use it
    Database(RecoverDatabase),
    /// Makes the application anew from its archive: repository, Vercel, Edge Functions
    Application(RecoverApplication),
    /// Brings both back in another place, also where the first place of the backups is away
    Region(RecoverRegion),
}

/// How to go about it, whatever is brought back.
#[derive(Debug, Args)]
pub(crate) struct Way {
    /// The folder that keeps what was done and what was made, so that the next call goes on;
    /// never inside a repository or a folder that is deployed
    #[arg(long, value_name = "FOLDER")]
    pub(crate) folder: PathBuf,
    /// What opens backups and archives.
    #[command(flatten)]
    pub(crate) key: Key,
    /// Says what would be done, and does nothing
    #[arg(long, conflicts_with = "yes")]
    pub(crate) dry_run: bool,
    /// Does it, instead of saying what it would do
    #[arg(long)]
    pub(crate) yes: bool,
    /// Only tries it: what is made is thrown away at the end
    #[arg(long)]
    pub(crate) drill: bool,
}

/// Which backup, and where it goes.
#[derive(Debug, Args)]
pub(crate) struct Target {
    /// Name of a backup, the beginning of it, or `latest`
    #[arg(long, value_name = "BACKUP", default_value = "latest")]
    pub(crate) backup: String,
    /// The empty database, by its session connection (port 5432); in a drill any database of a
    /// server that lets another be made beside it
    #[arg(
        long,
        value_name = "DATABASE_URL",
        required_unless_present = "new_project"
    )]
    pub(crate) into: Option<String>,
    /// The URL of the project whose database that is
    #[arg(long, value_name = "URL", requires_all = ["into", "secret_key"])]
    pub(crate) project_url: Option<String>,
    /// The secret key of that project
    #[arg(long, value_name = "KEY", requires = "project_url")]
    pub(crate) secret_key: Option<String>,
    /// Makes a project of that name on Supabase with `SUPABASE_ACCESS_TOKEN`
    #[arg(
        long,
        value_name = "NAME",
        conflicts_with = "into",
        requires_all = ["organization", "region"]
    )]
    pub(crate) new_project: Option<String>,
    /// The organization that pays for it
    #[arg(long, value_name = "SLUG", requires = "new_project")]
    pub(crate) organization: Option<String>,
    /// Where it runs, such as `eu-central-1`
    #[arg(long, value_name = "REGION", requires = "new_project")]
    pub(crate) region: Option<String>,
    /// Root that signed the database's certificate; without it, `DATABASE_CA`
    #[arg(long, value_name = "FILE")]
    pub(crate) ca: Option<String>,
}

/// Which archive, and where it goes.
#[derive(Debug, Args)]
pub(crate) struct Place {
    /// Name of an archive, or `latest`
    #[arg(long, value_name = "ARCHIVE", default_value = "latest")]
    pub(crate) archive: String,
    /// The new and empty repository, as git names it
    #[arg(long, value_name = "REMOTE")]
    pub(crate) repository: Option<String>,
    /// Makes a project of that name on Vercel with `VERCEL_TOKEN`
    #[arg(long, value_name = "NAME")]
    pub(crate) vercel_project: Option<String>,
    /// The file with the values of the app's variables, each `NAME=value`
    #[arg(long, value_name = "FILE")]
    pub(crate) values: Option<PathBuf>,
}

/// A database anew.
#[derive(Debug, Args)]
#[command(after_help = "\
Killed anywhere, the same call goes on with the same folder. The folder keeps
recovered.env, with which every other command speaks to what was made:
pourtrait --env-file FOLDER/recovered.env check --live")]
pub(crate) struct RecoverDatabase {
    /// Which backup, and where it goes.
    #[command(flatten)]
    pub(crate) target: Target,
    /// How.
    #[command(flatten)]
    pub(crate) way: Way,
}

/// An application anew.
#[derive(Debug, Args)]
pub(crate) struct RecoverApplication {
    /// Which archive, and where it goes.
    #[command(flatten)]
    pub(crate) place: Place,
    /// How.
    #[command(flatten)]
    pub(crate) way: Way,
}

/// Both anew.
#[derive(Debug, Args)]
pub(crate) struct RecoverRegion {
    /// Which backup, and where it goes.
    #[command(flatten)]
    pub(crate) target: Target,
    /// Which archive, and where it goes.
    #[command(flatten)]
    pub(crate) place: Place,
    /// How.
    #[command(flatten)]
    pub(crate) way: Way,
}
