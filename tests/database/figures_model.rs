//! Figures against the rows that they are of: whatever the application writes, in
//! whatever order it commits, and whenever it is rolled up, in part, twice or by a
//! roll-up that is killed, every window says what its rows say.
//!
//! `FIGURES=50 cargo test --test database figures_model` plays more histories, from the
//! `SEED=` that a run prints.

use serde_json::{Value, json};
use tokio_postgres::Client;

use crate::{
    chance::{Dice, any_seed, wanted},
    support::{World, array, at},
};

/// How many histories are played, and of how many steps, unless the environment says
/// otherwise.
const HISTORIES: u64 = 3;
const STEPS: u64 = 40;

/// Ages of windows in minutes: around every edge that a window can have.
const WINDOWS: [u64; 10] = [1, 59, 60, 61, 719, 1440, 2879, 4321, 10_080, 150_000];

fn pick<'a>(dice: &mut Dice, words: &[&'a str]) -> &'a str {
    words[usize::try_from(dice.roll(words.len() as u64)).unwrap()]
}

/// A time up to noon: of the last minutes, hours, days or months, often on an edge, and
/// now and then one that has not come yet.
fn time(dice: &mut Dice) -> String {
    let seconds = match dice.roll(10) {
        0..4 => dice.roll(600),
        4 => 60 * dice.roll(180),
        5 => 3600 * dice.roll(100),
        6 => 86_400 * dice.roll(9),
        7 => dice.roll(4 * 86_400),
        8 => dice.roll(110 * 86_400),
        _ => {
            return format!(
                "timestamptz '{}' + interval '{} s'",
                at("12:00:00"),
                1 + dice.roll(9000)
            );
        }
    };
    format!("timestamptz '{}' - interval '{seconds} s'", at("12:00:00"))
}

fn number(dice: &mut Dice) -> String {
    match dice.roll(12) {
        0 => "'NaN'".to_owned(),
        1 => "-1.5".to_owned(),
        2 => "0".to_owned(),
        _ => format!("{}.{:03}", dice.roll(4000), dice.roll(1000)),
    }
}

/// A statement of the application, of one row or of several.
fn statement(dice: &mut Dice) -> String {
    let (table, columns) = [
        (
            "api_usage_metrics",
            "endpoint, method, status_code, response_time, user_id, timestamp",
        ),
        (
            "analytics_events",
            "event_name, user_id, session_id, environment, timestamp",
        ),
        (
            "error_logs",
            "message, severity, context, environment, timestamp",
        ),
        (
            "performance_metrics",
            "name, value, unit, metadata, environment, timestamp",
        ),
        (
            "business_metrics",
            "metric_name, metric_value, environment, timestamp",
        ),
        (
            "user_sessions",
            "device_type, duration_seconds, page_views, session_start",
        ),
        (
            "feature_usage",
            "feature_name, usage_count, success_rate, date",
        ),
    ][usize::try_from(dice.roll(7)).unwrap()];
    let rows: Vec<String> = (0..=dice.roll(6)).map(|_| row(dice, table)).collect();
    format!(
        "insert into public.{table} ({columns}) values {}",
        rows.join(", ")
    )
}

fn row(dice: &mut Dice, table: &str) -> String {
    let (when, number) = (time(dice), number(dice));
    let user = match dice.roll(4) {
        0 => "null".to_owned(),
        _ => format!(
            "'00000000-0000-4000-8000-00000000000{}'::uuid",
            dice.roll(6)
        ),
    };
    let environment = pick(dice, &["production", "production", "preview"]);
    match table {
        "api_usage_metrics" => {
            let status = pick(dice, &["200", "200", "301", "404", "401", "500", "0"]);
            let endpoint = pick(dice, &["/a", "/b?c=1", "/b?c=2"]);
            format!("('{endpoint}', 'GET', {status}, {number}, {user}, {when})")
        }
        "analytics_events" => {
            let event = pick(dice, &["wine_added", "page_view", "x"]);
            format!(
                "('{event}', {user}, 's{}', '{environment}', {when})",
                dice.roll(8)
            )
        }
        "error_logs" => {
            let message = pick(dice, &["it broke", "it broke 7 times", "it broke 8 times"]);
            let severity = pick(dice, &["low", "medium", "high", "critical"]);
            let category = pick(dice, &["database", "network"]);
            format!(
                "('{message}', '{severity}', '{{\"category\": \"{category}\"}}', '{environment}', {when})"
            )
        }
        "performance_metrics" => {
            let name = pick(dice, &["LCP", "page_load_time", "custom"]);
            format!("('{name}', {number}, 'ms', '{{\"page\": \"/p\"}}', '{environment}', {when})")
        }
        "business_metrics" => {
            let name = pick(dice, &["revenue", "wine_consumed"]);
            format!("('{name}', {number}, '{environment}', {when})")
        }
        "user_sessions" => {
            let device = pick(dice, &["mobile", "desktop"]);
            format!(
                "('{device}', {}, {}, {when})",
                dice.roll(4000),
                dice.roll(9)
            )
        }
        _ => format!(
            "('f{}', {}, 90, ({when})::date)",
            dice.roll(3),
            1 + dice.roll(5)
        ),
    }
}

/// What the application does to rows that it has written.
fn change(dice: &mut Dice) -> String {
    match dice.roll(3) {
        0 => format!(
            "update public.user_sessions set duration_seconds = duration_seconds + {}, page_views = 3 where page_views = {}",
            dice.roll(500),
            dice.roll(9)
        ),
        1 => {
            "update public.user_sessions set device_type = 'tablet' where duration_seconds % 3 = 0"
                .to_owned()
        }
        _ => format!(
            "update public.feature_usage set usage_count = usage_count + 1 where feature_name = 'f{}'",
            dice.roll(3)
        ),
    }
}

/// A window that begins so many minutes before noon, where the tests look.
#[derive(Clone, Copy)]
struct Window(u64);

impl Window {
    fn now() -> String {
        format!("timestamptz '{}'", at("12:00:00"))
    }

    /// When figures of a kind begin.
    fn from(self, kind: &str) -> String {
        let now = Self::now();
        format!(
            "ops.window_from('{kind}', {now} - interval '{} min', {now})",
            self.0
        )
    }

    /// The condition of rows that belong to it.
    fn within(self, kind: &str) -> String {
        format!(
            "\"timestamp\" > {} and \"timestamp\" <= {}",
            self.from(kind),
            Self::now()
        )
    }

    fn figures(self, kind: &str, environment: &str) -> String {
        format!(
            "from ops.sum_figures('{kind}', '{environment}', {}, {}) as f",
            self.from(kind),
            Self::now()
        )
    }
}

/// The condition of a number that is real.
fn real(column: &str) -> String {
    format!("({column} between 0 and 1e12)")
}

/// What figures say and what rows say, by name.
fn pair(what: &str, figures: &str, rows: &str) -> String {
    format!(
        "select '{what}' as what,
            (select jsonb_object_agg(k, v order by k) from ({figures}) as figures (k, v)) as figures,
            (select jsonb_object_agg(k, v order by k) from ({rows}) as rows (k, v)) as rows"
    )
}

/// The pairs of what knows no environment.
fn pairs(window: Window) -> Vec<String> {
    let (minutes, now) = (window.0, Window::now());
    vec![
        pair(
            "requests",
            &format!("select 'all', jsonb_build_array(requests, failures, refused, fast) from ops.sum_requests({now} - interval '{minutes} min', {now}, {now}, 'production')"),
            &format!("select 'all', jsonb_build_array(count(*), count(*) filter (where status_code >= 500), count(*) filter (where status_code in (401, 403)), count(*) filter (where response_time >= 0 and response_time < 500)) from public.api_usage_metrics where status_code between 100 and 599 and {}", window.within("requests")),
        ),
        pair(
            "endpoints",
            &format!("select name, jsonb_build_array(n, tallies[2], tallies[3], tallies[4], tallies[5], tallies[6], tallies[7], left_out, measured, trim_scale(total), trim_scale(low), trim_scale(high)) {}", window.figures("request", "")),
            &format!("select method || ' ' || split_part(endpoint, '?', 1), jsonb_build_array(count(*),
                count(*) filter (where status_code = 200), count(*) filter (where status_code = 301), count(*) filter (where status_code = 404),
                count(*) filter (where status_code = 500), count(*) filter (where status_code = 401), count(*) filter (where status_code = 0),
                count(*) filter (where not {0}), count(*) filter (where {0}), trim_scale(coalesce(sum(response_time) filter (where {0}), 0)),
                trim_scale(min(response_time) filter (where {0})), trim_scale(max(response_time) filter (where {0})))
                from public.api_usage_metrics where {1} group by 1", real("response_time"), window.within("request")),
        ),
        pair(
            "actives",
            &format!("select 'production', to_jsonb(ops.active_users({now} - interval '{minutes} min', {now}, 'production'))"),
            &format!("select 'production', to_jsonb(count(distinct user_id)) from (
                select user_id, \"timestamp\" from public.api_usage_metrics union all
                select user_id, \"timestamp\" from public.analytics_events where environment = 'production') as seen where {}", window.within("people")),
        ),
        pair(
            "newcomers",
            &format!("select 'production', to_jsonb(ops.new_users({now} - interval '{minutes} min', {now}, 'production'))"),
            &format!("select 'production', to_jsonb(count(*)) from (select user_id, min(\"timestamp\") as \"timestamp\" from (
                select user_id, \"timestamp\" from public.api_usage_metrics union all
                select user_id, \"timestamp\" from public.analytics_events where environment = 'production') as seen where user_id is not null group by 1) as first where {}", window.within("people")),
        ),
        pair(
            "sessions",
            &format!("select name || ' ' || part, jsonb_build_array(n, trim_scale(total), counts) {}", window.figures("session", "")),
            &format!("select device_type || ' ' || part, jsonb_build_array(count(*), sum(value), (select array_agg(n order by bucket) from (
                    select case when r.value = 0 then -2000 else 2 * ceil(ln(r.value::float8) / ln(1.04080804::float8)) end as bucket, count(*) as n
                    from public.user_sessions as o cross join lateral (values ('seconds', o.duration_seconds), ('views', o.page_views), ('events', o.events_count)) as r (part, value)
                    where o.device_type = s.device_type and r.part = p.part and o.session_start > {0} and o.session_start <= {now} group by 1) as b))
                from public.user_sessions as s cross join lateral (values ('seconds', duration_seconds), ('views', page_views), ('events', events_count)) as p (part, value)
                where session_start > {0} and session_start <= {now} group by device_type, part", window.from("session")),
        ),
        pair(
            "features",
            &format!("select name, jsonb_build_array(n, trim_scale(total)) from ops.sum_figures('feature', '', date_bin('1 day', {now} - interval '{minutes} min', '1970-01-05Z'), {now}) where part = 'uses'"),
            &format!("select feature_name, jsonb_build_array(count(*), sum(usage_count)) from public.feature_usage
                where date >= (date_bin('1 day', {now} - interval '{minutes} min', '1970-01-05Z') at time zone 'UTC')::date and date <= '2026-11-24' group by 1"),
        ),
    ]
}

/// The pairs of what knows an environment.
fn pairs_of(environment: &str, window: Window) -> Vec<String> {
    let (minutes, now) = (window.0, Window::now());
    let mut all = Vec::new();
    let here = |kind: &str| format!("environment = '{environment}' and {}", window.within(kind));
    all.push(pair(
        "events",
        &format!("select name, n {}", window.figures("event", environment)),
        &format!(
            "select event_name, count(*) from public.analytics_events where {} group by 1",
            here("event")
        ),
    ));
    all.push(pair(
        "categories",
        &format!("select name, jsonb_build_array(n, tallies[1], tallies[2], tallies[3], tallies[4]) {}", window.figures("errors", environment)),
        &format!("select context ->> 'category', jsonb_build_array(count(*), count(*) filter (where severity = 'low'), count(*) filter (where severity = 'medium'),
            count(*) filter (where severity = 'high'), count(*) filter (where severity = 'critical')) from public.error_logs where {} group by 1", here("errors")),
    ));
    all.push(pair(
        "kinds of error",
        &format!("select name, jsonb_build_array(sum(n), min(first_at), max(last_at)) from ops.read_figures('error', '{environment}', {}, {now}) group by 1", window.from("error")),
        &format!("select ops.message_key(message), jsonb_build_array(count(*), min(\"timestamp\"), max(\"timestamp\")) from public.error_logs where {} group by 1", here("error")),
    ));
    all.push(pair(
        "metrics",
        &format!("select name, jsonb_build_array(n, left_out, measured, trim_scale(total)) {}", window.figures("metric", environment)),
        &format!("select name, jsonb_build_array(count(*), count(*) filter (where not {0}), count(*) filter (where {0}), trim_scale(coalesce(sum(value) filter (where {0}), 0)))
            from public.performance_metrics where {1} group by 1", real("value"), here("metric")),
    ));
    all.push(pair(
        "pages",
        &format!("select name, n {}", window.figures("page", environment)),
        &format!("select 'LCP /p', count(*) from public.performance_metrics where name = 'LCP' and {} having count(*) > 0", here("page")),
    ));
    all.push(pair(
        "business",
        &format!("select name, jsonb_build_array(sum(n), sum(measured), trim_scale(sum(total)), trim_scale(min(low)), trim_scale(max(high))) {} group by 1", window.figures("business", environment)),
        &format!("select metric_name, jsonb_build_array(count(*), count(*) filter (where {0}), trim_scale(coalesce(sum(metric_value) filter (where {0}), 0)),
            trim_scale(min(metric_value) filter (where {0})), trim_scale(max(metric_value) filter (where {0})))
            from public.business_metrics where {1} group by 1", "metric_value <> 'NaN'", here("business")),
    ));
    // Session ids are remembered for ninety days.
    if minutes <= 10_080 {
        all.push(pair(
            "visits",
            &format!("select 'all', to_jsonb(ops.count_visits({now} - interval '{minutes} min', {now}, '{environment}'))"),
            &format!("select 'all', to_jsonb(count(*)) from (select session_id, min(\"timestamp\") as \"timestamp\" from public.analytics_events
                where environment = '{environment}' and \"timestamp\" > '2026-08-26T00:00:00Z' group by 1) as first where {}", window.within("visit")),
        ));
    }
    all
}

/// All pairs as one query. Rows are bounded as the window is.
fn comparisons(minutes: u64) -> String {
    let window = Window(minutes);
    let mut all = pairs(window);
    for environment in ["production", "preview"] {
        all.extend(pairs_of(environment, window));
    }
    all.join(" union all ")
}

/// Fails where a window of figures says something else than its rows.
async fn compare(world: &World, story: &[String]) {
    // Compiling these statements would take longer than running them.
    world.execute("set jit = off").await;
    for minutes in WINDOWS {
        let compared = world.rows(&comparisons(minutes)).await;
        for one in array(&compared) {
            assert_eq!(
                one["figures"],
                one["rows"],
                "{} of the last {minutes} minutes, after:\n{}",
                one["what"],
                story.join(";\n")
            );
        }
        quantiles(world, minutes).await;
    }
}

async fn quantiles(world: &World, minutes: u64) {
    let now = at("12:00:00");
    let compared = world
        .rows(&format!(
            "select fraction, ops.quantile(f.buckets, f.counts, f.low, f.high, fraction) as read, exact.value as exact
             from unnest('{{0,0.5,0.75,0.95,0.99,1}}'::float8[]) as fraction
             cross join ops.measure('requests', '', timestamptz '{now}' - interval '{minutes} min', '{now}', '') as f
             cross join lateral (
                 select percentile_cont(fraction) within group (order by response_time) as value
                 from public.api_usage_metrics
                 where response_time between 0 and 1e12 and \"timestamp\" <= '{now}'
                     and \"timestamp\" > ops.window_from('requests', timestamptz '{now}' - interval '{minutes} min', '{now}')
             ) as exact"
        ))
        .await;
    for one in array(&compared) {
        match (one["read"].as_f64(), one["exact"].as_f64()) {
            (Some(read), Some(exact)) => {
                assert!(
                    (read - exact).abs() <= 0.02 * exact + 0.001,
                    "{one} of {minutes} minutes"
                );
            }
            (read, exact) => assert_eq!(read, exact, "{one}"),
        }
    }
}

async fn roll_up(client: &Client, limit: u64) {
    let sql = format!("select ops.roll_up_figures({limit}, '{}')", at("12:00:00"));
    client.batch_execute(&sql).await.unwrap();
}

/// One history: three writers with transactions that overlap, and roll-ups between.
async fn play(seed: u64, steps: u64) {
    let world = World::migrated().await;
    world
        .execute(
            "insert into auth.users (id) select ('00000000-0000-4000-8000-00000000000' || n)::uuid
             from generate_series(0, 9) as n",
        )
        .await;
    let mut dice = Dice(seed);
    let mut story = vec![format!("SEED={seed}")];
    let writers = [
        world.session().await,
        world.session().await,
        world.session().await,
    ];
    let roller = world.session().await;
    let mut open = [false; 3];
    for _ in 0..steps {
        let one = usize::try_from(dice.roll(3)).unwrap();
        let writer = &writers[one];
        match dice.roll(10) {
            0..5 => {
                if !open[one] && dice.roll(2) == 0 {
                    writer.batch_execute("begin").await.unwrap();
                    open[one] = true;
                }
                let sql = statement(&mut dice);
                story.push(format!("{one}: {sql}"));
                writer.batch_execute(&sql).await.unwrap();
            }
            5 => {
                // A row that another transaction has changed would be waited for.
                for other in 0..3 {
                    end(&writers[other], &mut open[other], "commit").await;
                }
                let sql = change(&mut dice);
                story.push(format!("{one}: {sql}"));
                writer.batch_execute(&sql).await.unwrap();
            }
            6 => {
                let how = pick(&mut dice, &["commit", "commit", "rollback"]);
                story.push(format!("{one}: {how}"));
                end(writer, &mut open[one], how).await;
            }
            7 => {
                story.push("a roll-up is killed".to_owned());
                roller.batch_execute("begin").await.unwrap();
                roll_up(&roller, 1 + dice.roll(50)).await;
                roller.batch_execute("rollback").await.unwrap();
            }
            _ => {
                let limit = 1 + dice.roll(30);
                story.push(format!("a roll-up of {limit}"));
                roll_up(&roller, limit).await;
            }
        }
        if dice.roll(8) == 0 {
            compare(&world, &story).await;
        }
    }
    for (writer, open) in writers.iter().zip(&mut open) {
        end(writer, open, "commit").await;
    }
    compare(&world, &story).await;
    roll_up(&roller, 100_000).await;
    roll_up(&roller, 100_000).await;
    compare(&world, &story).await;
    let due = format!(
        "(select count(*) from ops.pending_figures where at < '{}')",
        at("12:00:00")
    );
    assert_eq!(world.value(&due).await, json!(0), "SEED={seed}");
    assert_eq!(
        world
            .value("(select count(*) from ops.uncounted_rows)")
            .await,
        json!(0)
    );
}

async fn end(writer: &Client, open: &mut bool, how: &str) {
    if std::mem::take(open) {
        writer.batch_execute(how).await.unwrap();
    }
}

#[tokio::test]
async fn whatever_is_written_and_rolled_up_every_window_says_what_its_rows_say() {
    let first = wanted("SEED").unwrap_or_else(any_seed);
    println!("histories from SEED={first}");
    for seed in first..first + wanted("FIGURES").unwrap_or(HISTORIES) {
        play(seed, STEPS).await;
    }
}

/// The triggers come while the application writes, and former rows are counted while it
/// goes on: each row is counted once.
#[tokio::test]
async fn rows_of_before_the_triggers_and_of_after_are_counted_once() {
    let seed = wanted("SEED").unwrap_or_else(any_seed);
    println!("SEED={seed}");
    let mut dice = Dice(seed);
    let world = World::migrated().await;
    world
        .execute(
            "insert into auth.users (id) select ('00000000-0000-4000-8000-00000000000' || n)::uuid
             from generate_series(0, 9) as n;
             set session_replication_role = replica",
        )
        .await;
    for _ in 0..150 {
        world.execute(&statement(&mut dice)).await;
    }
    world
        .execute(
            "set session_replication_role = origin;
             update ops.counted_tables
             set finished = false, key = null, at = 'infinity', id = 'ffffffff-ffff-ffff-ffff-ffffffffffff'
             where finished",
        )
        .await;
    let counting = async {
        let counter = world.session().await;
        let mut idle = 0;
        // Many in a row that do nothing: all is counted, or the writers keep a place.
        while idle < 20 {
            let sql = format!("select ops.count_former_rows(7, '{}')", at("12:00:00"));
            let row = counter.query_one(&sql, &[]).await.unwrap();
            idle = if row.get::<_, i32>(0) == 0 {
                idle + 1
            } else {
                0
            };
        }
    };
    let writer = |seed: u64| {
        let world = &world;
        async move {
            let mut dice = Dice(seed);
            let client = world.session().await;
            for _ in 0..25 {
                client.batch_execute("begin").await.unwrap();
                client.batch_execute(&statement(&mut dice)).await.unwrap();
                if dice.roll(3) == 0 {
                    client.batch_execute(&change(&mut dice)).await.unwrap();
                }
                let how = pick(&mut dice, &["commit", "commit", "rollback"]);
                client.batch_execute(how).await.unwrap();
            }
        }
    };
    tokio::join!(counting, writer(seed + 1));
    let rest = "select ops.count_former_rows(1000, '2026-11-24T12:00:00Z')";
    while world
        .admin
        .query_one(rest, &[])
        .await
        .unwrap()
        .get::<_, i32>(0)
        > 0
    {}
    let unfinished = "(select count(*) from ops.counted_tables where not finished)";
    assert_eq!(world.value(unfinished).await, json!(0));
    compare(&world, &[format!("SEED={seed}")]).await;
    let roller = world.session().await;
    roll_up(&roller, 100_000).await;
    compare(&world, &[format!("SEED={seed}, rolled up")]).await;
    assert_eq!(
        world
            .value("(select count(*) from ops.uncounted_rows)")
            .await,
        Value::from(0)
    );
}
