//! What the operator's command and `cargo dev` have in common at a terminal:
//! [`env_file`] reads variables as a shell would, [`output`] keeps results
//! apart from words, and [`failure`] says how a command ends.

pub mod env_file;
pub mod failure;
pub mod output;
