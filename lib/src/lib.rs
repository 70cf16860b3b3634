//! The domains behind the endpoints of Pourtrait Ops, and what they share.
//!
//! In reading order:
//!
//! - [`endpoint`]: the one table of endpoints, with their limits and schedules
//! - [`edge`]: the only file that knows a platform (Vercel, AWS Lambda)
//! - [`function`]: one request from method check to answer
//! - [`router`]: endpoint to handlers, the one file that knows every domain
//! - [`handler`], [`auth`], [`problem`]: what a domain answers with, to whom, and
//!   the errors that a caller sees
//! - [`app`], [`config`], `variables`: what every function stands on, and its variables
//! - [`rpc`]: the database behind its REST API
//! - `bounded_json`, `encoded_body`: what comes from elsewhere, however odd or large
//! - `exchange`, [`web_push`]: one request to somebody else's service, and messages to browsers
//! - [`platforms`], [`platform_watch`]: the APIs of what an app and this bundle stand on, and
//!   what is watched there
//! - [`deployment_event`]: what becomes of a deployment
//! - [`push_devices`]: where push messages reach contacts
//! - [`own_reports`]: where browsers send what they report of our own pages
//! - [`jobs`]: runs of scheduled work, each claimed once
//! - [`messages`]: what people are told, and the channels by which it reaches them
//! - [`health`], [`monitoring`], [`ingest`], [`alerts`], [`oncall`], [`backups`], [`account`],
//!   [`status`], [`reports`]: the domains
//! - [`privacy`]: what a database holds of one person, handed out and erased
//! - [`access`]: who may do what, pair by pair, as documents and tests have it
//! - [`audit_log`]: what was done that somebody has to answer for, read and verified
//! - [`security_report`]: what an auditor reads, and what of it differs from the month before
//! - [`verification`]: whether a deployment is what was promised, looked at from outside
//! - [`migrate`]: the schema
//!
//! How a backup is made and restored is crate `backup`; the clock, the HTTP client
//! and direct database sessions are crate `outside`, which both rest on.
//!
//! Rust observes and words; SQL decides what changed. Nothing that must survive
//! lives in memory: an instance may be frozen or killed at any instant.

pub mod access;
pub mod account;
pub mod alerts;
pub mod app;
pub mod audit_log;
pub mod auth;
pub mod backups;
mod bounded_json;
pub mod config;
pub mod deployment_event;
pub mod edge;
mod encoded_body;
pub mod endpoint;
mod exchange;
#[cfg(test)]
mod fake_server;
pub mod function;
pub mod handler;
pub mod health;
mod hexadecimal;
pub mod ingest;
pub mod jobs;
mod media_type;
pub mod messages;
pub mod migrate;
pub mod monitoring;
pub mod oncall;
pub mod own_reports;
pub mod platform_watch;
pub mod platforms;
pub mod privacy;
pub mod problem;
pub mod push_devices;
pub mod reports;
pub mod router;
pub mod rpc;
pub mod security_report;
pub mod status;
pub mod telemetry;
mod variables;
pub mod verification;
pub mod web_push;

/// The version that answers, logs and error reports carry.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
