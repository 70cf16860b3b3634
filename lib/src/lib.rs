//! The domains behind the endpoints of Pourtrait Ops, and what they share.
//!
//! In reading order:
//!
//! - [`endpoint`]: the one table of endpoints, with their limits and schedules
//! - [`edge`]: the only file that knows a platform (Vercel, AWS Lambda)
//! - [`app`]: one request from method check to answer
//! - [`config`], [`auth`], [`problem`]: variables, callers, errors
//! - [`outbound`], [`reach`], [`rpc`]: the one HTTP client, how far checks reach with
//!   it, and the database behind it
//! - [`jobs`]: runs of scheduled work, each claimed once
//! - [`health`], [`monitoring`], [`alerts`], [`backup`]: the domains
//! - [`database`], [`migrate`]: direct sessions, for what `PostgREST` cannot do
//!
//! Rust observes and words; SQL decides what changed. Nothing that must survive
//! lives in memory: an instance may be frozen or killed at any instant.

pub mod alerts;
pub mod app;
pub mod auth;
pub mod backup;
pub mod clock;
pub mod config;
pub mod database;
pub mod edge;
pub mod endpoint;
pub mod health;
pub mod jobs;
pub mod migrate;
pub mod monitoring;
pub mod outbound;
pub mod problem;
pub mod reach;
pub mod rpc;
pub mod telemetry;

/// The version that answers, logs and error reports carry.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
