//! Which HTTP status stands for which SQLSTATE, and the errors by which a
//! function in the database writes the answer itself.

use std::collections::BTreeMap;

use http::{
    HeaderName, StatusCode,
    header::{RETRY_AFTER, WWW_AUTHENTICATE},
};
use serde::Deserialize;
use serde_json::Value;

use super::{claims::ANONYMOUS, error::ApiError};

impl ApiError {
    /// What PostgreSQL answered. `role` is the role of the request, because a
    /// missing privilege means "sign in" to strangers only.
    pub(super) fn from_postgres(error: &tokio_postgres::Error, role: &str) -> Self {
        let Some(report) = error.as_db_error() else {
            return Self::unreachable(
                "PGRST001",
                "Database client error. Retrying the connection.",
                error,
            );
        };
        let code = report.code().code();
        if code == "PGRST" {
            return raised_response(report.message(), report.detail());
        }
        let status = status(code, report.message(), role);
        let mut answer = Self::new(status, code, report.message());
        if let Some(details) = report.detail() {
            answer = answer.details(details);
        }
        if let Some(hint) = report.hint() {
            answer = answer.hint(hint);
        }
        match status {
            StatusCode::SERVICE_UNAVAILABLE => answer.header(RETRY_AFTER, "1"),
            StatusCode::UNAUTHORIZED if code == "42501" => {
                answer.header(WWW_AUTHENTICATE, "Bearer")
            }
            _ => answer,
        }
    }
}

/// The HTTP status of a database error, as PostgREST maps it.
fn status(code: &str, message: &str, role: &str) -> StatusCode {
    match code {
        "23503" | "23505" => StatusCode::CONFLICT,
        "25006" => StatusCode::METHOD_NOT_ALLOWED,
        "42501" if role == ANONYMOUS => StatusCode::UNAUTHORIZED,
        "42501" => StatusCode::FORBIDDEN,
        "42P01" | "42883" => StatusCode::NOT_FOUND,
        "22023" if message.starts_with("role \"") && message.ends_with("does not exist") => {
            StatusCode::UNAUTHORIZED
        }
        "21000" if message.ends_with("requires a WHERE clause") => StatusCode::BAD_REQUEST,
        "P0001" => StatusCode::BAD_REQUEST,
        "57P01" => StatusCode::SERVICE_UNAVAILABLE,
        "42P17" | "21000" | "53400" => StatusCode::INTERNAL_SERVER_ERROR,
        _ => match code.strip_prefix("PT") {
            Some(number) => raised_status(number),
            None => status_of_class(code.get(..2).unwrap_or_default()),
        },
    }
}

fn status_of_class(class: &str) -> StatusCode {
    match class {
        "0L" | "0P" | "28" => StatusCode::FORBIDDEN,
        "08" | "53" => StatusCode::SERVICE_UNAVAILABLE,
        "09" | "25" | "2D" | "38" | "39" | "3B" | "40" | "54" | "55" | "57" | "58" | "XX"
        | "F0" | "HV" | "P0" => StatusCode::INTERNAL_SERVER_ERROR,
        _ => StatusCode::BAD_REQUEST,
    }
}

/// `raise sqlstate 'PT402'` answers 402.
fn raised_status(number: &str) -> StatusCode {
    number
        .parse()
        .ok()
        .and_then(|number: u16| StatusCode::from_u16(number).ok())
        .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// The message of `raise sqlstate 'PGRST'`.
#[derive(Deserialize)]
struct RaisedBody {
    code: String,
    message: String,
    details: Option<String>,
    hint: Option<String>,
}

/// The detail of `raise sqlstate 'PGRST'`.
#[derive(Deserialize)]
struct RaisedHead {
    status: u16,
    headers: BTreeMap<String, Value>,
}

/// The answer that a function wrote by `raise sqlstate 'PGRST'`: its message
/// holds the body, its detail the status and the headers.
fn raised_response(message: &str, detail: Option<&str>) -> ApiError {
    let Ok(body) = serde_json::from_str::<RaisedBody>(message) else {
        return unreadable("MESSAGE", Some(message)).hint(
            "MESSAGE must be a JSON object with obligatory keys: 'code', 'message' and optional keys: 'details', 'hint'.",
        );
    };
    let head = detail.and_then(|detail| serde_json::from_str::<RaisedHead>(detail).ok());
    let status = head
        .as_ref()
        .and_then(|head| StatusCode::from_u16(head.status).ok());
    let (Some(head), Some(status)) = (head, status) else {
        return unreadable("DETAIL", detail).hint(
            "DETAIL must be a JSON object with obligatory keys: 'status', 'headers' and optional key: 'status_text'.",
        );
    };
    let mut answer = ApiError::new(status, &body.code, body.message);
    if let Some(details) = body.details {
        answer = answer.details(details);
    }
    if let Some(hint) = body.hint {
        answer = answer.hint(hint);
    }
    for (name, value) in head.headers {
        if let Ok(name) = HeaderName::try_from(name) {
            answer = answer.header(name, value.as_str().unwrap_or(&value.to_string()));
        }
    }
    answer
}

fn unreadable(part: &str, text: Option<&str>) -> ApiError {
    ApiError::new(
        StatusCode::INTERNAL_SERVER_ERROR,
        "PGRST121",
        "Could not parse JSON in the \"RAISE SQLSTATE 'PGRST'\" error",
    )
    .details(text.map_or_else(
        || format!("{part} is missing in the RAISE statement"),
        |text| format!("Invalid JSON value for {part}: '{text}'"),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_of_error_has_its_status() {
        let check = |code: &str, message: &str, role: &str, expected: u16| {
            assert_eq!(
                status(code, message, role).as_u16(),
                expected,
                "{code} {message:?} as {role}"
            );
        };
        check("23505", "", "anon", 409);
        check("23503", "", "anon", 409);
        check("23502", "", "anon", 400);
        check("23514", "", "anon", 400);
        check("22P02", "", "anon", 400);
        check("42703", "", "anon", 400);
        check("42P10", "", "anon", 400);
        check("428C9", "", "anon", 400);
        check("42501", "", "anon", 401);
        check("42501", "", "authenticated", 403);
        check("42P01", "", "anon", 404);
        check("42883", "", "anon", 404);
        check("42P17", "", "anon", 500);
        check("25006", "", "anon", 405);
        check("25001", "", "anon", 500);
        check("22023", "role \"x\" does not exist", "x", 401);
        check("22023", "invalid value", "anon", 400);
        check("21000", "UPDATE requires a WHERE clause", "anon", 400);
        check("21000", "more than one row returned", "anon", 500);
        check("P0001", "", "anon", 400);
        check("P0002", "", "anon", 500);
        check("PT402", "", "anon", 402);
        check("PTabc", "", "anon", 500);
        check("08006", "", "anon", 503);
        check("53300", "", "anon", 503);
        check("53400", "", "anon", 500);
        check("57014", "", "anon", 500);
        check("57P01", "", "anon", 503);
        check("28P01", "", "anon", 403);
        check("0P000", "", "anon", 403);
        check("40001", "", "anon", 500);
        check("XX000", "", "anon", 500);
    }
}
