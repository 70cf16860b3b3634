//! The claim of a run.

use std::time::Duration;

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
#[derive(Debug, Clone, Copy)]
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
        /// Why, in the database's word.
        reason: String,
    },
}

#[derive(Debug, Serialize)]
struct ClaimRun {
    p_run: Uuid,
    p_job: &'static str,
    p_every_seconds: u32,
    p_lease_seconds: u32,
    p_manual: bool,
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
        reason: String,
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
    let job = order.job;
    let call = ClaimRun {
        p_run: run,
        p_job: job.name,
        p_every_seconds: job.every_s,
        p_lease_seconds: job.lease_s,
        p_manual: match order.starter {
            Starter::Scheduler => false,
            Starter::Operator => true,
        },
    };
    let asked = order
        .patience
        .ask(deadline, |deadline| app.call(&call, deadline));
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
    }
}
