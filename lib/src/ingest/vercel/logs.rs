//! Rows of a log drain. One request leaves several: it counts once, by its id. What a function
//! prints as an error, and a function that ends without an answer, are errors; the rest of
//! what functions print is not kept.

use std::collections::HashSet;

use serde_json::Value;

use crate::{
    endpoint::Endpoint,
    ingest::{
        batch::Batch,
        detail::Details,
        item::{self, Item, Kind},
        moment, thrown,
    },
};

/// The status of a function that ended without an answer, and of a page that was made anew
/// while nobody waited.
const NO_ANSWER: i64 = -1;

/// What the platform answers in the place of a function that crashed.
const CRASHED: u64 = 500;

/// The rows of one body.
#[derive(Debug)]
pub(super) struct Logs<'a> {
    own_host: Option<&'a str>,
    /// The requests that are counted already.
    requests: HashSet<String>,
}

impl<'a> Logs<'a> {
    /// Rows to come, at the door of that host.
    pub(super) fn new(own_host: Option<&'a str>) -> Self {
        Self {
            own_host,
            requests: HashSet::new(),
        }
    }

    /// Makes items of a row.
    pub(super) fn take(&mut self, row: &Value, batch: &mut Batch) {
        // A drain of this bundle itself would be fed by each of its own deliveries.
        if self.is_ours(row) {
            return batch.drop("of this bundle itself", 1);
        }
        let error = error(row);
        let is_error = error.is_some();
        if let Some(error) = error {
            batch.add(error);
        }
        match request_id(row) {
            Some(id) if self.requests.contains(id) => {}
            Some(id) if is_background(row) => {
                if !is_error {
                    batch.drop("made anew while nobody waited", 1);
                }
                self.requests.insert(id.to_owned());
            }
            Some(id) => {
                batch.add(request(row, id));
                self.requests.insert(id.to_owned());
            }
            None if is_error => {}
            None => batch.drop("row that is not kept", 1),
        }
    }

    fn is_ours(&self, row: &Value) -> bool {
        let hosts = [&row["host"], &row["proxy"]["host"]];
        let own = self.own_host.is_some_and(|own| {
            let mut hosts = hosts.iter().filter_map(|host| host.as_str());
            hosts.any(|host| host.eq_ignore_ascii_case(own))
        });
        let asked = row["proxy"]["path"].as_str().map(item::path);
        own || asked.and_then(|path| Endpoint::at(&path)) == Some(Endpoint::Ingest)
    }
}

/// The request that a row is of, where the row is the request's own.
fn request_id(row: &Value) -> Option<&str> {
    let printed = matches!(row["type"].as_str(), Some("stdout" | "stderr"));
    let id = row["requestId"].as_str().filter(|id| !id.is_empty());
    id.filter(|_| row["proxy"].is_object() && !printed)
}

fn is_background(row: &Value) -> bool {
    row["proxy"]["statusCode"].as_i64() == Some(NO_ANSWER)
}

fn is_crash(row: &Value) -> bool {
    row["statusCode"].as_i64() == Some(NO_ANSWER)
}

fn request(row: &Value, id: &str) -> Item {
    let proxy = &row["proxy"];
    let status = [&proxy["statusCode"], &row["statusCode"]]
        .iter()
        .find_map(|status| status.as_u64())
        .or(is_crash(row).then_some(CRASHED));
    let same = format!("vercel request {id}");
    let details = Details::default()
        .with("requestId", Some(id))
        .with("route", row["path"].as_str())
        .with("from", row["source"].as_str())
        .with("region", region(row))
        .with("cache", proxy["vercelCache"].as_str())
        .with("pathType", proxy["pathType"].as_str())
        .with("firewall", proxy["wafAction"].as_str())
        .with("bytes", proxy["responseByteSize"].as_u64());
    // The time of the request, which all of its rows have, so that they are of one day.
    let time = moment::read(&proxy["timestamp"]).or_else(|| moment::read(&row["timestamp"]));
    common(
        Item::new(Kind::Request, &place(row), None, same.as_bytes()),
        row,
    )
    .at(time)
    .request(proxy["method"].as_str(), status)
    .detail(details.all())
}

fn error(row: &Value) -> Option<Item> {
    let message = row["message"].as_str().map(str::trim).unwrap_or_default();
    let of_function = matches!(row["source"].as_str(), Some("lambda" | "edge"));
    let is_told = matches!(row["level"].as_str(), Some("error" | "fatal"));
    let crash = is_crash(row);
    if !crash && (message.is_empty() || !of_function || !is_told) {
        return None;
    }
    let thrown = thrown::read(message);
    let request = row["requestId"].as_str();
    let same = match request.filter(|_| crash) {
        Some(request) => format!("vercel crash {request}"),
        None => format!("vercel row {}", row["id"].as_str().unwrap_or_default()),
    };
    let unexplained = crash && message.is_empty();
    let (name, message) = if unexplained {
        ("FunctionCrashed", "the function ended without an answer")
    } else {
        (thrown.name, thrown.message)
    };
    let fatal = crash || row["level"] == "fatal";
    let details = Details::default()
        .with("message", Some(message))
        .with("stack", thrown.stack)
        .with("severity", Some(if fatal { "critical" } else { "high" }))
        .with("transaction", Some(place(row)))
        .with("requestId", request)
        .with("region", region(row))
        .with("trace", row["traceId"].as_str());
    let item = Item::new(Kind::Error, name, None, same.as_bytes());
    Some(
        common(item, row)
            .at(moment::read(&row["timestamp"]))
            .request(row["proxy"]["method"].as_str(), None)
            .detail(details.all()),
    )
}

fn common(item: Item, row: &Value) -> Item {
    item.environment(row["environment"].as_str())
        .release(row["deploymentId"].as_str())
}

/// The pattern of the route, or else the path that was asked for.
fn place(row: &Value) -> String {
    let pattern = row["path"].as_str().filter(|path| path.starts_with('/'));
    let asked = row["proxy"]["path"].as_str();
    item::path(pattern.or(asked).unwrap_or("/"))
}

fn region(row: &Value) -> Option<&str> {
    [
        &row["executionRegion"],
        &row["proxy"]["lambdaRegion"],
        &row["proxy"]["region"],
    ]
    .iter()
    .find_map(|region| region.as_str())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::ingest::vercel::tests::decoded;

    fn row(more: &Value) -> Value {
        let mut row = json!({
            "id": "1573817187330377061717300000", "deploymentId": "dpl_233NRGRjVZX1caZrXWtz5g1TAksD",
            "source": "lambda", "host": "wine-app.vercel.app", "timestamp": 1_795_521_600_123_i64,
            "projectId": "gdufoJxB6b9b1fEqr1jUtFkyavUU", "level": "info", "environment": "production",
            "requestId": "643af4e3-975a-4cc7-9e7a-1eda11539d90", "statusCode": 200,
            "path": "/wines/[id]", "executionRegion": "fra1",
            "proxy": {
                "timestamp": 1_795_521_600_000_i64, "method": "GET", "host": "wine.example",
                "path": "/wines/7?token=secret", "userAgent": ["Mozilla/5.0"], "region": "fra1",
                "referer": "https://wine.example/?q=a", "statusCode": 200, "clientIp": "203.0.113.9",
                "vercelCache": "MISS", "pathType": "func", "responseByteSize": 512,
            },
            "ja3Digest": "7fabe2c6", "ja4Digest": "t13d",
        });
        let fields = row.as_object_mut().unwrap();
        fields.extend(more.as_object().unwrap().clone());
        row
    }

    fn check(rows: &[Value]) -> (Vec<Value>, Value) {
        let batch = decoded(&json!(rows).to_string()).unwrap();
        let items = batch.items.iter().map(|item| json!(item)).collect();
        (items, json!(batch.drops))
    }

    #[test]
    fn a_request_counts_once_and_tells_nothing_of_who_asked() {
        let (items, drops) = check(&[
            row(&json!({})),
            row(&json!({"id": "2", "type": "stdout", "message": "loaded"})),
            row(&json!({"id": "3", "type": "report"})),
        ]);
        let [request] = items.as_slice() else {
            panic!("{items:?}")
        };
        assert_eq!(request["kind"], "request");
        assert_eq!(request["name"], "/wines/[id]");
        assert_eq!(
            (&request["method"], &request["status"]),
            (&json!("GET"), &json!(200))
        );
        assert_eq!(request["value"], json!(null), "a drain knows no duration");
        assert_eq!(request["time"], "2026-11-24T12:00:00Z");
        assert_eq!(request["release"], "dpl_233NRGRjVZX1caZrXWtz5g1TAksD");
        assert_eq!(drops, json!({"row that is not kept": 1}));
        let text = request.to_string();
        for personal in [
            "203.0.113.9",
            "secret",
            "7fabe2c6",
            "t13d",
            "Mozilla",
            "?q=",
        ] {
            assert!(!text.contains(personal), "{personal} in {text}");
        }
        // What comes with the next delivery has the same id and changes nothing.
        let (later, _) = check(&[row(&json!({"id": "9", "timestamp": 1_795_521_699_000_i64}))]);
        assert_eq!(
            (&later[0]["id"], &later[0]["time"]),
            (&request["id"], &request["time"])
        );
    }

    #[test]
    fn a_function_that_ended_without_an_answer_is_an_error_and_a_request_that_failed() {
        let mut crashed = row(&json!({"statusCode": -1, "type": "fatal", "level": "error"}));
        crashed["proxy"]
            .as_object_mut()
            .unwrap()
            .remove("statusCode");
        let (items, _) = check(&[crashed]);
        assert_eq!(items[0]["kind"], "error");
        assert_eq!(items[0]["name"], "FunctionCrashed");
        assert_eq!(items[0]["detail"]["severity"], "critical");
        assert_eq!(
            (&items[1]["kind"], &items[1]["status"]),
            (&json!("request"), &json!(500))
        );
        assert_eq!(items.len(), 2);
    }

    #[test]
    fn what_a_function_prints_as_an_error_is_one() {
        let message =
            "TypeError: x is no function for anna@wine.example\n    at load (/var/task/app.js:1:2)";
        let (items, drops) = check(&[
            row(&json!({"type": "stderr", "level": "error", "message": message})),
            row(&json!({"type": "stderr", "level": "warning", "message": message})),
            row(&json!({"type": "stdout", "level": "error", "message": " "})),
            row(&json!({"source": "build", "level": "error", "message": message, "proxy": null})),
        ]);
        assert_eq!(items.len(), 1);
        assert_eq!(items[0]["name"], "TypeError");
        assert_eq!(
            items[0]["detail"]["message"],
            "x is no function for [removed]"
        );
        assert_eq!(
            items[0]["detail"]["stack"],
            "    at load (/var/task/app.js:1:2)"
        );
        assert_eq!(items[0]["detail"]["transaction"], "/wines/[id]");
        assert_eq!(drops, json!({"row that is not kept": 3}));
    }

    #[test]
    fn a_page_that_is_made_anew_is_no_request_of_anybodys() {
        let mut anew = row(&json!({}));
        anew["proxy"]["statusCode"] = json!(-1);
        let (items, drops) = check(&[anew]);
        assert_eq!(
            (items.len(), drops),
            (0, json!({"made anew while nobody waited": 1}))
        );
    }

    #[test]
    fn what_this_bundle_does_itself_does_not_come_back() {
        let mut at_our_host = row(&json!({}));
        at_our_host["proxy"]["host"] = json!("OPS.wine.example");
        let mut at_a_door = row(&json!({}));
        at_a_door["proxy"]["path"] = json!("/api/drain/vercel?key=abc");
        let (items, drops) = check(&[
            row(&json!({"host": "ops.wine.example"})),
            at_our_host,
            at_a_door,
        ]);
        assert_eq!(
            (items.len(), drops),
            (0, json!({"of this bundle itself": 3}))
        );
    }

    #[test]
    fn rows_of_odd_types_do_no_harm() {
        for odd in [
            json!({"proxy": 7, "level": [], "timestamp": "x", "statusCode": "200"}),
            json!({"proxy": {}, "path": null, "requestId": 7}),
            json!({"proxy": {"path": {}, "timestamp": 1e300, "statusCode": 1e19}}),
            json!({"message": {"a": 1}, "level": "fatal", "statusCode": -1, "requestId": ""}),
        ] {
            let (items, _) = check(&[row(&odd)]);
            assert!(items.len() <= 2, "{odd}");
        }
    }
}
