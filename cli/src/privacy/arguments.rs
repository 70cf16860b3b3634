//! The grammar of `pourtrait privacy`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use ops::privacy::requests::Kind;

use crate::audit::report::Asked;

/// What `privacy` can do.
#[derive(Debug, Subcommand)]
pub(crate) enum Privacy {
    /// Shows what is held of somebody, what erasing would do to it, and what it would not find
    Show(Whose),
    /// Writes everything that is held of somebody into a zip, as JSON and as CSV
    Export(Export),
    /// Erases somebody, after showing what that means, and writes a signed proof of it
    Erase(Erase),
    /// Writes what is held of people, where, for how long, who may read it and who did
    Report(Asked),
    /// Shows what people asked for and nobody has done yet
    Requests,
    /// Takes a request off the list that there is a reason not to do
    Refuse {
        /// The number of the account, or its address of mail
        person: String,
        /// What they asked for
        #[arg(value_enum)]
        kind: Wanted,
    },
    /// Shows who was erased, as keyed hashes, with the proofs
    Erasures,
    /// Shows what somebody agreed to and refused
    Consents {
        /// The number of the account, or its address of mail
        person: String,
    },
    /// Notes for somebody that they agree to a purpose, or refuse it
    Consent {
        /// The number of the account, or its address of mail
        person: String,
        /// A purpose, such as analytics, which the door obeys
        purpose: String,
        /// Whether they agree
        #[arg(value_enum)]
        answer: Answer,
    },
}

/// What people ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Wanted {
    /// To be handed out what is held of them
    Export,
    /// To be erased
    Erasure,
}

impl From<Wanted> for Kind {
    fn from(wanted: Wanted) -> Self {
        match wanted {
            Wanted::Export => Self::Export,
            Wanted::Erasure => Self::Erasure,
        }
    }
}

/// What somebody says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Answer {
    /// They agree
    Agree,
    /// They do not
    Refuse,
}

/// Of whom, and how.
#[derive(Debug, Args)]
pub(crate) struct Whose {
    /// The number of the account, or its address of mail
    pub(crate) person: String,
    /// A table whose rows of the person go though their keys would keep them, as schema.table;
    /// may be repeated
    #[arg(long = "delete", value_name = "TABLE")]
    pub(crate) delete: Vec<String>,
}

/// An export.
#[derive(Debug, Args)]
pub(crate) struct Export {
    /// The number of the account, or its address of mail
    pub(crate) person: String,
    #[command(flatten)]
    pub(crate) to: Where,
}

/// Where an export goes.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct Where {
    /// The file to write; it must not be there
    #[arg(long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Into the project's Storage, from where a link fetches it once; the link is printed
    #[arg(long)]
    pub(crate) link: bool,
}

/// An erasure.
#[derive(Debug, Args)]
pub(crate) struct Erase {
    #[command(flatten)]
    pub(crate) whose: Whose,
    /// The folder into which the proof, its signature and the key go
    #[arg(long, value_name = "FOLDER", default_value = ".")]
    pub(crate) proof: PathBuf,
    /// Erases; without this only shows what would be erased
    #[arg(long)]
    pub(crate) yes: bool,
}
