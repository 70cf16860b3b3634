//! One file per command.

pub(crate) mod alerts;
pub(crate) mod backup;
pub(crate) mod check;
pub(crate) mod checks;
pub(crate) mod contacts;
pub(crate) mod dev;
pub(crate) mod docs;
mod hours;
pub(crate) mod incidents;
mod lengths;
pub(crate) mod maintenance;
pub(crate) mod migrate;
mod project;
mod replay;
pub(crate) mod schedule;
pub(crate) mod settings;
