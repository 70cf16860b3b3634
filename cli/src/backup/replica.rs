//! `pourtrait backup replicate` and `heal`: the copy of the backups in another place, and either
//! of the two made whole from the other.

use std::time::Duration;

use anyhow::Context;
use backup::{
    catalogue,
    replication::{self, Healed, Report},
    store::Store,
};
use ops::backups::replication::RecordReplication;
use outside::{clock::Deadline, outbound::Outbound};
use serde_json::json;

use super::{arguments::Heal, progress, quantities, repository::Repository};
use crate::{
    environment::Environment,
    project::{PATIENCE, Project},
};
use terminal::{
    failure::{Misuse, Verdict},
    output::{self, Output},
};

/// How long copying may take: a first copy of large backups takes hours.
const COPYING: Duration = Duration::from_secs(24 * 60 * 60);

pub(super) async fn replicate(
    environment: &Environment,
    output: Output,
) -> anyhow::Result<Verdict> {
    let from = Repository::of(environment)?.store;
    let (to, name) = copy(environment)?;
    output::note(&format!("from {} to {}", from.place(), to.place()));
    let bar = progress::bar("copying objects", 0, progress::COUNTED);
    let mut watch = |report: &Report| bar.set_position(report.objects);
    let copied = replication::replicate(&from, &to, Deadline::after(COPYING), &mut watch).await;
    bar.finish_and_clear();
    tell(environment, &RecordReplication::of(&name, &copied)).await;
    let report = copied.with_context(|| format!("nothing is copied to {}", to.place()))?;
    let (here, there) = report.newest;
    let hindered = report.hindered.iter();
    let hindered: Vec<_> = hindered
        .map(|(name, why)| json!({ "snapshot": name, "why": why }))
        .collect();
    let document = json!({
        "copied": report.copied, "objects": report.objects, "bytes": report.bytes, "hindered": hindered,
        "newestHere": here, "newestThere": there,
    });
    output.result(&document, &text(&report, &to));
    Ok(if report.hindered.is_empty() {
        Verdict::Good
    } else {
        Verdict::Bad
    })
}

fn text(report: &Report, to: &Store) -> String {
    let place = to.place();
    let mut lines = vec![match report.copied.len() {
        0 => format!("{place} has every backup that can be copied"),
        count => format!(
            "copied to {place}: {} backups, {} objects, {}",
            quantities::count(count as u64),
            quantities::count(report.objects),
            quantities::bytes(report.bytes)
        ),
    }];
    for (name, why) in &report.hindered {
        lines.push(format!("NOT COPIED: {name}: {why}"));
    }
    lines.join("\n")
}

pub(super) async fn heal(
    options: &Heal,
    environment: &Environment,
    output: Output,
) -> anyhow::Result<Verdict> {
    let (here, (there, _)) = (Repository::of(environment)?.store, copy(environment)?);
    let (damaged, whole) = if options.copy {
        (there, here)
    } else {
        (here, there)
    };
    output::note(&format!(
        "healing {} from {}",
        damaged.place(),
        whole.place()
    ));
    // Where the record itself is damaged, the other place knows the name.
    let name = match catalogue::find(&damaged, &options.snapshot).await {
        Ok(snapshot) => snapshot.snapshot,
        Err(_) => catalogue::find(&whole, &options.snapshot).await?.snapshot,
    };
    let bar = progress::bar("reading objects", 0, progress::COUNTED);
    let mut watch = |healed: &Healed| bar.set_position(healed.checked);
    let healed = replication::heal(&damaged, &whole, &name, &mut watch).await;
    bar.finish_and_clear();
    let healed = healed?;
    let faults: Vec<_> = healed
        .faults
        .iter()
        .map(|fault| json!({ "object": fault.path, "what": fault.what }))
        .collect();
    let document = json!({
        "snapshot": name, "checked": healed.checked, "healed": healed.healed, "faults": faults,
    });
    let mut lines = vec![format!(
        "{name}: {} objects, {} written anew",
        quantities::count(healed.checked),
        healed.healed.len()
    )];
    lines.extend(
        healed
            .faults
            .iter()
            .map(|fault| format!("NOT HEALED: {}: {}", fault.path, fault.what)),
    );
    output.result(&document, &lines.join("\n"));
    Ok(if healed.faults.is_empty() {
        Verdict::Good
    } else {
        Verdict::Bad
    })
}

/// The store that `BACKUP_REPLICA_URL` names, and what is kept of that name.
fn copy(environment: &Environment) -> anyhow::Result<(Store, String)> {
    let place = environment.config().replica;
    let unset = || {
        let origin = environment.origin();
        Misuse(format!(
            "BACKUP_REPLICA_URL names no place of its own in {origin}: see `pourtrait check`"
        ))
    };
    let place = place.ok_or_else(unset)?;
    let opened = place.open(&Outbound::default());
    let opened = opened.map_err(|error| Misuse(format!("BACKUP_REPLICA_URL: {error}")))?;
    Ok((opened, place.name().to_owned()))
}

/// What was copied is copied, whether or not the project hears of it.
async fn tell(environment: &Environment, record: &RecordReplication) {
    let told = match Project::of(environment) {
        Ok(project) => project.call_within(PATIENCE, record).await.map(drop),
        Err(error) => Err(error),
    };
    if let Err(error) = told {
        output::note(&format!("the project is not told: {error:#}"));
    }
}
