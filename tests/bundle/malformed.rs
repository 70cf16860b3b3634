//! Malformed bodies at the real door, over all sources, into a real database: no panic, no
//! error of ours, nothing that does not fit, and nothing lost that stood beside what was odd.
//! `BODIES=` plays more of them (100,000, say), `SEED=` others.

use std::{fmt::Write as _, io::Write as _};

use futures_util::future::join_all;
use http::Method;
use jiff::Timestamp;
use ops::{endpoint::Endpoint, function::Function};
use serde_json::{Value, json};

use crate::{
    chance::{Dice, wanted},
    channels::query,
    door::key,
    support::{Bundle, call},
};

/// How many bodies each run tries.
const BODIES: u64 = 1_200;

/// How many are sent at the same time.
const AT_ONCE: u64 = 8;

/// Where a source's clients send, with which type of body.
type Door = (&'static str, &'static str);

const OWN: Door = ("/api/ingest", "text/plain;charset=UTF-8");
const ENVELOPE: Door = ("/api/1/envelope/", "application/x-sentry-envelope");
const VERCEL: Door = ("/api/drain/vercel", "application/json");
const SUPABASE: Door = ("/api/drain/supabase", "application/json");
const LOGS: Door = ("/v1/logs", "application/json");
const PROTOBUF: &str = "application/x-protobuf";

/// A field of protobuf's: one that has a length.
fn field(number: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = vec![number << 3 | 2];
    let mut length = content.len();
    while length > 127 {
        bytes.push(u8::try_from(length & 127).unwrap() | 128);
        length >>= 7;
    }
    bytes.push(u8::try_from(length).unwrap());
    bytes.extend(content);
    bytes
}

/// A span, a record of a log or a metric as protobuf has it, in all that goes around it.
fn protobuf(record: &[Vec<u8>]) -> Vec<u8> {
    let attribute = [field(1, b"http.route"), field(2, &field(1, b"/wines/[id]"))].concat();
    let resource = field(1, &field(1, &attribute));
    let scope = field(2, &field(2, &record.concat()));
    field(1, &[resource, scope].concat())
}

/// Bodies as clients send them.
fn samples() -> Vec<(Door, Vec<u8>)> {
    let now = outside::clock::now();
    let json = [of_apps(now), of_opentelemetry(now), of_browsers(now)].concat();
    let mut samples: Vec<_> = json
        .into_iter()
        .map(|(door, body)| (door, body.to_string().into_bytes()))
        .collect();
    for captured in [
        &include_bytes!("../../lib/src/ingest/sentry/captured/11-event.envelope")[..],
        include_bytes!("../../lib/src/ingest/sentry/captured/11-span.envelope"),
        include_bytes!("../../lib/src/ingest/sentry/captured/11-check_in.envelope"),
        include_bytes!("../../lib/src/ingest/sentry/captured/11-log.envelope"),
        include_bytes!("../../lib/src/ingest/sentry/captured/11-trace_metric.envelope"),
        include_bytes!("../../lib/src/ingest/sentry/captured/11-sessions.envelope"),
        include_bytes!("../../lib/src/ingest/sentry/captured/10-transaction.envelope"),
        include_bytes!("../../lib/src/ingest/sentry/captured/10-client_report.envelope"),
    ] {
        samples.push((ENVELOPE, captured.to_vec()));
    }
    samples.extend(in_protobuf(now));
    samples
}

/// Those of our own form and of platforms.
fn of_apps(now: Timestamp) -> Vec<(Door, Value)> {
    let ms = now.as_millisecond();
    vec![
        (
            OWN,
            json!({"sentAt": now.to_string(), "release": "1.4.2", "user": "u", "items": [
            {"type": "event", "name": "wine_added", "properties": {"a": [1]}},
            {"type": "error", "name": "TypeError", "message": "x", "stack": "TypeError: x\n at y (z.js:1:2)"},
            {"type": "request", "name": "/api/wines", "method": "GET", "status": 200, "value": 45.5},
            {"type": "web_vital", "name": "LCP", "value": 1234, "properties": {"path": "/"}}]}),
        ),
        (
            VERCEL,
            json!([{"id": "1", "deploymentId": "dpl", "source": "lambda", "host": "wine.example",
            "timestamp": ms, "level": "error", "requestId": "r1", "statusCode": -1, "path": "/wines/[id]",
            "message": "TypeError: x", "environment": "production",
            "proxy": {"timestamp": ms, "method": "GET", "path": "/a?b", "statusCode": 200, "userAgent": ["x"]}}]),
        ),
        (
            VERCEL,
            json!([{"schema": "vercel.speed_insights.v1", "metricType": "LCP", "value": 2.5, "deviceId": 7,
            "timestamp": now.to_string(), "path": "/", "deploymentId": "dpl"},
            {"schema": "vercel.analytics.v2", "eventType": "event", "eventName": "x", "sessionId": 8,
             "eventData": "{\"a\":[1]}", "timestamp": ms, "path": "/"}]),
        ),
        (
            ("/api/drain/vercel-webhook", "application/json"),
            json!({"id": "uev", "createdAt": ms,
            "type": "deployment.succeeded", "payload": {"deployment": {"id": "dpl"}, "target": "production"}}),
        ),
        (
            SUPABASE,
            json!([{"id": "a", "timestamp": 1000 * ms, "event_message": "gone", "metadata": [{
            "parsed": [{"error_severity": "ERROR", "sql_state_code": "23505", "query": "select 'x'"}]}]}]),
        ),
    ]
}

/// Those of OpenTelemetry's clients that write JSON.
fn of_opentelemetry(now: Timestamp) -> Vec<(Door, Value)> {
    let ns = now.as_nanosecond().to_string();
    let attributes = json!([{"key": "http.route", "value": {"stringValue": "/wines"}},
        {"key": "http.status_code", "value": {"intValue": "500"}},
        {"key": "deep", "value": {"kvlistValue": {"values": [{"key": "a", "value": {"doubleValue": 1.5}}]}}}]);
    let span = json!({"traceId": "0af7651916cd43dd8448eb211c80319c", "spanId": "b7ad6b7169203331", "kind": 2,
        "name": "GET /wines", "startTimeUnixNano": ns, "endTimeUnixNano": ns, "attributes": attributes,
        "events": [{"name": "exception", "timeUnixNano": ns, "attributes": attributes}]});
    vec![
        (
            ("/v1/traces", "application/json"),
            json!({"resourceSpans": [{"resource": {"attributes": attributes},
            "scopeSpans": [{"spans": [span]}]}]}),
        ),
        (
            LOGS,
            json!({"resourceLogs": [{"scopeLogs": [{"logRecords": [{"timeUnixNano": ns,
            "severityNumber": 17, "body": {"stringValue": "TypeError: x"}, "attributes": attributes}]}]}]}),
        ),
        (
            ("/v1/metrics", "application/json"),
            json!({"resourceMetrics": [{"scopeMetrics": [{"metrics": [
            {"name": "m", "gauge": {"dataPoints": [{"asInt": "7", "timeUnixNano": ns}]}}]}]}]}),
        ),
    ]
}

/// Reports, and what is told as one.
fn of_browsers(now: Timestamp) -> Vec<(Door, Value)> {
    let ms = now.as_millisecond();
    let violation = json!({"documentURL": "https://wine.example/", "blockedURL": "inline",
        "effectiveDirective": "script-src-elem", "disposition": "enforce", "statusCode": 200});
    vec![
        (
            ("/api/ingest", "application/csp-report"),
            json!({"csp-report": {"document-uri": "https://wine.example/",
            "blocked-uri": "inline", "effective-directive": "script-src", "status-code": 200}}),
        ),
        (
            ("/api/ingest", "application/reports+json"),
            json!([{"age": 7, "type": "csp-violation",
            "url": "https://wine.example/", "user_agent": "x", "body": violation}]),
        ),
        (
            ("/api/1/security/", "application/csp-report"),
            json!({"csp-report": {"document-uri": "https://wine.example/"}}),
        ),
        (
            ("/api/1/store/", "application/json"),
            json!({"event_id": "551197c37d03460abdd30626051ec21e",
            "exception": {"values": [{"type": "Gone", "value": "x"}]}, "timestamp": ms / 1000}),
        ),
    ]
}

/// Those of OpenTelemetry's clients that write protobuf.
fn in_protobuf(now: Timestamp) -> Vec<(Door, Vec<u8>)> {
    let nanoseconds = u64::try_from(now.as_nanosecond()).unwrap().to_le_bytes();
    let time = |number: u8| [vec![number << 3 | 1], nanoseconds.to_vec()].concat();
    let name = |number: u8| field(number, b"GET /wines");
    let records = [
        (
            "/v1/traces",
            vec![
                field(1, &[7; 16]),
                field(2, &[7; 8]),
                name(5),
                vec![0x30, 2],
                time(7),
                time(8),
            ],
        ),
        (
            "/v1/logs",
            vec![
                time(1),
                vec![0x10, 17],
                field(5, &field(1, b"TypeError: x")),
            ],
        ),
        (
            "/v1/metrics",
            vec![name(1), field(5, &field(1, &[time(3), time(6)].concat()))],
        ),
    ];
    records
        .map(|(path, record)| ((path, PROTOBUF), protobuf(&record)))
        .into()
}

/// Texts that are odd in the place of a value of JSON, most of which are JSON.
fn odd_value(dice: &mut Dice) -> String {
    let odd = [
        "null",
        "[]",
        "{}",
        "\"\"",
        "-1",
        "1e308",
        "-9223372036854775808",
        "18446744073709551615",
        "1e400",
        "-1e400",
        "NaN",
        "\"NaN\"",
        "\"Infinity\"",
        "\"\\ud800\"",
        "\"\\udc00\\ud800\"",
        "\"\\u0000\"",
        "\"a\\u0000b\"",
        "true",
        "\"-0001-01-01T00:00:00Z\"",
        "\"9999-12-31T23:59:60Z\"",
        "\"10000-01-01T00:00:00Z\"",
        "-62135596801000",
        "253402300800000",
        "[[[[[[[[[[[[[[[[{\"a\":1}]]]]]]]]]]]]]]]]",
        "1e-400",
        "0.1e1e1",
        "\u{0}",
    ];
    match dice.roll(12) {
        0 => format!("\"{}\"", "x".repeat(70_000)),
        1 => "9".repeat(500),
        2 => format!("{}1{}", "[".repeat(300), "]".repeat(300)),
        _ => odd[index(dice, odd.len())].to_owned(),
    }
}

fn index(dice: &mut Dice, length: usize) -> usize {
    usize::try_from(dice.roll(length.max(1) as u64)).unwrap()
}

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

/// A body of which something is wrong.
fn broken(dice: &mut Dice, samples: &[(Door, Vec<u8>)]) -> (Door, Vec<u8>, Option<&'static str>) {
    let (door, mut body) = samples[index(dice, samples.len())].clone();
    let other = &samples[index(dice, samples.len())].1;
    for _ in 0..=dice.roll(3) {
        let at = index(dice, body.len());
        match dice.roll(9) {
            0 => body.truncate(at),
            1 => body.extend(body.clone()),
            2 => drop(body.splice(at..at, other.iter().copied())),
            3 => body.extend(other),
            4 => {
                let deep = [
                    "[",
                    "{\"a\":",
                    "\n",
                    "{\"kvlistValue\":{\"values\":[",
                    "\u{b}\u{1}\u{a}",
                ];
                let deep = deep[index(dice, deep.len())].repeat(index(dice, 5_000));
                drop(body.splice(at..at, deep.into_bytes()));
            }
            5 | 6 => {
                // In the place of what follows a colon, where there is one.
                let colons: Vec<_> = (0..body.len()).filter(|at| body[*at] == b':').collect();
                if let Some(colon) = colons.get(index(dice, colons.len())) {
                    let rest = &body[colon + 1..];
                    let end = rest.iter().position(|byte| b",}]".contains(byte));
                    let end = colon + 1 + end.unwrap_or(rest.len());
                    drop(body.splice(colon + 1..end, odd_value(dice).into_bytes()));
                }
            }
            _ => {
                for _ in 0..=dice.roll(20) {
                    let at = index(dice, body.len());
                    if let Some(byte) = body.get_mut(at) {
                        *byte ^= 1 << dice.roll(8);
                    }
                }
            }
        }
    }
    body.truncate(900_000);
    match dice.roll(40) {
        0 => (door, gzip(&vec![b' '; 40_000_000]), Some("gzip")),
        1 => (door, body, Some("gzip")),
        2 => (door, body, Some("gzip, br, x")),
        3..=6 => {
            let mut body = gzip(&body);
            let cut = index(dice, 4 * body.len());
            body.truncate(cut.max(1));
            (door, body, Some("gzip"))
        }
        _ => (door, body, None),
    }
}

/// A body whose framing is intact: something odd between two that nothing is wrong with, which
/// are called `beside-…`.
fn beside(dice: &mut Dice, nth: u64) -> (Door, Vec<u8>, Option<&'static str>) {
    let now = outside::clock::now();
    let (ms, ns) = (now.as_millisecond(), now.as_nanosecond());
    let odd = odd_value(dice);
    // A value that is no JSON breaks the frame of a document.
    let odd = if is_json(&odd) {
        odd
    } else {
        "1e300".to_owned()
    };
    let name = |side: char| format!("beside-{nth}-{side}");
    let own = |side| json!({"type": "event", "name": name(side)}).to_string();
    let vercel = |side| {
        json!({"id": name(side), "deploymentId": "d", "source": "lambda", "host": "wine.example", "timestamp": ms,
               "level": "info", "environment": "production", "requestId": name(side), "path": format!("/{}", name(side)),
               "statusCode": 200, "proxy": {"timestamp": ms, "method": "GET", "host": "wine.example",
               "path": format!("/{}", name(side)), "userAgent": ["x"], "statusCode": 200}})
        .to_string()
    };
    let log = |side| {
        json!({"timeUnixNano": ns.to_string(), "severityNumber": 17, "body": {"stringValue": "x"},
               "attributes": [{"key": "exception.type", "value": {"stringValue": name(side)}},
                              {"key": "exception.message", "value": {"stringValue": "x"}}]})
        .to_string()
    };
    let field = [
        "type",
        "name",
        "time",
        "value",
        "id",
        "properties",
        "timestamp",
        "message",
        "body",
        "attributes",
    ];
    let field = field[index(dice, field.len())];
    let (door, text) = match dice.roll(4) {
        0 => {
            let odd = format!("{{\"type\":\"event\",\"name\":\"odd\",\"{field}\":{odd}}}");
            (OWN, format!("[{},{odd},{}]", own('a'), own('b')))
        }
        1 => {
            let odd = format!("{{\"id\":\"odd\",\"timestamp\":{ms},\"{field}\":{odd}}}");
            (VERCEL, format!("[{},{odd},{}]", vercel('a'), vercel('b')))
        }
        2 => {
            let odd = format!("{{\"timeUnixNano\":\"1\",\"{field}\":{odd}}}");
            let records = format!("[{},{odd},{}]", log('a'), log('b'));
            (
                LOGS,
                format!("{{\"resourceLogs\":[{{\"scopeLogs\":[{{\"logRecords\":{records}}}]}}]}}"),
            )
        }
        _ => (ENVELOPE, envelope(dice, nth, &odd, &name)),
    };
    (door, text.into_bytes(), None)
}

/// An envelope of two errors with something between them, whose length its header says.
fn envelope(dice: &mut Dice, nth: u64, odd: &str, name: &dyn Fn(char) -> String) -> String {
    let mut text = "{}\n".to_owned();
    for side in ['a', 'x', 'b'] {
        let payload = if side == 'x' {
            odd.to_owned()
        } else {
            let id = format!("{nth:031x}{side}");
            json!({"event_id": id, "exception": {"values": [{"type": name(side), "value": "x"}]}})
                .to_string()
        };
        let kinds = [
            "event",
            "transaction",
            "span",
            "session",
            "check_in",
            "unknown",
        ];
        let kind = if side == 'x' {
            kinds[index(dice, kinds.len())]
        } else {
            "event"
        };
        let length = payload.len();
        let _written = writeln!(
            text,
            "{{\"type\":\"{kind}\",\"length\":{length}}}\n{payload}"
        );
    }
    text
}

/// Whether a text is JSON as its grammar has it; 1e400 is, and so is half of a character.
fn is_json(text: &str) -> bool {
    let halves = text.contains("\\ud800") || text.contains("\\udc00");
    let numbers = ["1e400", "-1e400"].contains(&text)
        || text.len() > 1 && text.bytes().all(|b| b.is_ascii_digit());
    let deep = text.starts_with('[');
    halves || numbers || deep || serde_json::from_str::<Value>(text).is_ok()
}

/// What is answered to a body of which something is wrong.
const BROKEN: [u16; 5] = [200, 204, 400, 413, 415];

/// What is answered to a batch whose framing is intact.
const FRAMED: [u16; 1] = [200];

/// Sends one body; what was wrong with what came back.
async fn sent(
    door: &Function,
    key: &str,
    nth: u64,
    expected: &[u16],
    body: (Door, Vec<u8>, Option<&'static str>),
) -> Option<String> {
    let ((path, kind), body, encoding) = body;
    let said = String::from_utf8_lossy(&body[..body.len().min(3000)]).into_owned();
    let request = call(door, Method::POST, &format!("{path}?key={key}"))
        .header("content-type", kind)
        .body(body);
    let request = match encoding {
        Some(encoding) => request.header("content-encoding", encoding),
        None => request,
    };
    let status = request.send().await.status.as_u16();
    (!expected.contains(&status)).then(|| format!("SEED={nth}: {path}: {status}: {said}"))
}

#[tokio::test]
async fn no_malformed_body_makes_an_error_of_ours_or_takes_its_neighbours_along() {
    let bundle = Bundle::start().await;
    let key = key(&bundle, "{}").await;
    let more =
        "update ops.door_keys set items_a_minute = 1000000, items_a_day = 1000000000 where id = 1";
    bundle.admin().await.batch_execute(more).await.unwrap();
    let door = bundle.instance(Endpoint::Ingest);
    let samples = samples();
    // What nothing is wrong with is taken, or the others would prove nothing.
    for (door_of, body) in &samples {
        let wrong = sent(&door, &key, 0, &BROKEN[..2], (*door_of, body.clone(), None)).await;
        assert_eq!(wrong, None);
    }
    let (seed, count) = (
        wanted("SEED").unwrap_or(1),
        wanted("BODIES").unwrap_or(BODIES),
    );
    let mut framed = 0;
    let numbers: Vec<u64> = (seed..seed + count).collect();
    for some in numbers.chunks(usize::try_from(AT_ONCE).unwrap()) {
        let bodies = some.iter().map(|nth| {
            let mut dice = Dice(nth.wrapping_mul(0x9e37_79b9_7f4a_7c15));
            dice.roll(2);
            if dice.roll(4) == 0 {
                framed += 1;
                sent(&door, &key, *nth, &FRAMED, beside(&mut dice, *nth))
            } else {
                sent(&door, &key, *nth, &BROKEN, broken(&mut dice, &samples))
            }
        });
        let bodies: Vec<_> = bodies.collect();
        let wrong: Vec<_> = join_all(bodies).await.into_iter().flatten().collect();
        assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    }

    let lost = query(
        &bundle,
        "select coalesce(jsonb_agg(jsonb_build_object('source', source, 'items', items)), '[]') from (
             select source, count(distinct substring(name from 'beside-[0-9]+-[ab]')) as items
             from ops.items where name like '%beside-%' group by source) as kept",
    )
    .await;
    let kept: u64 = lost
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["items"].as_u64().unwrap())
        .sum();
    assert_eq!(kept, 2 * framed, "what stood beside is kept: {lost}");
    let odd = query(
        &bundle,
        "select to_jsonb(count(*)) from ops.items
         where name = '' or length(name) > 200 or value <> value or at > now() + interval '6 minutes'
             or at < now() - interval '8 days' or octet_length(detail::text) > 131072",
    )
    .await;
    assert_eq!(odd, 0, "everything that is kept fits");
    // Readers are as they were.
    for read in [
        "ops_dashboard(86400, 'production')",
        "ops_metrics('production')",
        "ops_list_errors('production')",
    ] {
        let document = query(&bundle, &format!("select public.{read}")).await;
        assert!(document.is_object(), "{read}");
    }
}
