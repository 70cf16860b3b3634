//! `/api/health`: is everything that the app stands on working?
//!
//! Anyone may ask, so an answer tells strangers statuses and times, and reasons
//! only to operators. One deadline bounds all probes together; requests that
//! come close together share one set of readings.

mod memory;
pub mod probes;
mod reading_cache;
pub mod report;
pub mod service;

use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, header};

use reading_cache::ReadingCache;
use report::{Audience, Memory, Overall, Report};
use service::Service;

use crate::{
    app::App,
    auth::Visitor,
    endpoint::Route,
    handler::{self, Answer, Handler, Routes},
};
use outside::clock::{self, Deadline, milliseconds};

/// How long all probes together may take.
pub const DEADLINE: Duration = Duration::from_secs(3);

const IETF: &str = "application/health+json";

/// What answers `/api/health`.
#[must_use]
pub fn routes() -> Routes {
    Routes::new(Route::HEALTH, ReportsHealth::new())
}

/// Answers GET with everything and HEAD with the status alone. Keeps the last
/// readings of this instance.
#[derive(Debug)]
struct ReportsHealth {
    cache: ReadingCache,
    started: Instant,
}

impl ReportsHealth {
    fn new() -> Self {
        Self {
            cache: ReadingCache::default(),
            started: clock::instant(),
        }
    }
}

impl Handler<Visitor> for ReportsHealth {
    async fn handle(
        &self,
        app: &App,
        caller: Visitor,
        request: Request<Bytes>,
        deadline: Deadline,
    ) -> Answer {
        let asked = clock::instant();
        // HEAD shows a status alone: whether what is critical works.
        let (services, memory): (&[Service], _) = if request.method() == Method::HEAD {
            (&Service::CRITICAL, Memory::default())
        } else {
            (&Service::ALL, memory(app))
        };
        let readings = self
            .cache
            .readings(app, services, deadline.within(DEADLINE))
            .await;
        let now = clock::instant();
        let report = Report {
            readings: &readings,
            configuration_is_valid: app.config.is_valid(),
            faults: &app.config.faults,
            fingerprints: &app.config.fingerprints,
            environment: app.config.deployment.environment.as_str(),
            now: clock::now(),
            response_time_ms: milliseconds(now.duration_since(asked)),
            uptime_s: now.duration_since(self.started).as_secs(),
            memory,
        };
        let audience = match caller {
            Visitor::Stranger => Audience::Strangers,
            Visitor::Operator => Audience::Operators,
        };
        answer(&report, audience, request.headers())
    }
}

/// The memory of this instance.
#[must_use]
pub fn memory(app: &App) -> Memory {
    memory::read(app.config.memory_mb)
}

fn answer(report: &Report, audience: Audience, headers: &HeaderMap) -> Answer {
    let status = match report.overall() {
        Overall::Healthy | Overall::Degraded => StatusCode::OK,
        Overall::Unhealthy => StatusCode::SERVICE_UNAVAILABLE,
    };
    let mut response = if wants_ietf(headers) {
        let mut response = handler::json(status, &report.ietf(audience))?;
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, HeaderValue::from_static(IETF));
        response
    } else {
        handler::json(status, &report.json(audience))?
    };
    response.headers_mut().insert(
        header::VARY,
        HeaderValue::from_static("accept, authorization"),
    );
    Ok(response)
}

fn wants_ietf(headers: &HeaderMap) -> bool {
    headers
        .get_all(header::ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|range| range.split(';').next())
        .any(|range| range.trim().eq_ignore_ascii_case(IETF))
}
