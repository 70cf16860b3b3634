//! The dead man's switch: somebody outside who raises the alarm when we do not
//! call. So we call only while all is well.

use std::time::Duration;

use outside::{clock::Deadline, failure::Failure};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::app::App;

/// How long the call may take.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Whether anything is left undone that nobody is about to do, as the commit of
/// a tick found it.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
pub(super) struct Audit {
    /// A database that does not say so is not called well.
    #[serde(default)]
    clean: bool,
}

impl Audit {
    /// What the commit's details say of it.
    pub(super) fn of(committed: &Map<String, Value>) -> Self {
        let audit = committed.get("audit");
        audit
            .and_then(|audit| Self::deserialize(audit).ok())
            .unwrap_or_default()
    }
}

/// What became of the call; the tick's answer tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase", tag = "outcome", content = "reason")]
pub(super) enum Beat {
    /// It was taken.
    Sent,
    /// Something is left undone, or could not be delivered: silence is the alarm.
    Withheld,
    /// It was not taken, which changes nothing about the tick.
    Failed(&'static str),
}

/// Calls the switch after a tick, if there is one and all is well.
pub(super) async fn beat(
    app: &App,
    audit: Audit,
    delivered: bool,
    deadline: Deadline,
) -> Option<Beat> {
    let url = app.config.heartbeat_url.as_ref()?;
    if !audit.clean || !delivered {
        return Some(Beat::Withheld);
    }
    let beat = match call(app, url, deadline.within(TIMEOUT)).await {
        Ok(true) => Beat::Sent,
        Ok(false) => Beat::Failed("refused"),
        Err(failure) => Beat::Failed(failure.as_str()),
    };
    if let Beat::Failed(reason) = beat {
        // Not the URL: whoever has it can pretend that all is well.
        tracing::warn!(reason, "the dead man's switch was not reached");
    }
    Some(beat)
}

/// Whether it was taken.
async fn call(app: &App, url: &SecretString, deadline: Deadline) -> Result<bool, Failure> {
    let request = app.outbound.client()?.get(url.expose_secret());
    let answer = request.timeout(deadline.remaining()).send().await;
    let answer = answer.map_err(|error| Failure::of(&error))?;
    Ok(answer.status().is_success())
}
