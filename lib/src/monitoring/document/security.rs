//! The dashboard's section about security.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Who tries to get in, and who may what; null where a source is absent, switched
/// off or cannot be read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Security {
    /// The period of attempts and refusals.
    pub window_minutes: u64,
    /// Attempts to sign in; null where the project keeps no audit in its database.
    pub sign_in_attempts: Option<SignInAttempts>,
    /// Percent of API requests answered with 401 or 403.
    pub refused_percent: Option<f64>,
    /// How many admins the app has.
    pub admins: Option<u64>,
    /// Since when row-level security, policies and grants in `public` are as they
    /// are; null before the first tick.
    pub access_changed_at: Option<Timestamp>,
    /// Alerts of security rules that are not resolved yet.
    pub open_alerts: u64,
}

/// The most suspicious attempts of one kind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SignInAttempts {
    /// From the address with the most.
    pub most_from_one_address: u64,
    /// For the account with the most.
    pub most_for_one_account: u64,
}
