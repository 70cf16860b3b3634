//! The bundle as tests start it, and `cargo dev` as a person does.
//!
//! - `support`: calls of the real binary, and of the bundle by HTTP
//! - `bundle`: every endpoint on one port, as tests start it
//! - `grammar`: exit statuses and messages, without any service
//! - `process`: `cargo dev` from its start to a signal

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod bundle;
mod grammar;
mod process;
mod support;
