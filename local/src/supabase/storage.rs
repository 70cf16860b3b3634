//! `/storage/v1` as far as a probe goes: liveness, and the list of buckets
//! under the caller's role and row-level security.
//!
//! Storage answers refusals with status 400 and the real status in the body.

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use serde_json::{Value, json};

use super::{Project, connect};
use crate::answer;

pub(super) async fn answer(project: &Project, request: &Request<Bytes>) -> Response<Bytes> {
    let path = request.uri().path().trim_start_matches("/storage/v1");
    if (request.method(), path) == (&Method::GET, "/status") {
        return answer::empty(StatusCode::OK);
    }
    let token = match project.token(request) {
        Ok(token) => token,
        Err(refusal) => return refusal.answer(),
    };
    let claims = match project.gateway.verify_token(token) {
        Ok(claims) => Value::Object(claims),
        Err(refused) => return refusal("403", "Unauthorized", &refused.message),
    };
    match (request.method(), path) {
        (&Method::GET, "/health") => answer::json(StatusCode::OK, &json!({ "healthy": true })),
        (&Method::GET, "/bucket" | "/bucket/") => match buckets(project, &claims, request).await {
            Ok(buckets) => answer::json(StatusCode::OK, &buckets),
            Err(error) => answer::json(
                StatusCode::INTERNAL_SERVER_ERROR,
                &json!({ "statusCode": "500", "error": "Internal", "message": error.to_string() }),
            ),
        },
        (method, _) => {
            let message = format!("Route {method}:{path} not found");
            refusal("404", "Not Found", &message)
        }
    }
}

/// The buckets that the caller may see.
async fn buckets(
    project: &Project,
    claims: &Value,
    request: &Request<Bytes>,
) -> Result<Value, tokio_postgres::Error> {
    let number = |name| answer::query(request, name).and_then(|text| text.parse::<i64>().ok());
    let role = claims["role"].as_str().unwrap_or("anon").to_owned();
    let mut client = connect(&project.authenticator).await?;
    let transaction = client.transaction().await?;
    transaction
        .execute(
            "select set_config('role', $1, true), set_config('request.jwt.claims', $2, true)",
            &[&role, &claims.to_string()],
        )
        .await?;
    let row = transaction
        .query_one(
            "select coalesce(jsonb_agg(to_jsonb(listed)), '[]'::jsonb)::text
            from (
                select
                    id, name, owner, public, file_size_limit, allowed_mime_types,
                    created_at, updated_at, type
                from storage.buckets
                order by id
                limit $1
                offset $2
            ) as listed",
            &[
                &number("limit").unwrap_or(100),
                &number("offset").unwrap_or(0),
            ],
        )
        .await?;
    Ok(serde_json::from_str(row.get(0)).unwrap_or_default())
}

fn refusal(status: &str, error: &str, message: &str) -> Response<Bytes> {
    answer::json(
        StatusCode::BAD_REQUEST,
        &json!({ "statusCode": status, "error": error, "message": message }),
    )
}
