//! Auth and Storage at the project's URL.

use crate::client::{Outcome, send};
use http::Method;
use jiff::Timestamp;
use local_supabase::{
    postgres::{Cluster, TestDatabase},
    stack::{Stack, StackOptions},
};
use serde_json::json;

/// Far enough away for any test.
const IN_2100: i64 = 4_102_444_800;
const IN_2020: i64 = 1_577_836_800;

async fn start() -> (Stack, TestDatabase) {
    let database = TestDatabase::empty().await.unwrap();
    let options = StackOptions {
        database: database.name().to_owned(),
        ..StackOptions::default()
    };
    let cluster = Cluster::shared().await.unwrap();
    (Stack::start(cluster, options).await.unwrap(), database)
}

async fn get(stack: &Stack, path: &str, headers: &[(&str, &str)]) -> Outcome {
    let url = format!("{}{path}", stack.supabase_url());
    send(Method::GET, &url, headers, "").await
}

async fn sign_in(stack: &Stack, email: &str, password: &str) -> Outcome {
    let url = format!("{}/auth/v1/token?grant_type=password", stack.supabase_url());
    let body = json!({ "email": email, "password": password }).to_string();
    let key = [("apikey", stack.keys().publishable_key())];
    send(Method::POST, &url, &key, body).await
}

#[tokio::test]
async fn a_user_signs_in_is_known_and_signs_out() {
    let (stack, _database) = start().await;
    let admin = json!({ "role": "admin" });
    let id = stack
        .create_user("a@b.test", "secret-7", &admin)
        .await
        .unwrap();
    let session = sign_in(&stack, "A@b.test", "secret-7").await.json();
    assert_eq!(session["token_type"], "bearer");
    assert_eq!(session["user"]["id"], id.to_string());
    let bearer = format!("Bearer {}", session["access_token"].as_str().unwrap());
    let headers = [
        ("apikey", stack.keys().publishable_key()),
        ("authorization", bearer.as_str()),
    ];
    let user = get(&stack, "/auth/v1/user", &headers).await.json();
    assert_eq!(user["email"], "a@b.test");
    assert_eq!(user["aud"], "authenticated");
    assert_eq!(user["app_metadata"]["role"], "admin");
    assert_eq!(user["identities"][0]["provider"], "email");

    let url = format!("{}/auth/v1/logout", stack.supabase_url());
    assert_eq!(send(Method::POST, &url, &headers, "").await.status(), 204);
    let gone = get(&stack, "/auth/v1/user", &headers).await;
    assert_eq!(
        (gone.status(), gone.json()["error_code"].clone()),
        (403, "session_not_found".into())
    );
}

#[tokio::test]
async fn a_wrong_password_is_one_answer_for_all() {
    let (stack, _database) = start().await;
    stack
        .create_user("a@b.test", "secret-7", &json!({}))
        .await
        .unwrap();
    for (email, password) in [("a@b.test", "secret-8"), ("x@b.test", "secret-7")] {
        let refused = sign_in(&stack, email, password).await;
        assert_eq!(refused.status(), 400);
        assert_eq!(
            refused.json(),
            json!({ "code": 400, "error_code": "invalid_credentials", "msg": "Invalid login credentials" })
        );
    }
}

#[tokio::test]
async fn only_a_known_user_s_token_is_a_user() {
    let (stack, _database) = start().await;
    let keys = stack.keys();
    let id = stack
        .create_user("a@b.test", "secret-7", &json!({}))
        .await
        .unwrap()
        .to_string();
    let later = Timestamp::from_second(IN_2100).unwrap();
    let token = |subject: &str, expires: i64| {
        let expires = Timestamp::from_second(expires).unwrap();
        keys.user_token(subject, "a@b.test", &json!({}), expires)
            .unwrap()
    };
    let stranger = uuid::Uuid::new_v4().to_string();
    for (token, status, code) in [
        (token(&id, IN_2100), 200, None),
        (
            keys.user_token_hs256(&id, "a@b.test", &json!({}), later),
            200,
            None,
        ),
        (token(&id, IN_2020), 403, Some("bad_jwt")),
        (token(&stranger, IN_2100), 403, Some("user_not_found")),
        (keys.service_role_jwt().to_owned(), 403, Some("bad_jwt")),
        ("a.b.c".to_owned(), 403, Some("bad_jwt")),
        (keys.secret_key().to_owned(), 401, Some("no_authorization")),
    ] {
        let bearer = format!("Bearer {token}");
        let headers = [
            ("apikey", keys.anon_jwt()),
            ("authorization", bearer.as_str()),
        ];
        let answer = get(&stack, "/auth/v1/user", &headers).await;
        assert_eq!(answer.status(), status, "{token}");
        let body = answer.json();
        assert_eq!(body["error_code"].as_str(), code, "{token}");
    }
    let versioned = [
        ("apikey", keys.anon_jwt()),
        ("x-supabase-api-version", "2024-01-01"),
    ];
    let answer = get(&stack, "/auth/v1/user", &versioned).await;
    assert_eq!(answer.json()["code"], "no_authorization");
}

#[tokio::test]
async fn auth_shows_its_public_key_to_anyone_and_the_rest_to_keys() {
    let (stack, _database) = start().await;
    let jwks = get(&stack, "/auth/v1/.well-known/jwks.json", &[])
        .await
        .json();
    assert_eq!(jwks, stack.keys().jwks());
    for path in ["/auth/v1/health", "/auth/v1/settings"] {
        assert_eq!(get(&stack, path, &[]).await.status(), 401, "{path}");
        for key in [stack.keys().publishable_key(), stack.keys().anon_jwt()] {
            assert_eq!(
                get(&stack, path, &[("apikey", key)]).await.status(),
                200,
                "{path}"
            );
        }
        let wrong = [("apikey", "sb_publishable_wrong")];
        assert_eq!(get(&stack, path, &wrong).await.status(), 401, "{path}");
    }
    let health = get(
        &stack,
        "/auth/v1/health",
        &[("apikey", stack.keys().anon_jwt())],
    )
    .await;
    assert_eq!(health.json()["name"], "GoTrue");
}

#[tokio::test]
async fn buckets_are_listed_as_row_level_security_has_it() {
    let (stack, database) = start().await;
    let cluster = Cluster::shared().await.unwrap();
    cluster
        .connect_postgres(database.name())
        .await
        .unwrap()
        .batch_execute(
            "insert into storage.buckets (id, name) values ('a', 'photos'), ('b', 'looks')",
        )
        .await
        .unwrap();
    let keys = stack.keys();
    let secret_bearer = format!("Bearer {}", keys.secret_key());
    let service_bearer = format!("Bearer {}", keys.service_role_jwt());
    for (path, headers, buckets) in [
        ("", vec![("apikey", keys.secret_key())], 2),
        ("?limit=1", vec![("apikey", keys.secret_key())], 1),
        ("", vec![("authorization", secret_bearer.as_str())], 2),
        ("", vec![("authorization", service_bearer.as_str())], 2),
        ("", vec![("apikey", keys.publishable_key())], 0),
        ("", vec![("apikey", keys.anon_jwt())], 0),
    ] {
        let listed = get(&stack, &format!("/storage/v1/bucket{path}"), &headers).await;
        assert_eq!(listed.status(), 200);
        assert_eq!(
            listed.json().as_array().unwrap().len(),
            buckets,
            "{headers:?}"
        );
    }
    let listed = get(
        &stack,
        "/storage/v1/bucket",
        &[("apikey", keys.secret_key())],
    )
    .await;
    assert_eq!(listed.json()[0]["name"], "photos");
    assert_eq!(listed.json()[0]["type"], "STANDARD");
}

#[tokio::test]
async fn storage_refuses_in_its_own_form() {
    let (stack, _database) = start().await;
    assert_eq!(get(&stack, "/storage/v1/status", &[]).await.status(), 200);
    assert_eq!(get(&stack, "/storage/v1/bucket", &[]).await.status(), 401);
    let wrong = [("apikey", "sb_secret_wrong")];
    assert_eq!(
        get(&stack, "/storage/v1/bucket", &wrong).await.status(),
        401
    );
    let forged = get(
        &stack,
        "/storage/v1/bucket",
        &[("authorization", "Bearer a.b.c")],
    )
    .await;
    assert_eq!(forged.status(), 400);
    assert_eq!(forged.json()["statusCode"], "403");
    let health = [("apikey", stack.keys().secret_key())];
    let health = get(&stack, "/storage/v1/health", &health).await;
    assert_eq!(health.json(), json!({ "healthy": true }));
}

#[tokio::test]
async fn a_browser_may_ask_from_anywhere() {
    let (stack, _database) = start().await;
    let url = format!("{}/auth/v1/user", stack.supabase_url());
    let headers = [
        ("origin", "http://localhost:3000"),
        ("access-control-request-method", "GET"),
        ("access-control-request-headers", "apikey"),
    ];
    let preflight = send(Method::OPTIONS, &url, &headers, "").await;
    assert_eq!(preflight.status(), 200);
    assert_eq!(preflight.header("access-control-allow-origin"), Some("*"));
    assert_eq!(
        preflight.header("access-control-allow-headers"),
        Some("apikey")
    );
}

/// Auth, asked by a page.
struct Page<'a> {
    stack: &'a Stack,
}

impl Page<'_> {
    async fn post(&self, path: &str, body: &serde_json::Value) -> Outcome {
        let url = format!("{}/auth/v1{path}", self.stack.supabase_url());
        let headers = [
            ("apikey", self.stack.keys().publishable_key()),
            ("x-supabase-api-version", "2024-01-01"),
        ];
        send(Method::POST, &url, &headers, body.to_string()).await
    }

    async fn password(&self) -> serde_json::Value {
        let body = json!({"email": "a@b.test", "password": "secret-7"});
        self.post("/token?grant_type=password", &body).await.json()
    }

    async fn refresh(&self, token: &serde_json::Value) -> Outcome {
        let body = json!({ "refresh_token": token });
        self.post("/token?grant_type=refresh_token", &body).await
    }

    async fn sign_out(&self, session: &serde_json::Value, scope: &str) -> Outcome {
        let url = format!("{}/auth/v1/logout{scope}", self.stack.supabase_url());
        let bearer = format!("Bearer {}", session["access_token"].as_str().unwrap());
        let headers = [
            ("apikey", self.stack.keys().publishable_key()),
            ("authorization", bearer.as_str()),
            ("x-supabase-api-version", "2024-01-01"),
        ];
        send(Method::POST, &url, &headers, "").await
    }
}

fn refused(outcome: &Outcome, status: u16, code: &str) {
    let body = outcome.json();
    assert_eq!(
        (outcome.status(), body["code"].as_str()),
        (status, Some(code)),
        "{body}"
    );
    assert!(
        body["message"]
            .as_str()
            .is_some_and(|message| !message.is_empty())
    );
}

async fn later(database: &TestDatabase, seconds: u32) {
    let cluster = Cluster::shared().await.unwrap();
    let admin = cluster.connect_admin(database.name()).await.unwrap();
    let sql = format!(
        "update auth.refresh_tokens set updated_at = updated_at - interval '{seconds} seconds';
         update auth.users set recovery_sent_at = recovery_sent_at - interval '{seconds} seconds'"
    );
    admin.batch_execute(&sql).await.unwrap();
}

#[tokio::test]
async fn a_refresh_token_is_good_once_and_ten_seconds_more() {
    let (stack, database) = start().await;
    stack
        .create_user("a@b.test", "secret-7", &json!({"role": "viewer"}))
        .await
        .unwrap();
    let page = Page { stack: &stack };
    let first = page.password().await;
    let second = page.refresh(&first["refresh_token"]).await.json();
    assert_ne!(second["refresh_token"], first["refresh_token"]);
    assert_eq!(second["user"]["app_metadata"]["role"], "viewer");
    later(&database, 60).await;
    // The answer in which the next one stood may have been lost, whenever that was.
    let again = page.refresh(&first["refresh_token"]).await.json();
    assert_eq!(again["refresh_token"], second["refresh_token"]);
    let third = page.refresh(&second["refresh_token"]).await.json();
    // Within the interval an old one goes on.
    assert_eq!(
        page.refresh(&second["refresh_token"]).await.json()["refresh_token"],
        third["refresh_token"]
    );
    later(&database, 11).await;
    refused(
        &page.refresh(&first["refresh_token"]).await,
        400,
        "refresh_token_already_used",
    );
    later(&database, 11).await;
    refused(
        &page.refresh(&third["refresh_token"]).await,
        400,
        "refresh_token_already_used",
    );
    refused(
        &page.refresh(&json!("nobody-has-it")).await,
        400,
        "refresh_token_not_found",
    );
    refused(&page.refresh(&json!("")).await, 400, "validation_failed");
}

#[tokio::test]
async fn signing_out_ends_what_its_scope_says() {
    let (stack, _database) = start().await;
    stack
        .create_user("a@b.test", "secret-7", &json!({}))
        .await
        .unwrap();
    let page = Page { stack: &stack };
    let [one, two, three] = [
        page.password().await,
        page.password().await,
        page.password().await,
    ];
    assert_eq!(page.sign_out(&one, "?scope=local").await.status(), 204);
    refused(
        &page.sign_out(&one, "?scope=local").await,
        403,
        "session_not_found",
    );
    refused(
        &page.refresh(&one["refresh_token"]).await,
        400,
        "refresh_token_not_found",
    );
    refused(
        &page.sign_out(&two, "?scope=all").await,
        400,
        "validation_failed",
    );
    assert_eq!(page.sign_out(&two, "?scope=others").await.status(), 204);
    refused(
        &page.refresh(&three["refresh_token"]).await,
        400,
        "refresh_token_not_found",
    );
    let four = page.password().await;
    assert_eq!(page.sign_out(&two, "").await.status(), 204, "all of them");
    refused(
        &page.refresh(&four["refresh_token"]).await,
        400,
        "refresh_token_not_found",
    );
}

#[tokio::test]
async fn a_code_is_mailed_to_who_is_known_and_good_once_for_an_hour() {
    let (stack, database) = start().await;
    stack
        .create_user("a@b.test", "secret-7", &json!({}))
        .await
        .unwrap();
    let page = Page { stack: &stack };
    let ask =
        |email: &str, create: bool| json!({"email": email, "create_user": create, "data": {}});
    let mailed = page.post("/otp", &ask("A@b.test", false)).await;
    assert_eq!((mailed.status(), mailed.json()), (200, json!({})));
    refused(
        &page.post("/otp", &ask("a@b.test", false)).await,
        429,
        "over_email_send_rate_limit",
    );
    refused(
        &page.post("/otp", &ask("x@b.test", false)).await,
        422,
        "otp_disabled",
    );
    refused(
        &page.post("/otp", &ask("x@b.test", true)).await,
        422,
        "signup_disabled",
    );
    refused(
        &page.post("/otp", &ask("nobody", false)).await,
        400,
        "validation_failed",
    );

    let code = |number: usize| {
        let messages = stack.inbox().messages();
        let mail = &messages[number];
        assert_eq!(mail.to, "a@b.test");
        mail.text.split("sign in: ").nth(1).unwrap()[..6].to_owned()
    };
    let typed = |email: &str, token: &str| json!({"type": "email", "email": email, "token": token});
    for (email, token) in [("a@b.test", "0"), ("x@b.test", &code(0)), ("a@b.test", "")] {
        refused(
            &page.post("/verify", &typed(email, token)).await,
            403,
            "otp_expired",
        );
    }
    let session = page
        .post("/verify", &typed("a@b.test", &code(0)))
        .await
        .json();
    assert_eq!(session["user"]["email"], "a@b.test");
    refused(
        &page.post("/verify", &typed("a@b.test", &code(0))).await,
        403,
        "otp_expired",
    );
    assert_eq!(page.refresh(&session["refresh_token"]).await.status(), 200);

    later(&database, 60).await;
    page.post("/otp", &ask("a@b.test", false)).await;
    later(&database, 3_601).await;
    refused(
        &page.post("/verify", &typed("a@b.test", &code(1))).await,
        403,
        "otp_expired",
    );
    let odd = json!({"email": "a@b.test", "token": "123456"});
    refused(&page.post("/verify", &odd).await, 400, "validation_failed");
}

#[tokio::test]
async fn whoever_is_banned_or_not_confirmed_is_refused_and_sessions_outlive_a_restart() {
    let (stack, database) = start().await;
    stack
        .create_user("a@b.test", "secret-7", &json!({}))
        .await
        .unwrap();
    let cluster = Cluster::shared().await.unwrap();
    let admin = cluster.connect_admin(database.name()).await.unwrap();
    let session = Page { stack: &stack }.password().await;
    stack.stop().await;
    let options = StackOptions {
        database: database.name().to_owned(),
        ..StackOptions::default()
    };
    let stack = Stack::start(cluster, options).await.unwrap();
    let page = Page { stack: &stack };
    let next = page.refresh(&session["refresh_token"]).await;
    assert_eq!(next.status(), 200);
    for (change, code, refresh_code) in [
        ("email_confirmed_at = null", "email_not_confirmed", None),
        (
            "email_confirmed_at = now(), banned_until = now() + interval '1 day'",
            "user_banned",
            Some("user_banned"),
        ),
    ] {
        admin
            .batch_execute(&format!("update auth.users set {change}"))
            .await
            .unwrap();
        let body = json!({"email": "a@b.test", "password": "secret-7"});
        refused(
            &page.post("/token?grant_type=password", &body).await,
            400,
            code,
        );
        if let Some(code) = refresh_code {
            refused(
                &page.refresh(&next.json()["refresh_token"]).await,
                400,
                code,
            );
        }
    }
}
