//! Watching: the tick that looks at everything once a minute, the maintenance
//! that keeps what ticks saw small, and the dashboard that shows it.

pub mod check;
pub mod dashboard;
pub mod document;
mod emergency;
pub mod expectation;
pub mod heartbeat;
pub mod maintenance;
pub mod probes;
mod switch;
pub mod targets;
mod tick;

use bytes::Bytes;
use http::{Request, Response};

pub use emergency::{Emergency, Handover};

use crate::{
    app::{Answer, App},
    auth::{self, ClientAddress, Proof},
    clock::Deadline,
    problem::Problem,
};

/// `/api/cron/monitor`: runs one tick.
///
/// # Errors
/// 401, 403, 429 or 503 if the caller is not the scheduler or an operator.
pub fn handle(app: &App, request: Request<Bytes>, deadline: Deadline) -> Answer<'_> {
    Box::pin(respond(app, request, deadline))
}

async fn respond(
    app: &App,
    request: Request<Bytes>,
    deadline: Deadline,
) -> Result<Response<Bytes>, Problem> {
    let client = request.extensions().get::<ClientAddress>();
    let proofs = [Proof::CronSecret, Proof::ApiKey];
    let caller = auth::require(app, request.headers(), client, &proofs, deadline).await?;
    let job = app.endpoint.spec().job.ok_or(Problem::Internal)?;
    tick::run(app, job, &caller, deadline).await
}
