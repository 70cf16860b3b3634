//! `pourtrait backup drill`: whether the newest backup can be restored, tried.

use anyhow::Context;
use backup::{
    catalogue,
    drill::{self, Beside, Drilled, NotRestored, Query, Request},
    format::{Manifest, Snapshot},
    keys::Identities,
    restore,
    selection::Selection,
};
use ops::backups::drill_receipts::{Known, ListDrills, Receipt, RecordDrill};
use outside::{clock, database};
use secrecy::SecretString;

use super::{
    arguments::Drill,
    drill_report::{Judged, Report},
    progress::Progress,
    quantities,
    repository::{Repository, identities},
};
use crate::{environment::Environment, project::Project};
use terminal::{
    failure::{Misuse, Verdict},
    output::{self, Output},
};

pub(super) async fn run(
    options: Drill,
    environment: &Environment,
    output: Output,
) -> anyhow::Result<Verdict> {
    let end = signals()?;
    let server = Server::of(&options, environment)?;
    let project = project(&options, environment)?;
    let repository = Repository::of(environment)?;
    let identities = identities(&options.key, environment)?;
    let snapshot = repository.find(&options.snapshot).await?;
    let known = match &project {
        Some(project) => known(project).await,
        None => None,
    };
    output::note(&format!("server: {}", server.host));
    output::note(&format!(
        "backup: {}, taken {:.0}, {} ago",
        snapshot.snapshot,
        snapshot.taken_at,
        quantities::age(clock::now(), snapshot.taken_at)
    ));
    let started_at = clock::now();
    let attempt = Attempt {
        options: &options,
        repository: &repository,
        identities: &identities,
        snapshot: &snapshot,
        server: &server,
    };
    let Some(tried) = attempt.make(known.as_ref(), end).await? else {
        output::note("the drill was ended before it was done; nobody was told");
        return Ok(Verdict::Bad);
    };
    let Tried {
        restored,
        beside,
        left,
    } = tried;
    let receipt = Receipt::of(
        &snapshot,
        started_at,
        restored.as_ref().map_err(Clone::clone),
        &beside,
    );
    let report = Report::of(&snapshot, started_at, known.as_ref(), &receipt);
    let judged = judge(project.as_ref(), known.as_ref(), receipt).await;
    output.result(&report.document(&judged), &report.text(&judged));
    let cleared_up = left.is_none();
    Ok(
        if judged.is_good() && judged.is_recorded(project.is_some()) && cleared_up {
            Verdict::Good
        } else {
            Verdict::Bad
        },
    )
}

/// The server that lends a database.
struct Server {
    url: SecretString,
    ca: Option<String>,
    host: String,
}

impl Server {
    fn of(options: &Drill, environment: &Environment) -> anyhow::Result<Self> {
        let ca = || {
            options
                .ca
                .clone()
                .or_else(|| environment.get("DATABASE_CA"))
        };
        let (url, ca) = match &options.into_server {
            Some(url) => (url.trim().into(), ca()),
            None if options.own_server => (environment.database()?.0, ca()),
            None => {
                let unnamed = "no server is named: give --into-server DATABASE_URL, or \
                               --own-server to use the one that is backed up";
                return Err(Misuse(unnamed.into()).into());
            }
        };
        let host = database::host(&url).map_err(|error| {
            Misuse(format!("--into-server: {error}").replace("DATABASE_URL", "it"))
        })?;
        Ok(Self { url, ca, host })
    }
}

/// Whom the receipt goes to.
fn project(options: &Drill, environment: &Environment) -> anyhow::Result<Option<Project>> {
    if options.no_receipt {
        return Ok(None);
    }
    let project = Project::of(environment);
    project
        .map(Some)
        .context("nobody would hear of the drill; to try it all the same, say --no-receipt")
}

/// Earlier drills. The project may be the very thing that was lost.
async fn known(project: &Project) -> Option<Known> {
    match project.call(&ListDrills {}).await {
        Ok(known) => Some(known),
        Err(error) => {
            output::note(&format!("earlier drills are not known: {error:#}"));
            None
        }
    }
}

/// The verdict: the project's, or what can be said without it.
async fn judge(project: Option<&Project>, known: Option<&Known>, receipt: Receipt) -> Judged {
    let alone = Judged::alone(&receipt, known);
    let Some(project) = project else {
        return alone;
    };
    match project.call(&RecordDrill { p_drill: receipt }).await {
        Ok(drill) => Judged::Recorded(Box::new(drill)),
        Err(error) => {
            output::note(&format!("the receipt was not recorded: {error:#}"));
            alone
        }
    }
}

/// Ends when the process is asked to. From here on a signal does not kill it.
#[cfg(unix)]
pub(crate) fn signals() -> anyhow::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupted = signal(SignalKind::interrupt())?;
    let mut terminated = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupted.recv() => {}
            _ = terminated.recv() => {}
        }
    })
}

#[cfg(not(unix))]
pub(crate) fn signals() -> anyhow::Result<impl Future<Output = ()>> {
    Ok(async {
        // Without a handler there is nothing to wait for.
        let _ = tokio::signal::ctrl_c().await;
    })
}

/// A drill about to be made.
struct Attempt<'a> {
    options: &'a Drill,
    repository: &'a Repository,
    identities: &'a Identities,
    snapshot: &'a Snapshot,
    server: &'a Server,
}

/// How it went.
struct Tried {
    restored: Result<restore::Restored, String>,
    beside: Beside,
    left: Option<drill::ScratchError>,
}

impl Attempt<'_> {
    /// Nothing if it was ended early. A backup that cannot be opened is one that
    /// cannot be restored.
    async fn make(
        &self,
        known: Option<&Known>,
        end: impl Future<Output = ()>,
    ) -> anyhow::Result<Option<Tried>> {
        let store = &self.repository.store;
        let manifest = catalogue::manifest(store, self.snapshot, self.identities).await;
        let manifest = match manifest {
            Ok(manifest) => manifest,
            Err(error) => {
                let restored = Err(error.to_string());
                return Ok(Some(Tried {
                    restored,
                    beside: Beside::default(),
                    left: None,
                }));
            }
        };
        let selection = self.selection(&manifest, known);
        let queries = known.map(Known::queries).unwrap_or_default();
        let drilled = self.drill(&selection, &queries, end).await?;
        for name in &drilled.cleared {
            output::note(&format!("dropped {name}, which a killed drill had left"));
        }
        if let Some(error) = &drilled.left {
            output::note(&format!("{error}; the next drill tries again"));
        }
        let restored = match drilled.restored {
            Ok(restored) => Ok(restored),
            Err(NotRestored::Restore(cause)) => Err(cause.to_string()),
            Err(NotRestored::Ended) => return Ok(None),
        };
        for note in restored.iter().flat_map(|restored| &restored.notes) {
            output::note(&format!("note: {note}"));
        }
        Ok(Some(Tried {
            restored,
            beside: drilled.beside,
            left: drilled.left,
        }))
    }

    async fn drill(
        &self,
        selection: &Selection,
        queries: &[Query],
        end: impl Future<Output = ()>,
    ) -> anyhow::Result<Drilled> {
        let request = Request {
            store: &self.repository.store,
            snapshot: self.snapshot,
            identities: self.identities,
            server: &self.server.url,
            ca: self.server.ca.as_deref(),
            selection,
            jobs: self.options.jobs.into(),
            queries,
        };
        let progress = Progress::new();
        let drilled = drill::drill(request, end, &|event| progress.show(event)).await;
        progress.finish();
        drilled.context("the backup was not tried")
    }

    /// All tables, or those whose turn it is.
    fn selection(&self, manifest: &Manifest, known: Option<&Known>) -> Selection {
        let Some(budget) = self.options.budget else {
            return Selection::default();
        };
        let bytes = budget.bytes(known.and_then(Known::bytes_per_second));
        let drilled = known.map(|known| &known.last_drilled);
        let tables = drill::choose(drill::candidates(manifest, drilled), bytes);
        output::note(&format!(
            "rows of {} of {} tables, whose turn it is",
            tables.len(),
            manifest.tables.len()
        ));
        Selection {
            rows_of: Some(tables),
            ..Selection::default()
        }
    }
}
