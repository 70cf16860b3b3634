//! Shortens addresses of networks in the application's tables once they are old enough, a
//! bounded part a call: which ones, the database decides.

use std::{collections::BTreeMap, time::Duration};

use outside::clock::Deadline;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    app::App,
    jobs::Run,
    monitoring::retention::Pace,
    rpc::{Call, Retry, RpcError},
};

/// What a part may take. The next one is begun only where it can end.
const PART: Duration = Duration::from_secs(9);

#[derive(Debug, Serialize)]
struct Shorten<'a> {
    p_run: Uuid,
    p_fence: i64,
    p_skipped: Vec<&'a str>,
    p_limit: u32,
}

/// What became of a part.
#[derive(Debug, Deserialize)]
#[serde(tag = "outcome", rename_all = "lowercase")]
enum Part {
    /// There may be more.
    More { rows: u64, milliseconds: u64 },
    /// Nothing is left.
    Done,
    /// Something kept it from shortening those of a table.
    Hindered { table: String, reason: String },
    /// Another run has taken over.
    Superseded,
}

impl Call for Shorten<'_> {
    const NAME: &'static str = "ops_shorten_addresses";
    // A part whose answer was lost is done; what is left is asked for anew.
    const RETRY: Retry = Retry::Never;
    type Output = Part;
}

/// What was shortened, and what was not.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// In how many rows.
    pub rows: u64,
    /// The tables whose addresses could not be shortened, each with its reason.
    pub hindered: BTreeMap<String, String>,
    /// Whether the time was too short.
    pub left: bool,
}

/// Shortens what is old enough, as far as time allows.
///
/// # Errors
/// When the database does not answer.
pub async fn shorten(app: &App, run: &Run, deadline: Deadline) -> Result<Report, RpcError> {
    let mut report = Report::default();
    let mut pace = Pace::default();
    while deadline.remaining() > PART {
        let call = Shorten {
            p_run: run.id,
            p_fence: run.fence,
            p_skipped: report.hindered.keys().map(String::as_str).collect(),
            p_limit: pace.rows(),
        };
        match app.call(&call, deadline.within(PART)).await? {
            Part::More { rows, milliseconds } => {
                report.rows += rows;
                pace.took(Duration::from_millis(milliseconds));
            }
            Part::Hindered { table, reason } => {
                tracing::warn!(table, reason, "addresses of networks are not shortened");
                report.hindered.insert(table, reason);
            }
            Part::Done | Part::Superseded => return Ok(report),
        }
    }
    report.left = true;
    Ok(report)
}
