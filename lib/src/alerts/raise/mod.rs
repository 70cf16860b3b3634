//! The door for alerts from outside: deployments, other jobs, other systems.
//!
//! All of a request is recorded or nothing is. What was raised is delivered at
//! once as far as time allows; what is not is the schedule's.

mod document;

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Response, StatusCode, header};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use document::{NewAlert, Status};

use super::dispatch::{self, DeliveryReport};
use crate::{
    app::{self, App},
    clock::Deadline,
    problem::Problem,
    rpc::{Call, Retry, RpcError},
};

/// How long a caller waits for what was raised to be delivered too.
const DELIVERY: Duration = Duration::from_secs(20);

#[derive(Debug, Serialize)]
struct RaiseAlerts<'a> {
    p_request: Uuid,
    p_alerts: &'a [NewAlert],
    p_channels: Vec<&'static str>,
}

#[derive(Debug, Deserialize)]
struct RaisedAlerts {
    results: Vec<RaisedAlert>,
}

/// What became of one raised alert.
#[derive(Debug, Serialize, Deserialize)]
struct RaisedAlert {
    fingerprint: String,
    alert: Option<Uuid>,
    /// `opened`, `updated`, `resolved`, or `ignored`: there was none to resolve.
    outcome: String,
}

impl Call for RaiseAlerts<'_> {
    const NAME: &'static str = "ops_raise_alerts";
    const RETRY: Retry = Retry::Idempotent;
    type Output = RaisedAlerts;
}

#[derive(Debug, Serialize)]
struct Answer {
    results: Vec<RaisedAlert>,
    /// What was delivered with it; null if that has to wait.
    delivery: Option<DeliveryReport>,
}

/// Raises or resolves the alerts of a request.
///
/// # Errors
/// 415 and 400 if the body is not what it should be, 503 if the database cannot
/// take it.
pub(super) async fn raise(
    app: &App,
    headers: &HeaderMap,
    body: &[u8],
    deadline: Deadline,
) -> Result<Response<Bytes>, Problem> {
    if !is_json(headers) {
        return Err(Problem::UnsupportedMediaType);
    }
    let environment = app.config.deployment.environment.as_str();
    let alerts = document::parse(body, environment).map_err(Problem::BadRequest)?;
    let call = RaiseAlerts {
        p_request: Uuid::new_v4(),
        p_alerts: &alerts,
        p_channels: app.config.channels(),
    };
    let raised = app.call(&call, deadline).await.map_err(|error| {
        tracing::error!(%error, "alerts cannot be raised");
        refusal(&error)
    })?;
    let delivery = match dispatch::deliver(app, deadline.within(DELIVERY)).await {
        Ok(report) => Some(report),
        Err(error) => {
            tracing::warn!(%error, "what was raised is delivered later");
            None
        }
    };
    let answer = Answer {
        results: raised.results,
        delivery,
    };
    app::json(StatusCode::OK, &answer)
}

/// The caller has to know that nobody may have heard.
fn refusal(error: &RpcError) -> Problem {
    match error {
        RpcError::Unconfigured => Problem::Unavailable("the database is not configured"),
        RpcError::Refused { status, .. } if status.is_client_error() => Problem::Internal,
        RpcError::Unreachable(_) | RpcError::Refused { .. } | RpcError::Garbage { .. } => {
            Problem::Unavailable("the alerts could not be recorded; raise them again")
        }
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .is_some_and(|essence| essence.trim().eq_ignore_ascii_case("application/json"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_json_is_taken() {
        for (value, taken) in [
            ("application/json", true),
            ("Application/JSON; charset=utf-8", true),
            ("application/jsonp", false),
            ("text/plain", false),
            ("application/x-www-form-urlencoded", false),
            ("", false),
        ] {
            let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, value.parse().unwrap())]);
            assert_eq!(is_json(&headers), taken, "{value:?}");
        }
        assert!(!is_json(&HeaderMap::new()));
    }
}
