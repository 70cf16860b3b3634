//! Where this machine keeps PostgreSQL's programs.

use std::{
    fmt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, bail};

use super::account;

/// The oldest major version that Supabase runs.
const OLDEST: u32 = 15;

/// The folder that holds one version's `initdb` and `postgres`.
#[derive(Clone, Debug)]
pub(super) struct Binaries {
    folder: PathBuf,
    /// The major version: 15, 16, 17.
    pub(super) major: u32,
}

/// No usable PostgreSQL is installed. Displays the one command that installs
/// it; a command line that meets this error was used wrongly and exits 2.
#[derive(Debug)]
pub struct NotInstalled {
    wanted: Option<u32>,
}

impl fmt::Display for NotInstalled {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let version = self.wanted.unwrap_or(17);
        let command = if cfg!(target_os = "macos") {
            format!("brew install postgresql@{version}")
        } else if Path::new("/etc/debian_version").exists() {
            self.wanted.map_or_else(
                || "sudo apt-get install --yes postgresql".to_owned(),
                |version| format!("sudo apt-get install --yes postgresql-{version}"),
            )
        } else {
            "sudo dnf install --assumeyes postgresql-server postgresql-contrib".to_owned()
        };
        match self.wanted {
            None => write!(formatter, "no PostgreSQL from {OLDEST} on")?,
            Some(major) => write!(
                formatter,
                "no PostgreSQL {major}, which made this data folder,"
            )?,
        }
        write!(formatter, " is installed here; run: {command}")
    }
}

impl std::error::Error for NotInstalled {}

impl Binaries {
    /// The programs of version `wanted`, or of any that Supabase runs: PATH
    /// first, then the newest of the known places. As root on Debian a missing
    /// one is installed.
    pub(super) fn find(wanted: Option<u32>) -> anyhow::Result<Self> {
        if let Some(found) = search(wanted) {
            return Ok(found);
        }
        if account::is_root()? && Path::new("/etc/debian_version").exists() {
            install(wanted)?;
            if let Some(found) = search(wanted) {
                return Ok(found);
            }
        }
        Err(NotInstalled { wanted }.into())
    }

    /// The path of one program.
    pub(super) fn program(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Those of `names` that the server can preload.
    pub(super) fn libraries<'a>(&self, names: &[&'a str]) -> Vec<&'a str> {
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

fn search(wanted: Option<u32>) -> Option<Binaries> {
    let mut known: Vec<Binaries> = known_folders()
        .into_iter()
        .filter_map(|folder| read(&folder))
        .collect();
    known.sort_by_key(|binaries| std::cmp::Reverse(binaries.major));
    path_folders()
        .into_iter()
        .filter_map(|folder| read(&folder))
        .chain(known)
        .find(|binaries| wanted.map_or(binaries.major >= OLDEST, |major| binaries.major == major))
}

fn path_folders() -> Vec<PathBuf> {
    #[expect(
        clippy::disallowed_methods,
        reason = "where programs lie is a fact of the machine, not a setting of the project"
    )]
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).collect()
}

/// Debian's, Homebrew's and Postgres.app's places.
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

fn install(wanted: Option<u32>) -> anyhow::Result<()> {
    let package = wanted.map_or_else(
        || "postgresql".to_owned(),
        |major| format!("postgresql-{major}"),
    );
    #[expect(
        clippy::print_stderr,
        reason = "whoever waits for the installation should know what it is"
    )]
    {
        eprintln!("PostgreSQL is missing: running apt-get install {package}");
    }
    for arguments in [
        vec!["update", "--quiet"],
        vec![
            "install",
            "--yes",
            "--quiet",
            "--no-install-recommends",
            &package,
        ],
    ] {
        let status = Command::new("apt-get")
            .args(&arguments)
            .env("DEBIAN_FRONTEND", "noninteractive")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .status()
            .context("cannot run apt-get")?;
        if !status.success() {
            bail!("apt-get {} failed: {status}", arguments.join(" "));
        }
    }
    Ok(())
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

    #[test]
    fn a_missing_server_names_the_one_command() {
        let message = NotInstalled { wanted: Some(16) }.to_string();
        assert!(message.contains("16"), "{message}");
        assert!(message.contains("; run: "), "{message}");
    }
}
