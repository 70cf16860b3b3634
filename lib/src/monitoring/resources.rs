//! What of the platform's resources is used: what a function knows of itself and of its
//! fellows goes to the database, which finds out the rest and keeps it.

use std::collections::BTreeMap;

use outside::clock::Deadline;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    app::App,
    endpoint::Endpoint,
    health,
    jobs::Run,
    rpc::{Call, Retry, RpcError},
};

/// What functions may use, and what this one does.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Functions {
    /// The longest that a run of each job may take, in seconds.
    seconds: BTreeMap<&'static str, u32>,
    /// How many crons the bundle declares.
    cron_jobs: usize,
    /// The most memory that this instance had, in bytes.
    peak_bytes: Option<u64>,
    /// What it may have.
    memory_bytes: Option<u64>,
}

#[derive(Debug, Serialize)]
struct KeepResources {
    p_run: Uuid,
    p_fence: i64,
    p_functions: Functions,
}

/// What was kept.
#[derive(Debug, Deserialize)]
#[serde(tag = "outcome", rename_all = "lowercase")]
enum Kept {
    /// Of how many resources it is known how much is used.
    Done { known: u64 },
    /// Another run has taken over.
    Superseded,
}

impl Call for KeepResources {
    const NAME: &'static str = "ops_keep_resources";
    // The next run is soon.
    const RETRY: Retry = Retry::Never;
    type Output = Kept;
}

/// Has the database keep what is used, and says of how many resources that is known.
///
/// # Errors
/// When the database could not.
pub(super) async fn keep(
    app: &App,
    run: &Run,
    deadline: Deadline,
) -> Result<Option<u64>, RpcError> {
    let call = KeepResources {
        p_run: run.id,
        p_fence: run.fence,
        p_functions: functions(app),
    };
    Ok(match app.call(&call, deadline).await? {
        Kept::Done { known } => Some(known),
        Kept::Superseded => None,
    })
}

fn functions(app: &App) -> Functions {
    let memory = health::memory(app);
    let specs = Endpoint::ALL.map(Endpoint::spec);
    let seconds: BTreeMap<_, _> = specs
        .iter()
        .filter_map(|spec| Some((spec.job?.name, spec.max_duration_s)))
        .collect();
    Functions {
        cron_jobs: seconds.len(),
        seconds,
        peak_bytes: memory.peak_bytes,
        memory_bytes: memory.limit_bytes,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake_server;

    #[test]
    fn each_job_is_told_with_what_its_function_may_take() {
        let functions = functions(&fake_server::app(&[]));
        let jobs: Vec<_> = functions
            .seconds
            .iter()
            .map(|(job, seconds)| (*job, *seconds))
            .collect();
        assert_eq!(
            jobs,
            [
                ("backup", 300),
                ("dispatch", 55),
                ("maintenance", 240),
                ("monitor", 55)
            ]
        );
        assert_eq!(functions.cron_jobs, 4);
    }
}
