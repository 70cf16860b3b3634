//! The lease of a run that works longer than its lease lasts.

use std::time::Duration;

use outside::clock::{self, Deadline};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Run;
use crate::{
    app::App,
    rpc::{Call, Retry, RpcError},
};

/// How often in a row the database may leave a renewal unanswered. With the
/// third the lease has ended, or is about to, and another run may begin.
const MOST_FAILURES: u32 = 3;

/// What one renewal may take: three of them with the time between end before
/// the lease does.
const TRY: Duration = Duration::from_secs(8);

/// Whether a run still holds its job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lease {
    /// Nobody else may begin.
    Held,
    /// Another run may have begun: nothing that counts may be done any more.
    Lost,
}

#[derive(Debug, Serialize)]
struct ExtendLease {
    p_run: Uuid,
    p_fence: i64,
    p_lease_seconds: u32,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "outcome", rename_all = "lowercase")]
enum ExtendedLease {
    Extended,
    Superseded,
}

impl Call for ExtendLease {
    const NAME: &'static str = "ops_extend_lease";
    const RETRY: Retry = Retry::Idempotent;
    type Output = ExtendedLease;
}

/// Asks the database whether the run still holds its job, and holds it for
/// another lease if so.
///
/// # Errors
/// When the database cannot be asked.
pub async fn extend(app: &App, run: &Run, deadline: Deadline) -> Result<Lease, RpcError> {
    let call = ExtendLease {
        p_run: run.id,
        p_fence: run.fence,
        p_lease_seconds: run.job.lease_s,
    };
    Ok(match app.call(&call, deadline.within(TRY)).await? {
        ExtendedLease::Extended => Lease::Held,
        ExtendedLease::Superseded => Lease::Lost,
    })
}

/// Does a run's work while its lease is renewed. Once the lease is lost the work is
/// dropped where it stands, as if the function had been killed: `None`.
pub async fn while_held<T>(app: &App, run: &Run, work: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        done = work => Some(done),
        () = hold(app, run) => None,
    }
}

/// Holds the run's job for as long as this is polled, and returns once it is
/// lost. A job whose lease outlives its function is never renewed.
pub async fn hold(app: &App, run: &Run) {
    let Some(every_s) = run.job.renewed_every_s else {
        return std::future::pending().await;
    };
    let mut failures = 0;
    while failures < MOST_FAILURES {
        // The beat of the heart.
        clock::wait(Duration::from_secs(every_s.into())).await;
        match extend(app, run, Deadline::after(TRY)).await {
            Ok(Lease::Held) => failures = 0,
            Ok(Lease::Lost) => {
                tracing::warn!(job = run.job.name, run = %run.id, "another run has taken over");
                return;
            }
            Err(error) => {
                failures += 1;
                tracing::warn!(job = run.job.name, run = %run.id, failures, %error, "a lease cannot be renewed");
            }
        }
    }
}
