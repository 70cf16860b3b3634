//! `/api/monitoring/dashboard`: one document, from one call.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
};

use http::StatusCode;
use local_supabase::fault::{Mode, Service};
use ops::{endpoint::Endpoint, monitoring::document::Document};
use serde_json::{Value, json};

use crate::{
    proxy::{self, Verdict},
    support::{Bundle, get},
};

async fn dashboard(bundle: &Bundle, query: &str) -> Value {
    let app = bundle.instance(Endpoint::Dashboard);
    let path = format!("/api/monitoring/dashboard{query}");
    let answer = get(&app, &path)
        .bearer(bundle.secret("MONITORING_API_KEY"))
        .send()
        .await;
    assert_eq!(answer.status, StatusCode::OK, "{:?}", answer.bytes);
    answer.json()
}

async fn tick(bundle: &Bundle) {
    let app = bundle.instance(Endpoint::Monitor);
    let key = bundle.secret("MONITORING_API_KEY");
    let answer = get(&app, "/api/cron/monitor").bearer(key).send().await;
    assert_eq!(answer.status, StatusCode::OK, "{:?}", answer.bytes);
}

#[tokio::test]
async fn an_empty_database_has_no_rates_and_no_uptime() {
    let bundle = Bundle::start().await;
    let answer = dashboard(&bundle, "").await;
    assert_eq!(
        (&answer["success"], &answer["timeRange"]),
        (&json!(true), &json!("24h"))
    );
    let data = &answer["data"];
    for pointer in [
        "/performance/averageResponseTime",
        "/performance/p95ResponseTime",
        "/performance/cpuUsage",
        "/errors/errorRate",
        "/business/conversionRate",
        "/uptime/uptime24h",
        "/uptime/windows/30d/percent",
        "/backups",
    ] {
        assert_eq!(data.pointer(pointer), Some(&Value::Null), "{pointer}");
    }
    for pointer in [
        "/errors/totalErrors",
        "/business/winesAdded",
        "/alerts/activeAlerts",
        "/outbox/pending",
    ] {
        assert_eq!(data.pointer(pointer), Some(&json!(0)), "{pointer}");
    }
    assert_eq!(data["systemHealth"]["overall"], "unknown");
    assert!(
        data["database"]["connections"]["used"].as_u64() >= Some(1),
        "{data}"
    );
}

#[tokio::test]
async fn it_is_one_call_whose_document_is_known_to_the_last_key() {
    let mut bundle = Bundle::start().await;
    bundle.fault(Service::App, Mode::Status).await;
    for _ in 0..3 {
        tick(&bundle).await;
    }
    let calls = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&calls);
    let proxy = proxy::in_front_of(bundle.stack.supabase_url(), move |request| {
        seen.lock().unwrap().push(request.uri().path().to_owned());
        Verdict::Pass
    })
    .await;
    bundle.env.insert("SUPABASE_URL".into(), proxy.url());
    let before = read_dashboard(&bundle).await;
    let answer = dashboard(&bundle, "?timeRange=1h").await;
    assert_eq!(*calls.lock().unwrap(), ["/rest/v1/rpc/ops_dashboard"]);
    // The struct misses no key that the database answers. That it passes over new ones lets
    // an older build read what a newer set of functions says.
    let said = read_dashboard(&bundle).await;
    // A statement that is slow just now makes keys of its own.
    let steady: BTreeSet<_> = keys(&before).intersection(&keys(&said)).cloned().collect();
    assert_eq!(
        steady.difference(&keys(&answer["data"])).next(),
        None,
        "{said}"
    );
    let document: Document = serde_json::from_value(answer["data"].clone()).unwrap();
    assert_eq!(document.system_health.overall, "unhealthy");
    assert_eq!(document.alerts.critical_alerts, 1);
    assert_eq!(document.incidents.len(), 1);
    assert_eq!(document.outbox.sent_24h, 2);
    assert!(document.uptime.windows["window"].up <= 0.0);
    assert!(
        document
            .performance
            .memory_usage
            .is_none_or(|percent| percent > 0.0)
    );
}

/// The document as the database says it.
async fn read_dashboard(bundle: &Bundle) -> Value {
    let row = bundle
        .admin()
        .await
        .query_one("select public.ops_dashboard(3600, 'production')::text", &[])
        .await
        .unwrap();
    serde_json::from_str(row.get(0)).unwrap()
}

/// The path of every key, however deep.
fn keys(value: &Value) -> BTreeSet<String> {
    let below = |name: &str, value: &Value| -> BTreeSet<String> {
        let deeper = keys(value);
        deeper.iter().map(|path| format!("{name}.{path}")).collect()
    };
    match value {
        Value::Object(object) => object
            .iter()
            .flat_map(|(name, value)| {
                let mut found = below(name, value);
                found.insert(name.clone());
                found
            })
            .collect(),
        Value::Array(elements) => elements.iter().flat_map(|one| below("[]", one)).collect(),
        _ => BTreeSet::new(),
    }
}

#[tokio::test]
async fn a_key_of_a_newer_release_is_passed_over() {
    let bundle = Bundle::start().await;
    let mut said = read_dashboard(&bundle).await;
    said["quotas"] = json!({"used": 1});
    said["systemHealth"]["weather"] = json!("fine");
    serde_json::from_value::<Document>(said).unwrap();
}

#[tokio::test]
async fn every_range_answers_and_its_window_sums_up() {
    let bundle = Bundle::start().await;
    tick(&bundle).await;
    for (range, seconds) in [
        ("1h", 3_600.0),
        ("24h", 86_400.0),
        ("7d", 604_800.0),
        ("30d", 2_592_000.0),
        ("90d", 7_776_000.0),
        ("1y", 31_536_000.0),
    ] {
        let answer = dashboard(&bundle, &format!("?timeRange={range}")).await;
        assert_eq!(answer["timeRange"], range);
        let window = &answer["data"]["uptime"]["windows"]["window"];
        let sum: f64 = ["up", "down", "unknown", "maintenance"]
            .map(|part| window[part].as_f64().unwrap())
            .iter()
            .sum();
        assert!((sum - seconds).abs() < 1e-6, "{range}: {window}");
    }
}
