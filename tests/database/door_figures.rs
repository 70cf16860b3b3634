//! What comes in by the door, in the figures that the dashboard shows.

use serde_json::{Value, json};
use tokio_postgres::Client;

use crate::{
    chance::{Dice, any_seed, wanted},
    support::{World, array, at},
};

/// How many histories are played, and of how many batches, unless the environment says
/// otherwise.
const HISTORIES: u64 = 4;
const BATCHES: u64 = 12;

async fn key(world: &World) -> i64 {
    let key = world
        .call(
            "ops_add_door_key",
            json!({"p_name": "app", "p_origins": [], "p_items_a_minute": 1_000_000,
                   "p_items_a_day": 1_000_000, "p_by": "anna", "p_now": at("09:00:00")}),
        )
        .await;
    key["id"].as_i64().unwrap()
}

fn item(nth: u32, kind: &str, name: &str, fields: &Value) -> Value {
    let mut item = json!({
        "id": uuid::Uuid::from_u128(u128::from(nth)), "kind": kind, "time": at("11:30:00"),
        "environment": "production", "name": name, "detail": {},
    });
    item.as_object_mut()
        .unwrap()
        .extend(fields.as_object().unwrap().clone());
    item
}

async fn take(world: &World, key: i64, source: &str, visitor: Option<&str>, items: &[Value]) {
    let taken = world
        .call(
            "ops_take_items",
            json!({"p_key": key, "p_source": source, "p_origin": null, "p_visitor": visitor,
                   "p_items": items, "p_now": at("11:31:00")}),
        )
        .await;
    assert_eq!(taken["taken"], items.len());
}

async fn dashboard(world: &World, now: &str) -> Value {
    world
        .call(
            "ops_dashboard",
            json!({"p_seconds": 3600, "p_environment": "production", "p_now": at(now)}),
        )
        .await
}

async fn set(world: &World, setting: &str, value: &Value) {
    world
        .call(
            "ops_set_setting",
            json!({"p_key": setting, "p_value": value, "p_by": "anna"}),
        )
        .await;
}

fn request(nth: u32, status: u16) -> Value {
    item(
        nth,
        "request",
        "/api/wines",
        &json!({"method": "GET", "status": status, "value": 40}),
    )
}

/// An item of each kind, some of two people.
fn one_of_each() -> Vec<Value> {
    let by = |person: &str, more: &Value| {
        let mut by =
            json!({"person": person, "session": format!("s-{person}"), "release": "1.4.2"});
        by.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        by
    };
    vec![
        request(1, 200),
        request(2, 503),
        item(
            3,
            "span",
            "api.openai.com",
            &json!({"status": 200, "value": 900}),
        ),
        item(
            4,
            "span",
            "api.openai.com",
            &json!({"detail": {"failed": true}}),
        ),
        item(
            5,
            "page_view",
            "/wines",
            &by("u1", &json!({"detail": {"deviceType": "mobile"}})),
        ),
        item(
            6,
            "page_view",
            "/wines/[id]",
            &by("u1", &json!({"time": at("11:30:30")})),
        ),
        item(
            7,
            "event",
            "wine_added",
            &by("u1", &json!({"time": at("11:30:45")})),
        ),
        item(8, "page_view", "/wines", &by("u2", &json!({}))),
        item(
            9,
            "web_vital",
            "LCP",
            &json!({"value": 1200, "release": "1.4.2", "detail": {"path": "/wines"}}),
        ),
        item(
            10,
            "web_vital",
            "INP",
            &json!({"value": 90, "detail": {"path": "/wines", "navigationType": "soft-navigation"}}),
        ),
        item(11, "metric", "revenue", &json!({"value": 12.5})),
        item(
            12,
            "error",
            "TypeError",
            &json!({"release": "1.4.2", "detail": {
            "message": "no wine", "severity": "high", "category": "database",
            "issue": {"key": "k1", "title": "TypeError: no wine", "culprit": "src/wines.ts"}}}),
        ),
        item(13, "report", "csp-violation script-src", &json!({})),
        item(
            14,
            "session",
            "ok",
            &json!({"release": "1.4.2", "detail": {"init": true}}),
        ),
        item(
            15,
            "session",
            "sessions",
            &json!({"release": "1.4.2", "detail": {"exited": 2, "crashed": 1}}),
        ),
    ]
}

#[tokio::test]
async fn each_kind_of_item_is_shown() {
    let world = World::migrated().await;
    let key = key(&world).await;
    let items = one_of_each();
    take(&world, key, "own", None, &items).await;
    let shown = dashboard(&world, "12:00:00").await;
    let performance = &shown["performance"];
    assert_eq!(
        (
            &performance["requests"],
            &performance["endpoints"][0]["failedRequests"]
        ),
        (&json!(2), &json!(1))
    );
    assert_eq!(shown["dependencies"][0]["dependency"], "api.openai.com");
    assert_eq!(shown["dependencies"][0]["failedRequests"], 1);
    assert_eq!(
        shown["pages"],
        json!([{"page": "/wines", "views": 2}, {"page": "/wines/[id]", "views": 1}])
    );
    assert_eq!(shown["business"]["winesAdded"], 1);
    assert_eq!(shown["business"]["metrics"]["revenue"]["sum"], 12.5);
    assert_eq!(shown["people"]["active"], 2);
    let sessions = &shown["sessions"];
    assert_eq!(
        (
            &sessions["visits"],
            &sessions["sessions"],
            &sessions["pageViews"],
            &sessions["events"]
        ),
        (&json!(2), &json!(2), &json!(3), &json!(1))
    );
    assert_eq!(sessions["devices"], json!({"mobile": 1, "unknown": 1}));
    assert_eq!(sessions["averageSeconds"], 22.5);
    assert_eq!(shown["door"]["taken"], items.len());
    what_went_wrong_is_shown(&shown);
    the_release_is_shown(&shown["releases"][0]);
}

fn what_went_wrong_is_shown(shown: &Value) {
    assert_eq!(shown["webVitals"]["LCP"]["pages"][0]["page"], "/wines");
    assert_eq!(shown["errors"]["errorsByCategory"], json!({"database": 1}));
    assert_eq!(
        shown["errors"]["recentErrors"][0]["message"],
        "TypeError: no wine"
    );
    assert_eq!(shown["issues"]["latest"][0]["title"], "TypeError: no wine");
    assert_eq!(shown["reports"], json!({"csp-violation script-src": 1}));
}

fn the_release_is_shown(release: &Value) {
    assert_eq!(release["release"], "1.4.2");
    assert_eq!(
        (
            &release["views"],
            &release["errors"],
            &release["sessions"],
            &release["crashFreePercent"]
        ),
        (&json!(3), &json!(1), &json!(4), &json!(75.0))
    );
    assert_eq!(release["events"], json!({"wine_added": 1}));
    assert_eq!(release["webVitals"]["LCP"]["views"], 1);
}

#[tokio::test]
async fn numbers_of_sessions_that_cannot_be_take_nothing_away() {
    let world = World::migrated().await;
    let key = key(&world).await;
    let sessions = |nth: u32, detail: Value| {
        item(
            nth,
            "session",
            "sessions",
            &json!({"release": "1", "detail": detail}),
        )
    };
    let items = [
        sessions(1, json!({"exited": 4, "crashed": 1})),
        sessions(2, json!({"exited": -3, "crashed": -9})),
        sessions(3, json!({"exited": 1e300})),
    ];
    take(&world, key, "sentry", None, &items).await;
    let release = dashboard(&world, "12:00:00").await["releases"][0].clone();
    assert_eq!(
        (&release["sessions"], &release["crashFreePercent"]),
        (&json!(1_000_005), &json!(100.0))
    );
}

#[tokio::test]
async fn figures_are_the_same_once_they_are_rolled_up() {
    let world = World::migrated().await;
    let key = key(&world).await;
    let items: Vec<_> = (1..=9)
        .map(|nth| {
            item(
                nth,
                "page_view",
                "/",
                &json!({"person": "u1", "session": "s1", "release": "1"}),
            )
        })
        .chain([
            request(10, 200),
            item(11, "web_vital", "CLS", &json!({"value": 0.1})),
        ])
        .collect();
    take(&world, key, "own", None, &items).await;
    let before = dashboard(&world, "12:00:00").await;
    let rolled = world
        .value(&format!("ops.roll_up_figures(1000, '{}')", at("12:00:00")))
        .await;
    assert!(rolled.as_i64().unwrap() > 3, "{rolled}");
    let after = dashboard(&world, "12:00:00").await;
    for section in [
        "performance",
        "pages",
        "people",
        "sessions",
        "releases",
        "webVitals",
    ] {
        assert_eq!(before[section], after[section], "{section}");
    }
}

#[tokio::test]
async fn what_the_app_writes_and_a_drain_brings_counts_once() {
    let world = World::migrated().await;
    let key = key(&world).await;
    world
        .execute(&format!(
            "insert into public.api_usage_metrics (endpoint, method, status_code, response_time, timestamp)
             values ('/api/wines', 'GET', 200, 40, '{}')",
            at("11:30:00")
        ))
        .await;
    take(&world, key, "vercel", None, &[request(1, 200)]).await;
    let shown = dashboard(&world, "12:00:00").await;
    assert_eq!(shown["performance"]["requests"], 1);
    let sources = json!([{"kind": "request", "environment": "production", "source": "vercel",
                          "lastAt": at("11:31:00"), "counted": false}]);
    assert_eq!(at_times(&shown["door"]["sources"]), at_times(&sources));

    // An operator whose app stops writing rows need not wait for a week.
    set(&world, "figures.source_quiet_hours", &json!(0)).await;
    take(&world, key, "vercel", None, &[request(2, 200)]).await;
    let shown = dashboard(&world, "12:00:00").await;
    assert_eq!(shown["performance"]["requests"], 2);
}

/// The sources without their times, whose spelling is the database's.
fn at_times(sources: &Value) -> Vec<(Value, Value, Value)> {
    let one = |source: &Value| {
        (
            source["kind"].clone(),
            source["source"].clone(),
            source["counted"].clone(),
        )
    };
    array(sources).iter().map(one).collect()
}

#[tokio::test]
async fn of_several_sources_one_is_counted_and_the_next_once_it_is_quiet() {
    let world = World::migrated().await;
    let key = key(&world).await;
    take(&world, key, "sentry", None, &[request(1, 200)]).await;
    take(&world, key, "vercel", None, &[request(2, 200)]).await;
    take(&world, key, "sentry", None, &[request(3, 200)]).await;
    take(&world, key, "otlp traces", None, &[request(4, 200)]).await;
    // Rows of Supabase are what the app asked of it.
    take(&world, key, "supabase", None, &[request(5, 503)]).await;
    let shown = dashboard(&world, "12:00:00").await;
    assert_eq!(
        shown["performance"]["requests"], 2,
        "the first, and the platform's"
    );
    let errors = take_later(&world, key, "sentry", "2026-12-03T12:00:00Z", 6).await;
    assert_eq!(
        errors, 1,
        "a week later the platform has brought nothing more"
    );
}

/// Takes a request at a later time, and returns how many the dashboard shows then.
async fn take_later(world: &World, key: i64, source: &str, now: &str, nth: u32) -> u64 {
    let request = item(
        nth,
        "request",
        "/api/wines",
        &json!({"method": "GET", "status": 200, "time": now}),
    );
    world
        .call(
            "ops_take_items",
            json!({"p_key": key, "p_source": source, "p_origin": null, "p_visitor": null,
                   "p_items": [request], "p_now": now}),
        )
        .await;
    let shown = world
        .call(
            "ops_dashboard",
            json!({"p_seconds": 3600, "p_environment": "production", "p_now": now}),
        )
        .await;
    shown["performance"]["requests"].as_u64().unwrap()
}

#[tokio::test]
async fn a_visit_counts_once_and_how_it_ended_beside_the_apps_own() {
    let world = World::migrated().await;
    let key = key(&world).await;
    let view = |nth: u32, session: &str| {
        item(
            nth,
            "page_view",
            "/",
            &json!({"session": session, "person": "u1"}),
        )
    };
    take(&world, key, "own", None, &[view(1, "a")]).await;
    take(&world, key, "vercel", None, &[view(2, "b")]).await;
    let sessions = dashboard(&world, "12:00:00").await["sessions"].clone();
    assert_eq!(
        (&sessions["sessions"], &sessions["visits"]),
        (&json!(1), &json!(1))
    );

    world
        .execute(&format!(
            "insert into public.analytics_events (event_name, session_id, timestamp) values ('x', 'c', '{0}');
             insert into public.user_sessions (duration_seconds, session_start) values (5, '{0}')",
            at("11:30:00")
        ))
        .await;
    take(&world, key, "own", None, &[view(3, "d")]).await;
    let ended = item(
        4,
        "session",
        "sessions",
        &json!({"release": "1", "detail": {"exited": 3}}),
    );
    take(&world, key, "sentry", None, &[ended]).await;
    let shown = dashboard(&world, "12:00:00").await;
    let sessions = &shown["sessions"];
    assert_eq!(
        (&sessions["sessions"], &sessions["visits"]),
        (&json!(2), &json!(2))
    );
    assert_eq!(shown["releases"][0]["sessions"], 3);
}

#[tokio::test]
async fn a_row_of_the_app_from_the_future_keeps_nothing_of_the_door_out() {
    let world = World::migrated().await;
    let key = key(&world).await;
    world
        .execute(
            "insert into public.api_usage_metrics (endpoint, method, status_code, response_time, timestamp)
             values ('/api/wines', 'GET', 200, 40, '2199-01-01T00:00:00Z')",
        )
        .await;
    take(&world, key, "vercel", None, &[request(1, 200)]).await;
    let shown = dashboard(&world, "12:00:00").await;
    assert_eq!(shown["performance"]["requests"], 1);
}

#[tokio::test]
async fn visitors_of_whom_nothing_is_known_are_no_people() {
    let world = World::migrated().await;
    let key = key(&world).await;
    let view = |nth: u32| item(nth, "page_view", "/", &json!({}));
    take(
        &world,
        key,
        "own",
        Some("203.0.113.9 Firefox"),
        &[view(1), view(2)],
    )
    .await;
    take(&world, key, "own", Some("203.0.113.9 Firefox"), &[view(3)]).await;
    take(&world, key, "own", Some("203.0.113.10 Firefox"), &[view(4)]).await;
    let device = item(5, "page_view", "/", &json!({"person": "vercel-17"}));
    take(&world, key, "own", None, &[device]).await;
    let people = dashboard(&world, "12:00:00").await["people"].clone();
    assert_eq!(
        (&people["visitors"], &people["active"]),
        (&json!(3), &json!(0))
    );
}

#[tokio::test]
async fn two_batches_of_one_visit_at_once_lose_nothing_of_it() {
    let world = World::migrated().await;
    let key = key(&world).await;
    let view = |nth: u32, time: &str| {
        let fields = json!({"session": "s1", "person": "u1", "time": at(time)});
        json!([item(nth, "page_view", "/", &fields)])
    };
    let sql = |items: &Value| {
        format!(
            "select public.ops_take_items({key}, 'own', null, null, '{items}', '{{}}', '{}')",
            at("11:31:00")
        )
    };
    let (one, other) = (world.session().await, world.session().await);
    one.batch_execute("begin").await.unwrap();
    one.batch_execute(&sql(&view(1, "11:30:00"))).await.unwrap();
    let (second, third) = (sql(&view(2, "11:30:40")), sql(&view(3, "11:29:00")));
    let waiting = other.batch_execute(&second);
    let first = async {
        one.batch_execute(&third).await.unwrap();
        one.batch_execute("commit").await.unwrap();
    };
    let (waited, ()) = tokio::join!(waiting, first);
    waited.unwrap();
    let sessions = dashboard(&world, "12:00:00").await["sessions"].clone();
    assert_eq!(
        (
            &sessions["sessions"],
            &sessions["pageViews"],
            &sessions["averageSeconds"]
        ),
        (&json!(1), &json!(3), &json!(100.0))
    );
}

/// A batch of random items, some of which came before.
fn batch(dice: &mut Dice) -> Vec<Value> {
    let one = |dice: &mut Dice| {
        let nth = u32::try_from(1 + dice.roll(200)).unwrap();
        let minute = dice.roll(90);
        let time = format!(
            "{:02}:{:02}:{:02}",
            10 + minute / 60,
            minute % 60,
            dice.roll(60)
        );
        let (kind, name) = [
            ("page_view", "/a"),
            ("page_view", "/b"),
            ("event", "wine_added"),
            ("request", "/api/a"),
            ("web_vital", "LCP"),
            ("span", "host"),
            ("metric", "revenue"),
        ][usize::try_from(dice.roll(7)).unwrap()];
        item(
            nth,
            kind,
            name,
            &json!({
                "time": at(&time),
                "environment": if dice.roll(3) == 0 { "preview" } else { "production" },
                "person": if dice.roll(3) == 0 { Value::Null } else { json!(format!("u{}", dice.roll(5))) },
                "session": if dice.roll(3) == 0 { Value::Null } else { json!(format!("s{}", dice.roll(6))) },
                "release": if dice.roll(2) == 0 { Value::Null } else { json!(format!("r{}", dice.roll(3))) },
                "status": if dice.roll(4) == 0 { 500 } else { 200 },
                "value": dice.roll(3000),
                "method": "GET",
            }),
        )
    };
    (0..=dice.roll(12)).map(|_| one(dice)).collect()
}

/// What figures say and what items say, each as text, by what it is of.
const COMPARISON: &str = "
    select environment, what, max(figures) as figures, max(items) as items
    from unnest('{production,preview}'::text[]) as environment
    cross join lateral (
        select 'view ' || name as what, n::text as figures, null as items
        from ops.sum_figures('view', environment, '2026-11-24T00:00:00Z', '2026-11-24T12:00:00Z')
        union all
        select 'view ' || name, null, count(*)::text from ops.items where kind = 'page_view' and items.environment = environment.environment group by name
        union all
        select 'event ' || name, n::text, null
        from ops.sum_figures('event', environment, '2026-11-24T00:00:00Z', '2026-11-24T12:00:00Z')
        union all
        select 'event ' || name, null, count(*)::text from ops.items where kind = 'event' and items.environment = environment.environment group by name
        union all
        select 'requests', requests || ' ' || failures, null
        from ops.sum_requests('2026-11-24T00:00:00Z', '2026-11-24T12:00:00Z', '2026-11-24T12:00:00Z', environment) where requests > 0
        union all
        select 'requests', null, count(*) || ' ' || count(*) filter (where status = 500)
        from ops.items where kind = 'request' and items.environment = environment.environment having count(*) > 0
        union all
        select 'dependency', n || ' ' || tallies[5] || ' ' || trim_scale(total), null
        from ops.sum_figures('dependency', environment, '2026-11-24T00:00:00Z', '2026-11-24T12:00:00Z')
        union all
        select 'dependency', null, count(*) || ' ' || count(*) filter (where status = 500) || ' ' || sum(value)::numeric
        from ops.items where kind = 'span' and items.environment = environment.environment having count(*) > 0
        union all
        select 'LCP', n || ' ' || trim_scale(total), null
        from ops.sum_figures('metric', environment, '2026-11-24T00:00:00Z', '2026-11-24T12:00:00Z')
        union all
        select 'LCP', null, count(*) || ' ' || sum(value)::numeric from ops.items
        where kind = 'web_vital' and items.environment = environment.environment having count(*) > 0
        union all
        select 'release ' || name || ' ' || part, n::text, null
        from ops.sum_figures('release', environment, '2026-11-24T00:00:00Z', '2026-11-24T12:00:00Z')
        union all
        select 'release ' || release || ' ' || case kind when 'page_view' then 'views' else 'LCP' end, null, count(*)::text
        from ops.items where kind in ('page_view', 'web_vital') and release is not null and items.environment = environment.environment group by release, kind
        union all
        select 'adoption ' || name, n::text, null
        from ops.sum_figures('adoption', environment, '2026-11-24T00:00:00Z', '2026-11-24T12:00:00Z')
        union all
        select 'adoption wine_added ' || release, null, count(*)::text
        from ops.items where kind = 'event' and release is not null and items.environment = environment.environment group by release
        union all
        select 'people', nullif(ops.active_users('2026-11-24T00:00:00Z', '2026-11-24T12:00:00Z', environment), 0)::text, null
        union all
        select 'people', null, nullif(count(distinct person), 0)::text
        from ops.items where kind in ('page_view', 'event', 'request') and items.environment = environment.environment
        union all
        select 'session ' || part, n || ' ' || trim_scale(total), null
        from ops.sum_figures('session', environment, '2026-11-24T00:00:00Z', '2026-11-24T12:00:00Z')
        union all
        select 'session ' || part, null, count(*) || ' ' || trim_scale(sum(value))
        from (
            select extract(epoch from max(at) - min(at)) as seconds, count(*) filter (where kind = 'page_view') as views,
                count(*) filter (where kind = 'event') as events
            from ops.items where kind in ('page_view', 'event') and session is not null and items.environment = environment.environment group by session
        ) as visits
        cross join lateral (values ('seconds', seconds), ('views', views), ('events', events)) as numbers (part, value)
        group by part
        union all
        select 'visits', nullif(ops.count_visits('2026-11-24T00:00:00Z', '2026-11-24T12:00:00Z', environment), 0)::text, null
        union all
        select 'visits', null, nullif(count(distinct session), 0)::text
        from ops.items where kind in ('page_view', 'event') and items.environment = environment.environment
    ) as compared
    group by environment, what
    having max(figures) is distinct from max(items)";

async fn bring(client: &Client, key: i64, items: &[Value]) {
    let sql = format!(
        "select public.ops_take_items({key}, 'own', null, null, '{}', '{{}}', '{}')",
        json!(items),
        at("11:31:00")
    );
    client.batch_execute(&sql).await.unwrap();
}

/// One history: batches that overlap in their items, by two clients, some of them undone, and
/// roll-ups between.
async fn play(seed: u64, batches: u64) {
    let world = World::migrated().await;
    let key = key(&world).await;
    // Compiling the comparison would take longer than running it.
    world.execute("set jit = off").await;
    let mut dice = Dice(seed);
    let clients = [world.session().await, world.session().await];
    for _ in 0..batches {
        let client = &clients[usize::try_from(dice.roll(2)).unwrap()];
        let items = batch(&mut dice);
        if dice.roll(4) == 0 {
            client.batch_execute("begin").await.unwrap();
            bring(client, key, &items).await;
            client.batch_execute("rollback").await.unwrap();
        } else {
            bring(client, key, &items).await;
        }
        if dice.roll(3) == 0 {
            let limit = 1 + dice.roll(40);
            let sql = format!("ops.roll_up_figures({limit}, '{}')", at("12:00:00"));
            world.value(&sql).await;
        }
        let different = world.rows(COMPARISON).await;
        assert_eq!(different, json!([]), "SEED={seed}");
    }
}

#[tokio::test]
async fn figures_of_items_say_what_the_items_say() {
    let seed = wanted("SEED").unwrap_or_else(any_seed);
    for nth in 0..wanted("DOOR_FIGURES").unwrap_or(HISTORIES) {
        play(seed + nth, BATCHES).await;
    }
}
