//! What git says of the folder that is deployed.

use std::{path::Path, time::Duration};

use anyhow::Context;
use ops::migrate::Schema;
use terminal::failure::Misuse;

use super::program::Program;

/// How long git may take.
const LIMIT: Duration = Duration::from_secs(60);

/// Where a release's number stands.
const MANIFEST: &str = "Cargo.toml";

/// The commit that the folder is at.
pub(super) async fn head(folder: &Path) -> anyhow::Result<String> {
    let said = git(folder, ["rev-parse", "HEAD"]).await;
    let said = said.context("the folder is no git repository with a commit")?;
    Ok(said.trim().to_owned())
}

/// Refuses a folder that is not as committed.
pub(super) async fn is_clean(folder: &Path) -> anyhow::Result<()> {
    let said = git(folder, ["status", "--porcelain"]).await?;
    let changed = said.lines().count();
    if changed == 0 {
        return Ok(());
    }
    Err(Misuse(format!(
        "{changed} files differ from the commit, {} first: commit them or put them away",
        said.lines().next().unwrap_or_default().trim()
    ))
    .into())
}

/// The schema that a commit of this repository brings.
pub(super) async fn schema(folder: &Path, commit: &str) -> anyhow::Result<Schema> {
    let manifest = git(folder, ["show", &format!("{commit}:{MANIFEST}")]).await?;
    let release = release(&manifest).context("its Cargo.toml names no release")?;
    let names = git(
        folder,
        ["ls-tree", "-r", "--name-only", commit, "migrations/"],
    )
    .await?;
    let mut files = Vec::new();
    for name in names.lines().filter(|name| is_sql(name)) {
        let text = git(folder, ["show", &format!("{commit}:{name}")]).await?;
        let path = name.strip_prefix("migrations/").unwrap_or(name);
        files.push((path.to_owned(), text));
    }
    Ok(Schema::of_files(release, files))
}

fn is_sql(name: &str) -> bool {
    Path::new(name)
        .extension()
        .is_some_and(|extension| extension == "sql")
}

/// The release that a workspace's manifest names.
fn release(manifest: &str) -> Option<&str> {
    let mut lines = manifest
        .lines()
        .skip_while(|line| line.trim() != "[workspace.package]");
    let version = lines.find_map(|line| line.trim().strip_prefix("version = \""))?;
    version.strip_suffix('"')
}

async fn git<'a>(
    folder: &Path,
    arguments: impl IntoIterator<Item = &'a str>,
) -> anyhow::Result<String> {
    let program = Program::new("git", arguments, LIMIT);
    let said = program.run(folder).await;
    said.with_context(|| program.line())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_release_is_that_of_the_workspace() {
        let manifest =
            "[package]\nversion = \"9.9.9\"\n\n[workspace.package]\nversion = \"0.2.0\"\n";
        assert_eq!(release(manifest), Some("0.2.0"));
        assert_eq!(release("[package]\nversion = \"1.0.0\"\n"), None);
    }
}
