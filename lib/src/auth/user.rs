//! Somebody who is signed in.

use jiff::Timestamp;

use super::roles::Role;

/// A person who is signed in, as the project's token names them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The user's id.
    pub subject: String,
    /// Their address, where they have one.
    pub email: Option<String>,
    /// What they may do here; nothing without a role.
    pub role: Option<Role>,
    /// When the proof ends.
    pub expires_at: Timestamp,
    /// When they are signed out unless they come back before; known of cookies alone.
    pub idle_until: Option<Timestamp>,
}

impl User {
    /// Under what name they are remembered: their address, which is what colleagues know.
    #[must_use]
    pub fn name(&self) -> String {
        let email = self.email.as_ref().filter(|email| email.len() <= 200);
        email
            .cloned()
            .unwrap_or_else(|| format!("user {}", self.subject))
    }
}
