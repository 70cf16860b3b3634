//! Whether a restore into the database began and did not end.

use backup::restore;
use outside::database;

use super::finding::{Finding, Level};
use crate::environment::Environment;

const SUBJECT: &str = "restore";

/// `None` where there is nothing to say: the schema's finding tells of a database that
/// cannot be asked.
pub(super) async fn look(environment: &Environment) -> Option<Finding> {
    let (url, ca) = environment.database().ok()?;
    let client = database::connect(&url, ca.as_deref()).await.ok()?;
    let unfinished = restore::unfinished(&client).await.ok()??;
    let text = format!("the database is {unfinished}: drop it and restore again");
    Some(Finding::new(Level::Error, SUBJECT, text))
}
