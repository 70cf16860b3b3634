//! `/api/heartbeat`: a job reports that it started, succeeded or failed.
//!
//! The token is the proof and says which heartbeat it is; only its hash is known
//! to the database. The tick's verdict on a job that does not report is that it is late.

use bytes::Bytes;
use http::{Request, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::json;
use url::form_urlencoded;

use crate::{
    app::App,
    auth::HeartbeatToken,
    endpoint::Route,
    handler::{self, Answer, Handler, Routes},
    problem::Problem,
    rpc::{Call, Retry},
};
use outside::clock::Deadline;

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
    // A second beat changes nothing but the time.
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
    /// The event that a query names; a success if it names none.
    fn of_query(query: &str) -> Result<Self, Problem> {
        let mut event = Self::Success;
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            if name == "event" {
                event = Self::parse(&value)?;
            }
        }
        Ok(event)
    }

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

/// What answers `/api/heartbeat`.
#[must_use]
pub fn routes() -> Routes {
    Routes::new(Route::HEARTBEAT, NotesReports)
}

/// Answers 400 for an event that does not exist, 401 or 429 for a token that the
/// database does not know, and 503 when the database cannot be asked.
#[derive(Debug)]
struct NotesReports;

impl Handler<HeartbeatToken> for NotesReports {
    async fn handle(
        &self,
        app: &App,
        token: HeartbeatToken,
        request: Request<Bytes>,
        deadline: Deadline,
    ) -> Answer {
        let event = Event::of_query(request.uri().query().unwrap_or_default())?;
        let call = Beat {
            p_token_hash: token.hash(),
            p_event: event,
        };
        let beaten = app.call(&call, deadline).await.map_err(|error| {
            tracing::error!(%error, "a heartbeat cannot be noted");
            Problem::Unavailable("the database cannot be asked now")
        })?;
        let heartbeat = beaten.heartbeat.ok_or_else(|| token.refused())?;
        let answer = json!({ "heartbeat": heartbeat, "event": event });
        handler::json(StatusCode::OK, &answer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_may_name_its_event() {
        for (query, expected) in [
            ("token=abc", Event::Success),
            ("token=abc&event=start", Event::Start),
            ("event=failure", Event::Failure),
        ] {
            assert_eq!(Event::of_query(query), Ok(expected), "{query}");
        }
        for query in ["token=abc&event=", "token=abc&event=ended"] {
            assert!(
                matches!(Event::of_query(query), Err(Problem::BadRequest(_))),
                "{query}"
            );
        }
    }
}
