//! How a command ends.

use std::process::ExitCode;

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
pub(crate) enum Verdict {
    /// Done, or nothing is wrong.
    Good,
    /// Something is wrong with what was looked at.
    Bad,
}

/// The exit status: 0 done, 1 failed or found bad, 2 used wrongly.
pub(crate) fn status(outcome: &anyhow::Result<Verdict>) -> ExitCode {
    match outcome {
        Ok(Verdict::Good) => ExitCode::SUCCESS,
        Err(error) if is_misuse(error) => ExitCode::from(2),
        Ok(Verdict::Bad) | Err(_) => ExitCode::FAILURE,
    }
}

fn is_misuse(error: &anyhow::Error) -> bool {
    error.is::<Misuse>() || error.is::<local_supabase::postgres::NotInstalled>()
}
