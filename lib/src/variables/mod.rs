//! Environment variables: how one is described, and how its text becomes a type.

mod fingerprint;
mod reader;

pub use fingerprint::Fingerprinter;
pub(crate) use reader::{Reader, address, addresses};

/// One environment variable.
#[derive(Debug)]
pub struct Variable {
    /// Its name.
    pub name: &'static str,
    /// What it is for, and where to get it.
    pub meaning: &'static str,
    /// What holds when it is unset; empty where nothing does.
    pub default: &'static str,
    /// Whether its value must never be shown.
    pub secret: bool,
}

/// A variable that may be shown.
pub(crate) const fn plain(
    name: &'static str,
    default: &'static str,
    meaning: &'static str,
) -> Variable {
    Variable {
        name,
        meaning,
        default,
        secret: false,
    }
}

/// A variable whose value is never shown.
pub(crate) const fn secret(name: &'static str, meaning: &'static str) -> Variable {
    Variable {
        name,
        meaning,
        default: "",
        secret: true,
    }
}

/// A group of variables with a heading.
#[derive(Debug)]
pub struct Group {
    /// The heading.
    pub title: &'static str,
    /// What holds without the group.
    pub without: &'static str,
    /// Its variables.
    pub variables: &'static [Variable],
}

/// What is wrong with one variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Its name.
    pub variable: &'static str,
    /// What is wrong.
    pub kind: FaultKind,
}

/// The ways in which a variable can be wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FaultKind {
    /// Required and not set.
    Missing,
    /// Set and of no use; the reason never carries the value.
    Invalid(&'static str),
    /// Usable, but not as it should be.
    Warning(&'static str),
}
