//! From a message to what one channel takes: escaped for it, and cut to its
//! limits.

pub mod email;
pub mod slack;

#[cfg(test)]
mod tests;
