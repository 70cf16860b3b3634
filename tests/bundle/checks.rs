//! Kept checks and heartbeats, from a row to a message.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use http::{Method, StatusCode};
use ops::{
    auth::heartbeat_token::{self, TokenSigner},
    endpoint::Endpoint,
};
use serde_json::{Value, json};

use crate::{
    proxy::{self, Verdict},
    support::{Bundle, call, get},
};

pub(crate) async fn add(bundle: &Bundle, name: &str, check: &Value) {
    let sql = "select public.ops_add_check($1, $2::text::jsonb, 'test')";
    bundle
        .admin()
        .await
        .execute(sql, &[&name, &check.to_string()])
        .await
        .unwrap();
}

/// Gives a heartbeat a token, as the operator's command does.
pub(crate) async fn issue(bundle: &Bundle, name: &str) -> String {
    let token = TokenSigner::new(&bundle.secret("MONITORING_API_KEY").into()).issue();
    let issue = "select public.ops_issue_heartbeat_token($1, 'test', $2)";
    let hash = heartbeat_token::hash(&token);
    bundle
        .admin()
        .await
        .execute(issue, &[&name, &hash])
        .await
        .unwrap();
    token
}

/// One tick that probes everything.
async fn tick(bundle: &Bundle) -> Value {
    let app = bundle.instance(Endpoint::Monitor);
    let key = bundle.secret("MONITORING_API_KEY");
    let answer = get(&app, "/api/cron/monitor").bearer(key).send().await;
    assert_eq!(answer.status, StatusCode::OK, "{:?}", answer.bytes);
    answer.json()
}

/// What a tick saw of a check, as its status and reason.
fn seen<'a>(tick: &'a Value, name: &str) -> (&'a Value, &'a Value) {
    let checks = tick["checks"].as_array().unwrap();
    let check = checks
        .iter()
        .find(|check| check["name"] == format!("check:{name}"));
    let check = check.unwrap_or_else(|| panic!("{name} is not in {tick}"));
    (&check["status"], &check["reason"])
}

#[tokio::test]
async fn kept_checks_are_probed_and_never_beyond_what_is_allowed() {
    let bundle = Bundle::start().await;
    let app = bundle.secret("NEXT_PUBLIC_APP_URL").to_owned();
    let (up, down) = (json!("up"), json!("down"));
    add(&bundle, "page", &json!({"kind": "http", "url": app})).await;
    add(
        &bundle,
        "text",
        &json!({"kind": "http", "url": app, "contains": "no such words"}),
    )
    .await;
    add(
        &bundle,
        "name",
        &json!({"kind": "dns", "host": "localhost"}),
    )
    .await;
    add(
        &bundle,
        "metadata",
        &json!({"kind": "tcp", "host": "169.254.169.254", "port": 80, "timeoutMs": 500}),
    )
    .await;
    let first = tick(&bundle).await;
    assert_eq!(seen(&first, "page"), (&up, &Value::Null));
    assert_eq!(seen(&first, "text"), (&down, &json!("text")));
    assert_eq!(seen(&first, "name"), (&up, &Value::Null));
    assert_eq!(seen(&first, "metadata"), (&down, &json!("private_address")));

    let allow = "select public.ops_set_setting('checks.private_addresses', 'true', 'test')";
    bundle.admin().await.execute(allow, &[]).await.unwrap();
    let second = tick(&bundle).await;
    assert_ne!(seen(&second, "metadata").1, &json!("private_address"));
    let third = tick(&bundle).await;
    let opened: Vec<_> = third["transitions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            (
                one["rule"].as_str().unwrap(),
                one["subject"].as_str().unwrap(),
            )
        })
        .collect();
    assert!(opened.contains(&("check_failing", "text")), "{opened:?}");
    let told = bundle.stack.inbox().messages();
    let text = told
        .iter()
        .find(|message| message.text.contains("The check text fails"));
    let text = &text.expect("a message").text;
    assert!(text.contains("the expected text is missing"), "{text}");
}

#[tokio::test]
async fn a_header_takes_its_secret_from_the_environment_and_no_sample_keeps_it() {
    let bundle = Bundle::start().await;
    let app = bundle.secret("NEXT_PUBLIC_APP_URL").to_owned();
    let check = json!({"kind": "http", "url": app, "headers": {"x-api-key": "${CHECK_KEY}"}});
    add(&bundle, "page", &check).await;
    let before = tick(&bundle).await;
    assert_eq!(seen(&before, "page"), (&json!("down"), &json!("variable")));

    let config = ops::config::Config::from_lookup(&|name| bundle.env.get(name).cloned())
        .with_check_variables([("CHECK_KEY".to_owned(), "s3cret-value".to_owned())]);
    let app = ops::router::function(Endpoint::Monitor, config);
    let key = bundle.secret("MONITORING_API_KEY");
    let answer = get(&app, "/api/cron/monitor").bearer(key).send().await;
    assert_eq!(seen(&answer.json(), "page").0, "up");
    assert!(!String::from_utf8_lossy(&answer.bytes).contains("s3cret-value"));
    let kept = "select count(*) from ops.samples where detail::text like '%s3cret-value%'";
    let kept: i64 = bundle
        .admin()
        .await
        .query_one(kept, &[])
        .await
        .unwrap()
        .get(0);
    assert_eq!(kept, 0);
}

#[tokio::test]
async fn a_heartbeat_reports_with_its_token_and_with_nothing_else() {
    let bundle = Bundle::start().await;
    let check = json!({"kind": "heartbeat", "periodSeconds": 3600, "graceSeconds": 60});
    add(&bundle, "import", &check).await;
    let token = issue(&bundle, "import").await;
    let app = bundle.instance(Endpoint::Heartbeat);
    for (method, query, bearer, status) in [
        (Method::GET, String::new(), None, StatusCode::UNAUTHORIZED),
        (
            Method::GET,
            "?token=wrong".into(),
            None,
            StatusCode::UNAUTHORIZED,
        ),
        (
            Method::GET,
            format!("?token={token}&event=ended"),
            None,
            StatusCode::BAD_REQUEST,
        ),
        (
            Method::GET,
            format!("?token={token}&event=start"),
            None,
            StatusCode::OK,
        ),
        (
            Method::HEAD,
            format!("?token={token}"),
            None,
            StatusCode::OK,
        ),
        (
            Method::POST,
            "?event=failure".into(),
            Some(&token),
            StatusCode::OK,
        ),
    ] {
        let mut request = call(&app, method.clone(), &format!("/api/heartbeat{query}"));
        if let Some(token) = bearer {
            request = request.bearer(token);
        }
        let answer = request.send().await;
        assert_eq!(answer.status, status, "{method} {query}");
    }
    let reported =
        "select started_at is not null and succeeded_at is not null and failed_at >= succeeded_at
                    from ops.heartbeats";
    let reported: bool = bundle
        .admin()
        .await
        .query_one(reported, &[])
        .await
        .unwrap()
        .get(0);
    assert!(reported);
    let stored = "select token_hash <> $1 from ops.heartbeats";
    let hashed: bool = bundle
        .admin()
        .await
        .query_one(stored, &[&token])
        .await
        .unwrap()
        .get(0);
    assert!(hashed, "the token itself is not kept");
}

#[tokio::test]
async fn a_guess_never_reaches_the_database_and_a_right_token_is_never_limited() {
    let mut bundle = Bundle::start().await;
    let check = json!({"kind": "heartbeat", "periodSeconds": 3600, "graceSeconds": 60});
    add(&bundle, "import", &check).await;
    let token = issue(&bundle, "import").await;
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&asked);
    let proxy = proxy::in_front_of(bundle.stack.supabase_url(), move |_| {
        counter.fetch_add(1, Ordering::SeqCst);
        Verdict::Pass
    })
    .await;
    bundle.env.insert("SUPABASE_URL".into(), proxy.url());
    let app = bundle.instance(Endpoint::Heartbeat);
    let another = TokenSigner::new(&"another-key-of-letters".into());
    for number in 0..40 {
        let guess = [
            "guess".to_owned(),
            "0".repeat(64),
            another.issue(),
            format!("{token}A"),
        ][number % 4]
            .clone();
        let path = format!("/api/heartbeat?token={guess}");
        let status = get(&app, &path).send().await.status;
        let expected = if number < 30 {
            StatusCode::UNAUTHORIZED
        } else {
            StatusCode::TOO_MANY_REQUESTS
        };
        assert_eq!(status, expected, "{number} {guess}");
    }
    assert_eq!(asked.load(Ordering::SeqCst), 0, "the database was asked");
    let path = format!("/api/heartbeat?token={token}");
    assert_eq!(get(&app, &path).send().await.status, StatusCode::OK);

    let ended = path;
    issue(&bundle, "import").await;
    let answer = get(&app, &ended).from("192.0.2.9").send().await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "it was replaced");
}

#[tokio::test]
async fn a_page_of_the_settings_never_leads_beyond_what_is_allowed() {
    let bundle = Bundle::start().await;
    let urls = json!([{"url": "http://169.254.169.254/"}]).to_string();
    let set = "select public.ops_set_setting('app.urls', $1::text::jsonb, 'test')";
    bundle.admin().await.execute(set, &[&urls]).await.unwrap();
    let tick = tick(&bundle).await;
    let page = &tick["checks"][0];
    assert_eq!(page["name"], "app:http://169.254.169.254/");
    assert_eq!(page["reason"], "private_address");
}

/// As an older release may have let it in.
#[tokio::test]
async fn what_cannot_be_probed_is_told_and_takes_no_other_along() {
    let bundle = Bundle::start().await;
    let app = bundle.secret("NEXT_PUBLIC_APP_URL").to_owned();
    let tcp = json!({"kind": "tcp", "host": "127.0.0.1", "port": 80});
    add(&bundle, "odd", &tcp).await;
    add(&bundle, "page", &json!({"kind": "http", "url": app})).await;
    let urls = json!([{"url": app}, {"url": "https://shop.example:44433333/"}]);
    bundle
        .admin()
        .await
        .batch_execute(&format!(
            "alter table ops.settings disable trigger user;
             alter table ops.custom_checks disable trigger user;
             update ops.settings set value = '{urls}' where key = 'app.urls';
             update ops.custom_checks set spec = spec || '{{\"port\": 99999}}' where name = 'odd'"
        ))
        .await
        .unwrap();

    let tick = tick(&bundle).await;
    assert_eq!(tick["outcome"], "partial", "{tick}");
    let unusable = ["app:https://shop.example:44433333/", "check:odd"];
    assert_eq!(
        tick["unwatched"],
        json!({"allPages": false, "unusable": unusable})
    );
    assert_eq!(seen(&tick, "odd"), (&json!("down"), &json!("definition")));
    assert_eq!(seen(&tick, "page"), (&json!("up"), &Value::Null));
    let kept = "select string_agg(check_name, ' ' order by check_name) from ops.samples
                where reason = 'definition' and check_name <> 'app'";
    let kept: String = bundle
        .admin()
        .await
        .query_one(kept, &[])
        .await
        .unwrap()
        .get(0);
    assert_eq!(kept, unusable.join(" "));
}

#[tokio::test]
async fn a_tick_that_watches_no_page_says_so() {
    let bundle = Bundle::start().await;
    let config = ops::config::Config::from_lookup(&|name| {
        bundle
            .env
            .get(name)
            .filter(|_| name != "NEXT_PUBLIC_APP_URL")
            .cloned()
    });
    let app = ops::router::function(Endpoint::Monitor, config);
    let key = bundle.secret("MONITORING_API_KEY");
    let tick = get(&app, "/api/cron/monitor").bearer(key).send().await;
    let tick = tick.json();
    assert_eq!(tick["outcome"], "partial", "{tick}");
    assert_eq!(tick["unwatched"], json!({"allPages": true, "unusable": []}));
    let rules = tick["rules"].as_array().unwrap();
    let verdict = rules.iter().find(|one| one["rule"] == "pages_unwatched");
    assert_eq!(verdict.unwrap()["verdict"], "bad");
}
