//! What events, transactions and feedback have in common.

use serde_json::Value;

use super::fields::{self, Fields};
use crate::ingest::item::Item;

/// The item with what its document says of where, when and by whom.
pub(super) fn described(item: Item, event: &Fields) -> Item {
    let user = fields::within(event, &["user"]);
    let person = user.and_then(|user| fields::person(user.get("id")));
    item.at(fields::time(event, "timestamp"))
        .environment(fields::text(event, "environment"))
        .release(fields::text(event, "release"))
        .by(person.as_deref(), None)
}

/// The trace that it belongs to.
pub(super) fn trace(event: &Fields) -> Option<Value> {
    let trace = fields::within(event, &["contexts", "trace"])?;
    trace.get("trace_id").cloned()
}
