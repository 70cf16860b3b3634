//! Backups against real parts: a PostgreSQL with Supabase's roles, and stores.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on has failed"
)]

mod schema;
mod support;
