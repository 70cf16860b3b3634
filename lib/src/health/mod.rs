//! `/api/health`: is everything that the app stands on working?
//!
//! Anyone may ask, so an answer tells strangers statuses and times, and reasons
//! only to operators. One deadline bounds all probes together; requests that
//! come close together share one set of readings.

mod cache;
mod memory;
pub mod probes;
pub mod report;
pub mod service;

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};

pub use cache::Cache;
use report::{Audience, Memory, Overall, Report};
use service::Service;

use crate::{
    app::{self, Answer, App},
    auth::{self, ClientAddress, Proof},
    clock::{self, Deadline, milliseconds},
    problem::Problem,
};

/// How long all probes together may take.
pub const DEADLINE: Duration = Duration::from_secs(3);

const IETF: &str = "application/health+json";

/// Answers GET with everything and HEAD with the status alone.
///
/// # Errors
/// 401 or 429 if a proof was presented and is wrong; without one, never.
pub fn handle(app: &App, request: Request<Bytes>, deadline: Deadline) -> Answer<'_> {
    Box::pin(respond(app, request, deadline))
}

async fn respond(
    app: &App,
    request: Request<Bytes>,
    deadline: Deadline,
) -> Result<Response<Bytes>, Problem> {
    let started = clock::instant();
    let audience = audience(app, &request, deadline).await?;
    // HEAD shows a status alone: whether what is critical works.
    let (services, memory): (&[Service], _) = if request.method() == Method::HEAD {
        (&Service::CRITICAL, Memory::default())
    } else {
        (&Service::ALL, memory(app))
    };
    let readings = app
        .health
        .readings(app, services, deadline.within(DEADLINE))
        .await;
    let now = clock::instant();
    let report = Report {
        readings: &readings,
        configuration_is_valid: app.config.is_valid(),
        faults: &app.config.faults,
        environment: app.config.deployment.environment.as_str(),
        now: clock::now(),
        response_time_ms: milliseconds(now.duration_since(started)),
        uptime_s: now.duration_since(app.started).as_secs(),
        memory,
    };
    answer(&report, audience, request.headers())
}

/// The memory of this instance.
#[must_use]
pub fn memory(app: &App) -> Memory {
    memory::read(app.config.memory_mb)
}

/// Nobody has to prove anything here; whoever tries has to succeed.
async fn audience(
    app: &App,
    request: &Request<Bytes>,
    deadline: Deadline,
) -> Result<Audience, Problem> {
    let presented = request.headers().contains_key(header::AUTHORIZATION);
    if !presented || app.config.monitoring_api_key.is_none() {
        return Ok(Audience::Strangers);
    }
    let client = request.extensions().get::<ClientAddress>();
    auth::require(app, request.headers(), client, &[Proof::ApiKey], deadline).await?;
    Ok(Audience::Operators)
}

fn answer(
    report: &Report,
    audience: Audience,
    headers: &HeaderMap,
) -> Result<Response<Bytes>, Problem> {
    let status = match report.overall() {
        Overall::Healthy | Overall::Degraded => StatusCode::OK,
        Overall::Unhealthy => StatusCode::SERVICE_UNAVAILABLE,
    };
    let mut response = if wants_ietf(headers) {
        let mut response = app::json(status, &report.ietf(audience))?;
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, HeaderValue::from_static(IETF));
        response
    } else {
        app::json(status, &report.json(audience))?
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
