//! `/api/account`: what somebody says and asks about their own data.

use http::{Method, StatusCode};
use ops::endpoint::Endpoint;
use outside::clock;
use serde_json::{Value, json};

use crate::{
    browser::{Browser, PATH},
    channels::query,
    support::{Answer, Bundle, call},
};

const PASSWORD: &str = "correct horse";

async fn person(bundle: &Bundle, email: &str) -> String {
    let made = bundle.stack.create_user(email, PASSWORD, &json!({})).await;
    made.expect("a user");
    let id = format!("select to_jsonb(id) from auth.users where email = '{email}'");
    query(bundle, &id).await.as_str().unwrap().to_owned()
}

/// The project's token of a user, as the app has it.
fn token_of(bundle: &Bundle, id: &str) -> String {
    let later = clock::now() + jiff::SignedDuration::from_hours(1);
    let keys = bundle.stack.keys();
    keys.user_token(id, "bo@wine.example", &json!({}), later)
        .unwrap()
}

async fn with_token(bundle: &Bundle, token: &str, body: &Value) -> Answer {
    let app = bundle.instance(Endpoint::Account);
    call(&app, Method::POST, PATH)
        .bearer(token)
        .header("content-type", "application/json")
        .body(body.to_string())
        .send()
        .await
}

#[tokio::test]
async fn whoever_is_signed_in_agrees_refuses_and_asks_for_themselves_alone() {
    let bundle = Bundle::start().await;
    let anna = person(&bundle, "anna@wine.example").await;
    let bo = person(&bundle, "bo@wine.example").await;
    let browser = Browser::at("192.0.2.1");
    let signed_in = browser
        .password(&bundle, "anna@wine.example", PASSWORD)
        .await;
    assert_eq!(signed_in.status, StatusCode::OK, "{:?}", signed_in.bytes);

    let refuse = json!({"action": "consent", "purpose": "analytics", "granted": false});
    let refused = browser.post(&bundle, &refuse).await;
    assert_eq!(refused.status, StatusCode::OK, "{:?}", refused.bytes);
    assert_eq!(refused.json()["consents"][0]["granted"], false);

    // The app's server passes its user's own token on; there is no cookie, and no page of ours.
    let token = token_of(&bundle, &bo);
    let agree = json!({"action": "consent", "purpose": "analytics", "granted": true});
    assert_eq!(
        with_token(&bundle, &token, &agree).await.status,
        StatusCode::OK
    );
    let shown = with_token(&bundle, &token, &json!({"action": "consents"})).await;
    assert_eq!(shown.json()["consents"][0]["granted"], true);
    let kept = query(
        &bundle,
        "select jsonb_object_agg(person, granted) from ops.consents where said_by = 'user'",
    );
    assert_eq!(kept.await, json!({ &anna: false, &bo: true }));

    let ask = json!({"action": "ask", "what": "erasure"});
    let asked = browser.post(&bundle, &ask).await.json();
    let again = browser.post(&bundle, &ask).await.json();
    assert_eq!(asked, again, "it is asked for once");
    let open = query(
        &bundle,
        "select jsonb_agg(person) from ops.privacy_requests",
    );
    assert_eq!(open.await, json!([anna]));
}

#[tokio::test]
async fn a_key_is_nobody_and_what_cannot_be_meant_is_told() {
    let bundle = Bundle::start().await;
    let anna = person(&bundle, "anna@wine.example").await;
    let token = token_of(&bundle, &anna);
    let consents = json!({"action": "consents"});
    let stranger = Browser::at("192.0.2.1").post(&bundle, &consents).await;
    assert_eq!(stranger.status, StatusCode::UNAUTHORIZED);
    let key = bundle.secret("MONITORING_API_KEY").to_owned();
    for (bearer, body, expected) in [
        (&key, consents, StatusCode::FORBIDDEN),
        (
            &token,
            json!({"action": "ask", "what": "money"}),
            StatusCode::BAD_REQUEST,
        ),
        (
            &token,
            json!({"action": "consent", "purpose": "Odd words", "granted": true}),
            StatusCode::BAD_REQUEST,
        ),
        (
            &token,
            json!({"action": "consent", "purpose": "analytics", "granted": "yes"}),
            StatusCode::BAD_REQUEST,
        ),
    ] {
        let answer = with_token(&bundle, bearer, &body).await;
        assert_eq!(answer.status, expected, "{body}: {:?}", answer.bytes);
    }
}
