//! The files of Storage in backups: where they are fetched, and how much of them a run may.

use std::{sync::Arc, time::Duration};

use backup::files::{Budget, FileSource, StorageApi};
use outside::{clock::Deadline, outbound::Outbound};
use serde::{Deserialize, Serialize};

use crate::{
    app::App,
    config::Supabase,
    rpc::{Call, Retry},
};

/// How long the database may take to say what a run may fetch.
const ASKING: Duration = Duration::from_secs(5);

/// Asks what a run may fetch.
#[derive(Debug, Serialize)]
pub struct ReadFileBudget {}

/// What a run may fetch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct FileBudget {
    /// Whether backups have files at all.
    pub enabled: bool,
    /// How many bytes.
    pub bytes: u64,
    /// How many seconds.
    pub seconds: u64,
}

impl Call for ReadFileBudget {
    const NAME: &'static str = "ops_file_budget";
    const RETRY: Retry = Retry::Idempotent;
    type Output = FileBudget;
}

/// The project's Storage, with its secret key.
#[must_use]
pub fn storage(supabase: &Supabase, outbound: &Arc<Outbound>) -> StorageApi {
    let key = supabase.key.secret().clone();
    StorageApi::new(Arc::clone(outbound), supabase.url.clone(), key)
}

/// Where a run fetches files; nothing where backups are to have none. If nobody says what it may
/// spend, it spends nothing, and keeps what earlier backups have.
pub(super) async fn source(app: &App, deadline: Deadline) -> Option<FileSource> {
    let asked = app.call(&ReadFileBudget {}, deadline.within(ASKING)).await;
    let budget = asked.unwrap_or_else(|error| {
        tracing::warn!(%error, "how many files a backup may fetch is not known, so that it fetches none");
        FileBudget {
            enabled: true,
            bytes: 0,
            seconds: 0,
        }
    });
    budget.enabled.then(|| FileSource {
        api: app
            .config
            .supabase
            .as_ref()
            .map(|supabase| storage(supabase, &app.outbound)),
        budget: Budget {
            bytes: budget.bytes,
            time: Duration::from_secs(budget.seconds),
        },
    })
}
