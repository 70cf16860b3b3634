//! The door for alerts from outside: deployments, other jobs, Alertmanager, Grafana,
//! the database's own webhooks.
//!
//! No alert is lost over a detail: what does not fit is cut or replaced, and the
//! answer says so. All that could be read of a request is recorded, or nothing is.
//! What was raised is delivered at once as far as time allows; the schedule delivers
//! the rest.

mod alertmanager;
mod database_webhook;
mod door_notes;
mod json_body;
mod raised_alerts;

use std::time::Duration;

use http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use door_notes::DoorNotes;
pub use raised_alerts::{NewAlert, Status};

use super::dispatch::{self, DeliveryReport};
use crate::{
    app::App,
    handler::{self, Answer},
    media_type,
    messages::{channels::Channel, message_facts::Severity},
    problem::Problem,
    rpc::{Call, Retry, RpcError},
    status::outside_copy::Told,
};
use outside::clock::Deadline;

/// How long a caller waits for what was raised to be delivered too.
const DELIVERY: Duration = Duration::from_secs(20);

#[derive(Debug, Serialize)]
struct RaiseAlerts<'a> {
    p_request: Uuid,
    p_alerts: Vec<&'a NewAlert>,
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

impl RaisedAlert {
    /// What became of something that is no alert of ours.
    fn without_alert(outcome: RaiseOutcome) -> Self {
        Self {
            fingerprint: None,
            alert: None,
            outcome,
            incident: None,
        }
    }
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
    /// It says too little to be an alert, and was not recorded.
    Refused,
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
    /// In the order of the request; `None` stands for what is no alert.
    Alerts(Vec<Option<NewAlert>>),
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
    /// What the door changed, left out or refused.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    notes: Vec<String>,
    /// What was delivered with it; null if that has to wait.
    delivery: Option<DeliveryReport>,
}

/// Raises the alert that the copy of the status page cannot be written, or resolves it.
pub(super) async fn tell_of_copy(app: &App, told: Told, deadline: Deadline) {
    let alert = NewAlert {
        status: match told {
            Told::Failing => Status::Firing,
            Told::Recovered => Status::Resolved,
        },
        source: "status-page".to_owned(),
        kind: "copy".to_owned(),
        severity: Some(Severity::Medium),
        title: Some("The copy of the status page cannot be written".to_owned()),
        message: Some(
            "The bucket of STATUS_URL takes nothing: while this deployment is away, the page there is old.".to_owned(),
        ),
        subject: None,
        fingerprint: None,
        data: None,
        since: None,
        environment: app.config.deployment.environment.as_str(),
    };
    let call = RaiseAlerts {
        p_request: Uuid::new_v4(),
        p_alerts: vec![&alert],
        p_channels: app.config.channels.list(),
    };
    if let Err(error) = app.call(&call, deadline).await {
        tracing::error!(%error, "nobody is told of the copy of the status page");
    }
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
    if media_type::of(headers).as_deref() != Some(media_type::JSON) {
        return Err(Problem::UnsupportedMediaType);
    }
    let mut notes = DoorNotes::default();
    let environment = app.config.deployment.environment.as_str();
    let raised = parse(body, environment, &mut notes).map_err(Problem::BadRequest)?;
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
        notes: notes.texts(),
        delivery,
    };
    handler::json(StatusCode::OK, &recorded)
}

/// The shape of the body shows which kind of caller sent it.
fn parse(body: &[u8], environment: &'static str, notes: &mut DoorNotes) -> Result<Raised, String> {
    let alerts = match json_body::read(body, notes)? {
        Value::Object(object) if database_webhook::is_webhook(&object) => {
            let row = database_webhook::parse(Value::Object(object))?;
            return Ok(row.map_or(Raised::Nothing, Raised::Row));
        }
        Value::Object(object) if alertmanager::is_notification(&object) => {
            alertmanager::parse(&object, environment, notes)?
        }
        body => raised_alerts::parse(&body, environment, notes)?,
    };
    if alerts.iter().all(Option::is_none) {
        return Err(notes.text().unwrap_or_default());
    }
    Ok(Raised::Alerts(alerts))
}

async fn record(app: &App, raised: Raised, deadline: Deadline) -> Result<Results, RpcError> {
    let channels = app.config.channels.list();
    let results = match raised {
        Raised::Alerts(alerts) => {
            let read: Vec<&NewAlert> = alerts.iter().flatten().collect();
            let call = RaiseAlerts {
                p_request: Uuid::new_v4(),
                p_alerts: read,
                p_channels: channels,
            };
            let results = app.call(&call, deadline).await?.results;
            let Results { read, unread } = Results::read(results);
            return Ok(Results {
                read: with_refused(&alerts, read),
                unread,
            });
        }
        Raised::Row(row) => {
            let environment = app.config.deployment.environment.as_str();
            let call = row.notice(environment, channels);
            vec![app.call(&call, deadline).await?]
        }
        Raised::Nothing => {
            return Ok(Results {
                read: vec![RaisedAlert::without_alert(RaiseOutcome::Ignored)],
                unread: 0,
            });
        }
    };
    Ok(Results::read(results))
}

/// Results in the order of the request, each refused element in its place.
fn with_refused(alerts: &[Option<NewAlert>], results: Vec<RaisedAlert>) -> Vec<RaisedAlert> {
    let mut results = results.into_iter();
    let mut ordered: Vec<_> = alerts
        .iter()
        .filter_map(|alert| match alert {
            Some(_) => results.next(),
            None => Some(RaisedAlert::without_alert(RaiseOutcome::Refused)),
        })
        .collect();
    ordered.extend(results);
    ordered
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
}
