//! From a message to what one channel takes: escaped for it, and cut to its
//! limits.

pub mod discord;
pub mod email;
mod severity_marks;
pub mod slack;
pub mod webhook;

#[cfg(test)]
mod tests;
