//! What has to hold before a backup may be believed.
//!
//! A role that sees no rows gets no error, it gets an empty table. So nothing
//! is filtered here: every doubt is a fault, all of them are told together, and
//! one is enough for there to be no backup.

use std::fmt;

use tokio_postgres::{Client, error::SqlState};
use uuid::Uuid;

use super::{
    pinned_session::{PinnedSession, SessionError},
    restore::{self, Unfinished},
    schema::{Name, Schema, quoted},
    source::SourceError,
};

/// The oldest server whose catalogs are understood.
const OLDEST: i32 = 150_000;

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// The server only follows another one.
    Standby,
    /// The server is older than PostgreSQL 15.
    TooOld {
        /// `server_version`.
        version: String,
    },
    /// The database says of no text in which encoding it is.
    NoEncoding,
    /// A restore into the database has not ended: a backup would be of a part.
    HalfRestored(Unfinished),
    /// A pooler gives every transaction another session.
    TransactionPooler,
    /// The role sees only the rows that policies leave it.
    RowSecurity {
        /// Which role.
        role: String,
    },
    /// The canary row could not be written, or not be read back.
    Canary {
        /// What happened.
        reason: String,
    },
    /// The role may not read a table or a sequence.
    Unreadable {
        /// Which one.
        relation: Name,
    },
    /// The role may not look into a schema.
    NoUsage {
        /// Which one.
        schema: String,
    },
    /// A relation is neither in the backup nor in the list of what is left out.
    Unexplained {
        /// Which one.
        relation: Name,
    },
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Standby => write!(formatter, "the server is a standby"),
            Self::TooOld { version } => {
                write!(
                    formatter,
                    "the server is PostgreSQL {version}, older than 15"
                )
            }
            Self::NoEncoding => write!(
                formatter,
                "the database is in SQL_ASCII, so that nobody knows in which encoding its texts are"
            ),
            Self::HalfRestored(unfinished) => write!(
                formatter,
                "the database is {unfinished}: a backup would hold a part"
            ),
            Self::TransactionPooler => write!(formatter, "{}", SessionError::Shared),
            Self::RowSecurity { role } => write!(
                formatter,
                "the role {} is neither superuser nor has BYPASSRLS, so policies would hide rows",
                quoted(role)
            ),
            Self::Canary { reason } => write!(formatter, "the canary row failed: {reason}"),
            Self::Unreadable { relation } => write!(formatter, "no SELECT on {relation}"),
            Self::NoUsage { schema } => {
                write!(formatter, "no USAGE on the schema {}", quoted(schema))
            }
            Self::Unexplained { relation } => write!(
                formatter,
                "{relation} is neither backed up nor known as left out"
            ),
        }
    }
}

/// What is wrong with the server and the role. Nothing is written.
///
/// # Errors
/// When the server cannot be asked.
pub async fn examine_server(session: &PinnedSession) -> Result<Vec<Fault>, SessionError> {
    let row = session
        .client()
        .query_one(
            "select pg_is_in_recovery(), current_setting('server_version_num')::int,
                 current_setting('server_version'), current_user::text,
                 rolsuper or rolbypassrls,
                 getdatabaseencoding() = 'SQL_ASCII'
             from pg_catalog.pg_roles where rolname = current_user",
            &[],
        )
        .await?;
    let mut faults = Vec::new();
    if row.get(0) {
        faults.push(Fault::Standby);
    }
    if row.get::<_, i32>(1) < OLDEST {
        faults.push(Fault::TooOld {
            version: row.get(2),
        });
    }
    if row.get(5) {
        faults.push(Fault::NoEncoding);
    }
    if !row.get::<_, bool>(4) {
        faults.push(Fault::RowSecurity { role: row.get(3) });
    }
    let unfinished = restore::unfinished(session.client()).await?;
    faults.extend(unfinished.map(Fault::HalfRestored));
    Ok(faults)
}

/// Whether a session is shared with others, which shows once several are open.
///
/// # Errors
/// When the server cannot be asked.
pub async fn examine_session(session: &PinnedSession) -> Result<Vec<Fault>, SessionError> {
    match session.prove().await {
        Ok(()) => Ok(Vec::new()),
        Err(SessionError::Shared) => Ok(vec![Fault::TransactionPooler]),
        Err(error) => Err(error),
    }
}

/// The row that only a role past row security can see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Canary {
    /// What was written: proof that the snapshot is of now, and of here.
    pub nonce: String,
}

impl Canary {
    /// Writes a row that nobody under row security can see.
    ///
    /// # Errors
    /// When the session fails; that the server refuses the row is a fault.
    pub async fn write(client: &Client) -> Result<Result<Self, Fault>, SessionError> {
        let nonce = Uuid::new_v4().to_string();
        let written = client
            .execute(
                "insert into ops.backup_canary (id, nonce, written_at) values (1, $1, now())
                 on conflict (id) do update
                 set nonce = excluded.nonce, written_at = excluded.written_at",
                &[&nonce],
            )
            .await;
        match written {
            Ok(_) => Ok(Ok(Self { nonce })),
            Err(error) => refused(error).map(Err),
        }
    }

    /// Reads the row back, within the snapshot.
    ///
    /// # Errors
    /// [`SourceError::Moved`] if another run has written its own since; or when
    /// the session fails.
    pub async fn examine(&self, client: &Client) -> Result<Option<Fault>, SourceError> {
        let read = client
            .query_opt("select nonce from only ops.backup_canary where id = 1", &[])
            .await;
        let fault = match read {
            Ok(Some(row)) if row.get::<_, &str>(0) == self.nonce => return Ok(None),
            Ok(Some(_)) => return Err(SourceError::Moved("ops.backup_canary".to_owned())),
            Ok(None) => Fault::Canary {
                reason: "it was written and cannot be seen".to_owned(),
            },
            Err(error) => refused(error)?,
        };
        Ok(Some(fault))
    }
}

/// What is wrong with the objects of a backup, as far as the role and the
/// snapshot see them.
///
/// # Errors
/// When the server cannot be asked.
pub async fn examine_schema(client: &Client, schema: &Schema) -> Result<Vec<Fault>, SessionError> {
    let tables = schema.tables.iter().map(|table| &table.name);
    let sequences = schema.sequences.iter().map(|sequence| &sequence.name);
    let relations: Vec<&Name> = tables.chain(sequences).collect();
    let mut faults = examine_usage(client, &relations).await?;
    faults.extend(examine_select(client, &relations).await?);
    faults.extend(examine_coverage(client, schema).await?);
    Ok(faults)
}

/// A second witness to what the schema's description covers, by the plainest of
/// queries: every table that holds rows is in the backup, or is named among what
/// is left out, by itself or with its whole schema. Tables that an extension
/// made come back with it.
async fn examine_coverage(client: &Client, schema: &Schema) -> Result<Vec<Fault>, SessionError> {
    let rows = client
        .query(
            "select n.nspname::text, c.relname::text, c.oid
             from pg_catalog.pg_class as c
             join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
             where c.relkind in ('r', 'm', 'f') and c.relpersistence <> 't'
                 and n.nspname not in ('pg_catalog', 'information_schema')
                 and n.nspname !~ '^pg_toast'
                 and not exists (
                     select from pg_catalog.pg_depend as d
                     where d.classid = 'pg_catalog.pg_class'::regclass
                         and d.objid = c.oid and d.deptype = 'e'
                 )
             order by 1, 2",
            &[],
        )
        .await?;
    Ok(rows
        .iter()
        .filter(|row| !schema.relations_in_gaps.contains(&row.get(2)))
        .map(|row| Name {
            schema: row.get(0),
            name: row.get(1),
        })
        .filter(|relation| !explains(schema, relation))
        .map(|relation| Fault::Unexplained { relation })
        .collect())
}

fn explains(schema: &Schema, relation: &Name) -> bool {
    let Name {
        schema: place,
        name,
    } = relation;
    let plain = format!("{place}.{name}");
    let called = |kind: &str| format!("{kind} {plain}");
    let left_out = [
        format!("schema {place}"),
        called("rows of"),
        called("table"),
        called("materialized view"),
        called("foreign table"),
    ];
    let is_made = |kind, called: &str| {
        ["materialized view", "foreign table"].contains(&kind) && called == plain
    };
    schema.tables.iter().any(|table| table.name == *relation)
        || schema
            .excluded
            .iter()
            .any(|out| left_out.contains(&out.what))
        || schema
            .objects
            .iter()
            .any(|made| is_made(made.kind, &made.name))
}

/// Relations are looked up in the catalog, because a cast to `regclass` fails
/// where there is no USAGE. One that is gone by now gives null and is left to
/// the guard against changes.
async fn examine_select(client: &Client, relations: &[&Name]) -> Result<Vec<Fault>, SessionError> {
    let (schemas, names): (Vec<&str>, Vec<&str>) = relations
        .iter()
        .map(|relation| (relation.schema.as_str(), relation.name.as_str()))
        .unzip();
    let rows = client
        .query(
            "select n.nspname::text, c.relname::text
             from unnest($1::text[], $2::text[]) as wanted (nspname, relname)
             join pg_catalog.pg_namespace as n on n.nspname = wanted.nspname
             join pg_catalog.pg_class as c
                 on c.relnamespace = n.oid and c.relname = wanted.relname
             where has_table_privilege(c.oid, 'SELECT') is false
             order by 1, 2",
            &[&schemas, &names],
        )
        .await?;
    Ok(rows
        .iter()
        .map(|row| Fault::Unreadable {
            relation: Name {
                schema: row.get(0),
                name: row.get(1),
            },
        })
        .collect())
}

async fn examine_usage(client: &Client, relations: &[&Name]) -> Result<Vec<Fault>, SessionError> {
    let schemas: Vec<&str> = relations.iter().map(|name| name.schema.as_str()).collect();
    let rows = client
        .query(
            "select nspname::text from pg_catalog.pg_namespace
             where nspname = any($1::text[]) and has_schema_privilege(oid, 'USAGE') is false
             order by 1",
            &[&schemas],
        )
        .await?;
    Ok(rows
        .iter()
        .map(|row| Fault::NoUsage { schema: row.get(0) })
        .collect())
}

/// A refusal is a fault of the database; anything else ends the run.
fn refused(error: tokio_postgres::Error) -> Result<Fault, SessionError> {
    let Some(server) = error.as_db_error() else {
        return Err(error.into());
    };
    let missing = [SqlState::UNDEFINED_TABLE, SqlState::INVALID_SCHEMA_NAME];
    let reason = if missing.contains(server.code()) {
        "ops.backup_canary is missing: apply the migrations".to_owned()
    } else {
        server.message().to_owned()
    };
    Ok(Fault::Canary { reason })
}
