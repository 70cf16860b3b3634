//! The claim of a run.

use std::{fmt, time::Duration};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::Run;
use crate::{
    app::App,
    auth::Starter,
    endpoint::Job,
    rpc::{Call, Retry, RpcError},
};
use outside::clock::{self, Deadline};

/// A run that is asked for.
#[derive(Debug, Clone)]
pub struct Order {
    /// Of which job.
    pub job: Job,
    /// By whom: an operator gets a run right now, whatever the slot.
    pub starter: Starter,
    /// How long the database may be away.
    pub patience: Patience,
}

/// How often the database is asked before it counts as away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Patience {
    /// Once: the next run is soon.
    Once,
    /// Once more two seconds later, for a restart of the database is shorter.
    Twice,
}

impl Patience {
    /// What a try may take if there is another.
    pub const TRY: Duration = Duration::from_secs(11);
    const PAUSE: Duration = Duration::from_secs(2);

    /// Asks the database, each try within a deadline of its own.
    ///
    /// # Errors
    /// Why the last try failed.
    pub async fn ask<T, F>(
        self,
        deadline: Deadline,
        attempt: impl Fn(Deadline) -> F,
    ) -> Result<T, RpcError>
    where
        F: Future<Output = Result<T, RpcError>>,
    {
        match self {
            Self::Once => attempt(deadline).await,
            Self::Twice => match attempt(deadline.within(Self::TRY)).await {
                Err(error) => {
                    tracing::warn!(%error, "the database did not answer, trying once more");
                    clock::wait(Self::PAUSE).await;
                    attempt(deadline.within(Self::TRY)).await
                }
                done => done,
            },
        }
    }
}

/// What came of asking for a run.
#[derive(Debug)]
pub enum Claim {
    /// It is ours.
    Claimed(Run),
    /// It is not: busy, or done already.
    Skipped {
        /// The slot that was asked for.
        slot: Option<Timestamp>,
        /// Why.
        reason: Skip,
    },
}

/// Why a run was not given.
#[derive(Debug, Deserialize)]
#[serde(tag = "reason", rename_all = "lowercase")]
pub enum Skip {
    /// Another run is at work.
    Busy {
        /// The run that is.
        holder: Holder,
    },
    /// The slot has been done.
    Done,
}

/// The run that holds a job.
#[derive(Debug, Deserialize)]
pub struct Holder {
    run: Uuid,
    manual: bool,
    since: Timestamp,
    until: Timestamp,
}

impl fmt::Display for Skip {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Busy { holder } => write!(formatter, "busy: {holder}"),
            Self::Done => formatter.write_str("done"),
        }
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            run,
            manual,
            since,
            until,
        } = self;
        let starter = if *manual {
            "asked for by hand"
        } else {
            "started by the schedule"
        };
        write!(
            formatter,
            "run {run}, {starter}, has held the job since {since:.0}; \
             it is free at {until:.0} unless that run renews its lease"
        )
    }
}

#[derive(Debug, Serialize)]
struct ClaimRun {
    p_run: Uuid,
    p_job: &'static str,
    p_every_seconds: u32,
    p_lease_seconds: u32,
    p_manual: bool,
    p_clock: Option<String>,
    p_scheduled_for: Option<Timestamp>,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "outcome", rename_all = "lowercase")]
enum ClaimedRun {
    Claimed {
        slot: Option<Timestamp>,
        fence: i64,
        settings: Option<Map<String, Value>>,
        checks: Option<Vec<Value>>,
    },
    Skipped {
        slot: Option<Timestamp>,
        #[serde(flatten)]
        reason: Skip,
    },
}

impl Call for ClaimRun {
    const NAME: &'static str = "ops_claim_run";
    const RETRY: Retry = Retry::Idempotent;
    type Output = ClaimedRun;
}

/// Asks for the current slot, or, for an operator, for a run right now.
///
/// # Errors
/// When the database cannot be asked.
pub async fn claim(
    app: &App,
    order: Order,
    run: Uuid,
    deadline: Deadline,
) -> Result<Claim, RpcError> {
    let Order {
        job,
        starter,
        patience,
    } = order;
    let scheduled = match starter {
        Starter::Scheduler(call) => Some(call),
        Starter::Operator => None,
    };
    let call = ClaimRun {
        p_run: run,
        p_job: job.name,
        p_every_seconds: job.every_s,
        p_lease_seconds: job.lease_s,
        p_manual: scheduled.is_none(),
        p_scheduled_for: scheduled.as_ref().and_then(|call| call.scheduled_for),
        p_clock: scheduled.map(|call| call.clock),
    };
    let asked = patience.ask(deadline, |deadline| app.call(&call, deadline));
    Ok(match asked.await? {
        ClaimedRun::Claimed {
            slot,
            fence,
            settings,
            checks,
        } => Claim::Claimed(Run {
            id: run,
            job,
            slot,
            fence,
            settings: settings.unwrap_or_default(),
            checks: checks.unwrap_or_default(),
        }),
        ClaimedRun::Skipped { slot, reason } => Claim::Skipped { slot, reason },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_that_this_build_does_not_know_is_no_claim() {
        let fence = serde_json::json!({"outcome": "reserved", "fence": 7, "slot": null});
        assert!(ClaimedRun::deserialize(&fence).is_err());
        let paused = serde_json::json!({"outcome": "skipped", "reason": "paused", "slot": null});
        assert!(ClaimedRun::deserialize(&paused).is_err());
    }

    #[test]
    fn who_is_at_work_is_told_with_since_when_and_until_when() {
        for (manual, starter) in [
            (true, "asked for by hand"),
            (false, "started by the schedule"),
        ] {
            let holder = serde_json::json!({
                "run": Uuid::nil(),
                "manual": manual,
                "since": "2026-11-24T12:00:01.123456+00:00",
                "until": "2026-11-24T12:01:31.123456+00:00",
            });
            let answer = serde_json::json!({
                "outcome": "skipped", "reason": "busy", "slot": null, "holder": holder
            });
            let Ok(ClaimedRun::Skipped { reason, .. }) = ClaimedRun::deserialize(&answer) else {
                panic!("{answer}");
            };
            assert_eq!(
                reason.to_string(),
                format!(
                    "busy: run 00000000-0000-0000-0000-000000000000, {starter}, has held the job \
                     since 2026-11-24T12:00:01Z; it is free at 2026-11-24T12:01:31Z unless that \
                     run renews its lease"
                )
            );
        }
    }
}
