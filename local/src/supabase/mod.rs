//! The server behind a project's URL: `/rest/v1`, `/auth/v1`, `/storage/v1`.

mod auth;
mod storage;

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use serde_json::{Value, json};
use tokio_postgres::{Client, Config, NoTls};
use uuid::Uuid;

pub(crate) use storage::Content;

use crate::{
    answer,
    capture::Inbox,
    fault::{Faults, Passage, Service},
    gateway::Gateway,
    keys::Keys,
    server::{Answer, Server},
};

/// What the server stands on.
pub(crate) struct Project {
    pub(crate) keys: Arc<Keys>,
    pub(crate) faults: Arc<Faults>,
    /// Where the mails of Auth go.
    pub(crate) inbox: Arc<Inbox>,
    /// How Auth reaches the database, as its superuser.
    pub(crate) admin: Config,
    /// How Storage reaches the database, before it takes the caller's role.
    pub(crate) authenticator: Config,
    pub(crate) gateway: Gateway,
    /// Where the files of Storage lie.
    pub(crate) content: Content,
}

impl Project {
    /// Serves the project, on any free port if none is named.
    pub(crate) async fn serve(self, port: Option<u16>) -> anyhow::Result<Server> {
        let project = Arc::new(self);
        Server::bind(port, move |request| {
            let project = Arc::clone(&project);
            async move { project.answer(request).await }
        })
        .await
    }

    async fn answer(&self, request: Request<Bytes>) -> Answer {
        let path = request.uri().path();
        if path.starts_with("/rest/v1") {
            return match self.faults.pass(Service::Database).await {
                Passage::Through => self.gateway.handle(request).await.into(),
                passage => broken(passage),
            };
        }
        let is_storage = path.starts_with("/storage/v1");
        if is_storage {
            match self.faults.pass(Service::Storage).await {
                Passage::Through => {}
                passage => return broken(passage),
            }
        }
        let mut response = if request.method() == Method::OPTIONS {
            preflight(&request)
        } else if is_storage {
            storage::answer(self, &request).await
        } else if path.starts_with("/auth/v1") {
            auth::answer(self, &request).await
        } else {
            let body = json!({ "message": "no Route matched with those values" });
            answer::json(StatusCode::NOT_FOUND, &body)
        };
        response.headers_mut().insert(
            header::ACCESS_CONTROL_ALLOW_ORIGIN,
            HeaderValue::from_static("*"),
        );
        response.into()
    }

    /// The token that a request stands for: a bearer as it is, an API key in
    /// either form translated. Without any, the gateway's own refusal.
    fn token<'a>(&'a self, request: &'a Request<Bytes>) -> Result<&'a str, KeyRefusal> {
        let bearer = answer::bearer(request);
        if let Some(token) = bearer.filter(|token| !token.starts_with("sb_")) {
            return Ok(token);
        }
        let api_key = request.headers().get("apikey");
        match api_key.and_then(|key| key.to_str().ok()).or(bearer) {
            None => Err(KeyRefusal::Missing),
            Some(key) if key == self.keys.publishable_key() => Ok(self.keys.anon_jwt()),
            Some(key) if key == self.keys.secret_key() => Ok(self.keys.service_role_jwt()),
            Some(key) if key.split('.').count() == 3 => Ok(key),
            Some(_) => Err(KeyRefusal::Unknown),
        }
    }
}

/// Why the gateway before the services refuses a request.
enum KeyRefusal {
    Missing,
    Unknown,
}

impl KeyRefusal {
    fn answer(&self) -> Response<Bytes> {
        let (message, hint) = match self {
            Self::Missing => (
                "No API key found in request",
                "No `apikey` request header or url param was found.",
            ),
            Self::Unknown => (
                "Invalid API key",
                "Double check your Supabase `anon` or `service_role` API key.",
            ),
        };
        answer::json(
            StatusCode::UNAUTHORIZED,
            &json!({ "message": message, "hint": hint }),
        )
    }
}

/// Makes a confirmed user who can sign in with a password, and returns their
/// id.
pub(crate) async fn create_user(
    admin: &Config,
    email: &str,
    password: &str,
    app_metadata: &Value,
) -> anyhow::Result<Uuid> {
    auth::create_user(&connect(admin).await?, email, password, app_metadata).await
}

/// Connects for one request. The connection ends with the client.
async fn connect(config: &Config) -> Result<Client, tokio_postgres::Error> {
    let (client, connection) = config.connect(NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

fn broken(passage: Passage) -> Answer {
    match passage {
        Passage::Status(status) => answer::json(
            status,
            &json!({ "message": "An invalid response was received from the upstream server" }),
        )
        .into(),
        Passage::Cut | Passage::Through => Answer::Drop,
    }
}

fn preflight(request: &Request<Bytes>) -> Response<Bytes> {
    let mut response = answer::empty(StatusCode::OK);
    let headers = response.headers_mut();
    headers.insert(
        header::ACCESS_CONTROL_ALLOW_METHODS,
        HeaderValue::from_static("GET, POST, PATCH, PUT, DELETE, OPTIONS, HEAD"),
    );
    if let Some(asked) = request
        .headers()
        .get(header::ACCESS_CONTROL_REQUEST_HEADERS)
    {
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, asked.clone());
    }
    response
}
