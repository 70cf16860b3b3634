//! What came of a plan.

/// What the main statement gave.
#[derive(Debug)]
pub(in crate::gateway) struct Outcome {
    /// The rows of the whole result, where they were counted.
    pub(in crate::gateway) total: Option<u64>,
    /// The rows in the body.
    pub(in crate::gateway) rows: u64,
    /// The body as JSON.
    pub(in crate::gateway) body: String,
    /// What the setting `response.headers` holds at the end.
    pub(in crate::gateway) headers: Option<String>,
    /// What the setting `response.status` holds at the end.
    pub(in crate::gateway) status: Option<String>,
    /// Of an upsert: how many rows were new.
    pub(in crate::gateway) inserted: Option<i64>,
    /// Whether the preferred time zone was set.
    pub(in crate::gateway) timezone_set: bool,
}
