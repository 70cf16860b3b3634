//! `/api/ingest`: the door for what apps and platforms send.
//!
//! Each client sends in a form of its own. A `source` reads one form and makes items of it,
//! which are all of a few kinds; one call of the database takes a batch. A project key says
//! who sends and how much it may bring. What cannot be used is counted and left behind, and
//! takes nothing else along: a client that is told of an error would send all of it again.

mod batch;
mod check_in;
mod check_run;
mod deployment;
mod detail;
mod fingerprint;
#[cfg(test)]
mod fuzz;
mod item;
mod moment;
mod otlp;
mod own;
mod own_pages;
mod reports;
mod scrub;
mod sentry;
mod source;
mod sources;
mod supabase;
mod thrown;
mod vercel;
mod visitor;

use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use serde::{Deserialize, Serialize};

use crate::{
    app::App,
    auth::{DoorKey, DoorSender, Visitor},
    encoded_body,
    endpoint::Route,
    function::RequestId,
    handler::{Answer, Handler, Routes},
    problem::Problem,
    rpc::{Call, Retry},
};
use batch::Batch;
use check_in::CheckIn;
use check_run::CheckRun;
use deployment::Deployment;
use item::Item;
use outside::clock::Deadline;
use source::{Received, Source};

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
    p_drops: batch::Drops,
    p_deployments: &'a [Deployment],
    p_check_ins: &'a [CheckIn],
    p_check_runs: &'a [CheckRun],
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
    Routes::new(Route::INGEST, TakesItems::default()).and(Route::DOOR, AnswersProbes)
}

/// Answers 200 in the form of the client, 400 for what is not of that form, 413 for what
/// becomes too large once it is decoded, 403 for a page that may not use the key, 429 where
/// nothing of a batch could be taken, and 503 while the database cannot be asked.
#[derive(Debug, Default)]
struct TakesItems {
    /// How many items came while the database was away: it is told once it is back.
    turned_away: AtomicU64,
}

/// Why items are left out that come while the database is away. Some clients send them again.
const AWAY: &str = "the database was away";

impl Handler<DoorSender> for TakesItems {
    async fn handle(
        &self,
        app: &App,
        sender: DoorSender,
        request: Request<Bytes>,
        deadline: Deadline,
    ) -> Answer {
        let answer = match sender {
            DoorSender::Key(key) => self.receive(app, key, &request, deadline).await,
            DoorSender::OwnPage { origin } => {
                own_pages::take(app, &origin, &request, deadline).await
            }
        };
        let answer = answer.or_else(|problem| refused(&problem, &request));
        answer.map(|response| with_verification(app, &request, response))
    }
}

impl TakesItems {
    /// Takes what a request brings.
    async fn receive(
        &self,
        app: &App,
        key: DoorKey,
        request: &Request<Bytes>,
        deadline: Deadline,
    ) -> Answer {
        let source =
            sources::of(request).ok_or(Problem::NotFound("nothing takes what is sent here"))?;
        let received = match Received::new(request, app.config.base_url.as_ref()) {
            Ok(received) => received,
            Err("too_large") => {
                if let Some(note) = source.note_too_large {
                    let batch = note(request.body()).judged();
                    // Whatever becomes of it, the client is told the same.
                    drop(
                        self.take(app, &key, source, request, &batch, deadline)
                            .await,
                    );
                }
                return Err(Problem::PayloadTooLarge(encoded_body::LIMIT));
            }
            Err(_) => {
                let said = "the body cannot be decoded as its headers say";
                return Err(Problem::BadRequest(said.into()));
            }
        };
        let batch = (source.decode)(&received)?.corrected().judged();
        let taken = self
            .take(app, &key, source, request, &batch, deadline)
            .await?;
        match taken.refused.as_deref() {
            None => (source.answer)(&received, &batch, &taken),
            Some("origin") => Err(Problem::Forbidden),
            Some(_) => Err(key.refused()),
        }
    }

    /// Has the database take a batch, and tells it what came while it was away.
    async fn take(
        &self,
        app: &App,
        key: &DoorKey,
        source: &Source,
        request: &Request<Bytes>,
        batch: &Batch,
        deadline: Deadline,
    ) -> Result<Taken, Problem> {
        let away = self.turned_away.swap(0, Ordering::Relaxed);
        let mut drops = batch.drops.clone();
        if away > 0 {
            *drops.entry(AWAY.to_owned()).or_default() += away;
        }
        let call = TakeItems {
            p_key: key.id(),
            p_source: source.name,
            p_origin: source::origin(request.headers()),
            p_visitor: visitor::of(request).filter(|_| !sources::is_of_platform(request)),
            p_items: &batch.items,
            p_drops: drops,
            p_deployments: &batch.deployments,
            p_check_ins: &batch.check_ins,
            p_check_runs: &batch.check_runs,
        };
        let taken = app.call(&call, deadline).await;
        if taken.as_ref().map_or(true, |taken| taken.refused.is_some()) {
            self.turned_away.fetch_add(away, Ordering::Relaxed);
        }
        taken.map_err(|error| {
            let items = batch.items.len() as u64;
            self.turned_away.fetch_add(items, Ordering::Relaxed);
            tracing::error!(%error, source = source.name, items, "a batch cannot be taken");
            Problem::Unavailable("the database cannot be asked now; send it again")
        })
    }
}

/// What a client is told of a problem: in its own form where it has one, and when to come
/// again where it would do so at once.
///
/// # Errors
/// 500 if that cannot be written, which is our fault.
fn refused(problem: &Problem, request: &Request<Bytes>) -> Answer {
    let seconds = match problem {
        Problem::Unavailable(_) => Some(30),
        Problem::TooManyRequests { retry_after } => Some(*retry_after),
        Problem::BadRequest(_)
        | Problem::Unauthorized
        | Problem::NotSignedIn
        | Problem::Forbidden
        | Problem::NotFound(_)
        | Problem::MethodNotAllowed(_)
        | Problem::PayloadTooLarge(_)
        | Problem::UnsupportedMediaType
        | Problem::Internal => None,
    };
    let mut response = match sources::refusal(request, problem) {
        Some(answer) => answer?,
        None => problem.response(&RequestId::of(request).0),
    };
    if let Some(seconds) = seconds {
        let headers = response.headers_mut();
        headers.insert(header::RETRY_AFTER, seconds.into());
    }
    Ok(response)
}

/// Shows Vercel that the door is its owner's, wherever it looks for that.
fn with_verification(
    app: &App,
    request: &Request<Bytes>,
    mut response: Response<Bytes>,
) -> Response<Bytes> {
    let of_a_drain = request.uri().path().starts_with("/api/drain/");
    let code = app.config.drain_verification.as_deref();
    let code = code.filter(|_| of_a_drain || request.method() == Method::GET);
    if let Some(code) = code.and_then(|code| HeaderValue::from_str(code).ok()) {
        response.headers_mut().insert("x-vercel-verify", code);
    }
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
        }
        Ok(with_verification(app, &request, response))
    }
}
