//! Runs of the deployment check: taken once, verified by one, concluded once and sent until
//! the platform has taken the answer.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{World, at};

async fn ask(world: &World, run: &str, cancelled: bool, now: &str) {
    let runs = json!([{"run": run, "deployment": "dpl_1", "cancelled": cancelled}]);
    let take = "select ops.take_check_runs(1, 'test', $1::text::jsonb, $2::text::timestamptz)";
    let (runs, now) = (runs.to_string(), at(now));
    world.admin.execute(take, &[&runs, &now]).await.unwrap();
}

async fn claim(world: &World, claim: Uuid, now: &str) -> Value {
    let arguments = json!({"p_claim": claim, "p_now": at(now)});
    world.call("ops_claim_check_run", arguments).await
}

async fn conclude(world: &World, run: &str, claim: Uuid, said: &str, time: &str) -> Value {
    let arguments = json!({"p_run": run, "p_claim": claim, "p_conclusion": said,
                           "p_text": "because", "p_now": at(time)});
    world.call("ops_conclude_check_run", arguments).await
}

async fn settle(world: &World, run: &str, claim: Uuid, now: &str) -> Value {
    let arguments = json!({"p_run": run, "p_claim": claim, "p_now": at(now)});
    world.call("ops_settle_check_run", arguments).await
}

#[tokio::test]
async fn a_run_is_verified_by_one_and_answered_once() {
    let world = World::migrated().await;
    let (mine, yours) = (Uuid::new_v4(), Uuid::new_v4());
    assert_eq!(claim(&world, mine, "12:00:00").await["run"], Value::Null);
    ask(&world, "run_1", false, "12:00:00").await;
    // A webhook comes twice.
    ask(&world, "run_1", false, "12:00:01").await;
    for _ in 0..2 {
        let claimed = claim(&world, mine, "12:00:02").await;
        assert_eq!(claimed["run"], "run_1", "a repeated claim is the same");
        assert_eq!(
            (&claimed["deployment"], &claimed["conclusion"]),
            (&json!("dpl_1"), &Value::Null)
        );
    }
    assert_eq!(claim(&world, yours, "12:00:03").await["run"], Value::Null);
    let concluded = conclude(&world, "run_1", mine, "succeeded", "12:00:10").await;
    assert_eq!(
        concluded,
        json!({"isDue": true, "conclusion": "succeeded", "text": "because"})
    );
    assert_eq!(
        settle(&world, "run_1", mine, "12:00:11").await["settled"],
        true
    );
    assert_eq!(
        settle(&world, "run_1", mine, "12:00:12").await["settled"],
        true
    );
    assert_eq!(claim(&world, yours, "12:30:00").await["run"], Value::Null);
}

#[tokio::test]
async fn a_lost_answer_is_sent_again_as_it_was() {
    let world = World::migrated().await;
    let (mine, yours) = (Uuid::new_v4(), Uuid::new_v4());
    ask(&world, "run_1", false, "12:00:00").await;
    claim(&world, mine, "12:00:00").await;
    conclude(&world, "run_1", mine, "failed", "12:00:10").await;
    // Whoever it was died before the platform took it.
    let claimed = claim(&world, yours, "12:01:01").await;
    assert_eq!(
        (&claimed["run"], &claimed["conclusion"]),
        (&json!("run_1"), &json!("failed"))
    );
    let late = conclude(&world, "run_1", mine, "succeeded", "12:01:02").await;
    assert_eq!(
        (&late["isDue"], &late["conclusion"]),
        (&json!(false), &json!("failed"))
    );
    assert_eq!(
        settle(&world, "run_1", mine, "12:01:03").await["settled"],
        false
    );
    assert_eq!(
        settle(&world, "run_1", yours, "12:01:04").await["settled"],
        true
    );
}

#[tokio::test]
async fn what_was_cancelled_is_never_answered() {
    let world = World::migrated().await;
    let mine = Uuid::new_v4();
    // The cancellation overtakes what it cancels.
    ask(&world, "run_1", true, "12:00:00").await;
    ask(&world, "run_1", false, "12:00:01").await;
    assert_eq!(claim(&world, mine, "12:00:02").await["run"], Value::Null);
    // It comes while somebody is at it.
    ask(&world, "run_2", false, "12:00:03").await;
    assert_eq!(claim(&world, mine, "12:00:04").await["run"], "run_2");
    ask(&world, "run_2", true, "12:00:05").await;
    let concluded = conclude(&world, "run_2", mine, "succeeded", "12:00:06").await;
    assert_eq!(concluded["isDue"], false);
    assert_eq!(
        claim(&world, Uuid::new_v4(), "12:05:00").await["run"],
        Value::Null
    );
}

#[tokio::test]
async fn what_nobody_verified_in_its_time_has_failed_and_says_so() {
    let world = World::migrated().await;
    ask(&world, "run_1", false, "12:00:00").await;
    let claimed = claim(&world, Uuid::new_v4(), "12:10:00").await;
    assert_eq!(
        claimed,
        json!({"run": "run_1", "deployment": "dpl_1", "conclusion": "failed",
               "text": "it was not verified within 10 minutes"})
    );
}

#[tokio::test]
async fn a_platform_that_takes_nothing_is_asked_twenty_times() {
    let world = World::migrated().await;
    ask(&world, "run_1", false, "12:00:00").await;
    let mut claims = 0;
    for minute in 0..40 {
        let now = format!("12:{minute:02}:01");
        if claim(&world, Uuid::new_v4(), &now).await["run"] == "run_1" {
            claims += 1;
        }
    }
    assert_eq!(claims, 20);
}
