//! The migrations that the source had applied.

use tokio_postgres::Client;

use crate::{format::Ledger, source::SourceError};

/// Ours, and the Supabase CLI's.
const LEDGERS: [&str; 2] = ["ops.migrations", "supabase_migrations.schema_migrations"];

/// Reads every ledger that is there. The CLI's has grown columns with time.
pub(super) async fn read(client: &Client) -> Result<Vec<Ledger>, SourceError> {
    let mut migrations = Vec::new();
    for ledger in LEDGERS {
        let row = client
            .query_one("select to_regclass($1) is not null", &[&ledger])
            .await?;
        if !row.get::<_, bool>(0) {
            continue;
        }
        let query = format!(
            "select version::text, coalesce(to_jsonb(m) ->> 'name', ''),
                 coalesce(to_jsonb(m) ->> 'sha256', '')
             from {ledger} as m order by version"
        );
        let rows = client.query(&query, &[]).await?;
        migrations.extend(rows.iter().map(|row| Ledger {
            version: row.get(0),
            name: row.get(1),
            sha256: row.get(2),
        }));
    }
    Ok(migrations)
}
