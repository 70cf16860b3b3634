//! Visits, of which an app that counts them by itself sends each change, and a server their
//! numbers by the minute.

use serde_json::{Map, Value};

use super::fields::{self, Fields};
use crate::ingest::item::{Item, Kind};

/// How a visit ends; until then it is `ok`.
const ENDS: [&str; 5] = ["exited", "crashed", "abnormal", "errored", "unhandled"];

/// One visit as it is now: `init` where it begins, its end by the name.
pub(super) fn read(said: &str, given: &Fields) -> Item {
    let status = fields::text(given, "status").filter(|status| ENDS.contains(status));
    let status = status.unwrap_or("ok");
    let id = fields::text(given, "sid");
    let same = match id {
        Some(id) => format!("session {id} {status} {:?}", given.get("init")),
        None => format!("{said}{}", Value::from(given.clone())),
    };
    let item = Item::new(Kind::Session, status, None, same.as_bytes());
    let person = fields::person(given.get("did"));
    described(item, given)
        .at(fields::time(given, "timestamp").or_else(|| fields::time(given, "started")))
        .by(person.as_deref(), id)
        .value(given.get("duration").and_then(Value::as_f64))
        .detail(numbers(given, &["init", "errors"]))
}

/// How many visits began in each minute, and how they ended.
pub(super) fn of_aggregates(said: &str, given: &Fields) -> Vec<Item> {
    let read = |aggregate: &Value| {
        let aggregate = aggregate.as_object()?;
        let same = format!("{said}{}", Value::from(aggregate.clone()));
        let item = Item::new(Kind::Session, "sessions", None, same.as_bytes());
        let detail = numbers(
            aggregate,
            &["exited", "errored", "crashed", "abnormal", "unhandled"],
        );
        let item = described(item, given).at(fields::time(aggregate, "started"));
        Some(item.detail(detail))
    };
    fields::listed(given, "aggregates")
        .iter()
        .filter_map(read)
        .collect()
}

fn described(item: Item, given: &Fields) -> Item {
    let none = Fields::new();
    let attributes = fields::within(given, &["attrs"]).unwrap_or(&none);
    item.environment(fields::text(attributes, "environment"))
        .release(fields::text(attributes, "release"))
}

fn numbers(given: &Fields, names: &[&str]) -> Map<String, Value> {
    let kept = names.iter().filter_map(|name| {
        let value = given.get(*name)?;
        (value.is_number() || value.is_boolean()).then(|| ((*name).to_owned(), value.clone()))
    });
    kept.collect()
}
