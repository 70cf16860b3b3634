//! Who may do what, pair by pair: the one table that is both the documentation
//! (`docs/access.md`) and the test.
//!
//! Nothing here decides: what decides are routes and their callers (`endpoint`, `auth`) and the
//! grants and policies of the database (`migrations/`). Tests try each pair and fail where
//! these and this differ, or where a pair is missing.
//!
//! - [`doors`]: every endpoint and method, by what somebody can prove
//! - [`tables`]: every table and operation, by role of the database

pub mod doors;
pub mod tables;
