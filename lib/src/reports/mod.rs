//! Reports of days, weeks and months: the maintenance queues each once, when it is due. What
//! a report says the database counts, and `messages::report` words.

use std::time::Duration;

use outside::clock::Deadline;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    app::App,
    jobs::Run,
    rpc::{Call, Retry},
};

/// What one report may take. The next one is begun only where it can end.
const PART: Duration = Duration::from_secs(10);

/// Nothing is due more often than each kind of report once.
const MOST: u32 = 3;

#[derive(Debug, Serialize)]
struct QueueReports {
    p_run: Uuid,
    p_fence: i64,
}

/// What comes after a call.
#[derive(Debug, Deserialize)]
#[serde(tag = "outcome", rename_all = "lowercase")]
enum Queued {
    /// It queued one; there may be another.
    More,
    /// None is due.
    Done,
    /// Another run has taken over.
    Superseded,
}

impl Call for QueueReports {
    const NAME: &'static str = "ops_queue_reports";
    // A report is queued once however often it is asked for, and the next run is soon.
    const RETRY: Retry = Retry::Never;
    type Output = Queued;
}

/// Queues the reports that are due, and says how many. One that cannot be made is tried
/// again by the next run, and keeps nothing else from being done.
pub async fn queue_due(app: &App, run: &Run, deadline: Deadline) -> u32 {
    let call = QueueReports {
        p_run: run.id,
        p_fence: run.fence,
    };
    let mut queued = 0;
    while queued < MOST && deadline.remaining() > PART {
        match app.call(&call, deadline).await {
            Ok(Queued::More) => queued += 1,
            Ok(Queued::Done | Queued::Superseded) => break,
            Err(error) => {
                tracing::error!(%error, "a report could not be queued");
                break;
            }
        }
    }
    queued
}
