//! Everything that is asked of a deployment and of the platforms, once and in parallel.
//!
//! The platform is asked first: a proof goes to a host that is known to be ours, and Vercel
//! knows whose deployment an address is.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use bytes::Bytes;
use futures_util::{future::join_all, join};
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
use tokio::{net::TcpStream, time::timeout};
use tokio_rustls::{TlsConnector, rustls::pki_types::ServerName};

use super::{
    seen::{Answered, Asked, Door, Handshake, Reply, Seen},
    subject::{Group, Pass, Project, Subject},
};
use crate::{
    endpoint::Endpoint,
    platforms::{
        api::ApiError,
        supabase::backups::ProviderBackups,
        vercel::{Deployment, DeploymentFile, Project as VercelProject},
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

const NOT_ASKED: &str = "not looked at";
const NO_KEY: &str = "MONITORING_API_KEY is not set here";
const NOT_OURS: &str = "a key is sent to BASE_URL's host and to deployments that Vercel says are \
                        of the project, and this is neither";
const NO_VERCEL: &str = "VERCEL_TOKEN or the project's id is not set here";
const NO_SUPABASE: &str = "SUPABASE_ACCESS_TOKEN is not set here";
const NO_OUTPUT: &str = "no folder of a build was named, and Vercel shows none";

/// A file that lies beside the builder's own proxy, and in no function of ours.
const PROXIED: &str = "user-server";

/// Asks everything that the looks need.
pub(super) async fn ask(subject: &Subject, now: Timestamp, deadline: Deadline) -> Seen<'_> {
    let (vercel_project, vercel_deployment) = join!(project(subject), deployment(subject));
    let owner = Owner::of(subject, &vercel_deployment);
    let key = key(subject, owner);
    let asker = Asker {
        subject,
        // It opens deployments of ours alone, and is nobody else's business.
        pass: subject.pass.as_ref().filter(|_| owner.may_be_passed()),
        deadline,
    };
    let wants = |group| subject.looks_at(group);
    let ops = subject.project == Project::Ops;
    let ask_if = |wanted: bool, path: &'static str| asker.get_if(wanted, path);
    let health_path = if ops { "/api/health" } else { "/" };
    let read_dashboard = ops
        && [
            Group::Health,
            Group::Services,
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
    let (load, provider_backups, standalone) = join!(
        asker.load(wants(Group::Speed), health_path),
        provider_backups(subject),
        standalone(subject, &vercel_deployment),
    );
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
        standalone,
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

/// Whose host is asked, as far as a secret may travel there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Owner {
    /// It is ours, or the platform says that it has a deployment of the project.
    Us,
    /// It is of the platform, and nobody was asked whose.
    Unasked,
    Unknown,
}

impl Owner {
    fn of(subject: &Subject, deployment: &Asked<Result<Deployment, ApiError>>) -> Self {
        if !subject.is_secure() {
            return Self::Unknown;
        }
        let named = subject.vercel.as_ref().map(|(_, project)| project.as_str());
        let is_of_the_project = match deployment {
            Ok(Ok(deployment)) => named.is_some_and(|named| deployment.is_of(named)),
            Ok(Err(_)) | Err(_) => false,
        };
        let host = subject.url.host_str().unwrap_or_default();
        if subject.is_at_home() || is_of_the_project {
            Self::Us
        } else if deployment.is_err() && host.ends_with(".vercel.app") {
            Self::Unasked
        } else {
            Self::Unknown
        }
    }

    /// Whether what lets us through the platform's protection may go there.
    fn may_be_passed(self) -> bool {
        match self {
            Self::Us | Self::Unasked => true,
            Self::Unknown => false,
        }
    }
}

fn key(subject: &Subject, owner: Owner) -> Key<'_> {
    match &subject.operator_key {
        None => Key(Err(NO_KEY)),
        Some(key) if owner == Owner::Us => Key(Ok(key)),
        Some(_) => Key(Err(NOT_OURS)),
    }
}

async fn project(subject: &Subject) -> Asked<Result<VercelProject, ApiError>> {
    let (vercel, project) = subject.vercel.as_ref().ok_or(NO_VERCEL)?;
    Ok(vercel.project(project).await)
}

async fn deployment(subject: &Subject) -> Asked<Result<Deployment, ApiError>> {
    let (vercel, _) = subject.vercel.as_ref().ok_or(NO_VERCEL)?;
    let host = subject.url.host_str().unwrap_or_default();
    Ok(vercel.deployment(host).await)
}

async fn provider_backups(subject: &Subject) -> Asked<Result<ProviderBackups, ApiError>> {
    if !subject.looks_at(Group::Backups) {
        return Err(NOT_ASKED);
    }
    let (management, project) = subject.supabase.as_ref().ok_or(NO_SUPABASE)?;
    Ok(management.backups(project).await)
}

/// The functions that the builder put behind a proxy of its own, by the folder of a build or,
/// where none is named, by what was uploaded.
async fn standalone(
    subject: &Subject,
    deployment: &Asked<Result<Deployment, ApiError>>,
) -> Asked<Result<Vec<String>, String>> {
    if !subject.looks_at(Group::Platform) || subject.project == Project::App {
        return Err(NOT_ASKED);
    }
    if let Some(output) = &subject.output {
        return Ok(in_folder(output));
    }
    let ((vercel, _), Ok(Ok(deployment))) = (subject.vercel.as_ref().ok_or(NO_OUTPUT)?, deployment)
    else {
        return Err(NO_OUTPUT);
    };
    match vercel.deployment_files(&deployment.id).await {
        Ok(files) => in_tree(&files).map(Ok),
        // Of a deployment that was built there the platform may have no files at all.
        Err(error) if error.is_absent() => Err(NO_OUTPUT),
        Err(error) => Ok(Err(format!("Vercel {error}"))),
    }
}

/// The same in what was uploaded, which holds functions where they were built elsewhere.
fn in_tree(files: &[DeploymentFile]) -> Asked<Vec<String>> {
    let child = |files: &[DeploymentFile], name: &str| {
        let found = files.iter().find(|file| file.name == name);
        found.map(|file| file.children.clone())
    };
    let functions = child(files, ".vercel")
        .and_then(|files| child(&files, "output"))
        .and_then(|files| child(&files, "functions"))
        .ok_or(NO_OUTPUT)?;
    let mut found = Vec::new();
    let mut folders = vec![("functions".to_owned(), functions)];
    while let Some((folder, files)) = folders.pop() {
        for file in files {
            if file.name == PROXIED {
                found.push(folder.clone());
            } else {
                folders.push((format!("{folder}/{}", file.name), file.children));
            }
        }
    }
    found.sort();
    Ok(found)
}

fn in_folder(output: &Path) -> Result<Vec<String>, String> {
    let mut found = Vec::new();
    let mut folders: Vec<PathBuf> = vec![output.join("functions")];
    while let Some(folder) = folders.pop() {
        let entries =
            std::fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        for entry in entries.flatten() {
            let path = entry.path();
            if entry.file_name() == PROXIED {
                found.push(folder.display().to_string());
            } else if path.is_dir() {
                folders.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Asks one deployment.
struct Asker<'a> {
    subject: &'a Subject,
    /// What lets us through the platform's protection, if it may go there.
    pass: Option<&'a Pass>,
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
        if let Some((name, secret)) = self.pass.map(Pass::header) {
            request = request.header(name, secret.expose_secret());
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

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn a_proxy_is_found_in_what_was_uploaded_and_sources_tell_nothing() {
        let file = |name: &str| json!({"name": name, "type": "file", "uid": "x"});
        let folder = |name: &str, children: Value| json!({"name": name, "type": "directory", "children": children});
        let uploaded = |files: Value| {
            let functions = folder(
                "functions",
                json!([folder("api", json!([folder("health.func", files)]))]),
            );
            let output = folder("output", json!([file("config.json"), functions]));
            json!([folder(".vercel", json!([output]))])
        };
        let found = |tree: Value| {
            let tree: Vec<DeploymentFile> = serde_json::from_value(tree).unwrap();
            in_tree(&tree)
        };
        let good = uploaded(json!([file("executable"), file(".vc-config.json")]));
        assert_eq!(found(good), Ok(vec![]));
        let bad = uploaded(json!([file("executable"), file("user-server")]));
        assert_eq!(found(bad), Ok(vec!["functions/api/health.func".to_owned()]));
        let sources = json!([folder("src", json!([file("user-server")]))]);
        assert_eq!(found(sources), Err(NO_OUTPUT));
    }
}
