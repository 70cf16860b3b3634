//! The samples of a tick: what each probe found, as the database stores it.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::health::service::{Outcome, Reading, Service};

/// What kind of thing was probed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A URL of the app.
    App,
    /// A service that the app stands on.
    Dependency,
    /// A TLS certificate of the app.
    Certificate,
    /// A check that makes a request.
    Http,
    /// A check that makes a TLS handshake.
    Tls,
    /// A check that resolves a name.
    Dns,
    /// A check that connects to a port.
    Tcp,
}

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// It does what it should.
    Up,
    /// It works, with a warning.
    Degraded,
    /// It does not do what it should.
    Down,
    /// The probe could not find out.
    Unknown,
    /// There is nothing to probe.
    Unconfigured,
}

/// What one probe of a tick found.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Sample {
    /// The name of what was probed; its history hangs on it.
    pub name: String,
    /// What was probed.
    pub kind: Kind,
    /// The service whose health it tells.
    pub service: &'static str,
    /// Whether the app is down without it.
    pub critical: bool,
    /// What was found.
    pub status: Status,
    /// Milliseconds until the answer, or until it was given up.
    pub latency_ms: Option<f64>,
    /// Why it is not up, as a stable word.
    pub reason: Option<&'static str>,
    /// Facts that a message may show: status code, URL, host, days left.
    pub detail: Map<String, Value>,
}

impl Sample {
    /// The sample that a reading of a service amounts to.
    #[must_use]
    pub fn of_service(service: Service, reading: &Reading) -> Self {
        let status = match reading.outcome {
            Outcome::Healthy => Status::Up,
            Outcome::Degraded(_) => Status::Degraded,
            Outcome::Unhealthy(_) => Status::Down,
            Outcome::Unconfigured => Status::Unconfigured,
        };
        let message = reading
            .outcome
            .reason()
            .map(|reason| ("message".to_owned(), reason.to_string().into()));
        Self {
            name: service.as_str().to_owned(),
            kind: Kind::Dependency,
            service: service.as_str(),
            critical: service.is_critical(),
            status,
            latency_ms: reading.response_time_ms,
            reason: reading
                .outcome
                .reason()
                .map(crate::health::service::Reason::as_str),
            detail: message.into_iter().collect(),
        }
    }
}
