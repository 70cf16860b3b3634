//! What the operator's command and `cargo dev` have in common at a terminal:
//! [`env_file`] reads variables as a shell would, [`output`] keeps results
//! apart from words, [`failure`] says how a command ends, and [`private_file`] makes
//! what is its owner's alone.

pub mod env_file;
pub mod failure;
pub mod output;
pub mod private_file;
