//! Funnels: what one may be, who changed it, and what is counted and kept of it.

use serde_json::{Value, json};

use crate::support::{World, array, at};

async fn set(world: &World, name: &str, steps: &[&str], minutes: u32) -> Value {
    let arguments =
        json!({"p_name": name, "p_steps": steps, "p_within_minutes": minutes, "p_by": "anna"});
    world.call("ops_set_funnel", arguments).await
}

async fn count(world: &World, name: &str, fields: Value) -> Value {
    let mut arguments = json!({"p_name": name, "p_days": 7, "p_now": at("12:00:00")});
    let named = arguments.as_object_mut().unwrap();
    named.extend(fields.as_object().unwrap().clone());
    world.call("ops_funnel", arguments).await
}

/// Users that events may be of.
async fn users(world: &World) {
    world
        .execute(
            "insert into auth.users (id) select ('00000000-0000-4000-8000-00000000000' || n)::uuid
             from generate_series(0, 9) as n;
             select ops.open_item_days('2026-11-24T12:00:00Z')",
        )
        .await;
}

fn user(number: u32) -> String {
    format!("00000000-0000-4000-8000-00000000000{number}")
}

/// The app writes that a user did something.
async fn log(world: &World, number: u32, event: &str, time: &str) {
    let sql = format!(
        "insert into public.analytics_events (event_name, user_id, timestamp) values ('{event}', '{}', '{}')",
        user(number),
        at(time)
    );
    world.execute(&sql).await;
}

/// The door takes that somebody did something.
async fn take(world: &World, kind: &str, name: &str, time: &str, who: [&str; 3]) {
    let [person, session, release] = who;
    let sql = format!(
        "insert into ops.items (day, id, kind, at, received_at, source, key, environment, name, person, session,
             release, detail)
         values ('{0}', gen_random_uuid(), '{kind}', '{0}', '{0}', 'own', 1, 'production', '{name}',
             nullif('{person}', ''), nullif('{session}', ''), nullif('{release}', ''), '{{}}')",
        at(time)
    );
    world.execute(&sql).await;
}

#[tokio::test]
async fn a_funnel_is_kept_listed_and_every_change_of_it_recorded() {
    let world = World::migrated().await;
    let first = set(
        &world,
        "first-wine",
        &["user_registered", "wine_added"],
        10_080,
    )
    .await;
    assert_eq!(
        (
            &first["steps"],
            &first["withinSeconds"],
            &first["updatedBy"]
        ),
        (
            &json!(["user_registered", "wine_added"]),
            &json!(604_800),
            &json!("anna")
        )
    );
    // The same again is no change.
    set(
        &world,
        "first-wine",
        &["user_registered", "wine_added"],
        10_080,
    )
    .await;
    set(&world, "first-wine", &["page:/", "wine_added"], 60).await;
    set(
        &world,
        "scan",
        &["feature:scan", "wine_added", "wine_added"],
        60,
    )
    .await;
    let listed = world.call("ops_list_funnels", json!({})).await["funnels"].clone();
    let names: Vec<_> = array(&listed)
        .iter()
        .map(|funnel| &funnel["name"])
        .collect();
    assert_eq!(names, ["first-wine", "scan"]);
    let removed = world
        .call(
            "ops_remove_funnel",
            json!({"p_name": "first-wine", "p_by": "bert"}),
        )
        .await;
    assert_eq!(removed["withinSeconds"], 3_600);
    assert_eq!(
        world
            .rows(
                "select name, change, old_value -> 'steps' -> 0 as before, new_value -> 'steps' -> 0 as after, changed_by
                 from ops.funnel_changes order by id"
            )
            .await,
        json!([
            {"name": "first-wine", "change": "added", "before": null, "after": "user_registered", "changed_by": "anna"},
            {"name": "first-wine", "change": "edited", "before": "user_registered", "after": "page:/", "changed_by": "anna"},
            {"name": "scan", "change": "added", "before": null, "after": "feature:scan", "changed_by": "anna"},
            {"name": "first-wine", "change": "removed", "before": "page:/", "after": null, "changed_by": "bert"},
        ])
    );
}

#[tokio::test]
async fn what_is_no_funnel_is_refused_in_words() {
    let world = World::migrated().await;
    let long = "x".repeat(101);
    let cases: [(&str, Value, Value, &str); 14] = [
        (
            "Big",
            json!(["a", "b"]),
            json!(60),
            "name of a funnel must be 1 to 50 lower-case",
        ),
        ("", json!(["a", "b"]), json!(60), "name of a funnel must be"),
        (
            "f",
            json!(["a"]),
            json!(60),
            "steps of a funnel must be a list of 2 to 10 steps, got 1",
        ),
        (
            "f",
            json!([]),
            json!(60),
            "steps of a funnel must be a list of 2 to 10 steps, got 0",
        ),
        (
            "f",
            Value::Null,
            json!(60),
            "steps of a funnel must be a list of 2 to 10 steps, got 0",
        ),
        ("f", json!(vec!["a"; 11]), json!(60), "got 11"),
        (
            "f",
            json!(["a", ""]),
            json!(60),
            "step 2 of a funnel must be the name of an event",
        ),
        (
            "f",
            json!(["a", null]),
            json!(60),
            "step 2 of a funnel must be",
        ),
        (
            "f",
            json!([long, "b"]),
            json!(60),
            "step 1 of a funnel must be",
        ),
        ("f", json!(["a", "page:wines"]), json!(60), "got page:wines"),
        (
            "f",
            json!(["a", "page:/wines?id=7"]),
            json!(60),
            "page: with a path and without a query",
        ),
        ("f", json!(["a", "feature:"]), json!(60), "got feature:"),
        (
            "f",
            json!(["a", "b"]),
            json!(0),
            "within of a funnel must be from 1 minute to 92 days, got 0",
        ),
        (
            "f",
            json!(["a", "b"]),
            json!(132_481),
            "within of a funnel must be",
        ),
    ];
    for (name, steps, minutes, text) in cases {
        let arguments =
            json!({"p_name": name, "p_steps": steps, "p_within_minutes": minutes, "p_by": "anna"});
        let [state, message, _] = world.refusal("ops_set_funnel", arguments).await;
        assert_eq!(state, "22023", "{message}");
        assert!(message.contains(text), "{message} has no {text}");
    }
    let secret = json!({"p_name": "f", "p_steps": ["a", "sb_secret_abcdefgh"], "p_within_minutes": 60, "p_by": "anna"});
    let [_, message, _] = world.refusal("ops_set_funnel", secret).await;
    assert!(
        message.ends_with("got something that looks like a secret"),
        "{message}"
    );
    let nobody = json!({"p_name": "f", "p_steps": ["a", "b"], "p_within_minutes": 60, "p_by": " "});
    assert_eq!(world.refusal("ops_set_funnel", nobody).await[0], "22023");
}

#[tokio::test]
async fn there_are_at_most_twenty_and_only_those_are_counted() {
    let world = World::migrated().await;
    for number in 0..20 {
        set(&world, &format!("f{number}"), &["a", "b"], 60).await;
    }
    let one_more =
        json!({"p_name": "f20", "p_steps": ["a", "b"], "p_within_minutes": 60, "p_by": "anna"});
    let [_, message, _] = world.refusal("ops_set_funnel", one_more).await;
    assert!(message.contains("at most 20"), "{message}");
    // One that is there may still change.
    set(&world, "f0", &["a", "c"], 60).await;
    assert_eq!(
        world
            .refusal(
                "ops_remove_funnel",
                json!({"p_name": "f20", "p_by": "anna"})
            )
            .await[0],
        "22023"
    );
    for wrong in [
        json!({"p_name": "f20"}),
        json!({"p_name": "f0", "p_days": 0}),
        json!({"p_name": "f0", "p_days": 93}),
        json!({"p_name": "f0", "p_environment": "moon"}),
        json!({"p_name": "f0", "p_by": "colour"}),
    ] {
        assert_eq!(
            world.refusal("ops_funnel", wrong.clone()).await[0],
            "22023",
            "{wrong}"
        );
    }
}

#[tokio::test]
async fn a_step_counts_after_the_one_before_it_and_within_the_time_of_the_first() {
    let world = World::migrated().await;
    users(&world).await;
    set(&world, "f", &["a", "b", "c"], 60).await;
    for (number, story) in [
        (
            1,
            vec![("a", "10:00:00"), ("b", "10:10:00"), ("c", "11:00:00")],
        ),
        // The third is a second too late.
        (
            2,
            vec![("a", "10:00:00"), ("b", "10:20:00"), ("c", "11:00:01")],
        ),
        // The first again begins anew.
        (
            3,
            vec![
                ("a", "08:00:00"),
                ("b", "08:10:00"),
                ("a", "10:00:00"),
                ("c", "10:01:00"),
            ],
        ),
        (4, vec![("b", "10:00:00"), ("a", "10:10:00")]),
        // What is at the same time is in the order of the funnel.
        (
            5,
            vec![("c", "10:00:00"), ("b", "10:00:00"), ("a", "10:00:00")],
        ),
    ] {
        for (event, time) in story {
            log(&world, number, event, time).await;
        }
    }
    let counted = count(&world, "f", json!({})).await;
    let step = |step: &str, people: u32, first: f64, rest: [Value; 3]| {
        let [previous, lost, median] = rest;
        json!({"step": step, "people": people, "ofFirst": first, "ofPrevious": previous, "droppedOff": lost,
               "medianSeconds": median})
    };
    assert_eq!(
        counted["steps"],
        json!([
            step("a", 5, 100.0, [Value::Null, Value::Null, Value::Null]),
            // 10, 20, 10 and 0 minutes.
            step("b", 4, 80.0, [json!(80.0), json!(1), json!(600.0)]),
            // The one of 3 is of the way that began at eight.
            step("c", 2, 40.0, [json!(50.0), json!(2), json!(1500.0)]),
        ])
    );
    assert_eq!(
        (&counted["conversionRate"], &counted["parts"]),
        (&json!(40.0), &json!([]))
    );
    let nobody = count(&world, "f", json!({"p_environment": "preview"})).await;
    assert_eq!(
        nobody["steps"][2],
        json!({"step": "c", "people": 0, "ofFirst": null, "ofPrevious": null, "droppedOff": 0, "medianSeconds": null})
    );
    assert_eq!(nobody["conversionRate"], Value::Null);
}

#[tokio::test]
async fn a_person_is_a_user_else_a_session_else_the_visitor_of_a_day() {
    let world = World::migrated().await;
    users(&world).await;
    set(
        &world,
        "f",
        &["page:/", "user_registered", "feature:scan"],
        600,
    )
    .await;
    let visitor = format!("v-{}", "a".repeat(32));
    // Somebody looks, signs up and scans: one session, then one user.
    take(
        &world,
        "page_view",
        "/",
        "10:00:00",
        [&visitor, "s1", "1.0"],
    )
    .await;
    take(
        &world,
        "event",
        "user_registered",
        "10:05:00",
        [&user(1), "s1", "1.1"],
    )
    .await;
    world
        .execute(&format!(
            "insert into public.feature_usage (feature_name, user_id, first_used, last_used, date)
             values ('scan', '{}', '2026-11-24T09:00:00Z', '2026-11-24T11:00:00Z', '2026-11-24')",
            user(1)
        ))
        .await;
    // Two users had that session, so nobody knows whose the view is.
    take(&world, "page_view", "/", "10:00:00", ["", "s2", ""]).await;
    for number in [2, 3] {
        take(
            &world,
            "event",
            "user_registered",
            "10:05:00",
            [&user(number), "s2", ""],
        )
        .await;
    }
    // A visitor without a session, whose second view adds nobody.
    take(&world, "page_view", "/", "10:00:00", [&visitor, "", ""]).await;
    take(&world, "page_view", "/", "10:00:01", [&visitor, "", ""]).await;
    // The app writes views itself, too.
    world
        .execute(&format!(
            "insert into public.analytics_events (event_name, properties, user_id, timestamp)
             values ('page_view', '{{\"path\": \"https://wine.example/?x=1\"}}', '{}', '{}')",
            user(4),
            at("10:00:00")
        ))
        .await;
    // Nobody at all.
    take(&world, "page_view", "/", "10:00:00", ["", "", ""]).await;
    let counted = count(&world, "f", json!({"p_by": "release"})).await;
    let people = |steps: &Value| -> Vec<u64> {
        array(steps)
            .iter()
            .map(|step| step["people"].as_u64().unwrap())
            .collect()
    };
    assert_eq!(people(&counted["steps"]), [4, 1, 1]);
    let parts = array(&counted["parts"]);
    let parts: Vec<_> = parts
        .iter()
        .map(|part| (part["part"].as_str().unwrap(), people(&part["steps"])))
        .collect();
    assert_eq!(parts, [("unknown", vec![3, 0, 0]), ("1.0", vec![1, 1, 1])]);
}

#[tokio::test]
async fn what_both_the_app_and_the_door_tell_of_is_there_once() {
    let world = World::migrated().await;
    users(&world).await;
    set(&world, "f", &["a", "a", "b"], 600).await;
    for number in [1, 2] {
        log(&world, number, "a", "10:00:00").await;
        take(&world, "event", "a", "10:00:02", [&user(number), "", ""]).await;
    }
    log(&world, 2, "a", "10:30:00").await;
    // Only the door tells of the last step.
    take(&world, "event", "b", "10:40:00", [&user(1), "", ""]).await;
    take(&world, "event", "b", "10:40:00", [&user(2), "", ""]).await;
    let counted = count(&world, "f", json!({})).await;
    let people: Vec<_> = array(&counted["steps"])
        .iter()
        .map(|step| &step["people"])
        .collect();
    assert_eq!(people, [2, 1, 1]);
}

#[tokio::test]
async fn who_was_there_before_is_returning_rolled_up_or_not() {
    let world = World::migrated().await;
    users(&world).await;
    set(&world, "f", &["a", "b"], 600).await;
    log(&world, 1, "x", "2026-11-10T10:00:00Z").await;
    let roll_up = format!("select ops.roll_up_figures(1000, '{}')", at("12:00:00"));
    world.execute(&roll_up).await;
    log(&world, 2, "x", "2026-11-10T10:00:00Z").await;
    for number in [1, 2, 3] {
        log(&world, number, "a", "10:00:00").await;
    }
    log(&world, 3, "b", "10:00:00").await;
    take(&world, "event", "a", "10:00:00", ["", "s1", ""]).await;
    let counted = count(&world, "f", json!({"p_by": "new"})).await;
    let parts = array(&counted["parts"]).iter().map(|part| {
        (
            part["part"].as_str().unwrap(),
            part["steps"][0]["people"].as_u64().unwrap(),
            part["steps"][1]["people"].as_u64().unwrap(),
        )
    });
    assert_eq!(
        parts.collect::<Vec<_>>(),
        [("returning", 2, 0), ("new", 1, 1), ("unknown", 1, 0)]
    );
}

/// A run of the maintenance that is under way.
async fn run_of_maintenance(world: &World, now: &str) -> Value {
    let arguments = json!({
        "p_run": uuid::Uuid::new_v4(), "p_job": "maintenance", "p_every_seconds": 600,
        "p_lease_seconds": 55, "p_manual": true, "p_now": at(now),
    });
    world.call("ops_claim_run", arguments).await
}

async fn refresh(world: &World, run: &Value, now: &str) -> u32 {
    for counted in 0..100 {
        let arguments = json!({"p_run": run["run"], "p_fence": run["fence"], "p_now": at(now)});
        let refreshed = world.call("ops_refresh_funnels", arguments).await;
        if refreshed["outcome"] != "more" {
            assert_eq!(refreshed["outcome"], "done");
            return counted;
        }
    }
    panic!("there is always more");
}

#[tokio::test]
async fn the_dashboard_shows_what_was_counted_last_and_when() {
    let world = World::migrated().await;
    users(&world).await;
    set(&world, "f", &["a", "b"], 600).await;
    log(&world, 1, "a", "10:00:00").await;
    let shown = world.dashboard(3600, "12:00:00").await["funnels"].clone();
    assert_eq!(
        shown,
        json!([{"name": "f", "withinSeconds": 36_000, "days": 1, "asOf": null, "conversionRate": null,
                "steps": [], "failure": null}])
    );

    let run = run_of_maintenance(&world, "12:00:00").await;
    assert_eq!(
        refresh(&world, &run, "12:00:00").await,
        4,
        "one of each range"
    );
    log(&world, 1, "b", "11:00:00").await;
    for (seconds, days) in [
        (3600, 1),
        (86_400, 1),
        (604_800, 7),
        (2_592_000, 30),
        (7_776_000, 90),
        (31_536_000, 90),
    ] {
        let shown = world.dashboard(seconds, "12:10:00").await["funnels"][0].clone();
        assert_eq!(
            (&shown["days"], &shown["asOf"], &shown["conversionRate"]),
            (
                &json!(days),
                &json!("2026-11-24T12:00:00+00:00"),
                &json!(0.0)
            ),
            "{seconds}"
        );
    }
    assert_eq!(refresh(&world, &run, "12:29:59").await, 0);
    // A day is old sooner than a week is.
    assert_eq!(refresh(&world, &run, "12:30:00").await, 1);
    assert_eq!(
        world.dashboard(3600, "12:31:00").await["funnels"][0]["conversionRate"],
        json!(100.0)
    );
    assert_eq!(
        world.dashboard(604_800, "12:31:00").await["funnels"][0]["conversionRate"],
        json!(0.0)
    );
    // What was counted of other steps says nothing of these.
    set(&world, "f", &["a", "c"], 600).await;
    assert_eq!(
        world.dashboard(3600, "12:31:00").await["funnels"][0]["asOf"],
        Value::Null
    );
    let later = run_of_maintenance(&world, "12:40:00").await;
    let arguments = json!({"p_run": run["run"], "p_fence": run["fence"], "p_now": at("12:40:00")});
    assert_eq!(
        world.call("ops_refresh_funnels", arguments).await["outcome"],
        "superseded"
    );
    assert_eq!(refresh(&world, &later, "12:40:00").await, 4);
}

#[tokio::test]
async fn a_funnel_that_cannot_be_counted_keeps_no_other_from_being() {
    let world = World::migrated().await;
    users(&world).await;
    set(&world, "f", &["feature:scan", "b"], 600).await;
    set(&world, "g", &["a", "b"], 600).await;
    let run = run_of_maintenance(&world, "12:00:00").await;
    assert_eq!(refresh(&world, &run, "12:00:00").await, 8);
    world
        .execute("alter table public.feature_usage drop column last_used")
        .await;
    set(&world, "g", &["a", "c"], 600).await;
    let failing = run_of_maintenance(&world, "2026-11-26T12:00:00Z").await;
    assert_eq!(refresh(&world, &failing, "2026-11-26T12:00:00Z").await, 8);
    let shown = world.dashboard(3600, "2026-11-26T12:01:00Z").await["funnels"].clone();
    assert_eq!(shown[0]["asOf"], "2026-11-24T12:00:00+00:00");
    assert!(
        shown[0]["failure"].as_str().unwrap().contains("last_used"),
        "{shown}"
    );
    assert_eq!(
        (&shown[1]["asOf"], &shown[1]["failure"]),
        (&json!("2026-11-26T12:00:00+00:00"), &Value::Null)
    );
}

#[tokio::test]
async fn a_count_that_is_cut_off_is_noted_as_one_that_takes_too_long() {
    let world = World::migrated().await;
    set(&world, "f", &["a", "b"], 600).await;
    world
        .execute(
            "create or replace function ops.funnel_people(
                 p_funnel ops.funnels, p_from timestamptz, p_to timestamptz, p_environment text, p_by text
             )
             returns table (mark text, waits double precision[]) language sql
             as $$ select null::text, '{0}'::double precision[] from pg_sleep(60) $$",
        )
        .await;
    world.execute("set statement_timeout = '200ms'").await;
    let due =
        "select ops.refresh_funnel(ops.due_funnel('2026-11-24T12:00:00Z'), '2026-11-24T12:00:00Z')";
    world.execute(due).await;
    world.execute("reset statement_timeout").await;
    assert_eq!(
        world
            .rows("select days, as_of, failure from ops.funnel_results")
            .await,
        json!([{"days": 1, "as_of": null, "failure": "it takes longer than a call may"}])
    );
}
