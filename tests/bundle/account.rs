//! `/api/account`: people sign in, stay so, and sign out, by the project's own Auth.

use std::time::Duration;

use http::{Method, StatusCode, header};
use local_supabase::capture::Message;
use ops::endpoint::Endpoint;
use outside::clock;
use serde_json::{Value, json};

use crate::{
    answering,
    browser::{Browser, ORIGIN, PATH},
    support::{Answer, Bundle, call, get},
};

const ACCESS: &str = "__Host-pourtrait-access";
const REFRESH: &str = "__Secure-pourtrait-refresh";
const DEVICE: &str = "__Secure-pourtrait-device";
const CODE: &str = "__Secure-pourtrait-code";
const PASSWORD: &str = "correct horse";

async fn person(bundle: &Bundle, email: &str, metadata: Value) {
    let made = bundle.stack.create_user(email, PASSWORD, &metadata).await;
    made.expect("a user");
}

async fn with_role(bundle: &Bundle, role: &str) -> Browser {
    let email = format!("{role}@wine.example");
    person(bundle, &email, json!({ "role": role })).await;
    let browser = Browser::at("192.0.2.1");
    let answer = browser.password(bundle, &email, PASSWORD).await;
    assert_eq!(answer.status, StatusCode::OK, "{:?}", answer.bytes);
    browser
}

fn cookies(answer: &Answer) -> Vec<String> {
    let set = answer.headers.get_all(header::SET_COOKIE).iter();
    set.map(|cookie| cookie.to_str().unwrap().to_owned())
        .collect()
}

/// The code in the newest mail of Auth, once there are so many.
async fn code(bundle: &Bundle, mails: usize) -> String {
    let messages = bundle
        .stack
        .inbox()
        .wait_for(mails, Duration::from_secs(10));
    let messages: Vec<Message> = messages.await;
    let mail = messages.last().expect("a mail");
    let (_, rest) = mail.text.split_once("sign in: ").expect("a code");
    rest[..6].to_owned()
}

#[tokio::test]
async fn a_person_signs_in_by_password_and_every_function_knows_them() {
    let bundle = Bundle::start().await;
    person(&bundle, "anna@wine.example", json!({"role": "responder"})).await;
    let browser = Browser::at("192.0.2.1");
    for endpoint in [Endpoint::Account, Endpoint::Dashboard] {
        let nobody = browser.get(&bundle, endpoint).await;
        assert_eq!(nobody.status, StatusCode::UNAUTHORIZED);
    }
    let answer = browser
        .password(&bundle, " Anna@Wine.example", PASSWORD)
        .await;
    assert_eq!(answer.status, StatusCode::OK, "{:?}", answer.bytes);
    let session = answer.json();
    assert_eq!(
        (
            &session["signedIn"],
            &session["email"],
            &session["role"],
            &session["permissions"]
        ),
        (
            &json!(true),
            &json!("anna@wine.example"),
            &json!("responder"),
            &json!(["dashboard.read", "alerts.answer", "status.write"]),
        )
    );
    let time =
        |field: &str| -> jiff::Timestamp { session[field].as_str().unwrap().parse().unwrap() };
    let left = |field: &str| time(field).duration_since(clock::now()).as_secs();
    assert!((3_500..=3_600).contains(&left("expiresAt")), "{session}");
    assert!((43_100..=43_200).contains(&left("idleUntil")), "{session}");

    let set = cookies(&answer);
    for (name, path, age) in [
        (ACCESS, "/", 3_600),
        (REFRESH, "/api/account", 43_200),
        (DEVICE, "/api/account", 15_552_000),
    ] {
        let cookie = set.iter().find(|cookie| cookie.starts_with(name)).unwrap();
        for attribute in [
            "HttpOnly",
            "SameSite=Strict",
            "Secure",
            &format!("Path={path};"),
        ] {
            assert!(cookie.contains(attribute), "{cookie}");
        }
        let seconds: u64 = cookie
            .split("Max-Age=")
            .nth(1)
            .unwrap()
            .split(';')
            .next()
            .unwrap()
            .parse()
            .unwrap();
        assert!((age - 100..=age).contains(&seconds), "{cookie}");
    }
    // What Auth gave out is in no answer: neither in the body nor, to be read, in a cookie.
    let tokens = bundle.admin().await;
    let row = tokens
        .query_one("select token from auth.refresh_tokens", &[])
        .await
        .unwrap();
    let everything = format!("{:?} {set:?}", answer.bytes);
    assert!(
        !everything.contains(row.get::<_, &str>(0)) && !everything.contains("eyJ"),
        "{everything}"
    );
    assert_eq!(answer.header("cache-control"), Some("no-store"));

    assert_eq!(
        browser.get(&bundle, Endpoint::Account).await.json(),
        session
    );
    let dashboard = browser.get(&bundle, Endpoint::Dashboard).await;
    assert_eq!(dashboard.status, StatusCode::OK);
}

#[tokio::test]
async fn a_person_signs_in_by_a_code_in_the_browser_that_asked_for_it() {
    let bundle = Bundle::start().await;
    person(&bundle, "anna@wine.example", json!({"role": "viewer"})).await;
    let browser = Browser::at("192.0.2.1");
    let ask = json!({"action": "code", "email": "anna@wine.example"});
    let sent = browser.post(&bundle, &ask).await;
    assert_eq!(
        (sent.status, sent.json()),
        (StatusCode::OK, json!({"sent": true}))
    );
    let code = code(&bundle, 1).await;

    let typed = |email: &str, code: &str| json!({"action": "verify", "email": email, "code": code});
    let right = typed("anna@wine.example", &code);
    for (what, browser, body) in [
        ("another browser", &Browser::at("192.0.2.1"), &right),
        (
            "another address",
            &browser,
            &typed("bo@wine.example", &code),
        ),
        (
            "a wrong code",
            &browser,
            &typed("anna@wine.example", "000000"),
        ),
        ("no code", &browser, &typed("anna@wine.example", "hello")),
    ] {
        let refused = browser.post(&bundle, body).await;
        assert_eq!(refused.status, StatusCode::UNAUTHORIZED, "{what}");
        assert!(
            refused.json()["detail"]
                .as_str()
                .unwrap()
                .starts_with("invalid"),
            "{what}"
        );
    }
    let spaced = format!("{} {}", &code[..3], &code[3..]);
    let signed_in = browser
        .post(&bundle, &typed("Anna@wine.example", &spaced))
        .await;
    assert_eq!(signed_in.status, StatusCode::OK, "{:?}", signed_in.bytes);
    assert_eq!(signed_in.json()["role"], "viewer");
    assert!(!browser.cookies().contains_key(CODE), "it is used up");
    assert_eq!(
        browser.get(&bundle, Endpoint::Dashboard).await.status,
        StatusCode::OK
    );

    let again = browser.post(&bundle, &right).await;
    assert_eq!(
        again.status,
        StatusCode::UNAUTHORIZED,
        "a code is good once"
    );
}

#[tokio::test]
async fn whoever_has_an_address_the_answer_is_the_same() {
    let bundle = Bundle::start().await;
    person(&bundle, "anna@wine.example", json!({"role": "admin"})).await;
    let mut told = Vec::new();
    for email in [
        "anna@wine.example",
        "nobody@wine.example",
        "änna@wine.example",
    ] {
        let browser = Browser::at("192.0.2.1");
        let sent = browser
            .post(&bundle, &json!({"action": "code", "email": email}))
            .await;
        let wrong = browser.password(&bundle, email, "wrong").await;
        let code = json!({"action": "verify", "email": email, "code": "000000"});
        let code = browser.post(&bundle, &code).await;
        let names: Vec<_> = browser.cookies().into_keys().collect();
        told.push(format!(
            "{} {:?} {} {:?} {} {:?} {names:?}",
            sent.status, sent.bytes, wrong.status, wrong.bytes, code.status, code.bytes
        ));
    }
    assert_eq!(told[0], told[1]);
    assert_eq!(told[0], told[2]);
    assert!(
        told[0].starts_with("200 OK") && told[0].matches("401").count() >= 2,
        "{}",
        told[0]
    );
}

#[tokio::test]
async fn roles_do_what_their_permissions_say_and_nothing_else() {
    let bundle = Bundle::start().await;
    let alert = answering::raise(&bundle, "cellar", "firing").await;
    let incident: String = bundle
        .admin()
        .await
        .query_one("select id::text from ops.incidents", &[])
        .await
        .unwrap()
        .get(0);
    person(&bundle, "boss@wine.example", json!({})).await;
    let without = Browser::at("192.0.2.9");
    let answer = without
        .password(&bundle, "boss@wine.example", PASSWORD)
        .await;
    assert_eq!(
        (&answer.json()["role"], &answer.json()["permissions"]),
        (&Value::Null, &json!([]))
    );
    person(&bundle, "liar@wine.example", json!({"role": "owner"})).await;
    bundle
        .admin()
        .await
        .execute(
            "update auth.users set raw_user_meta_data = '{\"role\": \"admin\"}' where email = 'liar@wine.example'",
            &[],
        )
        .await
        .unwrap();
    let liar = Browser::at("192.0.2.9");
    assert_eq!(
        liar.password(&bundle, "liar@wine.example", PASSWORD)
            .await
            .json()["role"],
        Value::Null
    );
    let [viewer, responder, admin] = [
        with_role(&bundle, "viewer").await,
        with_role(&bundle, "responder").await,
        with_role(&bundle, "admin").await,
    ];
    let app = bundle.instance(Endpoint::Acknowledge);
    for (who, browser, reads, answers) in [
        ("without a role", &without, false, false),
        ("a role of the app", &liar, false, false),
        ("viewer", &viewer, true, false),
        ("responder", &responder, true, true),
        ("admin", &admin, true, true),
    ] {
        let expected = |may: bool| {
            if may {
                StatusCode::OK
            } else {
                StatusCode::FORBIDDEN
            }
        };
        let read = browser.get(&bundle, Endpoint::Dashboard).await;
        assert_eq!(read.status, expected(reads), "{who} reads");
        for body in [
            json!({"alertId": alert, "action": "acknowledge"}),
            json!({"select": {"alerts": [alert]}, "action": "acknowledge"}),
            json!({"incident": incident, "action": "note", "note": "seen"}),
        ] {
            let acted = browser
                .request(&app, Method::POST, answering::PATH)
                .header("origin", ORIGIN)
                .header("content-type", "application/json")
                .body(body.to_string())
                .send()
                .await;
            assert_eq!(acted.status, expected(answers), "{who}: {body}");
        }
    }
}

#[tokio::test]
async fn an_incident_is_answered_by_its_person_s_address() {
    let bundle = Bundle::start().await;
    answering::raise(&bundle, "cellar", "firing").await;
    let admin = bundle.admin().await;
    let incident: String = admin
        .query_one("select id::text from ops.incidents", &[])
        .await
        .unwrap()
        .get(0);
    let browser = with_role(&bundle, "responder").await;
    let app = bundle.instance(Endpoint::Acknowledge);
    let act = async |body: Value| {
        browser
            .request(&app, Method::POST, answering::PATH)
            .header("origin", ORIGIN)
            .header("content-type", "application/json")
            .body(body.to_string())
            .send()
            .await
    };
    let done = act(json!({"incident": incident, "action": "acknowledge", "minutes": 60})).await;
    assert_eq!(
        (done.status, &done.json()["outcome"]),
        (StatusCode::OK, &json!("done"))
    );
    let row = admin
        .query_one(
            "select acknowledged_by, extract(epoch from acknowledged_until - now())::float8 from ops.alerts",
            &[],
        )
        .await
        .unwrap();
    assert_eq!(row.get::<_, &str>(0), "responder@wine.example");
    assert!((3_590.0..=3_600.0).contains(&row.get::<_, f64>(1)));
    let over = act(json!({"incident": incident, "action": "resolve", "note": "a fuse"})).await;
    assert_eq!(
        over.json()["incident"]["status"],
        "resolved",
        "{:?}",
        over.bytes
    );
    let nobody = uuid::Uuid::nil();
    let unknown = act(json!({"incident": nobody, "action": "resolve"})).await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
    let odd = act(json!({"incident": incident, "action": "snooze"})).await;
    assert_eq!(odd.status, StatusCode::BAD_REQUEST);
    assert!(
        odd.json()["detail"]
            .as_str()
            .unwrap()
            .starts_with("minutes must say")
    );
}

#[tokio::test]
async fn only_a_page_of_ours_makes_a_browser_write() {
    let bundle = Bundle::start().await;
    let alert = answering::raise(&bundle, "cellar", "firing").await;
    let browser = with_role(&bundle, "admin").await;
    let account = bundle.instance(Endpoint::Account);
    let acknowledge = bundle.instance(Endpoint::Acknowledge);
    let act = json!({"alertId": alert, "action": "acknowledge"});
    for origin in [
        None,
        Some("https://evil.example"),
        Some("https://ops.wine.example.evil.example"),
        Some("http://ops.wine.example"),
        Some("https://wine.example"),
        Some("null"),
        Some(""),
    ] {
        for (app, path, body) in [
            (&account, PATH, json!({"action": "signOut"})),
            (&account, PATH, json!({"action": "refresh"})),
            (
                &account,
                PATH,
                json!({"action": "password", "email": "a@b", "password": "x"}),
            ),
            (&acknowledge, answering::PATH, act.clone()),
        ] {
            let mut request = browser
                .request(app, Method::POST, path)
                .header("content-type", "application/json")
                .body(body.to_string());
            if let Some(origin) = origin {
                request = request.header("origin", origin);
            }
            let refused = request.send().await;
            assert_eq!(refused.status, StatusCode::FORBIDDEN, "{origin:?} {body}");
            assert!(cookies(&refused).is_empty());
        }
    }
    // Its cookies are as they were, and reading needs no page.
    assert_eq!(
        browser.get(&bundle, Endpoint::Account).await.status,
        StatusCode::OK
    );
    let form = browser
        .request(&account, Method::POST, PATH)
        .header("origin", ORIGIN)
        .header("content-type", "text/plain")
        .body("{\"action\":\"signOut\"}")
        .send()
        .await;
    assert_eq!(form.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
}

#[tokio::test]
async fn a_forged_cookie_is_a_wrong_proof_and_one_of_another_project_is_forged() {
    let bundle = Bundle::start().await;
    let elsewhere = Bundle::start().await;
    let other = with_role(&elsewhere, "admin").await;
    let token = bundle
        .stack
        .keys()
        .user_token(
            "u",
            "a@b.test",
            &json!({"role": "admin"}),
            clock::now() + jiff::SignedDuration::from_hours(1),
        )
        .unwrap();
    let sealed = other.cookies().remove(ACCESS).unwrap();
    let mut changed = with_role(&bundle, "admin")
        .await
        .cookies()
        .remove(ACCESS)
        .unwrap();
    changed.replace_range(40..41, if &changed[40..41] == "A" { "B" } else { "A" });
    for value in [
        "",
        "x",
        token.as_str(),
        &sealed,
        &changed,
        &"A".repeat(8_000),
        &"A".repeat(1 << 20),
    ] {
        let browser = Browser::at("192.0.2.3");
        browser.set_cookie(ACCESS, value);
        browser.set_cookie(REFRESH, value);
        let app = bundle.instance(Endpoint::Dashboard);
        for number in 0..31 {
            let answer = browser
                .request(&app, Method::GET, "/api/monitoring/dashboard")
                .send()
                .await;
            let expected = if number < 30 {
                StatusCode::UNAUTHORIZED
            } else {
                StatusCode::TOO_MANY_REQUESTS
            };
            assert_eq!(answer.status, expected, "{number} {} bytes", value.len());
        }
        let refreshed = browser.act(&bundle, "refresh").await;
        assert_eq!(refreshed.status, StatusCode::UNAUTHORIZED);
        assert!(!browser.cookies().contains_key(REFRESH), "it is forgotten");
    }
    // A bearer beside a cookie counts alone.
    let browser = with_role_again(&bundle).await;
    let app = bundle.instance(Endpoint::Dashboard);
    let both = browser
        .request(&app, Method::GET, "/api/monitoring/dashboard")
        .bearer("wrong")
        .send()
        .await;
    assert_eq!(both.status, StatusCode::UNAUTHORIZED);
}

async fn with_role_again(bundle: &Bundle) -> Browser {
    let browser = Browser::at("192.0.2.1");
    browser
        .password(bundle, "admin@wine.example", PASSWORD)
        .await;
    browser
}

/// Makes every refresh token so many seconds older, as time would.
async fn age_tokens(bundle: &Bundle, seconds: u32) {
    let sql = format!(
        "update auth.refresh_tokens set updated_at = updated_at - interval '{seconds} seconds'"
    );
    bundle.admin().await.execute(&sql, &[]).await.unwrap();
}

#[tokio::test]
async fn two_tabs_that_refresh_at_once_both_stay_signed_in() {
    let bundle = Bundle::start().await;
    let first = with_role(&bundle, "viewer").await;
    let second = first.copy("192.0.2.1");
    let (one, two) = tokio::join!(
        first.act(&bundle, "refresh"),
        second.act(&bundle, "refresh")
    );
    assert_eq!((one.status, two.status), (StatusCode::OK, StatusCode::OK));
    for tab in [&first, &second, &first] {
        age_tokens(&bundle, 3_000).await;
        let next = tab.copy("192.0.2.1");
        let answer = next.act(&bundle, "refresh").await;
        assert_eq!(answer.status, StatusCode::OK, "{:?}", answer.bytes);
        assert_eq!(answer.json()["role"], "viewer");
    }
}

#[tokio::test]
async fn a_copied_cookie_ends_the_session_for_both_once_its_owner_comes_back() {
    let bundle = Bundle::start().await;
    let owner = with_role(&bundle, "admin").await;
    let thief = owner.copy("203.0.113.6");
    for _ in 0..2 {
        assert_eq!(owner.act(&bundle, "refresh").await.status, StatusCode::OK);
        age_tokens(&bundle, 60).await;
    }
    let stolen = thief.act(&bundle, "refresh").await;
    assert_eq!(
        stolen.status,
        StatusCode::UNAUTHORIZED,
        "{:?}",
        stolen.bytes
    );
    assert!(
        thief.cookies().keys().all(|name| name == DEVICE),
        "{:?}",
        thief.cookies()
    );
    age_tokens(&bundle, 60).await;
    assert_eq!(
        owner.act(&bundle, "refresh").await.status,
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(
        owner.get(&bundle, Endpoint::Dashboard).await.status,
        StatusCode::UNAUTHORIZED
    );
}

#[tokio::test]
async fn a_role_that_was_taken_away_is_gone_with_the_next_refresh() {
    let bundle = Bundle::start().await;
    let browser = with_role(&bundle, "admin").await;
    let admin = bundle.admin().await;
    let take = "update auth.users set raw_app_meta_data = raw_app_meta_data - 'role'";
    admin.execute(take, &[]).await.unwrap();
    let refreshed = browser.act(&bundle, "refresh").await;
    assert_eq!(
        (&refreshed.json()["role"], &refreshed.json()["permissions"]),
        (&Value::Null, &json!([]))
    );
    assert_eq!(
        browser.get(&bundle, Endpoint::Dashboard).await.status,
        StatusCode::FORBIDDEN
    );
    let ban = "update auth.users set banned_until = now() + interval '1 day'";
    admin.execute(ban, &[]).await.unwrap();
    assert_eq!(
        browser.act(&bundle, "refresh").await.status,
        StatusCode::UNAUTHORIZED
    );
    let banned = browser
        .password(&bundle, "admin@wine.example", PASSWORD)
        .await;
    assert_eq!(
        banned.status,
        StatusCode::UNAUTHORIZED,
        "as if the password were wrong"
    );
}

#[tokio::test]
async fn signing_out_ends_the_session_at_auth_and_in_the_browser() {
    let bundle = Bundle::start().await;
    let browser = with_role(&bundle, "admin").await;
    let copy = browser.copy("203.0.113.6");
    let out = browser.act(&bundle, "signOut").await;
    assert_eq!(
        (out.status, out.json()),
        (StatusCode::OK, json!({"signedIn": false, "revoked": true}))
    );
    assert!(
        browser.cookies().keys().all(|name| name == DEVICE),
        "{:?}",
        browser.cookies()
    );
    let sessions = bundle
        .admin()
        .await
        .query_one("select count(*) from auth.sessions", &[])
        .await;
    assert_eq!(sessions.unwrap().get::<_, i64>(0), 0);
    assert_eq!(
        copy.act(&bundle, "refresh").await.status,
        StatusCode::UNAUTHORIZED
    );
    // Nobody signs out twice, and nobody minds.
    let again = browser.act(&bundle, "signOut").await;
    assert_eq!(again.json(), json!({"signedIn": false, "revoked": true}));
}

#[tokio::test]
async fn tries_are_counted_across_instances_and_a_known_browser_is_let_in() {
    let bundle = Bundle::start().await;
    let anna = with_role(&bundle, "admin").await;
    let bot = Browser::at("203.0.113.6");
    let mut refused = 0;
    // Each try meets an instance that has seen none before.
    let limited = loop {
        let answer = bot.password(&bundle, "admin@wine.example", "guess").await;
        if answer.status == StatusCode::TOO_MANY_REQUESTS {
            break answer;
        }
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
        refused += 1;
        assert!(refused < 10, "nobody stopped it");
    };
    assert!(refused >= 5, "{refused}");
    let wait: u64 = limited.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=60).contains(&wait), "{wait}");
    // From the bot's network, too: the browser has signed in before.
    let known = anna.copy("203.0.113.6");
    let answer = known
        .password(&bundle, "admin@wine.example", PASSWORD)
        .await;
    assert_eq!(answer.status, StatusCode::OK, "{:?}", answer.bytes);
    // And from any other network.
    let elsewhere = Browser::at("198.51.100.7")
        .password(&bundle, "admin@wine.example", PASSWORD)
        .await;
    assert_eq!(elsewhere.status, StatusCode::OK);

    let rows = bundle
        .admin()
        .await
        .query("select key from ops.sign_in_tries", &[])
        .await
        .unwrap();
    assert!(!rows.is_empty());
    for row in rows {
        let key: &str = row.get(0);
        assert!(
            key.len() == 64 && key.bytes().all(|digit| digit.is_ascii_hexdigit()),
            "{key}"
        );
    }
}

#[tokio::test]
async fn mails_are_asked_for_a_few_times_and_no_more() {
    let bundle = Bundle::start().await;
    let mut statuses = Vec::new();
    for number in 0..6 {
        let browser = Browser::at(&format!("203.0.113.{number}"));
        let body = json!({"action": "code", "email": "nobody@wine.example"});
        statuses.push(browser.post(&bundle, &body).await.status.as_u16());
    }
    assert_eq!(statuses, [200, 200, 200, 200, 200, 429]);
}

#[tokio::test]
async fn a_key_is_an_operator_and_a_token_is_its_user() {
    let bundle = Bundle::start().await;
    let app = bundle.instance(Endpoint::Account);
    let operator = get(&app, PATH)
        .bearer(bundle.secret("MONITORING_API_KEY"))
        .send()
        .await;
    let document = operator.json();
    assert_eq!(
        (&document["role"], &document["email"]),
        (&json!("operator"), &Value::Null)
    );
    assert_eq!(document["permissions"].as_array().unwrap().len(), 7);
    let later = clock::now() + jiff::SignedDuration::from_hours(1);
    let token = bundle
        .stack
        .keys()
        .user_token("u", "a@b.test", &json!({"role": "viewer"}), later)
        .unwrap();
    let user = get(&app, PATH).bearer(&token).send().await;
    assert_eq!(
        (
            &user.json()["email"],
            &user.json()["role"],
            &user.json()["idleUntil"]
        ),
        (&json!("a@b.test"), &json!("viewer"), &Value::Null)
    );
}

#[tokio::test]
async fn sign_in_is_closed_where_it_is_not_configured() {
    let mut bundle = Bundle::start().await;
    for name in ["SUPABASE_PUBLISHABLE_KEY", "NEXT_PUBLIC_SUPABASE_ANON_KEY"] {
        bundle.env.remove(name);
    }
    let browser = Browser::at("192.0.2.1");
    for body in [
        json!({"action": "password", "email": "a@b.test", "password": "x"}),
        json!({"action": "code", "email": "a@b.test"}),
        json!({"action": "refresh"}),
    ] {
        let closed = browser.post(&bundle, &body).await;
        assert_eq!(closed.status, StatusCode::SERVICE_UNAVAILABLE, "{body}");
    }
    // A secret key in its place would travel where keys are no secret.
    let secret = bundle.env["SUPABASE_SECRET_KEY"].clone();
    bundle.env.insert("SUPABASE_PUBLISHABLE_KEY".into(), secret);
    assert_eq!(
        browser.act(&bundle, "refresh").await.status,
        StatusCode::SERVICE_UNAVAILABLE
    );
    let odd = bundle.instance(Endpoint::Account);
    let odd = call(&odd, Method::POST, PATH)
        .header("origin", ORIGIN)
        .body("{}")
        .send()
        .await;
    assert_eq!(odd.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
}
