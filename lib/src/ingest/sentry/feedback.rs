//! What somebody wrote, in the two forms of it. Who it was is not kept; by which address of
//! mail they can be reached is kept apart, until somebody has dealt with it.

use serde_json::{Map, Value};

use super::{
    event,
    fields::{self, Fields},
};
use crate::ingest::item::{self, Item, Kind};

/// An event with what somebody wrote among its contexts.
pub(super) fn of_event(said: &str, given: &Fields) -> Option<Item> {
    let written = fields::within(given, &["contexts", "feedback"])?;
    let message = fields::text(written, "message")?;
    let mut detail = Map::new();
    detail.insert("message".to_owned(), message.into());
    if let Some(url) = fields::text(written, "url") {
        detail.insert("page".to_owned(), item::path(url).into());
    }
    if let Some(about) = fields::text(written, "associated_event_id") {
        detail.insert("event".to_owned(), about.into());
    }
    if let Some(trace) = event::trace(given) {
        detail.insert("trace".to_owned(), trace);
    }
    let same = format!("{said}{message}");
    let id = fields::id(given, "event_id");
    let item = Item::new(Kind::Feedback, "feedback", id, same.as_bytes());
    let item = item.contact(fields::text(written, "contact_email"));
    Some(event::described(item, given).detail(detail))
}

/// The older form, which is always about an error.
pub(super) fn of_report(said: &str, given: &Fields) -> Option<Item> {
    let message = fields::text(given, "comments")?;
    let mut detail = Map::new();
    detail.insert("message".to_owned(), message.into());
    if let Some(about) = fields::text(given, "event_id") {
        detail.insert("event".to_owned(), about.into());
    }
    let same = format!("{said}{}", Value::from(given.clone()));
    let item = Item::new(Kind::Feedback, "feedback", None, same.as_bytes());
    Some(item.contact(fields::text(given, "email")).detail(detail))
}
