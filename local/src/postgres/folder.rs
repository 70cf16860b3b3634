//! The data folder of one cluster: what lies where, who owns it, and that only
//! one process uses it.
//!
//! `lock`, `ca.pem`, `passwords.json`, `postgres.log`, `initialised` and
//! `postgres/` (the server's own, with its socket and `data/`), or
//! `postgres.path`, which names the place of that last one elsewhere.

use std::{
    fs::{self, File, OpenOptions, Permissions},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};
use rustix::fs::statvfs;
use serde::{Deserialize, Serialize};

use super::account::{self, Account};
use crate::{
    files::{load_or_make, write_private},
    random,
};

/// The folder, inside a data folder, that belongs to the server's user.
const SERVER: &str = "postgres";

/// Where folders lie that any user must be able to reach. Unlike /tmp it
/// outlives a restart of the machine.
const REACHABLE: &str = "/var/tmp";

/// Where Linux keeps files in memory, and the bytes that must be free there for a
/// server that many tests use; a few hundred megabytes are what they need.
const MEMORY: &str = "/dev/shm";
const ROOM: u64 = 4 << 30;

/// The longest path that every system takes for a socket.
const SOCKET_PATH_LIMIT: usize = 103;

/// The folder of one cluster, locked for this process.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    /// The folder that belongs to the server's user.
    server: PathBuf,
    /// Whether the folder was made for this process alone.
    temporary: bool,
    /// `None` where another process made the folder.
    _lock: Option<File>,
}

/// The passwords of the roles that log in.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Passwords {
    pub(super) supabase_admin: String,
    pub(super) postgres: String,
    pub(super) authenticator: String,
}

impl Folder {
    /// Opens a folder that is kept.
    pub(super) fn open(path: &Path, account: Option<Account>) -> anyhow::Result<Self> {
        fs::create_dir_all(path)
            .with_context(|| format!("cannot make the folder {}", path.display()))?;
        Self::take(path.canonicalize()?, account, false)
    }

    /// Makes a folder that ends with this process.
    pub(super) fn fresh(account: Option<Account>) -> anyhow::Result<Self> {
        Self::take(fresh_folder(REACHABLE, account)?, account, true)
    }

    /// The same in memory, where a database is made and dropped faster, if this
    /// machine has room for it.
    pub(super) fn fresh_in_memory(account: Option<Account>) -> anyhow::Result<Self> {
        let has_room =
            statvfs(MEMORY).is_ok_and(|memory| memory.f_bavail * memory.f_frsize >= ROOM);
        if has_room {
            Self::take(fresh_folder(MEMORY, account)?, account, true)
        } else {
            Self::fresh(account)
        }
    }

    fn take(path: PathBuf, account: Option<Account>, temporary: bool) -> anyhow::Result<Self> {
        let lock = lock(&path)?;
        let server = server_folder(&path, account)?;
        Ok(Self {
            path,
            server,
            temporary,
            _lock: Some(lock),
        })
    }

    /// A folder that another process made for a server which others may use.
    pub(super) fn of_others(path: PathBuf) -> Self {
        Self {
            server: path.join(SERVER),
            path,
            temporary: false,
            _lock: None,
        }
    }

    /// Leaves the folder to its server, with which it ends.
    pub(super) fn leave_to_server(&mut self) {
        self.temporary = false;
    }

    /// The whole folder.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The server's data directory (PGDATA).
    pub(super) fn data(&self) -> PathBuf {
        self.server.join("data")
    }

    /// The folder that the server's user owns, reachable for them.
    pub(super) fn server(&self) -> &Path {
        &self.server
    }

    /// The folder of the server's socket, unless its path is too long for one.
    pub(super) fn socket_folder(&self) -> Option<&Path> {
        let longest = self.server.join(".s.PGSQL.65535");
        (longest.as_os_str().len() <= SOCKET_PATH_LIMIT).then_some(self.server.as_path())
    }

    /// The certificate that clients trust.
    pub(super) fn authority(&self) -> PathBuf {
        self.path.join("ca.pem")
    }

    /// The server's messages since its last start.
    pub(super) fn log(&self) -> PathBuf {
        self.path.join("postgres.log")
    }

    /// The whole folder, if it ends with this process.
    pub(super) fn temporary(&self) -> Option<&Path> {
        self.temporary.then_some(self.path.as_path())
    }

    /// The major version that made the data, if it was made to the end.
    pub(super) fn initialised(&self) -> Option<u32> {
        version(Some(&self.path))
    }

    /// Records that the data is whole.
    pub(super) fn set_initialised(&self, major: u32) -> anyhow::Result<()> {
        write_private(&self.path.join("initialised"), &format!("{major}\n"))
    }

    /// Removes the data of an initialisation that was cut short.
    pub(super) fn clear(&self) -> anyhow::Result<()> {
        match fs::remove_dir_all(self.data()) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(error).context("cannot remove a half-made cluster")
            }
            _ => Ok(()),
        }
    }

    /// The passwords kept in the folder, made at the first call.
    pub(super) fn passwords(&self) -> anyhow::Result<Passwords> {
        load_or_make(&self.path.join("passwords.json"), || {
            Ok(Passwords {
                supabase_admin: random::hex::<16>()?,
                postgres: random::hex::<16>()?,
                authenticator: random::hex::<16>()?,
            })
        })
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if self.temporary {
            // The supervisor may have removed it already.
            let _removed = fs::remove_dir_all(&self.path);
        }
    }
}

/// The major version that made the data of a folder, if that holds any.
pub(super) fn version(path: Option<&Path>) -> Option<u32> {
    let version = fs::read_to_string(path?.join("initialised")).ok()?;
    version.trim().parse().ok()
}

/// Writes a file that only the server's user may read.
pub(super) fn write_for_server(
    path: &Path,
    text: &str,
    account: Option<Account>,
) -> anyhow::Result<()> {
    write_private(path, text)?;
    account::hand_over(account, path)
}

fn lock(folder: &Path) -> anyhow::Result<File> {
    let path = folder.join("lock");
    let lock = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .with_context(|| format!("cannot write {}", path.display()))?;
    if lock.try_lock().is_err() {
        bail!(
            "another process already runs a stack on {}",
            folder.display()
        );
    }
    Ok(lock)
}

/// The server's own folder: inside the data folder where the server's user can
/// reach it, else in a fresh place that the data folder remembers.
fn server_folder(path: &Path, account: Option<Account>) -> anyhow::Result<PathBuf> {
    let note = path.join("postgres.path");
    if let Ok(text) = fs::read_to_string(&note) {
        let elsewhere = PathBuf::from(text.trim());
        if elsewhere.is_dir() {
            return Ok(elsewhere);
        }
        // Its data is gone, so what was initialised is gone with it.
        let _absent = fs::remove_file(path.join("initialised"));
    }
    let inside = path.join(SERVER);
    if !inside.exists() {
        make_private(&inside, account)?;
    }
    if account::can_write(account, &inside)? {
        return Ok(inside);
    }
    fs::remove_dir(&inside).with_context(|| {
        format!(
            "the server's user cannot reach {}, which is not empty",
            inside.display()
        )
    })?;
    let elsewhere = fresh_folder(REACHABLE, account)?;
    write_private(&note, &format!("{}\n", elsewhere.display()))?;
    Ok(elsewhere)
}

fn fresh_folder(parent: &str, account: Option<Account>) -> anyhow::Result<PathBuf> {
    let path = Path::new(parent).join(format!("local-supabase-{}", random::hex::<6>()?));
    make_private(&path, account)?;
    Ok(path.canonicalize()?)
}

fn make_private(path: &Path, account: Option<Account>) -> anyhow::Result<()> {
    fs::create_dir(path)
        .and_then(|()| fs::set_permissions(path, Permissions::from_mode(0o700)))
        .with_context(|| format!("cannot make the folder {}", path.display()))?;
    account::hand_over(account, path)
}
