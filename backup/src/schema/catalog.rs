//! The objects that the catalogs hold, as the queries in `sql/` read them.

use std::collections::{HashMap, HashSet};

use tokio_postgres::{Client, Row};

use super::{Extension, Name, SchemaError, object_kind::Kind};

/// An object by its place in the catalogs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Key {
    /// The catalog, by its oid.
    pub(super) class: u32,
    /// The row there.
    pub(super) oid: u32,
}

/// The oid of `pg_class`, the same in every version.
const RELATIONS: u32 = 1259;

impl Key {
    /// A relation's.
    pub(super) const fn relation(oid: u32) -> Self {
        Self {
            class: RELATIONS,
            oid,
        }
    }
}

/// Of an object that has no row in the catalogs we read.
pub(super) const NOWHERE: Key = Key { class: 0, oid: 0 };

/// An object and the statements that make it.
#[derive(Debug, Clone)]
pub(super) struct Found {
    pub(super) key: Key,
    pub(super) kind: Kind,
    pub(super) schema: Option<String>,
    pub(super) name: String,
    pub(super) owner: String,
    /// How `alter … owner` names it; `None` where it has no owner of its own.
    pub(super) address: Option<String>,
    /// The relation it hangs on, if it does.
    pub(super) relation: Option<u32>,
    /// Another relation it needs and that the catalogs do not tell of.
    pub(super) needs: Option<u32>,
    pub(super) table: Option<Name>,
    pub(super) refers_to: Option<Name>,
    /// The schema of the function it calls: of a trigger.
    pub(super) calls: Option<String>,
    /// The publication it belongs to, or is.
    pub(super) publication: Option<String>,
    /// Whether a superuser has to make it: of a publication.
    pub(super) wide: bool,
    /// What is made first where the object needs itself, by way of others.
    pub(super) beginning: Option<String>,
    pub(super) sql: String,
}

/// A role that an object names.
#[derive(Debug, Clone)]
pub(super) struct NamedRole {
    pub(super) key: Key,
    pub(super) role: String,
    pub(super) owns: bool,
}

/// Something that no query covers.
#[derive(Debug, Clone)]
pub(super) struct Stranger {
    pub(super) key: Key,
    pub(super) schema: Option<String>,
    pub(super) owner: String,
    pub(super) what: String,
    pub(super) name: String,
}

/// A statement that follows the one that makes an object.
#[derive(Debug, Clone)]
pub(super) struct Addition {
    pub(super) key: Key,
    /// What it is about, for people.
    pub(super) of: String,
    pub(super) sql: String,
}

/// A database's catalogs, read once.
#[derive(Debug)]
pub(super) struct Catalog {
    pub(super) found: Vec<Found>,
    pub(super) extensions: Vec<Extension>,
    /// Statements that follow the one that makes an object, in order.
    pub(super) additions: Vec<Addition>,
    /// Rows that are part of another object.
    pub(super) aliases: HashMap<Key, Key>,
    /// What needs what.
    pub(super) dependencies: Vec<(Key, Key)>,
    pub(super) roles: Vec<NamedRole>,
    pub(super) strangers: Vec<Stranger>,
    /// Schemas, and owners of something in them who may make nothing there.
    pub(super) shut_out: HashSet<(String, String)>,
}

/// Every query that finds objects.
const OBJECTS: [&str; 23] = [
    include_str!("sql/schemas.sql"),
    include_str!("sql/extensions.sql"),
    include_str!("sql/collations.sql"),
    include_str!("sql/types.sql"),
    include_str!("sql/domain_constraints.sql"),
    include_str!("sql/functions.sql"),
    include_str!("sql/aggregates.sql"),
    include_str!("sql/operators.sql"),
    include_str!("sql/casts.sql"),
    include_str!("sql/text_search.sql"),
    include_str!("sql/foreign.sql"),
    include_str!("sql/sequences.sql"),
    include_str!("sql/sequence_owners.sql"),
    include_str!("sql/tables.sql"),
    include_str!("sql/defaults.sql"),
    include_str!("sql/partitions.sql"),
    include_str!("sql/views.sql"),
    include_str!("sql/constraints.sql"),
    include_str!("sql/indexes.sql"),
    include_str!("sql/triggers.sql"),
    include_str!("sql/policies.sql"),
    include_str!("sql/publications.sql"),
    include_str!("sql/event_triggers.sql"),
];

impl Catalog {
    /// Reads everything but grants and rows.
    pub(super) async fn read(client: &Client) -> Result<Self, SchemaError> {
        let mut found = Vec::new();
        for sql in OBJECTS {
            found.extend(read(client, sql, Found::parse).await?);
        }
        Ok(Self {
            found,
            extensions: read(client, include_str!("sql/extensions.sql"), |row| {
                Ok(Extension {
                    name: row.try_get("name")?,
                    schema: row.try_get("home")?,
                    version: row.try_get("version")?,
                })
            })
            .await?,
            additions: read(client, include_str!("sql/additions.sql"), |row| {
                Ok(Addition {
                    key: key(row)?,
                    of: row.try_get("of")?,
                    sql: row.try_get("sql")?,
                })
            })
            .await?,
            aliases: pairs(client, include_str!("sql/aliases.sql"))
                .await?
                .into_iter()
                .collect(),
            dependencies: pairs(client, include_str!("sql/dependencies.sql")).await?,
            roles: read(client, include_str!("sql/named_roles.sql"), |row| {
                Ok(NamedRole {
                    key: key(row)?,
                    role: row.try_get("role")?,
                    owns: row.try_get("owns")?,
                })
            })
            .await?,
            shut_out: read(client, include_str!("sql/shut_out.sql"), |row| {
                Ok((row.try_get("schema")?, row.try_get("owner")?))
            })
            .await?
            .into_iter()
            .collect(),
            strangers: read(client, include_str!("sql/unknown.sql"), |row| {
                Ok(Stranger {
                    key: key(row)?,
                    schema: row.try_get("schema")?,
                    owner: row.try_get("owner")?,
                    what: row.try_get("what")?,
                    name: row.try_get("name")?,
                })
            })
            .await?,
        })
    }
}

impl Stranger {
    /// What it is and what it is called, for people, whatever its characters.
    pub(super) fn described(&self) -> String {
        let place = match &self.schema {
            Some(schema) => format!("{schema}."),
            None => String::new(),
        };
        let name = format!("{place}{}", self.name);
        format!("{} {}", self.what, name.escape_debug())
    }
}

impl Found {
    /// An object that is nothing but its statements.
    pub(super) fn bare(key: Key, kind: Kind, name: String, sql: String) -> Self {
        Self {
            key,
            kind,
            schema: None,
            name,
            owner: String::new(),
            address: None,
            relation: None,
            needs: None,
            table: None,
            refers_to: None,
            calls: None,
            publication: None,
            wide: false,
            beginning: None,
            sql,
        }
    }

    /// Reads a row; a query names the columns that its objects have.
    fn parse(row: &Row) -> Result<Self, SchemaError> {
        let kind: String = row.try_get("kind")?;
        Ok(Self {
            key: key(row)?,
            kind: Kind::parse(&kind).ok_or_else(|| SchemaError::Unknown(vec![kind]))?,
            schema: optional(row, "schema")?,
            name: row.try_get("name")?,
            owner: optional(row, "owner")?.unwrap_or_default(),
            address: optional(row, "address")?,
            relation: optional(row, "relation")?,
            needs: optional(row, "needs")?,
            table: name(row, "table_schema", "table_name")?,
            refers_to: name(row, "refers_schema", "refers_name")?,
            calls: optional(row, "calls")?,
            publication: optional(row, "publication")?,
            wide: optional(row, "wide")?.unwrap_or_default(),
            beginning: optional(row, "beginning")?,
            sql: row.try_get("sql")?,
        })
    }

    /// What it is and what it is called, for people.
    pub(super) fn described(&self) -> String {
        format!("{} {}", self.kind.as_str(), self.called())
    }

    /// What it is called, for people.
    pub(super) fn called(&self) -> String {
        match &self.schema {
            Some(schema) if !self.kind.is_named_by_address() => format!("{schema}.{}", self.name),
            _ => self.name.clone(),
        }
    }
}

/// What the name of a foreign server's option looks like if its value may be secret, as a
/// pattern. The queries have it in place of `:'secret_options'`, as psql would.
const SECRET_OPTIONS: &str = "pass|secret|token|credential|private|api_?key|access_?key|_key$";

/// Runs a query and reads each of its rows.
pub(super) async fn read<T>(
    client: &Client,
    sql: &str,
    parse: impl Fn(&Row) -> Result<T, SchemaError>,
) -> Result<Vec<T>, SchemaError> {
    let sql = sql.replace(":'secret_options'", &format!("'{SECRET_OPTIONS}'"));
    client.query(&sql, &[]).await?.iter().map(parse).collect()
}

/// The row's object.
pub(super) fn key(row: &Row) -> Result<Key, SchemaError> {
    Ok(Key {
        class: row.try_get("class")?,
        oid: row.try_get("oid")?,
    })
}

async fn pairs(client: &Client, sql: &str) -> Result<Vec<(Key, Key)>, SchemaError> {
    read(client, sql, |row| {
        let to = Key {
            class: row.try_get("to_class")?,
            oid: row.try_get("to_oid")?,
        };
        Ok((key(row)?, to))
    })
    .await
}

/// A relation's name in two columns that may have no value.
pub(super) fn name(row: &Row, schema: &str, name: &str) -> Result<Option<Name>, SchemaError> {
    let schema: Option<String> = optional(row, schema)?;
    let name: Option<String> = optional(row, name)?;
    Ok(schema.zip(name).map(|(schema, name)| Name { schema, name }))
}

/// A column that only some queries have.
fn optional<'a, T>(row: &'a Row, column: &str) -> Result<Option<T>, SchemaError>
where
    T: tokio_postgres::types::FromSql<'a>,
{
    let present = row.columns().iter().any(|known| known.name() == column);
    Ok(if present { row.try_get(column)? } else { None })
}
