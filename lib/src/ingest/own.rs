//! Our own form: JSON, whatever its content type says, because a page that is being left can
//! send nothing but text.
//!
//! ```json
//! {"sentAt": "2026-11-24T12:00:00Z", "release": "1.4.2", "environment": "production",
//!  "user": "7c5…", "session": "9f0…",
//!  "items": [
//!    {"id": "…", "type": "event", "name": "wine_added", "time": "…", "properties": {…}},
//!    {"type": "page_view", "name": "/wines/[id]", "properties": {"referrer": "…"}},
//!    {"type": "web_vital", "name": "LCP", "value": 1234, "properties": {"path": "/wines"}},
//!    {"type": "error", "name": "TypeError", "message": "…", "stack": "…", "severity": "high"},
//!    {"type": "request", "name": "/api/wines", "method": "GET", "status": 200, "value": 45},
//!    {"type": "metric", "name": "wines_total", "value": 1200},
//!    {"type": "feedback", "message": "…", "contact": "anna@wine.example", "about": "last_error"}]}
//! ```
//!
//! `id` is the client's, so that what is sent twice is taken once; without one, what says the
//! same at the same time counts once. An array of items, or one item alone, is a batch too.

use serde_json::{Map, Value};
use uuid::Uuid;

use super::{
    batch::Batch,
    item::{self, Item, Kind},
    moment,
    source::{self, Received, Source},
};
use crate::{bounded_json, problem::Problem};

/// How many levels of a batch are read.
const LEVELS: usize = 12;

pub(super) const SOURCE: Source = Source {
    name: "own",
    decode,
    answer: source::counted,
    note_too_large: None,
};

fn decode(received: &Received) -> Result<Batch, Problem> {
    let document: Value = bounded_json::read(&received.body, LEVELS)
        .map_err(|error| Problem::BadRequest(format!("the body is no JSON: {error}")))?;
    let (shared, items) = match document {
        Value::Array(items) => (Map::new(), items),
        Value::Object(mut document) => match document.remove("items") {
            Some(Value::Array(items)) => (document, items),
            Some(_) => return Err(Problem::BadRequest("items must be an array".into())),
            None => (Map::new(), vec![Value::Object(document)]),
        },
        _ => {
            return Err(Problem::BadRequest(
                "the body must be an item, an array of items, or an object with items".into(),
            ));
        }
    };
    let mut batch = Batch {
        sent_at: shared.get("sentAt").and_then(moment::read),
        ..Batch::default()
    };
    let around = Value::Object(shared.clone()).to_string();
    for item in items {
        match read(&shared, &around, item) {
            Some(item) => batch.add(item),
            None => batch.drop("unknown type", 1),
        }
    }
    Ok(batch)
}

/// Reads an item. What stands around it tells it from the same item of somebody else.
fn read(shared: &Map<String, Value>, around: &str, value: Value) -> Option<Item> {
    let same = format!("{around}{value}");
    let Value::Object(mut fields) = value else {
        return None;
    };
    let kind = kind(fields.get("type")?.as_str()?)?;
    let text = |name: &str| fields.get(name).and_then(Value::as_str);
    let common = |name: &str| text(name).or_else(|| shared.get(name).and_then(Value::as_str));
    let name = match kind {
        Kind::Request | Kind::PageView => item::path(text("name").unwrap_or_default()),
        _ => text("name").unwrap_or(default_name(kind)).to_owned(),
    };
    let id = text("id").and_then(|id| Uuid::parse_str(id).ok());
    let item = Item::new(kind, &name, id, same.as_bytes())
        .at(fields.get("time").and_then(moment::read))
        .environment(common("environment"))
        .release(common("release"))
        .request(text("method"), fields.get("status").and_then(Value::as_u64))
        .value(fields.get("value").and_then(Value::as_f64))
        .by(common("user"), common("session"))
        .contact(text("contact"));
    let mut detail = match fields.remove("properties") {
        Some(Value::Object(properties)) => properties,
        _ => Map::new(),
    };
    for said in [
        "message", "stack", "severity", "category", "about", "handled",
    ] {
        if let Some(value) = fields.remove(said) {
            detail.insert(said.to_owned(), value);
        }
    }
    Some(item.detail(detail))
}

fn kind(word: &str) -> Option<Kind> {
    Some(match word {
        "error" => Kind::Error,
        "request" => Kind::Request,
        "span" => Kind::Span,
        "page_view" => Kind::PageView,
        "event" => Kind::Event,
        "web_vital" => Kind::WebVital,
        "session" => Kind::Session,
        "metric" => Kind::Metric,
        "feedback" => Kind::Feedback,
        _ => return None,
    })
}

fn default_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Error => "Error",
        Kind::Feedback => "feedback",
        _ => "unknown",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn decoded(body: &str) -> Result<Batch, Problem> {
        decode(&Received {
            body: body.as_bytes().to_vec(),
            ..Received::default()
        })
    }

    fn items(body: &Value) -> Vec<Value> {
        let batch = decoded(&body.to_string()).unwrap();
        batch.items.iter().map(|item| json!(item)).collect()
    }

    #[test]
    fn items_take_what_the_batch_says_of_all_of_them() {
        let body = json!({
            "release": "1.4.2", "user": "u1", "environment": "Staging",
            "items": [
                {"type": "event", "name": "wine_added", "properties": {"colour": "red"}},
                {"type": "request", "name": "https://wine.example/api/wines?x=1", "method": "get",
                 "status": 503, "value": 45.5, "user": "u2"},
                {"type": "error", "name": "TypeError", "message": "no wine for a@b.example"},
            ],
        });
        let [event, request, error] = <[Value; 3]>::try_from(items(&body)).unwrap();
        assert_eq!(
            (&event["name"], &event["person"]),
            (&json!("wine_added"), &json!("u1"))
        );
        assert_eq!(
            (&event["release"], &event["environment"]),
            (&json!("1.4.2"), &json!("preview"))
        );
        assert_eq!(event["detail"], json!({"colour": "red"}));
        assert_eq!(request["name"], "/api/wines");
        assert_eq!(
            (&request["method"], &request["status"]),
            (&json!("GET"), &json!(503))
        );
        assert_eq!(
            (&request["value"], &request["person"]),
            (&json!(45.5), &json!("u2"))
        );
        assert_eq!(error["detail"]["message"], "no wine for [removed]");
    }

    #[test]
    fn whoever_writes_feedback_is_reached_beside_its_details() {
        let wrote = |kind: &str| {
            let body = json!({"type": kind, "message": "no wine", "contact": " anna@wine.example\n",
                              "about": "last_error"});
            items(&body).remove(0)
        };
        let feedback = wrote("feedback");
        assert_eq!(feedback["contact"], "anna@wine.example");
        assert_eq!(
            feedback["detail"],
            json!({"message": "no wine", "about": "last_error"})
        );
        assert!(!wrote("event").to_string().contains("anna"));
    }

    #[test]
    fn one_odd_item_is_left_out_alone() {
        let batch = decoded(
            r#"[{"type":"event","name":"a"}, {"type":"riddle"}, 7, null, {"name":"b"},
                {"type":"event","name":"c","value":1e400,"time":"yesterday"}]"#,
        )
        .unwrap();
        let names: Vec<_> = batch
            .items
            .iter()
            .map(|item| json!(item)["name"].clone())
            .collect();
        assert_eq!(names, ["a", "c"]);
        assert_eq!(batch.drops["unknown type"], 4);
    }

    #[test]
    fn the_same_of_two_people_is_two_items_and_a_batch_that_comes_again_is_one() {
        let id = |user: &str| {
            let body = json!({"user": user, "items": [{"type": "page_view", "name": "/"}]});
            items(&body)[0]["id"].clone()
        };
        assert_eq!(id("u1"), id("u1"));
        assert_ne!(id("u1"), id("u2"));
    }

    #[test]
    fn an_item_alone_and_an_array_are_batches() {
        let alone = json!({"type": "event", "name": "a"});
        assert_eq!(items(&alone).len(), 1);
        assert_eq!(items(&json!([alone, alone])).len(), 2);
        assert_eq!(items(&json!({"items": []})).len(), 0);
        for other in ["", "7", "\"x\"", "{\"items\":7}", "{", "\u{0}"] {
            assert!(
                matches!(decoded(other), Err(Problem::BadRequest(_))),
                "{other}"
            );
        }
    }
}
