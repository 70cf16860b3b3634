//! `/storage/v1`: buckets and their files, under the caller's role and row-level security.
//!
//! A row of `storage.objects` names the version of its file, which is another one after each
//! upload. In reading order: `buckets`, `objects` (read, listed, deleted), `signed_urls`, `upload`
//! with `form`, and `content`, which is where the bytes lie.

mod buckets;
mod content;
mod form;
mod objects;
mod refusal;
mod signed_urls;
mod upload;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use serde_json::{Value, json};
use tokio_postgres::{Client, Transaction};

pub(crate) use content::Content;

use self::refusal::Refusal;
use super::{Project, connect};
use crate::answer;

/// Who asks, and for what.
struct Call<'a> {
    project: &'a Project,
    claims: Value,
    request: &'a Request<Bytes>,
}

pub(super) async fn answer(project: &Project, request: &Request<Bytes>) -> Response<Bytes> {
    let path = request.uri().path().trim_start_matches("/storage/v1");
    if (request.method(), path) == (&Method::GET, "/status") {
        return answer::empty(StatusCode::OK);
    }
    let is_signed = request.method() != Method::POST && path.starts_with("/object/sign/");
    let is_public = is_signed || path.starts_with("/object/public/");
    let claims = match project.token(request) {
        Ok(token) => match project.gateway.verify_token(token) {
            Ok(claims) => Value::Object(claims),
            Err(refused) => {
                return Refusal::new("403", "Unauthorized", refused.message).answer();
            }
        },
        Err(_) if is_public => json!({ "role": "anon" }),
        Err(refusal) => return refusal.answer(),
    };
    let call = Call {
        project,
        claims,
        request,
    };
    call.route(path)
        .await
        .unwrap_or_else(|refusal| refusal.answer())
}

impl Call<'_> {
    async fn route(&self, path: &str) -> Result<Response<Bytes>, Refusal> {
        let segments = decoded(path);
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        match (self.request.method(), &segments[..]) {
            (&Method::GET, ["health"]) => Ok(ok(&json!({ "healthy": true }))),
            (_, ["bucket", rest @ ..]) => self.bucket(rest).await,
            (&Method::POST, ["object", "list", bucket]) => self.list(bucket).await,
            (
                &Method::GET | &Method::HEAD,
                ["object", "info", "authenticated", bucket, name @ ..]
                | ["object", "info", bucket, name @ ..],
            ) => self.info(bucket, &name.join("/")).await,
            (&Method::POST, ["object", "sign", bucket, name @ ..]) => {
                self.sign(bucket, &name.join("/")).await
            }
            (&Method::GET | &Method::HEAD, ["object", "sign", bucket, name @ ..]) => {
                self.read_signed(bucket, &name.join("/")).await
            }
            (&Method::GET | &Method::HEAD, ["object", "public", bucket, name @ ..]) => {
                self.read_public(bucket, &name.join("/")).await
            }
            (
                &Method::GET | &Method::HEAD,
                ["object", "authenticated", bucket, name @ ..] | ["object", bucket, name @ ..],
            ) => self.read(bucket, &name.join("/")).await,
            (&Method::POST | &Method::PUT, ["object", bucket, name @ ..]) => {
                self.upload(bucket, &name.join("/")).await
            }
            (&Method::DELETE, ["object", bucket]) => self.delete_many(bucket).await,
            (&Method::DELETE, ["object", bucket, name @ ..]) => {
                self.delete(bucket, &name.join("/")).await
            }
            (method, _) => {
                let message = format!("Route {method}:{path} not found");
                Err(Refusal::new("404", "Not Found", message))
            }
        }
    }

    /// A session whose transactions [`Call::begin`] puts under the caller's role.
    async fn session(&self) -> Result<Client, Refusal> {
        Ok(connect(&self.project.authenticator).await?)
    }

    async fn begin<'c>(&self, client: &'c mut Client) -> Result<Transaction<'c>, Refusal> {
        let role = self.claims["role"].as_str().unwrap_or("anon").to_owned();
        let transaction = client.transaction().await?;
        transaction
            .execute(
                "select set_config('role', $1, true), set_config('request.jwt.claims', $2, true)",
                &[&role, &self.claims.to_string()],
            )
            .await?;
        Ok(transaction)
    }

    /// The user that the caller is; nothing for the project's own keys.
    fn owner(&self) -> Option<String> {
        self.claims["sub"].as_str().map(str::to_owned)
    }

    fn body(&self) -> Result<Value, Refusal> {
        serde_json::from_slice(self.request.body())
            .map_err(|_| Refusal::invalid("body must be valid JSON"))
    }
}

fn ok(body: &Value) -> Response<Bytes> {
    answer::json(StatusCode::OK, body)
}

/// A path's segments as they were before they were written into a URL.
fn decoded(path: &str) -> Vec<String> {
    path.trim_start_matches('/')
        .trim_end_matches('/')
        .split('/')
        .map(percent_decoded)
        .collect()
}

fn percent_decoded(segment: &str) -> String {
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let hex = (first == b'%')
            .then(|| after.get(..2))
            .flatten()
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(hex.unwrap_or(first));
        rest = if hex.is_some() { &after[2..] } else { after };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
