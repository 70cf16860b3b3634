//! The probes of a tick: the app's URLs, the checks that are due, certificates, and
//! the services that the app stands on. As many run at once as an instance bears.

mod http;
mod looks;
mod network;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use futures_util::{
    future::{join, join_all},
    stream::{self, StreamExt},
};
use jiff::Timestamp;
use outside::{
    clock::{self, Deadline, milliseconds},
    outbound::Outbound,
    reach::Reach,
};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value, json};

use super::{
    probe_targets::{Origin, Probe, Target},
    sample::{Kind, Sample, Status},
};
use crate::{
    app::App,
    health::{self, service::Service},
};

/// How many targets are probed at the same time. Below the files that an instance
/// may have open, and enough for a hundred checks to take as long as the slowest.
const AT_ONCE: usize = 128;

/// Probes everything; takes as long as the slowest, or until the deadline.
pub(super) async fn probe_all(
    app: &App,
    reach: Reach,
    targets: &[Target],
    deadline: Deadline,
) -> Vec<Sample> {
    let prober = Prober {
        outbound: &app.outbound,
        variables: &app.config.check_variables,
        reach,
    };
    let services = join_all(Service::ALL.map(|service| async move {
        let reading = health::probes::probe(app, service, deadline.within(health::DEADLINE)).await;
        Sample::of_service(service, &reading)
    }));
    let (pages, services) = join(prober.probe_each(targets, deadline), services).await;
    let (pages, expiries): (Vec<_>, Vec<_>) = pages.into_iter().unzip();
    pages
        .into_iter()
        .chain(services)
        .chain(certificates(targets, &expiries, clock::now()))
        .collect()
}

/// What probing needs of its surroundings.
#[derive(Debug, Clone, Copy)]
pub struct Prober<'a> {
    /// The one HTTP client.
    pub outbound: &'a Outbound,
    /// The variables that headers may name.
    pub variables: &'a BTreeMap<String, SecretString>,
    /// How far what the database names may lead.
    pub reach: Reach,
}

/// What a probe found.
#[derive(Debug)]
struct Finding {
    /// Nothing, or a stable word for what is wrong.
    result: Result<(), &'static str>,
    /// When the certificate that was seen ends.
    expiry: Option<Timestamp>,
    /// Facts that a message may show.
    detail: Map<String, Value>,
}

impl Finding {
    fn down(reason: &'static str, detail: Map<String, Value>) -> Self {
        Self {
            result: Err(reason),
            expiry: None,
            detail,
        }
    }
}

impl Prober<'_> {
    /// In the order of the targets.
    async fn probe_each(
        &self,
        targets: &[Target],
        deadline: Deadline,
    ) -> Vec<(Sample, Option<Timestamp>)> {
        let probes: Vec<_> = targets
            .iter()
            .enumerate()
            .map(|(place, target)| async move { (place, self.look(target, deadline).await) })
            .collect();
        let mut found: Vec<_> = stream::iter(probes)
            .buffer_unordered(AT_ONCE)
            .collect()
            .await;
        found.sort_unstable_by_key(|(place, _)| *place);
        found.into_iter().map(|(_, found)| found).collect()
    }

    /// Probes one target, and says when the certificate that it saw ends. What
    /// there was no time for is unknown, not down.
    pub async fn probe(&self, target: &Target, deadline: Deadline) -> (Sample, Option<Timestamp>) {
        if deadline.has_passed() {
            let sample = sample(
                target,
                Status::Unknown,
                Some("not_reached"),
                None,
                Map::new(),
            );
            return (sample, None);
        }
        let started = clock::instant();
        let Finding {
            result,
            expiry,
            detail,
        } = self.find(target, deadline.within(target.timeout)).await;
        let took = milliseconds(clock::instant().duration_since(started));
        let (status, reason) = match result {
            Ok(()) => (Status::Up, None),
            // Our time was up, not the target's.
            Err("timeout") if deadline.has_passed() => (Status::Unknown, Some("not_reached")),
            Err(reason) => (Status::Down, Some(reason)),
        };
        (sample(target, status, reason, Some(took), detail), expiry)
    }

    async fn find(&self, target: &Target, deadline: Deadline) -> Finding {
        let reach = match target.origin {
            Origin::Environment => Reach::Anywhere,
            Origin::Setting | Origin::Check => self.reach,
        };
        match &target.probe {
            Probe::Http(wanted) => http::probe(self, wanted, reach, deadline).await,
            Probe::Tls(wanted) => network::tls(self, wanted, reach, deadline).await,
            Probe::Dns(wanted) => network::dns(wanted, deadline).await,
            Probe::Tcp(wanted) => network::tcp(wanted, reach, deadline).await,
        }
    }

    /// A header's value with its variables filled in.
    fn fill(&self, text: &str) -> Result<String, &'static str> {
        let mut filled = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            let (name, after) = after.split_once('}').ok_or("variable")?;
            let value = self.variables.get(name).ok_or("variable")?;
            filled.push_str(before);
            filled.push_str(value.expose_secret());
            rest = after;
        }
        filled.push_str(rest);
        Ok(filled)
    }
}

fn sample(
    target: &Target,
    status: Status,
    reason: Option<&'static str>,
    latency_ms: Option<f64>,
    detail: Map<String, Value>,
) -> Sample {
    let kind = target.kind();
    Sample {
        name: target.name.clone(),
        kind,
        service: "app",
        critical: kind == Kind::App,
        status,
        latency_ms,
        reason,
        detail,
    }
}

/// One sample for each host that is reached over TLS. One whose certificate was
/// not seen is unknown: why it was not is the page's own verdict.
fn certificates<'a>(
    targets: &'a [Target],
    expiries: &'a [Option<Timestamp>],
    now: Timestamp,
) -> impl Iterator<Item = Sample> + 'a {
    let mut hosts: BTreeMap<&str, Option<Timestamp>> = BTreeMap::new();
    for (target, expiry) in targets.iter().zip(expiries) {
        if let Some(host) = target.certified_host() {
            let seen = hosts.entry(host).or_default();
            *seen = [*seen, *expiry].into_iter().flatten().min();
        }
    }
    hosts
        .into_iter()
        .map(move |(host, expiry)| certificate(host, expiry, now))
}

fn certificate(host: &str, expiry: Option<Timestamp>, now: Timestamp) -> Sample {
    let days_left = expiry.map(|end| end.duration_since(now).as_hours().div_euclid(24));
    let mut detail = Map::new();
    detail.insert("host".into(), json!(host));
    detail.insert("daysLeft".into(), json!(days_left));
    detail.insert("notAfter".into(), json!(expiry));
    Sample {
        name: format!("certificate:{host}"),
        kind: Kind::Certificate,
        service: "app",
        critical: false,
        status: if expiry.is_some() {
            Status::Up
        } else {
            Status::Unknown
        },
        latency_ms: None,
        reason: None,
        detail,
    }
}
