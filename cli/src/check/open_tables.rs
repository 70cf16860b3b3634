//! Whether anything but our own policies lets callers at the app's monitoring tables.

use ops::migrate;
use outside::database;

use super::finding::{Finding, Level};
use crate::environment::Environment;

const SUBJECT: &str = "access";

/// A finding each, or one that says that there is nothing; none where the schema's
/// finding tells of a database that cannot be asked.
pub(super) async fn look(environment: &Environment) -> Vec<Finding> {
    let Some(openings) = openings(environment).await else {
        return Vec::new();
    };
    if openings.is_empty() {
        let text = "only our own policies let callers at the app's monitoring tables";
        return vec![Finding::new(Level::Ok, SUBJECT, text)];
    }
    openings
        .iter()
        .map(|opening| {
            let level = if opening.by.may_admit_strangers() {
                Level::Error
            } else {
                Level::Warning
            };
            Finding::new(level, SUBJECT, opening.to_string())
        })
        .collect()
}

async fn openings(environment: &Environment) -> Option<Vec<migrate::Opening>> {
    let (url, ca) = environment.database().ok()?;
    let client = database::connect(&url, ca.as_deref()).await.ok()?;
    migrate::openings(&client).await.ok()
}
