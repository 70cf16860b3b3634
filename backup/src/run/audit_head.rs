//! Where the audit log stands in a snapshot, where the bundle's own tables have one.

use jiff::Timestamp;
use tokio_postgres::Client;

use crate::{audit_anchors::Anchor, source::SourceError};

/// The newest row of the log, as it is anchored; nothing where there is none.
pub(super) async fn newest(
    client: &Client,
    taken_at: Timestamp,
) -> Result<Option<Anchor>, SourceError> {
    const EXISTS: &str = "select to_regclass('ops.audit') is not null";
    const NEWEST: &str = "select seq, hash from ops.audit order by seq desc limit 1";
    if !client.query_one(EXISTS, &[]).await?.get::<_, bool>(0) {
        return Ok(None);
    }
    let row = client.query_opt(NEWEST, &[]).await?;
    Ok(row.map(|row| Anchor::new(row.get::<_, i64>(0).unsigned_abs(), row.get(1), taken_at)))
}
