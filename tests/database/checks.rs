//! The verdicts that probed checks give under each rule.

use serde_json::Value;

use crate::support::{World, certificate, dependency, minutes, page, verdict};

/// Asserts the verdict of a rule on what a tick observed, one tick a case.
async fn check(rule: &str, subject: &str, cases: &[(Value, &str)]) {
    let world = World::migrated().await;
    let times = minutes("12:00:05", u32::try_from(cases.len()).unwrap());
    for (now, (observed, expected)) in times.iter().zip(cases) {
        let tick = world.tick(now, std::slice::from_ref(observed)).await;
        let found = verdict(&tick, rule, subject);
        assert_eq!(found["verdict"], *expected, "{rule} of {observed}");
    }
}

#[tokio::test]
async fn app_down() {
    let cases = [
        (page("u", "up", Some(1)), "good"),
        (page("u", "degraded", Some(1)), "good"),
        (page("u", "down", None), "bad"),
        (page("u", "unknown", None), "insufficient"),
    ];
    check("app_down", "u", &cases).await;
}

#[tokio::test]
async fn app_slow() {
    let cases = [
        (page("u", "up", Some(5000)), "good"),
        (page("u", "up", Some(5001)), "bad"),
        (page("u", "degraded", Some(5001)), "bad"),
        (page("u", "down", Some(9000)), "insufficient"),
        (page("u", "unknown", None), "insufficient"),
    ];
    check("app_slow", "u", &cases).await;
}

#[tokio::test]
async fn database_failing() {
    let cases = [
        (dependency("database", "up"), "good"),
        (dependency("database", "degraded"), "good"),
        (dependency("database", "down"), "bad"),
        (dependency("database", "unknown"), "insufficient"),
    ];
    check("database_failing", "database", &cases).await;
}

#[tokio::test]
async fn service_degraded() {
    let of_others = [
        (dependency("ai", "up"), "good"),
        (dependency("ai", "degraded"), "bad"),
        (dependency("ai", "down"), "bad"),
        (dependency("ai", "unknown"), "insufficient"),
    ];
    check("service_degraded", "ai", &of_others).await;
    let of_the_database = [
        (dependency("database", "up"), "good"),
        (dependency("database", "degraded"), "bad"),
        // Which has a rule of its own.
        (dependency("database", "down"), "insufficient"),
    ];
    check("service_degraded", "database", &of_the_database).await;
}

#[tokio::test]
async fn certificate_urgent() {
    let cases = [
        (certificate(Some(-1)), "bad"),
        (certificate(Some(6)), "bad"),
        (certificate(Some(7)), "good"),
        (certificate(None), "insufficient"),
    ];
    check("certificate_urgent", "app.example", &cases).await;
}

#[tokio::test]
async fn certificate_expiring() {
    let cases = [
        (certificate(Some(6)), "good"),
        (certificate(Some(7)), "bad"),
        (certificate(Some(29)), "bad"),
        (certificate(Some(30)), "good"),
        (certificate(None), "insufficient"),
    ];
    check("certificate_expiring", "app.example", &cases).await;
}
