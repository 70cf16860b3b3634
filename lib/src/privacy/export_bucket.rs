//! Where exports lie until they are fetched: a private bucket of the project's own Storage, where
//! the person's data are already. It is made with the first export, and read by signed URLs alone.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};
use outside::{
    clock::Deadline,
    failure::Failure,
    outbound::{self, Outbound},
};
use reqwest::RequestBuilder;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::config::Supabase;

/// The bucket's name.
pub const NAME: &str = "pourtrait-exports";

/// How long a signed URL works: whoever is sent there goes at once.
const SIGNED: Duration = Duration::from_secs(300);

/// The longest answer that is read, in bytes.
const ANSWER_LIMIT: usize = 64 * 1024;

/// Why the bucket does not serve.
#[derive(Debug, thiserror::Error)]
pub enum BucketError {
    /// It cannot be reached.
    #[error("Storage cannot be reached: {}", .0.as_str())]
    Unreachable(Failure),
    /// It said no.
    #[error("Storage answered {status}: {message}")]
    Refused {
        /// The status, which may stand in the body.
        status: u16,
        /// Its own words.
        message: String,
    },
}

/// The bucket of a project.
#[derive(Debug)]
pub(super) struct Bucket<'a> {
    supabase: &'a Supabase,
    outbound: &'a Outbound,
}

impl<'a> Bucket<'a> {
    pub(super) fn of(supabase: &'a Supabase, outbound: &'a Outbound) -> Self {
        Self { supabase, outbound }
    }

    /// Puts a file there, and makes the bucket where it is missing.
    pub(super) async fn put(
        &self,
        export: Uuid,
        zip: Bytes,
        deadline: Deadline,
    ) -> Result<(), BucketError> {
        self.make(deadline).await?;
        let request = self
            .request(Method::POST, &format!("object/{NAME}/{export}.zip"))?
            .header("content-type", "application/zip")
            .header("x-upsert", "true")
            .body(zip);
        answer(request, deadline).await.map(drop)
    }

    async fn make(&self, deadline: Deadline) -> Result<(), BucketError> {
        let bucket = json!({ "id": NAME, "name": NAME, "public": false });
        let request = self.request(Method::POST, "bucket")?.json(&bucket);
        match answer(request, deadline).await {
            // It is there.
            Ok(_) | Err(BucketError::Refused { status: 409, .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// A URL at which anybody can fetch the file for some minutes.
    pub(super) async fn sign(
        &self,
        export: Uuid,
        deadline: Deadline,
    ) -> Result<String, BucketError> {
        let path = format!("object/sign/{NAME}/{export}.zip");
        let request = self
            .request(Method::POST, &path)?
            .json(&json!({ "expiresIn": SIGNED.as_secs() }));
        let answer = answer(request, deadline).await?;
        let signed = answer["signedURL"].as_str();
        let signed = signed.ok_or_else(|| refused(200, "it signed no URL"))?;
        let base = self.supabase.url.as_str().trim_end_matches('/');
        Ok(format!("{base}/storage/v1{signed}&download=your-data.zip"))
    }

    /// Deletes a file. One that is not there is gone.
    pub(super) async fn remove(&self, export: Uuid, deadline: Deadline) -> Result<(), BucketError> {
        let request = self.request(Method::DELETE, &format!("object/{NAME}/{export}.zip"))?;
        match answer(request, deadline).await {
            Ok(_) | Err(BucketError::Refused { status: 404, .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn request(&self, method: Method, path: &str) -> Result<RequestBuilder, BucketError> {
        let client = self.outbound.client().map_err(BucketError::Unreachable)?;
        let base = self.supabase.url.as_str().trim_end_matches('/');
        let headers: HeaderMap = self.supabase.key.headers();
        let url = format!("{base}/storage/v1/{path}");
        Ok(client.request(method, url).headers(headers))
    }
}

/// Storage answers refusals as 400, with the real status inside.
async fn answer(request: RequestBuilder, deadline: Deadline) -> Result<Value, BucketError> {
    let unreachable = |error: reqwest::Error| BucketError::Unreachable(Failure::of(&error));
    let sent = request.timeout(deadline.remaining()).send().await;
    let response = sent.map_err(unreachable)?;
    let status = response.status();
    let body = outbound::body(response, ANSWER_LIMIT).await;
    let body = body.map_err(BucketError::Unreachable)?;
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    if status.is_success() {
        return Ok(body);
    }
    let inner = body["statusCode"]
        .as_str()
        .and_then(|code| code.parse().ok());
    let status = match inner {
        Some(inner) if status == StatusCode::BAD_REQUEST => inner,
        _ => status.as_u16(),
    };
    let message = body["message"].as_str().unwrap_or("nothing else");
    Err(refused(status, message))
}

fn refused(status: u16, message: &str) -> BucketError {
    BucketError::Refused {
        status,
        message: message.chars().take(200).collect(),
    }
}
