//! How a command ends.

use std::process::ExitCode;

use crate::output::note;

/// The command was used wrongly, which is exit status 2: scripts can tell a
/// typo from an outage.
#[derive(Debug)]
pub struct Misuse(pub String);

impl std::fmt::Display for Misuse {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for Misuse {}

/// What a command that came to its end found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Done, or nothing is wrong.
    Good,
    /// Something is wrong with what was looked at.
    Bad,
}

/// Ends a command: says why it failed, if it did. The exit status is 0 done,
/// 1 failed or found bad, 2 used wrongly.
#[must_use]
pub fn end(outcome: &anyhow::Result<Verdict>) -> ExitCode {
    match outcome {
        Ok(Verdict::Good) => ExitCode::SUCCESS,
        Ok(Verdict::Bad) => ExitCode::FAILURE,
        Err(error) => {
            note(&format!("error: {error:#}"));
            if error.is::<Misuse>() {
                ExitCode::from(2)
            } else {
                ExitCode::FAILURE
            }
        }
    }
}
