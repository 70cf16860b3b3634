//! Lines of a log: events, and errors where they are as bad as that.

use serde_json::{Map, Value};

use super::fields::{self, Fields};
use crate::ingest::item::{Item, Kind};

/// Attributes that say the same as an item does, or whose they are.
const OTHERS: [&str; 3] = ["sentry.", "user.", "server."];

/// A line.
pub(super) fn read(said: &str, given: &Fields) -> Option<Item> {
    let body = fields::text(given, "body")?;
    let attributes = fields::attributes(given);
    let level = fields::text(given, "level").map(str::to_ascii_lowercase);
    let is_error = matches!(level.as_deref(), Some("error" | "fatal"));
    let kind = if is_error { Kind::Error } else { Kind::Event };
    let same = format!("{said}{}", Value::from(given.clone()));
    let item = Item::new(
        kind,
        if is_error { "Log" } else { "log" },
        None,
        same.as_bytes(),
    );

    let mut detail = Map::new();
    detail.insert("message".to_owned(), body.into());
    detail.insert(
        "severity".to_owned(),
        fields::severity(level.as_deref()).into(),
    );
    if let Some(template) = attributes.get("sentry.message.template") {
        detail.insert("template".to_owned(), template.clone());
    }
    if let Some(trace) = given.get("trace_id") {
        detail.insert("trace".to_owned(), trace.clone());
    }
    let rest = own(&attributes);
    if !rest.is_empty() {
        detail.insert("attributes".to_owned(), rest.into());
    }
    Some(described(item, given, &attributes).detail(detail))
}

/// The item with what attributes say of where, when and by whom.
pub(super) fn described(item: Item, given: &Fields, attributes: &Fields) -> Item {
    item.at(fields::time(given, "timestamp"))
        .environment(fields::text(attributes, "sentry.environment"))
        .release(fields::text(attributes, "sentry.release"))
        .by(fields::person(attributes.get("user.id")).as_deref(), None)
}

/// The attributes that the app gave itself.
pub(super) fn own(attributes: &Fields) -> Fields {
    let others = |name: &str| OTHERS.iter().any(|other| name.starts_with(other));
    let own = attributes.iter().filter(|(name, _)| !others(name));
    own.map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}
