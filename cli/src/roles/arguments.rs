//! The grammar of `pourtrait roles`.

use clap::{Args, Subcommand, ValueEnum};
use ops::auth::roles;

/// What `roles` can do.
#[derive(Debug, Subcommand)]
pub(crate) enum Roles {
    /// Shows who has which role, and what each role may do
    List,
    /// Gives a person a role, in place of the one that they have
    Grant {
        /// The role
        role: Role,
        /// Whose, and what else it takes.
        #[command(flatten)]
        whose: Whose,
    },
    /// Takes a person's role away
    Revoke {
        /// Whose, and what else it takes.
        #[command(flatten)]
        whose: Whose,
    },
}

/// A person, and consent.
#[derive(Debug, Args)]
pub(crate) struct Whose {
    /// The person's address, or the id of their user
    pub(crate) person: String,
    /// Does it even if nobody is an admin any more
    #[arg(long)]
    pub(crate) yes: bool,
}

/// A role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Role {
    /// Sees the dashboard
    Viewer,
    /// Sees the dashboard, and answers alerts and incidents
    Responder,
    /// May do everything
    Admin,
}

impl From<Role> for roles::Role {
    fn from(role: Role) -> Self {
        match role {
            Role::Viewer => Self::Viewer,
            Role::Responder => Self::Responder,
            Role::Admin => Self::Admin,
        }
    }
}
