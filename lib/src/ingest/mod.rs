//! `/api/ingest`: the door for what apps and platforms send.
//!
//! Each client sends in a form of its own. A [`source`] reads one form and makes items of it,
//! which are all of a few kinds; one call of the database takes a batch. A project key says
//! who sends and how much it may bring. What cannot be used is counted and left behind, and
//! takes nothing else along: a client that is told of an error would send all of it again.

mod batch;
mod fingerprint;
mod item;
mod own;
mod reports;
mod scrub;
mod source;
mod sources;
mod visitor;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use serde::{Deserialize, Serialize};

use crate::{
    app::App,
    auth::{DoorKey, Visitor},
    encoded_body,
    endpoint::Route,
    handler::{Answer, Handler, Routes},
    problem::Problem,
    rpc::{Call, Retry},
};
use item::Item;
use outside::clock::Deadline;
use source::Received;

/// What a client may send to: what browsers ask before they send, and their clients' headers.
const ALLOWED_HEADERS: &str = "content-type, content-encoding, authorization, x-door-key, \
                               x-sentry-auth, x-requested-with, sentry-trace, baggage, traceparent";

/// The call behind the door.
#[derive(Debug, Serialize)]
struct TakeItems<'a> {
    p_key: u32,
    p_source: &'static str,
    p_origin: Option<&'a str>,
    p_visitor: Option<String>,
    p_items: &'a [Item],
    p_drops: &'a batch::Drops,
}

/// What became of a batch.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Taken {
    /// Why nothing was taken: `key` or `origin`.
    refused: Option<String>,
    /// How many items are new.
    #[serde(default)]
    taken: u64,
    /// How many were more than the key may bring.
    #[serde(default)]
    over_quota: u64,
    /// After how many seconds it may bring more.
    retry_after_seconds: Option<u64>,
}

impl Call for TakeItems<'_> {
    const NAME: &'static str = "ops_take_items";
    // Items have ids of their own, so that they are taken once; their quota counts twice.
    const RETRY: Retry = Retry::Idempotent;
    type Output = Taken;
}

/// What answers `/api/ingest` and the paths that lead there.
#[must_use]
pub fn routes() -> Routes {
    Routes::new(Route::INGEST, TakesItems).and(Route::DOOR, AnswersProbes)
}

/// Answers 200 in the form of the client, 400 for what is not of that form, 413 for what
/// becomes too large once it is decoded, 403 for a page that may not use the key, 429 where
/// nothing of a batch could be taken, and 503 while the database cannot be asked.
#[derive(Debug)]
struct TakesItems;

impl Handler<DoorKey> for TakesItems {
    async fn handle(
        &self,
        app: &App,
        key: DoorKey,
        request: Request<Bytes>,
        deadline: Deadline,
    ) -> Answer {
        let source =
            sources::of(&request).ok_or(Problem::NotFound("nothing takes what is sent here"))?;
        let received = Received::new(&request).map_err(|word| match word {
            "too_large" => Problem::PayloadTooLarge(encoded_body::LIMIT),
            _ => Problem::BadRequest("the body cannot be decoded as its headers say".into()),
        })?;
        let batch = (source.decode)(&received)?.corrected().judged();
        let call = TakeItems {
            p_key: key.id(),
            p_source: source.name,
            p_origin: received.origin(),
            p_visitor: visitor::of(&request),
            p_items: &batch.items,
            p_drops: &batch.drops,
        };
        let taken = app.call(&call, deadline).await.map_err(|error| {
            tracing::error!(%error, source = source.name, items = batch.items.len(), "a batch cannot be taken");
            Problem::Unavailable("the database cannot be asked now; send it again")
        });
        let taken = match taken {
            Ok(taken) => taken,
            Err(problem) => return Ok(later(&problem, &request)),
        };
        match taken.refused.as_deref() {
            None => (source.answer)(&received, &batch, &taken),
            Some("origin") => Err(Problem::Forbidden),
            Some(_) => Err(key.refused()),
        }
    }
}

/// A problem that is over soon, for clients that would try again at once.
fn later(problem: &Problem, request: &Request<Bytes>) -> Response<Bytes> {
    let id = crate::function::RequestId::of(request);
    let mut response = problem.response(&id.0);
    response
        .headers_mut()
        .insert(header::RETRY_AFTER, HeaderValue::from_static("30"));
    response
}

/// Answers browsers that ask what they may send, and platforms that ask whose door this is.
#[derive(Debug)]
struct AnswersProbes;

impl Handler<Visitor> for AnswersProbes {
    async fn handle(&self, app: &App, _: Visitor, request: Request<Bytes>, _: Deadline) -> Answer {
        let mut response = Response::new(Bytes::new());
        let headers = response.headers_mut();
        if request.method() == Method::OPTIONS {
            headers.insert(
                header::ACCESS_CONTROL_ALLOW_METHODS,
                HeaderValue::from_static("POST, OPTIONS"),
            );
            headers.insert(
                header::ACCESS_CONTROL_ALLOW_HEADERS,
                HeaderValue::from_static(ALLOWED_HEADERS),
            );
            headers.insert(
                header::ACCESS_CONTROL_MAX_AGE,
                HeaderValue::from_static("3600"),
            );
            *response.status_mut() = StatusCode::NO_CONTENT;
        } else if let Some(code) = app.config.drain_verification.as_deref()
            && let Ok(code) = HeaderValue::from_str(code)
        {
            headers.insert("x-vercel-verify", code);
        }
        Ok(response)
    }
}
