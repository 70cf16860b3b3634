//! The dashboard's section about the quality of what the app writes.

use serde::{Deserialize, Serialize};

/// How good the app's own numbers are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DataQuality {
    /// What cannot be real and is in no figure.
    pub left_out: LeftOut,
    /// What is in no figure for another reason.
    pub uncounted: Uncounted,
}

/// Rows that were kept and are in no figure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Uncounted {
    /// Rows of the range whose counting failed.
    pub rows: u64,
    /// Tables of which older rows are still being counted.
    pub tables_in_progress: Vec<String>,
}

/// How many rows hold something that cannot be real: NaN, infinity, less than
/// nothing, more than a million million, or a time to come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LeftOut {
    /// Response times of API calls in the range.
    pub response_times: u64,
    /// Status codes of API calls in the range that are none of HTTP.
    pub status_codes: u64,
    /// Business metrics in the range.
    pub business_metrics: u64,
    /// Web Vitals of the last 24 hours.
    pub web_vitals: u64,
    /// Rows from more than an hour ahead; of every environment.
    pub future_rows: u64,
}
