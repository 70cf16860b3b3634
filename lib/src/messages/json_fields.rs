//! Fields of JSON from the database, read one by one: a field that is missing or of
//! another type is as good as not there.

use jiff::Timestamp;
use serde_json::Value;

use super::plain_text;

/// A text, unless nothing of it would show.
pub(super) fn text(object: &Value, key: &str) -> Option<String> {
    let text = object[key].as_str()?;
    (!plain_text::line(text).is_empty()).then(|| text.to_owned())
}

/// A time.
pub(super) fn time(object: &Value, key: &str) -> Option<Timestamp> {
    object[key].as_str()?.parse().ok()
}
