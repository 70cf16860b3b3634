//! Google Vision: annotates no images, which needs a working key and is not
//! billed, and shows its description. A wrong key is a 400 there, told apart by
//! its reason.

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use serde_json::{Value, json};

use super::Reply;
use crate::answer;

pub(super) fn reply(key: &str, request: &Request<Bytes>) -> Reply {
    let header = request.headers().get("x-goog-api-key");
    let presented = header
        .and_then(|value| value.to_str().ok())
        .map(str::to_owned)
        .or_else(|| answer::query(request, "key"));
    match presented {
        Some(presented) if presented == key => {}
        Some(_) => {
            let message = "API key not valid. Please pass a valid API key.";
            return refusal(400, "INVALID_ARGUMENT", message, "API_KEY_INVALID").into();
        }
        None => {
            let message = "Method doesn't allow unregistered callers.";
            return refusal(403, "PERMISSION_DENIED", message, "CREDENTIALS_MISSING").into();
        }
    }
    match (request.method(), request.uri().path()) {
        (&Method::POST, "/v1/images:annotate") => annotate(request.body()).into(),
        (&Method::GET, "/$discovery/rest") => {
            let description = json!({ "kind": "discovery#restDescription", "id": "vision:v1" });
            answer::json(StatusCode::OK, &description).into()
        }
        (&Method::GET, "/v1/operations") => answer::json(StatusCode::OK, &json!({})).into(),
        _ => refusal(
            404,
            "NOT_FOUND",
            "Requested entity was not found.",
            "NOT_FOUND",
        )
        .into(),
    }
}

/// One empty annotation for each image that was sent.
fn annotate(body: &Bytes) -> Response<Bytes> {
    let body: Option<Value> = serde_json::from_slice(body).ok();
    let Some(images) = body.as_ref().and_then(|body| body["requests"].as_array()) else {
        let message = "Invalid JSON payload received.";
        return refusal(400, "INVALID_ARGUMENT", message, "INVALID_PAYLOAD");
    };
    if images.is_empty() {
        // Google's JSON leaves empty lists out.
        return answer::json(StatusCode::OK, &json!({}));
    }
    let responses: Vec<Value> = images.iter().map(|_| json!({})).collect();
    answer::json(StatusCode::OK, &json!({ "responses": responses }))
}

fn refusal(code: u16, status: &str, message: &str, reason: &str) -> Response<Bytes> {
    let details = json!([{
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": reason,
        "domain": "googleapis.com",
    }]);
    answer::json(
        StatusCode::from_u16(code).unwrap_or(StatusCode::BAD_REQUEST),
        &json!({ "error": { "code": code, "message": message, "status": status, "details": details } }),
    )
}
