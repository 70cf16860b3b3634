//! Deletes what is older than it is kept: table by table in turn, a bounded part a call, so
//! that nobody who writes waits for long. What is past, what may not go and what was deleted,
//! the database says. One table that refuses keeps no other from its turn. Where there is an
//! archive, rows of the application are written there first.

mod archive;
mod pace;
mod parquet;

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use outside::clock::Deadline;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    app::App,
    jobs::Run,
    monitoring::document::Retention,
    rpc::{Call, Retry, RpcError},
};
use archive::{Archive, Archived};
pub(crate) use pace::Pace;

/// What a part may take. The next one is begun only where it can end.
const PART: Duration = Duration::from_secs(9);

/// The one whose partitions are dropped whole, also once the archive has emptied them.
const ITEMS: &str = "items";

/// What is told of a part that the database answered with an error.
const FAILED: &str = "the database could not do a part";

/// How retention stands.
#[derive(Debug, Serialize)]
pub struct ShowRetention {}

impl Call for ShowRetention {
    const NAME: &'static str = "ops_show_retention";
    const RETRY: Retry = Retry::Read;
    type Output = Retention;
}

#[derive(Debug, Serialize)]
struct ForgetRows<'a> {
    p_run: Uuid,
    p_fence: i64,
    p_name: &'a str,
    p_limit: u32,
}

/// What became of a part.
#[derive(Debug, Deserialize)]
#[serde(tag = "outcome", rename_all = "lowercase")]
enum Part {
    /// There is more.
    More(Deleted),
    /// Nothing is left.
    Done(Deleted),
    /// Something kept it from deleting.
    Hindered { reason: String },
    /// Another run has taken over.
    Superseded,
}

#[derive(Debug, Deserialize)]
struct Deleted {
    rows: u64,
    partitions: u64,
    milliseconds: u64,
}

impl Call for ForgetRows<'_> {
    const NAME: &'static str = "ops_forget_rows";
    // A part whose answer was lost is done; what is left is asked for anew.
    const RETRY: Retry = Retry::Never;
    type Output = Part;
}

/// What was deleted, and what was not.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// How many rows.
    pub rows: u64,
    /// How many of them lie in the archive.
    pub archived: u64,
    /// How many partitions, whose rows are among them.
    pub partitions: u64,
    /// In how many parts.
    pub parts: u32,
    /// The tables that are not done, for which the time was too short.
    pub left: Vec<String>,
    /// The tables that could not be dealt with, each with its reason.
    pub hindered: BTreeMap<String, String>,
}

impl Report {
    /// Whether nothing is left that may be deleted.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.left.is_empty()
    }

    /// Notes why a table has no further turn.
    fn hinder(&mut self, name: String, reason: String) -> After {
        self.hindered.insert(name, reason);
        After::Settled
    }

    fn add(&mut self, deleted: &Deleted) {
        self.rows += deleted.rows;
        self.partitions += deleted.partitions;
        self.parts += 1;
    }
}

/// A table whose turn comes.
struct Turn {
    name: String,
    pace: Pace,
    /// Whether all of it that is past lies in the archive, and partitions are left to drop.
    is_archived: bool,
}

/// What comes after a part.
enum After {
    /// The table has another turn.
    Again(Turn),
    /// It has none.
    Settled,
    /// Another run has taken over: nobody has.
    Superseded,
}

/// Deletes what is past, as far as time allows.
///
/// # Errors
/// When the database cannot say which tables there are.
pub async fn forget(app: &App, run: &Run, deadline: Deadline) -> Result<Report, RpcError> {
    let known = app.call(&ShowRetention {}, deadline).await?;
    let mut turns: VecDeque<_> = known
        .tables
        .into_iter()
        .map(|kept| Turn::of(kept.name))
        .collect();
    let mut report = Report::default();
    let archive = Archive::open(app);
    while let Some(turn) = turns.pop_front() {
        if deadline.remaining() <= PART {
            turns.push_front(turn);
            break;
        }
        let after = match &archive {
            Ok(Some(archive)) if !turn.is_archived => {
                archived(archive, app, run, turn, &mut report, deadline).await
            }
            // Nothing goes that was to be archived.
            Err(reason) => report.hinder(turn.name, reason.clone()),
            Ok(_) => part(app, run, turn, &mut report, deadline).await,
        };
        match after {
            After::Again(turn) => turns.push_back(turn),
            After::Settled => {}
            After::Superseded => break,
        }
    }
    report.left = turns.into_iter().map(|turn| turn.name).collect();
    Ok(report)
}

async fn part(
    app: &App,
    run: &Run,
    mut turn: Turn,
    report: &mut Report,
    deadline: Deadline,
) -> After {
    let call = ForgetRows {
        p_run: run.id,
        p_fence: run.fence,
        p_name: &turn.name,
        p_limit: turn.pace.rows(),
    };
    match app.call(&call, deadline.within(PART)).await {
        Ok(Part::More(deleted)) => {
            report.add(&deleted);
            turn.pace.took(Duration::from_millis(deleted.milliseconds));
            After::Again(turn)
        }
        Ok(Part::Done(deleted)) => {
            report.add(&deleted);
            After::Settled
        }
        Ok(Part::Hindered { reason }) => {
            tracing::warn!(
                table = turn.name,
                reason,
                "rows that are past are not deleted"
            );
            report.hinder(turn.name, reason)
        }
        Ok(Part::Superseded) => After::Superseded,
        Err(error) => {
            tracing::error!(table = turn.name, %error, "a part of what is past cannot be deleted");
            if turn.pace.slow_down() {
                After::Again(turn)
            } else {
                report.hinder(turn.name, FAILED.to_owned())
            }
        }
    }
}

/// Archives a part and has it deleted.
async fn archived(
    archive: &Archive,
    app: &App,
    run: &Run,
    mut turn: Turn,
    report: &mut Report,
    deadline: Deadline,
) -> After {
    match archive.part(app, run, &turn.name, deadline).await {
        Ok(Archived::Rows(rows)) => {
            report.rows += rows;
            report.archived += rows;
            report.parts += 1;
            After::Again(turn)
        }
        Ok(Archived::Done) if turn.name == ITEMS => {
            turn.is_archived = true;
            After::Again(turn)
        }
        Ok(Archived::Done) => After::Settled,
        Ok(Archived::Hindered(reason)) => {
            tracing::warn!(
                table = turn.name,
                reason,
                "rows that are past are not archived"
            );
            report.hinder(turn.name, reason)
        }
        Ok(Archived::Superseded) => After::Superseded,
        Err(error) => {
            tracing::error!(table = turn.name, %error, "a part of what is past cannot be archived");
            report.hinder(turn.name, FAILED.to_owned())
        }
    }
}

impl Turn {
    fn of(name: String) -> Self {
        Self {
            name,
            pace: Pace::default(),
            is_archived: false,
        }
    }
}

#[cfg(test)]
mod tests;
