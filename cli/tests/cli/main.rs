//! The command as a script meets it, and the bundle that it runs.
//!
//! - `support`: calls of the real binary, and of the bundle by HTTP
//! - `grammar`: sources of variables, exit statuses, messages
//! - `backup`: taking a backup, checking it, and the way back
//! - `bundle`: every endpoint on one port, as tests start it
//! - `channels`: what `check` says of them
//! - `checks`: what is watched, from the command line
//! - `delivery`: messages, proofs, and the scheduler in the database
//! - `operator`: `settings`, `maintenance`, `migrate` and `check` against that bundle
//! - `process`: `pourtrait dev` from its start to a signal
//! - `replay`: rules tried on the past

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod backup;
mod bundle;
mod channels;
mod checks;
mod delivery;
mod grammar;
mod incidents;
mod operator;
mod process;
mod replay;
mod support;
