//! Probes against servers of this machine.

mod tls;

use std::time::Duration;

use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};
use url::Url;

use super::*;
use crate::monitoring::probe_targets;

/// Answers every request with what `answer` makes of it; where it listens.
pub(super) async fn server(answer: impl Fn(&str) -> String + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = vec![0; 8192];
            let length = stream.read(&mut request).await.unwrap_or_default();
            let text = String::from_utf8_lossy(&request[..length]).into_owned();
            let _written = stream.write_all(answer(&text).as_bytes()).await;
            let _closed = stream.shutdown().await;
        }
    });
    format!("http://{address}")
}

pub(super) fn ok(body: &str) -> String {
    format!(
        "HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
}

fn redirect(to: &str) -> String {
    format!(
        "HTTP/1.1 302 Found\r\nlocation: {to}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
    )
}

/// Says that to whoever connects, once it was asked if it is to wait for that, and
/// then keeps the connection; its port.
async fn says(waits: bool, text: &'static str) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let mut kept = Vec::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            if waits {
                let _read = stream.read(&mut [0; 4096]).await;
            }
            let _written = stream.write_all(text.as_bytes()).await;
            kept.push(stream);
        }
    });
    port
}

/// The target of a definition.
fn target(spec: &Value) -> Target {
    let mut definition = json!({"name": "x", "timeoutMs": 5000});
    definition
        .as_object_mut()
        .unwrap()
        .extend(spec.as_object().unwrap().clone());
    probe_targets::of_check(&definition).unwrap()
}

/// Probes a definition; the status and why it is not up.
async fn probe(reach: Reach, spec: Value) -> (Status, Option<&'static str>, Map<String, Value>) {
    let variables = [("CHECK_TOKEN".to_owned(), "s3cret".into())].into();
    let outbound = Outbound::default();
    let prober = Prober {
        outbound: &outbound,
        variables: &variables,
        reach,
    };
    let deadline = Deadline::after(Duration::from_secs(10));
    let (check, _) = prober.probe(&target(&spec), deadline).await;
    (check.status, check.reason, check.detail)
}

#[tokio::test]
async fn a_request_carries_what_its_definition_says_with_variables_filled_in() {
    let base = server(|request| {
        let lines: Vec<_> = request.lines().collect();
        let sent = |line: &str| lines.iter().any(|sent| sent.eq_ignore_ascii_case(line));
        let whole = lines[0] == "PUT /x HTTP/1.1"
            && sent("authorization: Bearer s3cret!")
            && request.ends_with("body");
        ok(&json!({ "whole": whole }).to_string())
    })
    .await;
    let spec = json!({
        "kind": "http", "url": format!("{base}/x"), "method": "PUT", "body": "body",
        "headers": {"Authorization": "Bearer ${CHECK_TOKEN}!"}, "json": {"$.whole": true},
    });
    let (status, reason, detail) = probe(Reach::Loopback, spec).await;
    assert_eq!((status, reason), (Status::Up, None), "{detail:?}");
}

#[tokio::test]
async fn a_variable_that_is_not_there_is_named_as_the_reason() {
    let base = server(|_| ok("")).await;
    let spec = json!({"kind": "http", "url": base, "headers": {"x-a": "${CHECK_ABSENT}"}});
    let (status, reason, _) = probe(Reach::Loopback, spec).await;
    assert_eq!((status, reason), (Status::Down, Some("variable")));
}

#[tokio::test]
async fn redirects_are_followed_as_far_as_was_asked() {
    let base = server(|request| match request.split(' ').nth(1) {
        Some("/one") => redirect("/two"),
        Some("/two") => redirect("/three"),
        _ => ok("there"),
    })
    .await;
    for (redirects, expected) in [
        (0, (Status::Down, Some("redirect"))),
        (1, (Status::Down, Some("redirect"))),
        (2, (Status::Up, None)),
    ] {
        let spec = json!({"kind": "http", "url": format!("{base}/one"), "redirects": redirects, "contains": "there"});
        let (status, reason, _) = probe(Reach::Loopback, spec).await;
        assert_eq!((status, reason), expected, "{redirects}");
    }
}

#[tokio::test]
async fn a_redirect_to_a_private_address_is_refused() {
    for place in [
        "http://10.0.0.1/",
        "http://169.254.169.254/latest/meta-data/",
        "http://[::ffff:192.168.0.1]/",
        "//0x0a000001/",
    ] {
        let base = server(move |_| redirect(place)).await;
        let spec = json!({"kind": "http", "url": base, "redirects": 3});
        let (status, reason, _) = probe(Reach::Loopback, spec).await;
        assert_eq!(
            (status, reason),
            (Status::Down, Some("private_address")),
            "{place}"
        );
    }
}

#[tokio::test]
async fn a_secret_does_not_travel_on_to_another_origin() {
    let elsewhere = server(|request| {
        let told = request.to_lowercase().contains("s3cret");
        ok(if told { "told" } else { "kept" })
    })
    .await;
    let base = server(move |_| redirect(&elsewhere)).await;
    let spec = json!({
        "kind": "http", "url": base, "redirects": 1, "contains": "kept",
        "headers": {"x-api-key": "${CHECK_TOKEN}"},
    });
    let (status, reason, _) = probe(Reach::Loopback, spec).await;
    assert_eq!((status, reason), (Status::Up, None));
}

#[tokio::test]
async fn no_kind_of_check_connects_out_of_reach() {
    let base = server(|_| ok("")).await;
    let port = base.rsplit(':').next().unwrap().parse::<u16>().unwrap();
    for (spec, by_name) in [
        (json!({"kind": "http", "url": base}), false),
        (
            json!({"kind": "http", "url": format!("http://localhost:{port}/")}),
            true,
        ),
        (
            json!({"kind": "tcp", "host": "127.0.0.1", "port": port}),
            false,
        ),
        (
            json!({"kind": "tcp", "host": "localhost", "port": port}),
            true,
        ),
        (
            json!({"kind": "tls", "host": "127.0.0.1", "port": port}),
            false,
        ),
    ] {
        let (status, reason, _) = probe(Reach::Public, spec.clone()).await;
        let expected = (Status::Down, Some("private_address"));
        assert_eq!((status, reason), expected, "{spec} by name: {by_name}");
        let (_, reason, _) = probe(Reach::Loopback, spec.clone()).await;
        assert_ne!(reason, Some("private_address"), "{spec}");
    }
}

#[tokio::test]
async fn a_port_accepts_or_not() {
    let base = server(|_| ok("")).await;
    let port = base.rsplit(':').next().unwrap().parse::<u16>().unwrap();
    let (status, ..) = probe(
        Reach::Loopback,
        json!({"kind": "tcp", "host": "127.0.0.1", "port": port}),
    )
    .await;
    assert_eq!(status, Status::Up);
    // Nothing listens on port 1 of this machine.
    let (status, reason, _) = probe(
        Reach::Loopback,
        json!({"kind": "tcp", "host": "127.0.0.1", "port": 1}),
    )
    .await;
    assert_eq!((status, reason), (Status::Down, Some("connect")));
}

#[tokio::test]
async fn a_name_resolves_to_what_is_expected_or_not() {
    for (spec, expected) in [
        (json!({"host": "localhost"}), (Status::Up, None)),
        (
            json!({"host": "127.0.0.1", "address": "127.0.0.1"}),
            (Status::Up, None),
        ),
        (
            json!({"host": "127.0.0.1", "address": "127.0.0.2"}),
            (Status::Down, Some("address")),
        ),
        (
            json!({"host": "no-such-host.invalid"}),
            (Status::Down, Some("dns")),
        ),
    ] {
        let mut definition = json!({"kind": "dns"});
        definition
            .as_object_mut()
            .unwrap()
            .extend(spec.as_object().unwrap().clone());
        let (status, reason, _) = probe(Reach::Public, definition).await;
        assert_eq!((status, reason), expected, "{spec}");
    }
}

#[tokio::test]
async fn what_our_own_deadline_cuts_short_is_unknown_and_not_down() {
    // It takes connections and says nothing; or begins an answer and does not end it.
    let silent = says(false, "").await;
    let begun = says(true, "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n").await;
    let deaf = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let (outbound, variables) = (Outbound::default(), BTreeMap::new());
    let prober = Prober {
        outbound: &outbound,
        variables: &variables,
        reach: Reach::Loopback,
    };
    let url = |port: u16| format!("http://127.0.0.1:{port}/");
    for spec in [
        json!({"kind": "http", "url": url(silent)}),
        json!({"kind": "http", "url": url(begun)}),
        json!({"kind": "http", "url": url(begun), "contains": "x"}),
        json!({"kind": "http", "url": url(begun), "before": [{"url": url(silent)}]}),
        json!({"kind": "tls", "host": "127.0.0.1", "port": silent}),
        json!({"kind": "tls", "host": "127.0.0.1", "port": silent, "startTls": "smtp"}),
        json!({"kind": "tcp", "host": "127.0.0.1", "port": silent, "contains": "x"}),
        json!({"kind": "dns", "host": "a", "record": "A", "server": "127.0.0.1",
               "port": deaf.local_addr().unwrap().port()}),
    ] {
        for (timeout_ms, deadline_ms, expected) in [
            (10_000, 100, (Status::Unknown, Some("not_reached"))),
            (100, 10_000, (Status::Down, Some("timeout"))),
        ] {
            let mut spec = spec.clone();
            spec["timeoutMs"] = json!(timeout_ms);
            let deadline = Deadline::after(Duration::from_millis(deadline_ms));
            let (check, _) = prober.probe(&target(&spec), deadline).await;
            assert_eq!((check.status, check.reason), expected, "{spec}");
        }
    }
}

#[tokio::test]
async fn only_the_deployments_own_environment_may_name_any_address() {
    let page = format!("{}/", server(|_| ok("")).await);
    let setting = [("app.urls".to_owned(), json!([{"url": page}]))]
        .into_iter()
        .collect();
    let pages = |settings: &Map<String, Value>, own: Option<&Url>| {
        let targets = probe_targets::of_app(settings, own).into_iter();
        targets.collect::<Result<Vec<_>, _>>().unwrap()
    };
    let of_setting = pages(&setting, None);
    let own = page.parse().unwrap();
    let of_environment = pages(&Map::new(), Some(&own));
    let (outbound, variables) = (Outbound::default(), BTreeMap::new());
    let prober = Prober {
        outbound: &outbound,
        variables: &variables,
        reach: Reach::Public,
    };
    for (targets, expected) in [
        (of_setting, (Status::Down, Some("private_address"))),
        (of_environment, (Status::Up, None)),
    ] {
        let deadline = Deadline::after(Duration::from_secs(10));
        let (check, _) = prober.probe(&targets[0], deadline).await;
        assert_eq!((check.status, check.reason), expected);
    }
}

#[tokio::test]
async fn what_there_was_no_time_for_is_unknown() {
    let outbound = Outbound::default();
    let variables = BTreeMap::new();
    let prober = Prober {
        outbound: &outbound,
        variables: &variables,
        reach: Reach::Loopback,
    };
    let definition =
        json!({"name": "x", "timeoutMs": 100, "kind": "tcp", "host": "127.0.0.1", "port": 1});
    let target = probe_targets::of_check(&definition).unwrap();
    let (check, _) = prober.probe(&target, Deadline::after(Duration::ZERO)).await;
    assert_eq!(
        (check.status, check.reason),
        (Status::Unknown, Some("not_reached"))
    );
}

fn sighting(end: &str) -> Sighting {
    Sighting {
        host: "wine.example".into(),
        first: Certificate {
            subject: "CN=wine.example".into(),
            not_after: end.parse().unwrap(),
        },
        is_intermediate: false,
    }
}

#[test]
fn days_left_are_whole_days_and_an_unseen_certificate_is_unknown() {
    let now: Timestamp = "2026-03-01T12:00:00Z".parse().unwrap();
    for (end, days) in [
        ("2026-03-08T12:00:00Z", 7),
        ("2026-03-08T11:59:59Z", 6),
        ("2026-03-01T11:00:00Z", -1),
    ] {
        let check = certificate("wine.example", Some(&sighting(end)), now);
        assert_eq!(check.detail["daysLeft"], days, "{end}");
        assert_eq!(check.status, Status::Up);
    }
    let unseen = certificate("wine.example", None, now);
    assert_eq!(
        (unseen.status, &unseen.detail["daysLeft"]),
        (Status::Unknown, &Value::Null)
    );
}

#[test]
fn a_host_is_one_check_with_the_certificate_that_ends_first() {
    let targets = [
        target(&json!({"kind": "http", "url": "https://wine.example/"})),
        target(&json!({"kind": "tls", "host": "wine.example"})),
        target(&json!({"kind": "http", "url": "http://localhost:1/"})),
    ];
    let now: Timestamp = "2026-03-01T00:00:00Z".parse().unwrap();
    let sightings = ["2026-04-11T00:00:00Z", "2026-03-11T00:00:00Z"].map(sighting);
    let checks: Vec<_> = certificates(&targets, &sightings, now).collect();
    assert_eq!(checks.len(), 1);
    assert_eq!(checks[0].name, "certificate:wine.example");
    assert_eq!(checks[0].detail["daysLeft"], 10);
}

#[tokio::test]
async fn an_answer_counts_once_it_has_ended() {
    let port = says(true, "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf").await;
    let base = format!("http://127.0.0.1:{port}/");
    let hanging = json!({"kind": "http", "url": base, "timeoutMs": 300});
    let (status, reason, detail) = probe(Reach::Loopback, hanging).await;
    assert_eq!((status, reason), (Status::Down, Some("timeout")));
    assert_eq!(detail["statusCode"], 200);
    let head = json!({"kind": "http", "url": base, "timeoutMs": 300, "method": "HEAD"});
    let (status, ..) = probe(Reach::Loopback, head).await;
    assert_eq!(status, Status::Up, "it has no body that could end");

    let cut = server(|_| "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf".into()).await;
    let (status, reason, _) = probe(Reach::Loopback, json!({"kind": "http", "url": cut})).await;
    assert_eq!((status, reason), (Status::Down, Some("reset")));
}

#[tokio::test]
async fn a_large_answer_is_down_only_where_it_is_searched() {
    let base = server(|_| ok(&"x".repeat(crate::encoded_body::LIMIT + 1))).await;
    for (spec, expected) in [
        (json!({"kind": "http", "url": base}), (Status::Up, None)),
        (
            json!({"kind": "http", "url": base, "contains": "x"}),
            (Status::Down, Some("too_large")),
        ),
    ] {
        let (status, reason, _) = probe(Reach::Loopback, spec).await;
        assert_eq!((status, reason), expected);
    }
}

#[tokio::test]
async fn a_port_may_have_to_say_something() {
    let greeting = says(false, "220 mail\r\n").await;
    let silent = says(false, "").await;
    let answering = server(|asked| format!("you said {asked}")).await;
    let answering: u16 = answering.rsplit(':').next().unwrap().parse().unwrap();
    for (port, fields, reason, found) in [
        (greeting, json!({"contains": "220 "}), None, None),
        (greeting, json!({"matches": "^2[0-9]{2} m"}), None, None),
        (
            greeting,
            json!({"contains": "221"}),
            Some("text"),
            Some("220 mail"),
        ),
        (
            greeting,
            json!({"matches": "("}),
            Some("pattern"),
            Some("unclosed group"),
        ),
        (silent, json!({}), None, None),
        (silent, json!({"contains": "220"}), Some("timeout"), None),
        (
            answering,
            json!({"send": "PING\r\n", "contains": "said PING"}),
            None,
            None,
        ),
        (
            answering,
            json!({"send": "PING\r\n", "contains": "PONG"}),
            Some("text"),
            Some("you said PING"),
        ),
    ] {
        let mut spec = json!({"kind": "tcp", "host": "127.0.0.1", "port": port, "timeoutMs": 500});
        spec.as_object_mut()
            .unwrap()
            .extend(fields.as_object().unwrap().clone());
        let (_, seen, detail) = probe(Reach::Loopback, spec).await;
        assert_eq!(seen, reason, "{fields} {detail:?}");
        assert_eq!(
            detail.get("found").and_then(Value::as_str),
            found,
            "{fields}"
        );
    }
}

/// An app that one has to sign in to: it gives a token in its answer and a session in a
/// cookie, and asks for both.
async fn app_to_sign_in_to() -> String {
    server(|request| {
        let line = request.lines().next().unwrap_or_default();
        let has = |text: &str| request.contains(text);
        match line {
            "POST /sign-in HTTP/1.1" if has(r#"{"password":"s3\"cret"}"#) => {
                let body = r#"{"data": {"token": "t-1", "id": 7}}"#;
                ok(body).replace(
                    "connection:",
                    "Set-Cookie: session=abc; HttpOnly\r\nconnection:",
                )
            }
            "POST /sign-in HTTP/1.1" => "HTTP/1.1 401 No\r\ncontent-length: 0\r\n\r\n".into(),
            "GET /users/7?q=t-1 HTTP/1.1"
                if has("authorization: Bearer t-1") && has("cookie: session=abc") =>
            {
                ok("welcome")
            }
            _ => "HTTP/1.1 403 No\r\ncontent-length: 0\r\n\r\n".into(),
        }
    })
    .await
}

#[tokio::test]
async fn a_check_may_sign_in_and_then_look() {
    let base = app_to_sign_in_to().await;
    let sign_in = |body: &str, keep: Value| json!({"url": format!("{base}/sign-in"), "method": "POST", "body": body, "keep": keep});
    let right = r#"{"password":"${CHECK_PASSWORD}"}"#;
    let keep = json!({"token": {"json": "$.data.token"}, "id": {"matches": "\"id\": (\\d+)"}});
    for (before, status, reason, step) in [
        (
            json!([sign_in(right, keep.clone())]),
            Status::Up,
            None,
            None,
        ),
        (json!([]), Status::Down, Some("variable"), None),
        (
            json!([sign_in("{}", keep.clone())]),
            Status::Down,
            Some("http_status"),
            Some(1),
        ),
        (
            json!([sign_in(right, keep.clone()), {"url": base.clone()}]),
            Status::Down,
            Some("http_status"),
            Some(2),
        ),
        (
            json!([sign_in(right, json!({"token": {"json": "$.token"}}))]),
            Status::Down,
            Some("keep"),
            Some(1),
        ),
        (
            json!([sign_in(r#"{"password":"${CHECK_ABSENT}"}"#, keep)]),
            Status::Down,
            Some("variable"),
            Some(1),
        ),
    ] {
        let spec = json!({
            "kind": "http", "url": format!("{base}/users/${{id}}?q=${{token}}"), "before": before,
            "headers": {"Authorization": "Bearer ${token}"}, "contains": "welcome",
        });
        let outbound = Outbound::default();
        let variables = [("CHECK_PASSWORD".to_owned(), "s3\"cret".into())].into();
        let prober = Prober {
            outbound: &outbound,
            variables: &variables,
            reach: Reach::Loopback,
        };
        let deadline = Deadline::after(Duration::from_secs(10));
        let (check, _) = prober.probe(&target(&spec), deadline).await;
        assert_eq!((check.status, check.reason), (status, reason), "{check:?}");
        assert_eq!(
            check.detail.get("step").and_then(Value::as_u64),
            step,
            "{check:?}"
        );
        let told = format!("{check:?}");
        assert!(!told.contains("t-1") && !told.contains("s3"), "{told}");
    }
}

#[tokio::test]
async fn what_was_kept_chooses_what_is_asked_for_and_not_who() {
    let base = server(|_| ok(r#"{"to": "@evil.example/"}"#)).await;
    let before = json!([{"url": base, "keep": {"to": {"json": "$.to"}}}]);
    let spec = json!({"kind": "http", "url": format!("{base}${{to}}"), "before": before});
    // Behind the port the placeholder stands where a number should.
    assert!(
        probe_targets::of_check(&{
            let mut spec = spec.clone();
            spec["name"] = json!("x");
            spec["timeoutMs"] = json!(1000);
            spec
        })
        .is_err()
    );
    let behind = json!({"kind": "http", "url": format!("{base}/${{to}}"), "before": before});
    let (status, reason, _) = probe(Reach::Loopback, behind).await;
    assert_eq!((status, reason), (Status::Up, None));
}
