//! Fields as Sentry's documents have them: times of two kinds, ids with and without dashes,
//! attributes that say their type. What is of another kind is as if it were absent. Pure.

use std::net::IpAddr;

use jiff::{Timestamp, civil, tz::TimeZone};
use serde_json::{Map, Value};
use uuid::Uuid;

/// Fields by their names.
pub(super) type Fields = Map<String, Value>;

/// A text.
pub(super) fn text<'a>(fields: &'a Fields, name: &str) -> Option<&'a str> {
    fields.get(name)?.as_str().filter(|text| !text.is_empty())
}

/// Fields within fields.
pub(super) fn within<'a>(fields: &'a Fields, path: &[&str]) -> Option<&'a Fields> {
    path.iter()
        .try_fold(fields, |fields, name| fields.get(*name)?.as_object())
}

/// What a list holds, which some clients put into `values` and some leave by itself.
pub(super) fn listed<'a>(fields: &'a Fields, name: &str) -> &'a [Value] {
    let values = match fields.get(name) {
        Some(Value::Object(list)) => list.get("values"),
        list => list,
    };
    values.and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// RFC 3339, without its zone in UTC, or seconds since 1970.
pub(super) fn time(fields: &Fields, name: &str) -> Option<Timestamp> {
    match fields.get(name)? {
        Value::String(text) => text.parse().ok().or_else(|| {
            let local: civil::DateTime = text.parse().ok()?;
            TimeZone::UTC.to_timestamp(local).ok()
        }),
        #[expect(
            clippy::cast_possible_truncation,
            reason = "what is no time is out of range, whatever is cut off"
        )]
        Value::Number(seconds) => {
            let microseconds = (seconds.as_f64()? * 1e6).round();
            Timestamp::from_microsecond(microseconds as i64).ok()
        }
        _ => None,
    }
}

/// Milliseconds from one time to another; none if time ran backwards.
pub(super) fn milliseconds(fields: &Fields, start: &str, end: &str) -> Option<f64> {
    let took = time(fields, end)?.duration_since(time(fields, start)?);
    (!took.is_negative()).then(|| took.as_secs_f64() * 1e3)
}

/// 32 hexadecimal digits, with dashes or without.
pub(super) fn id(fields: &Fields, name: &str) -> Option<Uuid> {
    Uuid::parse_str(text(fields, name)?).ok()
}

/// Attributes without their types: `{"a": {"value": 1, "type": "integer"}}` is `{"a": 1}`.
pub(super) fn attributes(fields: &Fields) -> Fields {
    let Some(Value::Object(given)) = fields.get("attributes") else {
        return Fields::new();
    };
    let plain = |(name, value): (&String, &Value)| {
        let value = match value {
            Value::Object(typed) => typed.get("value")?,
            value => value,
        };
        Some((name.clone(), value.clone()))
    };
    given.iter().filter_map(plain).collect()
}

/// The page or request to which a span belongs. What clients of browsers call it that know no
/// routes says nothing.
pub(super) fn segment(attributes: &Fields) -> Option<&str> {
    ["sentry.segment.name", "sentry.transaction"]
        .iter()
        .filter_map(|name| text(attributes, name))
        .find(|name| !matches!(*name, "Pageload" | "Navigation"))
}

/// What the app knows somebody by, who is no address of mail or of a network.
pub(super) fn person(value: Option<&Value>) -> Option<String> {
    let id = match value? {
        Value::String(id) => id.clone(),
        Value::Number(id) => id.to_string(),
        _ => return None,
    };
    let is_address = id.parse::<IpAddr>().is_ok() || id == "{{auto}}";
    (!is_address).then_some(id)
}

/// How bad something is, in our words.
pub(super) fn severity(level: Option<&str>) -> &'static str {
    match level {
        Some("fatal") => "critical",
        Some("warning" | "warn") => "medium",
        Some("info" | "log" | "debug" | "trace") => "low",
        _ => "high",
    }
}

/// A text of at most so many characters, as a value.
pub(super) fn clipped(text: &str, length: usize) -> Value {
    text.chars().take(length).collect::<String>().into()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn fields(value: &Value) -> Fields {
        let Value::Object(fields) = value else {
            panic!("no object")
        };
        fields.clone()
    }

    #[test]
    fn times_are_read_as_clients_write_them() {
        let expected: Timestamp = "2026-11-24T12:00:00.5Z".parse().unwrap();
        for value in [
            json!("2026-11-24T12:00:00.5Z"),
            json!("2026-11-24T13:00:00.5+01:00"),
            json!("2026-11-24T12:00:00.5"),
            json!(1_795_521_600.5),
        ] {
            assert_eq!(
                time(&fields(&json!({"t": value})), "t"),
                Some(expected),
                "{value}"
            );
        }
        for value in [
            json!("now"),
            json!(1e300),
            json!(-1e300),
            json!(null),
            json!([1]),
        ] {
            assert_eq!(time(&fields(&json!({"t": value})), "t"), None, "{value}");
        }
    }

    #[test]
    fn what_took_less_than_nothing_took_an_unknown_time() {
        let took = |start, end| milliseconds(&fields(&json!({"a": start, "b": end})), "a", "b");
        assert_eq!(took(json!(1.5), json!(1.75)), Some(250.0));
        assert_eq!(took(json!(2), json!(1)), None);
        assert_eq!(took(json!(2), json!("x")), None);
    }

    #[test]
    fn attributes_lose_their_types_and_people_their_addresses() {
        let given = fields(&json!({"attributes": {
            "a": {"value": 1, "type": "integer"}, "b": "plain", "c": {"type": "string"},
        }}));
        assert_eq!(json!(attributes(&given)), json!({"a": 1, "b": "plain"}));
        assert_eq!(person(Some(&json!("u1"))).as_deref(), Some("u1"));
        assert_eq!(person(Some(&json!(7))).as_deref(), Some("7"));
        for address in [
            json!("203.0.113.7"),
            json!("2001:db8::1"),
            json!("{{auto}}"),
            json!(null),
        ] {
            assert_eq!(person(Some(&address)), None, "{address}");
        }
    }
}
