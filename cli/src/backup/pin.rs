//! `pourtrait backup pin` and `unpin`: a backup that is kept whatever the ladder says.

use anyhow::Context;
use backup::{
    catalogue::{self, ReadError},
    format::{Pin, SnapshotName},
    pins, trash,
};
use ops::backups::pin_notes::NotePin;
use outside::clock;
use serde_json::json;

use super::{
    arguments::{Pinned, Pins},
    repository::Repository,
};
use crate::{
    environment::Environment,
    project::{PATIENCE, Project, author},
};
use terminal::{
    failure::{Misuse, Verdict},
    output::{self, Output},
};

/// Pins a backup; one that lies in the trash comes out of it.
pub(super) async fn pin(
    options: &Pins,
    environment: &Environment,
    output: Output,
) -> anyhow::Result<Verdict> {
    let repository = Repository::of(environment)?;
    let name = named(&repository, &options.snapshot).await?;
    let pin = Pin::new(name.clone(), author(), options.reason.clone(), clock::now());
    pins::pin(&repository.store, &pin).await?;
    // A collection may have let it go meanwhile, which looks for pins before it does.
    let is_listed = catalogue::find(&repository.store, name.as_str()).await;
    if let Err(ReadError::NoSuch(_)) = is_listed {
        let back = trash::put_back(&repository.store, &name).await;
        back.with_context(|| format!("{name} is pinned, and cannot be put back"))?;
    }
    tell(
        environment,
        "backup.pinned",
        &name,
        options.reason.as_deref(),
    )
    .await;
    let text = format!("{name} is kept until somebody unpins it");
    output.result(&json!({ "backup": name, "pinned": true }), &text);
    Ok(Verdict::Good)
}

/// Takes the pin of a backup away.
pub(super) async fn unpin(
    options: &Pinned,
    environment: &Environment,
    output: Output,
) -> anyhow::Result<Verdict> {
    let repository = Repository::of(environment)?;
    let all = pins::names(&repository.store).await?;
    let which = &options.snapshot;
    let mut fitting = all
        .iter()
        .filter(|name| !which.is_empty() && name.as_str().starts_with(which.as_str()));
    let (Some(name), None) = (fitting.next(), fitting.next()) else {
        let names: Vec<_> = all.iter().map(SnapshotName::as_str).collect();
        return Err(Misuse(format!(
            "no single pinned backup has a name that begins with {which:?}; pinned are: {}",
            names.join(", ")
        ))
        .into());
    };
    pins::unpin(&repository.store, name).await?;
    tell(environment, "backup.unpinned", name, None).await;
    let text = format!("{name} is kept as long as the ladder says");
    output.result(&json!({ "backup": name, "pinned": false }), &text);
    Ok(Verdict::Good)
}

/// Who pins what is asked for by hand, so that the beginning of a name is enough, in the trash as
/// well.
async fn named(repository: &Repository, which: &str) -> anyhow::Result<SnapshotName> {
    match catalogue::find(&repository.store, which).await {
        Ok(snapshot) => return Ok(snapshot.snapshot),
        Err(ReadError::NoSuch(_)) => {}
        Err(error @ ReadError::Ambiguous { .. }) => return Err(Misuse(error.to_string()).into()),
        Err(error) => return Err(error.into()),
    }
    let trashed = trash::list(&repository.store).await?;
    let mut fitting = trashed
        .into_iter()
        .map(|trashed| trashed.snapshot.snapshot)
        .filter(|name| !which.is_empty() && name.as_str().starts_with(which));
    match (fitting.next(), fitting.next()) {
        (Some(name), None) => Ok(name),
        (None, _) | (Some(_), Some(_)) => Err(Misuse(format!(
            "there is no single backup {which:?} in {}, nor in its trash",
            repository.store.place()
        ))
        .into()),
    }
}

/// Has it written into the audit log. The store is what counts: the database may be what was lost.
pub(super) async fn tell(
    environment: &Environment,
    action: &'static str,
    name: &SnapshotName,
    reason: Option<&str>,
) {
    let by = author();
    let note = NotePin {
        p_action: action,
        p_snapshot: name.as_str(),
        p_by: &by,
        p_reason: reason,
    };
    let told = match Project::of(environment) {
        Ok(project) => project.call_within(PATIENCE, &note).await.map(|_| ()),
        Err(error) => Err(error),
    };
    if let Err(error) = told {
        output::note(&format!("the audit log does not tell of it: {error:#}"));
    }
}
