use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

const FROM: civil::Date = civil::date(2026, 11, 23);
const TO: civil::Date = civil::date(2027, 1, 24);

fn calendar(events: &[&str]) -> String {
    let events: Vec<_> = events
        .iter()
        .map(|event| {
            format!(
                "BEGIN:VEVENT\r\n{}\r\nEND:VEVENT\r\n",
                event.replace('\n', "\r\n")
            )
        })
        .collect();
    format!(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{}END:VCALENDAR\r\n",
        events.concat()
    )
}

/// What is read of one event.
#[track_caller]
fn one(event: &str) -> Value {
    json!(read(&calendar(&[event]), FROM, TO).unwrap())["events"][0].clone()
}

/// Why it is left out.
#[track_caller]
fn why(event: &str) -> String {
    let reading = read(
        &calendar(&[event, "SUMMARY:Bo\nDTSTART:20261124\nRRULE:FREQ=DAILY"]),
        FROM,
        TO,
    );
    let reading = json!(reading.unwrap());
    assert_eq!(reading["events"][0]["summary"], "Bo", "{event}");
    reading["leftOut"][0]["why"].as_str().unwrap().to_owned()
}

#[test]
fn an_event_is_when_and_who() {
    assert_eq!(
        one(
            "SUMMARY:On call: Ada\nATTENDEE;CN=Ada:mailto:Ada@Wine.example\nATTENDEE:urn:x\nBEGIN:VALARM\nSUMMARY:Ring\nEND:VALARM\nDTSTART;TZID=Europe/Berlin:20261123T090000\nDTEND;TZID=Europe/London:20261130T080000"
        ),
        json!({
            "summary": "On call: Ada", "attendees": ["ada@wine.example"], "zone": "Europe/Berlin",
            "endZone": "Europe/London", "occurrences": [["2026-11-23T09:00:00", "2026-11-30T08:00:00"]],
            "except": [],
        })
    );
    assert_eq!(
        one("DTSTART;VALUE=DATE:20261123\nSUMMARY:Bo")["occurrences"],
        json!([["2026-11-23T00:00:00", "2026-11-24T00:00:00"]])
    );
    assert_eq!(
        one("DTSTART:20261123T080000Z\nDURATION:P1W")["occurrences"],
        json!([["2026-11-23T08:00:00", "2026-11-30T08:00:00"]])
    );
    assert_eq!(one("DTSTART:20261123T080000Z\nDURATION:P1W")["zone"], "UTC");
    assert_eq!(
        one("DTSTART:20261123T080000\nDURATION:P1W")["zone"],
        Value::Null
    );
}

#[test]
fn what_began_before_the_days_and_lasts_into_them_is_read_and_the_rest_is_not() {
    assert_eq!(
        one("DTSTART:20261101\nDTEND:20261201")["occurrences"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    let elsewhen = calendar(&[
        "DTSTART:20250101",
        "DTSTART:20300101",
        "DTSTART:20261123\nSTATUS:CANCELLED",
    ]);
    assert_eq!(read(&elsewhen, FROM, TO), Ok(Reading::default()));
}

#[test]
fn an_event_of_a_series_that_was_moved_is_read_for_itself() {
    let reading = read(
        &calendar(&[
            "UID:1\nSUMMARY:Ada\nDTSTART;TZID=Europe/Berlin:20261123T090000\nDURATION:P1D\nRRULE:FREQ=DAILY;COUNT=3\nEXDATE;TZID=Europe/Berlin:20261125T090000",
            "UID:1\nSUMMARY:Bo\nRECURRENCE-ID:20261124T080000Z\nDTSTART;TZID=Europe/Berlin:20261124T100000\nDURATION:P1D",
        ]),
        FROM,
        TO,
    );
    let reading = json!(reading.unwrap());
    assert_eq!(
        reading["events"][0]["occurrences"]
            .as_array()
            .unwrap()
            .len(),
        3
    );
    assert_eq!(
        reading["events"][0]["except"],
        json!([
            ["2026-11-24T08:00:00", "UTC"],
            ["2026-11-25T09:00:00", "Europe/Berlin"]
        ])
    );
    assert_eq!(reading["events"][1]["summary"], "Bo");
}

#[test]
fn what_is_not_understood_is_named_and_takes_no_other_along() {
    for (event, expected) in [
        ("SUMMARY:Ada", "it has no beginning that is understood"),
        ("DTSTART:tomorrow", "it has no beginning that is understood"),
        (
            "DTSTART:20261123T090000Z",
            "it has no end that is understood",
        ),
        (
            "DTSTART:20261123T090000Z\nDTEND:20261124",
            "it has no end that is understood",
        ),
        (
            "DTSTART:20261123T090000Z\nDTEND:20261122T090000Z",
            "it ends before it begins, or lasts longer than a year",
        ),
        (
            "DTSTART:20261123\nRRULE:FREQ=YEARLY",
            "FREQ=YEARLY in its rule is not understood",
        ),
        (
            "DTSTART:20261123\nRRULE:FREQ=DAILY\nRRULE:FREQ=WEEKLY",
            "it has several rules",
        ),
        (
            "DTSTART:20261123\nRDATE:20261130",
            "RDATE is not understood",
        ),
        (
            "DTSTART:20261123\nRRULE:FREQ=DAILY\nEXDATE:20261124T090000",
            "its EXDATE is not understood",
        ),
        (
            "DTSTART;TZID=UTC:20261123T090000\nDTEND;TZID=Europe/Rome:20261124T090000\nRRULE:FREQ=WEEKLY",
            "it recurs, and ends by another zone's clock",
        ),
    ] {
        assert_eq!(why(event), expected);
    }
}

#[test]
fn what_is_no_calendar_or_half_of_one_is_not_read() {
    for (text, expected) in [
        (String::new(), Unreadable::NoCalendar),
        ("<html>Sign in</html>".to_owned(), Unreadable::NoCalendar),
        (
            "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n".to_owned(),
            Unreadable::CutOff,
        ),
        (
            calendar(&vec!["DTSTART:20261123"; 2_001]),
            Unreadable::TooMany,
        ),
        (
            calendar(&["DTSTART:20261123\nRRULE:FREQ=DAILY"; 100]),
            Unreadable::TooMany,
        ),
    ] {
        assert_eq!(read(&text, FROM, TO).map(drop), Err(expected));
    }
}

proptest! {
    #[test]
    fn whatever_stands_in_an_event_is_read_or_left_out(
        lines in prop::collection::vec(
            prop_oneof![
                "[A-Z-]{0,12}[;:=,\"0-9TZPW]{0,20}.{0,10}",
                "(DTSTART|DTEND|EXDATE|RECURRENCE-ID):[0-9]{8}(T[0-9]{6}Z?)?",
                "DTSTART;VALUE=DATE:20[0-9]{2}[01][0-9][0-3][0-9]",
                "DURATION:P[0-9]{0,20}[WDT][0-9]{0,20}[HMS]?",
                "RRULE:FREQ=(DAILY|WEEKLY);(INTERVAL|COUNT)=[0-9]{1,5};BYDAY=(MO|TU|SU)",
            ],
            0..8,
        )
    ) {
        let text = calendar(&[&lines.join("\n"), "SUMMARY:Bo\nDTSTART:20261124"]);
        if let Ok(reading) = read(&text, FROM, TO) {
            let reading = json!(reading);
            let events = reading["events"].as_array().unwrap();
            // An event that is broken off by what stands in it takes along what is in it at most.
            let broken = lines.iter().any(|line| line.starts_with("BEGIN") || line.starts_with("END"));
            prop_assert!(broken || events.iter().any(|event| event["summary"] == "Bo"));
        }
    }
}
