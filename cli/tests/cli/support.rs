//! Calls of the real binary, and of the bundle by HTTP.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use bytes::Bytes;
use dev::{Database, DevOptions, Running};
use http::{Method, Request, Response, StatusCode};
use local_supabase::{postgres::TestDatabase, server};
use ops::migrate;
use outside::outbound::{self, Outbound};
use serde_json::Value;
use tracing_subscriber::util::SubscriberInitExt;

/// A folder that is removed at the end.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn empty() -> Self {
        let path = std::env::temp_dir().join(format!("pourtrait-{}", uuid::Uuid::new_v4()));
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }

    pub(crate) fn with(files: &[(&str, &str)]) -> Self {
        let folder = Self::empty();
        for (name, text) in files {
            std::fs::write(folder.0.join(name), text).unwrap();
        }
        folder
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).unwrap();
    }
}

/// The binary in a folder, with no variable but those that are given and PATH.
pub(crate) fn command(folder: &Path, variables: &[(&str, &str)], arguments: &[&str]) -> Command {
    #[expect(
        clippy::disallowed_methods,
        reason = "the binary finds programs as this test does"
    )]
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut command = Command::new(env!("CARGO_BIN_EXE_pourtrait"));
    command
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .env("PATH", path)
        .envs(variables.iter().copied())
        .stdin(Stdio::null());
    command
}

/// How a call ended.
#[derive(Debug)]
pub(crate) struct Called {
    pub(crate) status: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl From<Output> for Called {
    fn from(output: Output) -> Self {
        Self {
            status: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Called {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error} in {self:?}"))
    }
}

/// Calls the binary and waits for its end.
pub(crate) fn call(folder: &Path, variables: &[(&str, &str)], arguments: &[&str]) -> Called {
    command(folder, variables, arguments)
        .output()
        .unwrap()
        .into()
}

/// The same for a test whose runtime serves what the binary asks for.
pub(crate) async fn call_with(env: &BTreeMap<String, String>, arguments: &[&str]) -> Called {
    let env = env.clone();
    let arguments: Vec<String> = arguments
        .iter()
        .map(|argument| (*argument).to_owned())
        .collect();
    let call = move || {
        let folder = Folder::empty();
        let variables: Vec<_> = env
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
        call(folder.path(), &variables, &arguments)
    };
    tokio::task::spawn_blocking(call).await.unwrap()
}

/// The bundle on a migrated database of its own, without its log.
pub(crate) async fn bundle(options: DevOptions) -> (Running, TestDatabase) {
    // Every test but the first finds one installed.
    let _ = tracing_subscriber::registry().try_init();
    let database = TestDatabase::create(
        "migrated",
        &migrate::Schema::embedded().fingerprint(),
        dev::migrate,
    )
    .await
    .unwrap();
    let options = DevOptions {
        database: Database::Shared(database.name().to_owned()),
        ..options
    };
    (dev::start(options).await.unwrap(), database)
}

/// An answer, read whole.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error} in {self:?}"))
    }
}

pub(crate) async fn send(
    running: &Running,
    method: Method,
    path: &str,
    key: Option<&str>,
) -> Answer {
    let outbound = Outbound::default();
    let url = format!("{}{path}", running.base_url);
    let mut request = outbound.client().unwrap().request(method, url);
    if let Some(key) = key {
        request = request.bearer_auth(&running.env[key]);
    }
    let response = request.send().await.unwrap();
    Answer {
        status: response.status(),
        body: response.bytes().await.unwrap(),
    }
}

/// Passes a request on, and what is answered back.
pub(crate) async fn forward(
    outbound: &Outbound,
    upstream: &str,
    request: &Request<Bytes>,
) -> server::Answer {
    let path = request
        .uri()
        .path_and_query()
        .map_or("/", |path| path.as_str());
    let mut headers = request.headers().clone();
    headers.remove("host");
    let sent = outbound
        .client()
        .unwrap()
        .request(request.method().clone(), format!("{upstream}{path}"))
        .headers(headers)
        .body(request.body().clone())
        .send()
        .await;
    let Ok(received) = sent else {
        return server::Answer::Drop;
    };
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = received.status();
    response.headers_mut().extend(received.headers().clone());
    for name in ["transfer-encoding", "content-length"] {
        response.headers_mut().remove(name);
    }
    *response.body_mut() = outbound::body(received, usize::MAX / 2).await.unwrap();
    server::Answer::Response(response)
}
