//! Tries to sign in are counted by whoever tries, and nobody locks others out for long.

use serde_json::{Value, json};

use crate::support::{World, at};

/// Seconds to wait before a try may come; 0 where it was counted.
async fn begin(world: &World, now: &str, keys: &Value) -> u64 {
    let arguments = json!({"p_keys": keys, "p_now": at(now)});
    let begun = world.call("ops_begin_sign_in", arguments).await;
    begun["waitSeconds"].as_u64().unwrap()
}

async fn end(world: &World, keys: &Value, succeeded: bool) {
    let arguments = json!({"p_keys": keys, "p_succeeded": succeeded});
    world.call("ops_end_sign_in", arguments).await;
}

fn stranger(client: &str, account: &str) -> Value {
    json!({"client": client, "account": account, "pair": format!("{client} {account}")})
}

async fn counted(world: &World) -> Value {
    world
        .value("(select jsonb_object_agg(scope || ' ' || key, tries) from ops.sign_in_tries where tries > 0)")
        .await
}

#[tokio::test]
async fn after_five_tries_a_network_waits_longer_each_time_at_an_address() {
    let world = World::migrated().await;
    let keys = stranger("c", "anna");
    for _ in 0..5 {
        assert_eq!(begin(&world, "12:00:00", &keys).await, 0);
    }
    for (now, expected) in [
        ("12:00:00", 1),
        ("12:00:01", 0),
        ("12:00:02", 1),
        ("12:00:03", 0),
        ("12:00:04", 3),
        ("12:00:06", 1),
        ("12:00:07", 0),
    ] {
        assert_eq!(begin(&world, now, &keys).await, expected, "{now}");
    }
    // What was refused was counted nowhere.
    assert_eq!(
        counted(&world).await,
        json!({"client c": 8, "account anna": 8, "pair c anna": 8})
    );
    world
        .execute("update ops.sign_in_tries set tries = 1000 where scope = 'pair'")
        .await;
    assert_eq!(
        begin(&world, "12:00:08", &keys).await,
        899,
        "a quarter of an hour at most"
    );
    assert_eq!(
        begin(&world, "2026-11-25T12:00:00", &keys).await,
        0,
        "a day later all is new"
    );
}

#[tokio::test]
async fn strangers_pause_an_address_for_a_minute_at_most_and_a_known_browser_never() {
    let world = World::migrated().await;
    for number in 0..20 {
        let keys = stranger(&format!("bot {number}"), "anna");
        assert_eq!(begin(&world, "12:00:00", &keys).await, 0, "{number}");
    }
    world
        .execute("update ops.sign_in_tries set tries = 10000 where scope = 'account'")
        .await;
    assert_eq!(
        begin(&world, "12:00:01", &stranger("anna's new laptop", "anna")).await,
        59
    );
    assert_eq!(
        begin(&world, "12:00:01", &stranger("bo", "bo")).await,
        0,
        "another address"
    );
    let known = json!({"client": "bot 1", "device": "anna's laptop"});
    assert_eq!(begin(&world, "12:00:01", &known).await, 0);
}

#[tokio::test]
async fn ten_thousand_tries_of_a_network_are_few_that_are_let_through() {
    let world = World::migrated().await;
    let let_through = world
        .value(
            "(select count(*) filter (where public.ops_begin_sign_in(
                  jsonb_build_object('client', 'c', 'account', 'a' || n, 'pair', 'c a' || n),
                  timestamptz '2026-11-24T12:00:00Z' + n * interval '100 milliseconds'
              ) ->> 'waitSeconds' = '0')
              from generate_series(1, 10000) as n)",
        )
        .await;
    let let_through = let_through.as_u64().unwrap();
    assert!((30..=40).contains(&let_through), "{let_through}");
    let rows = world
        .value("(select count(*) from ops.sign_in_tries)")
        .await;
    assert!(rows.as_u64().unwrap() <= 2 * let_through + 1, "{rows} rows");
}

#[tokio::test]
async fn tries_that_come_together_are_counted_one_by_one() {
    let world = World::migrated().await;
    let mut sessions = Vec::new();
    for _ in 0..8 {
        let session = world.session().await;
        session
            .batch_execute("set session authorization authenticator; set role service_role")
            .await
            .unwrap();
        sessions.push(session);
    }
    let sql = "select count(*) filter (where public.ops_begin_sign_in('{\"code\": \"x\"}') ->> 'waitSeconds' = '0')
               from generate_series(1, 20)";
    let tries = sessions.iter().map(|session| session.query_one(sql, &[]));
    let through: i64 = futures_util::future::join_all(tries)
        .await
        .into_iter()
        .map(|row| row.unwrap().get::<_, i64>(0))
        .sum();
    assert_eq!(through, 5);
}

#[tokio::test]
async fn what_succeeded_is_forgiven_and_what_nobody_judged_is_given_back() {
    let world = World::migrated().await;
    let keys = stranger("c", "anna");
    for _ in 0..3 {
        begin(&world, "12:00:00", &keys).await;
    }
    end(&world, &keys, false).await;
    assert_eq!(
        counted(&world).await,
        json!({"client c": 3, "account anna": 2, "pair c anna": 2}),
        "a network asks all the same"
    );
    end(&world, &keys, true).await;
    assert_eq!(
        counted(&world).await,
        json!({"client c": 2, "account anna": 1})
    );
    let unknown = stranger("nobody", "nobody");
    end(&world, &unknown, true).await;
    assert_eq!(
        counted(&world).await,
        json!({"client c": 2, "account anna": 1})
    );
}

#[tokio::test]
async fn old_counts_go_and_odd_keys_are_refused() {
    let world = World::migrated().await;
    begin(&world, "2026-11-22T12:00:00", &stranger("old", "old")).await;
    begin(&world, "12:00:00", &stranger("new", "new")).await;
    let keys = world
        .value("(select jsonb_agg(distinct key order by key) from ops.sign_in_tries)")
        .await;
    assert_eq!(keys, json!(["new", "new new"]));
    for odd in [json!([]), json!("x"), json!(7)] {
        let [code, ..] = world
            .refusal("ops_begin_sign_in", json!({"p_keys": odd}))
            .await;
        assert_eq!(code, "22023", "{odd}");
    }
    for odd in [
        json!({"moon": "x"}),
        json!({"client": ""}),
        json!({"client": "x".repeat(300)}),
        json!({"client": null}),
    ] {
        let refused = world
            .try_call("ops_begin_sign_in", json!({"p_keys": odd}))
            .await;
        assert!(refused.is_err(), "{odd}");
    }
    assert_eq!(begin(&world, "12:00:00", &json!({})).await, 0);
}
