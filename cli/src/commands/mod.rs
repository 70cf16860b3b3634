//! One file per command.

pub(crate) mod backup;
pub(crate) mod check;
pub(crate) mod checks;
pub(crate) mod dev;
pub(crate) mod docs;
pub(crate) mod maintenance;
pub(crate) mod migrate;
mod project;
pub(crate) mod settings;
