//! The built functions on real parts: a migrated database behind the gateway,
//! the sample app, and the services beside it.

use std::{collections::BTreeMap, time::Duration};

use bytes::Bytes;
use http::Request;
use local_supabase::{
    fault::{Mode, Service},
    postgres::TestDatabase,
    stack::{Stack, StackOptions},
};
use ops::migrate;
use outside::{clock, database};
use serde_json::{Value, json};

use crate::{
    binary,
    harness::{
        aws::Lambda,
        http::{Answer, request},
        sentry::Sentry,
        vercel::Vercel,
    },
};

/// Everything that the functions stand on, started for one test.
struct Parts {
    stack: Stack,
    env: BTreeMap<String, String>,
    _database: TestDatabase,
}

impl Parts {
    async fn start() -> Self {
        let schema = migrate::Schema::embedded().fingerprint();
        let database = TestDatabase::create("migrated", &schema, async |cluster, name| {
            let ca = cluster.ca_pem_path();
            let url = cluster.postgres_url(name).into();
            let mut client = database::connect(&url, ca.to_str()).await?;
            migrate::apply(&mut client, &mut |_| {}).await?;
            Ok(())
        });
        let database = database.await.unwrap();
        let options = StackOptions {
            database: database.name().to_owned(),
            ..StackOptions::default()
        };
        let stack = Stack::start(database.cluster().await.unwrap(), options)
            .await
            .unwrap();
        let mut env = stack.env();
        env.insert("VERCEL_ENV".into(), "production".into());
        Self {
            stack,
            env,
            _database: database,
        }
    }

    fn variables(&self) -> Vec<(&str, &str)> {
        self.env
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect()
    }

    /// A request that carries one of the stack's secrets.
    fn proven(&self, secret: &str, mut request: Request<Bytes>) -> Request<Bytes> {
        let value = format!("Bearer {}", self.env[secret]);
        request
            .headers_mut()
            .insert("authorization", value.parse().unwrap());
        request
    }
}

#[tokio::test]
async fn health_is_healthy_on_both_platforms() {
    let parts = Parts::start().await;
    let mut vercel = Vercel::start(binary::HEALTH, &parts.variables()).await;
    let head = vercel.ask(request("HEAD", "/api/health")).await;
    assert_eq!((head.status.as_u16(), head.body.len()), (200, 0));
    let get = vercel.ask(request("GET", "/health")).await;
    assert_eq!(get.status, 200);
    assert_eq!(get.json()["status"], "healthy", "{}", get.json());

    let mut lambda = Lambda::start(binary::HEALTH, &parts.variables()).await;
    assert_eq!(lambda.ask(request("HEAD", "/api/health")).await.status, 200);
    assert_eq!(
        lambda.ask(request("GET", "/api/health")).await.json()["status"],
        "healthy"
    );
}

#[tokio::test]
async fn a_hung_service_degrades_health_within_the_deadline() {
    let parts = Parts::start().await;
    parts
        .stack
        .set_fault(Service::Openai, Mode::Hang)
        .await
        .unwrap();
    let mut function = Vercel::start(binary::HEALTH, &parts.variables()).await;
    let asked = clock::instant();
    let answer = function.ask(request("GET", "/api/health")).await;
    let waited = clock::instant().duration_since(asked);
    assert_eq!(
        (answer.status.as_u16(), &answer.json()["status"]),
        (200, &json!("degraded"))
    );
    let allowed = ops::health::DEADLINE..ops::health::DEADLINE + Duration::from_millis(500);
    assert!(allowed.contains(&waited), "{waited:?}");
}

#[tokio::test]
async fn a_tick_is_recorded_once_a_slot_and_checks_in_with_sentry() {
    let parts = Parts::start().await;
    let mut sentry = Sentry::start().await;
    let variables = [&parts.variables()[..], &[("SENTRY_DSN", sentry.dsn())]].concat();
    let mut function = Vercel::start(binary::MONITOR, &variables).await;
    let tick = || parts.proven("CRON_SECRET", request("GET", "/api/cron/monitor"));
    let first = function.ask(tick()).await;
    assert_eq!(first.status, 200, "{:?}", first.body);
    let (first, second) = (first.json(), function.ask(tick()).await.json());
    assert_eq!(
        (&first["job"], &first["outcome"]),
        (&json!("monitor"), &json!("done"))
    );
    // The minute may have ended between the two.
    let same_slot = first["slot"] == second["slot"];
    assert_eq!(
        same_slot,
        second["outcome"] == "skipped",
        "{first} {second}"
    );

    let (begun, ended) = (sentry.envelope().await, sentry.envelope().await);
    let (begun, ended) = (check_in(&begun), check_in(&ended));
    assert_eq!(
        (&begun["status"], &ended["status"]),
        (&json!("in_progress"), &json!("ok"))
    );
    assert_eq!(begun["check_in_id"], ended["check_in_id"]);
    assert_eq!(begun["monitor_slug"], "pourtrait-monitor");
    assert_eq!(begun["environment"], "production");
    assert_eq!(begun["monitor_config"]["schedule"]["value"], "* * * * *");
}

#[tokio::test]
async fn the_clocks_of_two_platforms_share_the_slots_and_each_is_known() {
    let parts = Parts::start().await;
    let mut vercel = Vercel::start(binary::MONITOR, &parts.variables()).await;
    let mut call = parts.proven("CRON_SECRET", request("GET", "/api/cron/monitor"));
    let name = "vercel-cron/1.0".parse().unwrap();
    call.headers_mut().insert("user-agent", name);
    let first = vercel.ask(call).await.json();
    assert_eq!(first["outcome"], "done", "{first}");

    let mut lambda = Lambda::start(binary::MONITOR, &parts.variables()).await;
    let event = json!({"clock": "aws", "slot": clock::now().to_string()});
    let second = lambda.invoke(event.clone()).await.unwrap();
    // The minute may have ended between the two.
    let expected = if first["slot"] == second["slot"] {
        "skipped"
    } else {
        "done"
    };
    assert_eq!(second["outcome"], expected, "{second}");
    let mut dispatch = Lambda::start(binary::DISPATCH, &parts.variables()).await;
    let delivered = dispatch.invoke(event).await.unwrap();
    assert_eq!(delivered["job"], "dispatch", "{delivered}");

    let mut dashboard = Lambda::start(binary::DASHBOARD, &parts.variables()).await;
    let path = "/api/monitoring/dashboard?timeRange=1h";
    let read = parts.proven("MONITORING_API_KEY", request("GET", path));
    let document = dashboard.ask(read).await.json();
    let clocks: Vec<_> = document["data"]["clocks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|clock| (&clock["clock"], &clock["job"], &clock["status"]))
        .collect();
    let (aws, vercel, new) = (&json!("aws"), &json!("vercel"), &json!("new"));
    assert_eq!(
        clocks,
        [
            (aws, &json!("dispatch"), new),
            (aws, &json!("monitor"), new),
            (vercel, &json!("monitor"), new),
        ]
    );
}

/// The template of the second platform.
const TEMPLATE: &str = include_str!("../../aws/template.yaml");

/// What stands in the template behind each such beginning of a line.
fn in_template(start: &str) -> Vec<&'static str> {
    let lines = TEMPLATE.lines().map(str::trim);
    lines.filter_map(|line| line.strip_prefix(start)).collect()
}

/// The variables that the template gives to its functions, with the values of these parts.
fn variables_of_template(parts: &Parts) -> Vec<(&str, &str)> {
    let (_, rest) = TEMPLATE.split_once("      Variables:\n").unwrap();
    let block = rest.split("\nResources:").next().unwrap();
    let names = block
        .lines()
        .filter_map(|line| line.trim().split(':').next());
    let names: Vec<_> = names.filter(|name| !name.is_empty()).collect();
    assert!(names.len() >= 8, "{names:?}");
    names
        .into_iter()
        .map(|name| match parts.env.get(name) {
            Some(value) => (name, value.as_str()),
            None => (name, "http://127.0.0.1:1"),
        })
        .collect()
}

#[tokio::test]
async fn the_template_gives_its_functions_all_that_its_schedules_ask_of_them() {
    let parts = Parts::start().await;
    let variables = variables_of_template(&parts);
    let folder = std::env::temp_dir().join(format!("pourtrait-{}", uuid::Uuid::new_v4()));
    std::fs::create_dir(&folder).unwrap();
    let binaries = [
        ("{ Binary: cron_monitor }", binary::MONITOR, "monitor"),
        ("{ Binary: alerts_dispatch }", binary::DISPATCH, "dispatch"),
    ];
    let built = in_template("BuildProperties: ");
    let inputs = in_template("Input: ");
    assert_eq!(built, binaries.map(|(built, ..)| built));
    for ((_, binary, job), input) in binaries.into_iter().zip(inputs) {
        // As the platform has it: under the name of its handler, and nothing beside it.
        let bootstrap = folder.join("bootstrap");
        std::os::unix::fs::symlink(binary, &bootstrap).unwrap();
        let now = format!("{:.0}", clock::now());
        let event = input
            .trim_matches('\'')
            .replace("<aws.scheduler.scheduled-time>", &now);
        let event: Value = serde_json::from_str(&event).unwrap();
        let mut function = Lambda::start(bootstrap.to_str().unwrap(), &variables).await;
        let answer = function.invoke(event).await.unwrap();
        assert_eq!(
            (&answer["job"], &answer["outcome"]),
            (&json!(job), &json!("done")),
            "{answer}"
        );
        drop(function);
        std::fs::remove_file(&bootstrap).unwrap();
    }
    std::fs::remove_dir(&folder).unwrap();
}

#[tokio::test]
async fn a_preview_does_nothing_by_schedule_and_all_by_hand() {
    let mut parts = Parts::start().await;
    parts.env.insert("VERCEL_ENV".into(), "preview".into());
    for (binary, path) in [
        (binary::MONITOR, "/api/cron/monitor"),
        (binary::DISPATCH, "/api/alerts/dispatch"),
        (binary::MAINTENANCE, "/api/cron/maintenance"),
    ] {
        let mut function = Vercel::start(binary, &parts.variables()).await;
        let scheduled = parts.proven("CRON_SECRET", request("GET", path));
        let answer = function.ask(scheduled).await;
        assert_eq!(answer.status, 200, "{:?}", answer.body);
        let answer = answer.json();
        assert_eq!(answer["outcome"], "skipped", "{answer}");
        assert_eq!(answer["reason"], "a preview does nothing by schedule");
        assert_eq!(answer["slot"], Value::Null);
        let by_hand = parts.proven("MONITORING_API_KEY", request("GET", path));
        assert_eq!(function.ask(by_hand).await.json()["outcome"], "done");
    }
}

/// The check-in in an envelope.
#[track_caller]
fn check_in(items: &[Value]) -> &Value {
    let found = items.iter().find(|item| item.get("check_in_id").is_some());
    found.unwrap_or_else(|| panic!("no check-in in {items:?}"))
}

#[tokio::test]
async fn an_alert_raised_on_one_platform_is_shown_on_the_other() {
    let parts = Parts::start().await;
    let mut dispatch = Lambda::start(binary::DISPATCH, &parts.variables()).await;
    let mut raise = request("POST", "/api/alerts/dispatch");
    raise
        .headers_mut()
        .insert("content-type", "application/json".parse().unwrap());
    let alert = json!({
        "source": "ci", "type": "deploy", "severity": "critical", "title": "Deploy failed", "status": "firing",
    });
    *raise.body_mut() = alert.to_string().into();
    let answer = dispatch
        .ask(parts.proven("MONITORING_API_KEY", raise))
        .await;
    assert_eq!(
        answer.json()["results"][0]["outcome"],
        "opened",
        "{:?}",
        answer.body
    );
    let delivery = parts.proven("CRON_SECRET", request("GET", "/api/alerts/dispatch"));
    assert_eq!(dispatch.ask(delivery).await.status, 200);
    assert_eq!(
        parts.stack.inbox().messages().len(),
        2,
        "Slack and email, once each"
    );

    let mut dashboard = Vercel::start(binary::DASHBOARD, &parts.variables()).await;
    let path = "/api/monitoring/dashboard?timeRange=1h";
    let answer = dashboard
        .ask(parts.proven("MONITORING_API_KEY", request("GET", path)))
        .await;
    assert_eq!(answer.status, 200, "{:?}", answer.body);
    assert_eq!(answer.json()["data"]["alerts"]["criticalAlerts"], 1);
    assert_eq!(answer.json()["data"]["outbox"]["sent24h"], 2);
}

/// What a page posts to sign in.
fn signing_in() -> Request<Bytes> {
    let mut request = request("POST", "/api/account");
    let headers = request.headers_mut();
    for (name, value) in [
        ("host", "ops.example"),
        ("origin", "https://ops.example"),
        ("content-type", "application/json"),
    ] {
        headers.insert(name, value.parse().unwrap());
    }
    let body = json!({"action": "password", "email": "anna@wine.example", "password": "secret-7"});
    *request.body_mut() = body.to_string().into();
    request
}

/// A request with the cookies that an answer set.
fn with_cookies(mut request: Request<Bytes>, answer: &Answer) -> Request<Bytes> {
    let set = answer.headers.get_all("set-cookie").iter();
    let cookies: Vec<_> = set
        .map(|cookie| cookie.to_str().unwrap().split(';').next().unwrap())
        .collect();
    assert!(cookies.len() >= 3, "{cookies:?}");
    let headers = request.headers_mut();
    headers.insert("host", "ops.example".parse().unwrap());
    headers.insert("cookie", cookies.join("; ").parse().unwrap());
    request
}

#[tokio::test]
async fn a_person_signs_in_on_both_platforms_and_is_known_to_every_function() {
    let parts = Parts::start().await;
    let metadata = json!({"role": "viewer"});
    let made = parts
        .stack
        .create_user("anna@wine.example", "secret-7", &metadata);
    made.await.unwrap();

    let mut vercel = Vercel::start(binary::ACCOUNT, &parts.variables()).await;
    let answer = vercel.ask(signing_in()).await;
    assert_eq!(answer.status, 200, "{:?}", answer.body);
    let who = with_cookies(request("GET", "/api/account"), &answer);
    assert_eq!(vercel.ask(who).await.json()["role"], "viewer");
    let mut dashboard = Vercel::start(binary::DASHBOARD, &parts.variables()).await;
    let read = with_cookies(request("GET", "/api/monitoring/dashboard"), &answer);
    assert_eq!(dashboard.ask(read).await.status, 200);

    let mut lambda = Lambda::start(binary::ACCOUNT, &parts.variables()).await;
    let answer = lambda.ask(signing_in()).await;
    assert_eq!(answer.status, 200, "{:?}", answer.body);
    let who = with_cookies(request("GET", "/api/account"), &answer);
    assert_eq!(lambda.ask(who).await.json()["role"], "viewer");
}
