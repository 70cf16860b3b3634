//! Who hears of incidents: the channels of what people do, and stakeholders of all that
//! concerns them.

use serde_json::json;

use crate::{
    failing_channels::mind,
    incidents::{open, update},
    people::{action, contact, messages, raise, resolve},
    support::{World, array, at},
};

async fn stakeholder(world: &World, name: &str, severity: &str, services: &[&str]) {
    let fields = json!({"email": format!("{name}@wine.example"), "severity": severity, "services": services});
    contact(world, name, "stakeholder", fields).await;
}

/// The notices about incidents: what happened, channel, status, and to whom by name.
async fn notices(world: &World) -> Vec<String> {
    let rows = world
        .rows(
            "select concat_ws(' ', facts #>> '{incidentChange,what}', channel, status,
                 facts #>> '{recipients,people,0,name}') as line
             from ops.outbox where incident is not null order by created_at, channel, 1",
        )
        .await;
    let lines = array(&rows).iter();
    lines
        .map(|row| row["line"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn what_people_do_to_an_incident_is_told_once_on_every_channel() {
    let world = World::migrated().await;
    mind(&world, "11:00:00", &["slack", "email"]).await;
    open(&world, "Checkout is slow", &[], "12:00:00").await;
    let monitoring = json!({"p_state": "monitoring", "p_public": "A fix is in place."});
    update(&world, 1, "12:10:00", monitoring).await;
    // Whose side it was on is for the postmortem.
    update(&world, 1, "12:11:00", json!({"p_cause": "ours"})).await;
    update(&world, 1, "12:20:00", json!({"p_state": "resolved"})).await;
    assert_eq!(
        notices(&world).await,
        [
            "opened email pending",
            "opened slack pending",
            "updated email pending",
            "updated slack pending",
            "resolved email pending",
            "resolved slack pending",
        ]
    );
    let text = "(select facts -> 'incidentChange' from ops.outbox where channel = 'slack' and facts #>> '{incidentChange,what}' = 'updated')";
    assert_eq!(
        world.value(text).await,
        json!({"what": "updated", "state": "monitoring", "by": "Anna", "text": "A fix is in place."})
    );
}

#[tokio::test]
async fn notices_of_an_incident_stand_in_one_thread_on_slack() {
    let world = World::migrated().await;
    mind(&world, "11:00:00", &["slack"]).await;
    open(&world, "Odd", &[], "12:00:00").await;
    let claimed = world.claim_messages("12:00:05").await;
    let message = &claimed["messages"][0];
    let results = json!([{"id": message["id"], "outcome": "sent", "providerId": "C1:1.5"}]);
    let settlement =
        json!({"p_claim": message["lease"], "p_results": results, "p_now": at("12:00:06")});
    world.call("ops_settle_messages", settlement).await;
    update(&world, 1, "12:10:00", json!({"p_state": "resolved"})).await;
    let claimed = world.claim_messages("12:10:05").await;
    assert_eq!(claimed["messages"][0]["thread"], "C1:1.5");
}

#[tokio::test]
async fn stakeholders_hear_of_what_concerns_them_and_are_never_asked() {
    let world = World::migrated().await;
    world
        .execute(
            "insert into ops.checks (name, kind, service, every_seconds, critical, environment, created_at, last_seen_at)
             values ('ai', 'dependency', 'ai', 60, false, 'production', now(), now())",
        )
        .await;
    stakeholder(&world, "Grave", "critical", &[]).await;
    stakeholder(&world, "Stella", "high", &[]).await;
    stakeholder(&world, "Vin", "high", &["ai"]).await;
    raise(&world, "12:00:00", "high", "x").await;
    mind(&world, "15:00:00", &["slack", "email"]).await;
    let asked = world.value("(select count(*) from ops.escalations where person is not null)");
    assert_eq!(asked.await, 0);
    assert_eq!(
        notices(&world).await,
        ["opened email pending Stella", "opened email pending Vin"],
        "it names no service, so it may concern everybody who hears of some"
    );
    world.deliver("15:00:05").await;
    // Grave hears of it once it is grave, and so of its end.
    update(&world, 1, "15:01:00", json!({"p_severity": "critical"})).await;
    world.deliver("15:01:05").await;
    resolve(&world, "15:02:00", "x").await;
    let ends: Vec<String> = notices(&world)
        .await
        .into_iter()
        .filter(|line| line.starts_with("resolved"))
        .collect();
    assert_eq!(
        ends,
        [
            "resolved email pending Grave",
            "resolved email pending Stella",
            "resolved email pending Vin"
        ]
    );
}

#[tokio::test]
async fn what_ends_in_silence_is_told_to_no_stakeholder() {
    let world = World::migrated().await;
    stakeholder(&world, "Stella", "high", &[]).await;
    let silence = json!({
        "p_silence": uuid::Uuid::new_v4(), "p_match": {"subject": "x"}, "p_until": at("13:00:00"),
        "p_reason": "known", "p_author": "Anna", "p_now": at("11:59:00"),
    });
    world.call("ops_add_silence", silence).await;
    raise(&world, "12:00:00", "high", "x").await;
    assert_eq!(world.deliver("12:59:59").await, 0);
    resolve(&world, "12:59:59", "x").await;
    assert_eq!(notices(&world).await, ["opened email superseded Stella"]);
}

#[tokio::test]
async fn a_notice_has_no_alert_that_could_be_answered() {
    let world = World::migrated().await;
    stakeholder(&world, "Stella", "high", &[]).await;
    raise(&world, "12:00:00", "high", "x").await;
    let alerts = world.rows("select alert from ops.outbox where incident is not null");
    assert_eq!(alerts.await, json!([{"alert": null}]));
    assert_eq!(
        messages(&world).await,
        ["firing slack pending", "notice email pending Stella"]
    );
}

#[tokio::test]
async fn a_stakeholder_needs_an_email_and_others_choose_no_incidents() {
    let world = World::migrated().await;
    for fields in [
        json!({"name": "S", "role": "stakeholder", "slack": "U0ABC"}),
        json!({"name": "A", "role": "cto", "email": "a@wine.example", "severity": "high"}),
        json!({"name": "S", "role": "stakeholder", "email": "s@wine.example", "services": ["unheard-of"]}),
        json!({"name": "S", "role": "stakeholder", "email": "s@wine.example", "severity": "grave"}),
    ] {
        let arguments =
            json!({"p_contact": uuid::Uuid::new_v4(), "p_fields": fields, "p_by": "test"});
        let refused = world.try_call("ops_save_contact", arguments).await;
        assert!(refused.is_err(), "{fields}");
    }
}

#[tokio::test]
async fn closing_an_incidents_last_alert_ends_it_for_stakeholders_as_well() {
    let world = World::migrated().await;
    stakeholder(&world, "Stella", "high", &[]).await;
    let alert = raise(&world, "12:00:00", "high", "x").await;
    world.deliver("12:00:05").await;
    let close = action(&alert, "resolve", "12:01:00", &json!({}));
    world.call("ops_act_on_alert", close).await;
    assert_eq!(
        notices(&world).await,
        ["opened email sent Stella", "resolved email pending Stella"]
    );
}
