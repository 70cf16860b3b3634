//! Check-ins: the reports of jobs, as `withMonitor` and `captureCheckIn` send them.
//!
//! A heartbeat knows a period, a grace and the longest time that a run may take. What a
//! monitor knows beyond them is taken as near as that can hold it: of a crontab the longest
//! interval between two of its times counts.

use serde_json::Value;

use super::{
    crontab,
    fields::{self, Fields},
};
use crate::ingest::{
    check_in::{CheckIn, Progress, Times},
    item,
};

/// What a heartbeat takes, in seconds.
const SHORTEST: u32 = 60;
const LONGEST: u32 = 31_622_400;

/// What is taken where a monitor does not say, or says what is no schedule.
const PERIOD: u32 = 86_400;

/// The margin and the longest run of monitors that do not say, in minutes, as Sentry has them.
const MARGIN: f64 = 1.0;
const MAX_RUNTIME: f64 = 30.0;

/// The report of a job, if it is one.
pub(super) fn read(given: &Fields) -> Option<CheckIn> {
    let slug = item::word(fields::text(given, "monitor_slug")?, 100)?;
    let event = match fields::text(given, "status")? {
        "in_progress" => Progress::Start,
        "ok" => Progress::Success,
        "error" => Progress::Failure,
        _ => return None,
    };
    // All zeros mean whichever run is under way.
    let run = fields::id(given, "check_in_id").filter(|id| !id.is_nil());
    Some(CheckIn {
        slug,
        event,
        run: run.map(|run| run.simple().to_string()).unwrap_or_default(),
        config: fields::within(given, &["monitor_config"]).map(times),
    })
}

/// Where it ran: a job of a preview must not stand for the one that matters.
pub(super) fn is_production(given: &Fields) -> bool {
    item::environment(fields::text(given, "environment")) == "production"
}

/// The times that a monitor's configuration asks for.
fn times(config: &Fields) -> Times {
    let minutes = |name: &str, default: f64| {
        let minutes = config.get(name).and_then(Value::as_f64).unwrap_or(default);
        bounded(minutes * 60.0)
    };
    let schedule = fields::within(config, &["schedule"]);
    let timezone = fields::text(config, "timezone").unwrap_or("UTC");
    Times {
        period_seconds: schedule
            .and_then(|schedule| period(schedule, timezone))
            .unwrap_or(PERIOD),
        grace_seconds: minutes("checkin_margin", MARGIN),
        max_run_seconds: minutes("max_runtime", MAX_RUNTIME),
    }
}

/// The longest time from one run to the next, in seconds.
fn period(schedule: &Fields, timezone: &str) -> Option<u32> {
    let value = schedule.get("value")?;
    if fields::text(schedule, "type") == Some("crontab") {
        let minutes = crontab::longest_interval(value.as_str()?)?;
        // Where clocks are put back, a day has an hour more.
        let is_even = matches!(timezone, "UTC" | "Etc/UTC" | "GMT" | "Etc/GMT");
        let more = if is_even || minutes <= 60 { 0 } else { 60 };
        return Some(bounded(f64::from(minutes + more) * 60.0));
    }
    let unit = match fields::text(schedule, "unit")? {
        "minute" => 60.0,
        "hour" => 3_600.0,
        "day" => 86_400.0,
        "week" => 604_800.0,
        // The longest that there are.
        "month" => 2_678_400.0,
        "year" => 31_622_400.0,
        _ => return None,
    };
    Some(bounded(value.as_f64()? * unit))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "it lies between the two bounds"
)]
fn bounded(seconds: f64) -> u32 {
    if seconds.is_nan() {
        return PERIOD;
    }
    seconds
        .clamp(f64::from(SHORTEST), f64::from(LONGEST))
        .round() as u32
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read_of(value: Value) -> Option<CheckIn> {
        let Value::Object(fields) = value else {
            panic!("no object")
        };
        read(&fields)
    }

    #[test]
    fn a_monitor_becomes_what_a_heartbeat_can_hold() {
        for (schedule, zone, expected) in [
            (
                json!({"type": "interval", "value": 2, "unit": "hour"}),
                "UTC",
                7_200,
            ),
            (
                json!({"type": "interval", "value": 1, "unit": "month"}),
                "UTC",
                2_678_400,
            ),
            (
                json!({"type": "interval", "value": 0, "unit": "minute"}),
                "UTC",
                60,
            ),
            (
                json!({"type": "interval", "value": 1e300, "unit": "year"}),
                "UTC",
                LONGEST,
            ),
            (
                json!({"type": "interval", "value": 1, "unit": "moon"}),
                "UTC",
                PERIOD,
            ),
            (
                json!({"type": "crontab", "value": "0 3 * * *"}),
                "UTC",
                86_400,
            ),
            (
                json!({"type": "crontab", "value": "0 3 * * *"}),
                "Europe/Berlin",
                90_000,
            ),
            (
                json!({"type": "crontab", "value": "*/5 * * * *"}),
                "Europe/Berlin",
                300,
            ),
            (json!({"type": "crontab", "value": "riddle"}), "UTC", PERIOD),
            (json!("daily"), "UTC", PERIOD),
        ] {
            let config = json!({"schedule": schedule, "timezone": zone, "checkin_margin": 10});
            let check_in = json!({"monitor_slug": "a", "status": "ok", "monitor_config": config});
            let times = read_of(check_in).unwrap().config.unwrap();
            let expected = Times {
                period_seconds: expected,
                grace_seconds: 600,
                max_run_seconds: 1_800,
            };
            assert_eq!(times, expected, "{schedule}");
        }
    }

    #[test]
    fn a_check_in_tells_how_far_which_run_is() {
        let id = "551197c37d03460abdd30626051ec21e";
        let given = json!({"monitor_slug": "a", "status": "in_progress", "check_in_id": id});
        let read = read_of(given).unwrap();
        assert_eq!((read.event, read.run.as_str()), (Progress::Start, id));
        let nil = json!({"monitor_slug": "a", "status": "error", "check_in_id": "0".repeat(32)});
        let read = read_of(nil).unwrap();
        assert_eq!((read.event, read.run.as_str()), (Progress::Failure, ""));
        for riddle in [
            json!({"monitor_slug": "a", "status": "riddle"}),
            json!({"monitor_slug": "a"}),
            json!({"monitor_slug": " \u{0}", "status": "ok"}),
            json!({"status": "ok"}),
            json!({}),
        ] {
            assert_eq!(read_of(riddle.clone()), None, "{riddle}");
        }
    }
}
