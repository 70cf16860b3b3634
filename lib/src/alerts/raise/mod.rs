//! The door for alerts from outside: deployments, other jobs, Alertmanager, the
//! database's own webhooks.
//!
//! All of a request is recorded or nothing is. What was raised is delivered at
//! once as far as time allows; what is not is the schedule's.

mod alertmanager;
mod document;
mod supabase;

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Response, StatusCode, header};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use alertmanager::Notification;
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
    fingerprint: Option<String>,
    alert: Option<Uuid>,
    /// `opened`, `updated`, `resolved`, `known`: the row was noticed before, or
    /// `ignored`: there was none to resolve, or the row is no event.
    outcome: String,
    /// The number of the incident it belongs to.
    incident: Option<i64>,
}

/// What a body asks for.
#[derive(Debug)]
enum Raised {
    Alerts(Vec<NewAlert>),
    Row(supabase::Row),
    /// Something that is none of ours happened to a row.
    Nothing,
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
    let raised =
        parse(body, app.config.deployment.environment.as_str()).map_err(Problem::BadRequest)?;
    let results = record(app, raised, deadline).await.map_err(|error| {
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
    app::json(StatusCode::OK, &Answer { results, delivery })
}

/// Who is calling is told by the shape of the body.
fn parse(body: &[u8], environment: &'static str) -> Result<Raised, String> {
    match document::read(body)? {
        Value::Object(object) if alertmanager::is_notification(&object) => {
            let notification = Notification::parse(Value::Object(object))?;
            notification.note_truncation();
            Ok(Raised::Alerts(notification.into_alerts(environment)))
        }
        Value::Object(object) if supabase::is_webhook(&object) => {
            let row = supabase::parse(Value::Object(object))?;
            Ok(row.map_or(Raised::Nothing, Raised::Row))
        }
        body => document::parse(&body, environment).map(Raised::Alerts),
    }
}

async fn record(
    app: &App,
    raised: Raised,
    deadline: Deadline,
) -> Result<Vec<RaisedAlert>, RpcError> {
    let channels = app.config.channels();
    match raised {
        Raised::Alerts(alerts) => {
            let call = RaiseAlerts {
                p_request: Uuid::new_v4(),
                p_alerts: &alerts,
                p_channels: channels,
            };
            Ok(app.call(&call, deadline).await?.results)
        }
        Raised::Row(row) => {
            let environment = app.config.deployment.environment.as_str();
            let call = row.notice(environment, channels);
            Ok(vec![app.call(&call, deadline).await?])
        }
        Raised::Nothing => Ok(vec![RaisedAlert {
            fingerprint: None,
            alert: None,
            outcome: "ignored".to_owned(),
            incident: None,
        }]),
    }
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
