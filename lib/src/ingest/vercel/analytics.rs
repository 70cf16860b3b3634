//! Records of Web Analytics: pages that were looked at, and events. They have no ids, so that
//! what says the same counts once.

use serde_json::Value;

use crate::ingest::{
    batch::Batch,
    detail::Details,
    item::{self, Item, Kind},
    moment,
};

/// Makes an item of a record.
pub(super) fn take(record: &Value, batch: &mut Batch) {
    let place = record["route"].as_str().or(record["path"].as_str());
    let place = item::path(place.unwrap_or_default());
    let (kind, name) = match record["eventType"].as_str() {
        Some("pageview") => (Kind::PageView, place.as_str()),
        Some("event") => (
            Kind::Event,
            record["eventName"].as_str().unwrap_or("unknown"),
        ),
        Some(_) | None => return batch.drop("unknown type", 1),
    };
    // It is JSON in a text.
    let said = record["eventData"].as_str();
    let said = said.and_then(|text| serde_json::from_str::<Value>(text).ok());
    let details = Details::default()
        .with("path", (kind == Kind::Event).then_some(place.as_str()))
        .with("properties", said.filter(Value::is_object))
        .with("referrer", record["referrer"].as_str().map(origin))
        .of(record, &["country", "deviceType", "osName", "clientName"]);
    let device = number("vercel", &record["deviceId"]);
    let session = number("vercel", &record["sessionId"]);
    let item = Item::new(kind, name, None, record.to_string().as_bytes())
        .at(moment::read(&record["timestamp"]))
        .environment(record["vercelEnvironment"].as_str())
        .release(record["deployment"].as_str())
        .by(device.as_deref(), session.as_deref())
        .detail(details.all());
    batch.add(item);
}

/// A number of the platform's as a word that is told from the app's own numbers.
pub(super) fn number(of: &str, value: &Value) -> Option<String> {
    value.as_number().map(|number| format!("{of}-{number}"))
}

/// Where somebody came from, without what they looked at there.
fn origin(referrer: &str) -> String {
    let rest = referrer
        .split_once("://")
        .map_or(referrer, |(_, rest)| rest);
    rest.split(['/', '?', '#'])
        .next()
        .unwrap_or_default()
        .to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::ingest::vercel::tests::decoded;

    fn record(kind: &str) -> Value {
        json!({
            "schema": "vercel.analytics.v2", "eventType": kind, "eventName": "wine_added",
            "eventData": r#"{"colour":"red","email":"a@b.example"}"#, "timestamp": 1_795_521_600_000_i64,
            "projectId": "prj", "ownerId": "team", "sessionId": 67890, "deviceId": 12345,
            "origin": "https://wine.example", "path": "/wines/7", "route": "/wines/[id]",
            "referrer": "https://search.example/?q=secret", "queryParams": "utm=secret", "country": "US",
            "osName": "macOS", "clientName": "Chrome", "deviceType": "desktop",
            "vercelEnvironment": "preview", "flags": "{}", "deployment": "dpl_abc",
        })
    }

    #[test]
    fn pages_and_events_are_told_apart_and_counted_once() {
        let page = record("pageview");
        let batch =
            decoded(&json!([page, record("event"), page, record("x")]).to_string()).unwrap();
        let items: Vec<_> = batch.items.iter().map(|item| json!(item)).collect();
        assert_eq!(items.len(), 3);
        assert_eq!(items[0]["id"], items[2]["id"]);
        assert_eq!(
            (&items[0]["kind"], &items[0]["name"]),
            (&json!("page_view"), &json!("/wines/[id]"))
        );
        assert_eq!(
            (&items[1]["kind"], &items[1]["name"]),
            (&json!("event"), &json!("wine_added"))
        );
        assert_eq!(
            items[1]["detail"]["properties"],
            json!({"colour": "red", "email": "[removed]"})
        );
        assert_eq!(
            (&items[1]["person"], &items[1]["session"]),
            (&json!("vercel-12345"), &json!("vercel-67890"))
        );
        assert_eq!(items[0]["environment"], "preview");
        assert_eq!(items[0]["detail"]["referrer"], "search.example");
        assert!(!json!(items).to_string().contains("secret"));
        assert_eq!(batch.drops["unknown type"], 1);
    }
}
