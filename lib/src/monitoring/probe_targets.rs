//! What a tick probes: the app's URLs, and the checks that are due. This file is
//! pure: it turns what the claim of the run returned into targets.

use std::{collections::BTreeMap, net::IpAddr, time::Duration};

use serde::Deserialize;
use serde_json::{Map, Value};
use url::Url;

use super::{expectation::Expectation, sample::Kind};

/// How long the app may take. Longer than the slowest answer that is still an
/// answer (5 s is a high alert), so that slow and down are told apart.
const APP_TIMEOUT: Duration = Duration::from_secs(10);

/// One thing to probe.
#[derive(Debug, Clone, PartialEq)]
pub struct Target {
    /// The name of what is probed; its history hangs on it.
    pub name: String,
    /// How long it may take.
    pub timeout: Duration,
    /// Who says where it leads.
    pub origin: Origin,
    /// What is done.
    pub probe: Probe,
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

/// The URLs of the setting `app.urls`, or the app's own if it lists none.
///
/// # Errors
/// When the setting cannot be read; the text says why.
pub fn of_app(settings: &Map<String, Value>, app_url: Option<&Url>) -> Result<Vec<Target>, String> {
    let listed = settings
        .get("app.urls")
        .cloned()
        .unwrap_or_else(|| Value::Array(Vec::new()));
    let listed: Vec<Entry> =
        serde_json::from_value(listed).map_err(|error| format!("the setting app.urls: {error}"))?;
    if listed.is_empty() {
        let own = app_url.cloned().map(|url| {
            Target::page(
                format!("app:{url}"),
                Origin::Environment,
                url,
                Expectation::default(),
            )
        });
        return Ok(own.into_iter().collect());
    }
    Ok(listed.into_iter().map(Target::from).collect())
}

/// The target of a check, as the database returns it.
///
/// # Errors
/// When this release cannot read it; the text says why.
pub fn of_check(check: &Value) -> Result<Target, String> {
    let name = &check["name"];
    let check = Check::deserialize(check).map_err(|error| format!("the check {name}: {error}"))?;
    Ok(Target {
        name: format!("check:{}", check.name),
        timeout: Duration::from_millis(check.timeout_ms),
        origin: Origin::Check,
        probe: check.probe,
    })
}

impl Target {
    fn page(name: String, origin: Origin, url: Url, expectation: Expectation) -> Self {
        Self {
            name,
            timeout: APP_TIMEOUT,
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

    fn targets(urls: Value) -> Result<Vec<Target>, String> {
        let settings = [("app.urls".to_owned(), urls)].into_iter().collect();
        of_app(&settings, Some(&"https://wine.example".parse().unwrap()))
    }

    fn expectation(target: &Target) -> &Expectation {
        match &target.probe {
            Probe::Http(http) => &http.request.expectation,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn without_a_setting_the_app_itself_is_checked() {
        let found = targets(json!([])).unwrap();
        let [own] = found.as_slice() else {
            panic!("{found:?}");
        };
        assert_eq!(own.name, "app:https://wine.example/");
        assert_eq!((own.kind(), own.origin), (Kind::App, Origin::Environment));
        assert_eq!(of_app(&Map::new(), None), Ok(Vec::new()));
    }

    #[test]
    fn listed_urls_replace_it() {
        let found = targets(json!([
            { "url": "https://wine.example/login", "status": [200, 401], "contains": "Cellar" },
            { "url": "https://wine.example/", "name": "home", "status": 204 },
        ]))
        .unwrap();
        assert_eq!(found[0].name, "app:https://wine.example/login");
        assert!(expectation(&found[0]).admits(401) && !expectation(&found[0]).admits(204));
        assert!(expectation(&found[0]).needs_body());
        assert_eq!(found[1].name, "app:home");
        assert!(expectation(&found[1]).admits(204) && !expectation(&found[1]).admits(200));
        assert!(found.iter().all(|target| target.kind() == Kind::App));
    }

    #[test]
    fn a_setting_that_cannot_be_read_is_named() {
        let error = targets(json!([{ "url": "nonsense" }])).unwrap_err();
        assert!(error.starts_with("the setting app.urls: "), "{error}");
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
        let error = of_check(&json!({"name": "x", "timeoutMs": 1, "kind": "icmp"})).unwrap_err();
        assert!(error.starts_with("the check \"x\": "), "{error}");
    }
}
