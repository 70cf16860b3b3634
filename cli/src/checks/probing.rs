//! `pourtrait checks test`: a check's probe, now and from this machine.

use std::time::Duration;

use ops::monitoring::{
    probe_targets,
    probes::{Prober, Sighting},
    sample::{self, Status},
};
use outside::{clock::Deadline, outbound::Outbound, reach::Reach};
use serde_json::{Value, json};

use super::check_list::{ListChecks, Watched};
use crate::{
    answered::{self, Answered, word},
    environment::Environment,
    project::Project,
};
use terminal::{
    failure::{Misuse, Verdict},
    output::Output,
};

/// How long a probe may take; the check's own time-out is shorter.
const PROBE: Duration = Duration::from_secs(15);

pub(super) async fn run(
    project: &Project,
    name: &str,
    environment: &Environment,
    output: Output,
) -> anyhow::Result<Verdict> {
    let checks = project.call(&ListChecks {}).await?.checks;
    let (answered, watched) = find(&checks, name)?;
    let kind = watched.check.common.kind;
    if kind.is_judged_by_the_monitor() {
        let text = format!(
            "{name} ({}) is read by the monitor itself: {}",
            word(kind),
            watched.seen()
        );
        output.result(answered.document(), &text);
        return Ok(verdict(watched.status == Some(Status::Up)));
    }
    probe(watched, environment, output).await
}

/// The check of that name, as it was answered and as it is read.
fn find<'a>(
    checks: &'a [Answered<Watched>],
    name: &str,
) -> Result<(&'a Answered<Watched>, &'a Watched), Misuse> {
    answered::find(checks, |watched| watched.check.common.name == name).ok_or_else(|| {
        Misuse(format!(
            "no check is called {name}: see `pourtrait checks list`"
        ))
    })
}

/// Probes from this machine, wherever the check may lead: whoever runs this can
/// reach it anyway.
async fn probe(
    watched: &Watched,
    environment: &Environment,
    output: Output,
) -> anyhow::Result<Verdict> {
    let target = probe_targets::of_check(&watched.check.fields.clone().into())
        .map_err(|unusable| Misuse(format!("{}: {}", unusable.name, unusable.fault)))?;
    let variables = environment.config().check_variables;
    let prober = Prober {
        outbound: &Outbound::default(),
        variables: &variables,
        reach: Reach::Anywhere,
    };
    let (found, sightings) = prober.probe(&target, Deadline::after(PROBE)).await;
    let mut parts = parts(&found);
    parts.extend(sightings.iter().map(certificate));
    let ends: Vec<_> = sightings.iter().map(ending).collect();
    output.result(
        &json!({ "check": found, "certificates": ends }),
        &format!("{}: {}", watched.check.common.name, parts.join(", ")),
    );
    Ok(verdict(found.status == Status::Up))
}

fn ending(sighting: &Sighting) -> Value {
    let first = &sighting.first;
    json!({ "host": sighting.host, "subject": first.subject, "notAfter": first.not_after })
}

fn certificate(sighting: &Sighting) -> String {
    let Sighting { host, first, .. } = sighting;
    let whose = if sighting.is_intermediate {
        format!("intermediate {}", first.subject)
    } else {
        "certificate".to_owned()
    };
    format!("{whose} of {host} until {}", first.not_after)
}

/// What was found, why, and after what time.
fn parts(found: &sample::Sample) -> Vec<String> {
    let mut parts = vec![word(found.status)];
    parts.extend(found.reason.map(str::to_owned));
    let instead = found.detail.get("found").and_then(Value::as_str);
    parts.extend(instead.map(str::to_owned));
    parts.extend(
        found
            .latency_ms
            .map(|latency| format!("after {latency:.0} ms")),
    );
    parts
}

fn verdict(good: bool) -> Verdict {
    if good { Verdict::Good } else { Verdict::Bad }
}
