//! What may be secret or personal, put everywhere into what clients send: it must be found
//! nowhere, neither in a table nor in a log nor in an answer.

use std::{
    io::Write,
    sync::{Arc, Mutex},
};

use local_supabase::fault::{Mode, Service};
use serde_json::{Value, json};

use crate::{
    door::{key, send},
    support::{Answer, Bundle},
};

/// What is searched for: no word of any language.
const MARK: &str = "zq17zq";

/// Each by its nature to be taken out, wherever it stands.
const SECRETS: [&str; 9] = [
    "zq17zq@wine.example",
    "mail zq17zq.berg+x@mail.wine.example now",
    "eyJhbGciOiJ9.eyJzq17zq.c2lnbmF0dXJl",
    "Authorization: Bearer zq17zqabcdefgh",
    "key sk_live_zq17zqabcdefghijklmn",
    "https://wine.example/p?who=zq17zq",
    "see https://zq17zq:zq17zq@wine.example/p#zq17zq.",
    "/wines?token=zq17zq&x=1",
    "postgresql://postgres:zq17zq@db.wine.example:5432/postgres",
];

/// What is personal by its place.
const PERSONAL: [&str; 4] = [
    "198.51.100.77",
    "Anna Zq17zq",
    "4111 1111 1111 1111",
    "4111111111111111",
];

/// Where logs go while a test is looking.
#[derive(Debug, Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// A form in which clients send: where, and what.
struct Form {
    target: &'static str,
    content_type: &'static str,
    body: Value,
    /// Writes a document in the form.
    write: fn(&Value) -> String,
}

fn as_json(document: &Value) -> String {
    document.to_string()
}

/// An envelope of Sentry's clients, whose items are an array of type and payload.
fn as_envelope(document: &Value) -> String {
    let parts = document.as_array().unwrap().iter();
    let mut lines =
        vec![json!({"event_id": uuid::Uuid::new_v4().simple().to_string()}).to_string()];
    for part in parts {
        lines.extend([json!({"type": part[0]}).to_string(), part[1].to_string()]);
    }
    lines.join("\n")
}

fn form(target: &'static str, body: Value) -> Form {
    Form {
        target,
        content_type: "application/json",
        body,
        write: as_json,
    }
}

/// Bodies that have much of what clients may say.
fn forms() -> Vec<Form> {
    let mut forms = vec![form("/api/ingest", own())];
    forms.push(Form {
        target: "/api/1/envelope/",
        content_type: "text/plain;charset=UTF-8",
        body: sentry(),
        write: as_envelope,
    });
    forms.extend(platforms());
    forms.extend(telemetry());
    forms.extend(reports());
    forms
}

fn own() -> Value {
    json!({
        "release": "1.4.2", "environment": "production", "user": "u1", "session": "s1",
        "items": [
            {"type": "event", "name": "wine_added", "properties": {"colour": "red", "paid": 4_111_111_111_111_111_u64, "of": {"place": ["x", "y"]}}},
            {"type": "page_view", "name": "/wines", "properties": {"referrer": "https://a.example/b"}},
            {"type": "web_vital", "name": "LCP", "value": 12, "properties": {"path": "/wines", "rating": "good"}},
            {"type": "error", "name": "TypeError", "message": "no wine", "severity": "high", "category": "database",
             "stack": "TypeError: x\n    at a (https://wine.example/a.js:1:2)", "properties": {"context": {"a": "b"}}},
            {"type": "request", "name": "/api/wines", "method": "GET", "status": 200, "value": 45},
            {"type": "span", "name": "api.openai.com", "method": "POST", "status": 200, "value": 45},
            {"type": "metric", "name": "wines_total", "value": 1200, "properties": {"unit": "x"}},
            {"type": "session", "name": "ok", "value": 3},
            {"type": "feedback", "message": "I cannot pour", "properties": {"mood": "low"}},
        ],
    })
}

fn sentry() -> Value {
    let now = outside::clock::now().as_second();
    json!([
        ["event", {
            "timestamp": now, "level": "error", "platform": "javascript", "release": "1.4.2", "transaction": "GET /wines",
            "message": "a message", "logger": "x", "server_name": "host",
            "exception": {"values": [{"type": "TypeError", "value": "no wine", "stacktrace": {"frames": [
                {"filename": "app:///a.js", "function": "f", "lineno": 1, "colno": 2, "in_app": true,
                 "context_line": "call()", "vars": {"wine": "x"}}]}}]},
            "breadcrumbs": [{"timestamp": now, "category": "fetch", "message": "crumb", "data": {"url": "https://a.example/b", "method": "GET"}}],
            "user": {"id": "u1", "email": "zq17zq@wine.example", "ip_address": "198.51.100.77", "username": "Anna Zq17zq"},
            "request": {"url": "https://wine.example/p", "query_string": "a=zq17zq", "cookies": "sid=zq17zq",
                        "headers": {"Cookie": "sid=zq17zq", "Authorization": "zq17zq", "User-Agent": "Firefox", "X-Forwarded-For": "198.51.100.77"},
                        "data": {"password": "zq17zq", "note": "zq17zq"}},
            "tags": {"page": "x"}, "extra": {"state": {"deep": "x"}}, "contexts": {"device": {"name": "x"}},
        }],
        ["transaction", {
            "timestamp": now, "start_timestamp": now, "transaction": "GET /wines", "type": "transaction",
            "contexts": {"trace": {"op": "http.server", "trace_id": "a".repeat(32), "span_id": "b".repeat(16), "data": {"http.response.status_code": 200, "url.query": "x"}}},
            "spans": [{"op": "db", "description": "select 1", "span_id": "c".repeat(16), "trace_id": "a".repeat(32), "start_timestamp": now, "timestamp": now, "data": {"db.system": "postgresql"}}],
        }],
        ["log", {"items": [{"timestamp": now, "level": "error", "body": "a log", "trace_id": "a".repeat(32), "attributes": {"place": {"value": "x", "type": "string"}}}]}],
        ["session", {"sid": "d0e1", "did": "u1", "init": true, "status": "ok", "started": "2026-11-24T10:00:00Z", "attrs": {"release": "1.4.2"}}],
        ["trace_metric", {"items": [{"timestamp": now, "name": "m", "value": 1, "type": "counter", "attributes": {"a": {"value": "x", "type": "string"}}}]}],
    ])
}

fn platforms() -> Vec<Form> {
    let now = outside::clock::now().as_millisecond();
    vec![
        form(
            "/api/drain/vercel",
            json!([{
                "id": "1", "deploymentId": "dpl_1", "source": "lambda", "host": "wine.example", "timestamp": now,
                "projectId": "prj", "level": "error", "environment": "production", "requestId": "req-1", "message": "TypeError: x",
                "path": "/wines/[id]", "statusCode": 500, "branch": "main",
                "proxy": {"timestamp": now, "method": "GET", "host": "wine.example", "path": "/wines/7", "userAgent": ["Firefox"],
                          "referer": "https://a.example/b", "statusCode": 500, "clientIp": "198.51.100.77", "region": "fra1"}},
                {"schema": "vercel.analytics.v1", "eventType": "pageview", "timestamp": now, "sessionId": 1, "deviceId": 2,
                 "origin": "https://wine.example", "path": "/a", "referrer": "https://a.example/b", "queryParams": "a=zq17zq",
                 "eventName": "x", "eventData": "{\"a\":\"b\"}"},
                {"schema": "vercel.speed_insights.v1", "timestamp": now, "metricType": "LCP", "value": 1.2, "path": "/a", "route": "/a", "deviceId": 3},
            ]),
        ),
        form(
            "/api/drain/vercel-webhook",
            json!({
            "id": "w1", "type": "deployment.ready", "createdAt": now, "payload": {"user": {"id": "usr"}, "target": "production",
            "deployment": {"id": "dpl_1", "name": "x", "meta": {"githubCommitSha": "c20a55c", "githubCommitRef": "main",
                           "githubCommitMessage": "x", "githubCommitAuthorName": "Anna Zq17zq"}}}}),
        ),
        form(
            "/api/drain/supabase",
            json!([
                {"id": "1", "timestamp": now * 1000, "event_message": "relation does not exist", "metadata": [{"parsed": [
                    {"error_severity": "ERROR", "sql_state_code": "42P01", "query": "select 'zq17zq'", "detail": "Key (a)=(zq17zq) exists",
                     "connection_from": "198.51.100.77:5432", "user_name": "x"}]}]},
                {"id": "2", "timestamp": now * 1000, "event_message": "", "metadata": {"path": "/token", "status": 400,
                    "grant_type": "password", "error_code": "invalid_credentials", "request_id": "r1", "remote_addr": "198.51.100.77",
                    "referer": "https://wine.example/a"}},
                {"id": "3", "timestamp": now * 1000, "event_message": "", "metadata": {"path": "/verify", "status": 500,
                    "error": "database is away", "request_id": "r2", "remote_addr": "198.51.100.77"}},
                {"id": "4", "timestamp": now * 1000, "event_message": "", "metadata": [{"request": [{"path": "/rest/v1/wines", "method": "GET",
                    "url": "https://x.supabase.co/rest/v1/wines"}], "response": [{"status_code": 503, "origin_time": 4}]}]},
            ]),
        ),
    ]
}

fn telemetry() -> Vec<Form> {
    let now = outside::clock::now().as_nanosecond().to_string();
    let text = |text: &str| json!({"stringValue": text});
    let said = |key: &str, value: &str| json!({"key": key, "value": text(value)});
    let resource = json!({"attributes": [said("service.name", "wine"), said("host.name", "x")]});
    vec![
        form(
            "/v1/traces",
            json!({"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": [
                {"traceId": "a".repeat(32), "spanId": "b".repeat(16), "name": "GET /wines", "kind": 2, "startTimeUnixNano": now, "endTimeUnixNano": now,
                 "attributes": [said("http.route", "/wines"), said("http.request.method", "GET"), said("client.address", "198.51.100.77"), said("user_agent.original", "x")],
                 "events": [{"name": "exception", "timeUnixNano": now, "attributes": [
                     said("exception.type", "TypeError"), said("exception.message", "x"), said("exception.stacktrace", "at a")]}]},
                {"traceId": "a".repeat(32), "spanId": "c".repeat(16), "name": "select", "kind": 3, "startTimeUnixNano": now, "endTimeUnixNano": now,
                 "attributes": [said("db.system.name", "postgresql"), said("db.operation.name", "select"), said("db.query.text", "select 'zq17zq'")]},
                {"traceId": "a".repeat(32), "spanId": "d".repeat(16), "name": "fetch", "kind": 3, "startTimeUnixNano": now, "endTimeUnixNano": now,
                 "attributes": [said("url.full", "https://api.example/x"), said("server.address", "api.example")]},
            ]}]}]}),
        ),
        form(
            "/v1/logs",
            json!({"resourceLogs": [{"resource": resource, "scopeLogs": [{"logRecords": [
            {"timeUnixNano": now, "severityNumber": 17, "severityText": "ERROR", "body": text("TypeError: x"),
             "attributes": [said("exception.type", "TypeError"), said("exception.message", "x"), said("place", "x")]}]}]}]}),
        ),
        form(
            "/v1/metrics",
            json!({"resourceMetrics": [{"resource": resource, "scopeMetrics": [{"metrics": [
            {"name": "wines", "unit": "1", "gauge": {"dataPoints": [{"timeUnixNano": now, "asDouble": 3.5, "attributes": [said("place", "x")]}]}}]}]}]}),
        ),
    ]
}

fn reports() -> Vec<Form> {
    let csp = json!({"csp-report": {"document-uri": "https://wine.example/a", "referrer": "https://a.example/b",
        "violated-directive": "script-src-elem", "effective-directive": "script-src-elem", "blocked-uri": "https://evil.example/x.js",
        "source-file": "https://wine.example/a.js", "line-number": 1, "original-policy": "script-src 'self'", "script-sample": "call()"}});
    let api = json!([
        {"type": "csp-violation", "age": 10, "url": "https://wine.example/a", "user_agent": "x", "body": {
            "documentURL": "https://wine.example/a", "referrer": "https://a.example/b", "blockedURL": "https://evil.example/x.js",
            "effectiveDirective": "script-src-elem", "originalPolicy": "x", "sourceFile": "https://wine.example/a.js", "sample": "call()", "disposition": "enforce"}},
        {"type": "network-error", "age": 10, "url": "https://wine.example/a", "user_agent": "x", "body": {
            "server_ip": "192.0.2.5", "method": "GET", "status_code": 0, "type": "tcp.timed_out", "phase": "connection", "referrer": "https://a.example/b"}},
        {"type": "deprecation", "age": 1, "url": "https://wine.example/a", "user_agent": "x", "body": {
            "id": "X", "message": "a message", "sourceFile": "https://wine.example/a.js"}},
    ]);
    vec![
        Form {
            target: "/api/ingest",
            content_type: "application/csp-report",
            body: csp,
            write: as_json,
        },
        Form {
            target: "/api/ingest",
            content_type: "application/reports+json",
            body: api,
            write: as_json,
        },
    ]
}

/// How many texts and names of fields a document has.
fn places(document: &Value) -> usize {
    match document {
        Value::String(_) => 1,
        Value::Array(parts) => parts.iter().map(places).sum(),
        Value::Object(fields) => fields.values().map(|value| 1 + places(value)).sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
    }
}

/// The document with something added to the text, or to the name of a field, at a place.
fn with(document: &Value, place: &mut usize, added: &str) -> Value {
    let mut hit = || {
        let hit = *place == 0;
        *place = place.wrapping_sub(1);
        hit
    };
    match document {
        Value::String(text) if hit() => json!(format!("{text} {added}")),
        Value::Array(parts) => parts.iter().map(|part| with(part, place, added)).collect(),
        Value::Object(fields) => {
            let mut changed = serde_json::Map::new();
            for (name, value) in fields {
                let name = if *place == 0 {
                    format!("{name} {added}")
                } else {
                    name.clone()
                };
                *place = place.wrapping_sub(1);
                changed.insert(name, with(value, place, added));
            }
            Value::Object(changed)
        }
        other => other.clone(),
    }
}

/// Every row of every table, as text.
async fn tables(bundle: &Bundle) -> Vec<(String, String)> {
    let admin = bundle.admin().await;
    let listed = "select format('%I.%I', relnamespace::regnamespace, relname)
                  from pg_class where relkind = 'r' and relnamespace in ('ops'::regnamespace, 'public'::regnamespace)";
    let mut tables = Vec::new();
    for row in admin.query(listed, &[]).await.unwrap() {
        let name: String = row.get(0);
        let all = format!("select coalesce(string_agg(t::text, E'\\n'), '') from {name} as t");
        let text: String = admin.query_one(&all, &[]).await.unwrap().get(0);
        tables.push((name, text));
    }
    tables
}

fn is_clean(text: &str) -> bool {
    let text = text.to_lowercase();
    !text.contains(MARK)
        && !PERSONAL
            .iter()
            .any(|one| text.contains(&one.to_lowercase()))
}

/// The line of a text that has something of what it must not have.
fn unclean(text: &str) -> Vec<&str> {
    text.lines()
        .filter(|line| !is_clean(line))
        .take(3)
        .collect()
}

/// Sends a form with something added at a place, and looks at the answer.
async fn send_with(bundle: &Bundle, key: &str, form: &Form, place: usize, added: &str) -> Answer {
    let body = (form.write)(&with(&form.body, &mut place.clone(), added));
    let target = format!("{}?key={key}&sentry_key={key}", form.target);
    let headers = [
        ("content-type", form.content_type),
        ("user-agent", "Firefox"),
    ];
    let answer = send(bundle, &target, &headers, body).await;
    let said = String::from_utf8_lossy(&answer.bytes).into_owned();
    assert!(is_clean(&said), "{target} at {place}: {said}");
    answer
}

#[tokio::test]
async fn what_is_secret_or_personal_is_found_nowhere() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    // A second one: with one alone, other threads' silence would be taken for this one's.
    let _other = tracing::Dispatch::new(tracing_subscriber::registry());
    let _guard = tracing::subscriber::set_default(subscriber);

    let bundle = Bundle::start().await;
    let key = key(&bundle, "{}").await;
    let many = "update ops.door_keys set items_a_minute = 1000000, items_a_day = 1000000";
    bundle.admin().await.batch_execute(many).await.unwrap();
    let all = format!("{} {}", SECRETS.join(" "), PERSONAL[2]);
    let mut sent = 0;
    for form in forms() {
        for place in 0..places(&form.body) {
            for added in [all.as_str(), SECRETS[place % SECRETS.len()]] {
                let answer = send_with(&bundle, &key, &form, place, added).await;
                let status = answer.status.as_u16();
                assert!(status < 500, "{} at {place}: {status}", form.target);
                sent += 1;
            }
        }
    }
    assert!(sent > 300, "{sent}");
    for (table, rows) in tables(&bundle).await {
        assert!(is_clean(&rows), "{table}: {:#?}", unclean(&rows));
    }

    bundle.fault(Service::Database, Mode::Refuse).await;
    for form in forms() {
        let answer = send_with(&bundle, &key, &form, 3, &all).await;
        assert_eq!(answer.status.as_u16(), 503, "{}", form.target);
    }
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("a batch cannot be taken"), "{log}");
    assert!(is_clean(&log), "{:#?}", unclean(&log));
}
