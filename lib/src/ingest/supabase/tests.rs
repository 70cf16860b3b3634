use http::{HeaderMap, header};
use prost::Message;
use serde_json::json;

use super::*;

fn decoded(body: &str) -> Result<Batch, Problem> {
    decode(&Received {
        body: body.as_bytes().to_vec(),
        ..Received::default()
    })
}

fn items(batch: &Batch) -> Vec<Value> {
    batch.items.iter().map(|item| json!(item)).collect()
}

fn postgres(severity: &str) -> Value {
    json!({
        "id": "0a1b", "timestamp": 1_795_521_600_000_000_i64,
        "event_message": "duplicate key value violates unique constraint \"wines_name_key\"",
        "metadata": [{"host": "db-abc", "parsed": [{
            "error_severity": severity, "sql_state_code": "23505", "user_name": "authenticator",
            "query": "insert into wines (name, owner) values ('Barolo of anna', 7)",
            "detail": "Key (name)=(Barolo of anna) already exists.", "database_name": "postgres",
            "command_tag": "INSERT", "connection_from": "203.0.113.9:5432",
        }]}],
    })
}

#[test]
fn an_error_of_the_database_is_one_without_what_its_statement_held() {
    let batch = decoded(&json!([postgres("ERROR"), postgres("LOG")]).to_string()).unwrap();
    let [error] = items(&batch).try_into().unwrap();
    assert_eq!(error["name"], "PostgreSQL 23505");
    assert_eq!(error["time"], "2026-11-24T12:00:00Z");
    assert_eq!(error["detail"]["sqlState"], "23505");
    assert_eq!(error["detail"]["postgresSeverity"], "ERROR");
    assert_eq!(
        error["detail"]["statement"],
        "insert into wines (name, owner) values (?, ?)"
    );
    let text = error.to_string();
    for personal in ["anna", "203.0.113.9", "already exists"] {
        assert!(!text.contains(personal), "{personal} in {text}");
    }
    assert_eq!(batch.drops["row that is not kept"], 1);
    let fatal = decoded(&postgres("FATAL").to_string()).unwrap();
    assert_eq!(items(&fatal)[0]["detail"]["severity"], "critical");
}

fn sign_in(more: &Value) -> Value {
    let mut parts = json!({
        "component": "api", "error": "400: Invalid login credentials", "grant_type": "password",
        "level": "info", "method": "POST", "msg": "400: Invalid login credentials",
        "path": "/token", "remote_addr": "203.0.113.9", "referer": "https://wine.example/?a=b",
        "request_id": "req-1", "status": 400,
    });
    let fields = parts.as_object_mut().unwrap();
    fields.extend(more.as_object().unwrap().clone());
    json!({"timestamp": 1_795_521_600_000_000_i64, "event_message": parts.to_string(), "metadata": parts})
}

#[test]
fn a_sign_in_that_failed_is_an_event_however_many_rows_it_leaves() {
    let done =
        json!({"msg": "request completed", "error": null, "error_code": "invalid_credentials"});
    let body = json!([sign_in(&json!({})), sign_in(&done)]);
    let found = items(&decoded(&body.to_string()).unwrap());
    assert_eq!(found.len(), 2);
    assert_eq!(found[0]["id"], found[1]["id"], "one request");
    assert_eq!(
        (&found[0]["kind"], &found[0]["name"], &found[0]["status"]),
        (&json!("event"), &json!("sign_in_failed"), &json!(400))
    );
    assert_eq!(
        found[0]["detail"],
        json!({"reason": "invalid_credentials", "path": "/token", "by": "password", "network": "203.0.113.0"})
    );
    assert!(!json!(found).to_string().contains("203.0.113.9"));
}

#[test]
fn only_people_who_are_not_let_in_are_counted() {
    for (more, expected) in [
        (
            json!({"path": "/verify", "grant_type": null, "error_code": "otp_expired", "status": 403}),
            Some("otp_expired"),
        ),
        (
            json!({"path": "/factors/1b/verify", "grant_type": null, "msg": "Invalid TOTP code entered", "error": null, "status": "422"}),
            Some("mfa_verification_failed"),
        ),
        (json!({"status": null}), Some("invalid_credentials")),
        (
            json!({"error": "slow down", "msg": "429: slow down", "status": 429}),
            Some("unknown"),
        ),
        (
            json!({"grant_type": "refresh_token", "error": "Invalid Refresh Token"}),
            None,
        ),
        (json!({"grant_type": null, "error": "x", "msg": "x"}), None),
        (json!({"path": "/user"}), None),
        (json!({"status": 200}), None),
    ] {
        let batch = decoded(&json!([sign_in(&more)]).to_string()).unwrap();
        let reason = items(&batch)
            .first()
            .map(|item| item["detail"]["reason"].clone());
        assert_eq!(reason, expected.map(Value::from), "{more}");
    }
    let broken = sign_in(&json!({"status": 500, "error": "500: no connection"}));
    let batch = decoded(&json!([broken]).to_string()).unwrap();
    assert_eq!(
        (&items(&batch)[0]["kind"], &items(&batch)[0]["name"]),
        (&json!("error"), &json!("AuthError"))
    );
}

#[test]
fn of_the_edge_what_it_answered_with_an_error_is_kept() {
    let row = |status: u64| {
        json!({
            "id": "e1", "timestamp": 1_795_521_600_000_000_i64,
            "event_message": "GET | 503 | 203.0.113.9 | https://abc.supabase.co/rest/v1/wines?name=eq.anna",
            "metadata": [{
                "request": [{"method": "GET", "path": "/rest/v1/wines", "search": "?name=eq.anna",
                             "headers": [{"cf_connecting_ip": "203.0.113.9"}], "cf": [{"colo": "FRA"}]}],
                "response": [{"status_code": status, "origin_time": 45}],
            }],
        })
    };
    let batch = decoded(&json!([row(503), row(200), row(404)]).to_string()).unwrap();
    let [request] = items(&batch).try_into().unwrap();
    assert_eq!(
        (
            &request["name"],
            &request["method"],
            &request["status"],
            &request["value"]
        ),
        (
            &json!("/rest/v1/wines"),
            &json!("GET"),
            &json!(503),
            &json!(45.0)
        )
    );
    assert!(!request.to_string().contains("anna"));
    assert_eq!(batch.drops["row that is not kept"], 2);
}

#[test]
fn opentelemetrys_form_brings_the_same_rows() {
    let row = postgres("ERROR");
    let value = |value: &Value| otlp_value(value);
    let document = json!({"resourceLogs": [{
        "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "postgres_logs"}}]},
        "scopeLogs": [{"logRecords": [{
            "timeUnixNano": "1795521600000000000", "eventName": row["event_message"],
            "body": value(&json!({"id": "0a1b", "metadata": row["metadata"]})),
        }]}],
    }]});
    let by_json = decoded(&document.to_string()).unwrap();
    let expected = decoded(&json!([row]).to_string()).unwrap();
    assert_eq!(items(&by_json), items(&expected));
    let logs = otlp::logs_of(&Received {
        body: document.to_string().into_bytes(),
        ..Received::default()
    });
    let mut headers = HeaderMap::new();
    headers.insert(
        header::CONTENT_TYPE,
        "application/x-protobuf".parse().unwrap(),
    );
    let by_protobuf = decode(&Received {
        headers,
        body: logs.unwrap().encode_to_vec(),
        ..Received::default()
    });
    assert_eq!(items(&by_protobuf.unwrap()), items(&expected));
}

/// A value as OpenTelemetry writes it.
fn otlp_value(value: &Value) -> Value {
    match value {
        Value::String(text) => json!({ "stringValue": text }),
        Value::Number(number) => json!({ "intValue": number }),
        Value::Array(values) => {
            let values: Vec<_> = values.iter().map(otlp_value).collect();
            json!({ "arrayValue": { "values": values } })
        }
        Value::Object(fields) => {
            let values: Vec<_> = fields
                .iter()
                .map(|(key, value)| json!({ "key": key, "value": otlp_value(value) }))
                .collect();
            json!({ "kvlistValue": { "values": values } })
        }
        Value::Null | Value::Bool(_) => json!({}),
    }
}

#[test]
fn what_is_no_row_is_counted_and_what_is_none_of_them_refused() {
    let batch = decoded(r#"[7, {}, {"event_message": "x"}, {"metadata": []}]"#).unwrap();
    assert_eq!(batch.drops["unknown type"], 3);
    assert_eq!(batch.drops["row that is not kept"], 1);
    for body in ["7", "{", "\"x\""] {
        assert!(decoded(body).is_err(), "{body}");
    }
    assert!(decoded("").unwrap().items.is_empty());
}
