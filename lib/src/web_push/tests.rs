use serde_json::json;

use super::*;
use crate::fake_server::{self, Reply, Server};
use outside::{clock::Deadline, failure::Failure, outbound::Outbound};
use std::time::Duration;

const KEY: &str = "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw";

fn web_push(server: &Server) -> WebPush {
    let url = server.url("");
    let variables = [
        ("VAPID_PRIVATE_KEY", KEY),
        ("PUSH_SERVICE_URL", url.as_str()),
        ("BASE_URL", "https://ops.wine.example"),
    ];
    fake_server::opened(&variables, WebPush::open)
}

fn subscription(web_push: &WebPush, server: &Server) -> Subscription {
    let json = json!({"endpoint": server.url("/wpush/1"), "keys": {
        "p256dh": "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
        "auth": "BTBZMqHH6r4Tts7J_aSIgg",
    }});
    web_push.subscription(&json).unwrap()
}

fn push(plain: &[u8]) -> Push<'_> {
    Push {
        plain,
        ttl: Duration::from_secs(3_600),
        urgency: Urgency::High,
        topic: Some("a1b2"),
    }
}

async fn outcome(reply: Reply) -> Outcome {
    let deadline = Deadline::after(reply.patience());
    let server = Server::start([reply]).await;
    let web_push = web_push(&server);
    let to = subscription(&web_push, &server);
    web_push
        .send(&to, push(b"{}"), &Outbound::default(), deadline)
        .await
}

#[tokio::test]
async fn a_push_says_how_long_how_soon_and_who_and_hides_what() {
    let server = Server::start([Reply::new(201, "")]).await;
    let web_push = web_push(&server);
    let to = subscription(&web_push, &server);
    let deadline = Deadline::after(Duration::from_secs(10));
    let outcome = web_push
        .send(
            &to,
            push(b"the cellar is warm"),
            &Outbound::default(),
            deadline,
        )
        .await;
    assert_eq!(outcome, Outcome::Taken);
    let request = &server.requests()[0];
    assert!(
        request.head.starts_with("POST /wpush/1 "),
        "{}",
        request.head
    );
    for (name, value) in [
        ("ttl", "3600"),
        ("urgency", "high"),
        ("topic", "a1b2"),
        ("content-encoding", "aes128gcm"),
        ("content-type", "application/octet-stream"),
    ] {
        assert_eq!(request.header(name), Some(value), "{name}");
    }
    let authorization = request.header("authorization").unwrap();
    assert!(authorization.starts_with("vapid t=ey"), "{authorization}");
    assert!(authorization.ends_with(web_push.public_key()));
    assert!(!request.body.windows(6).any(|part| part == b"cellar"));
}

#[tokio::test]
async fn what_a_push_service_answers_says_whether_the_browser_is_still_there() {
    for status in [200, 201, 202] {
        assert_eq!(outcome(Reply::new(status, "")).await, Outcome::Taken);
    }
    for status in [404, 410] {
        assert_eq!(
            outcome(Reply::new(status, "")).await,
            Outcome::Gone { status }
        );
    }
    let wait = |seconds| Some(Duration::from_secs(seconds));
    let limited = |after| Outcome::Refused {
        after,
        status: 429,
        error: "rate limited",
    };
    let slow = || Reply::new(429, "");
    assert_eq!(outcome(slow()).await, limited(None));
    assert_eq!(
        outcome(slow().header("retry-after: 9")).await,
        limited(wait(9))
    );
    let far = "retry-after: Fri, 01 Jan 2100 00:00:00 GMT";
    assert_eq!(outcome(slow().header(far)).await, limited(wait(3_600)));
    for (status, is_as_expected) in [
        (
            401,
            (|it| matches!(it, Outcome::Refused { .. })) as fn(&Outcome) -> bool,
        ),
        (403, |it| matches!(it, Outcome::Refused { .. })),
        (500, |it| matches!(it, Outcome::Unclear { .. })),
        (503, |it| matches!(it, Outcome::Unclear { .. })),
        (413, |it| matches!(it, Outcome::Unfit { .. })),
        (400, |it| matches!(it, Outcome::Unfit { .. })),
        (301, |it| matches!(it, Outcome::Unfit { .. })),
    ] {
        let outcome = outcome(Reply::new(status, "")).await;
        assert!(is_as_expected(&outcome), "{status}: {outcome:?}");
    }
    assert_eq!(
        outcome(Reply::Hang).await,
        Outcome::Failed(Failure::Timeout)
    );
    assert_eq!(outcome(Reply::Reset).await, Outcome::Failed(Failure::Reset));
}

#[tokio::test]
async fn what_is_too_long_is_not_sent() {
    let server = Server::start([]).await;
    let web_push = web_push(&server);
    let to = subscription(&web_push, &server);
    let deadline = Deadline::after(Duration::from_secs(10));
    let long = vec![b'x'; PLAIN_LIMIT + 1];
    let outcome = web_push
        .send(&to, push(&long), &Outbound::default(), deadline)
        .await;
    assert!(matches!(outcome, Outcome::Unfit { status: None, .. }));
    assert!(server.requests().is_empty());
}

#[test]
fn push_services_hear_of_trouble_from_an_address_that_they_accept() {
    for (base, admin, expected) in [
        ("https://ops.wine.example/", "", "https://ops.wine.example"),
        (
            "http://127.0.0.1:8787",
            "Ops <ops@wine.example>, b@wine.example",
            "mailto:ops@wine.example",
        ),
        (
            "http://127.0.0.1:8787",
            "ops@wine.example",
            "mailto:ops@wine.example",
        ),
        ("http://127.0.0.1:8787", "", "mailto:nobody@localhost"),
    ] {
        let variables = [
            ("VAPID_PRIVATE_KEY", KEY),
            ("BASE_URL", base),
            ("ADMIN_EMAIL", admin),
        ];
        let web_push = fake_server::opened(&variables, WebPush::open);
        assert_eq!(web_push.contact, expected, "{base} {admin}");
    }
}

#[test]
fn without_a_key_that_is_one_it_stays_closed() {
    for (key, faults) in [(None, 0), (Some("x"), 1)] {
        let lookup = |name: &str| match name {
            "VAPID_PRIVATE_KEY" => key.map(str::to_owned),
            "BASE_URL" => Some("https://ops.wine.example".to_owned()),
            _ => None,
        };
        let mut read = Reader::new(&lookup);
        assert!(WebPush::open(&mut read).is_none());
        assert_eq!(read.faults.len(), faults);
    }
    let lookup = |name: &str| (name == "VAPID_PRIVATE_KEY").then(|| KEY.to_owned());
    let mut read = Reader::new(&lookup);
    assert!(WebPush::open(&mut read).is_none());
    assert_eq!(read.faults.len(), 1, "links need BASE_URL");
}
