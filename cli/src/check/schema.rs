//! The direct session, and whether the schema is the one that this build needs.

use anyhow::Context;
use ops::migrate;
use outside::database;

use super::finding::{Finding, Level};
use crate::environment::Environment;

const SUBJECT: &str = "schema";

/// Functions need no direct session; without `DATABASE_URL` nothing can be found
/// out.
pub(super) async fn look(environment: &Environment) -> Finding {
    if environment.get("DATABASE_URL").is_none() {
        return Finding::new(
            Level::Warning,
            SUBJECT,
            "DATABASE_URL is not set: not looked at",
        );
    }
    let status = async {
        let (url, ca) = environment.database()?;
        let client = database::connect(&url, ca.as_deref()).await?;
        migrate::status(&client)
            .await
            .context("the ledger cannot be read")
    };
    match status.await {
        Err(error) => Finding::new(Level::Error, SUBJECT, format!("{error:#}")),
        Ok(status) if !status.is_current() => {
            let text = "not that of this build: run `pourtrait migrate`";
            Finding::new(Level::Error, SUBJECT, text)
        }
        Ok(status) if !status.hand_edits.is_empty() => {
            let text = "functions were changed by hand: see `pourtrait migrate status`";
            Finding::new(Level::Warning, SUBJECT, text)
        }
        Ok(_) => Finding::new(Level::Ok, SUBJECT, "that of this build"),
    }
}
