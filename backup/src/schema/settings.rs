//! What sessions begin with: `alter database … set` and `alter role … set`.
//!
//! Their values may be secrets, so they are attached: what is told of one that the
//! target refuses are its name and the server's words. A role's own settings hold
//! in every database of the server, which may be in use, so none of them is changed
//! by a restore: it is set where there is none, and told where there is another.

use tokio_postgres::Client;

use super::{
    SchemaError, catalog,
    placeholder_roles::{block, literal},
    quoted, supabase,
};

/// One setting.
#[derive(Debug, Clone)]
pub(super) struct Setting {
    /// Whose sessions; everybody's where `None`.
    role: Option<String>,
    /// Whether it holds in this database alone.
    here: bool,
    name: String,
    /// As the catalog has it.
    value: String,
}

/// Reads the settings of the database and of all roles.
pub(super) async fn read(client: &Client) -> Result<Vec<Setting>, SchemaError> {
    catalog::read(client, include_str!("sql/settings.sql"), |row| {
        Ok(Setting {
            role: row.try_get("role")?,
            here: row.try_get("here")?,
            name: row.try_get("name")?,
            value: row.try_get("value")?,
        })
    })
    .await
}

impl Setting {
    /// Whether it is the project's: of the database, or of a role of the app's or one
    /// to which teams give settings.
    pub(super) fn is_kept(&self, of_app: impl Fn(&str) -> bool) -> bool {
        let of_project = |role| supabase::takes_settings(role) || of_app(role);
        self.here || self.role.as_deref().is_some_and(of_project)
    }

    /// The role that has to be there because the setting names it.
    pub(super) fn role_it_needs(&self) -> Option<&str> {
        self.role.as_deref().filter(|_| self.here)
    }

    /// What it is called, for people.
    pub(super) fn called(&self) -> String {
        let whose = match (&self.role, self.here) {
            (None, _) => "the database".to_owned(),
            (Some(role), true) => format!("{role} in the database"),
            (Some(role), false) => role.clone(),
        };
        format!("{} of {whose}", self.name)
    }

    /// The value is taken over from the session, because how it is quoted depends on
    /// the setting. The session has its own back afterwards.
    pub(super) fn sql(&self) -> String {
        let (name, value) = (literal(&self.name), literal(&self.value));
        let role = self.role.as_deref().map(quoted);
        let alter = match (&role, self.here) {
            (None, _) => "alter database %1$I".to_owned(),
            (Some(role), true) => format!("alter role {role} in database %1$I"),
            (Some(role), false) => format!("alter role {role}"),
        };
        let set = format!(
            "perform pg_catalog.set_config({name}, {value}, true); \
             execute pg_catalog.format({}, pg_catalog.current_database(), {name}); \
             perform pg_catalog.set_config({name}, coalesce(before, ''), true);",
            literal(&format!(
                "{} set %2$I from current",
                alter.replace("%I", "%%I")
            ))
        );
        let before = format!("before text := pg_catalog.current_setting({name}, true);");
        match (&self.role, self.here) {
            (Some(role), false) => block(&format!(
                "declare {before} there text := ({}); \
                 begin if there is null then {set} elsif there <> {value} then \
                 raise exception 'the role has another value, which holds in every database'; \
                 end if; end",
                present(role, &self.name)
            )),
            _ => block(&format!("declare {before} begin {set} end")),
        }
    }
}

/// The query of a role's own setting.
fn present(role: &str, name: &str) -> String {
    format!(
        "select pg_catalog.substr(entry, pg_catalog.length({name}) + 2) \
         from pg_catalog.pg_db_role_setting as s \
         join pg_catalog.pg_roles as r on r.oid = s.setrole \
         cross join lateral pg_catalog.unnest(s.setconfig) as entry \
         where s.setdatabase = 0 and r.rolname = {role} \
         and pg_catalog.starts_with(entry, {name} || '=')",
        name = literal(name),
        role = literal(role)
    )
}
