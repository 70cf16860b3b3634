//! What the database itself knows of earlier backups: the second witness of a store that
//! is found empty.

use tokio_postgres::Client;

use crate::{pinned_session::SessionError, repository::Remembered, source::SourceError};

/// The newest backup that was sealed, where the bundle's own tables tell of one.
pub(super) async fn newest(client: &Client) -> Result<Option<Remembered>, SourceError> {
    const EXISTS: &str = "select to_regclass('ops.backups') is not null";
    const NEWEST: &str = r#"
        select snapshot, to_char(taken_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
        from ops.backups where outcome = 'done' order by taken_at desc limit 1"#;
    if !client.query_one(EXISTS, &[]).await?.get::<_, bool>(0) {
        return Ok(None);
    }
    let Some(row) = client.query_opt(NEWEST, &[]).await? else {
        return Ok(None);
    };
    let taken_at = row.get::<_, &str>(1).parse();
    let unreadable = |_| SessionError::Failed("the time of a backup is unreadable".to_owned());
    Ok(Some(Remembered {
        snapshot: row.get(0),
        taken_at: taken_at.map_err(unreadable)?,
    }))
}
