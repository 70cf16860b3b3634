//! The grammar of `verify`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use ops::{config::Environment, verification::subject::Group};
use url::Url;

use crate::traffic::Which;

/// Looks at a deployment from outside, and changes nothing
#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// Where it answers; without it, where the variables say
    pub(super) url: Option<Url>,
    /// Whose deployment it is
    #[arg(long, value_enum, default_value_t = Which::Ops)]
    pub(super) project: Which,
    /// Looks at these groups alone; can be given several times
    #[arg(long, value_enum, value_name = "GROUP")]
    pub(super) only: Vec<GroupWord>,
    /// How the result is written
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub(super) format: Format,
    /// Which environment the deployment has to say that it is
    #[arg(long, value_enum, default_value_t = EnvironmentWord::Production)]
    pub(super) environment: EnvironmentWord,
    /// What `vercel build` made, to look at as well: .vercel/output
    #[arg(long, value_name = "FOLDER")]
    pub(super) output: Option<PathBuf>,
    /// How many milliseconds 19 of 20 answers may take at most
    #[arg(long, value_name = "MS", default_value_t = 1_000)]
    pub(super) slowest: u64,
    /// Makes the deployment check on Vercel, which holds back the domains of production until
    /// a release is verified, and answers by this webhook of Vercel's
    #[arg(long, value_name = "WEBHOOK", conflicts_with_all = ["url", "only", "output", "check_runs"])]
    pub(super) register: Option<String>,
    /// Verifies and answers the runs of the deployment check that wait, as each tick does
    #[arg(long, conflicts_with_all = ["url", "only", "output"])]
    pub(super) check_runs: bool,
}

/// How the result is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For people
    Table,
    /// One document
    Json,
    /// For CI
    Junit,
}

/// A group of looks.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum GroupWord {
    /// How it is reached: encryption, certificate, headers
    Transport,
    /// Whether it works, and its database
    Health,
    /// What others provide: AI, mail, storage, channels
    Services,
    /// Which release of which project it is, and with which variables
    Configuration,
    /// Whom it lets in
    Access,
    /// Whether its jobs run
    Jobs,
    /// Whether there are backups that can be restored
    Backups,
    /// How fast it answers
    Speed,
    /// What everybody sees
    Page,
    /// What the platform says of it
    Platform,
}

/// An environment.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum EnvironmentWord {
    /// What users see
    Production,
    /// A deployment of a branch
    Preview,
    /// A laptop
    Development,
}

impl From<GroupWord> for Group {
    fn from(word: GroupWord) -> Self {
        match word {
            GroupWord::Transport => Self::Transport,
            GroupWord::Health => Self::Health,
            GroupWord::Services => Self::Services,
            GroupWord::Configuration => Self::Configuration,
            GroupWord::Access => Self::Access,
            GroupWord::Jobs => Self::Jobs,
            GroupWord::Backups => Self::Backups,
            GroupWord::Speed => Self::Speed,
            GroupWord::Page => Self::Page,
            GroupWord::Platform => Self::Platform,
        }
    }
}

impl From<EnvironmentWord> for Environment {
    fn from(word: EnvironmentWord) -> Self {
        match word {
            EnvironmentWord::Production => Self::Production,
            EnvironmentWord::Preview => Self::Preview,
            EnvironmentWord::Development => Self::Development,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_group_can_be_asked_for_by_its_own_word() {
        for group in Group::ALL {
            let word = GroupWord::from_str(group.as_str(), false).unwrap();
            assert_eq!(Group::from(word), group);
        }
        assert_eq!(GroupWord::value_variants().len(), Group::ALL.len());
    }
}
