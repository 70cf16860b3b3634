//! Many requests at once over few connections: no role, claim or setting of one
//! may ever be seen by another.

use futures_util::future::join_all;
use serde_json::json;

use crate::harness::{Project, Reply, USER_ONE, USER_TWO, get, patch, post};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn callers_never_see_each_other() {
    let project = Project::start_with(|config| config.pool_size = 3).await;
    let calls = (0..120).map(|number| {
        let project = &project;
        async move {
            let who = get("/rpc/who").header("x-number", &number.to_string());
            let (call, user, uid) = match number % 4 {
                0 => (who, "service_role", json!(null)),
                1 => (who.stranger(), "anon", json!(null)),
                2 => (who.user(USER_ONE), "authenticated", json!(USER_ONE)),
                _ => (who.user(USER_TWO), "authenticated", json!(USER_TWO)),
            };
            let found = project.ask(call).await.json();
            assert_eq!((&found["user"], &found["uid"]), (&json!(user), &uid));
            let failing = post("/items", r#"{"id":1,"name":"again"}"#);
            assert_eq!(project.ask(failing).await.status, 409);
        }
    });
    join_all(calls).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writers_wait_for_each_other_and_none_is_lost() {
    let project = Project::start().await;
    let count = |replies: &[Reply], status: u16| {
        replies
            .iter()
            .filter(|reply| reply.status == status)
            .count()
    };
    let inserts = (0..40).map(|_| project.ask(post("/numbers", r#"{"n":5000}"#)));
    let replies = join_all(inserts).await;
    assert_eq!((count(&replies, 201), count(&replies, 409)), (1, 39));

    // Only the first to come finds the row as its filter says.
    let claims = (0..40).map(|_| {
        let call = patch(
            "/items?id=eq.1&big=eq.9007199254740993&select=id",
            r#"{"big":1}"#,
        );
        project.ask(call.representation())
    });
    let replies = join_all(claims).await;
    let won = replies
        .iter()
        .filter(|reply| reply.json() == json!([{"id": 1}]))
        .count();
    assert_eq!((count(&replies, 200), won), (40, 1));

    let merges = (0..40).map(|number| {
        let row = json!({"code": "m", "label": number.to_string()});
        project.ask(post("/parents", &row).prefer("resolution=merge-duplicates"))
    });
    let replies = join_all(merges).await;
    assert_eq!((count(&replies, 201), count(&replies, 200)), (1, 39));
}
