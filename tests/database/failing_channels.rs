//! Channels that take messages, or do not.

use serde_json::{Value, json};

use crate::support::{World, array, at};

/// Claims what is due on one channel and settles it all with that outcome;
/// returns how many messages that were.
pub(crate) async fn settle(world: &World, now: &str, channel: &str, outcome: &str) -> usize {
    let claim = uuid::Uuid::new_v4();
    let arguments = json!({
        "p_claim": claim, "p_channels": [channel], "p_limit": 50, "p_lease_seconds": 60, "p_now": at(now),
    });
    let claimed = world.call("ops_claim_messages", arguments).await;
    let singles = array(&claimed["messages"])
        .iter()
        .map(|message| message["id"].clone());
    let digested = array(&claimed["digests"])
        .iter()
        .flat_map(|digest| array(&digest["ids"]).clone());
    let results: Vec<Value> = singles
        .chain(digested)
        .map(|id| json!({"id": id, "outcome": outcome, "error": "refused"}))
        .collect();
    let settlement = json!({"p_claim": claim, "p_results": results, "p_now": at(now)});
    world.call("ops_settle_messages", settlement).await;
    results.len()
}

/// Moves the ladders, and what else is done for messages, with those channels.
pub(crate) async fn mind(world: &World, now: &str, channels: &[&str]) {
    let arguments = json!({"p_channels": channels, "p_now": at(now)});
    world.call("ops_advance_ladder", arguments).await;
}
