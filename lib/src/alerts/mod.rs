//! Alerts as people get them, and the door for those that others raise.
//!
//! The database decides which alerts open and resolve and writes messages into
//! its outbox, as facts. [`dispatch`] takes what is due to the channels of
//! [`messages`](crate::messages); [`raise`] is the door.

pub mod acknowledge;
pub mod dispatch;
pub mod emergency;
mod escalation;
pub mod raise;

use std::time::Duration;

use bytes::Bytes;
use http::Request;
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::{
    app::App,
    auth::{Operator, Starter},
    endpoint::{Job, Route},
    handler::{Answer, Handler, Routes},
    jobs::{self, Ended, Order, Outcome, Patience, Run, Unclaimed},
    status,
};
use outside::clock::Deadline;

/// What answers `/api/alerts/dispatch`: GET delivers what is due, POST raises.
#[must_use]
pub fn routes() -> Routes {
    Routes::new(Route::DELIVER, Delivers).and(Route::RAISE, Raises)
}

#[derive(Debug)]
struct Delivers;

impl Handler<Starter> for Delivers {
    async fn handle(
        &self,
        app: &App,
        starter: Starter,
        _: Request<Bytes>,
        deadline: Deadline,
    ) -> Answer {
        let order = Order {
            job: Job::DISPATCH,
            starter,
            patience: Patience::Once,
        };
        let work = async |run: &Run| {
            let ended = deliver(app, deadline).await;
            // Whoever is paged comes first; what is public follows in what is left of the time.
            if ended.outcome != Outcome::Failed {
                publish(app, deadline.reserving(RECORDING)).await;
            }
            jobs::record(app, run, ended, deadline).await
        };
        let report = jobs::run(app, order, deadline, work).await;
        report.unwrap_or_else(Unclaimed::report).answer()
    }
}

/// Kept back for recording how a run ended.
const RECORDING: Duration = Duration::from_secs(5);

/// How long the copy of the status page may take.
const COPYING: Duration = Duration::from_secs(15);

/// Writes the copy of the status page that lies outside, and tells subscribers what is new.
/// Neither changes how the run ended.
async fn publish(app: &App, deadline: Deadline) {
    if let Some(told) = status::outside_copy::write(app, deadline.within(COPYING)).await {
        raise::tell_of_copy(app, told, deadline).await;
    }
    status::subscribers::sending::send_due(app, deadline).await;
}

/// Answers 415 and 400 if the body is not what it should be, and 503 if the
/// database cannot take it.
#[derive(Debug)]
struct Raises;

impl Handler<Operator> for Raises {
    async fn handle(
        &self,
        app: &App,
        Operator: Operator,
        request: Request<Bytes>,
        deadline: Deadline,
    ) -> Answer {
        raise::raise(app, request.headers(), request.body(), deadline).await
    }
}

async fn deliver(app: &App, deadline: Deadline) -> Ended {
    let escalated = escalation::advance(app, deadline).await;
    if let Err(error) = &escalated {
        tracing::warn!(%error, "escalations stay where they are until the next tick");
    }
    match dispatch::deliver(app, deadline).await {
        Ok(report) => Ended {
            outcome: if report.complete && escalated.is_ok() {
                Outcome::Done
            } else {
                Outcome::Partial
            },
            details: details(json!(Dispatched {
                escalated: escalated.ok(),
                report,
            })),
        },
        Err(error) => {
            tracing::error!(%error, "the outbox cannot be delivered");
            Ended {
                outcome: Outcome::Failed,
                details: details(json!({ "reason": "the outbox cannot be read" })),
            }
        }
    }
}

/// What a run of delivery reports.
#[derive(Serialize)]
struct Dispatched {
    /// Levels that were asked; null if that could not be found out.
    escalated: Option<u64>,
    #[serde(flatten)]
    report: dispatch::DeliveryReport,
}

fn details(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(details) => details,
        _ => Map::new(),
    }
}

#[cfg(test)]
mod tests;
