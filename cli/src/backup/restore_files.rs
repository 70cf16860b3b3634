//! `pourtrait backup restore-files`: the files of Storage into a project again.

use std::sync::Arc;

use backup::{
    files::{
        OpenedFiles, StorageApi,
        restore::{self, RestoredFiles, Target},
    },
    format::{Coverage, Snapshot},
};
use outside::{database, outbound::Outbound, secure_url};
use secrecy::SecretString;
use serde_json::json;
use url::Url;

use super::{
    arguments::RestoreFiles,
    progress, quantities,
    repository::{Repository, identities},
    restore::taken,
};
use crate::{environment::Environment, privacy::following};
use terminal::{
    failure::{Misuse, Verdict},
    output::{self, Output},
};

pub(super) async fn run(
    options: RestoreFiles,
    environment: &Environment,
    output: Output,
) -> anyhow::Result<Verdict> {
    let into: SecretString = options.into.into();
    let host = database::host(&into)
        .map_err(|error| Misuse(format!("--into: {error}").replace("DATABASE_URL", "it")))?;
    let project = project(&options.project)?;
    let repository = Repository::of(environment)?;
    let identities = identities(&options.key, environment)?;
    let snapshot = options.moment.find(&repository, &options.snapshot).await?;
    let store = &repository.store;
    let Some(files) = OpenedFiles::open(store, &snapshot, &identities).await? else {
        return Err(Misuse(format!("{} was taken without files", snapshot.snapshot)).into());
    };
    let name = project.host_str().unwrap_or_default().to_owned();
    output::note(&format!("target: {name}, with the database {host}"));
    output::note(&intention(&snapshot, &files.record.coverage));
    if !options.yes {
        let nothing = format!("nothing was done: to restore files into {name}, say --yes");
        return Err(Misuse(nothing).into());
    }
    let key = options
        .secret_key
        .or_else(|| environment.get("NEW_SUPABASE_SECRET_KEY"))
        .ok_or_else(|| {
            Misuse("no secret key: give --secret-key, or set NEW_SUPABASE_SECRET_KEY".to_owned())
        })?;
    let api = StorageApi::new(Arc::new(Outbound::default()), project, key.into());
    let ca = options.ca.or_else(|| environment.get("DATABASE_CA"));
    let target = Target {
        api: &api,
        database: &into,
        ca: ca.as_deref(),
    };
    let erased = following::erased_since(store, &snapshot, &identities).await?;
    let bar = progress::bar(
        "restoring files",
        files.record.coverage.kept,
        progress::COUNTED,
    );
    let restored = restore::restore(&files, &target, &erased, &|count| bar.inc(count)).await;
    bar.finish_and_clear();
    let restored = restored?;
    let document = json!({
        "project": name,
        "host": host,
        "backup": snapshot.snapshot,
        "restored": restored,
    });
    output.result(&document, &text(&name, &snapshot, &restored));
    Ok(if restored.refused.is_empty() {
        Verdict::Good
    } else {
        Verdict::Bad
    })
}

/// A secret key goes there: over TLS, or to this machine.
fn project(url: &str) -> anyhow::Result<Url> {
    let parsed = secure_url::parse(url);
    Ok(parsed.map_err(|error| Misuse(format!("--project: {error}")))?)
}

fn intention(snapshot: &Snapshot, coverage: &Coverage) -> String {
    let without = coverage.files - coverage.kept;
    let lacking = match without {
        0 => String::new(),
        some => format!(
            "\nit does not have {} of {} files",
            quantities::count(some),
            quantities::count(coverage.files)
        ),
    };
    format!(
        "{}: {} files, {}{lacking}",
        taken(snapshot),
        quantities::count(coverage.kept),
        quantities::bytes(coverage.kept_bytes)
    )
}

fn text(project: &str, snapshot: &Snapshot, restored: &RestoredFiles) -> String {
    let mut lines = vec![
        format!(
            "restored files of {} into {project}: {} uploaded, {}; {} were there already",
            snapshot.snapshot,
            quantities::count(restored.uploaded),
            quantities::bytes(restored.uploaded_bytes),
            quantities::count(restored.already_there)
        ),
        "every file that was uploaded was read back there, and is equal to the backup".to_owned(),
    ];
    lines.extend(notes(restored));
    lines.join("\n")
}

/// What is not as the backup's source had it, a line each.
pub(crate) fn notes(restored: &RestoredFiles) -> Vec<String> {
    let mut lines = Vec::new();
    if !restored.buckets_made.is_empty() {
        lines.push(format!(
            "buckets made: {}",
            restored.buckets_made.join(", ")
        ));
    }
    for (count, what) in [
        (
            restored.newer,
            "are as they were shortly after the backup: they were overwritten meanwhile",
        ),
        (restored.not_in_backup, "are in no backup up to this one"),
        (
            restored.left_out,
            "are of people who were erased since, and do not come back",
        ),
    ] {
        if count > 0 {
            lines.push(format!("{} {what}", quantities::count(count)));
        }
    }
    if !restored.kept_times {
        lines.push(
            "the times of rows may be those of this restore: the role may not silence the trigger that sets them"
                .to_owned(),
        );
    }
    for refused in &restored.refused {
        lines.push(format!(
            "missing: {}/{}: {}",
            refused.bucket, refused.name, refused.reason
        ));
    }
    lines
}
