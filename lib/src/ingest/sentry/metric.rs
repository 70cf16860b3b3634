//! Numbers that the app counts: items of the type `trace_metric`.

use serde_json::{Map, Value};

use super::{
    fields::{self, Fields},
    log,
};
use crate::ingest::item::{Item, Kind};

/// A number, if it is one.
pub(super) fn read(said: &str, given: &Fields) -> Option<Item> {
    let name = fields::text(given, "name")?;
    let value = given.get("value")?.as_f64()?;
    let attributes = fields::attributes(given);
    let same = format!("{said}{}", Value::from(given.clone()));
    let item = Item::new(Kind::Metric, name, None, same.as_bytes());
    let mut detail = Map::new();
    for name in ["type", "unit"] {
        if let Some(word) = fields::text(given, name) {
            detail.insert(name.to_owned(), word.into());
        }
    }
    let rest = log::own(&attributes);
    if !rest.is_empty() {
        detail.insert("attributes".to_owned(), rest.into());
    }
    let item = log::described(item, given, &attributes);
    Some(item.value(Some(value)).detail(detail))
}
