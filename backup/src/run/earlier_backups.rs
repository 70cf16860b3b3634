//! What the database itself knows of earlier backups: the second witness of a store that
//! is found empty, and what was found damaged since.

use tokio_postgres::Client;

use crate::{
    format::Stored, pinned_session::SessionError, repository::Remembered, source::SourceError,
};

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

/// The objects of earlier backups that somebody found damaged, as they were stored.
pub(super) async fn damaged(client: &Client) -> Result<Vec<Stored>, SourceError> {
    const EXISTS: &str = "select to_regclass('ops.backup_damages') is not null";
    const DAMAGED: &str = "
        select path, length, sha256 from ops.backup_damages
        where ended_at is null and sha256 is not null order by found_at limit 1000";
    if !client.query_one(EXISTS, &[]).await?.get::<_, bool>(0) {
        return Ok(Vec::new());
    }
    let rows = client.query(DAMAGED, &[]).await?;
    let stored = rows.iter().map(|row| Stored {
        path: row.get(0),
        len: row.get::<_, i64>(1).unsigned_abs(),
        sha256: row.get(2),
    });
    Ok(stored.collect())
}
