//! Keeps what an auditor reads, once a month: the maintenance does, from the hour on at which
//! the report of the month is sent, which tells what differs from the month before.

use std::{sync::Arc, time::Duration};

use backup::store::Store;
use jiff::Timestamp;
use outside::clock::Deadline;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    Collected,
    answer::ReadReport,
    facts::Facts,
    looked::{Backups, look},
};
use crate::{
    app::App,
    jobs::Run,
    rpc::{Call, Retry, RpcError},
};

/// What it may take, and what has to be left for it to be begun.
const TIME: Duration = Duration::from_secs(15);
const NEEDED: Duration = Duration::from_secs(25);

#[derive(Debug, Serialize)]
struct DueReport {}

#[derive(Debug, Deserialize)]
struct Answered {
    due: Option<Due>,
}

/// A month.
#[derive(Debug, Clone, Copy, Deserialize)]
struct Due {
    from: Timestamp,
    to: Timestamp,
}

impl Call for DueReport {
    const NAME: &'static str = "ops_due_security_report";
    const RETRY: Retry = Retry::Read;
    type Output = Answered;
}

#[derive(Debug, Serialize)]
struct StoreReport<'a> {
    p_run: Uuid,
    p_fence: i64,
    p_from: Timestamp,
    p_to: Timestamp,
    p_facts: &'a Facts,
    p_differences: Option<Vec<String>>,
}

#[derive(Debug, Deserialize)]
struct Stored {
    outcome: Outcome,
}

/// What became of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Outcome {
    /// It is kept.
    Done,
    /// Another run has taken over.
    Superseded,
}

impl Call for StoreReport<'_> {
    const NAME: &'static str = "ops_store_security_report";
    // The first of a month is kept, however often it is sent; the next run is soon.
    const RETRY: Retry = Retry::Never;
    type Output = Stored;
}

/// Keeps the report of a month that is due; whether one was kept.
pub async fn keep_due(app: &App, run: &Run, deadline: Deadline) -> bool {
    if deadline.remaining() < NEEDED {
        return false;
    }
    match keep(app, run, deadline).await {
        Ok(kept) => kept,
        Err(error) => {
            tracing::error!(%error, "the security report of the month is not kept");
            false
        }
    }
}

async fn keep(app: &App, run: &Run, deadline: Deadline) -> Result<bool, RpcError> {
    let Some(due) = app.call(&DueReport {}, deadline).await?.due else {
        return Ok(false);
    };
    let read = ReadReport {
        p_from: due.from,
        p_to: Some(due.to),
    };
    let answer = app.call(&read, deadline).await?;
    let backups = backups(app);
    let looked = look(
        &app.config,
        &Arc::clone(&app.outbound),
        &backups,
        deadline.within(TIME),
    )
    .await;
    let facts = Collected {
        answer: &answer,
        looked: &looked,
        dependencies: &Err("CI looks at them, by `cargo deny check advisories`".to_owned()),
        config: &app.config,
    }
    .facts();
    let former = answer.former.as_ref();
    let differences = former.map(|former| {
        let differences = facts.differences(&former.facts);
        differences.iter().map(ToString::to_string).collect()
    });
    let store = StoreReport {
        p_run: run.id,
        p_fence: run.fence,
        p_from: due.from,
        p_to: due.to,
        p_facts: &facts,
        p_differences: differences,
    };
    Ok(app.call(&store, deadline).await?.outcome == Outcome::Done)
}

fn backups(app: &App) -> Backups {
    let Some(backup) = &app.config.backup else {
        return Backups::Absent;
    };
    let opened = Store::open(
        backup.url.as_str(),
        backup.credentials.as_ref(),
        &app.outbound,
    );
    match opened {
        Ok(store) => Backups::In(store),
        Err(error) => Backups::Unreadable(error.to_string()),
    }
}
