//! One tick: it claims the slot, probes everything, commits in one transaction and
//! delivers what is due. Nothing is decided here; the commit decides.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{
    dead_mans_switch::{self, Audit},
    emergency::{Emergency, Handover},
    probe_targets::{self, Target, Unusable},
    probes,
    sample::{Kind, Sample},
};
use crate::{
    alerts::dispatch,
    app::App,
    auth::Starter,
    config::Deployment,
    endpoint::Job,
    handler::Answer,
    jobs::{self, Ended, Order, Outcome, Patience, Run, Unclaimed},
    messages::channels::Channel,
    rpc::{Call, Retry, RpcError},
    verification::check_runs,
};
use outside::{clock::Deadline, reach::Reach};

/// How long all probes together may take. What was not reached by then is unknown.
const PROBING: Duration = Duration::from_secs(20);

/// The time that is kept back for the emergency's messages.
const LAST_WORDS: Duration = Duration::from_secs(8);

/// How the time that a tick has is shared.
#[derive(Debug, PartialEq, Eq)]
struct Shares {
    /// Until when everything is probed.
    probing: Duration,
    /// Until when the database is asked; then people are told without it.
    work: Duration,
}

impl Shares {
    /// Of so much time: the last words have theirs, and before them the commit.
    fn of(left: Duration) -> Self {
        let work = left.saturating_sub(LAST_WORDS);
        Self {
            probing: work.saturating_sub(Patience::TRY).min(PROBING),
            work,
        }
    }
}

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
    /// How many pages of the app are watched.
    pages: usize,
    checks: Vec<Sample>,
    channels: Vec<Channel>,
    emergency: Option<Handover>,
}

/// What the commit decided; the details are shown as they are.
#[derive(Debug, Deserialize)]
#[serde(tag = "outcome", rename_all = "lowercase")]
enum Committed {
    Committed {
        #[serde(flatten)]
        details: Map<String, Value>,
    },
    /// Another run has taken over, and its tick counts.
    Superseded,
}

impl Call for CommitTick {
    const NAME: &'static str = "ops_commit_tick";
    const RETRY: Retry = Retry::Idempotent;
    type Output = Committed;
}

/// Runs one tick and answers with what it saw and did. A database that cannot be
/// reached is a failed run: it is answered with 500 and sent to every channel.
pub(super) async fn run(
    app: &App,
    emergency: &Emergency,
    starter: Starter,
    deadline: Deadline,
) -> Answer {
    let order = Order {
        job: Job::MONITOR,
        starter,
        patience: Patience::Twice,
    };
    let work = async |run: &Run| tick(app, emergency, run, deadline).await;
    let shares = Shares::of(deadline.remaining());
    match jobs::run(app, order, deadline.within(shares.work), work).await {
        Ok(report) => report.answer(),
        Err(unclaimed) => {
            raise_alarm(app, emergency, &unclaimed.error, deadline).await;
            Unclaimed::report::<Map<String, Value>>(unclaimed).answer()
        }
    }
}

async fn tick(app: &App, emergency: &Emergency, run: &Run, deadline: Deadline) -> Ended {
    let shares = Shares::of(deadline.remaining());
    let work = deadline.within(shares.work);
    let probing = deadline.within(shares.probing);
    let (targets, unusable) = targets(app, run);
    let mut checks = probes::probe_all(app, reach(app, run), &targets, probing).await;
    checks.extend(unusable.iter().map(Unusable::sample));
    let saw = json!(checks);
    let unwatched = Unwatched::of(&checks, unusable);
    let call = CommitTick {
        p_run: run.id,
        p_fence: run.fence,
        p_tick: record(app, emergency, run, checks),
    };
    let committed = Patience::Twice.ask(work, |deadline| app.call(&call, deadline));
    match committed.await {
        Ok(Committed::Committed { details }) => {
            emergency.clear();
            unwatched.mark(after_commit(app, saw, details, deadline).await)
        }
        Ok(Committed::Superseded) => Ended {
            outcome: Outcome::Skipped,
            details: details([("reason", json!("superseded"))]),
        },
        Err(error) => {
            let sent = raise_alarm(app, emergency, &error, deadline).await;
            Ended {
                outcome: Outcome::Failed,
                details: details([
                    ("reason", json!("the database could not take the tick")),
                    ("told", json!(sent)),
                    ("checks", saw),
                ]),
            }
        }
    }
}

/// Delivers what the commit wrote, and calls the dead man's switch while all is
/// well.
async fn after_commit(
    app: &App,
    saw: Value,
    committed: Map<String, Value>,
    deadline: Deadline,
) -> Ended {
    let (outcome, delivered) = deliver(app, deadline).await;
    let done = outcome == Outcome::Done;
    let beat = dead_mans_switch::beat(app, Audit::of(&committed), done, deadline).await;
    let check_run = answer_check_run(app, deadline).await;
    let mut details = details([
        ("checks", saw),
        ("delivery", delivered),
        ("heartbeat", json!(beat)),
    ]);
    if let Some(check_run) = check_run {
        details.insert("checkRun".to_owned(), check_run);
    }
    details.extend(committed);
    Ended { outcome, details }
}

/// Verifies a release that waits for its domains, in what is left of the time: nobody on call
/// waits behind that.
async fn answer_check_run(app: &App, deadline: Deadline) -> Option<Value> {
    match check_runs::answer_next(app, deadline).await {
        Ok(answered) => answered.map(|answered| json!(answered)),
        Err(error) => {
            tracing::warn!(%error, "a run of the deployment check was not answered");
            None
        }
    }
}

/// The app's URLs and the checks that are due, and the definitions that nothing can
/// be probed by.
fn targets(app: &App, run: &Run) -> (Vec<Target>, Vec<Unusable>) {
    let pages = probe_targets::of_app(&run.settings, app.config.app_url.as_ref());
    let checks = run.checks.iter().map(probe_targets::of_check);
    let (mut targets, mut unusable) = (Vec::new(), Vec::new());
    for target in pages.into_iter().chain(checks) {
        match target {
            Ok(target) => targets.push(target),
            Err(definition) => {
                let Unusable { name, fault, .. } = &definition;
                tracing::error!(name, fault, "a definition cannot be probed by");
                unusable.push(definition);
            }
        }
    }
    (targets, unusable)
}

/// What should be watched and is not.
struct Unwatched {
    no_page: bool,
    unusable: Vec<Unusable>,
}

impl Unwatched {
    fn of(checks: &[Sample], unusable: Vec<Unusable>) -> Self {
        Self {
            no_page: pages(checks) == 0,
            unusable,
        }
    }

    /// A tick that did not watch everything was not done whole, and says what.
    fn mark(self, ended: Ended) -> Ended {
        if !self.no_page && self.unusable.is_empty() {
            return ended;
        }
        let unusable: Vec<_> = self.unusable.iter().map(|one| &one.name).collect();
        let mut details = ended.details;
        details.insert(
            "unwatched".to_owned(),
            json!({ "allPages": self.no_page, "unusable": unusable }),
        );
        Ended {
            outcome: Outcome::Partial,
            details,
        }
    }
}

fn pages(checks: &[Sample]) -> usize {
    checks
        .iter()
        .filter(|check| check.kind == Kind::App)
        .count()
}

/// How far checks may lead: nowhere private, unless the settings allow it;
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

fn record(app: &App, emergency: &Emergency, run: &Run, checks: Vec<Sample>) -> Tick {
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
        pages: pages(&checks),
        checks,
        channels: app.config.channels.list(),
        emergency: emergency.handover(),
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

/// The database remembers everything else, so its absence is reported without it.
async fn raise_alarm(
    app: &App,
    emergency: &Emergency,
    error: &RpcError,
    deadline: Deadline,
) -> Vec<Channel> {
    tracing::error!(%error, "the database cannot take the tick");
    let reason = match error {
        RpcError::Unconfigured => "the database is not configured",
        RpcError::Unreachable(_) => "the database's API does not answer",
        RpcError::Refused { .. } => "the database's API refuses the monitor",
        RpcError::Garbage { .. } => "the database's API answers something else",
    };
    emergency.report(app, reason, deadline).await
}

fn details<const N: usize>(entries: [(&str, Value); N]) -> Map<String, Value> {
    entries
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commit_and_the_last_words_keep_their_time() {
        for (left, probing, work) in [
            (60, 20, 52),
            (39, 20, 31),
            (38, 19, 30),
            (20, 1, 12),
            (19, 0, 11),
            (8, 0, 0),
            (0, 0, 0),
        ] {
            let [left, probing, work] = [left, probing, work].map(Duration::from_secs);
            assert_eq!(Shares::of(left), Shares { probing, work }, "{left:?}");
        }
    }
}
