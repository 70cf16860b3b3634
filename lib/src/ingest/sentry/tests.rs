//! What clients were seen to send, and what nobody should.

use serde_json::{Value, json};

use super::*;

fn received(body: &[u8]) -> Received {
    Received {
        body: body.to_vec(),
        ..Received::default()
    }
}

fn decoded(body: &[u8]) -> Batch {
    decode_envelope(&received(body)).unwrap()
}

/// An envelope of parts, each of a header and a payload.
fn envelope(parts: &[(&str, Value)]) -> Vec<u8> {
    let header = json!({"event_id": "00000000000000000000000000000017"});
    let parts = parts
        .iter()
        .flat_map(|(kind, payload)| [json!({"type": kind}).to_string(), payload.to_string()]);
    let lines: Vec<_> = std::iter::once(header.to_string()).chain(parts).collect();
    lines.join("\n").into_bytes()
}

/// The items as the database gets them.
fn items(batch: &Batch) -> Vec<Value> {
    batch.items.iter().map(|item| json!(item)).collect()
}

/// Kind, name, method, status and whether a number is known, in short.
fn short(batch: &Batch) -> Vec<String> {
    let short = |item: Value| {
        let word = |name: &str| match &item[name] {
            Value::Null => String::new(),
            Value::String(word) => format!(" {word}"),
            other => format!(" {other}"),
        };
        format!(
            "{}{}{}{}",
            &word("kind")[1..],
            word("method"),
            word("status"),
            word("name")
        )
    };
    items(batch).into_iter().map(short).collect()
}

/// What clients really sent, by their version and the type of its part: see
/// `tests/sentry-clients/app.cjs` and `tests/browser/pages/client.js`.
const CAPTURED: [(&str, &[u8], &[&str]); 15] = [
    (
        "10-event",
        include_bytes!("captured/10-event.envelope"),
        &["error GET TypeError"],
    ),
    (
        "11-event",
        include_bytes!("captured/11-event.envelope"),
        &["error RangeError"],
    ),
    (
        "10-message",
        include_bytes!("captured/10-message.envelope"),
        &["error Message"],
    ),
    (
        "11-message",
        include_bytes!("captured/11-message.envelope"),
        &["error Message"],
    ),
    (
        "10-transaction",
        include_bytes!("captured/10-transaction.envelope"),
        &[
            "request GET 200 /wines",
            "span select * from wines where id = $1",
        ],
    ),
    (
        "11-span",
        include_bytes!("captured/11-span.envelope"),
        &[
            "span select * from wines where id = $1",
            "request GET 200 /wines",
            "span GET 200 127.0.0.1:PORT/wines",
            "span select * from wines where id = $1",
            "request GET 500 /broken",
            "span GET 500 127.0.0.1:PORT/broken",
        ],
    ),
    (
        "10-standalone",
        include_bytes!("captured/10-standalone.envelope"),
        &["web_vital INP"],
    ),
    (
        "11-vitals",
        include_bytes!("captured/11-vitals.envelope"),
        &[
            "web_vital FCP",
            "web_vital TTFB",
            "web_vital LCP",
            "web_vital INP",
            "web_vital CLS",
        ],
    ),
    (
        "11-log",
        include_bytes!("captured/11-log.envelope"),
        &["event log", "error Log"],
    ),
    (
        "11-trace_metric",
        include_bytes!("captured/11-trace_metric.envelope"),
        &[
            "metric wines_sold",
            "metric cellar_temperature",
            "metric tasting",
        ],
    ),
    (
        "11-session",
        include_bytes!("captured/11-session.envelope"),
        &["session exited"],
    ),
    (
        "11-sessions",
        include_bytes!("captured/11-sessions.envelope"),
        &["session sessions"],
    ),
    (
        "11-feedback",
        include_bytes!("captured/11-feedback.envelope"),
        &["feedback feedback"],
    ),
    (
        "11-check_in",
        include_bytes!("captured/11-check_in.envelope"),
        &[],
    ),
    (
        "10-client_report",
        include_bytes!("captured/10-client_report.envelope"),
        &[],
    ),
];

fn captured(name: &str) -> Batch {
    let (_, body, _) = CAPTURED.iter().find(|(known, ..)| *known == name).unwrap();
    decoded(body)
}

#[test]
fn what_clients_send_becomes_items() {
    for (name, body, expected) in CAPTURED {
        let batch = decoded(body);
        let found: Vec<_> = short(&batch)
            .iter()
            .map(|item| match item.split_once("127.0.0.1:") {
                Some((before, after)) => {
                    let after = after.trim_start_matches(|letter: char| letter.is_ascii_digit());
                    format!("{before}127.0.0.1:PORT{after}")
                }
                None => item.clone(),
            })
            .collect();
        assert_eq!(found, expected, "{name}");
        assert_eq!(batch.categories.len(), batch.items.len(), "{name}");
        let mut kept = items(&batch);
        for item in &mut kept {
            let contact = item.as_object_mut().unwrap().shift_remove("contact");
            let is_left = contact.is_some_and(|contact| contact == "anna@wine.example");
            assert_eq!(is_left, item["kind"] == "feedback", "{name}");
        }
        let text = json!(kept).to_string();
        for personal in ["anna", "203.0.113.77", "token", "Anna"] {
            assert!(!text.contains(personal), "{name}: {personal} in {text}");
        }
        for item in items(&batch) {
            let version = name.split('-').next().unwrap();
            assert_eq!(item["release"], format!("wine@sentry-{version}"), "{name}");
            assert!(item["time"].is_string(), "{name}: {item}");
        }
    }
}

#[test]
fn an_error_keeps_what_tells_it_apart_and_what_led_to_it() {
    let item = &items(&captured("11-event"))[0];
    let detail = &item["detail"];
    assert_eq!(item["person"], "7c5e");
    assert_eq!(detail["message"], "bottle 17 is out of range");
    assert_eq!(
        (&detail["severity"], &detail["handled"]),
        (&json!("high"), &json!(true))
    );
    assert_eq!(detail["fingerprint"], json!(["cellar", "{{ default }}"]));
    assert_eq!(detail["tags"], json!({"cellar": "north"}));
    let frames = detail["frames"].as_array().unwrap();
    let frame = frames
        .iter()
        .find(|frame| frame["function"] == "main")
        .unwrap();
    assert_eq!(frame["in_app"], true);
    assert!(frame["lineno"].is_number() && frame["colno"].is_number());
    assert!(frame["filename"].as_str().unwrap().ends_with("app.cjs"));
    assert_eq!(frame.as_object().unwrap().len(), 5);
    let crumbs = detail["breadcrumbs"].as_array().unwrap();
    assert_eq!(
        (crumbs.len(), &crumbs[19]["message"]),
        (20, &json!("step 29"))
    );
    assert_eq!(crumbs[19]["data"]["url"], "https://wine.example/wines?…");
    assert_eq!(detail["sdk"]["name"], "sentry.javascript.node");
    assert_eq!(detail["trace"].as_str().map(str::len), Some(32));
    let warned = &items(&captured("11-message"))[0]["detail"];
    assert_eq!(
        (&warned["severity"], &warned["message"]),
        (&json!("medium"), &json!("the cellar is warm"))
    );
    let request = &items(&captured("10-event"))[0]["detail"];
    assert_eq!(
        (&request["url"], &request["transaction"]),
        (&json!("/broken"), &json!("GET /broken"))
    );
}

#[test]
fn requests_and_spans_took_milliseconds_and_metrics_keep_their_unit() {
    for name in ["10-transaction", "11-span"] {
        for item in items(&captured(name)) {
            let took = item["value"].as_f64().unwrap();
            assert!((0.0..1_000.0).contains(&took), "{name}: {item}");
        }
    }
    let temperature = &items(&captured("11-trace_metric"))[1];
    assert_eq!(temperature["value"], 12.5);
    assert_eq!(
        temperature["detail"],
        json!({"type": "gauge", "unit": "celsius"})
    );
    let logged = &items(&captured("11-log"))[0]["detail"];
    assert_eq!(logged["attributes"], json!({"colour": "red"}));
}

#[test]
fn jobs_and_what_clients_dropped_are_no_items() {
    let check_in = &json!(captured("11-check_in").check_ins)[0];
    assert_eq!(
        (&check_in["slug"], &check_in["event"]),
        (&json!("nightly-import"), &json!("start"))
    );
    assert_eq!(
        check_in["config"],
        json!({"periodSeconds": 90_000, "graceSeconds": 600, "maxRunSeconds": 1_800})
    );
    assert_eq!(
        captured("10-client_report").drops["client: no_parent_span"],
        2
    );
    let given = [
        (
            "check_in",
            json!({"monitor_slug": "a", "status": "ok", "environment": "preview"}),
        ),
        (
            "client_report",
            json!({"discarded_events": [
                {"reason": "invented", "quantity": u64::MAX}, {"reason": "sample_rate", "quantity": -1}, 7,
            ]}),
        ),
    ];
    let batch = decoded(&envelope(&given));
    assert!(batch.check_ins.is_empty());
    assert_eq!(batch.drops["check-in outside production"], 1);
    assert_eq!(batch.drops["client: other"], 1_000_000);
}

#[test]
fn what_is_sent_twice_or_in_one_has_the_same_ids() {
    for (name, body, _) in CAPTURED {
        let ids = |batch: &Batch| -> Vec<_> { batch.items.iter().map(|item| item.id).collect() };
        let once = decoded(body);
        let doubled = decoded(&[body, b"\n", body].concat());
        assert_eq!(ids(&doubled), [ids(&once), ids(&once)].concat(), "{name}");
        let mut apart = ids(&once);
        apart.sort();
        apart.dedup();
        assert_eq!(apart.len(), once.items.len(), "{name}");
    }
}

#[test]
fn types_that_are_not_kept_are_counted_and_take_nothing_along() {
    let event = json!({"message": "x"});
    let batch = decoded(&envelope(&[
        ("riddle", json!({})),
        ("attachment", json!("x")),
        ("replay_event", json!({})),
        ("profile_chunk", json!({})),
        ("event", event.clone()),
        ("event", json!(7)),
        (
            "transaction",
            json!({"transaction": "x", "spans": [7, {"op": "ui.render"}],
                               "contexts": {"trace": {"op": "pageload"}}}),
        ),
        ("log", json!({"items": [7, {"body": ""}, {"body": "x"}]})),
        (
            "trace_metric",
            json!({"items": [{"name": "a", "value": "x"}]}),
        ),
        ("feedback", json!({"message": "no context"})),
    ]));
    assert_eq!(short(&batch), ["error Message", "event log"]);
    let expected = json!({
        "unknown type": 1, "attachment, replay or profile": 3, "unreadable": 5,
        "span of a kind that is not kept": 3,
    });
    assert_eq!(json!(batch.drops), expected);
    let many: Vec<_> = (0..PARTS + 5).map(|_| ("event", event.clone())).collect();
    let batch = decoded(&envelope(&many));
    assert_eq!(batch.items.len(), PARTS);
    assert_eq!(batch.drops["too many in a request"], 5);
}

#[test]
fn what_is_too_large_is_an_error_that_says_so() {
    let large = json!({"message": "x".repeat(LARGEST)});
    let batch = decoded(&envelope(&[
        ("event", large.clone()),
        ("attachment", large.clone()),
    ]));
    let item = &items(&batch)[0];
    assert_eq!(item["name"], "event too large");
    assert_eq!(item["id"], "00000000-0000-0000-0000-000000000017");
    assert_eq!(batch.items.len(), 1);
    let stored = decode_event(&received(large.to_string().as_bytes())).unwrap();
    assert_eq!(short(&stored), ["error event too large"]);
}

#[test]
fn an_old_client_sends_an_event_alone() {
    let event = json!({
        "event_id": "a".repeat(32), "level": "fatal", "logger": "x",
        "sentry.interfaces.Message": {}, "exception": {"type": "Gone", "value": "the cellar"},
        "tags": [["a", "b"], 7], "user": {"id": 7, "email": "a@b.example"}, "timestamp": "2026-11-24T12:00:00",
        "environment": "staging", "breadcrumbs": {"values": [{"message": "step"}]},
    });
    let batch = decode_event(&received(event.to_string().as_bytes())).unwrap();
    let item = &items(&batch)[0];
    assert_eq!(
        (&item["name"], &item["person"]),
        (&json!("Gone"), &json!("7"))
    );
    assert_eq!(
        (&item["time"], &item["environment"]),
        (&json!("2026-11-24T12:00:00Z"), &json!("preview"))
    );
    assert_eq!(
        (&item["detail"]["severity"], &item["detail"]["tags"]),
        (&json!("critical"), &json!({"a": "b"}))
    );
    assert_eq!(item["detail"]["breadcrumbs"], json!([{"message": "step"}]));
    for body in ["", "7", "{", "[]"] {
        assert!(decode_event(&received(body.as_bytes())).is_err(), "{body}");
    }
}

#[test]
fn a_page_tells_how_it_felt_in_both_forms() {
    let transaction = json!({
        "transaction": "/wines/[id]", "event_id": "b".repeat(32), "contexts": {"trace": {"op": "pageload"}},
        "measurements": {"lcp": {"value": 1.5, "unit": "second"}, "cls": {"value": 0.1}, "fp": {"value": 1}},
    });
    let span = json!({"items": [{"name": "main", "span_id": "c", "attributes": {
        "sentry.op": {"value": "ui.webvital.inp"}, "browser.web_vital.inp.value": {"value": 120},
        "sentry.segment.name": {"value": "/wines"},
    }}]});
    let batch = decoded(&envelope(&[("transaction", transaction), ("span", span)]));
    assert_eq!(
        short(&batch),
        ["web_vital LCP", "web_vital CLS", "web_vital INP"]
    );
    let lcp = &items(&batch)[0];
    assert_eq!(
        (&lcp["value"], &lcp["detail"]["path"]),
        (&json!(1500.0), &json!("/wines/[id]"))
    );
}

#[test]
fn the_page_of_a_vital_is_a_path_or_unknown() {
    let paths = |name: &str| -> Vec<_> {
        let items = items(&captured(name)).into_iter();
        items
            .map(|mut item| item["detail"]["path"].take())
            .collect()
    };
    assert_eq!(paths("10-standalone"), [json!("/cellar/[id]")]);
    let cellar = json!("/cellar");
    // Only the page's own span says where it was.
    let expected = [&cellar, &cellar, &json!(null), &json!(null), &json!(null)];
    assert_eq!(paths("11-vitals").iter().collect::<Vec<_>>(), expected);
}

#[test]
fn a_span_that_comes_by_itself_and_measures_nothing_is_one_like_others() {
    let span = json!({"op": "db", "description": "select 1", "span_id": "c", "trace_id": "d",
        "start_timestamp": 1.0, "timestamp": 1.5, "data": {"release": "1.4.2"}});
    let [item] = <[Value; 1]>::try_from(items(&decoded(&envelope(&[("span", span)])))).unwrap();
    assert_eq!(
        (&item["kind"], &item["value"], &item["release"]),
        (&json!("span"), &json!(500.0), &json!("1.4.2"))
    );
}

#[test]
fn a_client_learns_what_was_too_much_and_for_how_long() {
    let batch = decoded(&envelope(&[
        ("event", json!({})),
        (
            "log",
            json!({"items": [{"body": "a"}, {"body": "b", "level": "error"}]}),
        ),
        ("session", json!({})),
    ]));
    for (over_quota, status, limits) in [
        (0, StatusCode::OK, None),
        (1, StatusCode::OK, Some("40:session:key")),
        (3, StatusCode::OK, Some("40:log_item;session:key")),
        (
            4,
            StatusCode::TOO_MANY_REQUESTS,
            Some("40:error;log_item;session:key"),
        ),
    ] {
        let taken = Taken {
            refused: None,
            taken: 4 - over_quota,
            over_quota,
            retry_after_seconds: (over_quota > 0).then_some(40),
        };
        let answered = answer(&received(b""), &batch, &taken).unwrap();
        assert_eq!(answered.status(), status);
        let header = |name: &str| {
            answered
                .headers()
                .get(name)
                .map(|value| value.to_str().unwrap())
        };
        assert_eq!(header("x-sentry-rate-limits"), limits);
        assert_eq!(header("retry-after"), limits.map(|_| "40"));
        assert_eq!(
            answered.body(),
            r#"{"id":"00000000000000000000000000000017"}"#
        );
    }
}

/// Pseudo-random numbers that are the same in every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % bound.max(1) as u64).unwrap()
    }
}

/// What is put where it does not belong.
const ODD: [&[u8]; 24] = [
    b"\n",
    b"\n\n",
    b"{}",
    b"[]",
    b"null",
    b"1e400",
    b"-1",
    b"\"",
    b"\\",
    b"\\ud800",
    b"\0",
    b"\xff",
    b"{\"type\":\"event\"}\n",
    b"{\"type\":\"span\",\"length\":7}\n",
    b"\"length\":18446744073709551615,",
    b"\"items\":7,",
    b"-9999-01-01T00:00:00Z",
    b"99999999999999999999",
    b"{\"a\":",
    b"[[[[[[[[[[[[[[[[[[[[",
    b"\"$serde_json::private::RawValue\":",
    b"true",
    b"NaN",
    b"{{auto}}",
];

#[test]
fn no_body_however_odd_is_our_fault() {
    let mut numbers = Numbers(0x5eed_5eed_5eed_5eed);
    let mut kept = 0;
    for _ in 0..20_000 {
        let (_, body, _) = CAPTURED[numbers.below(CAPTURED.len())];
        let mut body = body.to_vec();
        for _ in 0..=numbers.below(4) {
            let at = numbers.below(body.len());
            match numbers.below(5) {
                0 => body.truncate(at),
                1 => drop(body.splice(at..at, ODD[numbers.below(ODD.len())].iter().copied())),
                2 => drop(body.drain(at..(at + numbers.below(40)).min(body.len()))),
                3 => {
                    if let Some(byte) = body.get_mut(at) {
                        *byte = u8::try_from(numbers.below(256)).unwrap();
                    }
                }
                _ => {
                    let part = body[at..(at + numbers.below(400)).min(body.len())].to_vec();
                    body.extend(part);
                }
            }
        }
        for decode in [decode_envelope, decode_event] {
            match decode(&received(&body)) {
                Ok(batch) => {
                    kept += batch.items.len();
                    for item in items(&batch.corrected()) {
                        let name = item["name"].as_str().unwrap();
                        assert!(
                            (1..=200).contains(&name.chars().count())
                                && !item.to_string().contains("\\u0000")
                        );
                    }
                }
                Err(problem) => assert_eq!(problem.status(), StatusCode::BAD_REQUEST),
            }
        }
    }
    assert!(kept > 1_000, "{kept}");
}
