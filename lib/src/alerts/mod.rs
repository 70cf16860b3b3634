//! Telling people, and taking in what others want told.
//!
//! The database decides which alerts open and resolve and writes messages into
//! its outbox, as facts. Here facts become words ([`rules`], [`message`]), words
//! become what a channel takes ([`render`]), and channels send them
//! ([`channels`], [`dispatch`]). Adding a channel is one file of each kind and a
//! variant of [`channels::Channel`].

pub mod acknowledge;
pub mod audience;
pub mod channels;
pub mod dispatch;
pub mod emergency;
mod escalation;
pub mod facts;
pub mod figures;
mod ladder;
pub mod message;
pub mod raise;
pub mod render;
pub mod rules;
pub mod text;
mod vendors;

#[cfg(test)]
mod testing;

use bytes::Bytes;
use http::{Method, Request, Response};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::{
    app::{Answer, App},
    auth::{self, ClientAddress, Proof},
    clock::Deadline,
    jobs::{self, Outcome, Summary},
    problem::Problem,
};

/// `/api/alerts/dispatch`: GET delivers what is due, POST raises.
///
/// # Errors
/// 401, 403, 429 or 503 if the caller is not who may do this; of POST also 400
/// and 415 if the body is not what it should be, and 503 if the database cannot
/// take it.
pub fn handle(app: &App, request: Request<Bytes>, deadline: Deadline) -> Answer<'_> {
    Box::pin(respond(app, request, deadline))
}

async fn respond(
    app: &App,
    request: Request<Bytes>,
    deadline: Deadline,
) -> Result<Response<Bytes>, Problem> {
    let client = request.extensions().get::<ClientAddress>();
    let headers = request.headers();
    if request.method() == Method::POST {
        auth::require(app, headers, client, &[Proof::ApiKey], deadline).await?;
        return raise::raise(app, headers, request.body(), deadline).await;
    }
    let proofs = [Proof::CronSecret, Proof::ApiKey];
    let caller = auth::require(app, headers, client, &proofs, deadline).await?;
    let job = app.endpoint.spec().job.ok_or(Problem::Internal)?;
    jobs::run(app, job, &caller, deadline, async |_| {
        deliver(app, deadline).await
    })
    .await
}

async fn deliver(app: &App, deadline: Deadline) -> Summary {
    let escalated = escalation::advance(app, deadline).await;
    if let Err(error) = &escalated {
        tracing::warn!(%error, "the ladders stay where they are until the next tick");
    }
    match dispatch::deliver(app, deadline).await {
        Ok(report) => Summary {
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
            Summary {
                outcome: Outcome::Failed,
                details: details(json!({ "reason": "the outbox cannot be read" })),
            }
        }
    }
}

/// What a run of delivery tells.
#[derive(Serialize)]
struct Dispatched {
    /// Steps of ladders that were told; null if that could not be asked.
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
