//! Backups against real parts: a PostgreSQL with Supabase's roles, and stores.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on has failed"
)]

mod faults;
mod faulty;
mod reading;
mod repository;
mod s3;
mod schema;
mod scratch;
mod store;
mod support;
