//! Brings a database to the schema that a build needs.
//!
//! In reading order:
//!
//! - [`Schema`]: the files of `migrations/` as values: table files, each applied
//!   once, and the function set, exchanged whole
//! - `ledger`: what a database remembers of them, in tables of our own (the
//!   Supabase CLI's ledger would break the app's `supabase db push` by naming
//!   versions that its folder lacks)
//! - [`Status`] and [`Plan`]: what a database has and what would be done
//! - `apply`: one migrator at a time, a transaction a table file, one for the set
//! - `exchange`: one set in the place of another, while calls go on
//! - [`export`]: the same as files for `supabase db push`
//! - [`uninstall`]: all of it taken away again
//! - [`openings`]: who else is let at the application's tables
//!
//! Whatever fails leaves the database as the last whole transaction left it, and
//! the next migrator goes on from there.

mod apply;
mod error;
mod exchange;
mod export;
mod ledger;
mod open_tables;
mod release;
mod schema;
mod status;
mod uninstall;

use tokio_postgres::Client;

pub use apply::{Applied, Step};
pub use error::MigrateError;
pub use export::export;
pub use ledger::{AppliedTables, SetInForce};
pub use open_tables::{OpenBy, Opening, Policy, openings};
pub use schema::{File, FunctionSet, Schema, TableFile};
pub use status::{HandEdits, Plan, Status};
pub use uninstall::{Installed, uninstall};

/// Compares the database with this build; changes nothing.
///
/// # Errors
/// See [`Schema::status`].
pub async fn status(client: &Client) -> Result<Status, MigrateError> {
    Schema::embedded().status(client).await
}

/// Brings the database to this build's schema; `starting` hears of each step
/// before it runs.
///
/// # Errors
/// See [`Schema::apply`].
pub async fn apply(
    client: &mut Client,
    starting: &mut dyn FnMut(&Step),
) -> Result<Applied, MigrateError> {
    Schema::embedded().apply(client, starting).await
}
