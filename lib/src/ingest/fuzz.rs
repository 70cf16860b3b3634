//! Malformed bodies over the sources of platforms: bodies as they come, cut, doubled, mixed
//! and changed at random. No body may do more than be refused, and what is made of one has to
//! fit the database. `SEED=` and `BODIES=` play others.

use http::{HeaderMap, header};
use prost::Message;
use serde_json::{Value, json};

use super::{
    otlp,
    source::{Received, Source},
    sources, supabase, vercel,
};
use crate::problem::Problem;

/// How many bodies each run tries.
const BODIES: u64 = 24_000;

const SEED: u64 = 13;

/// Numbers by chance, the same for the same seed.
struct Chance(u64);

impl Chance {
    /// A number below that one: `SplitMix64`.
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let number = usize::try_from((mixed ^ (mixed >> 31)) >> 1).unwrap_or_default();
        number % limit.max(1)
    }

    fn of<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.below(list.len())]
    }
}

fn variable(name: &str, default: u64) -> u64 {
    #[expect(
        clippy::disallowed_methods,
        reason = "a failure is played again by its seed"
    )]
    let set = std::env::var(name).ok();
    set.and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// Bodies as they come, of every source.
fn samples() -> Vec<Value> {
    let attributes = json!([
        {"key": "http.route", "value": {"stringValue": "/wines/[id]"}},
        {"key": "http.status_code", "value": {"intValue": "500"}},
        {"key": "deep", "value": {"kvlistValue": {"values": [{"key": "a", "value": {"arrayValue": {"values": [
            {"doubleValue": 1.5}, {"boolValue": true}, {"bytesValue": "AAEC"}]}}}]}}},
    ]);
    vec![
        json!([{
            "id": "1", "deploymentId": "dpl", "source": "lambda", "host": "wine.example", "level": "error",
            "timestamp": 1_795_521_600_123_i64, "requestId": "r1", "statusCode": -1, "path": "/wines/[id]",
            "message": "TypeError: x\n  at y (z.js:1:2)", "environment": "production",
            "proxy": {"timestamp": 1_795_521_600_000_i64, "method": "GET", "path": "/a?b", "statusCode": 200,
                      "userAgent": ["x"]},
        }]),
        json!([{"schema": "vercel.speed_insights.v1", "metricType": "LCP", "value": 2.5, "deviceId": 7,
                "timestamp": "2026-11-24T12:00:00Z", "path": "/", "deploymentId": "dpl"},
               {"schema": "vercel.analytics.v2", "eventType": "event", "eventName": "x", "sessionId": 8,
                "eventData": "{\"a\":[1]}", "timestamp": 1_795_521_600_000_i64, "path": "/"}]),
        json!({"id": "uev", "type": "deployment.succeeded", "createdAt": 1_795_521_600_000_i64,
               "payload": {"deployment": {"id": "dpl", "meta": {"githubCommitSha": "c"}}, "target": "production"}}),
        json!([{"id": "a", "timestamp": 1_795_521_600_000_000_i64, "event_message": "gone", "metadata": [{
            "parsed": [{"error_severity": "ERROR", "sql_state_code": "23505", "query": "select 'x', $$y$$"}],
            "request": [{"method": "GET", "path": "/rest"}], "response": [{"status_code": 503}]}]},
            {"event_message": "{\"path\":\"/token\",\"status\":400,\"grant_type\":\"password\"}", "metadata": {}}]),
        json!({"resourceSpans": [{"resource": {"attributes": attributes}, "scopeSpans": [{"spans": [{
            "traceId": "0af7651916cd43dd8448eb211c80319c", "spanId": "b7ad6b7169203331", "kind": 2,
            "name": "GET /wines", "startTimeUnixNano": "1795521600000000000", "endTimeUnixNano": 1,
            "attributes": attributes, "status": {"code": 2},
            "events": [{"name": "exception", "timeUnixNano": "1", "attributes": attributes}]}]}]}]}),
        json!({"resourceLogs": [{"resource": {"attributes": attributes}, "scopeLogs": [{"logRecords": [{
            "timeUnixNano": "1795521600000000000", "severityNumber": 17, "severityText": "ERROR",
            "body": {"stringValue": "TypeError: x"}, "attributes": attributes, "eventName": "e"}]}]}]}),
        json!({"resourceMetrics": [{"scopeMetrics": [{"metrics": [
            {"name": "m", "unit": "1", "gauge": {"dataPoints": [{"asInt": "7", "attributes": attributes}]}},
            {"name": "h", "histogram": {"dataPoints": [{}]}}]}]}]}),
    ]
}

fn sources() -> [&'static Source; 6] {
    [
        &vercel::DRAIN,
        &vercel::WEBHOOK,
        &supabase::SOURCE,
        &otlp::TRACES,
        &otlp::LOGS,
        &otlp::METRICS,
    ]
}

/// Samples in both encodings.
fn bodies() -> Vec<Vec<u8>> {
    let mut bodies: Vec<Vec<u8>> = samples()
        .iter()
        .map(|sample| sample.to_string().into_bytes())
        .collect();
    for sample in samples() {
        let received = Received {
            body: sample.to_string().into_bytes(),
            ..Received::default()
        };
        bodies.extend(otlp::logs_of(&received).map(|logs| logs.encode_to_vec()));
    }
    bodies
}

/// Puts something odd in the place of a value somewhere in a document.
fn disturb(chance: &mut Chance, value: &mut Value) {
    let odd = [
        json!(null),
        json!([]),
        json!({}),
        json!(""),
        json!("\u{0}\u{fffd}é"),
        json!(-1),
        json!(i64::MIN),
        json!(u64::MAX),
        json!(1e308),
        json!("9".repeat(400)),
        json!("-0001-01-01T00:00:00Z"),
        json!([[[[[[[[[[{"a": 1}]]]]]]]]]]),
        json!("x".repeat(20_000)),
        json!(true),
    ];
    let inner: Vec<&mut Value> = match value {
        Value::Array(values) => values.iter_mut().collect(),
        Value::Object(fields) => fields.values_mut().collect(),
        _ => Vec::new(),
    };
    let count = inner.len();
    if count == 0 || chance.below(6) == 0 {
        *value = chance.of(&odd).clone();
    } else if let Some(inner) = inner.into_iter().nth(chance.below(count)) {
        disturb(chance, inner);
    }
}

/// A body with something wrong, most of the time.
fn malformed(chance: &mut Chance, bodies: &[Vec<u8>]) -> Vec<u8> {
    let mut body = chance.of(bodies).clone();
    match chance.below(8) {
        0..=2 => {
            let mut document = chance.of(&samples()).clone();
            for _ in 0..=chance.below(4) {
                disturb(chance, &mut document);
            }
            body = document.to_string().into_bytes();
        }
        3 => body.truncate(chance.below(body.len())),
        4 => {
            let more = chance.of(bodies).clone();
            let at = chance.below(body.len());
            body.splice(at..at, more);
        }
        5 => body.extend(chance.of(bodies).clone()),
        6 => {
            let deep = chance.of(&["[", "{\"a\":", "\n", "{\"kvlistValue\":{\"values\":["]);
            let at = chance.below(body.len());
            body.splice(at..at, deep.repeat(chance.below(6_000)).into_bytes());
        }
        _ => {
            for _ in 0..=chance.below(20) {
                let at = chance.below(body.len());
                if let Some(byte) = body.get_mut(at) {
                    *byte = u8::try_from(chance.below(256)).unwrap_or_default();
                }
            }
        }
    }
    body
}

/// Asserts that the database takes what was made of a body.
fn check_items(what: &str, source: &Source, received: &Received) {
    let batch = match (source.decode)(received) {
        Ok(batch) => batch.corrected().judged(),
        Err(Problem::BadRequest(_)) => return,
        Err(other) => panic!("{what}: {other}"),
    };
    for item in &batch.items {
        let written = json!(item);
        let text = written.to_string();
        assert!(!text.contains("\\u0000"), "{what}: {text}");
        assert!(text.len() < 128 * 1024, "{what}: {} bytes", text.len());
        let name = written["name"].as_str().unwrap_or_default();
        assert!(
            !name.is_empty() && name.chars().count() <= 200,
            "{what}: {name}"
        );
        let value = written["value"].as_f64().unwrap_or_default();
        assert!(value.is_finite(), "{what}: {value}");
        if let Some(time) = item.time {
            assert!((-9_999..=9_999).contains(&time.as_second().div_euclid(31_556_952)));
        }
    }
    for deployment in &batch.deployments {
        let text = json!(deployment).to_string();
        assert!(
            !text.contains("\\u0000") && text.len() < 4_096,
            "{what}: {text}"
        );
    }
}

#[test]
fn no_malformed_body_does_more_than_be_refused() {
    let (seed, count) = (variable("SEED", SEED), variable("BODIES", BODIES));
    let bodies = bodies();
    let kinds = ["application/json", "application/x-protobuf", "text/plain"];
    for nth in seed..seed + count {
        let mut chance = Chance(nth);
        let source = *chance.of(&sources());
        let mut headers = HeaderMap::new();
        let kind = kinds[chance.below(kinds.len())];
        headers.insert(header::CONTENT_TYPE, kind.parse().unwrap());
        let received = Received {
            headers,
            body: malformed(&mut chance, &bodies),
            own_host: Some("ops.example".to_owned()),
        };
        check_items(
            &format!("SEED={nth} BODIES=1, {}", source.name),
            source,
            &received,
        );
    }
}

#[test]
fn every_path_of_a_platform_has_its_source() {
    for (path, name) in [
        ("/api/drain/vercel", "vercel"),
        ("/api/drain/vercel/", "vercel"),
        ("/api/drain/vercel-webhook", "vercel webhooks"),
        ("/api/drain/supabase", "supabase"),
        ("/v1/traces", "otlp traces"),
        ("/v1/logs", "otlp logs"),
        ("/v1/metrics", "otlp metrics"),
    ] {
        let request = http::Request::post(path).body(bytes::Bytes::new()).unwrap();
        assert_eq!(sources::of(&request).map(|source| source.name), Some(name));
        assert!(name.len() <= 30, "{name}");
    }
}
