//! What a tick probes: the app's URLs, and the checks that are due. This file is
//! pure: it turns what the claim of the run returned into targets, one by one, so
//! that a definition that cannot be used takes no other along.

use std::{collections::BTreeMap, net::IpAddr, time::Duration};

use serde::Deserialize;
use serde_json::{Map, Value};
use url::Url;

use super::{
    expectation::Expectation,
    sample::{Kind, Sample, Status},
};

/// How long the app may take. Longer than the slowest answer that is still an
/// answer (5 s is a high alert), so that slow and down are told apart.
const APP_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a name may be; the database keeps no longer one.
const LONGEST_NAME: usize = 1100;

/// One thing to probe.
#[derive(Debug, Clone, PartialEq)]
pub struct Target {
    /// The name of what is probed; its history hangs on it.
    pub name: String,
    /// How long it may take.
    pub timeout: Duration,
    /// How often it is looked at again in the same tick when it was found down.
    pub retries: u8,
    /// Who says where it leads.
    pub origin: Origin,
    /// What is done.
    pub probe: Probe,
}

/// A definition that nothing can be probed by. It is watched all the same: a tick
/// reports it as down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unusable {
    /// The name under which it would have been probed.
    pub name: String,
    /// The kind of its samples.
    pub kind: Kind,
    /// What is wrong with it.
    pub fault: String,
}

/// Who says where a target leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// The deployment's own environment, which may name any address.
    Environment,
    /// The setting `app.urls`.
    Setting,
    /// A check, which an operator may edit.
    Check,
}

/// What is done to find out whether something works; the database has validated
/// it where it came from there.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Probe {
    /// A request and its answer.
    Http(Box<Http>),
    /// A handshake, and how long the certificate is still valid.
    Tls(Tls),
    /// A name that has to resolve.
    Dns(Dns),
    /// A port that has to accept.
    Tcp(Tcp),
}

/// A request and its answer, and what has to be done before.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Http {
    /// Requests that are made first, in this order: signing in, say.
    #[serde(default)]
    pub before: Vec<Step>,
    /// The request that the check is about.
    #[serde(flatten)]
    pub request: Request,
}

/// A request that is made before another one.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Step {
    /// The request.
    #[serde(flatten)]
    pub request: Request,
    /// What later requests need of its answer, by the name that stands for it.
    #[serde(default)]
    pub keep: BTreeMap<String, Keep>,
}

/// Where a value stands in an answer.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Keep {
    /// At a path of its JSON.
    Json {
        /// The path: `$.a.b[0]`.
        json: String,
    },
    /// Where a regular expression is found: its first group.
    Matches {
        /// The expression.
        matches: String,
    },
    /// In a header.
    Header {
        /// The header's name.
        header: String,
    },
}

/// A request, and what its answer has to be. `${CHECK_…}` stands for a variable, and
/// `${name}` for what was kept of an answer before.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Request {
    /// What is requested.
    pub url: Template,
    /// `GET` if none is named.
    pub method: Option<String>,
    /// What is sent with it.
    #[serde(default)]
    pub headers: Map<String, Value>,
    /// What is sent.
    pub body: Option<String>,
    /// How many redirects are followed.
    #[serde(default)]
    pub redirects: u8,
    /// What is trusted and shown.
    #[serde(flatten)]
    pub credentials: Credentials,
    /// What the answer has to be.
    #[serde(flatten)]
    pub expectation: Expectation,
}

/// A URL that may have placeholders behind its host.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Template {
    /// As it was written.
    pub text: String,
    /// With its placeholders standing there as they are: where it leads.
    pub url: Url,
}

impl TryFrom<String> for Template {
    type Error = url::ParseError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Ok(Self {
            url: text.parse()?,
            text,
        })
    }
}

impl From<Url> for Template {
    fn from(url: Url) -> Self {
        Self {
            text: url.to_string(),
            url,
        }
    }
}

/// A handshake.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Tls {
    /// Whose certificate.
    pub host: String,
    /// The protocol's own if none is named.
    port: Option<u16>,
    /// The protocol that is spoken until both sides agree on TLS; none if TLS is
    /// spoken at once.
    pub start_tls: Option<StartTls>,
    /// What is trusted and shown.
    #[serde(flatten)]
    pub credentials: Credentials,
}

impl Tls {
    /// The port that is named, or that of the protocol.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port.unwrap_or(match self.start_tls {
            None => 443,
            Some(StartTls::Smtp) => 25,
            Some(StartTls::Pop3) => 110,
            Some(StartTls::Imap) => 143,
            Some(StartTls::Postgres) => 5432,
        })
    }
}

/// A protocol in which TLS begins on demand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StartTls {
    /// Mail on its way.
    Smtp,
    /// Mail that is read.
    Imap,
    /// Mail that is fetched.
    Pop3,
    /// A database.
    Postgres,
}

/// Which variables hold what a connection trusts beside the public roots, and the
/// certificate that it shows: PEM texts, each named as `${CHECK_…}`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
pub struct Credentials {
    /// Roots.
    pub ca: Option<String>,
    /// The certificate that is shown, with those above it.
    pub certificate: Option<String>,
    /// Its key.
    pub key: Option<String>,
}

/// A name that has to resolve, or that has to have certain records.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Dns {
    /// The name, or of records backwards the address.
    pub host: String,
    /// An address that has to be among the answers.
    pub address: Option<IpAddr>,
    /// Which records are asked for; none if the name has to resolve.
    pub record: Option<Record>,
    /// Records that have to be there, as zone files write them.
    #[serde(default)]
    pub values: Vec<String>,
    /// Whether there must be none.
    #[serde(default)]
    pub absent: bool,
    /// Who is asked; none stands for the system's own servers.
    pub server: Option<IpAddr>,
    /// The port at which that server listens.
    #[serde(default = "dns_port")]
    pub port: u16,
}

/// A kind of record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Record {
    /// An address.
    A,
    /// An address of the newer kind.
    Aaaa,
    /// Who may issue certificates.
    Caa,
    /// Another name.
    Cname,
    /// Where mail goes.
    Mx,
    /// Who knows the zone.
    Ns,
    /// The name of an address.
    Ptr,
    /// The zone itself.
    Soa,
    /// Where a service is.
    Srv,
    /// A text.
    Txt,
}

/// A port that has to accept, and may have to say something.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Tcp {
    /// The machine.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// What is said to it first.
    pub send: Option<String>,
    /// What it has to say.
    #[serde(flatten)]
    pub expectation: Expectation,
}

/// A check, as the claim returns it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Check {
    name: String,
    timeout_ms: u64,
    #[serde(default)]
    retries: u8,
    #[serde(flatten)]
    probe: Probe,
}

/// One entry of the setting `app.urls`; the database has validated it.
#[derive(Debug, Deserialize)]
struct Entry {
    url: Url,
    name: Option<String>,
    #[serde(flatten)]
    expectation: Expectation,
}

fn dns_port() -> u16 {
    53
}

/// The URLs of the setting `app.urls`, or the app's own if it lists none. Nothing is
/// left where neither names a page.
#[must_use]
pub fn of_app(
    settings: &Map<String, Value>,
    app_url: Option<&Url>,
) -> Vec<Result<Target, Unusable>> {
    match settings.get("app.urls") {
        Some(Value::Array(listed)) if !listed.is_empty() => {
            listed.iter().enumerate().map(of_entry).collect()
        }
        None | Some(Value::Array(_)) => {
            let own = app_url.cloned().map(|url| {
                Ok(Target::page(
                    format!("app:{url}"),
                    Origin::Environment,
                    url,
                    Expectation::default(),
                ))
            });
            own.into_iter().collect()
        }
        Some(_) => vec![Err(Unusable {
            name: "app:app.urls".to_owned(),
            kind: Kind::App,
            fault: "the setting app.urls is no list".to_owned(),
        })],
    }
}

fn of_entry((place, entry): (usize, &Value)) -> Result<Target, Unusable> {
    let page = Entry::deserialize(entry)
        .map_err(|error| error.to_string())
        .map(Target::from);
    let fault = match page {
        Ok(page) if page.name.len() <= LONGEST_NAME => return Ok(page),
        Ok(_) => "its URL is too long".to_owned(),
        Err(fault) => fault,
    };
    let name = [&entry["name"], &entry["url"]]
        .into_iter()
        .filter_map(Value::as_str)
        .find(|name| name.len() < LONGEST_NAME - "app:".len());
    Err(Unusable {
        name: name.map_or_else(
            || format!("app:app.urls[{place}]"),
            |name| format!("app:{name}"),
        ),
        kind: Kind::App,
        fault,
    })
}

/// The target of a check, as the database returns it.
///
/// # Errors
/// When this release cannot read it.
pub fn of_check(check: &Value) -> Result<Target, Unusable> {
    match Check::deserialize(check) {
        Ok(check) => Ok(Target {
            name: format!("check:{}", check.name),
            timeout: Duration::from_millis(check.timeout_ms),
            retries: check.retries,
            origin: Origin::Check,
            probe: check.probe,
        }),
        Err(error) => Err(Unusable {
            name: format!("check:{}", check["name"].as_str().unwrap_or_default()),
            kind: Kind::deserialize(&check["kind"]).unwrap_or(Kind::Http),
            fault: error.to_string(),
        }),
    }
}

impl Unusable {
    /// What a tick reports of it.
    #[must_use]
    pub fn sample(&self) -> Sample {
        Sample {
            name: self.name.clone(),
            kind: self.kind,
            service: "app",
            critical: self.kind == Kind::App,
            status: Status::Down,
            latency_ms: None,
            reason: Some("definition"),
            detail: [("message".to_owned(), self.fault.as_str().into())]
                .into_iter()
                .collect(),
        }
    }
}

impl Target {
    fn page(name: String, origin: Origin, url: Url, expectation: Expectation) -> Self {
        Self {
            name,
            timeout: APP_TIMEOUT,
            retries: 0,
            origin,
            probe: Probe::Http(Box::new(Http {
                before: Vec::new(),
                request: Request {
                    url: url.into(),
                    method: None,
                    headers: Map::new(),
                    body: None,
                    redirects: 0,
                    credentials: Credentials::default(),
                    expectation,
                },
            })),
        }
    }

    /// The kind of its samples.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match (&self.origin, &self.probe) {
            (Origin::Environment | Origin::Setting, _) => Kind::App,
            (Origin::Check, Probe::Http(_)) => Kind::Http,
            (Origin::Check, Probe::Tls(_)) => Kind::Tls,
            (Origin::Check, Probe::Dns(_)) => Kind::Dns,
            (Origin::Check, Probe::Tcp(_)) => Kind::Tcp,
        }
    }

    /// The host whose certificate its probe sees.
    #[must_use]
    pub fn certified_host(&self) -> Option<&str> {
        match &self.probe {
            Probe::Http(http) if http.request.url.url.scheme() == "https" => {
                http.request.url.url.host_str()
            }
            Probe::Tls(tls) => Some(&tls.host),
            Probe::Http(_) | Probe::Dns(_) | Probe::Tcp(_) => None,
        }
    }
}

impl From<Entry> for Target {
    fn from(entry: Entry) -> Self {
        let name = entry.name.map_or_else(
            || format!("app:{}", entry.url),
            |slug| format!("app:{slug}"),
        );
        Self::page(name, Origin::Setting, entry.url, entry.expectation)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pages(urls: Value) -> Vec<Result<Target, Unusable>> {
        let settings = [("app.urls".to_owned(), urls)].into_iter().collect();
        of_app(&settings, Some(&"https://wine.example".parse().unwrap()))
    }

    fn targets(urls: Value) -> Vec<Target> {
        pages(urls).into_iter().map(Result::unwrap).collect()
    }

    fn expectation(target: &Target) -> &Expectation {
        match &target.probe {
            Probe::Http(http) => &http.request.expectation,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn without_a_setting_the_app_itself_is_checked() {
        let found = targets(json!([]));
        let [own] = found.as_slice() else {
            panic!("{found:?}");
        };
        assert_eq!(own.name, "app:https://wine.example/");
        assert_eq!((own.kind(), own.origin), (Kind::App, Origin::Environment));
        assert_eq!(of_app(&Map::new(), None), []);
    }

    #[test]
    fn listed_urls_replace_it() {
        let found = targets(json!([
            { "url": "https://wine.example/login", "status": [200, 401], "contains": "Cellar" },
            { "url": "https://wine.example/", "name": "home", "status": 204 },
        ]));
        assert_eq!(found[0].name, "app:https://wine.example/login");
        assert!(expectation(&found[0]).admits(401) && !expectation(&found[0]).admits(204));
        assert!(expectation(&found[0]).needs_body());
        assert_eq!(found[1].name, "app:home");
        assert!(expectation(&found[1]).admits(204) && !expectation(&found[1]).admits(200));
        assert!(found.iter().all(|target| target.kind() == Kind::App));
    }

    #[test]
    fn a_page_that_cannot_be_probed_is_down_under_its_name_and_takes_no_other_along() {
        let long = format!("https://wine.example/{}", "ü".repeat(500));
        let found = pages(json!([
            { "url": "https://wine.example/" },
            { "url": "https://shop.example:44433333/" },
            { "url": "https://wine.example/", "status": 200.0, "name": "home" },
            { "url": long },
            7,
        ]));
        let names: Vec<_> = found
            .iter()
            .map(|page| {
                page.as_ref()
                    .map_or_else(|page| &page.name, |page| &page.name)
            })
            .collect();
        assert_eq!(
            names,
            [
                "app:https://wine.example/",
                "app:https://shop.example:44433333/",
                "app:home",
                &format!("app:{long}"),
                "app:app.urls[4]"
            ]
        );
        assert_eq!(found.iter().filter(|page| page.is_ok()).count(), 1);
        let sample = found[1].as_ref().unwrap_err().sample();
        assert_eq!(
            (sample.kind, sample.critical, sample.status, sample.reason),
            (Kind::App, true, Status::Down, Some("definition"))
        );
        assert!(sample.detail["message"].as_str().unwrap().contains("port"));
        assert_eq!(pages(json!("none")).len(), 1);
    }

    #[test]
    fn a_check_of_each_kind_is_read_as_the_database_returns_it() {
        let common = json!({"name": "x", "timeoutMs": 500, "everySeconds": 60,
                            "severity": "high", "enabled": true});
        for (spec, kind, host) in [
            (
                json!({"kind": "http", "url": "https://wine.example/x"}),
                Kind::Http,
                Some("wine.example"),
            ),
            (
                json!({"kind": "http", "url": "http://localhost/"}),
                Kind::Http,
                None,
            ),
            (
                json!({"kind": "tls", "host": "wine.example"}),
                Kind::Tls,
                Some("wine.example"),
            ),
            (
                json!({"kind": "dns", "host": "wine.example", "address": "::1"}),
                Kind::Dns,
                None,
            ),
            (
                json!({"kind": "tcp", "host": "wine.example", "port": 22}),
                Kind::Tcp,
                None,
            ),
        ] {
            let mut check = common.clone();
            check
                .as_object_mut()
                .unwrap()
                .extend(spec.as_object().unwrap().clone());
            let target = of_check(&check).unwrap();
            assert_eq!(target.name, "check:x");
            assert_eq!(target.timeout, Duration::from_millis(500));
            assert_eq!(
                (target.kind(), target.certified_host()),
                (kind, host),
                "{spec}"
            );
        }
    }

    #[test]
    fn a_check_that_this_release_does_not_know_is_named() {
        for (kind, reported) in [("icmp", Kind::Http), ("tcp", Kind::Tcp)] {
            let check = json!({"name": "x", "timeoutMs": 1, "kind": kind});
            let unusable = of_check(&check).unwrap_err();
            assert_eq!(
                (unusable.name.as_str(), unusable.kind),
                ("check:x", reported),
                "{unusable:?}"
            );
        }
    }
}
