//! What each role may do, in the database as at the edge.

use ops::{
    auth::roles::{Permission, Role},
    migrate::Schema,
};
use serde_json::{Value, json};

use crate::{
    people::raise,
    support::{World, at},
};

#[tokio::test]
async fn the_database_holds_the_table_of_the_edge_and_nothing_else() {
    let world = World::migrated().await;
    for role in Role::ALL {
        for permission in Permission::ALL {
            let held = format!("ops.may('{}', '{}')", role.as_str(), permission.as_str());
            let expected = role.may(permission);
            assert_eq!(world.value(&held).await, expected, "{held}");
        }
    }
    let pairs: usize = Role::ALL.map(|role| role.permissions().len()).iter().sum();
    let rows = world
        .value("(select count(*) from ops.role_permissions)")
        .await;
    assert_eq!(rows, pairs);
    for (domain, words) in [
        ("person_role", Role::ALL.map(Role::as_str).to_vec()),
        (
            "permission",
            Permission::ALL.map(Permission::as_str).to_vec(),
        ),
    ] {
        let known = world.value(&format!("ops.words('ops.{domain}')")).await;
        assert_eq!(known, json!(words), "{domain}");
    }
    for odd in [
        "ops.may('owner', 'dashboard.read')",
        "ops.may('admin', 'all')",
        "ops.may(null, 'rows.read')",
    ] {
        assert_eq!(world.value(odd).await, false, "{odd}");
    }
}

#[tokio::test]
async fn a_permission_that_a_role_lost_is_gone_with_the_next_exchange() {
    let world = World::migrated().await;
    world
        .execute(
            "insert into ops.role_permissions values ('viewer', 'people.manage');
             delete from ops.role_permissions where role = 'admin' and permission = 'people.manage'",
        )
        .await;
    let mut next = Schema::embedded();
    next.set.functions[0]
        .sql
        .push_str("\n-- As another release has it.\n");
    let mut owner = world.owner().await;
    next.apply(&mut owner, &mut |_| {}).await.unwrap();
    assert_eq!(
        world.value("ops.may('viewer', 'people.manage')").await,
        false
    );
    assert_eq!(world.value("ops.may('admin', 'people.manage')").await, true);
}

/// What comes of an action by a person of that role: the SQLSTATE where it is refused.
async fn acted(world: &World, function: &str, role: &Value, arguments: Value) -> String {
    let mut arguments = arguments;
    arguments["p_request"] = json!(uuid::Uuid::new_v4());
    arguments["p_actor"] = json!("anna@wine.example");
    arguments["p_role"] = role.clone();
    arguments["p_now"] = json!(at("12:01:00"));
    match world.try_call(function, arguments).await {
        Ok(_) => "done".to_owned(),
        Err(error) => error.as_db_error().unwrap().code().code().to_owned(),
    }
}

#[tokio::test]
async fn each_role_may_answer_alerts_and_incidents_as_the_table_says() {
    let world = World::migrated().await;
    let alert = raise(&world, "12:00:00", "high", "cellar").await;
    let incident = world.value("(select id from ops.incidents)").await;
    let roles = Role::ALL.map(|role| (json!(role), role.may(Permission::AnswerAlerts)));
    let others = [
        (Value::Null, true),
        (json!("owner"), false),
        (json!(""), false),
    ];
    for (role, may) in roles.into_iter().chain(others) {
        let expected = if may { "done" } else { "42501" };
        for (function, arguments) in [
            (
                "ops_act_on_alert",
                json!({"p_alert": alert, "p_action": "acknowledge", "p_until": null, "p_note": null}),
            ),
            (
                "ops_act_on_alerts",
                json!({"p_select": {"alerts": [alert]}, "p_action": "acknowledge", "p_from": null,
                       "p_until": null, "p_note": null}),
            ),
            (
                "ops_act_on_incident",
                json!({"p_incident": incident, "p_action": "note", "p_until": null, "p_note": "seen"}),
            ),
        ] {
            let came = acted(&world, function, &role, arguments).await;
            assert_eq!(came, expected, "{function} by {role}");
        }
    }
}
