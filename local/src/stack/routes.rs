//! `/_local`: what the stack captured, how it is broken and healed, and what time it is.
//! These routes are broken by nothing.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;

use super::{Stack, page};
use crate::{
    answer,
    capture::answers::{Answer, CallBack},
    clock,
    fault::{Fault, Mode, Service},
};

/// The body of `POST /_local/faults`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct FaultRequest {
    service: Service,
    mode: Mode,
    delay_ms: Option<u64>,
    status: Option<u16>,
}

/// The body of `POST /_local/clock`: a time, or null for the real one.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClockRequest {
    now: Option<Timestamp>,
}

impl Stack {
    /// The request that a provider makes of what a person does, as `POST /_local/answers` says
    /// it; a problem where nothing can come back.
    pub fn called_back(
        &self,
        body: &Bytes,
        base_url: &str,
    ) -> Result<CallBack, Box<Response<Bytes>>> {
        let answer: Answer = serde_json::from_slice(body)
            .map_err(|error| Box::new(problem(StatusCode::BAD_REQUEST, &error.to_string())))?;
        answer
            .called_back(&self.inbox.messages(), &self.env, base_url)
            .map_err(|error| Box::new(problem(StatusCode::CONFLICT, &format!("{error:#}"))))
    }

    /// Answers `GET /_local/`, which is a page, `GET` and `DELETE /_local/inbox`, `GET` and `POST /_local/faults` and `GET`
    /// and `POST /_local/clock`; `None` for any path outside `/_local`.
    pub async fn local_routes(&self, request: &Request<Bytes>) -> Option<Response<Bytes>> {
        let route = request.uri().path().strip_prefix("/_local/")?;
        Some(match (route, request.method()) {
            ("inbox", &Method::GET) => answer::json(StatusCode::OK, &json!(self.inbox.messages())),
            ("inbox", &Method::DELETE) => {
                self.inbox.clear();
                answer::empty(StatusCode::NO_CONTENT)
            }
            ("inbox", _) => answer::method_not_allowed("GET, DELETE"),
            ("faults", &Method::GET) => answer::json(StatusCode::OK, &json!(self.faults.all())),
            ("", &Method::GET) => page::show(&self.faults.all(), &self.inbox.messages()),
            ("", _) => answer::method_not_allowed("GET"),
            ("faults", &Method::POST) => match filled_form(request.body()) {
                Some(filled) => match self.take_fault(&filled).await {
                    taken if taken.status().is_success() => page::again(),
                    refused => refused,
                },
                None => self.take_fault(request.body()).await,
            },
            ("clock", &Method::GET) => self.time(),
            ("clock", &Method::POST) => self.set_clock(request.body()),
            ("faults" | "clock", _) => answer::method_not_allowed("GET, POST"),
            _ => problem(StatusCode::NOT_FOUND, "no such local route"),
        })
    }

    fn time(&self) -> Response<Bytes> {
        let given = self.clock.given();
        let now = given.unwrap_or_else(clock::now);
        answer::json(
            StatusCode::OK,
            &json!({ "now": now, "given": given.is_some() }),
        )
    }

    fn set_clock(&self, body: &Bytes) -> Response<Bytes> {
        match serde_json::from_slice(body) {
            Ok(ClockRequest { now }) => {
                self.clock.set(now);
                self.time()
            }
            Err(error) => problem(StatusCode::BAD_REQUEST, &error.to_string()),
        }
    }

    async fn take_fault(&self, body: &Bytes) -> Response<Bytes> {
        let FaultRequest {
            service,
            mode,
            delay_ms,
            status,
        } = match serde_json::from_slice(body) {
            Ok(request) => request,
            Err(error) => return problem(StatusCode::BAD_REQUEST, &error.to_string()),
        };
        if status.is_some_and(|status| !(200..=599).contains(&status)) {
            return problem(
                StatusCode::BAD_REQUEST,
                "status must lie between 200 and 599",
            );
        }
        let fault = Fault {
            mode,
            delay_ms,
            status,
        };
        match self.set_fault(service, fault).await {
            Ok(()) => answer::json(StatusCode::OK, &json!(self.faults.all())),
            Err(error) => problem(StatusCode::INTERNAL_SERVER_ERROR, &format!("{error:#}")),
        }
    }
}

/// What a form of the page says, as scripts say it. The header does not tell them apart:
/// `curl -d` calls everything a form.
fn filled_form(body: &Bytes) -> Option<Bytes> {
    if !body.starts_with(b"service=") {
        return None;
    }
    let fields: BTreeMap<_, _> = url::form_urlencoded::parse(body).collect();
    Some(json!(fields).to_string().into())
}

fn problem(status: StatusCode, detail: &str) -> Response<Bytes> {
    answer::json(
        status,
        &json!({ "status": status.as_u16(), "detail": detail }),
    )
}
