//! `/api/cron/maintenance`: rolls up what is past and deletes what is old, a part
//! at a time, until nothing is left or the time is up. What is a part, and what
//! is left, the database says.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::{
    app::{Answer, App},
    auth::{self, ClientAddress, Proof},
    clock::Deadline,
    jobs::{self, Outcome, Run, Summary},
    problem::Problem,
    rpc::{Call, Retry},
};

/// What a part may take. The next one is begun only where it can end.
const PART: Duration = Duration::from_secs(10);

/// One part of the work.
#[derive(Debug, Serialize)]
struct Maintain {
    p_run: Uuid,
    p_fence: i64,
}

/// What comes after a part.
#[derive(Debug, Deserialize)]
#[serde(tag = "outcome", rename_all = "lowercase")]
enum Maintained {
    /// Another part.
    More,
    /// Nothing is left.
    Done,
    /// Another run has taken over.
    Superseded,
}

impl Call for Maintain {
    const NAME: &'static str = "ops_maintain";
    // A part that is done twice changes nothing, but the next run is soon.
    const RETRY: Retry = Retry::Never;
    type Output = Maintained;
}

/// Runs the maintenance, for the scheduler or an operator.
///
/// # Errors
/// 401, 403, 429 or 503 for other callers.
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
    let work = async |run: &Run| maintain(app, run, deadline).await;
    jobs::run(app, job, &caller, deadline, work).await
}

async fn maintain(app: &App, run: &Run, deadline: Deadline) -> Summary {
    let call = Maintain {
        p_run: run.id,
        p_fence: run.fence,
    };
    let mut parts = 0_u32;
    while deadline.remaining() > PART {
        match app.call(&call, deadline).await {
            Ok(Maintained::More) => parts += 1,
            Ok(Maintained::Done) => return summary(Outcome::Done, parts + 1, None),
            Ok(Maintained::Superseded) => {
                return summary(Outcome::Partial, parts, Some("another run took over"));
            }
            Err(error) => {
                tracing::error!(%error, parts, "the maintenance cannot go on");
                let reason = Some("the database could not do a part");
                return summary(Outcome::Failed, parts, reason);
            }
        }
    }
    summary(Outcome::Partial, parts, Some("the next run goes on"))
}

fn summary(outcome: Outcome, parts: u32, reason: Option<&str>) -> Summary {
    let mut details: Map<String, Value> = Map::new();
    details.insert("parts".to_owned(), json!(parts));
    if let Some(reason) = reason {
        details.insert("reason".to_owned(), json!(reason));
    }
    Summary { outcome, details }
}
