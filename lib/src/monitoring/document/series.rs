//! The dashboard's charts, as columns: a point of each list spans `step` seconds, the first
//! one from `from` on, and the last one is not over yet.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What is drawn over time. Groups have steps of their own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Series {
    /// Requests of the API.
    pub requests: RequestSeries,
    /// How long they took.
    pub latency: LatencySeries,
    /// What else happened.
    pub usage: UsageSeries,
    /// How long services took; null of more than a day.
    pub services: Option<ServiceSeries>,
}

/// Requests of the API, point by point.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RequestSeries {
    /// When the first point begins.
    pub from: Timestamp,
    /// Seconds of a point.
    pub step: u32,
    /// All of them.
    pub requests: Vec<u64>,
    /// Answered with 4xx.
    pub client_errors: Vec<u64>,
    /// Answered with 5xx.
    pub server_errors: Vec<u64>,
}

/// How long requests of the API took in ms, point by point; null where there were none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LatencySeries {
    /// When the first point begins.
    pub from: Timestamp,
    /// Seconds of a point.
    pub step: u32,
    /// Half of them took less.
    pub p50: Vec<Option<f64>>,
    /// 95 of 100 took less.
    pub p95: Vec<Option<f64>>,
    /// 99 of 100 took less.
    pub p99: Vec<Option<f64>>,
}

/// What happened beside requests, point by point.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UsageSeries {
    /// When the first point begins.
    pub from: Timestamp,
    /// Seconds of a point.
    pub step: u32,
    /// Errors that were logged.
    pub errors: Vec<u64>,
    /// Visits that began, as far as they are rolled up.
    pub visits: Vec<u64>,
}

/// How long services took, point by point.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ServiceSeries {
    /// When the first point begins.
    pub from: Timestamp,
    /// Seconds of a point.
    pub step: u32,
    /// By check, the mean in ms of those that were answered; null where none was.
    pub response_times: BTreeMap<String, Vec<Option<f64>>>,
}
