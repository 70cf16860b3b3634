//! Alerts from outside.

use serde_json::{Value, json};

use crate::support::{World, array, at, call};

fn firing(subject: &str, severity: &str) -> Value {
    json!({"status": "firing", "source": "ci", "type": "deploy_failed", "severity": severity,
           "title": "Deployment 7 failed", "message": "exit code 1", "subject": subject,
           "data": {"run": 7}})
}

fn resolved(subject: &str) -> Value {
    json!({"status": "resolved", "source": "ci", "type": "deploy_failed", "subject": subject})
}

fn request(alerts: &[Value], now: &str) -> Value {
    json!({"p_request": uuid::Uuid::new_v4(), "p_alerts": alerts, "p_channels": ["slack", "email"],
           "p_now": at(now)})
}

async fn raise(world: &World, alerts: &[Value], now: &str) -> Vec<Value> {
    let answer = world.call("ops_raise_alerts", request(alerts, now)).await;
    array(&answer["results"])
        .iter()
        .map(|result| result["outcome"].clone())
        .collect()
}

#[tokio::test]
async fn opened_updated_resolved_ignored() {
    let world = World::migrated().await;
    assert_eq!(
        raise(
            &world,
            &[
                firing("web", "high"),
                resolved("api"),
                firing("web", "high")
            ],
            "12:00:00"
        )
        .await,
        ["opened", "ignored", "updated"],
    );
    let alert = "select fingerprint, rule, subject, severity, status, source, occurrences, opened_at, resolved_at
                 from ops.alerts";
    let mut expected = json!({
        "fingerprint": "external:ci:deploy_failed:web", "rule": "external", "subject": "web",
        "severity": "high", "status": "firing", "source": "external", "occurrences": 2,
        "opened_at": "2026-11-24T12:00:00+00:00", "resolved_at": null,
    });
    assert_eq!(world.rows(alert).await, json!([expected]));
    assert_eq!(
        world.deliver("12:00:01").await,
        1,
        "one message, however often it is raised"
    );

    // Neither ticks nor silence end it.
    world.tick("12:01:00", &[]).await;
    let later = world.tick("18:00:00", &[]).await;
    assert_eq!(later["openAlerts"], 1);

    assert_eq!(
        raise(&world, &[resolved("web"), resolved("web")], "18:00:30").await,
        ["resolved", "ignored"],
    );
    expected["status"] = json!("resolved");
    expected["resolved_at"] = json!("2026-11-24T18:00:30+00:00");
    assert_eq!(world.rows(alert).await, json!([expected]));
    let end = world
        .rows("select facts from ops.outbox where kind = 'resolved'")
        .await;
    let facts = &end[0]["facts"];
    assert_eq!(facts["title"], "Deployment 7 failed");
    assert_eq!(facts["message"], "exit code 1");
    assert_eq!(
        facts["detail"],
        json!({"source": "ci", "type": "deploy_failed", "data": {"run": 7}})
    );
    assert_eq!(
        raise(&world, &[firing("web", "high")], "18:01:00").await,
        ["opened"]
    );
}

#[tokio::test]
async fn a_repeated_request_returns_its_first_result() {
    let world = World::migrated().await;
    let arguments = request(&[firing("web", "high")], "12:00:00");
    let first = world.call("ops_raise_alerts", arguments.clone()).await;
    assert_eq!(world.call("ops_raise_alerts", arguments).await, first);
    assert_eq!(world.value("(select occurrences from ops.alerts)").await, 1);
}

#[tokio::test]
async fn a_worse_severity_is_told_where_the_former_was_not() {
    let world = World::migrated().await;
    raise(&world, &[firing("web", "medium")], "12:00:00").await;
    assert_eq!(world.deliver("12:00:01").await, 1);
    assert_eq!(
        raise(&world, &[firing("web", "critical")], "12:01:00").await,
        ["updated"]
    );
    assert_eq!(
        world
            .rows("select channel, severity, status from ops.outbox order by created_at")
            .await,
        json!([{"channel": "slack", "severity": "medium", "status": "sent"},
               {"channel": "email", "severity": "critical", "status": "pending"}]),
    );
    assert_eq!(
        world.value("(select severity from ops.incidents)").await,
        "critical"
    );
    raise(&world, &[firing("web", "low")], "12:02:00").await;
    assert_eq!(
        world.value("(select severity from ops.alerts)").await,
        "critical"
    );
}

#[tokio::test]
async fn a_beginning_counts_from_the_last_thirty_days_and_not_from_the_future() {
    let world = World::migrated().await;
    let now = "2026-11-24T12:00:00+00:00";
    for (nth, (since, expected)) in [
        (Value::Null, now),
        (json!("2026-10-25T12:00:00Z"), now),
        (json!("2026-10-25T12:00:01Z"), "2026-10-25T12:00:01+00:00"),
        (json!("2026-11-24T11:59:59Z"), "2026-11-24T11:59:59+00:00"),
        (json!("2026-11-24T12:00:01Z"), now),
    ]
    .into_iter()
    .enumerate()
    {
        let subject = format!("web-{nth}");
        let mut alert = firing(&subject, "high");
        alert["since"] = since.clone();
        raise(&world, &[alert], "12:00:00").await;
        let began = format!("(select first_bad_at from ops.alerts where subject = '{subject}')");
        assert_eq!(world.value(&began).await, expected, "{since}");
    }
}

#[tokio::test]
async fn identity_is_given_or_made_without_the_text() {
    let world = World::migrated().await;
    let mut titled = firing("x", "high");
    titled.as_object_mut().unwrap().remove("subject");
    let mut other = titled.clone();
    other["title"] = json!("Deployment 8 failed");
    let mut named = titled.clone();
    named["fingerprint"] = json!("mine");
    let answer = world
        .call(
            "ops_raise_alerts",
            request(&[titled, other, named], "12:00:00"),
        )
        .await;
    let fingerprint = |nth: usize| {
        answer["results"][nth]["fingerprint"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    assert_eq!(fingerprint(0), fingerprint(1), "numbers do not tell apart");
    assert!(
        !fingerprint(0).contains("eployment 7"),
        "{}",
        fingerprint(0)
    );
    assert_eq!(fingerprint(2), "external:ci:mine");
}

#[tokio::test]
async fn one_bad_alert_refuses_all() {
    let world = World::migrated().await;
    let broken = |key: &str, value: Value| {
        let mut alert = firing("web", "high");
        alert[key] = value;
        alert
    };
    let mut nameless = resolved("web");
    nameless.as_object_mut().unwrap().remove("subject");
    for bad in [
        json!(7),
        broken("status", json!("open")),
        broken("source", Value::Null),
        broken("type", json!("")),
        broken("severity", json!("fatal")),
        broken("title", Value::Null),
        broken("fingerprint", json!("x".repeat(501))),
        nameless,
    ] {
        let arguments = request(&[firing("web", "high"), bad.clone()], "12:00:00");
        assert_eq!(
            world.refusal("ops_raise_alerts", arguments).await[0],
            "22023",
            "{bad}"
        );
    }
    assert_eq!(world.value("(select count(*) from ops.alerts)").await, 0);
    for (argument, value) in [
        ("p_alerts", json!({})),
        ("p_channels", json!(["pager"])),
        ("p_request", Value::Null),
    ] {
        let mut arguments = request(&[], "12:00:00");
        arguments[argument] = value;
        let [code, ..] = world.refusal("ops_raise_alerts", arguments).await;
        assert_eq!(code, "22023", "{argument}");
    }
}

#[tokio::test]
async fn callers_at_once_make_one_alert_and_one_incident() {
    let world = World::migrated().await;
    let mut callers = Vec::new();
    for nth in 0..10 {
        let session = world.session().await;
        let own = firing(&format!("web {}", nth / 2), "high");
        callers.push(tokio::spawn(async move {
            let arguments = request(&[own], "12:00:00");
            call(&session, "ops_raise_alerts", arguments).await.unwrap()
        }));
    }
    for caller in callers {
        caller.await.unwrap();
    }
    assert_eq!(world.value("(select count(*) from ops.alerts)").await, 5);
    assert_eq!(
        world
            .value("(select sum(occurrences) from ops.alerts)")
            .await,
        10
    );
    assert_eq!(world.value("(select count(*) from ops.incidents)").await, 1);
    assert_eq!(world.value("(select count(*) from ops.outbox)").await, 5);
}

/// Who opens, resolves or settles does so alone: here a call that has not ended
/// yet keeps each of the others waiting until their patience ends.
#[tokio::test]
async fn whoever_changes_alerts_does_so_alone() {
    let world = World::migrated().await;
    let claim = world.claim("12:00:05").await;
    let other = world.session().await;
    other.batch_execute("begin").await.unwrap();
    let raised = request(&[firing("web", "high")], "12:00:05");
    call(&other, "ops_raise_alerts", raised.clone())
        .await
        .unwrap();

    let tick =
        json!({"environment": "production", "everySeconds": 60, "checks": [], "channels": []});
    let impatient = world.session().await;
    impatient
        .batch_execute("set lock_timeout = '50ms'")
        .await
        .unwrap();
    for (function, arguments) in [
        ("ops_raise_alerts", raised),
        (
            "ops_commit_tick",
            json!({"p_run": claim["run"], "p_fence": claim["fence"], "p_tick": tick}),
        ),
        (
            "ops_settle_messages",
            json!({"p_claim": uuid::Uuid::nil(), "p_results": []}),
        ),
    ] {
        let gave_up = call(&impatient, function, arguments)
            .await
            .expect_err(function);
        assert_eq!(gave_up.code().unwrap().code(), "55P03", "{function}");
    }
}
