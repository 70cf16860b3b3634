//! The probes: one cheap call each that proves the key and the service, costs
//! nothing and changes nothing.

use http::{HeaderMap, HeaderValue, StatusCode};
use outside::{
    clock::{self, Deadline, milliseconds},
    failure::Failure,
    outbound,
};
use reqwest::RequestBuilder;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::service::{Outcome, Reading, Reason, Service};
use crate::{
    app::App,
    config,
    rpc::{Call, Retry, RpcError},
};

/// The largest answer that a probe reads, in bytes. A list of models is some
/// 20 KB.
const ANSWER_LIMIT: usize = 512 * 1024;

/// Probes one service; ends by the deadline.
pub async fn probe(app: &App, service: Service, deadline: Deadline) -> Reading {
    let started = clock::instant();
    let verdict = match service {
        Service::Database => database(app, deadline).await,
        Service::Ai => ai(app, deadline).await,
        Service::ImageProcessing => image_processing(app, deadline).await,
        Service::Email => email(app, deadline).await,
        Service::Storage => storage(app, deadline).await,
    };
    let elapsed = milliseconds(clock::instant().duration_since(started));
    let (outcome, response_time_ms) = match verdict {
        None => (Outcome::Unconfigured, None),
        Some(Ok(())) => (Outcome::Healthy, Some(elapsed)),
        Some(Err(Reason::Quota)) => (Outcome::Degraded(Reason::Quota), Some(elapsed)),
        Some(Err(reason)) => (Outcome::Unhealthy(reason), Some(elapsed)),
    };
    Reading {
        outcome,
        response_time_ms,
        at: clock::now(),
    }
}

/// `None` where there is nothing to ask.
type Verdict = Option<Result<(), Reason>>;

/// `ops_ping`: the cheapest function, which also proves that the API, the role
/// and the migrations are there.
#[derive(Debug, Serialize)]
struct Ping {}

/// The database's time and version.
#[derive(Debug, Deserialize)]
#[expect(dead_code, reason = "decoding proves that the right function answered")]
struct Pong {
    now: jiff::Timestamp,
    version: String,
}

impl Call for Ping {
    const NAME: &'static str = "ops_ping";
    // A probe reports what it met; it does not try until it works.
    const RETRY: Retry = Retry::Never;
    type Output = Pong;
}

async fn database(app: &App, deadline: Deadline) -> Verdict {
    Some(match app.call(&Ping {}, deadline).await {
        Ok(_) => Ok(()),
        Err(RpcError::Unconfigured) => return None,
        Err(RpcError::Unreachable(failure)) => Err(Reason::Unreachable(failure)),
        Err(RpcError::Garbage { .. }) => Err(Reason::Rubbish),
        Err(RpcError::Refused { code, .. }) if code == "PGRST202" => Err(Reason::NotMigrated),
        Err(RpcError::Refused { status, .. }) => Err(refused(status)),
    })
}

/// Lists models: needs a working key, is not billed.
async fn ai(app: &App, deadline: Deadline) -> Verdict {
    let service = app.config.openai.as_ref()?;
    Some(
        async {
            let request = get(app, service, "v1/models")?.headers(bearer(&service.key));
            expect(request, deadline, |body| body["data"].is_array()).await
        }
        .await,
    )
}

/// An annotation of no images: goes through the key and the quota of the real
/// call, and there is nothing to bill.
async fn image_processing(app: &App, deadline: Deadline) -> Verdict {
    let service = app.config.vision.as_ref()?;
    Some(
        async {
            let url = join(&service.base_url, "v1/images:annotate");
            let client = app.outbound.client().map_err(Reason::Unreachable)?;
            let request = client
                .post(url)
                .headers(header("x-goog-api-key", service.key.expose_secret()))
                .header(http::header::CONTENT_TYPE, "application/json")
                .body(r#"{"requests":[]}"#);
            match answer(request, deadline).await? {
                // A wrong key is a 400 here, told apart by its text.
                (StatusCode::BAD_REQUEST, body) if names_the_key(&body) => Err(Reason::Auth(400)),
                (status, body) => judge(status, &body, Value::is_object),
            }
        }
        .await,
    )
}

fn names_the_key(body: &Value) -> bool {
    let error = &body["error"];
    let reasons = error["details"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|detail| &detail["reason"]);
    reasons
        .into_iter()
        .any(|reason| reason == "API_KEY_INVALID")
        || error["message"]
            .as_str()
            .is_some_and(|text| text.contains("API key"))
}

/// Lists domains. A key that may only send is refused with its own name, and
/// sending is all that is needed.
async fn email(app: &App, deadline: Deadline) -> Verdict {
    let service = app.config.resend.as_ref()?;
    Some(
        async {
            let request = get(app, service, "domains")?.headers(bearer(&service.key));
            match answer(request, deadline).await? {
                (StatusCode::UNAUTHORIZED, body) if body["name"] == "restricted_api_key" => Ok(()),
                (status, body) => judge(status, &body, |body| body["data"].is_array()),
            }
        }
        .await,
    )
}

/// Lists at most one bucket. Storage answers refusals as 400 with the real
/// status inside.
async fn storage(app: &App, deadline: Deadline) -> Verdict {
    let supabase = app.config.supabase.as_ref()?;
    Some(
        async {
            let client = app.outbound.client().map_err(Reason::Unreachable)?;
            let url = join(&supabase.url, "storage/v1/bucket?limit=1");
            let (status, body) =
                answer(client.get(url).headers(supabase.key.headers()), deadline).await?;
            let inner = body["statusCode"]
                .as_str()
                .and_then(|code| code.parse().ok());
            let status = match inner {
                Some(inner) if status == StatusCode::BAD_REQUEST => inner,
                _ => status,
            };
            judge(status, &body, Value::is_array)
        }
        .await,
    )
}

fn get(app: &App, service: &config::Service, path: &str) -> Result<RequestBuilder, Reason> {
    let client = app.outbound.client().map_err(Reason::Unreachable)?;
    Ok(client.get(join(&service.base_url, path)))
}

fn join(base: &url::Url, path: &str) -> String {
    format!("{}/{path}", base.as_str().trim_end_matches('/'))
}

fn bearer(key: &SecretString) -> HeaderMap {
    header("authorization", &format!("Bearer {}", key.expose_secret()))
}

/// A header that is never logged. Keys were checked to be sendable when the
/// configuration was read.
fn header(name: &'static str, value: &str) -> HeaderMap {
    let value = HeaderValue::from_str(value).ok().map(|mut value| {
        value.set_sensitive(true);
        (http::HeaderName::from_static(name), value)
    });
    value.into_iter().collect()
}

async fn expect(
    request: RequestBuilder,
    deadline: Deadline,
    is_its_api: impl Fn(&Value) -> bool,
) -> Result<(), Reason> {
    let (status, body) = answer(request, deadline).await?;
    judge(status, &body, is_its_api)
}

/// Status and body; a body that is not JSON is null.
async fn answer(
    request: RequestBuilder,
    deadline: Deadline,
) -> Result<(StatusCode, Value), Reason> {
    let response = request
        .timeout(deadline.remaining())
        .send()
        .await
        .map_err(|error| Reason::Unreachable(Failure::of(&error)))?;
    let status = response.status();
    let body = outbound::body(response, ANSWER_LIMIT)
        .await
        .map_err(Reason::Unreachable)?;
    Ok((status, serde_json::from_slice(&body).unwrap_or_default()))
}

fn judge(
    status: StatusCode,
    body: &Value,
    is_its_api: impl Fn(&Value) -> bool,
) -> Result<(), Reason> {
    if !status.is_success() {
        return Err(refused(status));
    }
    if is_its_api(body) {
        Ok(())
    } else {
        Err(Reason::Rubbish)
    }
}

fn refused(status: StatusCode) -> Reason {
    match status.as_u16() {
        401 | 403 => Reason::Auth(status.as_u16()),
        429 => Reason::Quota,
        300..=399 => Reason::Redirect(status.as_u16()),
        other => Reason::Status(other),
    }
}
