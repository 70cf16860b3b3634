//! The door's keys, quotas and items, as its call takes them.

use serde_json::{Value, json};

use crate::support::{World, array, at};

async fn key(world: &World, fields: &Value) -> i64 {
    let mut arguments = json!({
        "p_name": "web", "p_origins": [], "p_items_a_minute": 100, "p_items_a_day": 1000,
        "p_by": "anna", "p_now": at("09:00:00"),
    });
    arguments
        .as_object_mut()
        .unwrap()
        .extend(fields.as_object().unwrap().clone());
    let key = world.call("ops_add_door_key", arguments).await;
    key["id"].as_i64().unwrap()
}

fn item(nth: u32, fields: &Value) -> Value {
    let mut item = json!({
        "id": uuid::Uuid::from_u128(u128::from(nth)), "kind": "event", "time": at("12:00:00"),
        "environment": "production", "name": "wine_added", "detail": {},
    });
    item.as_object_mut()
        .unwrap()
        .extend(fields.as_object().unwrap().clone());
    item
}

fn arguments(key: i64, items: &[Value], now: &str) -> Value {
    json!({"p_key": key, "p_source": "own", "p_origin": null, "p_visitor": null,
           "p_items": items, "p_now": at(now)})
}

async fn take(world: &World, key: i64, items: &[Value], now: &str) -> Value {
    world
        .call("ops_take_items", arguments(key, items, now))
        .await
}

async fn drops(world: &World) -> Value {
    world
        .rows("select reason, items from ops.door_drops order by 1")
        .await
}

#[tokio::test]
async fn what_is_sent_twice_is_taken_once() {
    let world = World::migrated().await;
    let key = key(&world, &json!({})).await;
    let items: Vec<_> = (1..=5).map(|nth| item(nth, &json!({}))).collect();
    let taken = take(&world, key, &items, "12:00:01").await;
    assert_eq!(taken["taken"], 5);
    let again = take(&world, key, &items, "12:03:00").await;
    assert_eq!(again["taken"], 0);
    let kept = world
        .value("(select jsonb_agg(distinct source || ' ' || kind || ' ' || day) from ops.items)")
        .await;
    assert_eq!(kept, json!(["own event 2026-11-24"]));
}

#[tokio::test]
async fn two_calls_that_open_a_day_at_once_both_go_on() {
    let world = World::migrated().await;
    let later = "select ops.open_item_days('2027-03-01T12:00:00Z')";
    let (one, other) = (world.session().await, world.session().await);
    one.batch_execute("begin").await.unwrap();
    one.batch_execute(later).await.unwrap();
    let waiting = other.query_one(later, &[]);
    let first = async {
        let waits = "(select count(*) from pg_locks
                      where not granted and database = (select oid from pg_database where datname = current_database()))";
        while world.value(waits).await == 0 {
            tokio::task::yield_now().await;
        }
        one.batch_execute("commit").await.unwrap();
    };
    let (made, ()) = tokio::join!(waiting, first);
    assert_eq!(made.unwrap().get::<_, i32>(0), 0, "all of them were made");
}

#[tokio::test]
async fn a_batch_is_taken_as_far_as_the_quota_goes() {
    let world = World::migrated().await;
    let quota = json!({"p_items_a_minute": 3, "p_items_a_day": 5});
    let key = key(&world, &quota).await;
    let items: Vec<_> = (1..=4).map(|nth| item(nth, &json!({}))).collect();
    let taken = take(&world, key, &items, "12:00:20").await;
    assert_eq!(
        taken,
        json!({"taken": 3, "overQuota": 1, "retryAfterSeconds": 40})
    );
    let items: Vec<_> = (5..=8).map(|nth| item(nth, &json!({}))).collect();
    let taken = take(&world, key, &items, "12:01:00").await;
    assert_eq!(
        (&taken["taken"], &taken["overQuota"]),
        (&json!(2), &json!(2))
    );
    let until_midnight = taken["retryAfterSeconds"].as_i64().unwrap();
    assert_eq!(until_midnight, 12 * 3600 - 60);
    assert_eq!(
        drops(&world).await,
        json!([{"reason": "over quota", "items": 3}])
    );
}

#[tokio::test]
async fn one_odd_item_takes_no_other_along() {
    let world = World::migrated().await;
    let key = key(&world, &json!({})).await;
    let items = [
        item(1, &json!({})),
        item(2, &json!({"kind": "riddle"})),
        item(3, &json!({"value": "NaN"})),
        item(4, &json!({"environment": "moon"})),
        item(5, &json!({"id": "no id"})),
        item(6, &json!({"status": "x"})),
        item(7, &json!({"time": "yesterday noon"})),
        item(8, &json!({})),
    ];
    let taken = take(&world, key, &items, "12:00:01").await;
    assert_eq!(taken["taken"], 2);
    assert_eq!(
        drops(&world).await,
        json!([{"reason": "unusable", "items": 6}])
    );
}

#[tokio::test]
async fn times_from_anywhere_lie_within_the_days_that_are_open() {
    let world = World::migrated().await;
    let key = key(&world, &json!({})).await;
    let items = [
        item(1, &json!({"time": "0001-01-01T00:00:00Z"})),
        item(2, &json!({"time": "9999-12-31T23:59:59Z"})),
        item(3, &json!({"time": null})),
        item(4, &json!({"time": "2026-11-20T00:00:00Z"})),
    ];
    take(&world, key, &items, "23:58:00").await;
    let times = world.rows("select at from ops.items order by id").await;
    let times: Vec<_> = array(&times)
        .iter()
        .map(|row| row["at"].as_str().unwrap())
        .collect();
    assert_eq!(
        times,
        [
            "2026-11-17T23:58:00+00:00",
            "2026-11-25T00:03:00+00:00",
            "2026-11-24T23:58:00+00:00",
            "2026-11-20T00:00:00+00:00",
        ]
    );
}

#[tokio::test]
async fn a_key_is_closed_by_its_number_and_a_page_by_its_origin() {
    let world = World::migrated().await;
    let origins = json!({"p_origins": ["https://wine.example"]});
    let key = key(&world, &origins).await;
    for (origin, refused) in [
        (json!("https://wine.example"), json!(null)),
        (json!("HTTPS://WINE.EXAMPLE"), json!(null)),
        (json!("https://evil.example"), json!("origin")),
        (json!(null), json!(null)),
    ] {
        let mut call = arguments(key, &[], "12:00:00");
        call["p_origin"] = origin.clone();
        let answer = world.call("ops_take_items", call).await;
        assert_eq!(answer["refused"], refused, "{origin}");
    }
    let rotated = world
        .call(
            "ops_rotate_door_key",
            json!({"p_key": key, "p_by": "anna", "p_now": at("12:00:00")}),
        )
        .await;
    assert_eq!(rotated["origins"], json!(["https://wine.example"]));
    world
        .call("ops_revoke_door_key", json!({"p_key": key}))
        .await;
    for (number, refused) in [
        (key, json!("key")),
        (rotated["id"].as_i64().unwrap(), json!(null)),
        (4711, json!("key")),
    ] {
        let answer = take(&world, number, &[item(1, &json!({}))], "12:00:00").await;
        assert_eq!(answer["refused"], refused, "{number}");
    }
}

#[tokio::test]
async fn what_a_key_is_named_and_may_is_checked() {
    let world = World::migrated().await;
    key(&world, &json!({})).await;
    for (fields, expected) in [
        (json!({"p_name": "WEB"}), "no other key"),
        (
            json!({"p_name": "b", "p_origins": ["wine.example"]}),
            "origins",
        ),
        (
            json!({"p_name": "b", "p_origins": ["https://x/y"]}),
            "origins",
        ),
        (
            json!({"p_name": "b", "p_items_a_minute": 0}),
            "items_a_minute",
        ),
        (json!({"p_name": ""}), "name"),
    ] {
        let mut arguments = json!({
            "p_name": "web", "p_origins": [], "p_items_a_minute": 1, "p_items_a_day": 1, "p_by": "anna",
        });
        arguments
            .as_object_mut()
            .unwrap()
            .extend(fields.as_object().unwrap().clone());
        let [state, message, _] = world.refusal("ops_add_door_key", arguments).await;
        assert_eq!(state, "22023");
        assert!(message.contains(expected), "{message}");
    }
}

#[tokio::test]
async fn a_visitor_is_the_same_for_a_day_and_nobody_after_it() {
    let world = World::migrated().await;
    let key = key(&world, &json!({})).await;
    for (nth, visitor, now) in [
        (1, "203.0.113.0 Safari", "12:00:00"),
        (2, "203.0.113.0 Safari", "20:00:00"),
        (3, "203.0.113.0 Chrome", "20:00:01"),
        (4, "203.0.113.0 Safari", "2026-11-25T00:00:01Z"),
    ] {
        let mut call = arguments(key, &[item(nth, &json!({"time": null}))], now);
        call["p_visitor"] = json!(visitor);
        world.call("ops_take_items", call).await;
    }
    let people = world.rows("select person from ops.items order by id").await;
    let [first, same, other, tomorrow] = array(&people).as_slice() else {
        panic!("{people}")
    };
    assert_eq!(first, same);
    assert!(first != other && first != tomorrow);
    world
        .execute("select ops.forget_door_counts('2026-11-25T01:00:00Z')")
        .await;
    let keys = world
        .value("(select jsonb_agg(day) from ops.visitor_keys)")
        .await;
    assert_eq!(keys, json!(["2026-11-25"]));
}

#[tokio::test]
async fn days_are_opened_ahead_and_dropped_when_they_are_old() {
    let world = World::migrated().await;
    let opened = world
        .value("to_jsonb(ops.open_item_days('2026-11-24T12:00:00Z'))")
        .await;
    let again = world
        .value("to_jsonb(ops.open_item_days('2026-11-24T13:00:00Z'))")
        .await;
    assert_eq!((opened, again), (json!(11), json!(0)));
    let secured = world
        .value("(select bool_and(relrowsecurity) from pg_class where relname like 'items\\_2%' and relkind = 'r')")
        .await;
    assert_eq!(secured, true);
    world
        .execute("select ops.drop_item_day('2026-11-20', 10) from generate_series(1, 5)")
        .await;
    let left = world
        .value("(select jsonb_agg(relname order by relname) from pg_class where relname like 'items\\_2%' and relkind = 'r')")
        .await;
    let left = array(&left);
    assert_eq!((left.len(), &left[0]), (8, &json!("items_20261120")));
}

fn deployment(nth: u32, fields: &Value) -> Value {
    let mut deployment = json!({
        "id": uuid::Uuid::from_u128(u128::from(nth)), "time": at("11:59:00"), "event": "promoted",
        "deployment": format!("dpl_{nth}"), "environment": "production", "commit": null,
        "branch": "main", "by": "usr_1",
    });
    deployment
        .as_object_mut()
        .unwrap()
        .extend(fields.as_object().unwrap().clone());
    deployment
}

#[tokio::test]
async fn deployments_are_marked_once_and_one_odd_takes_no_other_along() {
    let world = World::migrated().await;
    let key = key(&world, &json!({"p_items_a_minute": 1, "p_items_a_day": 1})).await;
    let deployments = [
        deployment(1, &json!({})),
        deployment(2, &json!({"event": "riddle"})),
        deployment(3, &json!({"environment": "moon"})),
        deployment(4, &json!({"deployment": null})),
        deployment(5, &json!({"id": "no id"})),
        deployment(
            6,
            &json!({"event": "rolled_back", "time": "9999-12-31T23:59:59Z"}),
        ),
        deployment(7, &json!({"time": null, "environment": "preview"})),
        deployment(1, &json!({})),
    ];
    let mut call = arguments(key, &[], "12:00:00");
    call["p_deployments"] = json!(deployments);
    for _ in 0..2 {
        world.call("ops_take_items", call.clone()).await;
    }
    let kept = world
        .rows("select deployment, event, at from ops.deployments order by deployment")
        .await;
    assert_eq!(
        kept,
        json!([
            {"deployment": "dpl_1", "event": "promoted", "at": "2026-11-24T11:59:00+00:00"},
            {"deployment": "dpl_6", "event": "rolled_back", "at": "2026-11-24T12:05:00+00:00"},
            {"deployment": "dpl_7", "event": "promoted", "at": "2026-11-24T12:00:00+00:00"},
        ])
    );
    assert_eq!(
        drops(&world).await,
        json!([{"reason": "unusable", "items": 8}])
    );
    let shown = world.dashboard(3600, "12:01:00").await["deployments"].clone();
    assert_eq!(
        shown,
        json!([{"at": "2026-11-24T11:59:00+00:00", "event": "promoted", "deployment": "dpl_1",
                "commit": null, "branch": "main", "by": "usr_1"}])
    );
    world
        .execute("select ops.forget_deployments('2027-12-30T00:00:00Z')")
        .await;
    assert_eq!(
        world.value("(select count(*) from ops.deployments)").await,
        0
    );
}

#[tokio::test]
async fn of_many_deployments_the_newest_twenty_are_shown() {
    let world = World::migrated().await;
    let key = key(&world, &json!({})).await;
    let time = |nth: u32| json!({"time": at(&format!("11:{nth:02}:00"))});
    let deployments: Vec<_> = (0..30).map(|nth| deployment(nth, &time(nth))).collect();
    let mut call = arguments(key, &[], "12:00:00");
    call["p_deployments"] = json!(deployments);
    world.call("ops_take_items", call).await;
    let shown = world.dashboard(3600, "12:00:00").await["deployments"].clone();
    let shown: Vec<_> = array(&shown)
        .iter()
        .map(|mark| mark["deployment"].clone())
        .collect();
    assert_eq!(shown.len(), 20);
    assert_eq!(
        (&shown[0], &shown[19]),
        (&json!("dpl_29"), &json!("dpl_10"))
    );
}
