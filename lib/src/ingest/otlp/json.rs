//! The JSON form of the protocol: names in lower camel case, ids in hexadecimal digits, whole
//! numbers as numbers or as texts, words of closed sets as numbers or by their names. What
//! cannot be read in it is left out alone.

use serde_json::Value;

use super::messages::{
    Any, AnyValue, Array, Data, Fields, KeyValue, LogRecord, Logs, Metric, Metrics, Nothing,
    Number, Numbers, Point, Resource, ResourceLogs, ResourceMetrics, ResourceSpans, ScopeLogs,
    ScopeMetrics, ScopeSpans, Span, SpanEvent, Status, Traces, Uncounted,
};
use crate::hexadecimal;

/// The kinds of spans, in the order of their numbers.
const SPAN_KINDS: [&str; 6] = [
    "unspecified",
    "internal",
    "server",
    "client",
    "producer",
    "consumer",
];

/// What became of a span, in the order of the numbers.
const STATUSES: [&str; 3] = ["unset", "ok", "error"];

pub(super) fn traces(document: &Value) -> Traces {
    let scope = |scope: &Value| ScopeSpans {
        spans: each(&scope["spans"], span),
    };
    let resource = |part: &Value| ResourceSpans {
        resource: Some(resource(part)),
        scope_spans: each(&part["scopeSpans"], scope),
    };
    Traces {
        resource_spans: each(&document["resourceSpans"], resource),
    }
}

pub(super) fn logs(document: &Value) -> Logs {
    let scope = |scope: &Value| ScopeLogs {
        log_records: each(&scope["logRecords"], record),
    };
    let resource = |part: &Value| ResourceLogs {
        resource: Some(resource(part)),
        scope_logs: each(&part["scopeLogs"], scope),
    };
    Logs {
        resource_logs: each(&document["resourceLogs"], resource),
    }
}

pub(super) fn metrics(document: &Value) -> Metrics {
    let scope = |scope: &Value| ScopeMetrics {
        metrics: each(&scope["metrics"], metric),
    };
    let resource = |part: &Value| ResourceMetrics {
        resource: Some(resource(part)),
        scope_metrics: each(&part["scopeMetrics"], scope),
    };
    Metrics {
        resource_metrics: each(&document["resourceMetrics"], resource),
    }
}

fn each<T>(list: &Value, read: impl Fn(&Value) -> T) -> Vec<T> {
    let list = list.as_array().map(Vec::as_slice).unwrap_or_default();
    list.iter().map(read).collect()
}

fn resource(part: &Value) -> Resource {
    let attributes = attributes(&part["resource"]);
    Resource { attributes }
}

fn span(span: &Value) -> Span {
    let event = |event: &Value| SpanEvent {
        time_unix_nano: nanoseconds(&event["timeUnixNano"]),
        name: text(&event["name"]),
        attributes: attributes(event),
    };
    Span {
        trace_id: id(&span["traceId"]),
        span_id: id(&span["spanId"]),
        name: text(&span["name"]),
        kind: word(&span["kind"], "span_kind_", &SPAN_KINDS),
        start_time_unix_nano: nanoseconds(&span["startTimeUnixNano"]),
        end_time_unix_nano: nanoseconds(&span["endTimeUnixNano"]),
        attributes: attributes(span),
        events: each(&span["events"], event),
        status: Some(Status {
            code: word(&span["status"]["code"], "status_code_", &STATUSES),
        }),
    }
}

fn record(record: &Value) -> LogRecord {
    let severity = &record["severityNumber"];
    LogRecord {
        time_unix_nano: nanoseconds(&record["timeUnixNano"]),
        severity_number: severity_number(severity),
        severity_text: text(&record["severityText"]),
        body: record.get("body").map(any),
        attributes: attributes(record),
        trace_id: id(&record["traceId"]),
        span_id: id(&record["spanId"]),
        observed_time_unix_nano: nanoseconds(&record["observedTimeUnixNano"]),
        event_name: text(&record["eventName"]),
    }
}

/// A number, or the name of one: four of each of six words, `SEVERITY_NUMBER_ERROR2`.
fn severity_number(value: &Value) -> i32 {
    const WORDS: [&str; 6] = ["trace", "debug", "info", "warn", "error", "fatal"];
    let Some(name) = value
        .as_str()
        .filter(|text| integer(value).is_none() && !text.is_empty())
    else {
        return small(value);
    };
    let name = name.to_ascii_lowercase();
    let name = name.strip_prefix("severity_number_").unwrap_or(&name);
    let word = name.trim_end_matches(|letter: char| letter.is_ascii_digit());
    let nth: i32 = name[word.len()..].parse().unwrap_or(1);
    (1..)
        .step_by(4)
        .zip(WORDS)
        .find(|(_, known)| *known == word)
        .map_or(0, |(first, _)| first + (nth - 1).clamp(0, 3))
}

fn metric(metric: &Value) -> Metric {
    let numbers = |part: &Value| Numbers {
        data_points: each(&part["dataPoints"], point),
    };
    let uncounted = |part: &Value| Uncounted {
        data_points: each(&part["dataPoints"], |_| Nothing {}),
    };
    let data = None
        .or_else(|| metric.get("gauge").map(numbers).map(Data::Gauge))
        .or_else(|| metric.get("sum").map(numbers).map(Data::Sum))
        .or_else(|| metric.get("histogram").map(uncounted).map(Data::Histogram))
        .or_else(|| {
            let part = metric.get("exponentialHistogram");
            part.map(uncounted).map(Data::ExponentialHistogram)
        })
        .or_else(|| metric.get("summary").map(uncounted).map(Data::Summary));
    Metric {
        name: text(&metric["name"]),
        unit: text(&metric["unit"]),
        data,
    }
}

fn point(point: &Value) -> Point {
    let whole = integer(&point["asInt"]).map(Number::Integer);
    Point {
        time_unix_nano: nanoseconds(&point["timeUnixNano"]),
        value: whole.or_else(|| double(&point["asDouble"]).map(Number::Double)),
        attributes: attributes(point),
    }
}

fn attributes(of: &Value) -> Vec<KeyValue> {
    each(&of["attributes"], key_value)
}

fn key_value(pair: &Value) -> KeyValue {
    KeyValue {
        key: text(&pair["key"]),
        value: pair.get("value").map(any),
    }
}

// No recursion without an end: the document's depth is bounded before it is read.
fn any(value: &Value) -> AnyValue {
    let string = |name: &str| value[name].as_str().map(str::to_owned);
    let value = None
        .or_else(|| string("stringValue").map(Any::Text))
        .or_else(|| value["boolValue"].as_bool().map(Any::Bool))
        .or_else(|| integer(&value["intValue"]).map(Any::Integer))
        .or_else(|| double(&value["doubleValue"]).map(Any::Double))
        .or_else(|| {
            let values = value.get("arrayValue")?;
            let values = each(&values["values"], any);
            Some(Any::Array(Array { values }))
        })
        .or_else(|| {
            let values = value.get("kvlistValue")?;
            let values = each(&values["values"], key_value);
            Some(Any::Fields(Fields { values }))
        })
        // Base64, as it would be written again.
        .or_else(|| string("bytesValue").map(Any::Text));
    AnyValue { value }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn id(value: &Value) -> Vec<u8> {
    let digits = value.as_str().and_then(hexadecimal::bytes);
    digits.unwrap_or_default()
}

fn integer(value: &Value) -> Option<i64> {
    value
        .as_i64()
        .or_else(|| value.as_str()?.trim().parse().ok())
}

/// A number, or one of the words for what JSON cannot write.
fn double(value: &Value) -> Option<f64> {
    value
        .as_f64()
        .or_else(|| value.as_str()?.trim().parse().ok())
}

fn small(value: &Value) -> i32 {
    let number = integer(value).and_then(|number| i32::try_from(number).ok());
    number.unwrap_or_default()
}

fn nanoseconds(value: &Value) -> u64 {
    let number = value.as_u64();
    number
        .or_else(|| value.as_str()?.trim().parse().ok())
        .unwrap_or_default()
}

/// The number of a word, `SPAN_KIND_SERVER` or `server`; a number as it is.
fn word(value: &Value, prefix: &str, words: &[&str]) -> i32 {
    let Some(name) = value.as_str() else {
        return small(value);
    };
    let name = name.to_ascii_lowercase();
    let name = name.strip_prefix(prefix).unwrap_or(&name);
    let place = words.iter().position(|word| *word == name);
    place
        .and_then(|place| i32::try_from(place).ok())
        .unwrap_or_else(|| small(value))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn words_of_closed_sets_are_read_in_every_form() {
        for (value, expected) in [
            (json!(2), 2),
            (json!("2"), 2),
            (json!("server"), 2),
            (json!("SPAN_KIND_SERVER"), 2),
            (json!("SPAN_KIND_MOON"), 0),
            (json!(1e300), 0),
            (json!(null), 0),
        ] {
            assert_eq!(word(&value, "span_kind_", &SPAN_KINDS), expected, "{value}");
        }
        for (value, expected) in [
            (json!(17), 17),
            (json!("17"), 17),
            (json!("SEVERITY_NUMBER_ERROR"), 17),
            (json!("SEVERITY_NUMBER_ERROR3"), 19),
            (json!("fatal"), 21),
            (json!("error999999999999"), 17),
            (json!("é9"), 0),
            (json!(""), 0),
        ] {
            assert_eq!(severity_number(&value), expected, "{value}");
        }
    }

    #[test]
    fn numbers_may_be_texts() {
        for (value, expected) in [
            (json!({"intValue": 500}), Some(Any::Integer(500))),
            (json!({"intValue": "500"}), Some(Any::Integer(500))),
            (json!({"doubleValue": "NaN"}), None),
            (json!({"doubleValue": 1.5}), Some(Any::Double(1.5))),
            (json!({"stringValue": ""}), Some(Any::Text(String::new()))),
            (
                json!({"arrayValue": {}}),
                Some(Any::Array(Array { values: vec![] })),
            ),
            (json!({}), None),
            (json!(7), None),
        ] {
            let read = any(&value).value;
            let same = read == expected || matches!(read, Some(Any::Double(x)) if x.is_nan());
            assert!(same, "{value}: {read:?}");
        }
        let expected = 1_795_521_600_000_000_000;
        assert_eq!(nanoseconds(&json!("1795521600000000000")), expected);
        assert_eq!(nanoseconds(&json!(1_795_521_600_000_000_000_u64)), expected);
        assert_eq!(nanoseconds(&json!(-1)), 0);
    }
}
