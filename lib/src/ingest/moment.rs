//! Moments, in the forms in which clients write them. What is none of them is no time, and
//! the database takes now.

use jiff::Timestamp;
use serde_json::Value;

/// RFC 3339, or milliseconds since 1970 as pages and platforms have them.
pub(super) fn read(value: &Value) -> Option<Timestamp> {
    match value {
        Value::String(text) => text.parse().ok(),
        #[expect(
            clippy::cast_possible_truncation,
            reason = "what is no time is out of range, whatever is cut off"
        )]
        Value::Number(number) => Timestamp::from_millisecond(number.as_f64()? as i64).ok(),
        _ => None,
    }
}

/// Microseconds since 1970, as a number.
pub(super) fn of_microseconds(value: &Value) -> Option<Timestamp> {
    Timestamp::from_microsecond(value.as_i64()?).ok()
}

/// Nanoseconds since 1970; zero is none.
pub(super) fn of_nanoseconds(nanoseconds: u64) -> Option<Timestamp> {
    let some = (nanoseconds > 0).then_some(i128::from(nanoseconds))?;
    Timestamp::from_nanosecond(some).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn times_are_read_as_clients_write_them() {
        let expected: Timestamp = "2026-11-24T12:00:00Z".parse().unwrap();
        for value in [json!("2026-11-24T12:00:00Z"), json!(1_795_521_600_000_i64)] {
            assert_eq!(read(&value), Some(expected), "{value}");
        }
        for value in [json!("now"), json!(1e300), json!(null), json!([])] {
            assert_eq!(read(&value), None, "{value}");
        }
        let microseconds = json!(1_795_521_600_000_000_i64);
        assert_eq!(of_microseconds(&microseconds), Some(expected));
        assert_eq!(of_microseconds(&json!(i64::MAX)), None);
        assert_eq!(of_nanoseconds(1_795_521_600_000_000_000), Some(expected));
        assert_eq!(of_nanoseconds(0), None);
    }
}
