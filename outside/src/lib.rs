//! The only places that touch the world outside: its clock, its network and its
//! database.
//!
//! What stands here is beneath every other crate of the bundle and knows none of
//! them. `clippy.toml` keeps everybody else from going around it. In reading
//! order:
//!
//! - [`clock`]: the time, waiting, and the deadline that is passed down
//! - [`tls`], [`certificates`]: whom a connection trusts, and what a server shows of
//!   itself
//! - [`failure`]: how a request can fail
//! - [`secure_url`], [`reach`]: which URLs are fit for a secret, and which addresses
//!   what an operator aims may reach
//! - [`outbound`]: the one HTTP client
//! - [`database`]: direct sessions, for what `PostgREST` cannot do
//! - [`database_time`]: times from outside that the database can name

pub mod certificates;
pub mod clock;
mod counted_tls;
pub mod database;
pub mod database_time;
mod error_chain;
pub mod failure;
pub mod outbound;
pub mod reach;
pub mod secure_url;
pub mod tls;
