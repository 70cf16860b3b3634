//! Probes against servers of this machine.

use std::time::Duration;

use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

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

/// Probes a definition; the status and why it is not up.
async fn probe(reach: Reach, spec: Value) -> (Status, Option<&'static str>, Map<String, Value>) {
    let variables = [("CHECK_TOKEN".to_owned(), "s3cret".into())].into();
    let outbound = Outbound::default();
    let prober = Prober {
        outbound: &outbound,
        variables: &variables,
        reach,
    };
    let mut definition = json!({"name": "x", "timeoutMs": 5000});
    definition
        .as_object_mut()
        .unwrap()
        .extend(spec.as_object().unwrap().clone());
    let target = probe_targets::of_check(&definition).unwrap();
    let deadline = Deadline::after(Duration::from_secs(10));
    let (check, _) = prober.probe(&target, deadline).await;
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
    // It takes connections and says nothing.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    let (outbound, variables) = (Outbound::default(), BTreeMap::new());
    let prober = Prober {
        outbound: &outbound,
        variables: &variables,
        reach: Reach::Loopback,
    };
    for (timeout_ms, deadline_ms, expected) in [
        (10_000, 100, (Status::Unknown, Some("not_reached"))),
        (100, 10_000, (Status::Down, Some("timeout"))),
    ] {
        let definition = json!({"name": "x", "timeoutMs": timeout_ms, "kind": "tls", "host": "127.0.0.1", "port": port});
        let target = probe_targets::of_check(&definition).unwrap();
        let deadline = Deadline::after(Duration::from_millis(deadline_ms));
        let (check, _) = prober.probe(&target, deadline).await;
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

#[test]
fn days_left_are_whole_days_and_an_unseen_certificate_is_unknown() {
    let now: Timestamp = "2026-03-01T12:00:00Z".parse().unwrap();
    for (end, days) in [
        ("2026-03-08T12:00:00Z", 7),
        ("2026-03-08T11:59:59Z", 6),
        ("2026-03-01T11:00:00Z", -1),
    ] {
        let check = certificate("wine.example", Some(end.parse().unwrap()), now);
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
    let definition = |spec: Value| {
        let mut definition = json!({"name": "x", "timeoutMs": 100});
        definition
            .as_object_mut()
            .unwrap()
            .extend(spec.as_object().unwrap().clone());
        probe_targets::of_check(&definition).unwrap()
    };
    let targets = [
        definition(json!({"kind": "http", "url": "https://wine.example/"})),
        definition(json!({"kind": "tls", "host": "wine.example"})),
        definition(json!({"kind": "http", "url": "http://localhost:1/"})),
    ];
    let now: Timestamp = "2026-03-01T00:00:00Z".parse().unwrap();
    let end: Timestamp = "2026-03-11T00:00:00Z".parse().unwrap();
    let later = "2026-04-11T00:00:00Z".parse().unwrap();
    let checks: Vec<_> = certificates(&targets, &[Some(later), Some(end), None], now).collect();
    assert_eq!(checks.len(), 1);
    assert_eq!(checks[0].name, "certificate:wine.example");
    assert_eq!(checks[0].detail["daysLeft"], 10);
}
