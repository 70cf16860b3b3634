//! `OpenAI`: its list of models, with or without the version in the path, as
//! clients differ in where they put it.

use bytes::Bytes;
use http::{Method, Request, StatusCode};
use serde_json::json;

use super::Reply;
use crate::answer;

pub(super) fn reply(key: &str, request: &Request<Bytes>) -> Reply {
    let refusal = |status, message: &str, code: &str| {
        let error = json!({
            "error": {
                "message": message,
                "type": "invalid_request_error",
                "param": null,
                "code": code,
            },
        });
        answer::json(status, &error)
    };
    match answer::bearer(request) {
        Some(presented) if presented == key => {}
        Some(_) => {
            let message = "Incorrect API key provided.";
            return refusal(StatusCode::UNAUTHORIZED, message, "invalid_api_key").into();
        }
        None => {
            let message = "You didn't provide an API key.";
            return refusal(StatusCode::UNAUTHORIZED, message, "missing_api_key").into();
        }
    }
    let path = request.uri().path();
    match (request.method(), path.strip_prefix("/v1").unwrap_or(path)) {
        (&Method::GET, "/models") => {
            let model = |id| json!({ "id": id, "object": "model", "created": 1_715_367_049, "owned_by": "system" });
            let models = ["gpt-4o", "gpt-4o-mini"].map(model);
            answer::json(StatusCode::OK, &json!({ "object": "list", "data": models })).into()
        }
        (method, path) => {
            let message = format!("Invalid URL ({method} {path})");
            refusal(StatusCode::NOT_FOUND, &message, "unknown_url").into()
        }
    }
}
