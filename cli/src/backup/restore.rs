//! `pourtrait backup restore`: a backup into an empty database.

use anyhow::Context;
use backup::{
    format::Snapshot,
    masking::{MaskError, Masking},
    restore::{self, Cause, Missing, Request, Restored},
    selection::Selection,
};
use outside::{clock, database};
use secrecy::SecretString;
use serde_json::{Value, json};

use super::{
    arguments::Restore,
    choice, dry_run, masks,
    progress::Progress,
    quantities,
    repository::{Repository, identities},
};
use crate::{environment::Environment, privacy::following};
use terminal::{
    failure::{Misuse, Verdict},
    output::{self, Output},
};

pub(super) async fn run(
    options: Restore,
    environment: &Environment,
    output: Output,
) -> anyhow::Result<Verdict> {
    let into: SecretString = options.into.unwrap_or_default().into();
    let host = database::host(&into)
        .map_err(|error| Misuse(format!("--into: {error}").replace("DATABASE_URL", "it")))?;
    let selection = options.choice.selection(options.data_only)?;
    let masks = options.masks.mask.as_deref().map(masks::read).transpose()?;
    let repository = Repository::of(environment)?;
    let identities = identities(&options.key, environment)?;
    let snapshot = options.moment.find(&repository, &options.snapshot).await?;
    output::note(&format!("target: {host}"));
    output::note(&intention(&snapshot, &selection));
    if !(options.yes || options.trial.dry_run) {
        let nothing = format!(
            "nothing was done: to restore into {host}, say --yes; to see what would be done, --dry-run"
        );
        return Err(Misuse(nothing).into());
    }
    let ca = options.ca.or_else(|| environment.get("DATABASE_CA"));
    let request = Request {
        store: &repository.store,
        snapshot: &snapshot,
        identities: &identities,
        into: &into,
        ca: ca.as_deref(),
        selection: &selection,
        jobs: options.jobs.into(),
        strict: options.strict,
        masking: masks.as_ref().map(|file| Masking {
            file,
            unnamed: options.masks.yes_unmasked,
        }),
    };
    if options.trial.dry_run {
        return dry_run::run(&host, &request, environment, output).await;
    }
    output::note(&dry_run::duration(environment, snapshot.totals.raw_bytes).await);
    let progress = Progress::new();
    let restored = restore::restore(request, &|event| progress.show(event)).await;
    progress.finish();
    let restored = restored.map_err(|error| match error.cause() {
        Cause::Unknown(unknown) => Misuse(unknown.to_string()).into(),
        Cause::Mask(MaskError::Unnamed(_)) => anyhow::Error::new(error).context(
            "name each in the file of masks, with `keep` where it may stay, or say --yes-unmasked",
        ),
        _ => anyhow::Error::new(error),
    })?;
    for note in &restored.notes {
        output::note(&format!("note: {note}"));
    }
    let is_whole = options.choice.schema_only || {
        let store = &repository.store;
        following::is_followed(store, &snapshot, &identities, &into, ca.as_deref()).await
    };
    output.result(
        &document(&host, &snapshot, &restored),
        &text(&host, &snapshot, &restored, masks.is_some()),
    );
    if restored.missing.is_empty() {
        return Ok(if is_whole {
            Verdict::Good
        } else {
            Verdict::Bad
        });
    }
    let file = &options.missing;
    std::fs::write(file, script(&restored.missing))
        .with_context(|| format!("cannot write {}", file.display()))?;
    output::note(&format!("the SQL that makes them is in {}", file.display()));
    Ok(Verdict::Bad)
}

/// What makes the missing objects, once what the server says is no longer so.
fn script(missing: &[Missing]) -> String {
    let comment = |text: &str| text.replace(['\n', '\r'], " ");
    let entry = |missing: &Missing| {
        format!(
            "-- {}\n-- {}\n{}\n",
            comment(&missing.what),
            comment(&missing.reason),
            missing.statement
        )
    };
    missing.iter().map(entry).collect()
}

fn intention(snapshot: &Snapshot, selection: &Selection) -> String {
    let rows = choice::told(selection).unwrap_or_else(|| {
        format!(
            "{} rows of {} tables, {}",
            quantities::count(snapshot.totals.rows),
            quantities::count(snapshot.totals.tables),
            quantities::bytes(snapshot.totals.raw_bytes)
        )
    });
    let suspect = match &snapshot.suspect {
        Some(reason) => format!("\nSUSPECT: {reason}"),
        None => String::new(),
    };
    format!("{}: {rows}{suspect}", taken(snapshot))
}

/// Which backup, and how old.
pub(super) fn taken(snapshot: &Snapshot) -> String {
    format!(
        "backup: {}, taken {:.0}, {} ago",
        snapshot.snapshot,
        snapshot.taken_at,
        quantities::age(clock::now(), snapshot.taken_at)
    )
}

fn document(host: &str, snapshot: &Snapshot, restored: &Restored) -> Value {
    let notes: Vec<_> = restored.notes.iter().map(ToString::to_string).collect();
    let missing: Vec<_> = restored.missing.iter().map(missing_document).collect();
    json!({
        "host": host,
        "backup": snapshot.snapshot,
        "takenAt": snapshot.taken_at,
        "tables": restored.tables,
        "rows": restored.rows,
        "bytes": restored.bytes,
        "seconds": restored.took.as_secs_f64(),
        "equal": restored.is_equal(),
        "missing": missing,
        "notes": notes,
        "afterRestore": restored.after_restore,
    })
}

fn missing_document(missing: &Missing) -> Value {
    json!({
        "what": missing.what,
        "reason": missing.reason,
        "statement": missing.statement,
    })
}

fn text(host: &str, snapshot: &Snapshot, restored: &Restored, is_masked: bool) -> String {
    let restored_rows = format!(
        "restored {} into {host}: {} rows of {} tables, {} in {}",
        snapshot.snapshot,
        quantities::count(restored.rows),
        quantities::count(restored.tables as u64),
        quantities::bytes(restored.bytes),
        quantities::took(restored.took)
    );
    if restored.missing.is_empty() {
        if is_masked {
            return format!(
                "{restored_rows}\nevery table was counted and hashed there, and holds what the masks made of the backup"
            );
        }
        let but_for = if restored.is_equal() {
            ""
        } else {
            ", but for what the notes name"
        };
        return format!(
            "{restored_rows}\n\
             every table was counted and hashed there, and is equal to the backup{but_for}"
        );
    }
    let lines: Vec<_> = restored
        .missing
        .iter()
        .map(|missing| format!("missing: {}: {}", missing.what, missing.reason))
        .collect();
    let objects = match restored.missing.len() {
        1 => "1 object".to_owned(),
        several => format!("{several} objects"),
    };
    format!(
        "{restored_rows}, {objects} missing\n\
         these tables were counted and hashed there, and are equal to the backup\n{}",
        lines.join("\n")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_a_script_whose_comments_hold_no_statement() {
        let missing = [Missing {
            what: "index public.a\ndrop table b".into(),
            reason: "no\rway".into(),
            statement: "create index a on public.t (id);\n".into(),
        }];
        assert_eq!(
            script(&missing),
            "-- index public.a drop table b\n-- no way\ncreate index a on public.t (id);\n\n"
        );
    }
}
