//! `pourtrait backup restore --dry-run`: what a restore would do, and how long it may take.

use std::time::Duration;

use backup::restore::{self, Cause, Preview, Request};
use serde_json::{Value, json};

use super::{known_drills::known_soon, quantities};
use crate::environment::Environment;
use terminal::{
    failure::{Misuse, Verdict},
    output::Output,
};

pub(super) async fn run(
    host: &str,
    request: &Request<'_>,
    environment: &Environment,
    output: Output,
) -> anyhow::Result<Verdict> {
    let preview = restore::preview(request).await;
    let preview = preview.map_err(|cause| match cause {
        Cause::Unknown(unknown) => Misuse(unknown.to_string()).into(),
        other => anyhow::Error::new(other).context("nothing was changed"),
    })?;
    let rate = measured_rate(environment).await;
    output.result(
        &document(host, request, &preview, rate),
        &text(&preview, rate),
    );
    Ok(if preview.refused.is_some() {
        Verdict::Bad
    } else {
        Verdict::Good
    })
}

/// How long a restore of so many bytes may take, in words.
pub(super) async fn duration(environment: &Environment, bytes: u64) -> String {
    duration_text(bytes, measured_rate(environment).await)
}

/// The bytes of rows that drills restored in a second, where the project knows of any.
async fn measured_rate(environment: &Environment) -> Option<f64> {
    let known = known_soon(environment).await.ok()??;
    known.bytes_per_second()
}

#[expect(clippy::cast_precision_loss, reason = "an estimate is never exact")]
fn estimated(bytes: u64, rate: Option<f64>) -> Option<Duration> {
    rate.and_then(|rate| Duration::try_from_secs_f64(bytes as f64 / rate).ok())
}

fn duration_text(bytes: u64, rate: Option<f64>) -> String {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a rate is positive, and told in three digits"
    )]
    let a_second = |rate: f64| quantities::bytes(rate as u64);
    match (estimated(bytes, rate), rate) {
        (Some(took), Some(rate)) => format!(
            "it may take {}: drills restored {} of rows a second",
            quantities::took(took),
            a_second(rate)
        ),
        (None, _) | (_, None) => {
            "how long it takes is not known: the project knows of no drill that measured it"
                .to_owned()
        }
    }
}

fn text(preview: &Preview, rate: Option<f64>) -> String {
    let mut lines = vec![format!(
        "would restore {} rows of {} tables, {}, from {} objects of {}",
        quantities::count(preview.rows),
        quantities::count(preview.tables),
        quantities::bytes(preview.bytes),
        quantities::count(preview.fetched_objects),
        quantities::bytes(preview.fetched_bytes)
    )];
    lines.push(duration_text(preview.bytes, rate));
    lines.extend(preview.notes.iter().map(|note| format!("note: {note}")));
    lines.push(match &preview.refused {
        Some(cause) => format!("REFUSED: {cause}"),
        None => "nothing was changed: say --yes to restore".to_owned(),
    });
    lines.join("\n")
}

fn document(host: &str, request: &Request<'_>, preview: &Preview, rate: Option<f64>) -> Value {
    let notes: Vec<_> = preview.notes.iter().map(ToString::to_string).collect();
    let seconds = estimated(preview.bytes, rate).map(|took| took.as_secs_f64());
    json!({
        "host": host,
        "backup": request.snapshot.snapshot,
        "takenAt": request.snapshot.taken_at,
        "tables": preview.tables,
        "rows": preview.rows,
        "bytes": preview.bytes,
        "fetchedObjects": preview.fetched_objects,
        "fetchedBytes": preview.fetched_bytes,
        "estimatedSeconds": seconds,
        "notes": notes,
        "refused": preview.refused.as_ref().map(ToString::to_string),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_told_only_where_a_drill_measured_it() {
        assert_eq!(
            duration_text(7_680_000, Some(2_560_000.0)),
            "it may take 3.0 s: drills restored 2.56 MB of rows a second"
        );
        let unknown = duration_text(7_680_000, None);
        assert!(
            unknown.starts_with("how long it takes is not known"),
            "{unknown}"
        );
    }
}
