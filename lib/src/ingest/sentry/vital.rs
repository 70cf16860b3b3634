//! Web Vitals: how a page felt, among the measurements of a transaction or the attributes of
//! a span.

use super::{
    fields::{self, Fields},
    pattern,
};
use crate::ingest::{
    detail::Details,
    item::{self, Item, Kind},
};

/// What they are called there and here.
const NAMES: [(&str, &str); 5] = [
    ("lcp", "LCP"),
    ("fcp", "FCP"),
    ("cls", "CLS"),
    ("inp", "INP"),
    ("ttfb", "TTFB"),
];

/// Those among the measurements of a transaction, or of a span that comes by itself.
pub(super) fn of_measurements(said: &str, given: &Fields) -> Vec<Item> {
    let Some(measured) = fields::within(given, &["measurements"]) else {
        return Vec::new();
    };
    let none = Fields::new();
    let data = fields::within(given, &["data"]).unwrap_or(&none);
    let page = fields::text(given, "transaction").or_else(|| fields::text(data, "transaction"));
    let same = ["event_id", "span_id"].iter();
    let same = same.map(|id| fields::text(given, id)).find_map(|id| id);
    let read = |(given, name): (&str, &str)| {
        let measured = fields::within(measured, &[given])?;
        let value = measured.get("value")?.as_f64()?;
        let value = match fields::text(measured, "unit") {
            Some("second") => value * 1e3,
            _ => value,
        };
        Some(vital(name, value, page, same.unwrap_or(said)))
    };
    NAMES.into_iter().filter_map(read).collect()
}

/// Those among a span's attributes.
pub(super) fn of_attributes(said: &str, span: &Fields, data: &Fields) -> Vec<Item> {
    let page = fields::segment(data).or_else(|| fields::text(data, "url.path"));
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
    let page = page.map(|page| pattern::path(&item::path(page)));
    item.detail(Details::default().with("path", page).all())
}
