//! Keys, tokens, roles, privileges and row-level security.

use serde_json::{Value, json};

use crate::harness::{Project, USER_ONE, USER_TWO, get, in_an_hour, patch, post};

async fn check_role(project: &Project, call: crate::harness::Call, role: &str) {
    let reply = project.ask(call).await;
    assert_eq!(
        (reply.status, &reply.json()["user"]),
        (200, &json!(role)),
        "{}",
        reply.body
    );
}

#[tokio::test]
async fn every_form_of_key_gives_its_role() {
    let project = Project::start().await;
    let keys = &project.keys;
    let who = || get("/rpc/who").nobody();
    let bearer = |token: &str| format!("Bearer {token}");
    check_role(&project, get("/rpc/who"), "service_role").await;
    check_role(&project, get("/rpc/who").stranger(), "anon").await;
    check_role(&project, get("/rpc/who").user(USER_ONE), "authenticated").await;
    let both = who()
        .header("apikey", keys.secret_key())
        .header("authorization", &bearer(keys.secret_key()));
    check_role(&project, both, "service_role").await;
    check_role(&project, who().header("apikey", keys.anon_jwt()), "anon").await;
    check_role(
        &project,
        who().header("apikey", keys.service_role_jwt()),
        "service_role",
    )
    .await;
    let legacy = who().header("authorization", &bearer(keys.service_role_jwt()));
    check_role(&project, legacy, "service_role").await;
    let basic = who()
        .header("apikey", "x")
        .header("authorization", "Basic abc");
    check_role(&project, basic, "anon").await;
    let old = keys.user_token_hs256(USER_ONE, "a@b.c", &json!({}), in_an_hour());
    let old = who().header("authorization", &format!("bearer {old}"));
    check_role(&project, old, "authenticated").await;
}

#[tokio::test]
async fn a_missing_or_wrong_key_is_refused_in_the_outer_gateways_words() {
    let project = Project::start().await;
    let reply = project.ask(get("/items").nobody()).await;
    assert_eq!(reply.status, 401);
    assert_eq!(reply.json()["message"], "No API key found in request");
    assert_eq!(reply.json().get("code"), None);
    let reply = project
        .ask(get("/items").nobody().header("apikey", "sb_secret_wrong"))
        .await;
    assert_eq!(
        (reply.status, &reply.json()["message"]),
        (401, &json!("Invalid API key"))
    );
}

#[tokio::test]
async fn a_wrong_token_is_refused_before_anything_else() {
    let project = Project::start().await;
    for empty in ["Bearer", "bearer "] {
        let call = get("/items")
            .nobody()
            .header("apikey", project.keys.secret_key())
            .header("authorization", empty);
        let message = "Empty JWT is sent in Authorization header";
        project.check_error(call, 401, "PGRST301", message).await;
    }
    let ask = |token: &str| {
        get("/no/such/path")
            .nobody()
            .header("authorization", &format!("Bearer {token}"))
    };
    project
        .check_error(
            ask("a.b"),
            401,
            "PGRST301",
            "Expected 3 parts in JWT; got 2",
        )
        .await;
    let expired = project
        .keys
        .sign(&json!({"role": "anon", "exp": 1}))
        .unwrap();
    let reply = project
        .check_error(ask(&expired), 401, "PGRST303", "JWT expired")
        .await;
    assert_eq!(
        reply.header("www-authenticate"),
        "Bearer error=\"invalid_token\", error_description=\"JWT expired\""
    );
    assert_eq!(
        project.gateway.verify_token(&expired).unwrap_err().code,
        "PGRST303"
    );
    let claims = project
        .gateway
        .verify_token(&project.token(USER_ONE))
        .unwrap();
    assert_eq!(claims["sub"], USER_ONE);
}

#[tokio::test]
async fn a_role_must_exist_and_be_allowed() {
    let project = Project::start().await;
    let ask = |role: &str| {
        let token = project.keys.sign(&json!({"role": role})).unwrap();
        get("/items")
            .nobody()
            .header("authorization", &format!("Bearer {token}"))
    };
    project
        .check_error(ask("ghost"), 401, "22023", "role \"ghost\" does not exist")
        .await;
    project
        .check_error(
            ask("postgres"),
            403,
            "42501",
            "permission denied to set role \"postgres\"",
        )
        .await;
}

#[tokio::test]
async fn a_missing_privilege_is_401_for_strangers_and_403_for_users() {
    let project = Project::start().await;
    let message = "permission denied for table hidden";
    let reply = project
        .check_error(get("/hidden").stranger(), 401, "42501", message)
        .await;
    assert_eq!(reply.header("www-authenticate"), "Bearer");
    project
        .check_error(get("/hidden").user(USER_ONE), 403, "42501", message)
        .await;
    let message = "permission denied for function forbidden";
    project
        .check_error(get("/rpc/forbidden").stranger(), 401, "42501", message)
        .await;
    project.check(get("/rpc/forbidden"), 200, json!(1)).await;
}

#[tokio::test]
async fn what_is_written_need_not_be_readable() {
    let project = Project::start().await;
    let row = r#"{"text":"hello"}"#;
    project
        .check(post("/inbox", &row).stranger(), 201, Value::Null)
        .await;
    project
        .check_error(
            post("/inbox", &row).stranger().representation(),
            401,
            "42501",
            "permission denied for table inbox",
        )
        .await;
    project
        .check(get("/inbox?select=text"), 200, json!([{"text": "hello"}]))
        .await;
}

#[tokio::test]
async fn row_level_security_hides_rows_and_refuses_writes() {
    let project = Project::start().await;
    let texts = async |call| project.ask(call).await.json();
    let notes = || get("/notes?select=text&order=id");
    assert_eq!(
        texts(notes().user(USER_ONE)).await,
        json!([{"text": "of one"}])
    );
    assert_eq!(
        texts(notes().user(USER_TWO)).await,
        json!([{"text": "of two"}])
    );
    assert_eq!(texts(notes().stranger()).await, json!([]));
    assert_eq!(
        texts(notes()).await,
        json!([{"text": "of one"}, {"text": "of two"}])
    );
    let reply = project
        .ask(notes().user(USER_ONE).prefer("count=exact"))
        .await;
    assert_eq!(reply.range(), "0-0/1");

    let call = post("/notes?select=owner", r#"{"text":"mine"}"#).user(USER_ONE);
    project
        .check(call.representation(), 201, json!([{"owner": USER_ONE}]))
        .await;
    let message = "new row violates row-level security policy for table \"notes\"";
    let foreign = json!({"text": "x", "owner": USER_TWO});
    project
        .check_error(
            post("/notes", &foreign).user(USER_ONE),
            403,
            "42501",
            message,
        )
        .await;
    project
        .check_error(post("/notes", &foreign).stranger(), 401, "42501", message)
        .await;
    let call = patch("/notes?text=eq.of two", r#"{"text":"x"}"#);
    project
        .check(call.user(USER_ONE).representation(), 200, json!([]))
        .await;
}

#[tokio::test]
async fn policies_read_the_claims_of_the_token() {
    let project = Project::start().await;
    project
        .check(
            get("/rpc/who").user(USER_ONE),
            200,
            json!({
                "user": "authenticated", "uid": USER_ONE,
                "role": "authenticated", "email": "one@example.org",
            }),
        )
        .await;
    project
        .check(
            get("/rpc/who").stranger(),
            200,
            json!({"user": "anon", "uid": null, "role": "anon", "email": null}),
        )
        .await;
}
