//! One tick: claim the slot, probe everything, commit in one transaction,
//! deliver what is due. Nothing is decided here; the commit decides.

use std::time::Duration;

use bytes::Bytes;
use http::Response;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{
    check::Check,
    emergency::Handover,
    probes,
    switch::{self, Audit},
    targets::{self, Target},
};
use crate::{
    alerts::dispatch,
    app::App,
    auth::Caller,
    clock::{self, Deadline},
    config::Deployment,
    endpoint::Job,
    jobs::{self, Claim, Outcome, Run},
    problem::Problem,
    reach::Reach,
    rpc::{Call, Retry, RpcError},
};

/// What claiming or committing may take in one try, and how long to wait before
/// the second.
const TRY: Duration = Duration::from_secs(11);
const PAUSE: Duration = Duration::from_secs(2);

/// What all probes together may take; what was not reached by then is unknown.
const PROBING: Duration = Duration::from_secs(20);

/// Kept back from everything else, for telling people when it was in vain.
const LAST_WORDS: Duration = Duration::from_secs(8);

#[derive(Debug, Serialize)]
struct CommitTick {
    p_run: Uuid,
    p_fence: i64,
    p_tick: Tick,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Tick {
    environment: &'static str,
    deployment: Value,
    every_seconds: u32,
    checks: Vec<Check>,
    channels: Vec<&'static str>,
    emergency: Option<Handover>,
}

/// What the commit decided; shown as it is.
#[derive(Debug, Deserialize)]
struct Committed {
    outcome: String,
    #[serde(flatten)]
    details: Map<String, Value>,
}

impl Committed {
    fn audit(&self) -> Audit {
        let audit = self.details.get("audit");
        audit
            .and_then(|audit| Audit::deserialize(audit).ok())
            .unwrap_or_default()
    }
}

impl Call for CommitTick {
    const NAME: &'static str = "ops_commit_tick";
    const RETRY: Retry = Retry::Idempotent;
    type Output = Committed;
}

/// Runs one tick and answers with what it saw and did.
///
/// # Errors
/// None: a database that cannot be reached is a failed run, answered with 500,
/// and people are told of it.
pub(super) async fn run(
    app: &App,
    job: Job,
    caller: &Caller,
    deadline: Deadline,
) -> Result<Response<Bytes>, Problem> {
    let id = Uuid::new_v4();
    let work = deadline.reserving(LAST_WORDS);
    let run = match twice(|| jobs::claim(app, job, caller, id, work.within(TRY))).await {
        Ok(Claim::Claimed(run)) => run,
        Ok(Claim::Skipped { run, slot, reason }) => return jobs::skipped(job, run, slot, &reason),
        Err(error) => {
            raise_alarm(app, &error, deadline).await;
            return jobs::unclaimed(job, id, &error);
        }
    };
    jobs::started(app, &run);
    let (outcome, details) = tick(app, &run, deadline).await;
    jobs::ended(app, &run, outcome);
    jobs::answer(&run, outcome, details)
}

async fn tick(app: &App, run: &Run, deadline: Deadline) -> (Outcome, Map<String, Value>) {
    let work = deadline.reserving(LAST_WORDS);
    let probing = work.reserving(TRY).within(PROBING);
    let checks = probes::probe_all(app, reach(app, run), &targets(app, run), probing).await;
    let saw = json!(checks);
    let call = CommitTick {
        p_run: run.id,
        p_fence: run.fence,
        p_tick: record(app, run, checks),
    };
    match twice(|| app.call(&call, work.within(TRY))).await {
        Err(error) => {
            let told = raise_alarm(app, &error, deadline).await;
            let reason = "the database could not take the tick";
            (
                Outcome::Failed,
                details([
                    ("reason", json!(reason)),
                    ("told", json!(told)),
                    ("checks", saw),
                ]),
            )
        }
        Ok(committed) if committed.outcome == "superseded" => {
            (Outcome::Skipped, details([("reason", json!("superseded"))]))
        }
        Ok(committed) => {
            app.emergency.clear();
            let (outcome, delivered) = deliver(app, deadline).await;
            let done = outcome == Outcome::Done;
            let beat = switch::beat(app, committed.audit(), done, deadline).await;
            let mut details = details([
                ("checks", saw),
                ("delivery", delivered),
                ("heartbeat", json!(beat)),
            ]);
            details.extend(committed.details);
            (outcome, details)
        }
    }
}

/// The app's URLs and the kept checks that are due. What this release cannot read
/// is not probed and says so; the rest is.
fn targets(app: &App, run: &Run) -> Vec<Target> {
    let pages = targets::of_app(&run.settings, app.config.app_url.as_ref());
    let pages = pages.unwrap_or_else(|error| {
        tracing::error!(error, "no URL of the app is checked");
        Vec::new()
    });
    let kept = run.checks.iter().filter_map(|definition| {
        let target = targets::of_definition(definition);
        target
            .inspect_err(|error| tracing::error!(error, "a check cannot be made"))
            .ok()
    });
    pages.into_iter().chain(kept).collect()
}

/// How far kept checks may lead: nowhere private, unless the settings allow it;
/// where the database is on this machine, so may be what is checked.
fn reach(app: &App, run: &Run) -> Reach {
    let allowed = run.settings.get("checks.private_addresses");
    if allowed.and_then(Value::as_bool).unwrap_or_default() {
        return Reach::Anywhere;
    }
    if app.config.is_local() {
        Reach::Loopback
    } else {
        Reach::Public
    }
}

fn record(app: &App, run: &Run, checks: Vec<Check>) -> Tick {
    let Deployment {
        environment,
        id,
        commit,
        region,
    } = &app.config.deployment;
    Tick {
        environment: environment.as_str(),
        deployment: json!({ "id": id, "commit": commit, "region": region }),
        every_seconds: run.job.every_s,
        checks,
        channels: app.config.channels(),
        emergency: app.emergency.handover(),
    }
}

/// What is committed is safe whatever happens now: the dispatch cron delivers
/// what this tick could not.
async fn deliver(app: &App, deadline: Deadline) -> (Outcome, Value) {
    match dispatch::deliver(app, deadline).await {
        Ok(report) => (Outcome::Done, json!(report)),
        Err(error) => {
            tracing::warn!(%error, "messages could not be delivered by the tick");
            (Outcome::Partial, Value::Null)
        }
    }
}

/// The database is the memory of everything, so its absence is told without it.
async fn raise_alarm(app: &App, error: &RpcError, deadline: Deadline) -> Vec<&'static str> {
    tracing::error!(%error, "the database cannot take the tick");
    let reason = match error {
        RpcError::Unconfigured => "the database is not configured",
        RpcError::Unreachable(_) => "the database's API does not answer",
        RpcError::Refused { .. } => "the database's API refuses the monitor",
        RpcError::Garbage { .. } => "the database's API answers something else",
    };
    app.emergency.report(app, reason, deadline).await
}

/// Tries once more, two seconds later: a restart of the database is shorter.
async fn twice<T, F>(attempt: impl Fn() -> F) -> Result<T, RpcError>
where
    F: Future<Output = Result<T, RpcError>>,
{
    match attempt().await {
        Err(error) => {
            tracing::warn!(%error, "the database did not answer, trying once more");
            clock::wait(PAUSE).await;
            attempt().await
        }
        done => done,
    }
}

fn details<const N: usize>(entries: [(&str, Value); N]) -> Map<String, Value> {
    entries
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value))
        .collect()
}
