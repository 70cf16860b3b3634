//! The files of the repository, as a clone has them.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// What git ignores: what was built, installed or run.
const IGNORED: [&str; 6] = [
    ".git",
    ".insta",
    ".pourtrait",
    ".vercel",
    "node_modules",
    "target",
];

/// The repository's folder.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The text of a file, named from the repository's folder.
pub(crate) fn text(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Every file below a folder, both named from the repository's folder, sorted.
pub(crate) fn below(folder: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    collect(&root().join(folder), &mut found);
    found.sort();
    found
}

/// Every file whose name ends so.
pub(crate) fn ending(suffix: &str) -> Vec<PathBuf> {
    below("")
        .into_iter()
        .filter(|path| path.to_string_lossy().ends_with(suffix))
        .collect()
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        // In a worktree .git is a file.
        if IGNORED.contains(&name.as_ref()) {
            continue;
        }
        if path.is_dir() {
            collect(&path, found);
        } else if path.is_file() && !is_private(&name) {
            found.push(path.strip_prefix(root()).unwrap().to_owned());
        }
    }
}

/// An env file of whoever works here, which git ignores too.
fn is_private(name: &str) -> bool {
    name.starts_with(".env") && name != ".env.example"
}
