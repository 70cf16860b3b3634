//! `/api/metrics`: what scrapers read, in both forms, and who may read it.

use http::{Method, StatusCode};
use local_supabase::fault::{Mode, Service};
use ops::endpoint::Endpoint;

use crate::{
    exposition::{self, Families},
    support::{Answer, Bundle, call, get},
};

const PATH: &str = "/api/metrics";
const OPENMETRICS: &str = "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;q=0.2";

async fn scrape(bundle: &Bundle, accept: &str) -> Answer {
    let app = bundle.instance(Endpoint::Dashboard);
    let answer = get(&app, PATH)
        .bearer(bundle.secret("MONITORING_API_KEY"))
        .header("accept", accept)
        .send()
        .await;
    assert_eq!(answer.status, StatusCode::OK, "{:?}", answer.bytes);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    answer
}

fn text(answer: &Answer) -> &str {
    std::str::from_utf8(&answer.bytes).unwrap()
}

async fn read(bundle: &Bundle) -> Families {
    let answer = scrape(bundle, OPENMETRICS).await;
    exposition::openmetrics(text(&answer)).unwrap_or_else(|error| panic!("{error}"))
}

async fn write(bundle: &Bundle, sql: &str) {
    bundle.admin().await.batch_execute(sql).await.expect(sql);
}

#[tokio::test]
async fn both_forms_say_the_same_as_their_specifications_have_it() {
    let bundle = Bundle::start().await;
    write(
        &bundle,
        "insert into public.api_usage_metrics (endpoint, method, status_code, response_time)
         select '/api/wines', 'GET', 200 + 300 * (n % 2), 100 from generate_series(1, 10) as n;
         insert into public.error_logs (message, severity, context)
         values ('Could not load', 'high', '{\"category\": \"database\"}')",
    )
    .await;
    let tick = bundle.instance(Endpoint::Monitor);
    let key = bundle.secret("MONITORING_API_KEY");
    get(&tick, "/api/cron/monitor").bearer(key).send().await;

    let open = scrape(&bundle, OPENMETRICS).await;
    assert_eq!(
        open.header("content-type"),
        Some("application/openmetrics-text; version=1.0.0; charset=utf-8")
    );
    let open = exposition::openmetrics(text(&open)).unwrap();
    let plain = scrape(&bundle, "*/*").await;
    assert_eq!(
        plain.header("content-type"),
        Some("text/plain; version=0.0.4; charset=utf-8")
    );
    let plain = exposition::text(text(&plain)).unwrap();
    // What a scraper keeps is the same, whichever form it asked for.
    let series = |families: &Families| {
        let samples = families.values().flat_map(|family| &family.samples);
        let mut series: Vec<_> = samples
            .map(|(name, labels, _)| format!("{name} {labels:?}"))
            .collect();
        series.sort();
        series
    };
    assert_eq!(series(&open), series(&plain));

    let value = |family: &str, label: Option<(&str, &str)>| open[family].value(label);
    let class = |class| value("pourtrait_requests", Some(("status_class", class)));
    assert_eq!((class("2xx"), class("5xx")), (Some(5.0), Some(5.0)));
    let wines = Some(("endpoint", "GET /api/wines"));
    assert_eq!(value("pourtrait_endpoint_requests", wines), Some(10.0));
    assert_eq!(
        value("pourtrait_endpoint_failed_requests", wines),
        Some(5.0)
    );
    let times = |bound| value("pourtrait_request_duration_seconds", Some(("le", bound)));
    assert_eq!((times("0.05"), times("0.1")), (Some(0.0), Some(10.0)));
    assert_eq!(
        value("pourtrait_errors", Some(("severity", "high"))),
        Some(1.0)
    );
    let database = Some(("service", "database"));
    assert_eq!(value("pourtrait_service_up", database), Some(1.0));
    let monitor = Some(("job_name", "monitor"));
    assert!(value("pourtrait_job_last_success_timestamp_seconds", monitor) > Some(1e9));
    assert!(value("pourtrait_database_size_bytes", None) > Some(1e6));
    // What nothing is known of is not there.
    assert!(!open.contains_key("pourtrait_backup_size_bytes"));
    assert!(!open.contains_key("pourtrait_web_vital_p75_seconds"));
}

#[tokio::test]
async fn a_scraper_reads_metrics_by_its_own_token_and_nothing_else() {
    let mut bundle = Bundle::start().await;
    let token = "token-of-a-scraper-alone";
    let key = bundle.secret("MONITORING_API_KEY").to_owned();
    let status = async |bundle: &Bundle, path: &str, proof: Option<&str>| {
        let app = bundle.instance(Endpoint::Dashboard);
        let request = get(&app, path);
        let request = match proof {
            Some(proof) => request.bearer(proof),
            None => request,
        };
        request.send().await.status
    };
    let dashboard = "/api/monitoring/dashboard";
    assert_eq!(status(&bundle, PATH, Some(token)).await, 401, "not set");
    bundle.env.insert("METRICS_TOKEN".into(), token.into());
    for (path, proof, expected) in [
        (PATH, Some(token), 200),
        (PATH, Some(key.as_str()), 200),
        (PATH, None, 401),
        (PATH, Some(""), 401),
        (PATH, Some("token-of-a-scraper-alonf"), 401),
        (dashboard, Some(token), 401),
        (dashboard, Some(key.as_str()), 200),
        ("/api/metrics?environment=staging", Some(token), 400),
        ("/api/metrics?environment=preview", Some(token), 200),
    ] {
        assert_eq!(
            status(&bundle, path, proof).await,
            expected,
            "{path} {proof:?}"
        );
    }
    // Elsewhere it is as wrong as any other word.
    for endpoint in [Endpoint::Monitor, Endpoint::Dispatch, Endpoint::Maintenance] {
        let app = bundle.instance(endpoint);
        let answer = get(&app, endpoint.spec().path).bearer(token).send().await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{endpoint:?}");
    }
    // Alone it opens what it guards, and closes nothing that others guard.
    bundle.env.remove("MONITORING_API_KEY");
    assert_eq!(status(&bundle, PATH, Some(token)).await, 200);
}

#[tokio::test]
async fn a_head_has_no_body_other_methods_are_refused_and_an_outage_is_503() {
    let bundle = Bundle::start().await;
    let app = bundle.instance(Endpoint::Dashboard);
    let key = bundle.secret("MONITORING_API_KEY");
    let head = call(&app, Method::HEAD, PATH).bearer(key).send().await;
    assert_eq!((head.status, head.bytes.len()), (StatusCode::OK, 0));
    for method in [Method::POST, Method::PUT, Method::DELETE, Method::OPTIONS] {
        let refused = call(&app, method, PATH).bearer(key).send().await;
        assert_eq!(refused.status, StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(refused.header("allow"), Some("GET, HEAD"));
    }
    bundle.fault(Service::Database, Mode::Status).await;
    let away = get(&app, PATH).bearer(key).send().await;
    assert_eq!(away.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(
        away.header("content-type"),
        Some("application/problem+json")
    );
}

#[tokio::test]
async fn whatever_names_the_app_writes_a_scrape_is_whole_and_bounded() {
    let bundle = Bundle::start().await;
    write(
        &bundle,
        r#"insert into public.api_usage_metrics (endpoint, method, status_code, response_time)
           select '/api/' || n || E'"\\\n# EOF\n{x="1"} 1e400\r' || chr(27) || '[2J' || chr(8238), 'GET', 200, 10
           from generate_series(1, 300) as n;
           insert into public.api_usage_metrics (endpoint, method, status_code, response_time)
           select path, method, 500, 'NaN'
           from unnest(array['other', E'a\r', E'a\n', '', 'é😀']) as path, unnest(array['GET', 'POST']) as method,
               generate_series(1, 5);
           insert into public.api_usage_metrics (endpoint, method, status_code, response_time)
           values ('/x', 'GET', 7, 1), ('/x', 'GET', 200, 'NaN'), ('/x', 'GET', 200, -1);
           insert into public.error_logs (message, severity, context)
           select 'x', 'low', jsonb_build_object('category', 'c' || n || E'"\n\\')
           from generate_series(1, 100) as n;
           insert into ops.door_keys (id, name, items_a_minute, items_a_day, created_at, created_by)
           values (1, E'web"} 1\n', 10, 10, now(), 'anna');
           insert into ops.door_drops (at, key, source, reason, items)
           select date_trunc('hour', now()), 1, 'sentry', E'r"\n\\' || n, n from generate_series(1, 100) as n"#,
    )
    .await;
    let families = read(&bundle).await;
    exposition::text(text(&scrape(&bundle, "text/plain").await)).unwrap();
    for (family, most, sum) in [
        // A row whose status is none of HTTP is no request.
        ("pourtrait_endpoint_requests", 21, 352.0),
        ("pourtrait_endpoint_failed_requests", 21, 50.0),
        ("pourtrait_recent_errors", 21, 100.0),
        ("pourtrait_door_recent_drops", 21, 5050.0),
    ] {
        let samples = &families[family].samples;
        assert!(samples.len() <= most, "{family}: {}", samples.len());
        let all: f64 = samples.iter().map(|(_, _, value)| value).sum();
        assert!((all - sum).abs() < 0.5, "{family}: {all}");
    }
    let series: usize = families.values().map(|family| family.samples.len()).sum();
    assert!(series < 400, "{series} series");
    let names = families.values().flat_map(|family| &family.samples);
    for (_, labels, _) in names {
        for (label, value) in labels {
            assert!(!value.chars().any(char::is_control), "{label}: {value:?}");
        }
    }
}
