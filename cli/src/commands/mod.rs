//! One file per command.

pub(crate) mod backup;
pub(crate) mod check;
pub(crate) mod dev;
pub(crate) mod docs;
pub(crate) mod migrate;
pub(crate) mod settings;
