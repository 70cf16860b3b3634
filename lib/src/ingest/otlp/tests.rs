use http::{StatusCode, header};
use serde_json::json;

use super::{
    super::Taken,
    messages::{Any, AnyValue, Exported, KeyValue, Partial, Refusal},
    *,
};

/// An attribute that is a text.
pub(super) fn attribute(key: &str, value: &str) -> KeyValue {
    let value = Some(Any::Text(value.to_owned()));
    KeyValue {
        key: key.to_owned(),
        value: Some(AnyValue { value }),
    }
}

fn received(kind: &str, body: Vec<u8>) -> Received {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, kind.parse().unwrap());
    Received {
        headers,
        body,
        ..Received::default()
    }
}

fn said(pairs: &[(&str, Value)]) -> Value {
    let pairs = pairs.iter();
    pairs
        .map(|(key, value)| json!({"key": key, "value": value}))
        .collect()
}

fn text(value: &str) -> Value {
    json!({ "stringValue": value })
}

/// What Vercel's package sends of an app of Next.js, shortened.
fn sample() -> Value {
    let trace = "0af7651916cd43dd8448eb211c80319c";
    json!({"resourceSpans": [{
        "resource": {"attributes": said(&[
            ("service.name", text("wine")), ("service.version", text("dpl_1")), ("env", text("preview")),
        ])},
        "scopeSpans": [{"scope": {"name": "next.js"}, "spans": [
            {"traceId": trace, "spanId": "b7ad6b7169203331", "name": "GET /wines/[id]", "kind": 2,
             "startTimeUnixNano": "1795521600000000000", "endTimeUnixNano": "1795521600045500000",
             "attributes": said(&[
                 ("http.method", text("GET")), ("http.route", text("/wines/[id]")),
                 ("http.target", text("/wines/7?token=secret")), ("http.status_code", json!({"intValue": 500})),
                 ("user.id", text("u1")),
             ]),
             "events": [{"timeUnixNano": 1_795_521_600_040_000_000_u64, "name": "exception", "attributes": said(&[
                 ("exception.type", text("TypeError")), ("exception.message", text("no wine for a@b.example")),
                 ("exception.stacktrace", text("TypeError: no wine\n    at load (app.js:1:2)")),
             ])}],
             "status": {"code": "STATUS_CODE_ERROR"}},
            {"traceId": trace.to_uppercase(), "spanId": "b7ad6b7169203332", "name": "fetch GET https://api.example/v1/x?q=secret",
             "kind": "client", "startTimeUnixNano": 1_795_521_600_000_000_000_u64, "endTimeUnixNano": "1795521600010000000",
             "attributes": said(&[("http.url", text("https://api.example/v1/x?q=secret")),
                                  ("http.status_code", json!({"intValue": "200"}))])},
            {"traceId": trace, "spanId": "b7ad6b7169203333", "name": "render", "kind": "SPAN_KIND_INTERNAL"},
            {"traceId": trace, "spanId": "b7ad6b7169203334", "name": "query", "kind": 1,
             "attributes": said(&[("db.system", text("postgresql")), ("db.operation", text("select")),
                                  ("db.statement", text("select 'secret'"))])},
            {"traceId": "short", "spanId": "b7ad6b7169203335", "kind": 2}, 7,
        ]}],
    }]})
}

#[test]
fn both_encodings_bring_requests_dependencies_and_what_was_thrown() {
    let of_json = received("application/json", sample().to_string().into_bytes());
    let message = request(&of_json, json::traces).unwrap();
    let of_protobuf = received("application/x-protobuf", message.encode_to_vec());
    for received in [of_json, of_protobuf] {
        let batch = (TRACES.decode)(&received).unwrap();
        let items: Vec<_> = batch.items.iter().map(|item| json!(item)).collect();
        let [error, request, fetched, asked] = items.as_slice() else {
            panic!("{items:?}")
        };
        assert_eq!(
            (
                &request["name"],
                &request["method"],
                &request["status"],
                &request["value"]
            ),
            (
                &json!("/wines/[id]"),
                &json!("GET"),
                &json!(500),
                &json!(45.5)
            )
        );
        assert_eq!(
            (
                &request["environment"],
                &request["release"],
                &request["person"]
            ),
            (&json!("preview"), &json!("dpl_1"), &json!("u1"))
        );
        assert_eq!(request["time"], "2026-11-24T12:00:00Z");
        assert_eq!(
            (&error["name"], &error["kind"]),
            (&json!("TypeError"), &json!("error"))
        );
        assert_eq!(error["detail"]["message"], "no wine for [removed]");
        assert_eq!(
            (&fetched["kind"], &fetched["name"], &fetched["value"]),
            (&json!("span"), &json!("api.example"), &json!(10.0))
        );
        assert_eq!(
            (&asked["kind"], &asked["name"]),
            (&json!("span"), &json!("postgresql select"))
        );
        assert!(!json!(items).to_string().contains("secret"));
        assert_eq!(batch.drops["kind of span that is not kept"], 1);
        assert_eq!(batch.drops[UNUSABLE], 2);
    }
}

#[test]
fn logs_of_severity_error_are_errors_and_others_events() {
    let document = json!({"resourceLogs": [{"scopeLogs": [{"logRecords": [
        {"timeUnixNano": "1795521600000000000", "severityNumber": "SEVERITY_NUMBER_ERROR", "body": text("TypeError: x")},
        {"observedTimeUnixNano": "1795521600000000000", "severityText": "FATAL", "body": text("gone")},
        {"severityNumber": 9, "eventName": "wine.added", "body": {"kvlistValue": {"values": [
            {"key": "colour", "value": text("red")}]}}, "attributes": said(&[("n", json!({"doubleValue": 1.5}))])},
        {"severityNumber": 9, "body": text("hello")},
        {},
    ]}]}]});
    let batch = (LOGS.decode)(&received(
        "application/json",
        document.to_string().into_bytes(),
    ))
    .unwrap();
    let items: Vec<_> = batch.items.iter().map(|item| json!(item)).collect();
    let told: Vec<_> = items
        .iter()
        .map(|item| format!("{} {}", item["kind"], item["name"]).replace('"', ""))
        .collect();
    assert_eq!(
        told,
        [
            "error TypeError",
            "error Error",
            "event wine.added",
            "event log"
        ]
    );
    assert_eq!(items[1]["detail"]["severity"], "critical");
    assert_eq!(items[1]["time"], "2026-11-24T12:00:00Z");
    assert_eq!(items[2]["detail"]["message"], json!({"colour": "red"}));
    assert_eq!(items[2]["detail"]["attributes"], json!({"n": 1.5}));
    assert_eq!(batch.drops[UNUSABLE], 1);
}

#[test]
fn of_a_series_the_last_value_is_kept() {
    let point = |time: &str, value: Value, cellar: &str| {
        let mut point =
            json!({"timeUnixNano": time, "attributes": said(&[("cellar", text(cellar))])});
        point
            .as_object_mut()
            .unwrap()
            .extend(value.as_object().unwrap().clone());
        point
    };
    let document = json!({"resourceMetrics": [{"scopeMetrics": [{"metrics": [
        {"name": "wines", "unit": "1", "gauge": {"dataPoints": [
            point("2000000000", json!({"asInt": "7"}), "a"), point("1000000000", json!({"asInt": 6}), "a"),
            point("1000000000", json!({"asDouble": 0.5}), "b"), point("1", json!({"asDouble": "NaN"}), "c"),
            point("1", json!({}), "d")]}},
        {"name": "sold", "sum": {"isMonotonic": true, "aggregationTemporality": 2, "dataPoints": [
            point("1", json!({"asDouble": 3}), "a")]}},
        {"name": "took", "histogram": {"dataPoints": [{"count": "3"}, {"count": "4"}]}},
        {"name": "odd"},
    ]}]}]});
    let of_json = received("application/json", document.to_string().into_bytes());
    let message = request(&of_json, json::metrics).unwrap();
    let of_protobuf = received("application/x-protobuf", message.encode_to_vec());
    for received in [of_json, of_protobuf] {
        let batch = (METRICS.decode)(&received).unwrap();
        let told: Vec<_> = batch
            .items
            .iter()
            .map(|item| json!(item))
            .map(|item| {
                format!(
                    "{} {} {}",
                    item["name"], item["value"], item["detail"]["attributes"]["cellar"]
                )
            })
            .collect();
        assert_eq!(
            told,
            [
                r#""wines" 7.0 "a""#,
                r#""wines" 0.5 "b""#,
                r#""sold" 3.0 "a""#
            ]
        );
        assert_eq!(batch.drops["earlier value of a series"], 1);
        assert_eq!(batch.drops["kind of metric that is not kept"], 2);
        assert_eq!(batch.drops[UNUSABLE], 3);
    }
}

#[test]
fn nothing_is_a_request_too_and_what_is_of_neither_encoding_is_refused() {
    for source in [TRACES, LOGS, METRICS] {
        for (kind, body) in [
            ("application/json", "{}"),
            ("application/json", ""),
            ("application/x-protobuf", ""),
            (
                "application/json",
                r#"{"resourceSpans":7,"resourceLogs":{},"resourceMetrics":null}"#,
            ),
        ] {
            let batch = (source.decode)(&received(kind, body.into())).unwrap();
            assert!(
                batch.items.is_empty() && batch.drops.is_empty(),
                "{kind} {body}"
            );
        }
        for (kind, body) in [
            ("application/json", "["),
            ("application/json", "[]"),
            ("application/x-protobuf", "{}"),
            ("application/x-protobuf", "\u{0}"),
        ] {
            let refused = (source.decode)(&received(kind, body.into()));
            assert!(
                matches!(refused, Err(Problem::BadRequest(_))),
                "{kind} {body}"
            );
        }
    }
}

fn taken(over_quota: u64) -> Taken {
    Taken {
        refused: None,
        taken: 0,
        over_quota,
        retry_after_seconds: (over_quota > 0).then_some(7),
    }
}

#[test]
fn an_answer_is_in_the_encoding_of_the_request() {
    let by_json = received("application/json", Vec::new());
    let by_protobuf = received("application/x-protobuf", Vec::new());
    let full = Batch::default();
    let answer = (TRACES.answer)(&by_json, &full, &taken(0)).unwrap();
    assert_eq!(
        (answer.status(), answer.body().as_ref()),
        (StatusCode::OK, b"{}".as_slice())
    );
    let answer = (TRACES.answer)(&by_protobuf, &full, &taken(0)).unwrap();
    assert_eq!((answer.status(), answer.body().len()), (StatusCode::OK, 0));
    assert_eq!(
        answer.headers()[header::CONTENT_TYPE],
        "application/x-protobuf"
    );

    let mut part = Batch::default();
    part.drop(UNUSABLE, 2);
    part.drop("kind of span that is not kept", 9);
    let expected = "2 cannot be used";
    for (source, name) in [
        (TRACES, "rejectedSpans"),
        (LOGS, "rejectedLogRecords"),
        (METRICS, "rejectedDataPoints"),
    ] {
        let answer = (source.answer)(&by_json, &part, &taken(0)).unwrap();
        let told: Value = serde_json::from_slice(answer.body()).unwrap();
        let partial = json!({name: "2", "errorMessage": expected});
        assert_eq!(
            (answer.status(), told),
            (StatusCode::OK, json!({"partialSuccess": partial}))
        );
    }
    let answer = (LOGS.answer)(&by_protobuf, &part, &taken(0)).unwrap();
    let told = Exported::decode(answer.body().as_ref()).unwrap();
    let partial = Partial {
        rejected: 2,
        error_message: expected.to_owned(),
    };
    assert_eq!(told.partial_success, Some(partial));
}

#[test]
fn too_much_and_what_cannot_be_read_are_told_by_a_status() {
    let mut batch = Batch::default();
    batch.add(super::super::item::Item::new(
        super::super::item::Kind::Event,
        "x",
        None,
        b"x",
    ));
    for kind in ["application/json", "application/x-protobuf"] {
        let received = received(kind, Vec::new());
        let answer = (LOGS.answer)(&received, &batch, &taken(1)).unwrap();
        assert_eq!(answer.status(), StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(answer.headers()[header::RETRY_AFTER], "7");
        let problem = Problem::BadRequest("no".into());
        let answer = refusal(&received.headers, &problem).unwrap();
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
        let expected = (3, "bad request: no");
        if kind == "application/json" {
            let told: Value = serde_json::from_slice(answer.body()).unwrap();
            assert_eq!(told, json!({"code": expected.0, "message": expected.1}));
        } else {
            let told = Refusal::decode(answer.body().as_ref()).unwrap();
            assert_eq!((told.code, told.message.as_str()), expected);
        }
    }
}
