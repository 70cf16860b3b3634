//! The tables whose rows, and the sequences whose state, are backed up.

use tokio_postgres::Client;

use super::{
    Column, Name, SchemaError, Scope, Sequence, Table,
    catalog::{self, Key},
    supabase::MANAGED_ROWS,
};

/// A sequence as the catalogs have it.
#[derive(Debug, Clone)]
pub(super) struct FoundSequence {
    pub(super) key: Key,
    pub(super) sequence: Sequence,
}

/// Reads every table that holds rows, ordered by name.
pub(super) async fn read_tables(client: &Client) -> Result<Vec<Table>, SchemaError> {
    let columns = catalog::read(client, include_str!("sql/table_columns.sql"), |row| {
        let name: Option<String> = row.try_get("column")?;
        let column = match name {
            None => None,
            Some(name) => Some(Column {
                name,
                type_sql: row.try_get("type_sql")?,
                generated: row.try_get("generated")?,
                default_sql: row.try_get("default_sql")?,
                not_null: row.try_get("not_null")?,
            }),
        };
        Ok(Table {
            name: Name {
                schema: row.try_get("schema")?,
                name: row.try_get("name")?,
            },
            oid: row.try_get("oid")?,
            scope: Scope::App,
            columns: column.into_iter().collect(),
            primary_key: row.try_get("primary_key")?,
        })
    })
    .await?;
    let mut tables: Vec<Table> = Vec::new();
    for row in columns {
        match tables.last_mut() {
            Some(last) if last.oid == row.oid => last.columns.extend(row.columns),
            _ => tables.push(row),
        }
    }
    Ok(tables)
}

/// Reads every sequence, ordered by name.
pub(super) async fn read_sequences(client: &Client) -> Result<Vec<FoundSequence>, SchemaError> {
    catalog::read(client, include_str!("sql/sequence_names.sql"), |row| {
        Ok(FoundSequence {
            key: Key::relation(row.try_get("oid")?),
            sequence: Sequence {
                name: Name {
                    schema: row.try_get("schema")?,
                    name: row.try_get("name")?,
                },
                table: catalog::name(row, "table_schema", "table_name")?,
            },
        })
    })
    .await
}

/// Where a managed table stands among those whose rows are backed up.
pub(crate) fn managed_place(name: &Name) -> Option<usize> {
    MANAGED_ROWS
        .iter()
        .position(|(schema, table)| name.schema == *schema && name.name == *table)
}
