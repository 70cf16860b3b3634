//! `/api/heartbeat`: a job reports that it started, succeeded or failed.
//!
//! The token is the proof and says which heartbeat it is; only its hash is known
//! to the database. A job that nothing is heard of is late by the tick's verdict.

use std::fmt::Write;

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode, header};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest, Sha256};
use url::form_urlencoded;

use crate::{
    app::{self, Answer, App},
    auth::ClientAddress,
    clock::Deadline,
    problem::Problem,
    rpc::{Call, Retry},
};

/// The call behind the endpoint.
#[derive(Debug, Serialize)]
struct Beat {
    p_token_hash: String,
    p_event: Event,
}

#[derive(Debug, Deserialize)]
struct Beaten {
    heartbeat: Option<String>,
}

impl Call for Beat {
    const NAME: &'static str = "ops_beat";
    // Twice changes nothing but the time.
    const RETRY: Retry = Retry::Idempotent;
    type Output = Beaten;
}

/// What a job reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Event {
    Start,
    Success,
    Failure,
}

impl Event {
    fn parse(word: &str) -> Result<Self, Problem> {
        match word {
            "start" => Ok(Self::Start),
            "success" => Ok(Self::Success),
            "failure" => Ok(Self::Failure),
            _ => Err(Problem::BadRequest(
                "event must be one of start, success, failure".into(),
            )),
        }
    }
}

/// Notes a report.
///
/// # Errors
/// 400 for an event that does not exist, 401 or 429 without a heartbeat's token,
/// 503 when the database cannot be asked.
pub fn handle(app: &App, request: Request<Bytes>, deadline: Deadline) -> Answer<'_> {
    Box::pin(respond(app, request, deadline))
}

async fn respond(
    app: &App,
    request: Request<Bytes>,
    deadline: Deadline,
) -> Result<Response<Bytes>, Problem> {
    // Without a database there is nobody to prove anything to.
    if app.config.supabase.is_none() {
        return Err(Problem::Unavailable("the database is not configured"));
    }
    let client = request.extensions().get::<ClientAddress>();
    let report = Report::parse(request.uri().query().unwrap_or_default(), request.headers())?;
    let call = Beat {
        p_token_hash: hash(&report.token),
        p_event: report.event,
    };
    let beaten = app.call(&call, deadline).await.map_err(|error| {
        tracing::error!(%error, "a heartbeat cannot be noted");
        Problem::Unavailable("the database cannot be asked now")
    })?;
    let Some(heartbeat) = beaten.heartbeat else {
        return Err(app
            .limiter
            .count(client)
            .map_or(Problem::Unauthorized, |retry_after| {
                Problem::TooManyRequests { retry_after }
            }));
    };
    let answer = json!({ "heartbeat": heartbeat, "event": report.event });
    app::json(StatusCode::OK, &answer)
}

#[derive(Debug, PartialEq, Eq)]
struct Report {
    token: String,
    event: Event,
}

impl Report {
    /// The token as bearer or, for callers that can send nothing but a URL, in the
    /// query.
    fn parse(query: &str, headers: &HeaderMap) -> Result<Self, Problem> {
        let mut token = bearer(headers);
        let mut event = Event::Success;
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            match name.as_ref() {
                "token" => token = token.or_else(|| Some(value.into_owned())),
                "event" => event = Event::parse(&value)?,
                _ => {}
            }
        }
        let token = token.ok_or(Problem::Unauthorized)?;
        Ok(Self { token, event })
    }
}

fn bearer(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then(|| token.trim().to_owned())
}

/// SHA-256 in hexadecimal, as the database keeps it.
fn hash(token: &str) -> String {
    Sha256::digest(token)
        .iter()
        .fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_names_its_token_and_perhaps_its_event() {
        let mut bearing = HeaderMap::new();
        bearing.insert(header::AUTHORIZATION, "Bearer abc".parse().unwrap());
        let none = HeaderMap::new();
        let report = |token: &str, event| {
            Ok(Report {
                token: token.into(),
                event,
            })
        };
        for (query, headers, expected) in [
            ("token=abc", &none, report("abc", Event::Success)),
            ("token=abc&event=start", &none, report("abc", Event::Start)),
            ("event=failure", &bearing, report("abc", Event::Failure)),
            ("token=other", &bearing, report("abc", Event::Success)),
            ("event=success", &none, Err(Problem::Unauthorized)),
        ] {
            assert_eq!(Report::parse(query, headers), expected, "{query}");
        }
        for query in ["token=abc&event=", "token=abc&event=ended"] {
            assert!(
                matches!(Report::parse(query, &none), Err(Problem::BadRequest(_))),
                "{query}"
            );
        }
    }

    #[test]
    fn a_token_is_known_by_its_hash() {
        assert_eq!(
            hash("abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }
}
