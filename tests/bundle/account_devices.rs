//! `/api/account`: whoever is signed in lets their browser be reached, and ends that.

use http::StatusCode;
use local_supabase::fault::Service;
use outside::outbound::Outbound;
use serde_json::{Value, json};

use crate::{browser::Browser, channels::query, support::Bundle};

const PASSWORD: &str = "correct horse";

/// What a browser subscribes to at the stand-in.
async fn subscription(bundle: &Bundle) -> Value {
    let url = format!("{}/subscriptions", bundle.channel(Service::Push).url());
    let outbound = Outbound::default();
    let answer = outbound.client().unwrap().post(url).send().await.unwrap();
    answer.json().await.unwrap()
}

async fn signed_in(bundle: &Bundle, email: &str, metadata: Value) -> Browser {
    let made = bundle.stack.create_user(email, PASSWORD, &metadata).await;
    made.expect("a user");
    let browser = Browser::at("192.0.2.1");
    let answer = browser.password(bundle, email, PASSWORD).await;
    assert_eq!(answer.status, StatusCode::OK, "{:?}", answer.bytes);
    browser
}

async fn push(bundle: &Bundle, browser: &Browser, subscription: &Value) -> (StatusCode, Value) {
    let body = json!({"action": "push", "subscription": subscription, "device": "iPhone"});
    let answer = browser.post(bundle, &body).await;
    (answer.status, answer.json())
}

async fn devices(bundle: &Bundle) -> Value {
    query(bundle, "select to_jsonb(count(*)) from ops.push_devices").await
}

#[tokio::test]
async fn a_contact_is_reached_where_they_are_signed_in_until_they_end_it() {
    let bundle = Bundle::with_all_channels().await;
    let fields = json!({"name": "Anna", "role": "on_call_primary", "email": "anna@wine.example"});
    let save = format!("select public.ops_save_contact(gen_random_uuid(), '{fields}', 'test')");
    query(&bundle, &save).await;
    let browser = signed_in(&bundle, "anna@wine.example", json!({"role": "viewer"})).await;
    let subscription = subscription(&bundle).await;
    let (status, added) = push(&bundle, &browser, &subscription).await;
    assert_eq!(status, StatusCode::OK, "{added}");
    assert_eq!(
        (
            &added["contact"],
            &added["added"],
            &added["devices"][0]["name"]
        ),
        (&json!("Anna"), &json!(true), &json!("iPhone"))
    );
    assert!(!added.to_string().contains("/push/"), "{added}");

    let end = json!({"action": "endPush", "endpoint": subscription["endpoint"]});
    for removed in [1, 0] {
        let ended = browser.post(&bundle, &end).await;
        assert_eq!(ended.status, StatusCode::OK, "{:?}", ended.bytes);
        assert_eq!(ended.json()["removed"], removed);
    }
    assert_eq!(devices(&bundle).await, 0);
}

#[tokio::test]
async fn nobody_else_is_reached() {
    let bundle = Bundle::with_all_channels().await;
    let fine = subscription(&bundle).await;
    let end = json!({"action": "endPush", "endpoint": fine["endpoint"]});

    let stranger = Browser::at("192.0.2.9");
    assert_eq!(
        push(&bundle, &stranger, &fine).await.0,
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(
        stranger.post(&bundle, &end).await.status,
        StatusCode::UNAUTHORIZED
    );

    let user = signed_in(&bundle, "user@wine.example", json!({})).await;
    assert_eq!(push(&bundle, &user, &fine).await.0, StatusCode::FORBIDDEN);
    assert_eq!(user.post(&bundle, &end).await.status, StatusCode::FORBIDDEN);

    // One with a role, and no contact of that address.
    let viewer = signed_in(&bundle, "viewer@wine.example", json!({"role": "viewer"})).await;
    let (status, problem) = push(&bundle, &viewer, &fine).await;
    assert_eq!(status, StatusCode::BAD_REQUEST, "{problem}");
    assert_eq!(
        viewer.post(&bundle, &end).await.status,
        StatusCode::BAD_REQUEST
    );
    for odd in [
        json!({}),
        json!({"endpoint": "https://evil.example/x"}),
        json!("x"),
    ] {
        assert_eq!(
            push(&bundle, &viewer, &odd).await.0,
            StatusCode::BAD_REQUEST,
            "{odd}"
        );
    }
    assert_eq!(devices(&bundle).await, 0);
}
