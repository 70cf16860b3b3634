//! `roles` against a running bundle: who may do what is shown and changed, and the last admin
//! stays.

use dev::DevOptions;
use local_supabase::postgres::Cluster;
use serde_json::json;

use crate::support::{bundle, call_with};

#[tokio::test(flavor = "multi_thread")]
async fn roles_are_given_and_taken_and_the_last_admin_stays() {
    let (running, database) = bundle(DevOptions::default()).await;
    let metadata = json!({"team": "cellar"});
    for email in ["anna@wine.example", "bo@wine.example"] {
        let stack = running.stack();
        stack
            .create_user(email, "secret-7", &metadata)
            .await
            .unwrap();
    }
    let call = async |line: &str| {
        let arguments: Vec<_> = line.split(' ').collect();
        call_with(&running.env, &arguments).await
    };
    let none = call("roles list").await;
    assert!(none.stdout.starts_with("nobody has a role"), "{none:?}");
    assert!(
        none.stdout.contains("viewer     dashboard.read"),
        "{none:?}"
    );

    let granted = call("roles grant admin Anna@Wine.example").await;
    assert_eq!(granted.status, 0, "{granted:?}");
    assert!(
        granted.stderr.starts_with("target: 127.0.0.1"),
        "{granted:?}"
    );
    assert!(
        granted
            .stdout
            .contains("anna@wine.example has admin now, and had no role")
    );
    assert!(granted.stdout.contains("within an hour"), "{granted:?}");
    let again = call("roles grant admin anna@wine.example --json")
        .await
        .json();
    assert_eq!(
        (&again["changed"], &again["role"]),
        (&json!(false), &json!("admin"))
    );

    for line in [
        "roles revoke anna@wine.example",
        "roles grant viewer anna@wine.example",
    ] {
        let last = call(line).await;
        assert_eq!(last.status, 2, "{last:?}");
        assert!(last.stderr.contains("is the last admin; --yes"), "{last:?}");
    }
    let listed = call("roles list --json").await.json();
    assert_eq!(listed["people"][0]["role"], "admin");
    assert_eq!(listed["roles"]["viewer"], json!(["dashboard.read"]));

    let bo = call("roles grant admin bo@wine.example --json")
        .await
        .json();
    let id = bo["id"].as_str().unwrap();
    assert_eq!(call("roles revoke anna@wine.example").await.status, 0);
    assert_eq!(
        call(&format!("roles grant responder {id} --yes"))
            .await
            .status,
        0
    );
    let listed = call("roles list --json").await.json();
    let people = listed["people"].as_array().unwrap();
    assert_eq!(people.len(), 1, "{people:?}");
    assert_eq!(
        (&people[0]["email"], &people[0]["role"]),
        (&json!("bo@wine.example"), &json!("responder"))
    );

    let cluster = Cluster::shared().await.unwrap();
    let admin = cluster.connect_admin(database.name()).await.unwrap();
    let kept = admin
        .query_one(
            "select raw_app_meta_data ->> 'team' from auth.users where email like 'anna@%'",
            &[],
        )
        .await
        .unwrap();
    assert_eq!(
        kept.get::<_, &str>(0),
        "cellar",
        "what else stands there stays"
    );

    let nobody = call("roles grant viewer nobody@wine.example").await;
    assert_eq!(nobody.status, 2);
    assert!(
        nobody.stderr.contains("is no user of the project"),
        "{nobody:?}"
    );
    assert_eq!(call("roles grant owner bo@wine.example").await.status, 2);
}
