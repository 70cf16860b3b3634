//! The command as a script meets it, against the local bundle.
//!
//! - `support`: calls of the real binary, and of the bundle by HTTP
//! - `grammar`: sources of variables, exit statuses, messages
//! - `application_archive`: the application beside its database, got back by the document's steps
//! - `audit`: who did what, proven and found where it was changed
//! - `backup`: taking a backup, checking it, and the way back
//! - `channels`: what `check` says of them
//! - `checks`: what is watched, from the command line
//! - `door`: project keys, what comes in by them, and what goes wrong
//! - `documents`: what documents tell people to run, run
//! - `drill`: backups tried, and who hears of it
//! - `delivery`: messages, proofs, and the scheduler in the database
//! - `monitor`: one look from outside, and signals
//! - `night`: an outage from the first message to the last, at a given time
//! - `oncall`: who is on call, planned and changed
//! - `operator`: `settings`, `maintenance`, `migrate` and `check` against that bundle
//! - `recover`: a database and an application made anew, killed anywhere and gone on with
//! - `recovery`: the procedures of the document about backups, run as they stand there
//! - `releases`: what serves production, gone back from and deployed to
//! - `uninstall`: all of ours taken out of a database again
//! - `replay`: rules tried on the past
//! - `setup`: from nothing to a configuration that everything reads
//! - `snippet`: the module that pages send with
//! - `verification`: a deployment looked at from outside, in order and with each of many faults

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod analytics;
mod application_archive;
mod audit;
mod backup;
mod channels;
mod checks;
mod delivery;
mod devices;
mod documents;
mod door;
mod drill;
mod evidence;
mod feedback;
mod grammar;
mod incidents;
mod monitor;
mod night;
mod oncall;
mod operator;
mod privacy;
mod recover;
mod recovery;
mod releases;
mod replay;
mod reports;
mod restore_point;
mod retention;
mod roles;
mod setup;
mod snippet;
mod sourcemaps;
mod storage;
mod support;
mod uninstall;
mod verification;
