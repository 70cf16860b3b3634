//! A gateway over a database of its own, and a short way to ask it.

use bytes::Bytes;
use http::{HeaderMap, Method, Request};
use jiff::{SignedDuration, Timestamp};
use local_supabase::{
    gateway::{Gateway, GatewayConfig},
    keys::Keys,
    postgres::TestDatabase,
};
use serde_json::{Value, json};

pub(crate) const USER_ONE: &str = "00000000-0000-4000-8000-000000000001";
pub(crate) const USER_TWO: &str = "00000000-0000-4000-8000-000000000002";

/// A project with the tables and functions of `schema.sql`.
pub(crate) struct Project {
    pub(crate) gateway: Gateway,
    pub(crate) keys: Keys,
    pub(crate) database: TestDatabase,
}

impl Project {
    pub(crate) async fn start() -> Self {
        Self::start_with(|_config| {}).await
    }

    /// A project whose gateway is configured otherwise.
    pub(crate) async fn start_with(change: impl FnOnce(&mut GatewayConfig)) -> Self {
        let schema = include_str!("schema.sql");
        let database = TestDatabase::create("gateway", schema, async |cluster, name| {
            let client = cluster.connect_postgres(name).await?;
            Ok(client.batch_execute(schema).await?)
        })
        .await
        .unwrap();
        let keys = Keys::generate().unwrap();
        let cluster = database.cluster().await.unwrap();
        let mut config = keys.gateway_config(cluster.authenticator_config(database.name()));
        change(&mut config);
        let gateway = Gateway::new(config).unwrap();
        Self {
            gateway,
            keys,
            database,
        }
    }

    /// A connection as the owner of the tables.
    pub(crate) async fn owner(&self) -> tokio_postgres::Client {
        let cluster = self.database.cluster().await.unwrap();
        cluster
            .connect_postgres(self.database.name())
            .await
            .unwrap()
    }

    /// Asks with the secret key, unless the call names another.
    pub(crate) async fn ask(&self, call: Call) -> Reply {
        let call = match call.as_caller {
            Caller::Service => call.header("apikey", self.keys.secret_key()),
            Caller::Stranger => call.header("apikey", self.keys.publishable_key()),
            Caller::User(id) => {
                let token = self.token(id);
                call.header("apikey", self.keys.publishable_key())
                    .header("authorization", &format!("Bearer {token}"))
            }
            Caller::Nobody => call,
        };
        let mut request = Request::builder()
            .method(call.method)
            .uri(format!("/rest/v1{}", call.path));
        for (name, value) in &call.headers {
            request = request.header(name, value);
        }
        let request = request.body(Bytes::from(call.body)).unwrap();
        let response = self.gateway.handle(request).await;
        let (parts, body) = response.into_parts();
        Reply {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body: String::from_utf8(body.to_vec()).unwrap(),
        }
    }

    pub(crate) fn token(&self, user: &str) -> String {
        self.keys
            .user_token(user, "one@example.org", &json!({}), in_an_hour())
            .unwrap()
    }

    /// Asks, and compares status and body; a body of `null` means none.
    pub(crate) async fn check(&self, call: Call, status: u16, body: Value) -> Reply {
        let asked = format!("{} {} {}", call.method, call.path, call.body);
        let reply = self.ask(call).await;
        assert_eq!(reply.status, status, "{asked}: {}", reply.body);
        assert_eq!(reply.json(), body, "{asked}");
        reply
    }

    /// Asks, and compares status, code and message of the error.
    pub(crate) async fn check_error(
        &self,
        call: Call,
        status: u16,
        code: &str,
        message: &str,
    ) -> Reply {
        let asked = format!("{} {} {}", call.method, call.path, call.body);
        let reply = self.ask(call).await;
        let error = reply.json();
        assert_eq!(reply.status, status, "{asked}: {error}");
        assert_eq!(
            (&error["code"], &error["message"]),
            (&json!(code), &json!(message)),
            "{asked}"
        );
        let keys: Vec<&String> = error.as_object().unwrap().keys().collect();
        assert_eq!(keys.len(), 4, "{asked}: {keys:?}");
        assert_eq!(
            reply.header("proxy-status"),
            format!("PostgREST; error={code}"),
            "{asked}"
        );
        assert_eq!(
            reply.header("content-type"),
            "application/json; charset=utf-8",
            "{asked}"
        );
        reply
    }
}

pub(crate) fn in_an_hour() -> Timestamp {
    let now: Timestamp = std::time::UNIX_EPOCH
        .elapsed()
        .map(|elapsed| Timestamp::from_second(i64::try_from(elapsed.as_secs()).unwrap()).unwrap())
        .unwrap();
    now + SignedDuration::from_hours(1)
}

/// Who asks.
#[derive(Clone, Copy)]
enum Caller {
    Service,
    Stranger,
    User(&'static str),
    /// Without any header that the call does not name itself.
    Nobody,
}

/// A request to come.
#[derive(Clone)]
pub(crate) struct Call {
    method: Method,
    path: String,
    headers: Vec<(String, String)>,
    body: String,
    as_caller: Caller,
}

fn call(method: Method, path: &str) -> Call {
    Call {
        method,
        path: encode(path),
        headers: Vec::new(),
        body: String::new(),
        as_caller: Caller::Service,
    }
}

/// Encodes what may not stand in a URL, so that tests can be read.
fn encode(path: &str) -> String {
    path.chars()
        .map(|found| match found {
            ' ' | '"' | '<' | '>' | '\\' | '^' | '`' | '{' | '|' | '}' => {
                format!("%{:02X}", u32::from(found))
            }
            _ => found.to_string(),
        })
        .collect()
}

pub(crate) fn get(path: &str) -> Call {
    call(Method::GET, path)
}

pub(crate) fn head(path: &str) -> Call {
    call(Method::HEAD, path)
}

pub(crate) fn options(path: &str) -> Call {
    call(Method::OPTIONS, path)
}

pub(crate) fn put(path: &str) -> Call {
    call(Method::PUT, path)
}

pub(crate) fn delete(path: &str) -> Call {
    call(Method::DELETE, path)
}

pub(crate) fn post(path: &str, body: &(impl ToString + ?Sized)) -> Call {
    Call {
        body: body.to_string(),
        ..call(Method::POST, path)
    }
}

pub(crate) fn patch(path: &str, body: &(impl ToString + ?Sized)) -> Call {
    Call {
        body: body.to_string(),
        ..call(Method::PATCH, path)
    }
}

impl Call {
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn prefer(self, value: &str) -> Self {
        self.header("prefer", value)
    }

    pub(crate) fn representation(self) -> Self {
        self.prefer("return=representation")
    }

    pub(crate) fn object(self) -> Self {
        self.header("accept", "application/vnd.pgrst.object+json")
    }

    pub(crate) fn stranger(mut self) -> Self {
        self.as_caller = Caller::Stranger;
        self
    }

    pub(crate) fn user(mut self, id: &'static str) -> Self {
        self.as_caller = Caller::User(id);
        self
    }

    pub(crate) fn nobody(mut self) -> Self {
        self.as_caller = Caller::Nobody;
        self
    }
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Reply {
    /// The body; `null` if there is none.
    pub(crate) fn json(&self) -> Value {
        if self.body.is_empty() {
            return Value::Null;
        }
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {}", self.body))
    }

    /// A header's value; empty if there is none.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn range(&self) -> &str {
        self.header("content-range")
    }
}
