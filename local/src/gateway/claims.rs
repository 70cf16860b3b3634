//! Who a request speaks for.

use serde_json::{Map, Value};

/// The role of a request without a token.
pub(super) const ANONYMOUS: &str = "anon";

/// The claims of a token, always with a role.
#[derive(Clone, Debug)]
pub(super) struct Caller {
    /// The database role that the request takes.
    pub(super) role: String,
    /// All claims, as policies read them.
    pub(super) claims: Map<String, Value>,
}

impl Caller {
    /// A stranger.
    pub(super) fn anonymous() -> Self {
        Self::from_claims(Map::new())
    }

    /// The bearer of a proven token. A role that is no string counts as its
    /// JSON text; a token without one speaks for strangers.
    pub(super) fn from_claims(mut claims: Map<String, Value>) -> Self {
        let role = match claims.get("role") {
            Some(Value::String(role)) => role.clone(),
            Some(other) => other.to_string(),
            None => ANONYMOUS.to_owned(),
        };
        claims
            .entry("role")
            .or_insert_with(|| Value::String(role.clone()));
        Self { role, claims }
    }
}
