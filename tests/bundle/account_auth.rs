//! Sign-in while Auth is away, slow, or answers what it never should.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use local_supabase::server::{Answer, Server};
use outside::{clock, outbound::Outbound};
use serde_json::{Value, json};

use crate::{browser::Browser, proxy::forward, support::Bundle};

const EMAIL: &str = "anna@wine.example";
const PASSWORD: &str = "correct horse";

/// What becomes of a request to Auth.
#[derive(Clone)]
enum Odd {
    /// It is answered with this.
    Says(u16, &'static [(&'static str, &'static str)], &'static str),
    /// Auth gets it, and its answer is lost.
    Lost,
    /// Auth answers so late.
    Late(Duration),
    /// It is cut off.
    Cut,
}

/// A project whose Auth does as it is told, and otherwise as it should.
struct Wire {
    bundle: Bundle,
    odd: Arc<Mutex<VecDeque<Odd>>>,
    _server: Server,
}

impl Wire {
    async fn start() -> Self {
        let mut bundle = Bundle::start().await;
        let made = bundle
            .stack
            .create_user(EMAIL, PASSWORD, &json!({"role": "viewer"}))
            .await;
        made.unwrap();
        let odd: Arc<Mutex<VecDeque<Odd>>> = Arc::default();
        let (upstream, script) = (bundle.stack.supabase_url(), Arc::clone(&odd));
        let outbound = Arc::new(Outbound::default());
        let server = Server::bind(None, move |request: Request<Bytes>| {
            let is_auth = request.uri().path().starts_with("/auth/v1");
            let next = is_auth
                .then(|| script.lock().unwrap().pop_front())
                .flatten();
            let (upstream, outbound) = (upstream.clone(), Arc::clone(&outbound));
            async move { answer(next, &outbound, &upstream, request).await }
        })
        .await
        .unwrap();
        for name in ["SUPABASE_URL", "NEXT_PUBLIC_SUPABASE_URL"] {
            bundle.env.insert(name.into(), server.url());
        }
        Self {
            bundle,
            odd,
            _server: server,
        }
    }

    fn then(&self, odd: impl IntoIterator<Item = Odd>) {
        self.odd.lock().unwrap().extend(odd);
    }

    async fn sign_in(&self, browser: &Browser) -> crate::support::Answer {
        browser.password(&self.bundle, EMAIL, PASSWORD).await
    }
}

async fn answer(
    odd: Option<Odd>,
    outbound: &Outbound,
    upstream: &str,
    request: Request<Bytes>,
) -> Answer {
    match odd {
        None => forward(outbound, upstream, request).await,
        Some(Odd::Cut) => Answer::Drop,
        Some(Odd::Lost) => {
            forward(outbound, upstream, request).await;
            Answer::Drop
        }
        Some(Odd::Late(delay)) => {
            let answer = forward(outbound, upstream, request).await;
            clock::wait(delay).await;
            answer
        }
        Some(Odd::Says(status, headers, body)) => {
            let mut response = Response::builder().status(status);
            for (name, value) in headers {
                response = response.header(*name, *value);
            }
            Answer::Response(response.body(Bytes::from_static(body.as_bytes())).unwrap())
        }
    }
}

#[tokio::test]
async fn what_is_no_judgement_locks_nobody_out() {
    let wire = Wire::start().await;
    let browser = Browser::at("192.0.2.1");
    for (odd, expected, retry_after) in [
        (Odd::Cut, 503, None),
        (Odd::Says(200, &[], "<html>Welcome</html>"), 503, None),
        (Odd::Says(200, &[], "{}"), 503, None),
        (Odd::Says(204, &[], ""), 503, None),
        (
            Odd::Says(302, &[("location", "https://evil.example/")], ""),
            503,
            None,
        ),
        (
            Odd::Says(401, &[], r#"{"message":"Invalid API key"}"#),
            503,
            None,
        ),
        (Odd::Says(403, &[], "<html>blocked</html>"), 503, None),
        (
            Odd::Says(422, &[], r#"{"code":"email_provider_disabled"}"#),
            503,
            None,
        ),
        (
            Odd::Says(500, &[], r#"{"code":"unexpected_failure"}"#),
            503,
            None,
        ),
        (Odd::Says(502, &[], "<html>Bad gateway</html>"), 503, None),
        (
            Odd::Says(
                429,
                &[("retry-after", "17")],
                r#"{"code":"over_request_rate_limit"}"#,
            ),
            429,
            Some("17"),
        ),
        (Odd::Says(429, &[], "<html>"), 429, Some("60")),
        (
            Odd::Says(422, &[], r#"{"code":"validation_failed"}"#),
            401,
            None,
        ),
        (
            Odd::Says(
                400,
                &[],
                r#"{"code":400,"error_code":"invalid_credentials","msg":"no"}"#,
            ),
            401,
            None,
        ),
    ] {
        wire.then([odd]);
        let answer = wire.sign_in(&browser).await;
        assert_eq!(answer.status.as_u16(), expected, "{:?}", answer.bytes);
        assert_eq!(answer.header("retry-after"), retry_after);
        let text = String::from_utf8(answer.bytes.to_vec()).unwrap();
        assert!(!text.contains("html") && !text.contains("evil"), "{text}");
    }
    assert_eq!(wire.sign_in(&browser).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_mail_that_takes_long_keeps_nobody_waiting_and_is_sent() {
    let wire = Wire::start().await;
    wire.then([Odd::Late(Duration::from_secs(9))]);
    let began = clock::instant();
    let body = json!({"action": "code", "email": EMAIL});
    let known = Browser::at("192.0.2.1").post(&wire.bundle, &body).await;
    let took = clock::instant().duration_since(began);
    assert_eq!(
        (known.status, known.json()),
        (StatusCode::OK, json!({"sent": true}))
    );
    assert!((1_500..6_000).contains(&took.as_millis()), "{took:?}");
    let mails = wire
        .bundle
        .stack
        .inbox()
        .wait_for(1, Duration::from_secs(10))
        .await;
    assert_eq!(mails.len(), 1);

    let began = clock::instant();
    let body = json!({"action": "code", "email": "nobody@wine.example"});
    let unknown = Browser::at("192.0.2.1").post(&wire.bundle, &body).await;
    let took = clock::instant().duration_since(began);
    assert_eq!(
        (unknown.status, unknown.json()),
        (StatusCode::OK, json!({"sent": true}))
    );
    assert!(took.as_millis() >= 1_500, "{took:?}");
}

#[tokio::test]
async fn what_auth_says_of_a_code_is_passed_on_to_nobody() {
    let wire = Wire::start().await;
    for (number, (odd, expected)) in [
        (
            Odd::Says(
                500,
                &[],
                r#"{"code":"unexpected_failure","message":"Error sending email"}"#,
            ),
            200,
        ),
        (
            Odd::Says(429, &[], r#"{"code":"over_email_send_rate_limit"}"#),
            200,
        ),
        (Odd::Says(422, &[], r#"{"code":"otp_disabled"}"#), 200),
        (Odd::Says(200, &[], "<html>"), 200),
        (Odd::Cut, 200),
    ]
    .into_iter()
    .enumerate()
    {
        wire.then([odd]);
        let body = json!({"action": "code", "email": format!("p{number}@wine.example")});
        let answer = Browser::at("192.0.2.1").post(&wire.bundle, &body).await;
        assert_eq!(
            answer.status.as_u16(),
            expected,
            "{number}: {:?}",
            answer.bytes
        );
    }
}

#[tokio::test]
async fn a_refresh_whose_answer_is_lost_is_asked_for_again() {
    let wire = Wire::start().await;
    let browser = Browser::at("192.0.2.1");
    wire.sign_in(&browser).await;
    wire.then([Odd::Lost]);
    let answer = browser.act(&wire.bundle, "refresh").await;
    assert_eq!(answer.status, StatusCode::OK, "{:?}", answer.bytes);
    // The browser did not get it either: it comes again with the cookie that it has.
    let before = browser.copy("192.0.2.1");
    wire.then([Odd::Says(503, &[], "<html>")]);
    assert_eq!(
        browser.act(&wire.bundle, "refresh").await.status,
        StatusCode::OK
    );
    assert_eq!(
        before.act(&wire.bundle, "refresh").await.status,
        StatusCode::OK
    );
}

#[tokio::test]
async fn a_session_outlives_an_auth_that_is_away() {
    let wire = Wire::start().await;
    let browser = Browser::at("192.0.2.1");
    wire.sign_in(&browser).await;
    let kept = browser.cookies();
    for (odd, expected) in [
        ([Odd::Cut, Odd::Cut], 503),
        (
            [Odd::Says(502, &[], "<html>"), Odd::Says(500, &[], "")],
            503,
        ),
        ([Odd::Says(500, &[], ""), Odd::Says(429, &[], "")], 429),
        ([Odd::Cut, Odd::Says(200, &[], "<html>")], 503),
    ] {
        wire.then(odd);
        let answer = browser.act(&wire.bundle, "refresh").await;
        assert_eq!(answer.status.as_u16(), expected, "{:?}", answer.bytes);
        assert_eq!(browser.cookies(), kept, "nobody is signed out by an outage");
    }
    wire.then([Odd::Cut, Odd::Cut]);
    let out = browser.copy("192.0.2.1");
    let answer = out.act(&wire.bundle, "signOut").await;
    assert_eq!(answer.json(), json!({"signedIn": false, "revoked": false}));
    assert!(
        !out.cookies()
            .keys()
            .any(|name| name.contains("access") || name.contains("refresh"))
    );
    assert_eq!(
        browser.act(&wire.bundle, "refresh").await.status,
        StatusCode::OK
    );
}

#[tokio::test]
async fn a_token_too_large_for_a_cookie_signs_nobody_in() {
    let wire = Wire::start().await;
    let giant: &'static str = Box::leak(
        json!({
            "access_token": "a", "refresh_token": "r".repeat(8_000), "expires_in": 3_600,
            "user": {"id": "u", "email": EMAIL, "app_metadata": Value::Null},
        })
        .to_string()
        .into_boxed_str(),
    );
    wire.then([Odd::Says(200, &[], giant)]);
    let browser = Browser::at("192.0.2.1");
    let answer = wire.sign_in(&browser).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(browser.cookies().is_empty());
}
