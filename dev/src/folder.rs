//! The data folder of `dev`: one process at a time, and the variables that tell
//! others how to reach it.

use std::{
    fs::{self, File, OpenOptions},
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};

use terminal::env_file::{self, Variables};

const HEADING: &str = "\
# Written by `cargo dev`; every URL and key is of this machine.
# Read by every other command; for a shell: set -a; . FILE; set +a
";

/// A folder that this process alone uses.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    lock: File,
}

impl Folder {
    /// Opens the folder, which is made where it is missing. Fails if another
    /// process uses it.
    pub(super) fn open(path: &Path) -> anyhow::Result<Self> {
        let open = || -> std::io::Result<(PathBuf, File)> {
            fs::create_dir_all(path)?;
            let path = path.canonicalize()?;
            let lock = OpenOptions::new()
                .create(true)
                .truncate(false)
                .write(true)
                .mode(0o600)
                .open(path.join("dev.lock"))?;
            Ok((path, lock))
        };
        let (path, lock) =
            open().with_context(|| format!("cannot use the folder {}", path.display()))?;
        let folder = Self { path, lock };
        if folder.lock.try_lock().is_err() {
            let at = folder.variables().remove("BASE_URL");
            bail!(
                "another `cargo dev` runs on {}{}; stop it, or choose another folder with --data",
                folder.path.display(),
                at.map(|url| format!(" at {url}")).unwrap_or_default()
            );
        }
        Ok(folder)
    }

    /// Its path, absolute.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The file of variables.
    pub(super) fn env_file(&self) -> PathBuf {
        self.path.join("dev.env")
    }

    /// The variables of the present or the last start; none at the first.
    pub(super) fn variables(&self) -> Variables {
        let text = fs::read_to_string(self.env_file()).unwrap_or_default();
        // A file that somebody broke is written anew.
        env_file::parse(&text).unwrap_or_default()
    }

    /// Replaces the file of variables, whole: whoever reads meanwhile has the
    /// old one or the new one.
    pub(super) fn write(&self, variables: &Variables) -> anyhow::Result<()> {
        let text = variables
            .iter()
            .fold(HEADING.to_owned(), |text, (name, value)| {
                text + &env_file::assignment(name, value)
            });
        let fresh = self.path.join("dev.env.new");
        let write = || -> std::io::Result<()> {
            // A leftover keeps its own mode.
            if fresh.exists() {
                fs::remove_file(&fresh)?;
            }
            let mut file = OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(&fresh)?;
            file.write_all(text.as_bytes())?;
            fs::rename(&fresh, self.env_file())
        };
        write().with_context(|| format!("cannot write {}", self.env_file().display()))
    }
}
