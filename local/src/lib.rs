//! A Supabase for one machine, for development and tests only: a real
//! PostgreSQL with Supabase's roles, a gateway that honours the part of
//! PostgREST that an app uses, and capture servers for the services beside it.
//!
//! In reading order: [`machine`] knows what has to be installed and brings it,
//! [`postgres`] runs the server, [`keys`] makes a project's keys and tokens,
//! [`port`] finds ports, [`server`] speaks HTTP, [`gateway`] and [`supabase`]
//! answer at the project's URL, [`capture`], [`platforms`] and [`sample_app`] stand in for what
//! lies around it, [`fault`] breaks any of them, and [`stack`] starts all together. [`chance`]
//! is what tests are random by.
//!
//! Nothing here is ever part of a function.

mod answer;
pub mod capture;
pub mod chance;
mod clock;
pub mod fault;
mod files;
pub mod gateway;
pub mod keys;
pub mod machine;
pub mod platforms;
pub mod port;
pub mod postgres;
mod random;
mod raw_targets;
pub mod sample_app;
pub mod server;
pub mod stack;
pub mod supabase;
