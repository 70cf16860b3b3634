//! What a database says of itself and lets others do with it: its comment and its
//! privileges. The target's name is its own, and its owner may be another, so both are
//! attached: what the target refuses is told.

use tokio_postgres::Client;

use super::{
    SchemaError,
    catalog::{self, Found, NOWHERE},
    object_kind::Kind,
    placeholder_roles::{block, literal},
    settings::{self, Setting},
    supabase,
};

/// What every database lets everyone do.
const EVERYONES: [&str; 2] = ["connect", "temporary"];

/// What it is called, for people: every target has a name of its own.
const CURRENT: &str = "of the database";

/// A database's own comment, privileges and settings.
#[derive(Debug)]
pub(super) struct Database {
    pub(super) settings: Vec<Setting>,
    pub(super) found: Vec<Found>,
    /// The app's roles that have privileges.
    pub(super) roles: Vec<String>,
}

/// What one role, or everyone, may do.
struct Entry {
    role: Option<String>,
    /// As SQL.
    grantee: String,
    privileges: Vec<String>,
    grantable: Vec<String>,
}

/// Reads what is not as every database has it.
pub(super) async fn read(client: &Client) -> Result<Database, SchemaError> {
    let rows = catalog::read(client, include_str!("sql/database.sql"), |row| {
        let comment: Option<String> = row.try_get("comment")?;
        let grantee: Option<String> = row.try_get("grantee")?;
        let privileges: Option<Vec<String>> = row.try_get("privileges")?;
        let grantable: Option<Vec<String>> = row.try_get("grantable")?;
        let role = row.try_get("role")?;
        let entry = grantee.map(|grantee| Entry {
            role,
            grantee,
            privileges: privileges.unwrap_or_default(),
            grantable: grantable.unwrap_or_default(),
        });
        Ok((comment, entry))
    })
    .await?;
    let comment = rows.first().and_then(|(comment, _)| comment.clone());
    let entries: Vec<Entry> = rows.into_iter().filter_map(|(_, entry)| entry).collect();
    let settings = settings::read(client).await?;
    Ok(describe(settings, comment.as_deref(), &entries))
}

fn describe(settings: Vec<Setting>, comment: Option<&str>, entries: &[Entry]) -> Database {
    let comment = comment.map(|text| {
        let sql = in_database(&[format!("comment on database %I is {}", escaped(text))]);
        Found::bare(NOWHERE, Kind::Comment, CURRENT.to_owned(), sql)
    });
    let everyones = entries.iter().find(|entry| entry.role.is_none());
    let is_as_ever = everyones.is_some_and(|entry| entry.privileges == EVERYONES);
    let of_app = |entry: &&Entry| match &entry.role {
        Some(role) => !supabase::is_platform_owner(role),
        None => !is_as_ever,
    };
    let of_app: Vec<&Entry> = entries.iter().filter(of_app).collect();
    let revoke = (!is_as_ever).then(|| "revoke all on database %I from public".to_owned());
    let grants: Vec<String> = revoke
        .into_iter()
        .chain(of_app.iter().flat_map(|entry| entry.grants()))
        .collect();
    let roles = of_app.iter().filter_map(|entry| entry.role.clone());
    let grants = (!grants.is_empty()).then(|| {
        let sql = in_database(&grants);
        Found::bare(NOWHERE, Kind::Privileges, CURRENT.to_owned(), sql)
    });
    Database {
        settings,
        roles: roles.collect(),
        found: comment.into_iter().chain(grants).collect(),
    }
}

impl Entry {
    fn grants(&self) -> impl Iterator<Item = String> {
        let grantee = self.grantee.replace('%', "%%");
        let kinds = [
            (&self.privileges, ""),
            (&self.grantable, " with grant option"),
        ];
        let given = kinds
            .into_iter()
            .filter(|(privileges, _)| !privileges.is_empty());
        given.map(move |(privileges, option)| {
            let privileges = privileges.join(", ");
            format!("grant {privileges} on database %I to {grantee}{option}")
        })
    }
}

/// A literal within a format.
fn escaped(text: &str) -> String {
    literal(text).replace('%', "%%")
}

/// Runs statements that have the database's name for `%I`.
fn in_database(statements: &[String]) -> String {
    let each = statements.iter().map(|statement| {
        format!(
            "execute pg_catalog.format({}, pg_catalog.current_database());",
            literal(statement)
        )
    });
    block(&format!("begin {} end", each.collect::<Vec<_>>().join(" ")))
}
