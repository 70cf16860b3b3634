//! The bundle, endpoint by endpoint, against real parts: PostgreSQL, the
//! gateway, the capture servers and the sample app.
//!
//! - `support`: a bundle with its own database, called in memory
//! - `health`, `callers`, `dashboard`, `monitor`, `maintenance`, `dispatch`,
//!   `acknowledge`: one endpoint each
//! - `channels`: every channel at once
//! - `checks`: kept checks and `/api/heartbeat`
//! - `escalation`: an alert from its first message to its end; `answering` holds
//!   what it shares with `acknowledge`
//! - `direct`: verified sessions and migrations
//! - `certificate`: the end of the app's certificate
//! - `rpc`: calls over a wire that fails
//! - `kills`: a tick killed at each of its requests; `proxy` breaks the wire
//! - `lease`: a lease that is renewed while its run works
//! - `backup`: a backup from its claim to its seal; `backup_kills`: killed on the
//!   way; `backups` is what both share, `bucket` a store that kills

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on has failed"
)]

#[path = "bundle/acknowledge.rs"]
mod acknowledge;
#[path = "bundle/answering.rs"]
mod answering;
#[path = "bundle/backup.rs"]
mod backup;
#[path = "bundle/backup_kills.rs"]
mod backup_kills;
#[path = "bundle/backups.rs"]
mod backups;
#[path = "bundle/bucket.rs"]
mod bucket;
#[path = "bundle/callers.rs"]
mod callers;
#[path = "bundle/certificate.rs"]
mod certificate;
#[path = "bundle/channels.rs"]
mod channels;
#[path = "bundle/checks.rs"]
mod checks;
#[path = "bundle/dashboard.rs"]
mod dashboard;
#[path = "bundle/direct.rs"]
mod direct;
#[path = "bundle/dispatch.rs"]
mod dispatch;
#[path = "bundle/escalation.rs"]
mod escalation;
#[path = "bundle/failover.rs"]
mod failover;
#[path = "bundle/health.rs"]
mod health;
#[path = "bundle/hooks.rs"]
mod hooks;
#[path = "bundle/kills.rs"]
mod kills;
#[path = "bundle/lease.rs"]
mod lease;
#[path = "bundle/maintenance.rs"]
mod maintenance;
#[path = "bundle/monitor.rs"]
mod monitor;
#[path = "bundle/proxy.rs"]
mod proxy;
#[path = "bundle/rpc.rs"]
mod rpc;
#[path = "bundle/storm.rs"]
mod storm;
#[path = "bundle/support.rs"]
mod support;
#[path = "bundle/user_reports.rs"]
mod user_reports;
