//! `/api/cron/maintenance`: part by part to the end, once per slot, and whole
//! after a kill.

use std::{
    cmp::Ordering as Order,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use http::StatusCode;
use local_supabase::fault::{Mode, Service};
use ops::{endpoint::Endpoint, function::Function};
use serde_json::{Value, json};

use crate::{
    proxy::{self, Verdict},
    support::{Bundle, get},
};

const PATH: &str = "/api/cron/maintenance";

/// Forty days of samples, more than one part rolls up. They end the day before yesterday,
/// because yesterday is rolled up only some minutes after midnight.
async fn forty_days(bundle: &Bundle) {
    bundle
        .admin()
        .await
        .batch_execute(
            "insert into ops.checks (name, kind, service, every_seconds, critical, environment, created_at, last_seen_at)
             select name, 'dependency', name, 3600, false, 'production', now(), now()
             from unnest('{a,b,c,d,e,f}'::text[]) as name;
             insert into ops.samples (check_name, at, status, valid_seconds, run, environment)
             select name, hour, case when extract(hour from hour) = 3 then 'down' else 'up' end, 7200,
                    gen_random_uuid(), 'production'
             from unnest('{a,b,c,d,e,f}'::text[]) as name,
                  generate_series(
                      date_trunc('day', now(), 'UTC') - interval '42 days',
                      date_trunc('day', now(), 'UTC') - interval '49 hours',
                      interval '1 hour'
                  ) as hour",
        )
        .await
        .unwrap();
}

async fn maintain(bundle: &Bundle, app: &Function, secret: &str) -> (StatusCode, Value) {
    let answer = get(app, PATH).bearer(bundle.secret(secret)).send().await;
    (answer.status, answer.json())
}

/// What is rolled up and what is left, in figures; days of which nothing is known aside.
async fn state(bundle: &Bundle) -> String {
    let sql = "select concat_ws(' ',
                   (select count(*) from ops.uptime_days where up + down > 0),
                   (select sum(up + down) from ops.uptime_days),
                   (select count(*) from ops.uptime_spans),
                   (select sum(extract(epoch from ended_at - started_at)) from ops.uptime_spans))";
    bundle
        .admin()
        .await
        .query_one(sql, &[])
        .await
        .unwrap()
        .get(0)
}

#[tokio::test]
async fn everything_is_rolled_up_in_one_run_and_once_a_slot() {
    let bundle = Bundle::start().await;
    forty_days(&bundle).await;
    let app = bundle.instance(Endpoint::Maintenance);
    let (status, body) = maintain(&bundle, &app, "CRON_SECRET").await;
    assert_eq!(
        (status, &body["outcome"]),
        (StatusCode::OK, &json!("done")),
        "{body}"
    );
    assert!(body["parts"].as_u64() > Some(1), "{body}");
    let done = state(&bundle).await;
    // Of six checks 41 days, and 961 hours: the last sample speaks for two.
    assert_eq!(done, "246 20757600.000000 5766 20757600.000000");

    let (status, body) = maintain(&bundle, &app, "CRON_SECRET").await;
    assert_eq!(
        (status, &body["outcome"]),
        (StatusCode::OK, &json!("skipped")),
        "{body}"
    );
    let (_, body) = maintain(&bundle, &app, "MONITORING_API_KEY").await;
    assert_eq!(
        (&body["outcome"], &body["parts"]),
        (&json!("done"), &json!(1))
    );
    assert_eq!(state(&bundle).await, done);
}

/// At each of its requests in turn the run never hears the answer and nothing
/// after that reaches the database; the next run ends where any other would.
#[tokio::test]
async fn a_run_that_is_cut_off_anywhere_is_finished_by_the_next() {
    let mut expected = None;
    for cut in 1..=5 {
        let mut bundle = Bundle::start().await;
        forty_days(&bundle).await;
        let upstream = bundle.env["SUPABASE_URL"].clone();
        let calls = Arc::new(AtomicUsize::new(0));
        let seen = Arc::clone(&calls);
        let proxy = proxy::in_front_of(upstream.clone(), move |_| {
            match (seen.fetch_add(1, Ordering::SeqCst) + 1).cmp(&cut) {
                Order::Less => Verdict::Pass,
                Order::Equal => Verdict::LoseAnswer,
                Order::Greater => Verdict::Refuse(StatusCode::SERVICE_UNAVAILABLE),
            }
        })
        .await;
        bundle.env.insert("SUPABASE_URL".into(), proxy.url());
        let app = bundle.instance(Endpoint::Maintenance);
        maintain(&bundle, &app, "MONITORING_API_KEY").await;

        bundle.env.insert("SUPABASE_URL".into(), upstream);
        // Its lease is over.
        let over = "update ops.jobs set lease_until = now() where job = 'maintenance'";
        bundle.admin().await.batch_execute(over).await.unwrap();
        let app = bundle.instance(Endpoint::Maintenance);
        let (_, body) = maintain(&bundle, &app, "MONITORING_API_KEY").await;
        assert_eq!(body["outcome"], "done", "cut at {cut}: {body}");
        let found = state(&bundle).await;
        assert_eq!(
            *expected.get_or_insert_with(|| found.clone()),
            found,
            "cut at {cut}"
        );
    }
}

#[tokio::test]
async fn a_database_that_is_away_is_a_failed_run() {
    let bundle = Bundle::start().await;
    bundle.fault(Service::Database, Mode::Status).await;
    let app = bundle.instance(Endpoint::Maintenance);
    let (status, body) = maintain(&bundle, &app, "CRON_SECRET").await;
    assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(
        (&body["job"], &body["outcome"]),
        (&json!("maintenance"), &json!("failed"))
    );
}
