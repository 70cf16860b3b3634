//! The record of how a run ended.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::{Ended, Outcome, Run};
use crate::{
    app::App,
    rpc::{Call, Retry},
};
use outside::clock::Deadline;

/// What recording the end may take even when the work used up its time.
const RECORDING: Duration = Duration::from_secs(2);

#[derive(Debug, Serialize)]
struct FinishRun<'a> {
    p_run: Uuid,
    p_fence: i64,
    p_outcome: Outcome,
    p_summary: &'a Map<String, Value>,
}

/// What the database says to the end of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(tag = "outcome", rename_all = "lowercase")]
pub enum Recorded {
    /// It is recorded.
    Finished,
    /// Another run had taken over before this one ended.
    Superseded,
}

impl Call for FinishRun<'_> {
    const NAME: &'static str = "ops_finish_run";
    const RETRY: Retry = Retry::Idempotent;
    type Output = Recorded;
}

/// Records how a run ended. An end that could not be recorded is no success.
pub async fn record(app: &App, run: &Run, ended: Ended, deadline: Deadline) -> Ended {
    let call = FinishRun {
        p_run: run.id,
        p_fence: run.fence,
        p_outcome: ended.outcome,
        p_summary: &ended.details,
    };
    match app.call(&call, deadline.or_at_least(RECORDING)).await {
        Ok(Recorded::Finished) => ended,
        Ok(Recorded::Superseded) => {
            tracing::warn!(job = run.job.name, run = %run.id, "another run took over before this one ended");
            ended
        }
        Err(error) => {
            tracing::error!(job = run.job.name, run = %run.id, %error, "a run's end cannot be recorded");
            Ended {
                outcome: ended.outcome.or_partial(),
                ..ended
            }
        }
    }
}
