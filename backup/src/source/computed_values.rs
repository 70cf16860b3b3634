//! What the server computes and COPY leaves out: stored generated columns and
//! materialised views. A restore computes them again, perhaps with a function that has
//! changed since, so a backup holds the checksum of what they were.

use std::collections::HashSet;

use tokio_postgres::Client;

use super::SourceError;
use crate::{
    format::{Computed, ComputedKind},
    schema::{Name, Schema, Scope},
};

/// Lists what of the app's is computed, not yet proven, each with its oid.
///
/// # Errors
/// When the session fails.
pub async fn list(client: &Client, schema: &Schema) -> Result<Vec<(u32, Computed)>, SourceError> {
    let tables = schema
        .tables
        .iter()
        .filter(|table| table.scope == Scope::App);
    let tables: HashSet<u32> = tables.map(|table| table.oid).collect();
    let views = schema.objects.iter();
    let views: HashSet<&str> = views
        .filter(|object| object.kind == "materialized view" && object.scope == Scope::App)
        .map(|object| object.name.as_str())
        .collect();
    let rows = client.query(include_str!("sql/computed.sql"), &[]).await?;
    let computed = rows.iter().map(|row| {
        let (schema, name): (String, String) = (row.get("schema"), row.get("name"));
        let is_view = row.get("is_view");
        let oid: u32 = row.get("oid");
        let is_ours = if is_view {
            views.contains(format!("{schema}.{name}").as_str())
        } else {
            tables.contains(&oid)
        };
        is_ours.then(|| {
            let computed = Computed {
                kind: if is_view {
                    ComputedKind::View
                } else {
                    ComputedKind::Generated
                },
                relation: Name { schema, name },
                columns: row.get("columns"),
                proof: None,
            };
            (oid, computed)
        })
    });
    Ok(computed.flatten().collect())
}
