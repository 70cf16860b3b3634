//! Everything that is asked of a deployment and of the platforms, once and in parallel.
//!
//! The platform is asked first: a proof goes to a host that is known to be ours, and Vercel
//! knows whose deployment an address is.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use bytes::Bytes;
use futures_util::{
    future::{join, join_all},
    join,
};
use http::{Method, header};
use jiff::Timestamp;
use outside::{
    clock::{self, Deadline},
    failure::Failure,
    outbound,
    reach::Reach,
    tls::Credentials,
};
use reqwest::Client;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use tokio::{net::TcpStream, time::timeout};
use tokio_rustls::{TlsConnector, rustls::pki_types::ServerName};

use super::{
    seen::{Answered, Asked, Door, Handshake, Reply, Seen},
    subject::{Group, Project, Subject},
};
use crate::{
    endpoint::Endpoint,
    platforms::{
        api::{ApiError, Call},
        vercel::standing::{DeploymentStanding, ProjectStanding},
    },
};

/// The largest answer that is read, in bytes.
const ANSWER_LIMIT: usize = 8 * 1024 * 1024;

/// How many requests make a small load, and how many of them go on at once.
const LOAD: usize = 20;
const AT_ONCE: usize = 4;

/// Pages with headers of rules that differ.
const PAGES: [&str; 4] = ["/", "/api/health", "/dashboard", "/status"];

/// What would show that the sources were published, or secrets with them.
const SOURCES: [&str; 4] = ["/.env", "/Cargo.toml", "/vercel.json", "/.git/HEAD"];

const DASHBOARD: &str = "/api/monitoring/dashboard?timeRange=1h";
const PREVIEWS: &str = "/api/monitoring/dashboard?timeRange=1h&environment=preview";

/// What lets us through the protection of deployments.
const BYPASS: &str = "x-vercel-protection-bypass";

const NOT_ASKED: &str = "not looked at";
const NO_KEY: &str = "MONITORING_API_KEY is not set here";
const NOT_OURS: &str = "a key is sent to BASE_URL's host and to deployments that Vercel says are \
                        of the project, and this is neither";
const NO_VERCEL: &str = "VERCEL_TOKEN or the project's id is not set here";
const NO_SUPABASE: &str = "SUPABASE_ACCESS_TOKEN is not set here";
const NO_OUTPUT: &str = "no folder of a build was named";

/// Asks everything that the looks need.
pub(super) async fn ask(subject: &Subject, now: Timestamp, deadline: Deadline) -> Seen<'_> {
    let (vercel_project, vercel_deployment) = join!(project(subject), deployment(subject));
    let key = key(subject, &vercel_deployment);
    let asker = Asker { subject, deadline };
    let wants = |group| subject.looks_at(group);
    let ops = subject.project == Project::Ops;
    let ask_if = |wanted: bool, path: &'static str| asker.get_if(wanted, path);
    let health_path = if ops { "/api/health" } else { "/" };
    let read_dashboard = ops
        && [
            Group::Health,
            Group::Jobs,
            Group::Backups,
            Group::Configuration,
        ]
        .into_iter()
        .any(wants);
    let (health, operator_health, handshake, pages, doors) = join!(
        asker.get(health_path),
        asker.with_key(key.filter_by(ops), "/api/health"),
        asker.handshake(wants(Group::Transport)),
        asker.all_if(wants(Group::Transport) && ops, &PAGES),
        asker.doors(wants(Group::Access) && ops),
    );
    let (open_dashboard, dashboard, preview_dashboard, status_page, status_document, sources) = join!(
        ask_if(wants(Group::Access) && ops, DASHBOARD),
        asker.with_key(key.filter_by(read_dashboard), DASHBOARD),
        asker.with_key(key.filter_by(wants(Group::Jobs) && ops), PREVIEWS),
        ask_if(wants(Group::Page) && ops, "/status"),
        ask_if(wants(Group::Page) && ops, "/status/status.json"),
        asker.all_if(wants(Group::Access), &SOURCES),
    );
    let (load, provider_backups) = join(
        asker.load(wants(Group::Speed), health_path),
        provider_backups(subject),
    )
    .await;
    Seen {
        subject,
        now,
        pages,
        health,
        operator_health,
        handshake,
        doors,
        open_dashboard,
        dashboard,
        preview_dashboard,
        status_page,
        status_document,
        sources,
        load,
        vercel_project,
        vercel_deployment,
        provider_backups,
        standalone: standalone(subject.output.as_deref()),
    }
}

/// The operator's key, or why it is not sent.
#[derive(Debug, Clone, Copy)]
struct Key<'a>(Asked<&'a SecretString>);

impl<'a> Key<'a> {
    fn filter_by(self, wanted: bool) -> Asked<&'a SecretString> {
        if wanted { self.0 } else { Err(NOT_ASKED) }
    }
}

fn key<'a>(
    subject: &'a Subject,
    deployment: &Asked<Result<DeploymentStanding, ApiError>>,
) -> Key<'a> {
    let Some(key) = &subject.operator_key else {
        return Key(Err(NO_KEY));
    };
    let named = subject.vercel.as_ref().map(|(_, project)| project.as_str());
    let of_the_project = deployment
        .as_ref()
        .ok()
        .and_then(|asked| asked.as_ref().ok())
        .is_some_and(|deployment| named.is_some_and(|named| deployment.is_of(named)));
    let ours = subject.is_secure() && (subject.is_at_home() || of_the_project);
    Key(if ours { Ok(key) } else { Err(NOT_OURS) })
}

async fn project(subject: &Subject) -> Asked<Result<ProjectStanding, ApiError>> {
    let (vercel, project) = subject.vercel.as_ref().ok_or(NO_VERCEL)?;
    Ok(vercel.project_standing(project).await)
}

async fn deployment(subject: &Subject) -> Asked<Result<DeploymentStanding, ApiError>> {
    let (vercel, _) = subject.vercel.as_ref().ok_or(NO_VERCEL)?;
    let host = subject.url.host_str().unwrap_or_default();
    Ok(vercel.deployment_standing(host).await)
}

async fn provider_backups(subject: &Subject) -> Asked<Result<Value, ApiError>> {
    if !subject.looks_at(Group::Backups) {
        return Err(NOT_ASKED);
    }
    let (management, project) = subject.supabase.as_ref().ok_or(NO_SUPABASE)?;
    let call = Call::get(["v1", "projects", project, "database", "backups"]);
    Ok(management.api().read(&call).await)
}

/// The functions of a build that the builder put behind a proxy of its own.
fn standalone(output: Option<&Path>) -> Asked<Result<Vec<String>, String>> {
    let output = output.ok_or(NO_OUTPUT)?;
    let mut found = Vec::new();
    let mut folders: Vec<PathBuf> = vec![output.join("functions")];
    while let Some(folder) = folders.pop() {
        let entries = match std::fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) => return Ok(Err(format!("{}: {error}", folder.display()))),
        };
        for entry in entries.flatten() {
            let path = entry.path();
            if entry.file_name() == "user-server" {
                found.push(folder.display().to_string());
            } else if path.is_dir() {
                folders.push(path);
            }
        }
    }
    found.sort();
    Ok(Ok(found))
}

/// Asks one deployment.
struct Asker<'a> {
    subject: &'a Subject,
    deadline: Deadline,
}

impl Asker<'_> {
    async fn get(&self, path: &str) -> Reply {
        self.ask(Method::GET, path, None).await
    }

    /// A question that nobody looks at the answer of is not asked.
    async fn get_if(&self, wanted: bool, path: &str) -> Reply {
        if wanted {
            self.get(path).await
        } else {
            Err(Failure::Request)
        }
    }

    async fn all_if(&self, wanted: bool, paths: &[&'static str]) -> Vec<(&'static str, Reply)> {
        let asked = paths.iter().filter(|_| wanted);
        join_all(asked.map(async |path| (*path, self.get(path).await))).await
    }

    async fn with_key(&self, key: Asked<&SecretString>, path: &str) -> Asked<Reply> {
        let key = key?;
        Ok(self.ask(Method::GET, path, Some(key)).await)
    }

    /// What changes something, without any proof.
    async fn doors(&self, wanted: bool) -> Vec<Door> {
        let knock = async |(method, path): (Method, &'static str)| Door {
            name: format!("{method} {path}"),
            reply: self.ask(method, path, None).await,
        };
        join_all(doors().into_iter().filter(|_| wanted).map(knock)).await
    }

    async fn load(&self, wanted: bool, path: &str) -> Vec<Reply> {
        let client = async || {
            let mut replies = Vec::new();
            for _ in 0..LOAD / AT_ONCE {
                replies.push(self.get(path).await);
            }
            replies
        };
        let clients = (0..AT_ONCE).filter(|_| wanted).map(|_| client());
        join_all(clients).await.into_iter().flatten().collect()
    }

    async fn ask(&self, method: Method, path: &str, key: Option<&SecretString>) -> Reply {
        let client = self.subject.outbound.client()?;
        let url = self.subject.url.join(path).map_err(|_| Failure::Request)?;
        let mut request = request(client, method, url.as_str());
        if let Some(key) = key {
            request = request.bearer_auth(key.expose_secret());
        }
        // It opens deployments of ours alone, and is nobody else's business.
        if let Some(bypass) = self.subject.bypass.as_ref().filter(|_| self.may_bypass()) {
            request = request.header(BYPASS, bypass.expose_secret());
        }
        let began = clock::instant();
        let response = request
            .timeout(self.deadline.remaining())
            .send()
            .await
            .map_err(|error| Failure::of(&error))?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body: Bytes = outbound::body(response, ANSWER_LIMIT).await?;
        Ok(Answered {
            status,
            headers,
            body,
            took: began.elapsed(),
        })
    }

    fn may_bypass(&self) -> bool {
        let host = self.subject.url.host_str().unwrap_or_default();
        self.subject.is_secure() && (self.subject.is_at_home() || host.ends_with(".vercel.app"))
    }

    /// One handshake of its own, which tells what TLS is spoken.
    async fn handshake(&self, wanted: bool) -> Option<Handshake> {
        if !wanted || self.subject.url.scheme() != "https" {
            return None;
        }
        let (config, witness) = self
            .subject
            .outbound
            .look_below_http(Credentials::default())
            .ok()?;
        let shaking = async {
            let host = self.subject.url.host_str().unwrap_or_default();
            let port = self.subject.url.port_or_known_default().unwrap_or(443);
            let said = |failure: Failure| failure.to_string();
            let addresses = Reach::Anywhere.resolve(host, port).await.map_err(said)?;
            let stream = TcpStream::connect(addresses.as_slice())
                .await
                .map_err(|error| error.to_string())?;
            let name = ServerName::try_from(host.to_owned()).map_err(|error| error.to_string())?;
            let stream = TlsConnector::from(Arc::new(config))
                .connect(name, stream)
                .await
                .map_err(|error| error.to_string())?;
            let version = stream.get_ref().1.protocol_version();
            Ok(version.map_or_else(String::new, |version| format!("{version:?}")))
        };
        let result = timeout(self.deadline.remaining(), shaking).await;
        Some(Handshake {
            result: result.unwrap_or_else(|_| Err(Failure::Timeout.to_string())),
            chain: witness.chain().cloned(),
        })
    }
}

/// Every call that changes something, as a stranger would make it.
fn doors() -> Vec<(Method, &'static str)> {
    let of = |endpoint: Endpoint| endpoint.spec().path;
    let jobs = Endpoint::ALL
        .into_iter()
        .filter(|endpoint| endpoint.spec().job.is_some())
        .map(|endpoint| (Method::GET, of(endpoint)));
    jobs.chain([
        (Method::POST, of(Endpoint::Dispatch)),
        (Method::POST, of(Endpoint::Acknowledge)),
        (Method::POST, of(Endpoint::Ingest)),
        (Method::POST, of(Endpoint::Heartbeat)),
        (Method::GET, "/api/metrics"),
    ])
    .collect()
}

fn request(client: &Client, method: Method, url: &str) -> reqwest::RequestBuilder {
    let writes = method == Method::POST;
    let request = client.request(method, url);
    if writes {
        let json = request.header(header::CONTENT_TYPE, "application/json");
        return json.body("{}");
    }
    request
}
