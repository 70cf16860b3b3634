//! A bundle with a database of its own, called in memory.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode};
use local_supabase::{
    capture::{Capture, KeyKind},
    fault::{Fault, Service},
    postgres::{Cluster, TestDatabase},
    stack::{Channels, Stack, StackOptions},
};
use ops::{
    auth::ClientAddress,
    config::Config,
    endpoint::Endpoint,
    function::{Function, RequestId},
    migrate, router,
};
use outside::database;
use serde_json::Value;

/// Everything that an endpoint stands on, started for one test.
pub(crate) struct Bundle {
    pub(crate) stack: Stack,
    pub(crate) env: BTreeMap<String, String>,
    pub(crate) database: TestDatabase,
}

/// An answer, read whole.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) bytes: Bytes,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes)
            .unwrap_or_else(|error| panic!("{error} in {:?}", self.bytes))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// A migrated database, cloned from a template.
pub(crate) async fn database() -> TestDatabase {
    TestDatabase::create(
        "migrated",
        &migrate::Schema::embedded().fingerprint(),
        async |cluster, name| {
            migrate(cluster, name).await;
            Ok(())
        },
    )
    .await
    .expect("a migrated database")
}

pub(crate) async fn migrate(cluster: &Cluster, name: &str) {
    let url = cluster.postgres_url(name).into();
    let ca = cluster.ca_pem_path();
    let mut client = database::connect(&url, ca.to_str())
        .await
        .expect("a verified session");
    migrate::apply(&mut client, &mut |_| {})
        .await
        .expect("every migration applies");
}

impl Bundle {
    pub(crate) async fn start() -> Self {
        Self::start_with(KeyKind::Full).await
    }

    pub(crate) async fn start_with(resend_key: KeyKind) -> Self {
        Self::start_on(StackOptions {
            resend_key,
            ..StackOptions::default()
        })
        .await
    }

    /// One that also tells Discord and a machine, and Slack by a bot.
    pub(crate) async fn with_all_channels() -> Self {
        Self::start_on(StackOptions {
            channels: Channels::All,
            ..StackOptions::default()
        })
        .await
    }

    async fn start_on(options: StackOptions) -> Self {
        let database = database().await;
        let cluster = database.cluster().await.unwrap();
        let options = StackOptions {
            database: database.name().to_owned(),
            ..options
        };
        let stack = Stack::start(cluster, options).await.expect("a stack");
        let mut env = stack.env();
        env.insert("VERCEL_ENV".into(), "production".into());
        env.insert("BASE_URL".into(), "https://ops.wine.example".into());
        Self {
            stack,
            env,
            database,
        }
    }

    pub(crate) fn secret(&self, name: &str) -> &str {
        &self.env[name]
    }

    /// The stand-in of an alert channel, for scripted answers.
    pub(crate) fn channel(&self, service: Service) -> &Capture {
        self.stack
            .channel(service)
            .expect("a channel that is stood in for")
    }

    /// A fresh instance of an endpoint's function.
    pub(crate) fn instance(&self, endpoint: Endpoint) -> Function {
        router::function(endpoint, self.config())
    }

    pub(crate) fn config(&self) -> Config {
        Config::from_lookup(&|name| self.env.get(name).cloned())
    }

    pub(crate) async fn fault(&self, service: Service, fault: impl Into<Fault>) {
        self.stack.set_fault(service, fault).await.expect("a fault");
    }

    /// A direct session as superuser, to arrange and to look.
    pub(crate) async fn admin(&self) -> tokio_postgres::Client {
        let cluster = self.database.cluster().await.unwrap();
        cluster
            .connect_admin(self.database.name())
            .await
            .expect("an admin session")
    }
}

/// A request to an instance.
pub(crate) struct Call<'a> {
    app: &'a Function,
    request: Request<Bytes>,
}

pub(crate) fn call<'a>(app: &'a Function, method: Method, path_and_query: &str) -> Call<'a> {
    let mut request = Request::new(Bytes::new());
    *request.method_mut() = method;
    *request.uri_mut() = path_and_query.parse().unwrap();
    request
        .extensions_mut()
        .insert(RequestId("test-request".into()));
    request
        .extensions_mut()
        .insert(ClientAddress("192.0.2.1".into()));
    Call { app, request }
}

pub(crate) fn get<'a>(app: &'a Function, path_and_query: &str) -> Call<'a> {
    call(app, Method::GET, path_and_query)
}

impl Call<'_> {
    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Self {
        self.request
            .headers_mut()
            .insert(name, value.parse().unwrap());
        self
    }

    pub(crate) fn bearer(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    pub(crate) fn from(mut self, client: &str) -> Self {
        self.request
            .extensions_mut()
            .insert(ClientAddress(client.into()));
        self
    }

    pub(crate) fn body(mut self, body: impl Into<Bytes>) -> Self {
        *self.request.body_mut() = body.into();
        self
    }

    pub(crate) async fn send(self) -> Answer {
        let (head, bytes) = self.app.handle(self.request).await.into_parts();
        Answer {
            status: head.status,
            headers: head.headers,
            bytes,
        }
    }
}
