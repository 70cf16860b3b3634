//! What of the database is configuration and in no backup of its rows: jobs of `pg_cron`,
//! publications, webhooks, and the names of Vault's secrets.

use outside::{clock::Deadline, database};
use serde_json::Value;
use tokio::time::timeout;
use tokio_postgres::Client;

use super::platform_documents::{NO_TIME, Read};
use crate::config::Database;

/// Each document, the relation without which there is none of it, and its query.
const QUERIES: [(&str, &str, &str); 4] = [
    (
        "database.cron",
        "cron.job",
        "select coalesce(jsonb_agg(jsonb_build_object('jobname', jobname, 'schedule', schedule, 'command', command,
            'database', database, 'username', username, 'active', active) order by jobname, jobid), '[]')
         from cron.job",
    ),
    (
        "database.publications",
        "pg_catalog.pg_publication",
        "select coalesce(jsonb_agg(jsonb_build_object('name', pubname, 'allTables', puballtables,
            'insert', pubinsert, 'update', pubupdate, 'delete', pubdelete, 'truncate', pubtruncate,
            'tables', (select coalesce(jsonb_agg(format('%I.%I', schemaname, tablename) order by 1), '[]')
                       from pg_catalog.pg_publication_tables as listed where listed.pubname = known.pubname))
            order by pubname), '[]')
         from pg_catalog.pg_publication as known",
    ),
    (
        "database.webhooks",
        "supabase_functions.hooks",
        "select coalesce(jsonb_agg(jsonb_build_object('name', tgname, 'table', tgrelid::regclass::text,
            'definition', pg_catalog.pg_get_triggerdef(known.oid)) order by tgrelid::regclass::text, tgname), '[]')
         from pg_catalog.pg_trigger as known
         join pg_catalog.pg_proc as called on called.oid = known.tgfoid
         where called.pronamespace = to_regnamespace('supabase_functions') and not tgisinternal",
    ),
    (
        "database.vault",
        "vault.secrets",
        "select coalesce(jsonb_agg(jsonb_build_object('name', name, 'description', description) order by name), '[]')
         from vault.secrets where name is not null",
    ),
];

/// Reads them over a session of its own.
pub(super) async fn read(database: &Database, deadline: Deadline, read: &mut Read) {
    if timeout(deadline.remaining(), read_each(database, read))
        .await
        .is_err()
    {
        read.lack("database", NO_TIME);
    }
}

async fn read_each(database: &Database, read: &mut Read) {
    let client = match database::connect(&database.url, database.ca.as_deref()).await {
        Ok(client) => client,
        Err(error) => return read.lack("database", error.to_string()),
    };
    for (name, relation, query) in QUERIES {
        match document(&client, relation, query).await {
            Ok(Some(document)) => drop(read.documents.insert(name.to_owned(), document)),
            Ok(None) => read.lack(name, format!("the database has no {relation}")),
            Err(error) => read.lack(name, error.to_string()),
        }
    }
}

async fn document(
    client: &Client,
    relation: &str,
    query: &str,
) -> Result<Option<Value>, tokio_postgres::Error> {
    let there = client
        .query_one("select to_regclass($1) is not null", &[&relation])
        .await?;
    if !there.get::<_, bool>(0) {
        return Ok(None);
    }
    let row = client
        .query_one(&format!("select ({query})::text"), &[])
        .await?;
    let text: &str = row.get(0);
    Ok(serde_json::from_str(text).ok())
}
