//! Schedules follow from the table of endpoints, and are ones that the platform
//! takes.

use ops::endpoint::{Endpoint, Job};
use serde_json::{Value, json};

use crate::{
    configuration::{self, Cron},
    files,
};

fn jobs() -> impl Iterator<Item = (Endpoint, &'static Job)> {
    Endpoint::ALL
        .into_iter()
        .filter_map(|endpoint| Some((endpoint, endpoint.spec().job.as_ref()?)))
}

fn crons(schedule: fn(&Job) -> &'static str) -> Vec<Cron> {
    jobs()
        .map(|(endpoint, job)| Cron {
            path: endpoint.spec().path.to_owned(),
            schedule: schedule(job).to_owned(),
        })
        .collect()
}

#[test]
fn the_crons_of_vercel_json_are_the_tables() {
    assert_eq!(configuration::read().crons, crons(|job| job.schedule));
}

#[test]
fn the_hobby_variant_differs_in_its_crons_alone() {
    let mut expected: Value = serde_json::from_str(&files::text("vercel.json")).unwrap();
    expected["crons"] = crons(|job| job.daily_schedule)
        .into_iter()
        .map(|Cron { path, schedule }| json!({ "path": path, "schedule": schedule }))
        .collect();
    let found: Value = serde_json::from_str(&files::text("vercel.hobby.json")).unwrap();
    assert_eq!(found, expected);
}

#[test]
fn a_job_is_called_by_get_and_its_lease_lasts_as_long_as_it_works() {
    for (endpoint, job) in jobs() {
        let spec = endpoint.spec();
        assert!(
            ops::router::routes(endpoint)
                .methods()
                .contains(&http::Method::GET),
            "{}: crons call with GET",
            spec.name
        );
        // Two renewals may be lost, and the third still comes in time.
        let lasts = match job.renewed_every_s {
            None => job.lease_s > spec.max_duration_s,
            Some(every_s) => every_s > 0 && job.lease_s > 3 * every_s,
        };
        assert!(lasts, "{}: another run could start meanwhile", spec.name);
        assert!(
            job.lease_s < job.every_s,
            "{}: the slot after a killed run would be lost",
            spec.name
        );
    }
}

#[test]
fn a_schedule_comes_as_often_as_its_slots() {
    for (endpoint, job) in jobs() {
        let every = interval_minutes(job.schedule).map(|minutes| minutes * 60);
        assert_eq!(
            every,
            Some(job.every_s),
            "{}: `{}`",
            endpoint.spec().name,
            job.schedule
        );
    }
}

#[test]
fn a_daily_schedule_comes_once_a_day() {
    for (endpoint, job) in jobs() {
        let fields = fields(job.daily_schedule).unwrap();
        let [minutes, hours, rest @ ..] = &fields[..] else {
            panic!("no fields")
        };
        assert_eq!(
            (minutes.len(), hours.len()),
            (1, 1),
            "{}: `{}`",
            endpoint.spec().name,
            job.daily_schedule
        );
        assert!(
            rest.iter()
                .zip(&RANGES[2..])
                .all(|(field, range)| field.len() == range.clone().count())
        );
    }
}

#[test]
fn schedules_are_read_as_the_platform_reads_them() {
    #[track_caller]
    fn check(schedule: &str, expected: Option<u32>) {
        assert_eq!(interval_minutes(schedule), expected, "`{schedule}`");
    }
    check("* * * * *", Some(1));
    check("*/10 * * * *", Some(10));
    check("0,30 * * * *", Some(30));
    check("5-55/10 * * * *", Some(10));
    check("0 * * * *", Some(60));
    check("*/7 * * * *", None);
    check("0 6 * * *", None);
    for nonsense in [
        "",
        "* * * *",
        "60 * * * *",
        "* 24 * * *",
        "*/0 * * * *",
        "5-1 * * * *",
        "* * * * MON",
    ] {
        assert_eq!(fields(nonsense), None, "`{nonsense}`");
    }
    assert_eq!(
        fields("0 0 1 * 1"),
        None,
        "day of month and day of week exclude each other"
    );
}

/// What minute, hour, day of month, month and day of week may be.
const RANGES: [std::ops::RangeInclusive<u32>; 5] = [0..=59, 0..=23, 1..=31, 1..=12, 0..=6];

/// The values of each field; `None` for what the platform refuses: names, too
/// few fields, values out of range, both days at once.
fn fields(schedule: &str) -> Option<Vec<Vec<u32>>> {
    let texts: Vec<&str> = schedule.split(' ').collect();
    if texts.len() != RANGES.len() || (texts[2] != "*" && texts[4] != "*") {
        return None;
    }
    texts
        .iter()
        .zip(RANGES)
        .map(|(text, range)| field(text, range))
        .collect()
}

fn field(text: &str, range: std::ops::RangeInclusive<u32>) -> Option<Vec<u32>> {
    let mut values = Vec::new();
    for part in text.split(',') {
        let (span, step) = part.split_once('/').unwrap_or((part, "1"));
        let (first, last) = match span.split_once('-') {
            _ if span == "*" => (*range.start(), *range.end()),
            Some((first, last)) => (first.parse().ok()?, last.parse().ok()?),
            None => (span.parse().ok()?, span.parse().ok()?),
        };
        let step: usize = step.parse().ok().filter(|step| *step > 0)?;
        if first > last || !range.contains(&first) || !range.contains(&last) {
            return None;
        }
        values.extend((first..=last).step_by(step));
    }
    Some(values)
}

/// The minutes between two calls of a schedule that runs every hour; `None` if
/// they are not always the same.
fn interval_minutes(schedule: &str) -> Option<u32> {
    let fields = fields(schedule)?;
    let hourly = fields[1..]
        .iter()
        .zip(&RANGES[1..])
        .all(|(field, range)| field.len() == range.clone().count());
    let minutes = &fields[0];
    let next = minutes
        .iter()
        .skip(1)
        .copied()
        .chain([minutes.first()? + 60]);
    let gaps: Vec<u32> = minutes
        .iter()
        .zip(next)
        .map(|(minute, next)| next - minute)
        .collect();
    let even = gaps.windows(2).all(|pair| pair[0] == pair[1]);
    (hourly && even).then(|| gaps[0])
}
