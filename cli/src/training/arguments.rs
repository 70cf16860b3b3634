//! The grammar of `pourtrait training`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use serde::{Deserialize, Serialize};

/// What `training` can do.
#[derive(Debug, Subcommand)]
pub(crate) enum Training {
    /// Shows when each exercise was done last; fails if one is overdue or was never done
    List,
    /// Begins an exercise: its times are noted in a file from now on
    Start {
        /// Which exercise
        exercise: Exercise,
        /// Where.
        #[command(flatten)]
        place: Place,
    },
    /// Notes the time at which something of the exercise was done
    Step {
        /// What was done
        step: String,
        /// Where.
        #[command(flatten)]
        place: Place,
    },
    /// Ends the exercise, and shows how long each step took
    Finish {
        /// Where.
        #[command(flatten)]
        place: Place,
    },
    /// Tells the project of an exercise that was finished, which may have been elsewhere
    Record {
        /// Where.
        #[command(flatten)]
        place: Place,
    },
}

/// Where the times of an exercise are noted.
#[derive(Debug, Args)]
pub(crate) struct Place {
    /// The file with the exercise's times
    #[arg(long, value_name = "FILE", default_value = "exercise.json")]
    pub(crate) receipt: PathBuf,
}

/// What people practise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Exercise {
    /// To read the dashboard and answer an alert
    Alert,
    /// To bring rows back
    Restore,
    /// A whole incident, from detection to postmortem
    Incident,
}
