//! `pourtrait backup application`: what the application consists of beside its database, into
//! the store of the backups and out of it.

use std::{fs, path::Path, time::Duration};

use anyhow::{Context, bail};
use backup::application::{self, Archive, Part};
use bytes::Bytes;
use ops::{
    app::App,
    backups::application::{Taken, leaves::Change, take},
};
use outside::clock::{self, Deadline};
use serde_json::{Map, Value, json};
use tokio::process::Command;

use super::{
    arguments::{Application, Key},
    private_place::refuse_shared,
    quantities,
    repository::{self, Repository},
};
use crate::{answered::word, environment::Environment};
use terminal::{
    failure::{Misuse, Verdict},
    output::{self, Output},
};

/// How long the platforms, the store and the database may take together.
const TIME: Duration = Duration::from_secs(30 * 60);

pub(super) async fn run(
    action: &Application,
    environment: &Environment,
    output: Output,
) -> anyhow::Result<Verdict> {
    match action {
        Application::Run { repository } => {
            archive(repository.as_deref(), environment, output).await
        }
        Application::List => list(environment, output).await,
        Application::Fetch {
            archive,
            output: folder,
            key,
        } => fetch(archive, folder, key, environment, output).await,
    }
}

async fn archive(
    repository: Option<&Path>,
    environment: &Environment,
    output: Output,
) -> anyhow::Result<Verdict> {
    let bundle = match repository {
        Some(folder) => Some(bundle(folder).await?),
        None => None,
    };
    let app = App::new(environment.config());
    let taken = take(&app, clock::now(), bundle, Deadline::after(TIME)).await;
    let taken = taken.with_context(|| format!("no archive (from {})", environment.origin()))?;
    output.result(&json!(taken), &taken_text(&taken));
    Ok(Verdict::Good)
}

/// All that a repository holds, as git's own one file. A clone without its past would make one
/// that nobody can clone.
async fn bundle(folder: &Path) -> anyhow::Result<Bytes> {
    let shallow = git(folder, &["rev-parse", "--is-shallow-repository"]).await?;
    if shallow.trim_ascii() == b"true" {
        let folder = folder.display();
        let shallow = format!(
            "{folder} is a shallow clone, whose past is not there: `git -C {folder} fetch --unshallow`, \
             or `fetch-depth: 0` in CI"
        );
        return Err(Misuse(shallow).into());
    }
    git(folder, &["bundle", "create", "--quiet", "-", "--all"]).await
}

/// What git answers about a repository.
async fn git(folder: &Path, arguments: &[&str]) -> anyhow::Result<Bytes> {
    let mut git = Command::new("git");
    git.arg("-C").arg(folder).args(arguments);
    let made = git.output().await.context("cannot start git")?;
    if !made.status.success() {
        let said = String::from_utf8_lossy(&made.stderr);
        bail!("git cannot bundle {}: {}", folder.display(), said.trim());
    }
    Ok(made.stdout.into())
}

fn taken_text(taken: &Taken) -> String {
    let repository = match taken.repository_bytes {
        Some(bytes) => format!(", the repository {}", quantities::bytes(bytes)),
        None => String::new(),
    };
    let mut lines = vec![format!(
        "archived {}: {} documents of {}{repository}",
        taken.name,
        taken.documents.len(),
        quantities::bytes(taken.bytes),
    )];
    let absent = taken.absent.iter();
    lines.extend(absent.map(|(name, why)| format!("without {name}: {why}")));
    match &taken.differences {
        None => lines.push("it is the first one".to_owned()),
        Some(differences) if differences.is_empty() => {
            lines.push("nothing changed since the last one".to_owned());
        }
        Some(differences) => {
            let differences = differences.iter();
            lines.extend(differences.map(|difference| {
                let change: Change = difference.change;
                format!("{}: {}", word(change), difference.path)
            }));
        }
    }
    lines.join("\n")
}

async fn list(environment: &Environment, output: Output) -> anyhow::Result<Verdict> {
    let Repository { store } = Repository::of(environment)?;
    let archives = application::list(&store).await?;
    let documents: Vec<_> = archives
        .iter()
        .map(|archive| {
            json!({
                "name": archive.name,
                "bytes": archive.bytes,
                "repositoryBytes": archive.repository_bytes,
            })
        })
        .collect();
    let row = |archive: &Archive| {
        let repository = archive.repository_bytes.map(quantities::bytes);
        [
            archive.name.clone(),
            quantities::bytes(archive.bytes),
            repository.unwrap_or_default(),
        ]
    };
    let rows: Vec<_> = archives.iter().map(row).collect();
    let text = if rows.is_empty() {
        "there is no archive of the application".to_owned()
    } else {
        output::table(["archive", "documents", "repository"], &rows)
    };
    output.result(&json!({ "archives": documents }), &text);
    Ok(Verdict::Good)
}

async fn fetch(
    which: &str,
    folder: &Path,
    key: &Key,
    environment: &Environment,
    output: Output,
) -> anyhow::Result<Verdict> {
    refuse_shared(folder, "how the platforms are set up")?;
    if folder.exists() {
        return Err(Misuse(format!("{} is there already", folder.display())).into());
    }
    let identities = repository::identities(key, environment)?;
    let Repository { store } = Repository::of(environment)?;
    let archives = application::list(&store).await?;
    let archive = archives
        .iter()
        .find(|archive| which == "latest" || archive.name == which)
        .ok_or_else(|| Misuse(format!("there is no archive {which} in {}", store.place())))?;
    let documents = application::read(&store, &archive.name, Part::Documents, &identities).await?;
    let bundle = match archive.repository_bytes {
        Some(_) => {
            let read = application::read(&store, &archive.name, Part::Repository, &identities);
            Some(read.await?)
        }
        None => None,
    };
    if archive.repository_bytes.is_none() {
        let newest = archives
            .iter()
            .find(|other| other.repository_bytes.is_some());
        if let Some(newest) = newest {
            output::note(&format!(
                "it has no repository; the newest that has one is {}",
                newest.name
            ));
        }
    }
    let files = write(folder, &documents, bundle.as_deref())
        .with_context(|| format!("cannot write to {}", folder.display()))?;
    output.result(
        &json!({ "archive": archive.name, "folder": folder, "files": files }),
        &format!(
            "{} in {}:\n{}",
            archive.name,
            folder.display(),
            files.join("\n")
        ),
    );
    Ok(Verdict::Good)
}

/// A file for each document, and the bundle beside them.
pub(crate) fn write(
    folder: &Path,
    documents: &[u8],
    bundle: Option<&[u8]>,
) -> anyhow::Result<Vec<String>> {
    let whole: Value = serde_json::from_slice(documents)?;
    let nothing = Map::new();
    let documents = whole["documents"].as_object().unwrap_or(&nothing);
    let mut files = vec![(
        "absent.json".to_owned(),
        serde_json::to_vec_pretty(&whole["absent"])?,
    )];
    for (name, document) in documents {
        // Names come from the store, where anybody may have written.
        let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
        if name.starts_with('.') || !name.chars().all(is_plain) {
            bail!("the archive holds a document with the name {name:?}");
        }
        files.push((format!("{name}.json"), serde_json::to_vec_pretty(document)?));
    }
    if let Some(bundle) = bundle {
        files.push(("repository.bundle".to_owned(), bundle.to_vec()));
    }
    fs::create_dir(folder)?;
    for (name, content) in &files {
        fs::write(folder.join(name), content)?;
    }
    Ok(files.into_iter().map(|(name, _)| name).collect())
}
