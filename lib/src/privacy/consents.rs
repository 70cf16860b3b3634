//! What people agree to, by purpose. `analytics` is the one that the door obeys.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::rpc::{Call, Retry};

/// What somebody said of one purpose last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consent {
    /// The purpose.
    pub purpose: String,
    /// Whether they agree.
    pub granted: bool,
    /// When they said so.
    pub at: Timestamp,
}

/// All that somebody said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consents {
    /// By purpose.
    pub consents: Vec<Consent>,
}

/// Who says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum SaidBy {
    /// They themselves.
    User,
    /// An operator, for them.
    Operator,
}

/// Reads it.
#[derive(Debug, Serialize)]
pub struct ShowConsents {
    /// The number of the account.
    pub p_person: String,
}

impl Call for ShowConsents {
    const NAME: &'static str = "ops_consents";
    const RETRY: Retry = Retry::Read;
    type Output = Consents;
}

/// Notes one more word.
#[derive(Debug, Serialize)]
pub struct SetConsent {
    /// The number of the account.
    pub p_person: String,
    /// A word of a to z, 0 to 9 and _.
    pub p_purpose: String,
    /// Whether they agree.
    pub p_granted: bool,
    /// Who says so.
    pub p_said_by: SaidBy,
    /// The operator's name, for the audit log; nothing where people speak for themselves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p_by: Option<String>,
}

impl Call for SetConsent {
    const NAME: &'static str = "ops_set_consent";
    // The same again changes nothing but the time.
    const RETRY: Retry = Retry::Idempotent;
    type Output = Consents;
}
