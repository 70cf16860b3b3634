//! The door for alerts from outside: deployments, other jobs, Alertmanager, the
//! database's own webhooks.
//!
//! All of a request is recorded or nothing is. What was raised is delivered at
//! once as far as time allows; the schedule delivers the rest.

mod alertmanager;
mod database_webhook;
mod raised_alerts;

use std::time::Duration;

use http::{HeaderMap, StatusCode, header};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use alertmanager::Notification;
pub use raised_alerts::{NewAlert, Status};

use super::dispatch::{self, DeliveryReport};
use crate::{
    app::App,
    config::Channel,
    handler::{self, Answer},
    problem::Problem,
    rpc::{Call, Retry, RpcError},
};
use outside::clock::Deadline;

/// How long a caller waits for what was raised to be delivered too.
const DELIVERY: Duration = Duration::from_secs(20);

#[derive(Debug, Serialize)]
struct RaiseAlerts<'a> {
    p_request: Uuid,
    p_alerts: &'a [NewAlert],
    p_channels: Vec<Channel>,
}

/// Results stay as they came until each is read on its own: a word that this
/// release does not know must not take the others along.
#[derive(Debug, Deserialize)]
struct RaisedAlerts {
    results: Vec<Value>,
}

/// What became of one raised alert.
#[derive(Debug, Serialize, Deserialize)]
struct RaisedAlert {
    fingerprint: Option<String>,
    alert: Option<Uuid>,
    outcome: RaiseOutcome,
    /// The number of the incident it belongs to.
    incident: Option<i64>,
}

/// What can become of a raised alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum RaiseOutcome {
    /// It is a new alert.
    Opened,
    /// An open alert was seen once more.
    Updated,
    /// An open alert is over.
    Resolved,
    /// The row was noticed before.
    Known,
    /// There was none to resolve, or the row is no event.
    Ignored,
}

/// What became of a request.
#[derive(Debug, Default)]
struct Results {
    read: Vec<RaisedAlert>,
    /// How many were recorded with a result that this release cannot read.
    unread: usize,
}

impl Results {
    fn read(results: Vec<Value>) -> Self {
        let mut read = Self::default();
        for result in results {
            match RaisedAlert::deserialize(&result) {
                Ok(alert) => read.read.push(alert),
                Err(error) => {
                    tracing::error!(%error, "a result of raising alerts cannot be read");
                    read.unread += 1;
                }
            }
        }
        read
    }
}

/// What a body asks for.
#[derive(Debug)]
enum Raised {
    Alerts(Vec<NewAlert>),
    Row(database_webhook::Row),
    /// Something that is none of ours happened to a row.
    Nothing,
}

impl Call for RaiseAlerts<'_> {
    const NAME: &'static str = "ops_raise_alerts";
    const RETRY: Retry = Retry::Idempotent;
    type Output = RaisedAlerts;
}

#[derive(Debug, Serialize)]
struct Recorded {
    results: Vec<RaisedAlert>,
    /// Alerts that were recorded with a result that this release cannot read.
    #[serde(skip_serializing_if = "Option::is_none")]
    unread: Option<usize>,
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
) -> Answer {
    if !is_json(headers) {
        return Err(Problem::UnsupportedMediaType);
    }
    let raised =
        parse(body, app.config.deployment.environment.as_str()).map_err(Problem::BadRequest)?;
    let Results { read, unread } = record(app, raised, deadline).await.map_err(|error| {
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
    let recorded = Recorded {
        results: read,
        unread: (unread > 0).then_some(unread),
        delivery,
    };
    handler::json(StatusCode::OK, &recorded)
}

/// The shape of the body shows which kind of caller sent it.
fn parse(body: &[u8], environment: &'static str) -> Result<Raised, String> {
    match raised_alerts::read(body)? {
        Value::Object(object) if alertmanager::is_notification(&object) => {
            let notification = Notification::parse(Value::Object(object))?;
            notification.note_truncation();
            Ok(Raised::Alerts(notification.into_alerts(environment)))
        }
        Value::Object(object) if database_webhook::is_webhook(&object) => {
            let row = database_webhook::parse(Value::Object(object))?;
            Ok(row.map_or(Raised::Nothing, Raised::Row))
        }
        body => raised_alerts::parse(&body, environment).map(Raised::Alerts),
    }
}

async fn record(app: &App, raised: Raised, deadline: Deadline) -> Result<Results, RpcError> {
    let channels = app.config.channels();
    let results = match raised {
        Raised::Alerts(alerts) => {
            let call = RaiseAlerts {
                p_request: Uuid::new_v4(),
                p_alerts: &alerts,
                p_channels: channels,
            };
            app.call(&call, deadline).await?.results
        }
        Raised::Row(row) => {
            let environment = app.config.deployment.environment.as_str();
            let call = row.notice(environment, channels);
            vec![app.call(&call, deadline).await?]
        }
        Raised::Nothing => {
            return Ok(Results {
                read: vec![RaisedAlert {
                    fingerprint: None,
                    alert: None,
                    outcome: RaiseOutcome::Ignored,
                    incident: None,
                }],
                unread: 0,
            });
        }
    };
    Ok(Results::read(results))
}

/// The caller has to learn that perhaps no message is sent.
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
    use serde_json::json;

    use super::*;

    #[test]
    fn a_result_that_this_release_cannot_read_takes_no_other_along() {
        let result = |outcome: &str| json!({"fingerprint": "x", "alert": null, "outcome": outcome, "incident": null});
        let results = ["opened", "merged", "ignored"].map(result);
        let Results { read, unread } = Results::read(results.to_vec());
        let outcomes: Vec<_> = read.iter().map(|alert| alert.outcome).collect();
        assert_eq!(outcomes, [RaiseOutcome::Opened, RaiseOutcome::Ignored]);
        assert_eq!(unread, 1);
    }

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
