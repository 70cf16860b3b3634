//! The probes of a tick: the app's URLs, their certificates, and the services
//! that the app stands on, all at once.

use std::{collections::BTreeMap, time::Duration};

use futures_util::future::{join, join_all};
use jiff::Timestamp;
use reqwest::{Response, tls::TlsInfo};
use serde_json::{Map, Value, json};
use x509_cert::{Certificate, der::Decode};

use super::{
    check::{Check, Kind, Status},
    targets::Target,
};
use crate::{
    app::App,
    clock::{self, Deadline, milliseconds},
    health::{self, service::Service},
    outbound::{self, Failure},
};

/// How long the app may take. Longer than the slowest answer that is still an
/// answer (5 s is a high alert), so that slow and down are told apart.
const APP_TIMEOUT: Duration = Duration::from_secs(10);

/// How much of a page is searched for the expected text, in bytes.
const PAGE_LIMIT: usize = 4 * 1024 * 1024;

/// Probes everything; takes as long as the slowest.
pub(super) async fn probe_all(app: &App, targets: &[Target], deadline: Deadline) -> Vec<Check> {
    let pages = join_all(
        targets
            .iter()
            .map(|target| page(app, target, deadline.within(APP_TIMEOUT))),
    );
    let services = join_all(Service::ALL.map(|service| async move {
        let reading = health::probes::probe(app, service, deadline.within(health::DEADLINE)).await;
        Check::of_service(service, &reading)
    }));
    let (pages, services) = join(pages, services).await;
    let (pages, expiries): (Vec<_>, Vec<_>) = pages.into_iter().unzip();
    pages
        .into_iter()
        .chain(services)
        .chain(certificates(targets, &expiries, clock::now()))
        .collect()
}

/// The verdict over one answer of the app.
struct Verdict {
    status: Status,
    reason: Option<&'static str>,
    status_code: Option<u16>,
}

impl Verdict {
    fn down(reason: &'static str, status_code: Option<u16>) -> Self {
        Self {
            status: Status::Down,
            reason: Some(reason),
            status_code,
        }
    }
}

async fn page(app: &App, target: &Target, deadline: Deadline) -> (Check, Option<Timestamp>) {
    let started = clock::instant();
    let (verdict, expiry) = match request(app, target, deadline).await {
        Ok(response) => {
            let expiry = expiry(&response);
            (judge(target, response).await, expiry)
        }
        Err(failure) => (Verdict::down(failure.as_str(), None), None),
    };
    let mut detail: Map<String, Value> = Map::new();
    detail.insert("url".into(), json!(target.url));
    detail.insert("statusCode".into(), json!(verdict.status_code));
    let check = Check {
        name: target.name.clone(),
        kind: Kind::App,
        service: "app",
        critical: true,
        status: verdict.status,
        latency_ms: Some(milliseconds(clock::instant().duration_since(started))),
        reason: verdict.reason,
        detail,
    };
    (check, expiry)
}

async fn request(app: &App, target: &Target, deadline: Deadline) -> Result<Response, Failure> {
    app.outbound
        .client()?
        .get(target.url.clone())
        .timeout(deadline.remaining())
        .send()
        .await
        .map_err(|error| Failure::of(&error))
}

async fn judge(target: &Target, response: Response) -> Verdict {
    let status = response.status();
    let code = Some(status.as_u16());
    if !target.expects(status.as_u16()) {
        let reason = if status.is_redirection() {
            "redirect"
        } else {
            "http_status"
        };
        return Verdict::down(reason, code);
    }
    let Some(text) = &target.contains else {
        return Verdict {
            status: Status::Up,
            reason: None,
            status_code: code,
        };
    };
    match outbound::body(response, PAGE_LIMIT).await {
        Err(failure) => Verdict::down(failure.as_str(), code),
        Ok(body) if String::from_utf8_lossy(&body).contains(text) => Verdict {
            status: Status::Up,
            reason: None,
            status_code: code,
        },
        Ok(_) => Verdict::down("text", code),
    }
}

/// When the certificate of an answer's connection ends.
fn expiry(response: &Response) -> Option<Timestamp> {
    let der = response.extensions().get::<TlsInfo>()?.peer_certificate()?;
    not_after(der)
}

fn not_after(der: &[u8]) -> Option<Timestamp> {
    let certificate = Certificate::from_der(der).ok()?;
    let end = certificate
        .tbs_certificate
        .validity
        .not_after
        .to_unix_duration();
    Timestamp::from_second(i64::try_from(end.as_secs()).ok()?).ok()
}

/// One check for each host that is reached over TLS. One whose certificate was
/// not seen is unknown: why it was not is the page's own verdict.
fn certificates<'a>(
    targets: &'a [Target],
    expiries: &'a [Option<Timestamp>],
    now: Timestamp,
) -> impl Iterator<Item = Check> + 'a {
    let mut hosts: BTreeMap<&str, Option<Timestamp>> = BTreeMap::new();
    for (target, expiry) in targets.iter().zip(expiries) {
        if let ("https", Some(host)) = (target.url.scheme(), target.url.host_str()) {
            let seen = hosts.entry(host).or_default();
            *seen = [*seen, *expiry].into_iter().flatten().min();
        }
    }
    hosts
        .into_iter()
        .map(move |(host, expiry)| certificate(host, expiry, now))
}

fn certificate(host: &str, expiry: Option<Timestamp>, now: Timestamp) -> Check {
    let days_left = expiry.map(|end| end.duration_since(now).as_hours().div_euclid(24));
    let mut detail = Map::new();
    detail.insert("host".into(), json!(host));
    detail.insert("daysLeft".into(), json!(days_left));
    detail.insert("notAfter".into(), json!(expiry));
    Check {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_left_are_whole_days_and_an_unseen_certificate_is_unknown() {
        let now: Timestamp = "2026-03-01T12:00:00Z".parse().unwrap();
        for (end, days) in [
            ("2026-03-08T12:00:00Z", 7),
            ("2026-03-08T11:59:59Z", 6),
            ("2026-03-01T11:00:00Z", -1),
        ] {
            let check = certificate("wine.example", Some(end.parse().unwrap()), now);
            assert_eq!(check.detail["daysLeft"], days, "{end}");
            assert_eq!(check.status, Status::Up);
        }
        let unseen = certificate("wine.example", None, now);
        assert_eq!(
            (unseen.status, &unseen.detail["daysLeft"]),
            (Status::Unknown, &Value::Null)
        );
    }

    #[test]
    fn a_host_is_one_check_with_the_certificate_that_ends_first() {
        let target = |url: &str| Target {
            name: url.into(),
            url: url.parse().unwrap(),
            status: Vec::new(),
            contains: None,
        };
        let targets = [
            target("https://wine.example/"),
            target("https://wine.example/login"),
            target("http://localhost:1/"),
        ];
        let now: Timestamp = "2026-03-01T00:00:00Z".parse().unwrap();
        let end: Timestamp = "2026-03-11T00:00:00Z".parse().unwrap();
        let later = "2026-04-11T00:00:00Z".parse().unwrap();
        let checks: Vec<_> = certificates(&targets, &[Some(later), Some(end), None], now).collect();
        assert_eq!(checks.len(), 1);
        assert_eq!(checks[0].name, "certificate:wine.example");
        assert_eq!(checks[0].detail["daysLeft"], 10);
    }
}
