//! Records of Speed Insights: how a page felt to somebody.

use serde_json::Value;

use crate::ingest::{
    batch::Batch,
    detail::Details,
    item::{self, Item, Kind},
    moment,
};

/// What a layout shift may come to; more is no measurement.
const MOST_SHIFT: f64 = 100.0;

/// How long anything may take, in milliseconds.
const MOST_TIME: f64 = 600_000.0;

/// No page has been painted as soon as that, in milliseconds: such a number is of seconds.
const SOONEST_PAINT: f64 = 20.0;

/// Makes an item of a record.
pub(super) fn take(record: &Value, batch: &mut Batch) {
    let Some(metric) = record["metricType"].as_str().and_then(metric) else {
        return batch.drop("unknown Web Vital", 1);
    };
    let Some(value) = record["value"]
        .as_f64()
        .and_then(|value| sound(metric, value))
    else {
        return batch.drop("value out of range", 1);
    };
    let place = record["route"].as_str().or(record["path"].as_str());
    let details = Details::default().with("path", place.map(item::path)).of(
        record,
        &[
            "country",
            "deviceType",
            "osName",
            "clientName",
            "connectionSpeed",
        ],
    );
    let device = super::analytics::number("vercel", &record["deviceId"]);
    let item = Item::new(Kind::WebVital, metric, None, record.to_string().as_bytes())
        .at(moment::read(&record["timestamp"]))
        .environment(record["vercelEnvironment"].as_str())
        .release(record["deploymentId"].as_str())
        .value(Some(value))
        .by(device.as_deref(), None)
        .detail(details.all());
    batch.add(item);
}

fn metric(word: &str) -> Option<&'static str> {
    ["CLS", "LCP", "FID", "FCP", "TTFB", "INP"]
        .into_iter()
        .find(|metric| metric.eq_ignore_ascii_case(word))
}

/// The value in the unit of ours: of a shift its score, of all others milliseconds.
fn sound(metric: &str, value: f64) -> Option<f64> {
    let value = match metric {
        "LCP" | "FCP" if value < SOONEST_PAINT => value * 1_000.0,
        _ => value,
    };
    let most = if metric == "CLS" {
        MOST_SHIFT
    } else {
        MOST_TIME
    };
    (0.0..=most).contains(&value).then_some(value)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::ingest::vercel::tests::decoded;

    fn record(metric: &str, value: &Value) -> Value {
        json!({
            "schema": "vercel.speed_insights.v1", "timestamp": "2026-11-24T12:00:00.000Z",
            "projectId": "Qmc52npNy86S8VV4Mt8a8dP1LEkRNbgosW3pBCQytkcgf2", "ownerId": "team_x",
            "deviceId": 12345, "metricType": metric, "value": value, "origin": "https://wine.example",
            "path": "/wines/7", "route": "/wines/[id]", "country": "US", "region": "CA",
            "city": "San Francisco", "osName": "macOS", "clientName": "Chrome", "deviceType": "desktop",
            "connectionSpeed": "4g", "sdkName": "@vercel/speed-insights", "vercelEnvironment": "production",
            "deploymentId": "dpl_abc", "attribution": {"target": "img"},
        })
    }

    #[test]
    fn a_record_is_a_web_vital_of_its_route() {
        let batch = decoded(&record("CLS", &json!(0.1)).to_string()).unwrap();
        let item = json!(batch.items[0]);
        assert_eq!(
            (&item["kind"], &item["name"]),
            (&json!("web_vital"), &json!("CLS"))
        );
        assert_eq!(
            (&item["value"], &item["detail"]["path"]),
            (&json!(0.1), &json!("/wines/[id]"))
        );
        assert_eq!(
            (&item["release"], &item["time"]),
            (&json!("dpl_abc"), &json!("2026-11-24T12:00:00Z"))
        );
        assert!(!item.to_string().contains("San Francisco"), "{item}");
    }

    #[test]
    fn values_are_of_one_unit_and_real() {
        for (metric, value, expected) in [
            ("LCP", json!(2_500.0), Some(2_500.0)),
            ("LCP", json!(2.5), Some(2_500.0)),
            ("FCP", json!(0.9), Some(900.0)),
            ("FID", json!(2), Some(2.0)),
            ("inp", json!(200), Some(200.0)),
            ("CLS", json!(0), Some(0.0)),
            ("CLS", json!(2_500), None),
            ("LCP", json!(-1), None),
            ("TTFB", json!(1e9), None),
            ("LCP", json!("2500"), None),
            ("XYZ", json!(1), None),
        ] {
            let batch = decoded(&json!([record(metric, &value)]).to_string()).unwrap();
            let kept = batch.items.first().map(|item| json!(item)["value"].clone());
            assert_eq!(kept, expected.map(Value::from), "{metric} {value}");
        }
    }
}
