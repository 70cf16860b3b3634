//! The grammar of `pourtrait backup`.

use std::path::PathBuf;

use backup::drill::Budget;
use clap::{Args, Subcommand, ValueEnum};
use jiff::Timestamp;

use crate::times::{end_moment, first_moment};

/// What `backup` can do.
#[derive(Debug, Subcommand)]
pub(crate) enum Backup {
    /// Makes a new repository at `BACKUP_URL`, where the first backup can go
    Init,
    /// Takes a backup now
    Run {
        /// Reads everything, also what has not changed since the backup before
        #[arg(long)]
        whole: bool,
    },
    /// Lists the backups in the store
    List,
    /// Shows what a backup holds, and with an identity also its tables
    Show(Show),
    /// Follows one row through all backups: what it was when
    History(History),
    /// Shows what is different between two backups
    Diff(Diff),
    /// Checks whether backups are whole
    Verify(Verify),
    /// Restores a backup into an empty database and compares the two
    Restore(Restore),
    /// Proposes masks for all columns of a backup that look personal, for `restore --mask`
    MaskTemplate(MaskTemplate),
    /// Restores the files of Storage into a project, with their rows
    RestoreFiles(RestoreFiles),
    /// Writes a backup as a script for psql, or as a folder for `pg_restore`
    Export(Export),
    /// Restores a backup into a database made for it, compares, drops it, and reports
    Drill(Drill),
    /// Copies what `BACKUP_REPLICA_URL` lacks of the backups, the newest first
    Replicate,
    /// Writes damaged objects of a backup anew, from the copy in the other place
    Heal(Heal),
    /// Tries what the store does: creates only, reads and lists at once, refuses to delete
    StoreTest,
    /// Makes new keys
    Keygen(Keygen),
    /// Lets backups go that the ladder does not keep, and what they alone need
    Prune(Prune),
    /// Keeps a backup, whatever the ladder says
    Pin(Pins),
    /// Keeps a backup no longer than the ladder says
    Unpin(Pinned),
    /// Tells what was done with backups in a time, from signed receipts, for whoever reviews it
    Evidence(Evidence),
    /// Keeps how Vercel and Supabase are set up, and the repository, beside the backups
    Application {
        /// What to do.
        #[command(subcommand)]
        action: Application,
    },
}

/// What `application` can do.
#[derive(Debug, Subcommand)]
pub(crate) enum Application {
    /// Takes an archive now: how Vercel and Supabase are set up, and a repository
    Run {
        /// A repository whose whole past goes along: best a mirror, which has all branches
        #[arg(long, value_name = "FOLDER")]
        repository: Option<PathBuf>,
    },
    /// Lists the archives in the store
    List,
    /// Writes an archive into a folder, opened
    Fetch {
        /// Its name, or `latest`
        #[arg(default_value = "latest")]
        archive: String,
        /// The folder, which must not be there yet
        #[arg(long, value_name = "FOLDER")]
        output: PathBuf,
        /// What opens it.
        #[command(flatten)]
        key: Key,
    },
}

/// Which backup to heal, and where.
#[derive(Debug, Args)]
pub(crate) struct Heal {
    /// Its name or the beginning of it, or `latest`
    #[arg(default_value = "latest")]
    pub(crate) snapshot: String,
    /// Heals the copy from `BACKUP_URL`, rather than the other way round
    #[arg(long)]
    pub(crate) copy: bool,
}

/// Evidence of which time, and in which form.
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "\
The report comes from the project's database and the receipts in the store. With --verify or
--key the store alone is asked, and no key that opens backups is needed. A receipt holds
figures and names of backups; no name of a table, no text of an error, and no person but
whoever signed a review."
)]
pub(crate) struct Evidence {
    /// The first day, as 2026-11-01, or a moment
    #[arg(long, value_name = "DATE", value_parser = first_moment, required_unless_present_any = ["verify", "key"])]
    pub(crate) from: Option<Timestamp>,
    /// The last day, which counts whole, or a moment; by default now
    #[arg(long, value_name = "DATE", value_parser = end_moment)]
    pub(crate) to: Option<Timestamp>,
    /// As what
    #[arg(long, value_enum, default_value_t = EvidenceFormat::Markdown)]
    pub(crate) format: EvidenceFormat,
    /// Writes it into this file
    #[arg(long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Reads every receipt in the store and proves that none is missing or altered
    #[arg(long, conflicts_with_all = ["from", "to", "format", "output", "key"])]
    pub(crate) verify: bool,
    /// Holds receipts against this public key alone, and not against those in the store
    #[arg(long, value_name = "FILE", requires = "verify")]
    pub(crate) signed_by: Option<PathBuf>,
    /// Tells the project nothing of what --verify found
    #[arg(long, requires = "verify")]
    pub(crate) no_receipt: bool,
    /// Shows the public key that verifies receipts, for openssl and cosign
    #[arg(long, conflicts_with_all = ["from", "to", "format"])]
    pub(crate) key: bool,
    /// Signs off instead.
    #[command(subcommand)]
    pub(crate) action: Option<EvidenceAction>,
}

/// What `evidence` can do beside telling.
#[derive(Debug, Subcommand)]
pub(crate) enum EvidenceAction {
    /// Signs off the receipts of a time, after they were verified
    Review(Review),
}

/// Who signs off what.
#[derive(Debug, Args)]
#[command(after_help = "\
The name and the note are in the audit log and, for good, in a receipt in the store.")]
pub(crate) struct Review {
    /// The first day, as 2026-11-01, or a moment
    #[arg(long, value_name = "DATE", value_parser = first_moment)]
    pub(crate) from: Timestamp,
    /// The last day, which counts whole, or a moment
    #[arg(long, value_name = "DATE", value_parser = end_moment)]
    pub(crate) to: Timestamp,
    /// Who has reviewed it
    #[arg(long, value_name = "NAME")]
    pub(crate) by: String,
    /// What they have to say
    #[arg(long, value_name = "TEXT")]
    pub(crate) note: Option<String>,
    /// Does it, instead of saying what would be signed
    #[arg(long)]
    pub(crate) yes: bool,
}

/// What evidence can be written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum EvidenceFormat {
    /// For people who review it
    Markdown,
    /// The same for programs
    Json,
    /// The receipts themselves: a DSSE envelope a line
    Intoto,
}

/// What opens backups.
#[derive(Debug, Args)]
pub(crate) struct Key {
    /// The file with the private key; by default the one that `BACKUP_IDENTITY_FILE` names
    #[arg(long, value_name = "FILE")]
    pub(crate) identity: Option<PathBuf>,
}

/// Which backup, if not by its name.
#[derive(Debug, Args)]
pub(crate) struct Moment {
    /// The newest backup that was taken before this time, such as 2026-11-25T09:00:00Z
    #[arg(long, value_name = "TIME", conflicts_with = "snapshot")]
    pub(crate) before: Option<Timestamp>,
}

/// Which backup to show.
#[derive(Debug, Args)]
pub(crate) struct Show {
    /// The backup's name, or `latest`
    #[arg(default_value = "latest")]
    pub(crate) snapshot: String,
    /// Or by when it was taken.
    #[command(flatten)]
    pub(crate) moment: Moment,
    /// What opens it.
    #[command(flatten)]
    pub(crate) key: Key,
}

/// Which row to follow.
#[derive(Debug, Args)]
#[command(after_help = "\
Only the pieces of the table that can hold the row are read, if the key begins with the
column by which the table is ordered, and each piece once however many backups share it.
Values are those of the backups: times in UTC, as 2026-11-25 09:00:00+00.")]
pub(crate) struct History {
    /// The row's table, schema.name
    #[arg(long, value_name = "NAME")]
    pub(crate) table: String,
    /// A column of its key, and the value; repeated for a key of several columns
    #[arg(long = "key", value_name = "COLUMN=VALUE", required = true)]
    pub(crate) keys: Vec<String>,
    /// Only backups that were taken at this time or later, such as 2026-11-25T09:00:00Z
    #[arg(long, value_name = "TIME")]
    pub(crate) from: Option<Timestamp>,
    /// Only backups that were taken at this time or earlier
    #[arg(long, value_name = "TIME")]
    pub(crate) to: Option<Timestamp>,
    /// Shows the values as well, which the project's audit log then tells
    #[arg(long)]
    pub(crate) values: bool,
    /// What opens the backups.
    #[command(flatten)]
    pub(crate) key: Key,
}

/// Which backups to compare.
#[derive(Debug, Args)]
#[command(after_help = "\
Only what the two do not share is read. It ends with 0 whether or not they differ.")]
pub(crate) struct Diff {
    /// The earlier backup: its name, the beginning of it, or `latest`
    #[arg(value_name = "BACKUP")]
    pub(crate) first: String,
    /// The later one
    #[arg(value_name = "OTHER", default_value = "latest")]
    pub(crate) second: String,
    /// This table alone, schema.name, and what hangs on it; can be repeated
    #[arg(long = "table", value_name = "NAME")]
    pub(crate) tables: Vec<String>,
    /// Names rows by their keys, and the columns in which they differ, which the project's
    /// audit log then tells
    #[arg(long)]
    pub(crate) rows: bool,
    /// How many rows of each table are named
    #[arg(long, value_name = "N", default_value_t = 20, requires = "rows")]
    pub(crate) limit: usize,
    /// What opens them.
    #[command(flatten)]
    pub(crate) key: Key,
}

/// How to check backups.
#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// The backup's name, `latest` or `all`
    #[arg(default_value = "latest")]
    pub(crate) snapshot: String,
    /// Or by when it was taken.
    #[command(flatten)]
    pub(crate) moment: Moment,
    /// 1: every object is there and unchanged, which needs no key; 2: also opens
    /// and reads all of it
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=2))]
    pub(crate) level: u8,
    /// Tells the project nothing of what was found
    #[arg(long)]
    pub(crate) no_receipt: bool,
    /// What opens it.
    #[command(flatten)]
    pub(crate) key: Key,
}

/// What to restore, and where to.
#[derive(Debug, Args)]
#[command(after_help = "\
The database has to be empty, as a new Supabase project or a new database is. A
restore that fails leaves a part there: drop that database and begin again.

Rows that the living database has lost come back with
  --into-live --missing-only --table NAME --dry-run
and then with --yes: rows whose key is not there any more, and nothing else. What belongs
to one row comes back with --where public.profiles:id=7 in place of --table.")]
pub(crate) struct Restore {
    /// Name of a backup, or `latest`
    #[arg(default_value = "latest")]
    pub(crate) snapshot: String,
    /// Or by when it was taken.
    #[command(flatten)]
    pub(crate) moment: Moment,
    /// The empty database, by its session connection (port 5432)
    #[arg(
        long,
        value_name = "DATABASE_URL",
        required_unless_present = "into_live"
    )]
    pub(crate) into: Option<String>,
    /// Into a database that lives.
    #[command(flatten)]
    pub(crate) live: Live,
    /// What opens it.
    #[command(flatten)]
    pub(crate) key: Key,
    /// What of it.
    #[command(flatten)]
    pub(crate) choice: Choice,
    /// Rows and no objects, into tables that are there and empty
    #[arg(long, conflicts_with_all = ["schema_only", "skip", "no_owner", "no_privileges"])]
    pub(crate) data_only: bool,
    /// Ends at the first object or row that the database refuses, instead of restoring
    /// everything else
    #[arg(long)]
    pub(crate) strict: bool,
    /// Where the SQL of what the database refuses is written
    #[arg(long, value_name = "FILE", default_value = "restore-missing.sql")]
    pub(crate) missing: PathBuf,
    /// How many sessions work at once
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u8).range(1..=32))]
    pub(crate) jobs: u8,
    /// Root that signed the database's certificate; without it, `DATABASE_CA`
    #[arg(long, value_name = "FILE")]
    pub(crate) ca: Option<String>,
    /// For whose eyes.
    #[command(flatten)]
    pub(crate) masks: Masks,
    /// Whether only to look.
    #[command(flatten)]
    pub(crate) trial: Trial,
    /// Does it, instead of saying what it would do
    #[arg(long)]
    pub(crate) yes: bool,
}

/// Which backup to look through.
#[derive(Debug, Args)]
#[command(after_help = "\
It looks at the names and types of columns, and at the first rows of each table. Only names
of columns are written. Nobody but you can know all that is personal: read it before you use it.")]
pub(crate) struct MaskTemplate {
    /// Name of a backup, or `latest`
    #[arg(default_value = "latest")]
    pub(crate) snapshot: String,
    /// Or by when it was taken.
    #[command(flatten)]
    pub(crate) moment: Moment,
    /// What opens it.
    #[command(flatten)]
    pub(crate) key: Key,
    /// Writes to this new file instead of standard output
    #[arg(long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

/// Files of Storage back into a project.
#[derive(Debug, Args)]
#[command(after_help = "\
After `backup restore` into the project's database. What is there already with the same
hash stays, so that a restore that broke off is begun again and goes on. Files of people
who were erased since the backup do not come back.")]
pub(crate) struct RestoreFiles {
    /// Name of a backup, or `latest`
    #[arg(default_value = "latest")]
    pub(crate) snapshot: String,
    /// Or by when it was taken.
    #[command(flatten)]
    pub(crate) moment: Moment,
    /// The project's database, by its session connection (port 5432)
    #[arg(long, value_name = "DATABASE_URL")]
    pub(crate) into: String,
    /// The project's URL, which begins with https
    #[arg(long, value_name = "URL")]
    pub(crate) project: String,
    /// The project's secret key, in either form; without it, `NEW_SUPABASE_SECRET_KEY`
    #[arg(long, value_name = "KEY")]
    pub(crate) secret_key: Option<String>,
    /// What opens it.
    #[command(flatten)]
    pub(crate) key: Key,
    /// Root that signed the database's certificate; without it, `DATABASE_CA`
    #[arg(long, value_name = "FILE")]
    pub(crate) ca: Option<String>,
    /// Does it, instead of saying what it would do
    #[arg(long)]
    pub(crate) yes: bool,
}

/// Rows for people who may not see whose they are.
#[derive(Debug, Args)]
pub(crate) struct Masks {
    /// Masks columns before the database sees them, as this file says
    #[arg(long, value_name = "FILE", conflicts_with = "into_live")]
    pub(crate) mask: Option<PathBuf>,
    /// Lets columns that look personal come as they are where that file does not name them
    #[arg(long, requires = "mask")]
    pub(crate) yes_unmasked: bool,
}

/// Looked at and not done.
#[derive(Debug, Args)]
pub(crate) struct Trial {
    /// Says what would be done, looks at the database, and changes nothing
    #[arg(long, conflicts_with = "yes")]
    pub(crate) dry_run: bool,
}

/// Rows back into a database that lives.
#[derive(Debug, Args)]
pub(crate) struct Live {
    /// Into the database of `DATABASE_URL`, which lives: only rows, and only those that
    /// are missing
    #[arg(
        long,
        requires = "missing_only",
        conflicts_with_all = [
            "into", "schema_only", "data_only", "schemas", "exclude_tables", "skip",
            "no_owner", "no_privileges", "strict",
        ]
    )]
    pub(crate) into_live: bool,
    /// Rows whose key is not there any more; what is there stays as it is
    #[arg(long, requires = "into_live")]
    pub(crate) missing_only: bool,
    /// Rows that belong to this one alone: itself, all that refer to it by foreign keys, and
    /// all that refer to those; can be repeated
    #[arg(
        long = "where",
        value_name = "TABLE:COLUMN=VALUE",
        requires = "into_live",
        conflicts_with = "tables"
    )]
    pub(crate) owners: Vec<String>,
}

/// What of a backup, if not all of it.
#[derive(Debug, Args)]
pub(crate) struct Choice {
    /// Objects and no rows
    #[arg(long)]
    pub(crate) schema_only: bool,
    /// Everything in this schema, and what it needs; can be repeated
    #[arg(long = "schema", value_name = "NAME")]
    pub(crate) schemas: Vec<String>,
    /// This table, schema.name, and what it needs; can be repeated
    #[arg(long = "table", value_name = "NAME")]
    pub(crate) tables: Vec<String>,
    /// Everything but this table, schema.name; can be repeated
    #[arg(long = "exclude-table", value_name = "NAME")]
    pub(crate) exclude_tables: Vec<String>,
    /// Everything but this object, as `index public.orders_idx`; can be repeated
    #[arg(long = "skip", value_name = "OBJECT")]
    pub(crate) skip: Vec<String>,
    /// Leaves everything to the role that restores it
    #[arg(long)]
    pub(crate) no_owner: bool,
    /// Gives nobody privileges
    #[arg(long)]
    pub(crate) no_privileges: bool,
}

/// What to write, and where to.
#[derive(Debug, Args)]
pub(crate) struct Export {
    /// Name of a backup, or `latest`
    #[arg(default_value = "latest")]
    pub(crate) snapshot: String,
    /// Or by when it was taken.
    #[command(flatten)]
    pub(crate) moment: Moment,
    /// What opens it.
    #[command(flatten)]
    pub(crate) key: Key,
    /// As what
    #[arg(long, value_enum)]
    pub(crate) format: Format,
    /// What of it.
    #[command(flatten)]
    pub(crate) choice: Choice,
    /// Rows and no objects, into tables that are there and empty
    #[arg(long, conflicts_with_all = ["schema_only", "skip", "no_owner", "no_privileges"])]
    pub(crate) data_only: bool,
    /// Restores nothing as soon as the database refuses anything, instead of restoring
    /// everything else
    #[arg(long)]
    pub(crate) strict: bool,
    /// Writes to this new file, or folder, instead of standard output; never inside a
    /// repository or a folder that is deployed
    #[arg(long, value_name = "PATH", required_if_eq("format", "directory"))]
    pub(crate) output: Option<PathBuf>,
}

/// What a backup can be written as.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Format {
    /// A script for psql
    Sql,
    /// A folder for `pg_restore`, as `pg_dump --format directory` makes it
    Directory,
}

/// Where new keys go.
#[derive(Debug, Args)]
pub(crate) struct Keygen {
    /// Writes the private key to this new file, readable by its owner alone,
    /// instead of showing it; never inside a repository or a folder that is deployed
    #[arg(long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

/// What to let go.
#[derive(Debug, Args)]
#[command(after_help = "\
Without --yes it says what would become of each backup, and why. What is no longer kept
lies in the trash for `backup.trash_days`, where --undo gets it back; what no backup needs
is deleted a day or more after a collection has found that. The function does the same by
itself once a day, after a backup.")]
pub(crate) struct Prune {
    /// Says what would become of each backup, and does nothing
    #[arg(long, conflicts_with = "yes")]
    pub(crate) dry_run: bool,
    /// Deletes all objects that are due, and not only a quarter of all at once
    #[arg(long, conflicts_with = "undo")]
    pub(crate) force: bool,
    /// Puts this backup back out of the trash; the beginning of its name is enough
    #[arg(long, value_name = "BACKUP", conflicts_with_all = ["yes", "dry_run"])]
    pub(crate) undo: Option<String>,
    /// Does it, instead of saying what it would do
    #[arg(long)]
    pub(crate) yes: bool,
}

/// Which backup to keep.
#[derive(Debug, Args)]
pub(crate) struct Pins {
    /// The backup's name, the beginning of it, or `latest`
    pub(crate) snapshot: String,
    /// Why, for whoever finds the pin
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
}

/// Which backup to keep no longer.
#[derive(Debug, Args)]
pub(crate) struct Pinned {
    /// The backup's name, or the beginning of it
    pub(crate) snapshot: String,
}

/// Which backup to try, and where.
#[derive(Debug, Args)]
#[command(after_help = "\
The database is made for the drill and dropped after it, also when the drill fails or is
ended by a signal; what a killed one left is dropped by the next. The receipt goes to the
project that the environment names, which alerts when a drill failed or is overdue.")]
pub(crate) struct Drill {
    /// Name of a backup, or `latest`
    #[arg(default_value = "latest")]
    pub(crate) snapshot: String,
    /// A server that lets a database be made, by the URL of any database of it
    #[arg(long, value_name = "DATABASE_URL", conflicts_with = "own_server")]
    pub(crate) into_server: Option<String>,
    /// Uses the server of `DATABASE_URL` itself, beside the database that is backed up
    #[arg(long)]
    pub(crate) own_server: bool,
    /// What opens it.
    #[command(flatten)]
    pub(crate) key: Key,
    /// Restores rows of as many tables as fit, such as 500MB or 10min; those that wait
    /// longest come first
    #[arg(long, value_name = "SIZE|TIME")]
    pub(crate) budget: Option<Budget>,
    /// How many sessions work at once
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u8).range(1..=32))]
    pub(crate) jobs: u8,
    /// Root that signed the server's certificate; without it, `DATABASE_CA`
    #[arg(long, value_name = "FILE")]
    pub(crate) ca: Option<String>,
    /// Tells nobody: no project is asked, and none hears of it
    #[arg(long)]
    pub(crate) no_receipt: bool,
}
