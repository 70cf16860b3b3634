//! `/_local`: what the stack captured, and how it is broken and healed. These
//! routes are broken by nothing.

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use serde::Deserialize;
use serde_json::json;

use super::Stack;
use crate::{
    answer,
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

impl Stack {
    /// Answers `GET` and `DELETE /_local/inbox` and `GET` and `POST
    /// /_local/faults`; `None` for any path outside `/_local`.
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
            ("faults", &Method::POST) => self.take_fault(request.body()).await,
            ("faults", _) => answer::method_not_allowed("GET, POST"),
            _ => problem(StatusCode::NOT_FOUND, "no such local route"),
        })
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

fn problem(status: StatusCode, detail: &str) -> Response<Bytes> {
    answer::json(
        status,
        &json!({ "status": status.as_u16(), "detail": detail }),
    )
}
