//! Backups against real parts: a PostgreSQL with Supabase's roles, and stores.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on has failed"
)]

mod app_code;
mod archive;
mod changes;
mod checksum;
mod choices;
mod collection;
mod computed;
mod data;
mod dated;
mod delta;
mod differences;
mod evidence;
mod faults;
mod faulty;
mod files;
mod handmade;
mod lost_rows;
mod masking;
mod preflight;
mod proxy;
mod random_databases;
mod reading;
mod refusals;
mod replication;
mod repository;
mod reread;
mod restore;
mod roundtrip;
mod row_history;
mod run;
mod s3;
mod schema;
mod scratch;
mod script;
mod sessions;
mod simulated_year;
mod source;
mod store;
mod support;
mod taken;
mod tools;
mod vault;
