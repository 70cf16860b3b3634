//! Closed sets of words: the domain in SQL and the enum in Rust list the same.

use ops::{
    alerts::acknowledge::Action,
    deployment_event::DeploymentEvent,
    jobs::Outcome,
    messages::{channels, message_facts::Severity},
    monitoring::sample::Status,
    platform_watch::Source,
    platforms::vercel::check_runs::Conclusion,
    status::document::State,
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::support::{World, array};

/// The words of a domain.
async fn words(world: &World, domain: &str) -> Vec<Value> {
    array(&world.value(&format!("ops.words('ops.{domain}')")).await).clone()
}

/// Asserts that an enum reads every word of a domain.
async fn check<Word: DeserializeOwned>(world: &World, domain: &str) {
    let words = words(world, domain).await;
    assert!(!words.is_empty(), "{domain}");
    for word in words {
        let read = serde_json::from_value::<Word>(word.clone());
        assert!(read.is_ok(), "ops.{domain} has {word}, and Rust does not");
    }
}

#[tokio::test]
async fn rust_reads_every_word_that_the_database_may_write() {
    let world = World::migrated().await;
    check::<Severity>(&world, "severity").await;
    check::<Status>(&world, "check_status").await;
    check::<Action>(&world, "alert_action").await;
    check::<Outcome>(&world, "run_result").await;
}

#[tokio::test]
async fn sets_that_rust_writes_have_the_same_words_in_the_same_order() {
    let world = World::migrated().await;
    assert_eq!(json!(words(&world, "severity").await), json!(Severity::ALL));
    assert_eq!(
        json!(words(&world, "component_state").await),
        json!(State::ALL)
    );
    assert_eq!(
        json!(words(&world, "deployment_event").await),
        json!(DeploymentEvent::ALL)
    );
    assert_eq!(
        json!(words(&world, "platform_source").await),
        json!(Source::ALL)
    );
    assert_eq!(
        json!(words(&world, "check_run_conclusion").await),
        json!(Conclusion::ALL)
    );
    let kinds = "(select jsonb_agg(jsonb_build_array(channel, reach) order by place) from ops.channel_kinds)";
    let known = channels::ALL.map(|channel| json!([channel, channel.reach()]));
    assert_eq!(world.value(kinds).await, json!(known));
}

#[tokio::test]
async fn words_are_joined_as_a_sentence_lists_them() {
    let world = World::migrated().await;
    for (words, expected) in [("{a}", "a"), ("{a,b}", "a or b"), ("{a,b,c}", "a, b or c")] {
        let joined = world.value(&format!("ops.join_words('{words}')")).await;
        assert_eq!(joined, expected);
    }
}
