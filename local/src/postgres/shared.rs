//! The one server that all tests of a run use, whatever process they are in.
//!
//! The first process starts it and notes where it is; whoever comes while it
//! runs joins it. It ends some time after its last user, and nothing that it
//! held is left then.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::Context;
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

use super::{Cluster, ClusterOptions, Usage, account::Account, folder::Folder, server::Server};
use crate::{files::write_private, machine::postgresql::Binaries};

/// How long the server waits for its next user: the unit tests that need none
/// run between two binaries that do.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

/// Where a running server is.
#[derive(Serialize, Deserialize)]
struct Note {
    folder: PathBuf,
    port: u16,
}

/// A folder for everything that was built together with this program: Cargo
/// puts tests into `deps` of one folder, whose programs they run.
pub(super) fn place() -> anyhow::Result<PathBuf> {
    let program = std::env::current_exe().context("cannot tell where this program lies")?;
    let mut folder = program.parent().unwrap_or(Path::new("/"));
    if folder.ends_with("deps") || folder.ends_with("examples") {
        folder = folder.parent().unwrap_or(folder);
    }
    Ok(folder.join("test-server"))
}

/// The server of this place, started if none runs.
pub(super) async fn join_or_start(place: &Path, patience: Duration) -> anyhow::Result<Cluster> {
    fs::create_dir_all(place)
        .with_context(|| format!("cannot make the folder {}", place.display()))?;
    let _turn = take_turn(place).await?;
    let usage = Usage::Shared { patience };
    let note = place.join("server.json");
    if let Some(cluster) = join(&note, usage)? {
        return Ok(cluster);
    }
    let mut cluster = Cluster::start_for(usage, ClusterOptions::default()).await?;
    cluster.folder.leave_to_server();
    let text = serde_json::to_string(&Note {
        folder: cluster.folder.path().to_owned(),
        port: cluster.port,
    })?;
    write_private(&note, &text)?;
    Ok(cluster)
}

/// The server that the note tells of, unless it has gone.
fn join(note: &Path, usage: Usage) -> anyhow::Result<Option<Cluster>> {
    let note = fs::read(note).unwrap_or_default();
    let Ok(Note { folder, port }) = serde_json::from_slice(&note) else {
        return Ok(None);
    };
    let folder = Folder::of_others(folder);
    let Some(server) = Server::join(&folder.data()) else {
        return Ok(None);
    };
    Ok(Some(Cluster {
        server: Mutex::new(Some(server)),
        binaries: Binaries::find(folder.initialised())?,
        account: Account::for_server()?,
        passwords: folder.passwords()?,
        folder,
        usage,
        port,
    }))
}

/// Waits until no other process looks for the server or starts it.
async fn take_turn(place: &Path) -> anyhow::Result<File> {
    let path = place.join("lock");
    let lock = File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
    tokio::task::spawn_blocking(move || {
        lock.lock().context("cannot wait for the shared server")?;
        Ok(lock)
    })
    .await?
}
