//! Who else than our own policies lets callers at the application's monitoring
//! tables: what `pourtrait check --live` names, and what migrating takes away.

use tokio_postgres::{Client, Row};

use super::MigrateError;

const SQL: &str = include_str!("open_tables.sql");

/// Something that opens one of the tables, or may.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opening {
    /// The table, in schema `public`.
    pub table: String,
    /// By what it is open.
    pub by: OpenBy,
}

/// By what a table can be open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OpenBy {
    /// A permissive policy that is not ours and may admit whoever is signed in, or
    /// anybody.
    Policy(Policy),
    /// A permissive policy that is not ours and allows no more than ours do, or holds
    /// for roles that no stranger has.
    SparedPolicy(Policy),
    /// A privilege to write.
    Grant {
        /// `INSERT` or the like.
        privilege: String,
        /// The roles that have it: `anon`, `authenticated` or both.
        roles: Vec<String>,
    },
    /// Row-level security is off.
    NoRowSecurity,
    /// A view that strangers may read and that reads with its owner's rights.
    View(String),
}

/// A permissive policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Its name.
    pub name: String,
    /// The roles that it holds for.
    pub roles: Vec<String>,
    /// Its command and conditions, as the server writes them.
    pub rule: String,
}

impl OpenBy {
    /// Whether somebody without a right may get in by it.
    #[must_use]
    pub fn may_admit_strangers(&self) -> bool {
        match self {
            Self::SparedPolicy(_) => false,
            Self::Policy(_) | Self::Grant { .. } | Self::NoRowSecurity | Self::View(_) => true,
        }
    }
}

impl std::fmt::Display for Opening {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let table = &self.table;
        match &self.by {
            OpenBy::Policy(Policy { name, roles, rule })
            | OpenBy::SparedPolicy(Policy { name, roles, rule }) => {
                let roles = roles.join(", ");
                write!(
                    formatter,
                    "policy \"{name}\" on {table} is not ours: {rule} to {roles}"
                )
            }
            OpenBy::Grant { privilege, roles } => {
                write!(
                    formatter,
                    "{} may {privilege} on {table}",
                    roles.join(" and ")
                )
            }
            OpenBy::NoRowSecurity => write!(formatter, "row-level security of {table} is off"),
            OpenBy::View(view) => write!(
                formatter,
                "view {view} shows {table} past its policies: make it security_invoker"
            ),
        }
    }
}

/// Everything that opens one of the tables, or may, by table and name.
///
/// # Errors
/// A failed session.
pub async fn openings(client: &Client) -> Result<Vec<Opening>, MigrateError> {
    client
        .batch_execute("begin read only; set local search_path = ''")
        .await?;
    let rows = client.query(SQL, &[]).await;
    client.batch_execute("rollback").await?;
    rows?.iter().map(|row| Ok(opening(row)?)).collect()
}

fn opening(row: &Row) -> Result<Opening, tokio_postgres::Error> {
    let kind: &str = row.try_get("kind")?;
    let name: String = row.try_get("name")?;
    let roles: Vec<String> = row.try_get("roles")?;
    let detail: Option<String> = row.try_get("detail")?;
    let policy = |name, roles| Policy {
        name,
        roles,
        rule: detail.unwrap_or_default(),
    };
    Ok(Opening {
        table: row.try_get("table_name")?,
        by: match kind {
            // The words are those of the statement beside this file.
            "spared_policy" => OpenBy::SparedPolicy(policy(name, roles)),
            "grant" => OpenBy::Grant {
                privilege: name,
                roles,
            },
            "no_row_security" => OpenBy::NoRowSecurity,
            "view" => OpenBy::View(name),
            _ => OpenBy::Policy(policy(name, roles)),
        },
    })
}
