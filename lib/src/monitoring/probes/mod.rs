//! The probes of a tick: the app's URLs, the checks that are due, certificates, and
//! the services that the app stands on. As many run at once as an instance bears.

mod body;
mod carried;
mod dns;
mod http;
mod looks;
mod network;
mod start_tls;
#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, error::Error};

use futures_util::{
    future::{join, join_all},
    stream::{self, StreamExt},
};
use jiff::Timestamp;
use outside::{
    certificates::{Certificate, Objection, Witness},
    clock::{self, Deadline, milliseconds},
    failure::Failure,
    outbound::Outbound,
    reach::Reach,
    tls,
};
use secrecy::SecretString;
use serde_json::{Map, Value, json};

use carried::{Carried, Writing};

use super::{
    expectation::Unmet,
    probe_targets::{Credentials, Origin, Probe, Target},
    sample::{Kind, Sample, Status},
};
use crate::{
    app::App,
    health::{self, service::Service},
};

/// How many targets are probed at the same time. Below the files that an instance
/// may have open, and enough for a hundred checks to take as long as the slowest.
const AT_ONCE: usize = 128;

/// How much of what a server said a message repeats, in characters.
const EXCERPT: usize = 100;

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
    let (pages, sightings): (Vec<_>, Vec<_>) = pages.into_iter().unzip();
    let sightings: Vec<_> = sightings.into_iter().flatten().collect();
    pages
        .into_iter()
        .chain(services)
        .chain(certificates(targets, &sightings, clock::now()))
        .collect()
}

/// What probing needs of its surroundings.
#[derive(Debug, Clone, Copy)]
pub struct Prober<'a> {
    /// The one HTTP client.
    pub outbound: &'a Outbound,
    /// The variables that checks may name.
    pub variables: &'a BTreeMap<String, SecretString>,
    /// How far what the database names may lead.
    pub reach: Reach,
}

/// What a probe saw of a host's certificates.
#[derive(Debug, Clone)]
pub struct Sighting {
    /// The host that was connected to.
    pub host: String,
    /// The certificate that ends first.
    pub first: Certificate,
    /// Whether that is one above the host's own.
    pub is_intermediate: bool,
}

impl Sighting {
    fn of(host: &str, witness: &Witness) -> Option<Self> {
        let chain = witness.chain()?;
        let first = chain.first_to_end();
        Some(Self {
            host: host.to_owned(),
            first: first.clone(),
            is_intermediate: *first != chain.leaf,
        })
    }
}

/// What a probe found.
#[derive(Debug)]
struct Finding {
    result: Result<(), Fault>,
    /// One for each host that showed its certificate.
    sightings: Vec<Sighting>,
    /// Facts that a message may show.
    detail: Map<String, Value>,
}

impl Finding {
    /// Without any certificate.
    fn of(result: Result<(), Fault>, detail: Map<String, Value>) -> Self {
        Self {
            result,
            sightings: Vec::new(),
            detail,
        }
    }
}

/// Why something is not up.
#[derive(Debug)]
struct Fault {
    /// A stable word.
    reason: &'static str,
    /// What was found instead, as a message may show it.
    found: Option<String>,
}

impl Fault {
    /// The fault behind an error, if it is one of TLS with what the witness saw.
    fn of(error: &(dyn Error + 'static), failure: Failure, witness: &Witness) -> Self {
        match tls::objection(error) {
            Some(cause) => {
                let objection = Objection::of(cause, witness.chain());
                Self {
                    reason: objection.as_str(),
                    found: Some(objection.to_string()).filter(|found| !found.is_empty()),
                }
            }
            None => failure.into(),
        }
    }
}

impl Fault {
    fn with(reason: &'static str, found: String) -> Self {
        Self {
            reason,
            found: Some(found),
        }
    }
}

impl From<&'static str> for Fault {
    fn from(reason: &'static str) -> Self {
        Self {
            reason,
            found: None,
        }
    }
}

impl From<Unmet> for Fault {
    fn from(unmet: Unmet) -> Self {
        Self {
            reason: unmet.reason,
            found: unmet.which,
        }
    }
}

impl From<Failure> for Fault {
    fn from(failure: Failure) -> Self {
        failure.as_str().into()
    }
}

impl Prober<'_> {
    /// In the order of the targets.
    async fn probe_each(
        &self,
        targets: &[Target],
        deadline: Deadline,
    ) -> Vec<(Sample, Vec<Sighting>)> {
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

    /// Probes one target, and says which certificates it saw. What there was no
    /// time for is unknown, not down.
    pub async fn probe(&self, target: &Target, deadline: Deadline) -> (Sample, Vec<Sighting>) {
        if deadline.has_passed() {
            let sample = sample(
                target,
                Status::Unknown,
                Some("not_reached"),
                None,
                Map::new(),
            );
            return (sample, Vec::new());
        }
        let started = clock::instant();
        let Finding {
            result,
            sightings,
            mut detail,
        } = self.find(target, deadline.within(target.timeout)).await;
        let took = milliseconds(clock::instant().duration_since(started));
        let (status, reason) = match result {
            Ok(()) => (Status::Up, None),
            // Our time was up, not the target's.
            Err(fault) if fault.reason == "timeout" && deadline.has_passed() => {
                (Status::Unknown, Some("not_reached"))
            }
            Err(Fault { reason, found }) => {
                detail.extend(found.map(|found| ("found".to_owned(), found.into())));
                (Status::Down, Some(reason))
            }
        };
        (
            sample(target, status, reason, Some(took), detail),
            sightings,
        )
    }

    async fn find(&self, target: &Target, deadline: Deadline) -> Finding {
        let reach = match target.origin {
            Origin::Environment => Reach::Anywhere,
            Origin::Setting | Origin::Check => self.reach,
        };
        match &target.probe {
            Probe::Http(wanted) => http::probe(self, wanted, reach, deadline).await,
            Probe::Tls(wanted) => network::tls(self, wanted, reach, deadline).await,
            Probe::Dns(wanted) => match wanted.record {
                Some(record) => dns::probe(wanted, record, reach, deadline).await,
                None => network::dns(wanted, deadline).await,
            },
            Probe::Tcp(wanted) => network::tcp(wanted, reach, deadline).await,
        }
    }

    /// What a connection trusts and shows, from the variables that hold it.
    fn credentials(&self, named: &Credentials) -> Result<tls::Credentials, Fault> {
        let variables = Carried::new(self.variables);
        let read = |name: &Option<String>| {
            let pem = name
                .as_deref()
                .map(|name| variables.fill(name, Writing::Plain));
            // Some platforms keep a text of several lines as one.
            pem.transpose()
                .map(|pem| pem.map(|pem| pem.replace("\\n", "\n")))
        };
        let (ca, certificate, key) = (
            read(&named.ca)?,
            read(&named.certificate)?,
            read(&named.key)?,
        );
        let unread = |what: &str| Fault::with("variable", format!("it holds no {what}"));
        let roots = match ca {
            Some(pem) => tls::certificates(&pem).ok_or_else(|| unread("root"))?,
            None => Vec::new(),
        };
        let identity = match (certificate, key) {
            (Some(certificate), Some(key)) => Some((
                tls::certificates(&certificate).ok_or_else(|| unread("certificate"))?,
                tls::private_key(&key).ok_or_else(|| unread("private key"))?,
            )),
            (_, _) => None,
        };
        Ok(tls::Credentials { roots, identity })
    }
}

/// The beginning of what a server said, on one line.
fn excerpt(text: &str) -> String {
    let start = text.trim().chars().take(EXCERPT);
    start
        .map(|sign| if sign.is_control() { ' ' } else { sign })
        .collect()
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

/// One sample for each host that is reached over TLS, redirects included. One whose
/// certificate was not seen is unknown: why it was not is the page's own verdict.
fn certificates<'a>(
    targets: &'a [Target],
    sightings: &'a [Sighting],
    now: Timestamp,
) -> impl Iterator<Item = Sample> + 'a {
    let expected = targets.iter().filter_map(Target::certified_host);
    let mut hosts: BTreeMap<&str, Option<&Sighting>> = expected.map(|host| (host, None)).collect();
    for seen in sightings {
        let worst = hosts.entry(&seen.host).or_default();
        if worst.is_none_or(|worst| seen.first.not_after < worst.first.not_after) {
            *worst = Some(seen);
        }
    }
    hosts
        .into_iter()
        .map(move |(host, seen)| certificate(host, seen, now))
}

fn certificate(host: &str, seen: Option<&Sighting>, now: Timestamp) -> Sample {
    let end = seen.map(|seen| seen.first.not_after);
    let days_left = end.map(|end| end.duration_since(now).as_hours().div_euclid(24));
    let above = seen.filter(|seen| seen.is_intermediate);
    let mut detail = Map::new();
    detail.insert("host".into(), json!(host));
    detail.insert("daysLeft".into(), json!(days_left));
    detail.insert("notAfter".into(), json!(end));
    detail.extend(above.map(|above| ("found".to_owned(), json!(above.first.subject))));
    Sample {
        name: format!("certificate:{host}"),
        kind: Kind::Certificate,
        service: "app",
        critical: false,
        status: if seen.is_some() {
            Status::Up
        } else {
            Status::Unknown
        },
        latency_ms: None,
        reason: above.map(|_| "intermediate"),
        detail,
    }
}
