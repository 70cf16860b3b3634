//! Who may call what, and what everybody else is told.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use http::{Method, StatusCode};
use jiff::{SignedDuration, Timestamp};
use local_supabase::fault::{Mode, Service};
use ops::endpoint::Endpoint;
use serde_json::json;

use crate::{
    proxy::{self, Verdict},
    support::{Bundle, call, get},
};

/// A time that lies so many seconds ahead, or behind.
fn in_seconds(seconds: i64) -> Timestamp {
    outside::clock::now() + SignedDuration::from_secs(seconds)
}

#[tokio::test]
async fn an_unknown_method_is_405_and_says_which_exist() {
    let bundle = Bundle::start().await;
    for (endpoint, allow) in [
        (Endpoint::Health, "GET, HEAD"),
        (Endpoint::Dashboard, "GET, HEAD"),
        (Endpoint::Monitor, "GET"),
        (Endpoint::Dispatch, "GET, POST"),
        (Endpoint::Maintenance, "GET"),
        (Endpoint::Heartbeat, "GET, HEAD, POST"),
        (Endpoint::Acknowledge, "GET, HEAD, POST"),
        (Endpoint::Ingest, "POST, GET, OPTIONS"),
        (Endpoint::Account, "GET, HEAD, POST"),
    ] {
        let app = bundle.instance(endpoint);
        let answer = call(&app, Method::DELETE, endpoint.spec().path)
            .send()
            .await;
        assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(answer.header("allow"), Some(allow));
        assert_eq!(
            answer.header("content-type"),
            Some("application/problem+json")
        );
        assert_eq!(answer.json()["requestId"], "test-request");
    }
}

#[tokio::test]
async fn no_proof_and_wrong_proofs_are_401_and_tell_nothing() {
    let bundle = Bundle::start().await;
    for endpoint in [
        Endpoint::Dashboard,
        Endpoint::Monitor,
        Endpoint::Dispatch,
        Endpoint::Maintenance,
    ] {
        let app = bundle.instance(endpoint);
        let path = endpoint.spec().path;
        let answer = get(&app, path).send().await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{path}");
        assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
        for wrong in [
            "Bearer wrong",
            "Bearer ",
            "Basic b3BzOm9wcw==",
            "wrong",
            "Bearer a.b.c",
        ] {
            let answer = get(&app, path).header("authorization", wrong).send().await;
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{path} {wrong}");
        }
    }
}

#[tokio::test]
async fn a_secret_opens_its_own_endpoints_only() {
    let bundle = Bundle::start().await;
    let dashboard = bundle.instance(Endpoint::Dashboard);
    let cron = bundle.secret("CRON_SECRET");
    let answer = get(&dashboard, "/api/monitoring/dashboard")
        .bearer(cron)
        .send()
        .await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    let dispatch = bundle.instance(Endpoint::Dispatch);
    let answer = call(&dispatch, Method::POST, "/api/alerts/dispatch")
        .bearer(cron)
        .send()
        .await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_missing_secret_closes_its_endpoint() {
    let mut bundle = Bundle::start().await;
    bundle.env.remove("CRON_SECRET");
    bundle.env.remove("MONITORING_API_KEY");
    for endpoint in [Endpoint::Monitor, Endpoint::Dispatch, Endpoint::Maintenance] {
        let app = bundle.instance(endpoint);
        let answer = get(&app, endpoint.spec().path)
            .bearer("anything")
            .send()
            .await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    }
    let app = bundle.instance(Endpoint::Dashboard);
    let answer = get(&app, "/api/monitoring/dashboard")
        .bearer("anything")
        .send()
        .await;
    assert_eq!(
        answer.status,
        StatusCode::UNAUTHORIZED,
        "a token could still prove"
    );
    for name in ["SUPABASE_SECRET_KEY", "SUPABASE_SERVICE_ROLE_KEY"] {
        bundle.env.remove(name);
    }
    let app = bundle.instance(Endpoint::Dashboard);
    let answer = get(&app, "/api/monitoring/dashboard")
        .bearer("anything")
        .send()
        .await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn wrong_proofs_are_limited_per_client_and_right_ones_never() {
    let bundle = Bundle::start().await;
    let app = bundle.instance(Endpoint::Health);
    let wrong = || get(&app, "/api/health").bearer("wrong");
    for _ in 0..30 {
        assert_eq!(wrong().send().await.status, StatusCode::UNAUTHORIZED);
    }
    let limited = wrong().send().await;
    assert_eq!(limited.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(
        limited
            .header("retry-after")
            .unwrap()
            .parse::<u64>()
            .unwrap()
            <= 60
    );
    assert_eq!(
        wrong().from("192.0.2.2").send().await.status,
        StatusCode::UNAUTHORIZED
    );
    let key = bundle.secret("MONITORING_API_KEY");
    assert_eq!(
        get(&app, "/api/health").bearer(key).send().await.status,
        StatusCode::OK
    );
    assert_eq!(
        get(&app, "/api/health").send().await.status,
        StatusCode::OK,
        "no proof is not wrong"
    );
}

#[tokio::test]
async fn a_token_proves_a_user_and_app_metadata_an_admin() {
    let bundle = Bundle::start().await;
    let keys = bundle.stack.keys();
    let admin = json!({ "role": "admin" });
    let later = in_seconds(3_600);
    let sub = "7b0c3a52-0000-4000-8000-000000000001";
    let token = |metadata: &serde_json::Value, expires: Timestamp| {
        keys.user_token(sub, "admin@wine.example", metadata, expires)
            .unwrap()
    };
    let legacy = keys.user_token_hs256(sub, "admin@wine.example", &admin, later);
    let mut forged = token(&json!({}), later);
    forged.replace_range(forged.rfind('.').unwrap() + 1.., "AAAA");
    for (what, token, expected) in [
        ("an admin", token(&admin, later), StatusCode::OK),
        ("an admin by shared secret", legacy, StatusCode::OK),
        (
            "expired within the leeway",
            token(&admin, in_seconds(-30)),
            StatusCode::OK,
        ),
        ("a user", token(&json!({}), later), StatusCode::FORBIDDEN),
        (
            "expired",
            token(&admin, in_seconds(-120)),
            StatusCode::UNAUTHORIZED,
        ),
        ("forged", forged, StatusCode::UNAUTHORIZED),
        (
            "an API key",
            keys.service_role_jwt().to_owned(),
            StatusCode::UNAUTHORIZED,
        ),
        (
            "the public key",
            keys.anon_jwt().to_owned(),
            StatusCode::UNAUTHORIZED,
        ),
    ] {
        let app = bundle.instance(Endpoint::Dashboard);
        let answer = get(&app, "/api/monitoring/dashboard")
            .bearer(&token)
            .send()
            .await;
        assert_eq!(answer.status, expected, "{what}: {:?}", answer.bytes);
    }
}

/// The claims of an admin of the project, all of them right.
fn claims_of_an_admin(bundle: &Bundle) -> serde_json::Value {
    json!({
        "iss": format!("{}/auth/v1", bundle.stack.supabase_url()),
        "sub": "7b0c3a52-0000-4000-8000-000000000001", "aud": "authenticated",
        "role": "authenticated", "app_metadata": {"role": "admin"},
        "iat": in_seconds(-60).as_second(), "exp": in_seconds(3_600).as_second(),
    })
}

#[tokio::test]
async fn each_claim_of_a_token_has_to_be_right() {
    let bundle = Bundle::start().await;
    let app = bundle.instance(Endpoint::Dashboard);
    for (claim, value, expected) in [
        ("aud", json!("authenticated"), StatusCode::OK),
        ("aud", json!("anon"), StatusCode::UNAUTHORIZED),
        ("role", json!("anon"), StatusCode::UNAUTHORIZED),
        ("role", json!("service_role"), StatusCode::UNAUTHORIZED),
        ("sub", json!(""), StatusCode::UNAUTHORIZED),
        (
            "iss",
            json!("https://other.supabase.co/auth/v1"),
            StatusCode::UNAUTHORIZED,
        ),
        ("iss", json!(null), StatusCode::UNAUTHORIZED),
        (
            "exp",
            json!(in_seconds(-120).as_second()),
            StatusCode::UNAUTHORIZED,
        ),
        ("nbf", json!(in_seconds(30).as_second()), StatusCode::OK),
        (
            "nbf",
            json!(in_seconds(120).as_second()),
            StatusCode::UNAUTHORIZED,
        ),
        ("iat", json!(in_seconds(30).as_second()), StatusCode::OK),
        (
            "iat",
            json!(in_seconds(120).as_second()),
            StatusCode::UNAUTHORIZED,
        ),
        (
            "app_metadata",
            json!({"role": ["admin"]}),
            StatusCode::FORBIDDEN,
        ),
        ("app_metadata", json!("admin"), StatusCode::FORBIDDEN),
    ] {
        let mut claims = claims_of_an_admin(&bundle);
        claims[claim] = value.clone();
        let token = bundle.stack.keys().sign(&claims).unwrap();
        let answer = get(&app, "/api/monitoring/dashboard")
            .bearer(&token)
            .send()
            .await;
        assert_eq!(answer.status, expected, "{claim} {value}");
    }
}

#[tokio::test]
async fn each_field_of_a_tokens_header_has_to_be_right() {
    let bundle = Bundle::start().await;
    let app = bundle.instance(Endpoint::Dashboard);
    for (fields, expected) in [
        (json!({}), StatusCode::OK),
        (json!({"x": 1}), StatusCode::OK),
        (json!({"crit": ["exp"]}), StatusCode::UNAUTHORIZED),
        (json!({"crit": []}), StatusCode::UNAUTHORIZED),
        (json!({"crit": "exp"}), StatusCode::UNAUTHORIZED),
        (json!({"alg": "RS256"}), StatusCode::UNAUTHORIZED),
        (json!({"alg": "HS256"}), StatusCode::UNAUTHORIZED),
        (json!({"alg": "none"}), StatusCode::UNAUTHORIZED),
        (json!({"kid": "another"}), StatusCode::UNAUTHORIZED),
        (json!({"kid": null}), StatusCode::UNAUTHORIZED),
    ] {
        let claims = claims_of_an_admin(&bundle);
        let token = bundle.stack.keys().sign_under(&fields, &claims).unwrap();
        let answer = get(&app, "/api/monitoring/dashboard")
            .bearer(&token)
            .send()
            .await;
        assert_eq!(answer.status, expected, "{fields}");
    }
}

#[tokio::test]
async fn a_user_who_is_no_admin_is_forbidden_and_never_limited() {
    let bundle = Bundle::start().await;
    let app = bundle.instance(Endpoint::Dashboard);
    for metadata in [json!({}), json!({"role": ["admin"]}), json!(["admin"])] {
        let mut claims = claims_of_an_admin(&bundle);
        claims["app_metadata"] = metadata.clone();
        let token = bundle.stack.keys().sign(&claims).unwrap();
        for _ in 0..31 {
            let answer = get(&app, "/api/monitoring/dashboard")
                .bearer(&token)
                .send()
                .await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{metadata}");
        }
    }
}

#[tokio::test]
async fn an_admin_is_let_in_from_a_limited_address_by_an_instance_that_has_no_keys_yet() {
    let bundle = Bundle::start().await;
    let app = bundle.instance(Endpoint::Dashboard);
    let path = "/api/monitoring/dashboard";
    for _ in 0..31 {
        get(&app, path).bearer("wrong").send().await;
    }
    let limited = get(&app, path).bearer("wrong").send().await;
    assert_eq!(limited.status, StatusCode::TOO_MANY_REQUESTS);
    let token = bundle
        .stack
        .keys()
        .sign(&claims_of_an_admin(&bundle))
        .unwrap();
    let answer = get(&app, path).bearer(&token).send().await;
    assert_eq!(answer.status, StatusCode::OK);
}

#[tokio::test]
async fn behind_a_custom_domain_the_issuer_is_named() {
    let mut bundle = Bundle::start().await;
    let issuer = "https://ref.supabase.co/auth/v1";
    let mut claims = claims_of_an_admin(&bundle);
    claims["iss"] = json!(issuer);
    let token = bundle.stack.keys().sign(&claims).unwrap();
    bundle
        .env
        .insert("SUPABASE_JWT_ISSUER".into(), issuer.into());
    let app = bundle.instance(Endpoint::Dashboard);
    let answer = get(&app, "/api/monitoring/dashboard")
        .bearer(&token)
        .send()
        .await;
    assert_eq!(answer.status, StatusCode::OK);
}

#[tokio::test]
async fn without_the_shared_secret_its_tokens_prove_nothing() {
    let mut bundle = Bundle::start().await;
    bundle.env.remove("SUPABASE_JWT_SECRET");
    let admin = json!({ "role": "admin" });
    let token = bundle.stack.keys().user_token_hs256(
        "7b0c3a52-0000-4000-8000-000000000001",
        "a@wine.example",
        &admin,
        in_seconds(3_600),
    );
    let app = bundle.instance(Endpoint::Dashboard);
    let answer = get(&app, "/api/monitoring/dashboard")
        .bearer(&token)
        .send()
        .await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn the_dashboard_without_its_database_is_503_and_never_zeros() {
    let bundle = Bundle::start().await;
    bundle.fault(Service::Database, Mode::Status).await;
    let app = bundle.instance(Endpoint::Dashboard);
    let key = bundle.secret("MONITORING_API_KEY");
    let answer = get(&app, "/api/monitoring/dashboard")
        .bearer(key)
        .send()
        .await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.json()["detail"], "the database cannot be asked now");
}

#[tokio::test]
async fn a_range_that_does_not_exist_is_400() {
    let bundle = Bundle::start().await;
    let app = bundle.instance(Endpoint::Dashboard);
    let key = bundle.secret("MONITORING_API_KEY");
    for query in [
        "timeRange=2h",
        "timeRange=",
        "timeRange=%F0%9F%8D%B7",
        "environment=staging",
    ] {
        let path = format!("/api/monitoring/dashboard?{query}");
        let answer = get(&app, &path).bearer(key).send().await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{query}");
    }
}

#[tokio::test]
async fn public_keys_are_fetched_once_and_for_an_unknown_one_once_in_ten_seconds() {
    let mut bundle = Bundle::start().await;
    let started = outside::clock::instant();
    let fetched = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&fetched);
    let proxy = proxy::in_front_of(bundle.stack.supabase_url(), move |request| {
        if request.uri().path().ends_with("jwks.json") {
            counter.fetch_add(1, Ordering::SeqCst);
        }
        Verdict::Pass
    })
    .await;
    let issuer = format!("{}/auth/v1", bundle.stack.supabase_url());
    bundle.env.insert("SUPABASE_JWT_ISSUER".into(), issuer);
    bundle.env.insert("SUPABASE_URL".into(), proxy.url());
    let admin = json!({ "role": "admin" });
    let sub = "7b0c3a52-0000-4000-8000-000000000001";
    let token = bundle
        .stack
        .keys()
        .user_token(sub, "a@wine.example", &admin, in_seconds(3_600))
        .unwrap();
    let app = bundle.instance(Endpoint::Dashboard);
    for _ in 0..3 {
        let answer = get(&app, "/api/monitoring/dashboard")
            .bearer(&token)
            .send()
            .await;
        assert_eq!(answer.status, StatusCode::OK);
    }
    assert_eq!(fetched.load(Ordering::SeqCst), 1);
    let other = local_supabase::keys::Keys::generate().unwrap();
    let stranger = other
        .user_token(sub, "a@wine.example", &admin, in_seconds(3_600))
        .unwrap();
    // A client that is limited makes us fetch no more than anybody else.
    for number in 0..40 {
        let guess = get(&app, "/api/monitoring/dashboard").bearer(&stranger);
        let expected = if number < 30 {
            StatusCode::UNAUTHORIZED
        } else {
            StatusCode::TOO_MANY_REQUESTS
        };
        assert_eq!(guess.send().await.status, expected, "{number}");
        let right = get(&app, "/api/monitoring/dashboard").bearer(&token);
        assert_eq!(right.send().await.status, StatusCode::OK);
    }
    let allowed = 2 + started.elapsed().as_secs() / 10;
    assert!(
        u64::try_from(fetched.load(Ordering::SeqCst)).unwrap() <= allowed,
        "an unknown key is looked for once in ten seconds, not on every call"
    );
}
