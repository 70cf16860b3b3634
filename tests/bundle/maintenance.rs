//! `/api/cron/maintenance`: part by part to the end, once per slot, and whole
//! after a kill.

use std::{
    cmp::Ordering as Order,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use http::StatusCode;
use local_supabase::fault::{Mode, Service};
use ops::{endpoint::Endpoint, function::Function};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
    task::JoinHandle,
};

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

#[tokio::test]
async fn funnels_are_counted_anew_once_everything_else_is_done() {
    let bundle = Bundle::start().await;
    bundle
        .admin()
        .await
        .batch_execute("select public.ops_set_funnel('f', '{a,b}', 60, 'test')")
        .await
        .unwrap();
    let app = bundle.instance(Endpoint::Maintenance);
    for (expected, why) in [(4, "one of each range"), (0, "none is old yet")] {
        let (_, body) = maintain(&bundle, &app, "MONITORING_API_KEY").await;
        assert_eq!(
            (&body["outcome"], &body["funnels"]),
            (&json!("done"), &json!(expected)),
            "{why}: {body}"
        );
    }
}

/// At each of its requests in turn the run never hears the answer and nothing
/// after that reaches the database; the next run ends where any other would.
#[tokio::test]
async fn a_run_that_is_cut_off_anywhere_is_finished_by_the_next() {
    let mut expected = None;
    for cut in 1..=6 {
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

/// A calendar on this machine, whose answer a test may change.
struct Feed {
    url: String,
    answer: Arc<Mutex<(u16, String)>>,
    accepting: JoinHandle<()>,
}

impl Feed {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/secret.ics", listener.local_addr().unwrap());
        let answer = Arc::new(Mutex::new((404, String::new())));
        let given = Arc::clone(&answer);
        let accepting = tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut request = [0; 4096];
                let _read = stream.read(&mut request).await;
                let (status, body) = given.lock().unwrap().clone();
                let head = format!(
                    "HTTP/1.1 {status} X\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
                    body.len()
                );
                let _written = stream.write_all((head + &body).as_bytes()).await;
            }
        });
        Self {
            url,
            answer,
            accepting,
        }
    }

    /// Today and tomorrow belong to somebody, in whole days.
    fn says(&self, name: &str) {
        let today = outside::clock::now().strftime("%Y%m%d");
        let body = format!(
            "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nSUMMARY:On call: {name}\r\n\
             DTSTART;VALUE=DATE:{today}\r\nDURATION:P2D\r\nEND:VEVENT\r\n\
             BEGIN:VEVENT\r\nSUMMARY:Yearly\r\nDTSTART;VALUE=DATE:{today}\r\n\
             RRULE:FREQ=YEARLY\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
        );
        *self.answer.lock().unwrap() = (200, body);
    }

    fn is_gone(&self) {
        *self.answer.lock().unwrap() = (410, "gone".to_owned());
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// Who has the rotation now and what is known of its calendar, after another run.
async fn after_a_run(bundle: &Bundle, app: &Function) -> (Value, String) {
    let (status, answer) = maintain(bundle, app, "MONITORING_API_KEY").await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    let row = bundle
        .admin()
        .await
        .query_one(
            "with told as (
                 update ops.calendars set asked_at = null where true returning rotation, error, left_out, url
             )
             select concat_ws(' | ', ops.list_duty(now()) #>> '{0,name}', error, left_out::text) from told",
            &[],
        )
        .await
        .unwrap();
    (answer["calendars"].clone(), row.get(0))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_calendar_is_read_anew_by_each_run_and_stays_in_force_once_it_is_gone() {
    let bundle = Bundle::start().await;
    let app = bundle.instance(Endpoint::Maintenance);
    let feed = Feed::start().await;
    let admin = bundle.admin().await;
    let setup = format!(
        "insert into ops.contacts (id, name, role, email, updated_at, updated_by)
         select gen_random_uuid(), name, 'on_call_primary', name || '@wine.example', now(), 'test'
         from unnest('{{Ada,Bo}}'::text[]) as name;
         insert into ops.rotations values (gen_random_uuid(), 'Primary', 'on_call_primary', now(), 'test');
         insert into ops.calendars (rotation, url, zone, added_at, added_by)
         select id, '{}', 'UTC', now(), 'test' from ops.rotations",
        feed.url
    );
    admin.batch_execute(&setup).await.unwrap();

    let left_out = r#"[{"why": "FREQ=YEARLY in its rule is not understood", "event": "Yearly"}]"#;
    feed.says("Ada");
    let (report, told) = after_a_run(&bundle, &app).await;
    assert_eq!(report, json!({"read": 1, "failed": 0}));
    assert_eq!(told, format!("Ada | {left_out}"));
    feed.says("Bo");
    assert_eq!(
        after_a_run(&bundle, &app).await.1,
        format!("Bo | {left_out}")
    );
    feed.is_gone();
    let (report, told) = after_a_run(&bundle, &app).await;
    assert_eq!(report, json!({"read": 0, "failed": 1}));
    assert_eq!(told, format!("Bo | HTTP 410 | {left_out}"));
}
