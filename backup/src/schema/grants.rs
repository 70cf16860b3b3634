//! Who may do what. A new object comes with the default privileges of whoever
//! makes it, and those of the target are not the source's, so the privileges of
//! every object are taken away and given again, exactly.

use std::fmt::Write;

use tokio_postgres::{Client, Row};

use super::{
    SchemaError,
    catalog::{self, Key},
    quoted,
    supabase::{self, API_ROLES},
};

/// What one role gave another, in the source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Grant {
    /// Who gave it.
    pub(super) grantor: String,
    /// Who has it, as SQL: quoted where needed, `public` for everyone.
    pub(super) grantee: String,
    /// Privileges it may not pass on.
    pub(super) privileges: Vec<String>,
    /// Privileges it may pass on.
    pub(super) grantable: Vec<String>,
}

/// All privileges of one object, or of one of its columns.
#[derive(Debug, Clone)]
pub(super) struct Access {
    pub(super) key: Key,
    /// As `grant … on` names it.
    pub(super) address: String,
    pub(super) column: Option<String>,
    pub(super) owner: String,
    /// Everything that can be granted on such an object.
    pub(super) whole: Vec<String>,
    pub(super) grants: Vec<Grant>,
    /// Whether this is an extension's object, and not as the extension and the
    /// default privileges made it, but for what the platform's owners may do.
    pub(super) changed: bool,
}

/// What new objects of a role come with.
#[derive(Debug, Clone)]
pub(super) struct Defaults {
    pub(super) role: String,
    /// In this schema; in all where `None`.
    pub(super) schema: Option<String>,
    /// Of which kind, in the plural.
    pub(super) of: String,
    pub(super) whole: Vec<String>,
    pub(super) grants: Vec<Grant>,
}

/// Who may do what in a database.
#[derive(Debug)]
pub(super) struct Privileges {
    pub(super) access: Vec<Access>,
    pub(super) defaults: Vec<Defaults>,
}

/// Reads the privileges of every object and every role.
pub(super) async fn read(client: &Client) -> Result<Privileges, SchemaError> {
    Ok(Privileges {
        access: read_access(client).await?,
        defaults: read_defaults(client).await?,
    })
}

async fn read_access(client: &Client) -> Result<Vec<Access>, SchemaError> {
    let owners: Vec<&str> = supabase::owners().collect();
    let rows = client
        .query(include_str!("sql/grants.sql"), &[&owners])
        .await?;
    let rows = rows.iter().map(|row| {
        Ok::<_, SchemaError>(Access {
            key: catalog::key(row)?,
            address: row.try_get("address")?,
            column: row.try_get("attribute")?,
            owner: row.try_get("owner")?,
            whole: row.try_get("whole")?,
            grants: grant(row, row.try_get("grantor")?)?,
            changed: row.try_get("changed")?,
        })
    });
    let mut all: Vec<Access> = Vec::new();
    for row in rows {
        let row = row?;
        match all.last_mut() {
            Some(last) if last.key == row.key && last.column == row.column => {
                last.grants.extend(row.grants);
            }
            _ => all.push(row),
        }
    }
    Ok(all)
}

async fn read_defaults(client: &Client) -> Result<Vec<Defaults>, SchemaError> {
    let rows = catalog::read(client, include_str!("sql/default_privileges.sql"), |row| {
        Ok(Defaults {
            role: row.try_get("role")?,
            schema: row.try_get("schema")?,
            of: row.try_get("of")?,
            whole: row.try_get("whole")?,
            grants: grant(row, Some(String::new()))?,
        })
    })
    .await?;
    let mut all: Vec<Defaults> = Vec::new();
    for row in rows {
        match all.last_mut() {
            Some(last)
                if last.role == row.role && last.schema == row.schema && last.of == row.of =>
            {
                last.grants.extend(row.grants);
            }
            _ => all.push(row),
        }
    }
    Ok(all)
}

/// The statements that give an object exactly its privileges. Those of a column
/// only add: taking away the table's takes away its columns' as well.
pub(super) fn render(access: &Access) -> String {
    let mut sql = String::new();
    let whole = owner_has_all(access);
    if access.column.is_none() {
        let owner = (!whole).then_some(access.owner.as_str());
        sql += &revoke(access, owner);
    }
    let kept = |grant: &&Grant| !(whole && is_role(grant, &access.owner));
    give_all(sql, access, access.grants.iter().filter(kept))
}

/// The privileges of an object whose owner is the platform's, as far as the
/// platform's roles have them: whoever makes the object gives them.
pub(super) fn render_managed(access: &Access) -> String {
    let mut sql = String::new();
    if access.column.is_none() {
        sql += &revoke(access, None);
    }
    for grant in &access.grants {
        if is_platforms(grant) && !is_role(grant, &access.owner) {
            sql += &give(grant, access);
        }
    }
    sql
}

/// The privileges on an object of the platform that roles of the app have, or
/// that the team passed on to the platform's.
pub(super) fn render_attached(access: &Access) -> String {
    let apps = access.grants.iter().filter(|grant| !is_platforms(grant));
    give_all(String::new(), access, apps)
}

/// The privileges on an extension's object, but for those of the platform's owners.
pub(super) fn render_member(access: &Access) -> String {
    let mut sql = String::new();
    if access.column.is_none() {
        sql += &revoke(access, None);
    }
    for grant in &access.grants {
        if !is_role(grant, &access.owner) && !is_an_owner(&grant.grantee) {
            sql += &give(grant, access);
        }
    }
    sql
}

/// The statements that give a role exactly its default privileges.
pub(super) fn render_defaults(defaults: &Defaults) -> String {
    let place = defaults
        .schema
        .as_ref()
        .map(|schema| format!(" in schema {}", quoted(schema)))
        .unwrap_or_default();
    let head = format!(
        "alter default privileges for role {}{place}",
        quoted(&defaults.role)
    );
    let owner = quoted(&defaults.role);
    let [anon, authenticated, service] = API_ROLES.map(quoted);
    let mut sql = format!(
        "{head} revoke all on {} from public, {anon}, {authenticated}, {service}, {owner};\n",
        defaults.of
    );
    for grant in &defaults.grants {
        for (privileges, option) in privileges(grant, &defaults.whole) {
            let _ = writeln!(
                sql,
                "{head} grant {} on {} to {}{option};",
                privileges.join(", "),
                defaults.of,
                grant.grantee
            );
        }
    }
    sql
}

/// Whether these are the default privileges that a fresh project has in
/// `public`: everything to its four roles and nothing to anyone else.
pub(super) fn is_baseline(defaults: &Defaults) -> bool {
    let mut grantees: Vec<&str> = defaults
        .grants
        .iter()
        .filter(|grant| grant.privileges == defaults.whole && grant.grantable.is_empty())
        .map(|grant| grant.grantee.as_str())
        .collect();
    grantees.sort_unstable();
    grantees.len() == defaults.grants.len()
        && grantees == ["anon", "authenticated", "postgres", "service_role"]
}

fn grant(row: &Row, grantor: Option<String>) -> Result<Vec<Grant>, SchemaError> {
    let grantee: Option<String> = row.try_get("grantee")?;
    let Some((grantor, grantee)) = grantor.zip(grantee) else {
        return Ok(Vec::new());
    };
    let privileges: Option<Vec<String>> = row.try_get("privileges")?;
    let grantable: Option<Vec<String>> = row.try_get("grantable")?;
    Ok(vec![Grant {
        grantor,
        grantee,
        privileges: privileges.unwrap_or_default(),
        grantable: grantable.unwrap_or_default(),
    }])
}

fn revoke(access: &Access, owner: Option<&str>) -> String {
    // Everywhere else the team's role owns or has what it was given.
    let team = (access.address == "schema public").then_some(supabase::TEAM_ROLE);
    let roles = API_ROLES.iter().copied().chain(team).chain(owner);
    let losers: Vec<String> = roles.map(quoted).collect();
    format!(
        "revoke all on {} from public, {};\n",
        access.address,
        losers.join(", ")
    )
}

/// What the owner gave first: others may have passed it on. That stays their
/// gift, because taking a privilege from them takes it from the receiver too.
fn give_all<'a>(
    mut sql: String,
    access: &Access,
    grants: impl Iterator<Item = &'a Grant>,
) -> String {
    let (own, passed_on): (Vec<_>, Vec<_>) = grants.partition(|grant| {
        grant.grantor == access.owner || supabase::is_platform_owner(&grant.grantor)
    });
    for grant in own {
        sql += &give(grant, access);
    }
    for grant in passed_on {
        let (role, statements) = (quoted(&grant.grantor), give(grant, access));
        let _ = write!(sql, "set role {role};\n{statements}reset role;\n");
    }
    sql
}

/// Whether everyone has it, or a role that is in every project, and not because
/// the team passed it on. None of those roles has to be quoted.
fn is_platforms(grant: &Grant) -> bool {
    let everywhere = grant.grantee == "public" || supabase::is_platform_role(&grant.grantee);
    everywhere && grant.grantor != supabase::TEAM_ROLE
}

/// Whether the role makes objects in every project.
fn is_an_owner(role: &str) -> bool {
    supabase::owners().any(|owner| owner == role)
}

fn give(grant: &Grant, access: &Access) -> String {
    let column = access
        .column
        .as_ref()
        .map(|column| format!(" ({})", quoted(column)))
        .unwrap_or_default();
    let mut sql = String::new();
    for (privileges, option) in privileges(grant, &access.whole) {
        let privileges: Vec<String> = privileges
            .iter()
            .map(|privilege| format!("{privilege}{column}"))
            .collect();
        let _ = writeln!(
            sql,
            "grant {} on {} to {}{option};",
            privileges.join(", "),
            access.address,
            grant.grantee
        );
    }
    sql
}

/// What to grant, without and with the right to pass it on. All of it is
/// granted as `all`, which on a newer server includes what came later.
fn privileges<'a>(
    grant: &'a Grant,
    whole: &[String],
) -> impl Iterator<Item = (Vec<&'a str>, &'static str)> {
    [
        (&grant.privileges, ""),
        (&grant.grantable, " with grant option"),
    ]
    .into_iter()
    .filter(|(privileges, _)| !privileges.is_empty())
    .map(|(privileges, option)| {
        if privileges == whole {
            (vec!["all"], option)
        } else {
            (privileges.iter().map(String::as_str).collect(), option)
        }
    })
    .collect::<Vec<_>>()
    .into_iter()
}

fn owner_has_all(access: &Access) -> bool {
    access.grants.iter().any(|grant| {
        is_role(grant, &access.owner)
            && grant.privileges == access.whole
            && grant.grantable.is_empty()
    })
}

fn is_role(grant: &Grant, role: &str) -> bool {
    grant.grantee == role || grant.grantee == quoted(role)
}
