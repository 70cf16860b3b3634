//! A drill within the function: the newest backup is restored, as far as the function's
//! time goes, into a database that is made for it and dropped.
//!
//! It is for teams that accept a private key where the functions run. Nobody reads a
//! function's answer, so a drill that came to nothing sends its receipt as well.

use std::time::Duration;

use backup::{
    catalogue::{self, ReadError},
    drill::{self, Beside, Budget, Candidate, NotRestored, ScratchError},
    format::{Manifest, Snapshot},
    keys::{Identities, KeyError},
    restore::{Cause, Restored},
    selection::Selection,
    store::{OpenError, Store},
};
use outside::clock::{self, Deadline};
use secrecy::ExposeSecret;
use serde::Serialize;

use super::{
    backup_setup::BackupSetup,
    drill_receipts::{Known, ListDrills, Receipt, RecordDrill},
};
use crate::{app::App, config::Drill, monitoring::document};

/// How long the database may take to say whether a drill is due.
const ASKING: Duration = Duration::from_secs(5);

/// Kept back from a drill, for dropping its database and for the receipt.
const LAST_WORDS: Duration = Duration::from_secs(20);

/// What a backup has to leave of the function's time.
const LEAST: Duration = Duration::from_secs(30);

/// How many sessions restore at once: half of an instance's processors.
const JOBS: usize = 2;

/// What came of a drill, as it is answered.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DueDrill {
    /// The drill with its verdict, where the database has the receipt.
    pub recorded: Option<document::Drill>,
    /// Why the database has none.
    pub reason: Option<String>,
    /// Tables whose rows do not fit into the function's time, so that no drill here
    /// restores them.
    pub too_big: Vec<String>,
}

/// Why a drill restored nothing.
#[derive(Debug, thiserror::Error)]
enum DrillError {
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error(transparent)]
    Scratch(#[from] ScratchError),
    #[error(transparent)]
    Restore(Cause),
    #[error("the backup left {0} s of the function's time, a drill needs {least}", least = LEAST.as_secs())]
    Late(u64),
    #[error("the function's time ended before the drill did")]
    Ended,
}

/// Why no drill was even begun.
#[derive(Debug, thiserror::Error)]
enum NotBegun {
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error(transparent)]
    Read(#[from] ReadError),
}

/// Makes a drill with what is left of the function's time; nothing where none is due or
/// the function has no key for it.
pub(super) async fn make_if_due(app: &App, deadline: Deadline) -> Option<DueDrill> {
    let setup = BackupSetup::of(&app.config).ok()?;
    let drill = setup.backup.drill.as_ref()?;
    let known = match app.call(&ListDrills {}, deadline.within(ASKING)).await {
        Ok(known) if known.due => known,
        Ok(_) => return None,
        Err(error) => {
            tracing::warn!(%error, "whether a drill is due is not known");
            return Some(DueDrill::without_receipt(error.to_string()));
        }
    };
    let attempt = Attempt {
        setup,
        drill,
        known: &known,
        deadline: deadline.reserving(LAST_WORDS),
    };
    Some(match attempt.make(app).await {
        Ok((receipt, too_big)) => DueDrill {
            too_big,
            ..record(app, receipt, deadline).await
        },
        Err(error) => {
            tracing::error!(%error, "a drill that is due is not begun");
            DueDrill::without_receipt(error.to_string())
        }
    })
}

async fn record(app: &App, receipt: Receipt, deadline: Deadline) -> DueDrill {
    let call = RecordDrill { p_drill: receipt };
    match app.call(&call, deadline.or_at_least(ASKING)).await {
        Ok(drill) => DueDrill {
            recorded: Some(drill),
            reason: None,
            too_big: Vec::new(),
        },
        Err(error) => {
            tracing::error!(%error, "the receipt of a drill cannot be recorded");
            DueDrill::without_receipt(error.to_string())
        }
    }
}

impl DueDrill {
    fn without_receipt(reason: String) -> Self {
        Self {
            recorded: None,
            reason: Some(reason),
            too_big: Vec::new(),
        }
    }
}

/// A drill about to be made.
struct Attempt<'a> {
    setup: BackupSetup<'a>,
    drill: &'a Drill,
    known: &'a Known,
    deadline: Deadline,
}

impl Attempt<'_> {
    /// What it found, and the tables that are too big for it.
    async fn make(&self, app: &App) -> Result<(Receipt, Vec<String>), NotBegun> {
        let store = self.setup.store(&app.outbound)?;
        let snapshot = catalogue::find(&store, "latest").await?;
        let started_at = clock::now();
        let mut too_big = Vec::new();
        let restored = self.restore(&store, &snapshot, &mut too_big).await;
        if let Err(error) = &restored {
            tracing::warn!(snapshot = %snapshot.snapshot, %error, "a drill restored nothing");
        }
        let (restored, beside) = match restored {
            Ok((restored, beside)) => (Ok(restored), beside),
            Err(error) => (Err(error.to_string()), Beside::default()),
        };
        let restored = restored.as_ref().map_err(Clone::clone);
        let receipt = Receipt::of(&snapshot, started_at, restored, &beside);
        Ok((receipt, too_big))
    }

    async fn restore(
        &self,
        store: &Store,
        snapshot: &Snapshot,
        too_big: &mut Vec<String>,
    ) -> Result<(Restored, Beside), DrillError> {
        let identities = Identities::parse(self.drill.identity.expose_secret())?;
        let manifest = catalogue::manifest(store, snapshot, &identities).await?;
        let left = self.deadline.remaining();
        if left < LEAST {
            return Err(DrillError::Late(left.as_secs()));
        }
        let database = self.setup.database;
        let queries = self.known.queries();
        let request = drill::Request {
            store,
            snapshot,
            identities: &identities,
            server: self.drill.server.as_ref().unwrap_or(&database.url),
            ca: database.ca.as_deref(),
            selection: &self.selection(&manifest, left, too_big),
            jobs: JOBS,
            queries: &queries,
        };
        // The drill ends by itself, or with the function's time.
        let drilled = drill::drill(request, clock::wait(left), &|_| {}).await?;
        if let Some(error) = drilled.left {
            tracing::warn!(%error, "the next drill drops what this one left");
        }
        match drilled.restored {
            Ok(restored) => Ok((restored, drilled.beside)),
            Err(NotRestored::Restore(cause)) => Err(DrillError::Restore(cause)),
            Err(NotRestored::Ended) => Err(DrillError::Ended),
        }
    }

    /// All objects, and the rows whose turn it is of the tables that fit. Half of the
    /// time is theirs: objects take some, and comparing takes as long as loading.
    fn selection(
        &self,
        manifest: &Manifest,
        left: Duration,
        too_big: &mut Vec<String>,
    ) -> Selection {
        let bytes = Budget::Time(left / 2).bytes(self.known.bytes_per_second());
        let candidates = drill::candidates(manifest, Some(&self.known.last_drilled));
        let (fitting, others): (Vec<Candidate>, Vec<_>) = candidates
            .into_iter()
            .partition(|candidate| candidate.bytes <= bytes);
        too_big.extend(others.iter().map(|candidate| candidate.table.plain()));
        Selection {
            rows_of: Some(drill::choose(fitting, bytes)),
            ..Selection::default()
        }
    }
}
