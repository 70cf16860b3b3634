//! The dashboard's sections about the application: every number from rows that
//! were counted by hand, with rows beside them that must not count.

use serde_json::{Value, json};

use crate::{
    dashboard::section,
    support::{World, array},
};

/// Asserts that a quantile is within 2 % of the exact one.
pub(crate) fn is_near(read: &Value, exact: f64) {
    let read = read.as_f64().expect("a number");
    assert!((read - exact).abs() <= 0.02 * exact, "{read} for {exact}");
}

#[tokio::test]
async fn performance() {
    let world = World::migrated().await;
    world
        .execute(
            "insert into auth.users (id) select ('00000000-0000-4000-8000-00000000000' || n)::uuid
             from generate_series(1, 4) as n;
             -- A hundred requests of 10, 20, … 1000 ms, by two people.
             insert into public.api_usage_metrics (endpoint, method, status_code, response_time, user_id, timestamp)
             select '/', 'GET', 200, n * 10, ('00000000-0000-4000-8000-00000000000' || 1 + n % 2)::uuid,
                    timestamptz '2026-11-24T11:30:00Z'
             from generate_series(1, 100) as n;
             -- Before the range, and after now.
             insert into public.api_usage_metrics (endpoint, method, status_code, response_time, user_id, timestamp)
             values ('/', 'GET', 200, 99999, '00000000-0000-4000-8000-000000000004', '2026-11-24T11:00:00Z'),
                    ('/', 'GET', 200, 99999, '00000000-0000-4000-8000-000000000004', '2026-11-24T12:00:01Z');
             -- The first person again and a third, as events; one elsewhere.
             insert into public.analytics_events (event_name, user_id, environment, timestamp)
             values ('x', '00000000-0000-4000-8000-000000000001', 'production', '2026-11-24T11:10:00Z'),
                    ('x', '00000000-0000-4000-8000-000000000003', 'production', '2026-11-24T11:20:00Z'),
                    ('x', '00000000-0000-4000-8000-000000000004', 'preview', '2026-11-24T11:20:00Z'),
                    ('x', null, 'production', '2026-11-24T11:20:00Z')",
        )
        .await;
    let mut performance = section(&world, "performance").await;
    let endpoints = array(&performance["endpoints"]).clone();
    for section in [&mut performance, &mut endpoints[0].clone()] {
        for (key, exact) in [
            ("p50ResponseTime", 505.0),
            ("p95ResponseTime", 950.5),
            ("p99ResponseTime", 990.1),
        ] {
            let read = section.as_object_mut().unwrap().remove(key).unwrap();
            is_near(&read, exact);
        }
    }
    performance.as_object_mut().unwrap().remove("endpoints");
    assert_eq!(
        performance,
        json!({
            "averageResponseTime": 505.0, "throughput": 1.6667, "requests": 100, "activeUsers": 3,
            "memoryUsage": null, "cpuUsage": null,
        }),
    );
    assert_eq!(endpoints.len(), 1);
    assert_eq!(endpoints[0]["endpoint"], "GET /");
    assert_eq!(endpoints[0]["requests"], 100);
    assert_eq!(
        endpoints[0]["statusClasses"],
        json!({"1xx": 0, "2xx": 100, "3xx": 0, "4xx": 0, "5xx": 0})
    );
}

#[tokio::test]
async fn errors() {
    let world = World::migrated().await;
    world
        .execute(
            r#"insert into public.api_usage_metrics (endpoint, method, status_code, response_time, timestamp)
               select '/', 'GET', status, 1, '2026-11-24T11:30:00Z'
               from unnest('{200,404,499,500,503,200,301,200}'::int[]) as status;
               insert into public.api_usage_metrics (endpoint, method, status_code, response_time, timestamp)
               values ('/', 'GET', 500, 1, '2026-11-24T10:59:59Z');
               insert into public.error_logs (message, severity, context, environment, timestamp) values
               ('Wine 1 not found', 'high', '{"category": "database"}', 'production', '2026-11-24T11:10:00Z'),
               ('Wine 2 not found', 'medium', '{"category": "database"}', 'production', '2026-11-24T11:20:00Z'),
               ('Wine 2 not found', 'medium', '{"category": "database"}', 'production', '2026-11-24T11:30:00Z'),
               ('Model overloaded', 'critical', '{"category": "ai_service"}', 'production', '2026-11-24T11:40:00Z'),
               ('Nameless', 'low', '{}', 'production', '2026-11-24T11:05:00Z'),
               ('Wine 3 not found', 'critical', '{"category": "database"}', 'preview', '2026-11-24T11:30:00Z'),
               ('Wine 4 not found', 'critical', '{"category": "database"}', 'production', '2026-11-24T11:00:00Z')"#,
        )
        .await;
    let mut errors = section(&world, "errors").await;
    for kind in errors["recentErrors"].as_array_mut().unwrap() {
        let fingerprint = kind.as_object_mut().unwrap().remove("fingerprint").unwrap();
        assert!(
            fingerprint.as_str().unwrap().starts_with("error:"),
            "{fingerprint}"
        );
    }
    assert_eq!(
        errors,
        json!({
            "totalErrors": 5, "criticalErrors": 1,
            "errorsByCategory": {"database": 3, "ai_service": 1, "unknown": 1},
            "errorRate": 25.0, "failedRequests": 2, "requests": 8,
            "recentErrors": [
                {"message": "Model overloaded", "severity": "critical", "category": "ai_service", "count": 1,
                 "timestamp": "2026-11-24T11:40:00+00:00", "firstSeen": "2026-11-24T11:40:00+00:00"},
                {"message": "Wine 2 not found", "severity": "high", "category": "database", "count": 3,
                 "timestamp": "2026-11-24T11:30:00+00:00", "firstSeen": "2026-11-24T11:10:00+00:00"},
                {"message": "Nameless", "severity": "low", "category": "unknown", "count": 1,
                 "timestamp": "2026-11-24T11:05:00+00:00", "firstSeen": "2026-11-24T11:05:00+00:00"},
            ],
        }),
    );
}

#[tokio::test]
async fn the_twenty_kinds_seen_last() {
    let world = World::migrated().await;
    world
        .execute(
            "insert into public.error_logs (message, severity, timestamp)
             select 'kind ' || chr(64 + n), 'low', timestamptz '2026-11-24T11:00:00Z' + n * interval '1 min'
             from generate_series(1, 25) as n",
        )
        .await;
    let errors = section(&world, "errors").await;
    let recent = array(&errors["recentErrors"]);
    assert_eq!(recent.len(), 20);
    assert_eq!(
        (&recent[0]["message"], &recent[19]["message"]),
        (&json!("kind Y"), &json!("kind F"))
    );
    assert_eq!(errors["totalErrors"], 25);
}

#[tokio::test]
async fn business() {
    let world = World::migrated().await;
    world
        .execute(
            "insert into auth.users (id) select ('00000000-0000-4000-8000-00000000000' || n)::uuid
             from generate_series(1, 3) as n;
             insert into public.analytics_events (event_name, user_id, environment, timestamp)
             select event, '00000000-0000-4000-8000-000000000001', 'production', '2026-11-24T11:30:00Z'
             from unnest('{wine_added,wine_added,recommendation_generated,ai_query_processed,ai_query_processed,
                           ai_query_processed,image_processed,user_registered,user_registered,user_registered,
                           user_registered,taste_profile_completed,wine_consumed,page_view}'::text[]) as event;
             insert into public.analytics_events (event_name, user_id, environment, timestamp)
             values ('wine_added', null, 'preview', '2026-11-24T11:30:00Z'),
                    ('wine_added', '00000000-0000-4000-8000-000000000002', 'production', '2026-11-24T10:00:00Z'),
                    ('wine_added', '00000000-0000-4000-8000-000000000003', 'production', '2026-11-23T12:00:00Z');
             -- What the application counts itself: wine_added twice over, pairings only here.
             insert into public.business_metrics (metric_name, metric_value, environment, timestamp)
             values ('wine_added', 7, 'production', '2026-11-24T11:30:00Z'),
                    ('food_pairing_requested', 2, 'production', '2026-11-24T11:30:00Z'),
                    ('food_pairing_requested', 3, 'production', '2026-11-24T11:40:00Z'),
                    ('food_pairing_requested', 9, 'preview', '2026-11-24T11:40:00Z'),
                    ('food_pairing_requested', 9, 'production', '2026-11-24T11:00:00Z'),
                    ('revenue', 100, 'production', '2026-11-24T11:40:00Z')",
        )
        .await;
    assert_eq!(
        section(&world, "business").await,
        json!({
            "dailyActiveUsers": 2, "winesAdded": 2, "recommendationsGenerated": 1,
            "aiQueriesProcessed": 3, "imageProcessingRequests": 1, "usersRegistered": 4,
            "tasteProfilesCompleted": 1, "winesConsumed": 1, "foodPairingsRequested": 5,
            "conversionRate": 25.0,
            "events": {"wine_added": 2, "recommendation_generated": 1, "ai_query_processed": 3,
                       "image_processed": 1, "user_registered": 4, "taste_profile_completed": 1,
                       "wine_consumed": 1, "page_view": 1, "food_pairing_requested": 5},
            "metrics": {
                "wine_added": {"count": 1, "sum": 7.0, "average": 7.0, "lowest": 7.0, "highest": 7.0},
                "food_pairing_requested": {"count": 2, "sum": 5.0, "average": 2.5, "lowest": 2.0, "highest": 3.0},
                "revenue": {"count": 1, "sum": 100.0, "average": 100.0, "lowest": 100.0, "highest": 100.0},
            },
        }),
    );
}
