//! `/api/reports`: what browsers report of our own pages, the one thing that the door takes
//! without a key.

use http::{Method, StatusCode};
use ops::{endpoint::Endpoint, function::Function};
use serde_json::{Value, json};

use crate::{
    channels::query,
    support::{Answer, Bundle, call},
};

const PATH: &str = "/api/reports";
const NEW: &str = "application/reports+json";
const OLD: &str = "application/csp-report";

fn violation(page: &str) -> Value {
    json!({"type": "csp-violation", "age": 5, "url": page, "body": {
        "documentURL": page, "effectiveDirective": "script-src-elem", "blockedURL": "inline",
        "disposition": "enforce",
    }})
}

async fn send(
    app: &Function,
    kind: &str,
    headers: &[(&'static str, &str)],
    body: &Value,
) -> Answer {
    let mut request = call(app, Method::POST, PATH).header("content-type", kind);
    for &(name, value) in headers {
        request = request.header(name, value);
    }
    request.body(body.to_string()).send().await
}

async fn kept(bundle: &Bundle) -> Value {
    query(bundle, "select to_jsonb(count(*)) from ops.items").await
}

#[tokio::test]
async fn violations_on_our_own_pages_are_kept_under_a_key_of_their_own() {
    let bundle = Bundle::start().await;
    let app = bundle.instance(Endpoint::Ingest);
    let page = "https://ops.wine.example/status/manage?token=s3cret";
    let own = [("origin", "null"), ("sec-fetch-site", "same-origin")];
    let taken = send(&app, NEW, &own, &json!([violation(page)])).await;
    assert_eq!(taken.status, StatusCode::NO_CONTENT, "{:?}", taken.bytes);
    let old = json!({"csp-report": {"document-uri": "https://ops.wine.example/dashboard",
        "violated-directive": "img-src", "blocked-uri": "https://evil.example/x.png"}});
    let taken = send(&app, OLD, &[("origin", "https://ops.wine.example")], &old).await;
    assert_eq!(taken.status, StatusCode::NO_CONTENT, "{:?}", taken.bytes);
    let items = query(
        &bundle,
        "select jsonb_agg(jsonb_build_array(source, kind, name, detail ->> 'page') order by detail ->> 'page') from ops.items",
    )
    .await;
    assert_eq!(
        items,
        json!([
            ["pages", "report", "csp-violation", "/dashboard"],
            ["pages", "report", "csp-violation", "/status/manage"],
        ])
    );
    let all = query(&bundle, "select jsonb_agg(to_jsonb(i)) from ops.items as i").await;
    assert!(!all.to_string().contains("s3cret"), "{all}");
    let keys = query(
        &bundle,
        "select jsonb_agg(jsonb_build_array(name, origins)) from ops.door_keys",
    )
    .await;
    assert_eq!(
        keys,
        json!([["pages of this bundle", ["https://ops.wine.example"]]])
    );

    query(&bundle, "select public.ops_revoke_door_key(1)").await;
    let closed = send(
        &app,
        NEW,
        &own,
        &json!([violation("https://ops.wine.example/")]),
    )
    .await;
    assert_eq!(
        closed.status,
        StatusCode::FORBIDDEN,
        "an operator closed it"
    );
}

#[tokio::test]
async fn nothing_else_comes_in_without_a_key() {
    let bundle = Bundle::start().await;
    let app = bundle.instance(Endpoint::Ingest);
    let fine = json!([violation("https://ops.wine.example/")]);
    for headers in [
        [("origin", "https://evil.example"), ("accept", "*/*")],
        [("origin", "null"), ("sec-fetch-site", "cross-site")],
        [
            ("origin", "https://ops.wine.example"),
            ("sec-fetch-site", "same-site"),
        ],
    ] {
        let refused = send(&app, NEW, &headers, &fine).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{headers:?}");
    }
    let others = json!([violation("https://wine.example/")]);
    assert_eq!(
        send(&app, NEW, &[], &others).await.status,
        StatusCode::FORBIDDEN
    );
    assert_eq!(
        send(&app, "application/json", &[], &fine).await.status,
        StatusCode::UNSUPPORTED_MEDIA_TYPE
    );
    assert_eq!(
        send(&app, NEW, &[], &json!("x")).await.status,
        StatusCode::BAD_REQUEST
    );
    let large = json!([violation(&format!(
        "https://ops.wine.example/{}",
        "x".repeat(70_000)
    ))]);
    assert_eq!(
        send(&app, NEW, &[], &large).await.status,
        StatusCode::PAYLOAD_TOO_LARGE
    );
    for path in ["/api/ingest", "/api/1/security/", "/api/1/envelope/"] {
        let refused = call(&app, Method::POST, path)
            .header("content-type", NEW)
            .body(fine.to_string())
            .send()
            .await;
        assert_eq!(refused.status, StatusCode::UNAUTHORIZED, "{path}");
    }
    assert_eq!(kept(&bundle).await, 0);
}

#[tokio::test]
async fn a_client_brings_so_much_and_no_more() {
    let bundle = Bundle::start().await;
    let app = bundle.instance(Endpoint::Ingest);
    let page = |nth: usize| violation(&format!("https://ops.wine.example/{nth}"));
    let many = json!((0..30).map(page).collect::<Vec<_>>());
    assert_eq!(
        send(&app, NEW, &[], &many).await.status,
        StatusCode::NO_CONTENT
    );
    assert_eq!(kept(&bundle).await, 20, "at once");
    let much = "update ops.own_reports set requests = 30";
    bundle.admin().await.batch_execute(much).await.unwrap();
    let limited = send(&app, NEW, &[], &json!([page(99)])).await;
    assert_eq!(limited.status, StatusCode::TOO_MANY_REQUESTS);
    let other = call(&app, Method::POST, PATH)
        .from("198.51.100.7")
        .header("content-type", NEW)
        .body(json!([page(99)]).to_string())
        .send()
        .await;
    assert_eq!(other.status, StatusCode::NO_CONTENT, "another client");
    assert_eq!(kept(&bundle).await, 21);

    let mut nowhere = bundle;
    nowhere.env.remove("BASE_URL");
    let app = nowhere.instance(Endpoint::Ingest);
    let closed = send(&app, NEW, &[], &json!([page(1)])).await;
    assert_eq!(closed.status, StatusCode::SERVICE_UNAVAILABLE);
}
