//! Bodies as the clients of each source send them, all different.

use bytes::Bytes;
use outside::clock;
use serde_json::{Value, json};

/// Who sends, in which form.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Source {
    /// A page that is left.
    OwnPage,
    /// A server that gathers what it has to say.
    OwnServer,
    /// One error of Sentry's clients.
    SentryError,
    /// Spans of a Sentry client.
    SentrySpans,
    /// A log drain of Vercel's.
    VercelLogs,
    /// Traces, as JSON.
    OtlpJson,
    /// Traces, as protobuf.
    OtlpProtobuf,
    /// A log drain of Supabase's.
    Supabase,
    /// What a browser reports by itself.
    Reports,
}

impl Source {
    pub(crate) const ALL: [Self; 9] = [
        Self::OwnPage,
        Self::OwnServer,
        Self::SentryError,
        Self::SentrySpans,
        Self::VercelLogs,
        Self::OtlpJson,
        Self::OtlpProtobuf,
        Self::Supabase,
        Self::Reports,
    ];

    pub(crate) fn name(self) -> String {
        let name = match self {
            Self::OwnPage => "own JSON, a page",
            Self::OwnServer => "own JSON, a server",
            Self::SentryError => "Sentry, an error",
            Self::SentrySpans => "Sentry, spans",
            Self::VercelLogs => "Vercel's log drain",
            Self::OtlpJson => "OTLP traces, JSON",
            Self::OtlpProtobuf => "OTLP traces, protobuf",
            Self::Supabase => "Supabase's log drain",
            Self::Reports => "browsers' reports",
        };
        format!("{name} ({})", self.batch())
    }

    /// How many items its clients send at once.
    pub(crate) fn batch(self) -> usize {
        match self {
            Self::OwnPage => 10,
            Self::OwnServer => 500,
            Self::SentryError => 1,
            Self::SentrySpans | Self::VercelLogs => 100,
            Self::OtlpJson | Self::OtlpProtobuf => 200,
            Self::Supabase => 250,
            Self::Reports => 3,
        }
    }

    pub(crate) fn path(self) -> &'static str {
        match self {
            Self::OwnPage | Self::OwnServer | Self::Reports => "/api/ingest",
            Self::SentryError | Self::SentrySpans => "/api/1/envelope/",
            Self::VercelLogs => "/api/drain/vercel",
            Self::OtlpJson | Self::OtlpProtobuf => "/v1/traces",
            Self::Supabase => "/api/drain/supabase",
        }
    }

    pub(crate) fn content_type(self) -> &'static str {
        match self {
            Self::OwnPage => "text/plain;charset=UTF-8",
            Self::SentryError | Self::SentrySpans => "application/x-sentry-envelope",
            Self::OtlpProtobuf => "application/x-protobuf",
            Self::Reports => "application/reports+json",
            Self::OwnServer | Self::VercelLogs | Self::OtlpJson | Self::Supabase => {
                "application/json"
            }
        }
    }

    /// The body of that number.
    pub(crate) fn body(self, nth: usize) -> Bytes {
        let items = (0..self.batch()).map(|item| nth * self.batch() + item);
        let body = match self {
            Self::OwnPage | Self::OwnServer => own(items),
            Self::SentryError => error(nth),
            Self::SentrySpans => spans(items),
            Self::VercelLogs => json!(items.map(log).collect::<Vec<_>>()).to_string(),
            Self::OtlpJson => otlp(items),
            Self::OtlpProtobuf => return protobuf(items).into(),
            Self::Supabase => json!(items.map(postgres_log).collect::<Vec<_>>()).to_string(),
            Self::Reports => json!(items.map(report).collect::<Vec<_>>()).to_string(),
        };
        body.into()
    }
}

/// A batch as the function hands it to the database.
pub(crate) fn database_batch(size: usize, mark: &str) -> String {
    let now = clock::now().to_string();
    let items: Vec<Value> = (0..size)
        .map(|nth| {
            json!({"id": uuid::Uuid::new_v4(), "kind": "event", "time": now, "environment": "production",
                   "release": "1.4.2", "name": format!("event_{}", nth % 20), "method": null, "status": null,
                   "value": null, "person": format!("p{}", nth % 100), "session": mark,
                   "detail": {"properties": {"page": "/wines", "nth": nth}}})
        })
        .collect();
    json!(items).to_string()
}

fn own(items: impl Iterator<Item = usize>) -> String {
    let now = clock::now().to_string();
    let items: Vec<Value> = items
        .map(|nth| {
            json!({"id": uuid::Uuid::new_v4(), "type": "event", "name": format!("event_{}", nth % 20), "time": now,
                   "properties": {"page": "/wines", "nth": nth}})
        })
        .collect();
    json!({"sentAt": now, "release": "1.4.2", "user": "u1", "session": "s1", "items": items})
        .to_string()
}

fn error(nth: usize) -> String {
    let id = uuid::Uuid::new_v4().simple();
    let frames: Vec<Value> = (0..20)
        .map(|line| json!({"filename": "/app/server.js", "function": format!("f{line}"), "lineno": line, "in_app": true}))
        .collect();
    let event = json!({
        "event_id": id, "level": "error", "environment": "production", "release": "1.4.2", "transaction": "GET /wines",
        "exception": {"values": [{"type": "TypeError", "value": format!("cannot read {nth} of undefined"),
                                  "stacktrace": {"frames": frames}}]},
        "contexts": {"os": {"name": "Linux"}}, "tags": {"runtime": "node"},
    });
    format!("{{\"event_id\":\"{id}\"}}\n{{\"type\":\"event\"}}\n{event}\n")
}

#[expect(
    clippy::cast_precision_loss,
    reason = "milliseconds are far below 2^52"
)]
fn spans(items: impl Iterator<Item = usize>) -> String {
    let now = clock::now().as_millisecond() as f64 / 1000.0;
    let spans: Vec<Value> = items
        .map(|nth| {
            json!({"trace_id": uuid::Uuid::new_v4().simple().to_string(), "span_id": format!("{nth:016x}"),
                   "name": "GET /wines", "is_segment": true, "status": "ok", "start_timestamp": now - 0.05,
                   "end_timestamp": now, "attributes": {
                       "sentry.op": {"type": "string", "value": "http.server"},
                       "http.request.method": {"type": "string", "value": "GET"},
                       "http.response.status_code": {"type": "integer", "value": 200},
                       "http.route": {"type": "string", "value": "/wines/[id]"}}})
        })
        .collect();
    let header = json!({"type": "span", "item_count": spans.len(), "content_type": "application/vnd.sentry.items.span.v2+json"});
    format!("{{}}\n{header}\n{}\n", json!({ "items": spans }))
}

fn log(nth: usize) -> Value {
    let now = clock::now().as_millisecond();
    json!({"id": uuid::Uuid::new_v4(), "deploymentId": "dpl", "source": "lambda", "host": "wine.example",
           "timestamp": now, "projectId": "prj", "level": "info", "environment": "production",
           "requestId": format!("r-{}", uuid::Uuid::new_v4()), "path": "/wines/[id]", "statusCode": 200,
           "proxy": {"timestamp": now, "method": "GET", "host": "wine.example", "path": format!("/wines/{nth}?x=1"),
                     "userAgent": ["Mozilla/5.0"], "region": "fra1", "statusCode": 200, "clientIp": "203.0.113.9"}})
}

fn otlp(items: impl Iterator<Item = usize>) -> String {
    let now = clock::now().as_nanosecond();
    let text = |value: &str| json!({"stringValue": value});
    let spans: Vec<Value> = items
        .map(|nth| {
            json!({"traceId": uuid::Uuid::new_v4().simple().to_string(), "spanId": format!("{nth:016x}"), "kind": 2,
                   "name": "GET /wines", "startTimeUnixNano": (now - 50_000_000).to_string(),
                   "endTimeUnixNano": now.to_string(), "attributes": [
                       {"key": "http.request.method", "value": text("GET")},
                       {"key": "http.route", "value": text("/wines/[id]")},
                       {"key": "http.response.status_code", "value": {"intValue": "200"}}]})
        })
        .collect();
    json!({"resourceSpans": [{"resource": {"attributes": [{"key": "service.name", "value": text("wine")}]},
                              "scopeSpans": [{"spans": spans}]}]})
    .to_string()
}

fn protobuf(items: impl Iterator<Item = usize>) -> Vec<u8> {
    let now = u64::try_from(clock::now().as_nanosecond()).unwrap_or_default();
    let time = |number: u8, at: u64| [vec![number << 3 | 1], at.to_le_bytes().to_vec()].concat();
    let attribute =
        |name: &str, value: &[u8]| field(9, &[field(1, name.as_bytes()), field(2, value)].concat());
    let spans: Vec<u8> = items
        .flat_map(|nth| {
            let span = [
                field(1, uuid::Uuid::new_v4().as_bytes()),
                field(2, &(nth as u64).to_be_bytes()),
                field(5, b"GET /wines"),
                vec![6 << 3, 2],
                time(7, now - 50_000_000),
                time(8, now),
                attribute("http.request.method", &field(1, b"GET")),
                attribute("http.route", &field(1, b"/wines/[id]")),
                attribute("http.response.status_code", &[3 << 3, 0xc8, 0x01]),
            ];
            field(2, &span.concat())
        })
        .collect();
    field(1, &field(2, &spans))
}

/// A field of protobuf's that has a length.
fn field(number: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = vec![number << 3 | 2];
    let mut length = content.len();
    loop {
        let low = u8::try_from(length & 127).unwrap_or_default();
        length >>= 7;
        if length == 0 {
            bytes.push(low);
            break;
        }
        bytes.push(low | 128);
    }
    bytes.extend(content);
    bytes
}

fn postgres_log(nth: usize) -> Value {
    json!({"id": uuid::Uuid::new_v4(), "timestamp": clock::now().as_microsecond(),
           "event_message": format!("duplicate key value violates unique constraint {nth}"),
           "metadata": [{"parsed": [{"error_severity": "ERROR", "sql_state_code": "23505",
                                     "query": "insert into wines values ($1)", "user_name": "authenticator"}]}]})
}

fn report(nth: usize) -> Value {
    json!({"age": nth % 1000, "type": "csp-violation", "url": format!("https://wine.example/page/{nth}"),
           "user_agent": "Mozilla/5.0", "body": {
               "documentURL": format!("https://wine.example/page/{nth}"), "blockedURL": "https://cdn.example/x.js",
               "effectiveDirective": "script-src-elem", "disposition": "enforce", "statusCode": 200}})
}
