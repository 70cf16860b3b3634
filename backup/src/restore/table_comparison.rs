//! The proof: what the target's server counts and hashes, against what the
//! source's did.

use tokio_postgres::Client;

use super::{Cause, Event, Listener, restore_error::refused, target_sessions::Sessions};
use crate::{
    checksum,
    format::{Checksum, TableData},
    schema::Name,
};

/// What a table has to hold.
#[derive(Debug)]
pub(super) struct Expected {
    pub(super) table: Name,
    /// The columns that are compared.
    pub(super) columns: Vec<String>,
    pub(super) rows: u64,
    pub(super) checksum: Checksum,
}

impl Expected {
    /// What the source held.
    pub(super) fn of(data: &TableData) -> Self {
        Self {
            table: data.table.clone(),
            columns: data.columns.clone(),
            rows: data.rows,
            checksum: data.checksum.clone(),
        }
    }
}

/// Compares every table, and fails with all that differ.
pub(super) async fn all(
    sessions: &Sessions,
    expected: &[Expected],
    tell: Listener<'_>,
) -> Result<(), Cause> {
    let differs = async |session: &Client, expected: &Expected| {
        let found = sums(session, &expected.table, &expected.columns).await?;
        tell(Event::Advanced(1));
        let equal = found == (expected.rows, expected.checksum.clone());
        Ok((!equal).then(|| expected.table.clone()))
    };
    let results = sessions.each(expected, differs).await?;
    let different: Vec<_> = results.into_iter().flatten().collect();
    if different.is_empty() {
        Ok(())
    } else {
        Err(Cause::Different(different))
    }
}

/// The count and the checksum of a table as it is.
pub(super) async fn sums(
    session: &Client,
    table: &Name,
    columns: &[String],
) -> Result<(u64, Checksum), Cause> {
    let sums = checksum::read(session, table, columns).await;
    sums.map_err(refused(format!("cannot read {table}")))
}
