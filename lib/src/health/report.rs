//! From readings to an answer. Pure: no clock, no network, no configuration
//! beyond what is passed in.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::service::{Outcome, Reading, Service};
use crate::config::{Fault, FaultKind};

/// The verdict over everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overall {
    /// All that is configured works.
    Healthy,
    /// Something fails without which the app still serves.
    Degraded,
    /// A critical service or required configuration fails.
    Unhealthy,
}

impl Overall {
    /// The verdict over readings: unhealthy iff a critical service or required
    /// configuration fails, degraded for every other failure.
    #[must_use]
    pub fn of(readings: &[(Service, Reading)], configuration_is_valid: bool) -> Self {
        let critical_fails = readings.iter().any(|(service, reading)| {
            service.is_critical() && matches!(reading.outcome, Outcome::Unhealthy(_))
        });
        let something_fails = readings
            .iter()
            .any(|(_, reading)| reading.outcome.reason().is_some());
        match () {
            () if critical_fails || !configuration_is_valid => Self::Unhealthy,
            () if something_fails => Self::Degraded,
            () => Self::Healthy,
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Degraded => "degraded",
            Self::Unhealthy => "unhealthy",
        }
    }

    /// The word of `application/health+json`.
    fn as_ietf(self) -> &'static str {
        match self {
            Self::Healthy => "pass",
            Self::Degraded => "warn",
            Self::Unhealthy => "fail",
        }
    }
}

/// How much of what went wrong an answer may tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// Anyone: statuses and times.
    Strangers,
    /// Whoever proved to be an operator: reasons and variable names too.
    Operators,
}

/// The memory of this instance, in bytes; `None` where it is not known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Memory {
    /// In use now.
    pub rss_bytes: Option<u64>,
    /// The most that was ever in use.
    pub peak_bytes: Option<u64>,
    /// What the platform allows.
    pub limit_bytes: Option<u64>,
    /// In use, of what is allowed.
    pub percentage: Option<f64>,
}

/// Everything an answer is made of.
#[derive(Debug)]
pub struct Report<'a> {
    /// What the probes found.
    pub readings: &'a [(Service, Reading)],
    /// Whether all that is required is configured.
    pub configuration_is_valid: bool,
    /// What is wrong with the configuration.
    pub faults: &'a [Fault],
    /// Which value each variable has, for who holds the operators' key.
    pub fingerprints: &'a BTreeMap<&'static str, String>,
    /// Which of the app's environments this is.
    pub environment: &'static str,
    /// When the answer is made.
    pub now: Timestamp,
    /// Milliseconds that it took.
    pub response_time_ms: f64,
    /// Seconds since the instance started.
    pub uptime_s: u64,
    /// The instance's memory.
    pub memory: Memory,
}

impl Report<'_> {
    /// The verdict.
    #[must_use]
    pub fn overall(&self) -> Overall {
        Overall::of(self.readings, self.configuration_is_valid)
    }

    /// The answer as `application/json`.
    #[must_use]
    pub fn json(&self, audience: Audience) -> Value {
        let services: Map<String, Value> = self
            .readings
            .iter()
            .map(|(service, reading)| {
                (
                    service.as_str().to_owned(),
                    entry(*service, reading, audience),
                )
            })
            .collect();
        json!({
            "status": self.overall().as_str(),
            "timestamp": self.now,
            "responseTime": self.response_time_ms,
            "version": crate::VERSION,
            "environment": self.environment,
            "services": services,
            "configuration": self.configuration(audience),
            "uptime": self.uptime_s,
            "memory": self.memory,
        })
    }

    /// The answer as `application/health+json` (draft-inadarei-api-health-check).
    #[must_use]
    pub fn ietf(&self, audience: Audience) -> Value {
        let checks: Map<String, Value> = self
            .readings
            .iter()
            .map(|(service, reading)| {
                let key = format!("{}:responseTime", service.as_str());
                (key, json!([ietf_check(*service, reading, audience)]))
            })
            .collect();
        json!({
            "status": self.overall().as_ietf(),
            "version": crate::VERSION,
            "description": "health of the app and of what it stands on",
            "checks": checks,
        })
    }

    fn configuration(&self, audience: Audience) -> Value {
        let mut configuration = json!({ "valid": self.configuration_is_valid });
        if audience == Audience::Operators {
            let named = |reason: &str, fault: &Fault| json!({ "variable": fault.variable, "reason": reason });
            let missing = self
                .faults
                .iter()
                .filter(|fault| fault.kind == FaultKind::Missing);
            configuration["missing"] = missing.map(|fault| fault.variable).collect();
            configuration["invalid"] = self
                .faults
                .iter()
                .filter_map(|fault| match fault.kind {
                    FaultKind::Invalid(reason) => Some(named(reason, fault)),
                    FaultKind::Missing | FaultKind::Warning(_) => None,
                })
                .collect();
            configuration["warnings"] = self
                .faults
                .iter()
                .filter_map(|fault| match fault.kind {
                    FaultKind::Warning(reason) => Some(named(reason, fault)),
                    FaultKind::Missing | FaultKind::Invalid(_) => None,
                })
                .collect();
            configuration["fingerprints"] = json!(self.fingerprints);
        }
        configuration
    }
}

fn entry(service: Service, reading: &Reading, audience: Audience) -> Value {
    let mut entry = json!({
        "status": reading.outcome.as_str(),
        "responseTime": reading.response_time_ms,
        "critical": service.is_critical(),
        "lastCheck": reading.at,
    });
    if audience == Audience::Operators {
        entry["message"] = json!(reading.outcome.reason().map(ToString::to_string));
    }
    entry
}

fn ietf_check(service: Service, reading: &Reading, audience: Audience) -> Value {
    let failing = if service.is_critical() {
        "fail"
    } else {
        "warn"
    };
    let status = match reading.outcome {
        Outcome::Healthy | Outcome::Unconfigured => "pass",
        Outcome::Degraded(_) => "warn",
        Outcome::Unhealthy(_) => failing,
    };
    let mut check = json!({
        "componentId": service.as_str(),
        "componentType": if service == Service::Database { "datastore" } else { "component" },
        "observedValue": reading.response_time_ms,
        "observedUnit": "ms",
        "status": status,
        "time": reading.at,
    });
    if let (Audience::Operators, Some(reason)) = (audience, reading.outcome.reason()) {
        check["output"] = json!(reason.to_string());
    }
    check
}
