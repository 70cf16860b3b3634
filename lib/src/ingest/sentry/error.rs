//! Errors and messages: items of the type `event`.
//!
//! Kept is what one needs to tell one error from another and to find its cause: type and
//! message, the frames where it happened, what led there. Not kept are whose address it was,
//! headers, cookies, bodies, lines of source, local variables, and `extra`.

use serde_json::{Map, Value, json};

use super::{
    event,
    fields::{self, Fields},
};
use crate::ingest::item::{self, Item, Kind};

/// How many frames are kept, the newest.
const FRAMES: usize = 50;

/// How many breadcrumbs are kept, the newest.
const BREADCRUMBS: usize = 20;

/// How many exceptions of a chain are kept beside the main one.
const CAUSES: usize = 5;

/// How many debug ids are kept.
const IMAGES: usize = 50;

/// How long a message may be, in characters.
const MESSAGE: usize = 4_000;

/// How long any other text may be.
const TEXT: usize = 300;

/// The error that an event tells of.
pub(super) fn read(said: &str, given: &Fields) -> Item {
    let exceptions = exceptions(given);
    // Causes come first, the main one last.
    let main = exceptions.last().copied();
    let message = message(given);
    let name = main
        .and_then(|main| fields::text(main, "type"))
        .unwrap_or(if message.is_some() {
            "Message"
        } else {
            "Error"
        });
    let same = format!("{said}{}", Value::from(given.clone()));
    let id = fields::id(given, "event_id");
    let item = event::described(Item::new(Kind::Error, name, id, same.as_bytes()), given);
    let request = fields::within(given, &["request"]);
    let method = request.and_then(|request| fields::text(request, "method"));
    let response = fields::within(given, &["contexts", "response"]);
    let status = response.and_then(|response| response.get("status_code")?.as_u64());
    item.request(method, status)
        .detail(detail(given, &exceptions, message))
}

fn detail(given: &Fields, exceptions: &[&Fields], message: Option<&str>) -> Map<String, Value> {
    let mut detail = Map::new();
    let mut keep = |name: &str, value: Option<Value>| {
        if let Some(value) = value.filter(|value| *value != json!([]) && *value != json!({})) {
            detail.insert(name.to_owned(), value);
        }
    };
    let main = exceptions.last().copied();
    let said = main
        .and_then(|main| fields::text(main, "value"))
        .or(message);
    keep("message", said.map(|said| fields::clipped(said, MESSAGE)));
    keep(
        "severity",
        Some(fields::severity(fields::text(given, "level")).into()),
    );
    let mechanism = main.and_then(|main| fields::within(main, &["mechanism"]));
    keep(
        "handled",
        mechanism.and_then(|how| how.get("handled")?.as_bool().map(Value::Bool)),
    );
    keep("mechanism", mechanism.and_then(|how| clipped(how, "type")));
    let trace = main
        .and_then(|main| fields::within(main, &["stacktrace"]))
        .or_else(|| fields::within(given, &["stacktrace"]));
    keep("frames", trace.map(frames));
    let causes = exceptions.iter().rev().skip(1).take(CAUSES);
    keep(
        "causes",
        Some(
            causes
                .map(|cause| kept(cause, &["type", "value"]))
                .collect(),
        ),
    );
    keep("transaction", clipped(given, "transaction"));
    let url = fields::within(given, &["request"]).and_then(|request| fields::text(request, "url"));
    keep(
        "url",
        url.map(|url| fields::clipped(&item::path(url), TEXT)),
    );
    keep("tags", tags(given));
    keep("breadcrumbs", Some(breadcrumbs(given)));
    keep("debug_ids", Some(debug_ids(given)));
    keep(
        "fingerprint",
        given
            .get("fingerprint")
            .filter(|parts| parts.is_array())
            .cloned(),
    );
    keep("platform", clipped(given, "platform"));
    let sdk = fields::within(given, &["sdk"]);
    keep("sdk", sdk.map(|sdk| kept(sdk, &["name", "version"])));
    keep("trace", event::trace(given));
    detail
}

/// The exceptions, in whichever form they come.
fn exceptions(given: &Fields) -> Vec<&Fields> {
    match given.get("exception") {
        Some(Value::Object(alone)) if !alone.contains_key("values") => vec![alone],
        _ => fields::listed(given, "exception")
            .iter()
            .filter_map(Value::as_object)
            .collect(),
    }
}

/// What was said, with its parameters if that is known.
fn message(given: &Fields) -> Option<&str> {
    let of = |name: &str| match given.get(name)? {
        Value::Object(entry) => {
            fields::text(entry, "formatted").or_else(|| fields::text(entry, "message"))
        }
        text => text.as_str().filter(|text| !text.is_empty()),
    };
    of("logentry").or_else(|| of("message"))
}

/// The newest frames, in the client's order: where it happened is last.
fn frames(trace: &Fields) -> Value {
    let frames = fields::listed(trace, "frames");
    let frames = frames.get(frames.len().saturating_sub(FRAMES)..);
    let frames = frames
        .unwrap_or_default()
        .iter()
        .filter_map(Value::as_object);
    let read = |frame: &Fields| {
        let mut read = kept(frame, &["function", "lineno", "colno", "in_app"]);
        let file = fields::text(frame, "filename").or_else(|| fields::text(frame, "abs_path"));
        if let (Some(file), Some(read)) = (file, read.as_object_mut()) {
            let file = file.split(['?', '#']).next().unwrap_or_default();
            read.insert("filename".to_owned(), fields::clipped(file, TEXT));
        }
        read
    };
    frames.map(read).collect()
}

/// An object, or a list of pairs.
fn tags(given: &Fields) -> Option<Value> {
    match given.get("tags")? {
        Value::Object(tags) => Some(Value::Object(tags.clone())),
        Value::Array(pairs) => {
            let pair =
                |pair: &Value| Some((pair.get(0)?.as_str()?.to_owned(), pair.get(1)?.clone()));
            Some(Value::Object(pairs.iter().filter_map(pair).collect()))
        }
        _ => None,
    }
}

/// The newest of what led there.
fn breadcrumbs(given: &Fields) -> Value {
    let crumbs = fields::listed(given, "breadcrumbs");
    let crumbs = crumbs.get(crumbs.len().saturating_sub(BREADCRUMBS)..);
    let crumbs = crumbs
        .unwrap_or_default()
        .iter()
        .filter_map(Value::as_object);
    let names = ["timestamp", "type", "category", "level", "message", "data"];
    let read = |crumb: &Fields| {
        let mut read = kept(crumb, &names);
        // Queries hold personal data, by whatever name they come.
        if let Some(Value::Object(data)) = read.get_mut("data") {
            data.retain(|name, _| !name.ends_with("query") && !name.ends_with("fragment"));
        }
        read
    };
    crumbs.map(read).collect()
}

/// By which a source map is found, and the file that each is of.
fn debug_ids(given: &Fields) -> Value {
    let images = fields::within(given, &["debug_meta"]).map(|meta| fields::listed(meta, "images"));
    let images = images.unwrap_or_default().iter().take(IMAGES);
    images
        .filter_map(Value::as_object)
        .filter(|image| image.contains_key("debug_id"))
        .map(|image| kept(image, &["debug_id", "code_file"]))
        .collect()
}

/// Some of the fields, their texts not too long.
fn kept(given: &Fields, names: &[&str]) -> Value {
    let kept = names.iter().filter_map(|name| {
        let value = match given.get(*name)? {
            Value::Null => return None,
            Value::String(text) => fields::clipped(text, TEXT),
            value => value.clone(),
        };
        Some(((*name).to_owned(), value))
    });
    Value::Object(kept.collect())
}

fn clipped(given: &Fields, name: &str) -> Option<Value> {
    fields::text(given, name).map(|text| fields::clipped(text, TEXT))
}
