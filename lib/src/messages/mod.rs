//! What people are told, and how it reaches them.
//!
//! The database writes messages into its outbox as facts. Here facts become words
//! ([`rules`], [`report`], [`message`]), and each of the [`channels`] renders and sends them. Which
//! message is due, and to whom, is decided in the database; `alerts::dispatch` carries
//! them over.

pub mod alert_end;
pub mod channels;
pub mod escalation_step;
mod escalation_wording;
pub mod incident_change;
pub(crate) mod json_fields;
pub mod message;
pub mod message_facts;
pub mod message_links;
pub mod plain_text;
pub mod quantities;
pub mod recipients;
mod release_wording;
pub mod report;
pub mod rules;
mod vendor_pages;
