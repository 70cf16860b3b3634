//! The bundle, endpoint by endpoint, against real parts: PostgreSQL, the
//! gateway, the capture servers and the sample app.
//!
//! - `support`: a bundle with its own database, called in memory
//! - `health`, `callers`, `dashboard`, `monitor`, `maintenance`, `dispatch`,
//!   `acknowledge`: one endpoint each
//! - `metrics`: what scrapers read; `exposition` reads it as strictly as they do
//! - `account`: signing in; `account_auth`: while Auth is odd; `browser` keeps the cookies
//! - `channels`: every channel at once; `channel_answers`: each room from its first
//!   message to its end; `pagers`: those that wake people, and answers
//! - `check_runs`: a release that waits for its domains, from the webhook to the answer
//! - `checks`: kept checks and `/api/heartbeat`
//! - `escalation`: an alert from its first message to its end; `answering` holds
//!   what it shares with `acknowledge`
//! - `direct`: verified sessions and migrations
//! - `door`: keys, quotas, odd bodies; `envelopes`: Sentry's clients at it; `malformed`:
//!   whatever may come, over all sources
//! - `certificate`: the end of the app's certificate
//! - `rpc`: calls over a wire that fails
//! - `kills`: a tick killed at each of its requests; `proxy` breaks the wire
//! - `random_schedules`: whatever may happen, in any order, with functions that die
//! - `lease`: a lease that is renewed while its run works
//! - `exports`: what somebody asks to be handed out, until it is deleted
//! - `application_archive`: the application beside its database
//! - `security_report`: what an auditor reads of a month
//! - `backup`: a backup from its claim to its seal; `backup_kills`: killed on the
//!   way; `backups` is what both share, `bucket` a store that kills

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on has failed"
)]

mod access;
mod account;
mod account_auth;
mod account_devices;
mod acknowledge;
mod answering;
mod application_archive;
mod backup;
mod backup_kills;
mod backups;
mod browser;
mod bucket;
mod callers;
mod certificate;
mod channel_answers;
mod channels;
mod check_runs;
mod checks;
mod dashboard;
mod direct;
mod dispatch;
mod door;
mod door_drains;
mod envelopes;
mod escalation;
mod exports;
mod exposition;
mod failover;
mod health;
mod hooks;
mod kills;
mod lease;
mod maintenance;
mod malformed;
mod metrics;
mod monitor;
mod own_data;
mod own_reports;
mod pagers;
mod personal_data;
mod proxy;
mod push;
mod random_schedules;
mod rpc;
mod security_report;
mod status_devices;
mod status_page;
mod storm;
mod support;
mod user_reports;

use local_supabase::chance;
