//! Web Vitals: how a page felt, among the measurements of a transaction or the attributes of
//! a span.

use serde_json::{Value, json};

use super::fields::{self, Fields};
use crate::ingest::item::{self, Item, Kind};

/// What they are called there and here.
const NAMES: [(&str, &str); 5] = [
    ("lcp", "LCP"),
    ("fcp", "FCP"),
    ("cls", "CLS"),
    ("inp", "INP"),
    ("ttfb", "TTFB"),
];

/// Those among a transaction's measurements.
pub(super) fn of_measurements(said: &str, transaction: &Fields) -> Vec<Item> {
    let Some(measured) = fields::within(transaction, &["measurements"]) else {
        return Vec::new();
    };
    let page = fields::text(transaction, "transaction");
    let same = fields::text(transaction, "event_id").unwrap_or(said);
    let read = |(given, name): (&str, &str)| {
        let measured = fields::within(measured, &[given])?;
        let value = measured.get("value")?.as_f64()?;
        let value = match fields::text(measured, "unit") {
            Some("second") => value * 1e3,
            _ => value,
        };
        Some(vital(name, value, page, same))
    };
    NAMES.into_iter().filter_map(read).collect()
}

/// Those among a span's attributes.
pub(super) fn of_attributes(said: &str, span: &Fields, data: &Fields) -> Vec<Item> {
    let page = ["sentry.segment.name", "sentry.transaction", "url.path"];
    let page = page.iter().find_map(|name| fields::text(data, name));
    let same = fields::text(span, "span_id").unwrap_or(said);
    let read = |(given, name): (&str, &str)| {
        let value = data.get(&format!("browser.web_vital.{given}.value"))?;
        Some(vital(name, value.as_f64()?, page, same))
    };
    NAMES.into_iter().filter_map(read).collect()
}

fn vital(name: &str, value: f64, page: Option<&str>, same: &str) -> Item {
    let same = format!("{name} {same}");
    let item = Item::new(Kind::WebVital, name, None, same.as_bytes()).value(Some(value));
    match page {
        Some(page) => {
            let detail = json!({ "path": item::path(page) });
            let Value::Object(detail) = detail else {
                return item;
            };
            item.detail(detail)
        }
        None => item,
    }
}
