//! `/api/heartbeat`: a job reports that a run of it started, succeeded or failed.
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
    p_run: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Beaten {
    heartbeat: Option<String>,
    /// None unless both ends of the run are known.
    took_seconds: Option<f64>,
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

/// What a query says: the event, which is a success if it names none, and what the
/// job calls the run.
#[derive(Debug, PartialEq, Eq)]
struct Report {
    event: Event,
    run: Option<String>,
}

impl Report {
    fn of_query(query: &str) -> Result<Self, Problem> {
        let mut report = Self {
            event: Event::Success,
            run: None,
        };
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            match name.as_ref() {
                "event" => report.event = Event::parse(&value)?,
                // A report counts, however odd the name of its run is.
                "rid" => report.run = Some(value.replace(char::is_control, "")),
                _ => {}
            }
        }
        Ok(report)
    }
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
        let Report { event, run } = Report::of_query(request.uri().query().unwrap_or_default())?;
        let call = Beat {
            p_token_hash: token.hash(),
            p_event: event,
            p_run: run,
        };
        let beaten = app.call(&call, deadline).await.map_err(|error| {
            tracing::error!(%error, "a heartbeat cannot be noted");
            Problem::Unavailable("the database cannot be asked now")
        })?;
        let heartbeat = beaten.heartbeat.ok_or_else(|| token.refused())?;
        let took = beaten.took_seconds;
        let answer = json!({ "heartbeat": heartbeat, "event": event, "tookSeconds": took });
        handler::json(StatusCode::OK, &answer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_may_name_its_event_and_its_run() {
        for (query, event, run) in [
            ("token=abc", Event::Success, None),
            ("token=abc&event=start", Event::Start, None),
            ("event=failure&rid=7", Event::Failure, Some("7")),
            ("rid=a%00%0Ab", Event::Success, Some("ab")),
        ] {
            let run = run.map(str::to_owned);
            assert_eq!(
                Report::of_query(query),
                Ok(Report { event, run }),
                "{query}"
            );
        }
        for query in ["token=abc&event=", "token=abc&event=ended"] {
            assert!(
                matches!(Report::of_query(query), Err(Problem::BadRequest(_))),
                "{query}"
            );
        }
    }
}
