//! What the database holds, looked up for each request: nothing of the schema
//! is kept, so a migration shows at once and nothing can be stale.
//!
//! Connections have an empty search path, so every type's name comes back with
//! its schema.

use std::collections::HashSet;

use deadpool_postgres::ClientWrapper;
use tokio_postgres::{Error, Row};

/// A table or view.
#[derive(Debug)]
pub(super) struct Relation {
    pub(super) columns: Vec<Column>,
    /// The columns of the primary key, in its order; empty without one.
    pub(super) primary_key: Vec<String>,
}

/// A column of a table or view.
#[derive(Debug)]
pub(super) struct Column {
    pub(super) name: String,
    /// The type with its modifier, as SQL.
    pub(super) sql_type: String,
    pub(super) kind: Kind,
    /// What an absent value becomes, as SQL.
    pub(super) default_sql: Option<String>,
}

/// What a column can be used for beyond what all can.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Kind {
    /// Steps may lead into it.
    Json,
    /// It is prepared for text search.
    TextSearch,
    /// Neither.
    Plain,
}

impl Relation {
    /// The column of that name.
    pub(super) fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }
}

/// One overload of a function.
#[derive(Debug)]
pub(super) struct Function {
    pub(super) is_volatile: bool,
    pub(super) returns: Returns,
    pub(super) is_set: bool,
    pub(super) parameters: Vec<Parameter>,
    /// What its definition sets: name and value.
    pub(super) settings: Vec<(String, String)>,
}

/// What a function returns, each time if it returns a set.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Returns {
    Void,
    Scalar,
    Composite,
}

/// A parameter that a caller gives.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Parameter {
    /// Empty if it has none.
    pub(super) name: String,
    pub(super) sql_type: String,
    pub(super) required: bool,
    pub(super) variadic: bool,
}

/// Finds a table or view; the search is case-sensitive.
pub(super) async fn relation(
    client: &ClientWrapper,
    schema: &str,
    name: &str,
) -> Result<Option<Relation>, Error> {
    let statement = client.prepare_cached(include_str!("relation.sql")).await?;
    let rows = client.query(&statement, &[&schema, &name]).await?;
    if rows.is_empty() {
        return Ok(None);
    }
    let mut keys: Vec<(i32, String)> = Vec::new();
    let mut columns = Vec::new();
    for row in &rows {
        let Some(column) = column(row)? else { continue };
        if let Some(position) = row.try_get("key_position")? {
            keys.push((position, column.name.clone()));
        }
        columns.push(column);
    }
    keys.sort_unstable();
    Ok(Some(Relation {
        columns,
        primary_key: keys.into_iter().map(|(_position, name)| name).collect(),
    }))
}

fn column(row: &Row) -> Result<Option<Column>, Error> {
    let Some(name) = row.try_get("name")? else {
        return Ok(None);
    };
    let kind = if row.try_get("is_json")? {
        Kind::Json
    } else if row.try_get("is_tsvector")? {
        Kind::TextSearch
    } else {
        Kind::Plain
    };
    Ok(Some(Column {
        name,
        sql_type: row.try_get("type")?,
        kind,
        default_sql: row.try_get("default_sql")?,
    }))
}

/// All overloads of a function, oldest first.
pub(super) async fn functions(
    client: &ClientWrapper,
    schema: &str,
    name: &str,
) -> Result<Vec<Function>, Error> {
    let statement = client.prepare_cached(include_str!("functions.sql")).await?;
    let rows = client.query(&statement, &[&schema, &name]).await?;
    rows.iter().map(function).collect()
}

fn function(row: &Row) -> Result<Function, Error> {
    let returns = if row.try_get("is_void")? {
        Returns::Void
    } else if row.try_get("is_composite")? {
        Returns::Composite
    } else {
        Returns::Scalar
    };
    let names: Vec<String> = row.try_get("parameter_names")?;
    let types: Vec<String> = row.try_get("parameter_types")?;
    let settings: Vec<String> = row.try_get("settings")?;
    let variadic: bool = row.try_get("is_variadic")?;
    let defaults: i32 = row.try_get("defaults")?;
    let count = names.len();
    let required = count.saturating_sub(usize::try_from(defaults).unwrap_or(0));
    let parameters = names
        .into_iter()
        .zip(types)
        .enumerate()
        .map(|(index, (name, sql_type))| {
            let variadic = variadic && index + 1 == count;
            Parameter {
                name,
                sql_type,
                required: index < required,
                variadic,
            }
        })
        .collect();
    Ok(Function {
        is_volatile: row.try_get("is_volatile")?,
        returns,
        is_set: row.try_get("is_set")?,
        parameters,
        settings: settings
            .iter()
            .filter_map(|setting| setting.split_once('='))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
    })
}

/// The settings that any user may make.
pub(super) async fn free_settings(client: &ClientWrapper) -> Result<HashSet<String>, Error> {
    let rows = client
        .query("select name from pg_settings where context = 'user'", &[])
        .await?;
    rows.iter().map(|row| row.try_get("name")).collect()
}

/// What `alter role … set` says of a role, everywhere or in this database.
pub(super) async fn role_settings(
    client: &ClientWrapper,
    role: &str,
) -> Result<Vec<(String, String)>, Error> {
    let statement = client
        .prepare_cached(include_str!("role_settings.sql"))
        .await?;
    let rows = client.query(&statement, &[&role]).await?;
    rows.iter()
        .map(|row| Ok((row.try_get("name")?, row.try_get("value")?)))
        .collect()
}
