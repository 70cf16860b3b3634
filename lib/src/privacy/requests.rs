//! What people ask for of what is held of them, which an operator's command does.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::rpc::{Call, Retry};

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// To be handed out.
    Export,
    /// To be erased.
    Erasure,
}

/// That somebody asked, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Asked {
    /// For what.
    pub kind: Kind,
    /// When they did so first.
    pub asked_at: Timestamp,
}

/// Asks.
#[derive(Debug, Serialize)]
pub struct Ask {
    /// The number of the account.
    pub p_person: String,
    /// For what.
    pub p_kind: Kind,
}

impl Call for Ask {
    const NAME: &'static str = "ops_ask_privacy";
    // Whoever has asked already asks no second time.
    const RETRY: Retry = Retry::Idempotent;
    type Output = Asked;
}

/// A request that nobody has done yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Open {
    /// The number of the account.
    pub person: String,
    /// For what.
    pub kind: Kind,
    /// Since when.
    pub asked_at: Timestamp,
    /// How often it was tried without an operator.
    #[serde(default)]
    pub tries: u32,
    /// Why that did not work last.
    #[serde(default)]
    pub trouble: Option<String>,
}

/// Those that are open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenRequests {
    /// The oldest first.
    pub requests: Vec<Open>,
}

/// Lists them.
#[derive(Debug, Serialize)]
pub struct ListRequests {}

impl Call for ListRequests {
    const NAME: &'static str = "ops_list_privacy_requests";
    const RETRY: Retry = Retry::Read;
    type Output = OpenRequests;
}

/// What became of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// It was done.
    Done,
    /// There is a reason not to.
    Refused,
}

/// Closes one.
#[derive(Debug, Serialize)]
pub struct CloseRequest {
    /// The number of the account.
    pub p_person: String,
    /// For what.
    pub p_kind: Kind,
    /// What became of it.
    pub p_outcome: Outcome,
    /// Who says so, for the audit log.
    pub p_by: String,
}

/// Whether anything was closed.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct Closed {
    /// Whether somebody had asked.
    pub closed: bool,
}

impl Call for CloseRequest {
    const NAME: &'static str = "ops_close_privacy_request";
    // The same again finds nothing open.
    const RETRY: Retry = Retry::Idempotent;
    type Output = Closed;
}
