//! Why a restore did not succeed.

use tokio_postgres::error::{DbError, SqlState};

use crate::{
    catalogue::ReadError,
    masking::MaskError,
    pinned_session::{SessionError, in_words},
    schema::Name,
    selection::UnknownName,
};

/// A restore that did not succeed, told apart by what it left behind.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// The target is as it was.
    #[error("nothing was changed")]
    Untouched(#[source] Cause),
    /// The target has to be dropped.
    #[error("the target holds a part of the backup and is to be dropped")]
    Partial(#[source] Cause),
}

impl RestoreError {
    /// Why, whatever was left behind.
    #[must_use]
    pub fn cause(&self) -> &Cause {
        match self {
            Self::Untouched(cause) | Self::Partial(cause) => cause,
        }
    }
}

/// Why.
#[derive(Debug, thiserror::Error)]
pub enum Cause {
    /// The backup cannot be read: missing, damaged, or sealed to other keys.
    #[error(transparent)]
    Backup(#[from] ReadError),
    /// The target cannot be reached.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// The target is not empty.
    #[error("the target is not empty, it has {}", first_of(.0))]
    NotEmpty(Vec<String>),
    /// The target's server lacks extensions.
    #[error("not restorable here: extension {}", .0.join(", "))]
    Extensions(Vec<String>),
    /// The platform's schema is there, and its table is not.
    #[error("not restorable here: the target's platform has no table {}", .0.join(", "))]
    ManagedTables(Vec<String>),
    /// Something was chosen that the backup does not have.
    #[error(transparent)]
    Unknown(#[from] UnknownName),
    /// Rows alone were chosen, and the target has no table for them.
    #[error("the target has no table {}: restore what makes it first", first_of(.0))]
    NoTables(Vec<String>),
    /// Nothing tells one row of a living table from another.
    #[error(
        "{0} has neither a primary key nor a unique key over columns that may not be null and that the backup has: a row that is missing cannot be told from one that is there"
    )]
    NoKey(Name),
    /// Rows were to be masked and cannot be.
    #[error(transparent)]
    Mask(#[from] MaskError),
    /// Rows were named by a column that the backup's table does not have.
    #[error("{0} has no column {1} in the backup")]
    NoColumn(Name, String),
    /// The target's server is older than the source's.
    #[error(
        "the target's PostgreSQL {target} is older than the backup's {backup}: it would not take everything"
    )]
    Older {
        /// The target's major version.
        target: u32,
        /// The backup's.
        backup: u32,
    },
    /// A restore into this database began and did not end: since when, and of what.
    #[error("the target is {0}: what it holds is a part; drop the database and begin again")]
    Unfinished(String),
    /// A script's directory does not fit its text.
    #[error("the backup's script of {0} is not what its manifest says")]
    Script(String),
    /// The target refused a statement.
    #[error("{doing}: {reason}")]
    Refused {
        /// What was tried.
        doing: String,
        /// The server's own words, without anything of a row.
        reason: String,
    },
    /// The target refused rows.
    #[error("cannot load rows of {table}: {reason}")]
    RefusedRows {
        /// Of which table.
        table: Name,
        /// Why, without anything of a row.
        reason: String,
        /// The check of a domain that a row breaks, if that is why.
        check: Option<Box<DomainCheck>>,
    },
    /// Tables that do not hold what their source held.
    #[error("not equal to the backup: {}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))]
    Different(Vec<Name>),
}

/// A check of a domain.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct DomainCheck {
    /// The domain.
    pub domain: Name,
    /// The check's name.
    pub name: String,
}

/// The target refused a statement that has no rows in it.
pub(super) fn refused(doing: impl Into<String>) -> impl FnOnce(tokio_postgres::Error) -> Cause {
    let doing = doing.into();
    move |error| Cause::Refused {
        doing,
        reason: in_words(&error),
    }
}

/// The target refused rows, whose values stand in its words. Only what is not a
/// value is told.
pub(super) fn refused_rows(table: &Name) -> impl FnOnce(tokio_postgres::Error) -> Cause {
    let table = table.clone();
    move |error| match error.as_db_error() {
        Some(server) => Cause::RefusedRows {
            reason: nameless(server),
            check: broken_check(server).map(Box::new),
            table,
        },
        None => refused(format!("cannot load rows of {table}"))(error),
    }
}

fn broken_check(error: &DbError) -> Option<DomainCheck> {
    let is_check = *error.code() == SqlState::CHECK_VIOLATION;
    let (schema, domain) = error.schema().zip(error.datatype()).filter(|_| is_check)?;
    Some(DomainCheck {
        domain: Name {
            schema: schema.to_owned(),
            name: domain.to_owned(),
        },
        name: error.constraint()?.to_owned(),
    })
}

fn nameless(error: &DbError) -> String {
    let mut text = format!("the server refuses them with {}", error.code().code());
    for (what, name) in [
        ("column", error.column()),
        ("constraint", error.constraint()),
    ] {
        if let Some(name) = name {
            text = format!("{text}, {what} {name}");
        }
    }
    text
}

/// A list that fits a message.
fn first_of(names: &[String]) -> String {
    const SHOWN: usize = 10;
    let shown = names[..names.len().min(SHOWN)].join(", ");
    match names.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
