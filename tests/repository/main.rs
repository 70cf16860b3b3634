//! Facts of the repository that no compiler checks: that the table of
//! endpoints, `vercel.json`, the binaries and the files agree, that only
//! `public/` can be published, and that the documentation leads somewhere.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod circles;
mod configuration;
mod crons;
mod deploying;
mod documents;
mod files;
mod functions;
mod headers;
mod published;
mod second_platform;
mod service;
mod words;
