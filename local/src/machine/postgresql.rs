//! Where this machine keeps PostgreSQL's programs.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::Context;

use super::{
    bring, npm, on_path, path_folders,
    tool::{OLDEST, Tool},
};

/// The folder that holds one version's `initdb` and `postgres`.
#[derive(Clone, Debug)]
pub(crate) struct Binaries {
    folder: PathBuf,
    /// The major version: 15, 16, 17.
    pub(crate) major: u32,
}

impl Binaries {
    /// The programs of version `major`, or of any that Supabase runs: PATH
    /// first, then the newest of the known places. They are brought where they
    /// are missing. Fails with [`NotInstalled`](super::NotInstalled).
    pub(crate) fn find(major: Option<u32>) -> anyhow::Result<Self> {
        bring(&[Tool::Server { major }])?;
        Self::search(major).context("PostgreSQL's server has just gone")
    }

    /// The same, without bringing any.
    pub(super) fn search(major: Option<u32>) -> Option<Self> {
        let mut known: Vec<Self> = known_folders()
            .into_iter()
            .filter_map(|folder| read(&folder))
            .collect();
        known.sort_by_key(|binaries| std::cmp::Reverse(binaries.major));
        path_folders()
            .into_iter()
            .filter_map(|folder| read(&folder))
            .chain(known)
            .find(|found| major.map_or(found.major >= OLDEST, |major| found.major == major))
    }

    /// The path of one of the server's programs.
    pub(crate) fn program(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The path of one of the client's programs: of the same version where it
    /// lies beside the server. It is brought where it is missing.
    pub(crate) fn client(&self, name: &str) -> anyhow::Result<PathBuf> {
        let beside = self.folder.join(name);
        if beside.is_file() {
            return Ok(beside);
        }
        bring(&[Tool::Client])?;
        client(name).with_context(|| format!("PostgreSQL's client has no {name} here"))
    }

    /// Those of `names` that the server can preload.
    pub(crate) fn libraries<'a>(&self, names: &[&'a str]) -> Vec<&'a str> {
        let folders = [
            "../lib",
            "../lib/postgresql",
            &format!("../lib/postgresql@{}", self.major),
        ]
        .map(|relative| self.folder.join(relative));
        names
            .iter()
            .copied()
            .filter(|name| {
                folders.iter().any(|folder| {
                    ["so", "dylib"]
                        .iter()
                        .any(|kind| folder.join(format!("{name}.{kind}")).exists())
                })
            })
            .collect()
    }
}

/// The path of a client's program: on PATH, else in one of the known places.
pub(super) fn client(name: &str) -> Option<PathBuf> {
    on_path(name).or_else(|| {
        known_folders()
            .into_iter()
            .map(|folder| folder.join(name))
            .find(|path| path.is_file())
    })
}

/// Debian's, Homebrew's and Postgres.app's places, and what npm brought.
fn known_folders() -> Vec<PathBuf> {
    let mut folders = subfolders("/usr/lib/postgresql", "bin");
    folders.extend(subfolders(
        "/Applications/Postgres.app/Contents/Versions",
        "bin",
    ));
    for homebrew in [
        "/opt/homebrew/opt",
        "/usr/local/opt",
        "/home/linuxbrew/.linuxbrew/opt",
    ] {
        folders.extend(subfolders(homebrew, "bin").into_iter().filter(|folder| {
            folder
                .parent()
                .and_then(Path::file_name)
                .is_some_and(|name| name.to_string_lossy().starts_with("postgresql"))
        }));
    }
    folders.extend(npm::program_folders());
    folders
}

fn subfolders(parent: &str, child: &str) -> Vec<PathBuf> {
    std::fs::read_dir(parent)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path().join(child))
        .collect()
}

/// The binaries of `folder`, if it holds a whole set. Links are followed,
/// because the libraries lie beside the real files.
fn read(folder: &Path) -> Option<Binaries> {
    let postgres = folder.join("postgres").canonicalize().ok()?;
    let folder = postgres.parent()?.to_owned();
    if !folder.join("initdb").exists() {
        return None;
    }
    let version = Command::new(&postgres)
        .arg("--version")
        .stdin(Stdio::null())
        .output()
        .ok()?;
    let major = major_version(&String::from_utf8_lossy(&version.stdout))?;
    Some(Binaries { folder, major })
}

/// The major version in the likes of `postgres (PostgreSQL) 15.17 (Debian …)`.
fn major_version(text: &str) -> Option<u32> {
    let number = text.split("(PostgreSQL) ").nth(1)?;
    number
        .split(|c: char| !c.is_ascii_digit())
        .next()?
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_major_version_is_read_in_every_packager_s_form() {
        for (text, major) in [
            (
                "postgres (PostgreSQL) 15.17 (Debian 15.17-0+deb12u1)\n",
                Some(15),
            ),
            ("postgres (PostgreSQL) 17.2 (Homebrew)\n", Some(17)),
            ("postgres (PostgreSQL) 18beta1\n", Some(18)),
            ("something else", None),
        ] {
            assert_eq!(major_version(text), major, "{text}");
        }
    }
}
