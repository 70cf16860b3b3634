//! What the command says of itself: `--help` with examples for every noun, scripts by which
//! shells complete it, and manual pages. All three are made of the one grammar.

mod completions;
#[cfg(test)]
mod documented;
mod examples;
mod man;
#[cfg(test)]
pub(crate) mod typed;

use clap::{CommandFactory, FromArgMatches};

use crate::arguments::Arguments;

pub(crate) use completions::completions;
pub(crate) use man::man;

/// The grammar, with examples.
pub(crate) fn grammar() -> clap::Command {
    examples::added_to(Arguments::command())
}

/// What the process was called with. Ends the process where that is wrong, or asks for help.
pub(crate) fn parse() -> Arguments {
    let matches = grammar().get_matches();
    Arguments::from_arg_matches(&matches).unwrap_or_else(|error| error.exit())
}
