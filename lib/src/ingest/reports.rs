//! What browsers report by themselves: violations of the content security policy by both of
//! its mechanisms, requests that failed before any server saw them, deprecations, crashes.
//!
//! `application/csp-report` is one violation; `application/reports+json` is an array of
//! `{type, age, url, body}`. Sent to `/api/ingest?key=…`, by `report-uri` and by
//! `Reporting-Endpoints`, or to `/api/1/security/` as Sentry's clients are told. See the
//! Reporting API and Network Error Logging of W3C.

use jiff::{SignedDuration, Timestamp};
use outside::clock;
use serde_json::{Map, Value, json};
use url::Url;

use super::{
    batch::Batch,
    item::{self, Item, Kind},
    source::{Received, Source},
};
use crate::{bounded_json, problem::Problem};
use bytes::Bytes;
use http::{Response, StatusCode};

/// How many levels of a report are read.
const LEVELS: usize = 8;

pub(super) const SOURCE: Source = Source {
    name: "reports",
    decode,
    // Browsers look at no body.
    answer: |_, _, _| Ok(empty()),
    note_too_large: None,
};

/// The media types by which a report is known.
pub(super) const MEDIA_TYPES: [&str; 2] = ["application/csp-report", "application/reports+json"];

fn empty() -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}

fn decode(received: &Received) -> Result<Batch, Problem> {
    Ok(batch(listed(&received.body)?))
}

/// The reports of pages at that origin, at most so many; what else there is is counted.
pub(super) fn of_pages_at(origin: &str, most: usize, body: &[u8]) -> Result<Batch, Problem> {
    let (own, others): (Vec<_>, Vec<_>) = listed(body)?
        .into_iter()
        .partition(|report| is_of_page_at(origin, report));
    let mut kept = own;
    let too_many = kept.split_off(most.min(kept.len()));
    let mut batch = batch(kept);
    batch.drop("of a page of others", others.len() as u64);
    batch.drop("too many at once", too_many.len() as u64);
    Ok(batch)
}

/// The reports of a body, in the form of the newer mechanism.
fn listed(body: &[u8]) -> Result<Vec<Value>, Problem> {
    let document: Value = bounded_json::read(body, LEVELS)
        .map_err(|error| Problem::BadRequest(format!("the body is no JSON: {error}")))?;
    match document {
        Value::Array(reports) => Ok(reports),
        Value::Object(mut document) => Ok(match document.remove("csp-report") {
            Some(body) => vec![json!({ "type": "csp-violation", "body": body })],
            None => vec![Value::Object(document)],
        }),
        _ => Err(Problem::BadRequest(
            "the body must be a report or an array of them".into(),
        )),
    }
}

fn batch(reports: Vec<Value>) -> Batch {
    let mut batch = Batch::default();
    for report in reports {
        match read(&report) {
            Some(item) if is_ours(&item.1) => batch.add(item.0),
            Some(_) => batch.drop("of a browser's extension", 1),
            None => batch.drop("unknown type", 1),
        }
    }
    batch
}

/// Whether every page that a report names is at that origin, and it names one.
fn is_of_page_at(origin: &str, report: &Value) -> bool {
    let body = &report["body"];
    let named = [&report["url"], &body["documentURL"], &body["document-uri"]];
    let mut named = named.into_iter().filter_map(Value::as_str).peekable();
    let is_at = |page: &str| {
        let page = Url::parse(page).map(|page| page.origin().ascii_serialization());
        page.is_ok_and(|page| page == origin)
    };
    named.peek().is_some() && named.all(is_at)
}

/// The item, and what was blocked.
fn read(report: &Value) -> Option<(Item, String)> {
    let kind = report["type"].as_str()?;
    let body = report["body"].as_object()?;
    // The two mechanisms write the same names in two ways.
    let said = |dashed: &str, camel: &str| {
        let value = body.get(camel).or_else(|| body.get(dashed))?;
        value.as_str().map(str::to_owned)
    };
    let blocked = said("blocked-uri", "blockedURL").unwrap_or_default();
    let page = said("document-uri", "documentURL")
        .or_else(|| report["url"].as_str().map(str::to_owned))
        .map(|url| item::path(&url));
    let mut detail = Map::new();
    let mut keep = |name: &str, value: Option<Value>| {
        if let Some(value) = value.filter(|value| value != "") {
            detail.insert(name.to_owned(), value);
        }
    };
    keep("page", page.map(Value::String));
    if kind == "csp-violation" {
        let directive = said("effective-directive", "effectiveDirective")
            .or_else(|| said("violated-directive", "violatedDirective"));
        keep("directive", directive.map(Value::String));
        keep("blocked", Some(Value::String(origin(&blocked))));
        keep(
            "source",
            said("source-file", "sourceFile").map(|file| json!(item::path(&file))),
        );
        for (dashed, camel) in [("disposition", "disposition"), ("script-sample", "sample")] {
            keep(camel, said(dashed, camel).map(Value::String));
        }
    } else {
        for (name, value) in body.iter().filter(|(_, value)| !value.is_object()) {
            keep(name, Some(value.clone()));
        }
    }
    // What has no age is never sent again, and each of them counts.
    let age = report["age"].as_u64();
    let when = age.map_or_else(|| json!(clock::now().to_string()), Value::from);
    let same = json!([kind, detail, when]).to_string();
    let item = Item::new(Kind::Report, kind, None, same.as_bytes())
        .at(happened(report))
        .request(None, body.get("status_code").and_then(Value::as_u64))
        .detail(detail);
    Some((item, blocked))
}

/// A report says how old it is, in milliseconds, and no time.
fn happened(report: &Value) -> Option<Timestamp> {
    let age = report["age"]
        .as_u64()
        .and_then(|age| i64::try_from(age).ok());
    let age = SignedDuration::from_millis(age.unwrap_or(0));
    clock::now().checked_sub(age).ok()
}

/// Where something came from, without what was asked for there; a keyword as it is.
fn origin(blocked: &str) -> String {
    match blocked.split_once("://") {
        Some((scheme, rest)) => {
            let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
            format!("{scheme}://{host}")
        }
        None => blocked.chars().take(50).collect(),
    }
}

/// Extensions of browsers are blocked everywhere and are nobody's fault.
fn is_ours(blocked: &str) -> bool {
    const OTHERS: [&str; 6] = [
        "chrome-extension",
        "moz-extension",
        "safari-extension",
        "safari-web-extension",
        "webkit-masked-url",
        "about",
    ];
    !OTHERS.iter().any(|scheme| blocked.starts_with(scheme))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_our_own_pages_alone_and_not_too_many() {
        const OWN: &str = "https://ops.wine.example";
        let report = |url: &str, document: &str| json!({"type": "csp-violation", "url": url, "body": {"documentURL": document, "blockedURL": "inline"}});
        let own = report(
            "https://ops.wine.example/status",
            "https://ops.wine.example/status?x",
        );
        for other in [
            report("https://evil.example/", "https://ops.wine.example/"),
            report(
                "https://ops.wine.example/",
                "https://ops.wine.example.evil.example/",
            ),
            report(
                "https://ops.wine.example:8443/",
                "https://ops.wine.example/",
            ),
            report("http://ops.wine.example/", "http://ops.wine.example/"),
            report("https://ops.wine.example@evil.example/", "about:blank"),
            json!({"type": "csp-violation", "body": {"blockedURL": "inline"}}),
            json!(7),
        ] {
            let body = json!([own, other]).to_string();
            let batch = of_pages_at(OWN, 20, body.as_bytes()).unwrap();
            assert_eq!(batch.items.len(), 1, "{other}");
            assert_eq!(batch.drops["of a page of others"], 1, "{other}");
        }
        let old = json!({"csp-report": {"document-uri": "https://ops.wine.example/", "blocked-uri": "inline"}});
        let batch = of_pages_at(OWN, 20, old.to_string().as_bytes()).unwrap();
        assert_eq!(batch.items.len(), 1);
        let many = json!(vec![own; 30]).to_string();
        let batch = of_pages_at(OWN, 20, many.as_bytes()).unwrap();
        assert_eq!(
            (batch.items.len(), batch.drops["too many at once"]),
            (20, 10)
        );
    }

    fn decoded(body: &Value) -> Batch {
        let received = Received {
            body: body.to_string().into_bytes(),
            ..Received::default()
        };
        decode(&received).unwrap()
    }

    #[test]
    fn both_mechanisms_tell_the_same() {
        let old = json!({"csp-report": {
            "document-uri": "https://wine.example/wines?token=x", "violated-directive": "script-src",
            "effective-directive": "script-src-elem", "blocked-uri": "https://evil.example/x.js?y",
            "disposition": "enforce", "source-file": "https://wine.example/app.js", "script-sample": "",
        }});
        let new = json!([{"type": "csp-violation", "age": 10, "url": "https://wine.example/wines?token=x",
        "body": {
            "documentURL": "https://wine.example/wines?token=x", "effectiveDirective": "script-src-elem",
            "blockedURL": "https://evil.example/x.js?y", "disposition": "enforce",
            "sourceFile": "https://wine.example/app.js",
        }}]);
        let expected = json!({
            "page": "/wines", "directive": "script-src-elem", "blocked": "https://evil.example",
            "source": "/app.js", "disposition": "enforce",
        });
        for body in [&old, &new] {
            let batch = decoded(body);
            let item = json!(batch.items[0]);
            assert_eq!(item["name"], "csp-violation");
            assert_eq!(item["detail"], expected);
        }
        // One that says its age may be the same again.
        let id = |body: &Value| json!(decoded(body).items[0])["id"].clone();
        assert_eq!(id(&new), id(&new));
        assert_ne!(id(&old), id(&old));
    }

    #[test]
    fn what_no_server_saw_is_told_with_its_phase() {
        let batch = decoded(
            &json!([{"type": "network-error", "age": 60_000, "url": "https://wine.example/api",
            "body": {"type": "tcp.timed_out", "phase": "connection", "status_code": 0, "elapsed_time": 3000}}]),
        );
        let item = json!(batch.items[0]);
        assert_eq!(item["detail"]["type"], "tcp.timed_out");
        assert_eq!(item["status"], json!(null));
    }

    #[test]
    fn extensions_and_riddles_are_counted_and_left_out() {
        let batch = decoded(&json!([
            {"type": "csp-violation", "body": {"blockedURL": "chrome-extension://abc/x.js"}},
            {"type": "csp-violation"}, 7, {"body": {}},
            {"type": "deprecation", "body": {"id": "UnloadHandler", "message": "x"}},
        ]));
        assert_eq!(batch.items.len(), 1);
        assert_eq!(batch.drops["of a browser's extension"], 1);
        assert_eq!(batch.drops["unknown type"], 3);
    }
}
