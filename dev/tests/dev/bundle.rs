//! Every endpoint on one port, as tests start it.

use dev::DevOptions;
use http::{Method, StatusCode, header};
use ops::endpoint::Endpoint;
use serde_json::{Value, json};

use crate::support::{bundle, get, send};

#[tokio::test(flavor = "multi_thread")]
async fn paths_are_routed_as_vercel_json_says() {
    let (running, _database) = bundle(DevOptions::default()).await;
    for path in ["/api/health", "/health"] {
        let answer = get(&running, path).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        assert_eq!(answer.json()["status"], "healthy", "{answer:?}");
        assert_eq!(answer.headers[header::CACHE_CONTROL], "no-store");
        assert_eq!(answer.headers[header::X_FRAME_OPTIONS], "DENY");
        assert_eq!(
            answer
                .headers
                .get_all(header::X_CONTENT_TYPE_OPTIONS)
                .iter()
                .count(),
            1
        );
    }
    let closed = get(&running, Endpoint::Dashboard.spec().path).await;
    assert_eq!(closed.status, StatusCode::UNAUTHORIZED);
    let head = send(&running, Method::HEAD, "/health", None).await;
    assert_eq!((head.status, head.body.len()), (StatusCode::OK, 0));
    let wrong = send(&running, Method::DELETE, "/health", None).await;
    assert_eq!(wrong.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(wrong.headers[header::ALLOW], "GET, HEAD");
    running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn static_files_are_those_of_public_and_no_others() {
    let (running, _database) = bundle(DevOptions::default()).await;
    let page = get(&running, "/").await;
    assert_eq!(page.status, StatusCode::OK);
    assert_eq!(
        page.headers[header::CONTENT_TYPE],
        "text/html; charset=utf-8"
    );
    assert!(page.headers.contains_key(header::CONTENT_SECURITY_POLICY));
    let text = String::from_utf8(page.body.into()).unwrap();
    let style = text
        .split('"')
        .find(|part| part.starts_with("/assets/"))
        .unwrap();
    let style = get(&running, style).await;
    assert_eq!(style.status, StatusCode::OK);
    assert_eq!(
        style.headers[header::CACHE_CONTROL],
        "public, max-age=31536000, immutable"
    );
    for path in [
        "/absent",
        "/Cargo.toml",
        "/..%2fCargo.toml",
        "/assets",
        "/api/nonsense",
    ] {
        assert_eq!(
            get(&running, path).await.status,
            StatusCode::NOT_FOUND,
            "{path}"
        );
    }
    let wrong = send(&running, Method::POST, "/", None).await;
    assert_eq!(wrong.status, StatusCode::METHOD_NOT_ALLOWED);
    running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_proofs_are_counted_by_the_peers_address() {
    let (running, _database) = bundle(DevOptions::default()).await;
    let path = Endpoint::Dashboard.spec().path;
    let mut statuses = Vec::new();
    for _ in 0..31 {
        statuses.push(
            send(&running, Method::GET, path, Some("ADMIN_EMAIL"))
                .await
                .status,
        );
    }
    assert_eq!(statuses[0], StatusCode::UNAUTHORIZED);
    assert_eq!(statuses[30], StatusCode::TOO_MANY_REQUESTS);
    let right = send(&running, Method::GET, path, Some("MONITORING_API_KEY")).await;
    assert_eq!(right.status, StatusCode::OK);
    running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_and_inbox_are_under_local() {
    let (running, _database) = bundle(DevOptions::default()).await;
    assert_eq!(get(&running, "/_local/inbox").await.json(), json!([]));
    let fault = json!({ "service": "openai", "mode": "refuse" }).to_string();
    let outbound = outside::outbound::Outbound::default();
    let url = format!("{}/_local/faults", running.base_url);
    let broken = outbound
        .client()
        .unwrap()
        .post(url)
        .body(fault)
        .send()
        .await
        .unwrap();
    assert_eq!(broken.status(), StatusCode::OK);
    let health = get(&running, "/health").await;
    assert_eq!(health.status, StatusCode::OK);
    assert_eq!(health.json()["services"]["ai"]["status"], "unhealthy");
    running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn sample_data_give_every_figure_something_true_to_say() {
    let (running, _database) = bundle(DevOptions {
        sample_data: true,
        ..DevOptions::default()
    })
    .await;
    let path = "/api/monitoring/dashboard?timeRange=24h";
    let answer = send(&running, Method::GET, path, Some("MONITORING_API_KEY")).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    let document = answer.json();
    let data = &document["data"];
    for figure in [
        "/performance/averageResponseTime",
        "/performance/p95ResponseTime",
        "/performance/throughput",
        "/performance/activeUsers",
        "/errors/totalErrors",
        "/errors/errorRate",
        "/errors/criticalErrors",
        "/errors/errorsByCategory/ai_service",
        "/business/dailyActiveUsers",
        "/business/winesAdded",
        "/business/recommendationsGenerated",
        "/business/aiQueriesProcessed",
        "/business/imageProcessingRequests",
        "/business/conversionRate",
        "/funnels/0/conversionRate",
        "/uptime/uptime24h",
        "/uptime/uptime7d",
        "/uptime/uptime30d",
        "/uptime/incidents/0/duration",
        "/incidents/0/number",
    ] {
        let value = data.pointer(figure).and_then(Value::as_f64);
        assert!(
            value.is_some_and(|value| value > 0.0),
            "{figure}: {value:?}"
        );
    }
    let uptime = data["uptime"]["uptime24h"].as_f64().unwrap();
    assert!(
        (99.0..99.5).contains(&uptime),
        "eleven minutes of a day: {uptime}"
    );
    let share = data["errors"]["errorRate"].as_f64().unwrap();
    assert!(share < 5.0, "no alert at the start: {share}");
    running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_round_of_jobs_runs_at_the_start_and_raises_no_alert() {
    let options = DevOptions {
        sample_data: true,
        traffic: true,
        crons: true,
        ..DevOptions::default()
    };
    let (running, database) = bundle(options).await;
    let client = database
        .cluster()
        .await
        .unwrap()
        .connect_postgres(database.name())
        .await
        .unwrap();
    let seen = "select (select count(*) from ops.runs where job = 'monitor' and outcome = 'done' and slot is not null),
                       (select count(*) from public.api_usage_metrics where user_agent like '%(sample traffic)'),
                       (select count(*) from ops.backups where outcome = 'done')";
    let deadline = outside::clock::Deadline::after(std::time::Duration::from_secs(60));
    loop {
        let row = client.query_one(seen, &[]).await.unwrap();
        let (runs, rows, backups): (i64, i64, i64) = (row.get(0), row.get(1), row.get(2));
        if runs > 0 && rows > 0 && backups > 0 {
            break;
        }
        assert!(
            !deadline.has_passed(),
            "{runs} runs, {rows} rows, {backups} backups"
        );
        outside::clock::wait(std::time::Duration::from_millis(20)).await;
    }
    let alerts = client
        .query_one("select count(*) from ops.alert_states", &[])
        .await
        .unwrap();
    assert_eq!(alerts.get::<_, i64>(0), 0);
    running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_holds_something_is_not_filled() {
    let (running, database) = bundle(DevOptions::default()).await;
    let client = database
        .cluster()
        .await
        .unwrap()
        .connect_postgres(database.name())
        .await
        .unwrap();
    client
        .batch_execute("insert into public.analytics_events (event_name) values ('wine_added')")
        .await
        .unwrap();
    running.stop().await.unwrap();
    let options = DevOptions {
        database: dev::Database::Shared(database.name().to_owned()),
        sample_data: true,
        ..DevOptions::default()
    };
    let running = dev::start(options).await.unwrap();
    let row = client
        .query_one("select count(*) from public.analytics_events", &[])
        .await
        .unwrap();
    assert_eq!(row.get::<_, i64>(0), 1);
    running.stop().await.unwrap();
}
