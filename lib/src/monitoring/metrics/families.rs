//! From what the database counted to metrics: their names, units and labels. Pure.
//!
//! A counter never declines. So only what has a closed set of names is counted of all time;
//! of endpoints, categories and reasons those of a window are told, as gauges: when a name
//! enters those that are shown, what is left for the others declines.

use super::{
    exposition::Family,
    figures::{
        Availability, Backups, Database, Door, Endpoints, Errors, Figures, Job, Outbox, Requests,
        Service,
    },
    shown_names::{OTHER, ShownNames, neutral},
};

/// From one bucket's number to the next a time grows by this; of the numbers, the even ones
/// are used.
const GROWTH: f64 = 1.0202;

/// The bounds of the histogram of times, in seconds.
const BOUNDS: [f64; 12] = [
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0,
];

const SEVERITIES: [&str; 4] = ["critical", "high", "medium", "low"];

/// How many endpoints, categories and reasons are told one by one.
const MOST: usize = 20;

/// Everything that a scraper is told.
pub(super) fn families(figures: &Figures, version: &str, environment: &str) -> Vec<Family> {
    let mut families = vec![build(version, environment)];
    families.extend(requests(&figures.requests));
    families.extend(endpoints(&figures.endpoints));
    families.extend(errors(&figures.errors));
    families.extend(services(&figures.services));
    families.extend(availability(&figures.availability));
    families.extend(alerts(figures));
    families.extend(outbox(&figures.outbox));
    families.extend(jobs(&figures.jobs));
    families.extend(backups(&figures.backups));
    families.extend(door(&figures.door));
    families.extend(web_vitals(figures));
    families.push(people(figures));
    families.extend(database(&figures.database));
    families
}

fn build(version: &str, environment: &str) -> Family {
    let labels = [("version", version), ("environment", environment)];
    let labels = labels.map(|(name, value)| (name, value.to_owned()));
    let help = "The version that answers, and the environment of the app that it was asked for.";
    Family::info("pourtrait_build", help, labels.into())
}

fn requests(requests: &Requests) -> [Family; 2] {
    let tally = |nth: usize| requests.tallies.get(nth).copied().unwrap_or_default();
    let mut by_status = Family::counter(
        "pourtrait_requests",
        "Requests of the app's API that were ever counted, by the class of their status.",
    );
    for (class, counted) in [
        ("1xx", tally(0)),
        ("2xx", tally(1)),
        ("3xx", tally(2)),
        ("4xx", tally(3) + tally(5)),
        ("5xx", tally(4)),
    ] {
        by_status.push([("status_class", class.to_owned())], counted);
    }
    let up_to = BOUNDS.map(|bound| (bound, up_to(requests, bound)));
    let times = Family::histogram(
        "pourtrait_request_duration_seconds",
        "seconds",
        "How long the requests of the app's API took; a bound is exact to 4 %.",
        &up_to,
        sum(requests.counts.iter().copied()),
        requests.milliseconds / 1000.0,
    );
    [by_status, times]
}

/// How many times lie up to a bound in seconds: those of the buckets that begin before it, so
/// that a time of exactly the bound counts.
fn up_to(requests: &Requests, bound: f64) -> f64 {
    let last = 2.0 * ((1000.0 * bound).ln() / (2.0 * GROWTH.ln())).ceil();
    let spread = requests.buckets.iter().zip(&requests.counts);
    let below = spread.filter(|(bucket, _)| f64::from(**bucket) <= last);
    sum(below.map(|(_, counted)| *counted))
}

/// A sum, which is 0 of nothing; an iterator's own is -0.
fn sum(numbers: impl Iterator<Item = f64>) -> f64 {
    numbers.fold(0.0, |sum, number| sum + number)
}

fn endpoints(endpoints: &Endpoints) -> [Family; 5] {
    let mut requests = Family::gauge(
        "pourtrait_endpoint_requests",
        "",
        "Requests of the last 5 minutes by endpoint, the 20 that were called most and all others.",
    );
    let mut failed = Family::gauge(
        "pourtrait_endpoint_failed_requests",
        "",
        "Requests of the last 5 minutes that were answered with 5xx, by endpoint.",
    );
    let mut p50 = Family::gauge(
        "pourtrait_endpoint_p50_seconds",
        "seconds",
        "Half of an endpoint's requests of the last 5 minutes took less.",
    );
    let mut p95 = Family::gauge(
        "pourtrait_endpoint_p95_seconds",
        "seconds",
        "95 of 100 of an endpoint's requests of the last 5 minutes took less.",
    );
    let mut p99 = Family::gauge(
        "pourtrait_endpoint_p99_seconds",
        "seconds",
        "99 of 100 of an endpoint's requests of the last 5 minutes took less.",
    );
    let (mut other, mut other_failed) = (endpoints.requests, endpoints.failed);
    let mut names = ShownNames::at_most(MOST);
    for endpoint in &endpoints.most {
        let Some(name) = names.admit(&endpoint.endpoint) else {
            continue;
        };
        let label = || [("endpoint", name.clone())];
        requests.push(label(), endpoint.requests);
        failed.push(label(), endpoint.failed);
        for (family, time) in [
            (&mut p50, endpoint.p50),
            (&mut p95, endpoint.p95),
            (&mut p99, endpoint.p99),
        ] {
            family.push(label(), time.map(|milliseconds| milliseconds / 1000.0));
        }
        other -= endpoint.requests;
        other_failed -= endpoint.failed;
    }
    let label = || [("endpoint", OTHER.to_owned())];
    requests.push(label(), other.max(0.0));
    failed.push(label(), other_failed.max(0.0));
    [requests, failed, p50, p95, p99]
}

fn errors(errors: &Errors) -> [Family; 2] {
    let mut ever = Family::counter(
        "pourtrait_errors",
        "Errors that the app logged and that were ever counted, by severity.",
    );
    for severity in SEVERITIES {
        let counted = errors.severities.get(severity).copied();
        ever.push(
            [("severity", severity.to_owned())],
            counted.unwrap_or_default(),
        );
    }
    let mut recent = Family::gauge(
        "pourtrait_recent_errors",
        "",
        "Errors of the last 5 minutes by category, the 20 most frequent and all others.",
    );
    let mut other = 0.0;
    let mut names = ShownNames::at_most(MOST);
    for category in &errors.categories {
        match names.admit(&category.category) {
            Some(name) => recent.push([("category", name)], category.errors),
            None => other += category.errors,
        }
    }
    recent.push([("category", OTHER.to_owned())], other);
    [ever, recent]
}

fn services(services: &[Service]) -> [Family; 4] {
    let mut up = Family::gauge(
        "pourtrait_service_up",
        "",
        "Whether a service is up, degraded or not; none while it is not known.",
    );
    let mut degraded = Family::gauge(
        "pourtrait_service_degraded",
        "",
        "Whether a service is up and not as it should be.",
    );
    let mut latency = Family::gauge(
        "pourtrait_service_latency_seconds",
        "seconds",
        "How long the newest probe of a service took.",
    );
    let mut seen = Family::gauge(
        "pourtrait_service_last_check_timestamp_seconds",
        "seconds",
        "When a service was probed last.",
    );
    let mut names = ShownNames::at_most(100);
    for service in services {
        let Some(name) = names.admit(&service.service) else {
            continue;
        };
        let label = || [("service", name.clone())];
        let critical = [("critical", service.critical.to_string())];
        let known = match service.status.as_str() {
            "healthy" => Some((1.0, 0.0)),
            "degraded" => Some((1.0, 1.0)),
            "unhealthy" => Some((0.0, 0.0)),
            _ => None,
        };
        up.push(label().into_iter().chain(critical), known.map(|(up, _)| up));
        degraded.push(label(), known.map(|(_, degraded)| degraded));
        latency.push(
            label(),
            service
                .milliseconds
                .map(|milliseconds| milliseconds / 1000.0),
        );
        seen.push(label(), service.last_check);
    }
    [up, degraded, latency, seen]
}

fn availability(availability: &Availability) -> [Family; 4] {
    [
        Family::gauge(
            "pourtrait_availability_ratio",
            "ratio",
            "How much of the last 30 days the app was up, of the time that is known.",
        )
        .with([], availability.percent.map(|percent| percent / 100.0)),
        Family::gauge(
            "pourtrait_availability_target_ratio",
            "ratio",
            "How much of the time the app is meant to be up.",
        )
        .with([], availability.target_percent / 100.0),
        Family::gauge(
            "pourtrait_error_budget_seconds",
            "seconds",
            "How long the app may be down in 30 days.",
        )
        .with([], 60.0 * availability.budget_minutes),
        Family::gauge(
            "pourtrait_error_budget_left_seconds",
            "seconds",
            "What is left of that; below 0 it is overspent.",
        )
        .with([], availability.minutes_left.map(|minutes| 60.0 * minutes)),
    ]
}

fn alerts(figures: &Figures) -> [Family; 2] {
    let mut alerts = Family::gauge(
        "pourtrait_open_alerts",
        "",
        "Alerts that are not resolved, by severity and by whether somebody has acknowledged them.",
    );
    let mut incidents = Family::gauge(
        "pourtrait_open_incidents",
        "",
        "Incidents that are not resolved, by severity.",
    );
    for severity in SEVERITIES {
        let label = ("severity", severity.to_owned());
        for status in ["firing", "acknowledged"] {
            let of = figures.alerts.iter();
            let of = of.filter(|open| open.severity == severity && open.status == status);
            alerts.push(
                [label.clone(), ("status", status.to_owned())],
                sum(of.map(|open| open.n)),
            );
        }
        let open = figures.incidents.get(severity).copied();
        incidents.push([label], open.unwrap_or_default());
    }
    [alerts, incidents]
}

fn outbox(outbox: &Outbox) -> [Family; 3] {
    [
        Family::gauge(
            "pourtrait_outbox_pending_messages",
            "",
            "Messages to people that wait to be sent.",
        )
        .with([], outbox.pending),
        Family::gauge(
            "pourtrait_outbox_oldest_pending_seconds",
            "seconds",
            "How long the oldest of them has waited, but for those that wait on purpose.",
        )
        .with([], outbox.oldest_seconds.unwrap_or_default()),
        Family::gauge(
            "pourtrait_outbox_dead_messages",
            "",
            "Messages that were given up.",
        )
        .with([], outbox.dead),
    ]
}

fn jobs(jobs: &[Job]) -> [Family; 3] {
    let mut succeeded = Family::gauge(
        "pourtrait_job_last_success_timestamp_seconds",
        "seconds",
        "When a job succeeded last.",
    );
    let mut took = Family::gauge(
        "pourtrait_job_last_success_duration_seconds",
        "seconds",
        "How long that took.",
    );
    let mut every = Family::gauge(
        "pourtrait_job_interval_seconds",
        "seconds",
        "How often a job is meant to run.",
    );
    for job in jobs {
        let label = || [("job_name", neutral(&job.job))];
        succeeded.push(label(), job.last_success);
        took.push(label(), job.seconds);
        every.push(label(), job.every_seconds);
    }
    [succeeded, took, every]
}

fn backups(backups: &Backups) -> [Family; 5] {
    [
        Family::gauge(
            "pourtrait_backup_age_seconds",
            "seconds",
            "How many seconds of changes no backup holds.",
        )
        .with([], backups.age_seconds),
        Family::gauge(
            "pourtrait_backup_last_success_timestamp_seconds",
            "seconds",
            "When the snapshot of the newest backup was taken.",
        )
        .with([], backups.taken_at),
        Family::gauge(
            "pourtrait_backup_size_bytes",
            "bytes",
            "How large the rows in the newest backup are as text.",
        )
        .with([], backups.bytes),
        Family::gauge(
            "pourtrait_backup_read_bytes",
            "bytes",
            "What the newest backup read from the database.",
        )
        .with([], backups.bytes_read),
        Family::gauge(
            "pourtrait_backup_stored_bytes",
            "bytes",
            "What the newest backup added to the store.",
        )
        .with([], backups.bytes_stored),
    ]
}

fn door(door: &Door) -> [Family; 3] {
    let mut taken = Family::counter(
        "pourtrait_door_items_taken",
        "Items that each project key ever brought.",
    );
    for key in &door.taken {
        let labels = [
            ("key", key.key.to_string()),
            ("key_name", neutral(&key.name)),
        ];
        taken.push(labels, key.items);
    }
    let mut dropped = Family::counter(
        "pourtrait_door_items_dropped",
        "Items of each source that were ever dropped, by us or before they were sent.",
    );
    let mut names = ShownNames::at_most(100);
    for (source, items) in &door.dropped {
        if let Some(source) = names.admit(source) {
            dropped.push([("source", source)], *items);
        }
    }
    let mut reasons = Family::gauge(
        "pourtrait_door_recent_drops",
        "",
        "Items that were dropped in the last 24 hours by source and reason, the 20 most frequent and all others.",
    );
    let mut other = door.recent;
    let mut names = ShownNames::at_most(MOST);
    for reason in &door.reasons {
        let both = format!("{}\n{}", neutral(&reason.source), neutral(&reason.reason));
        if names.admit(&both).is_some() {
            let labels = [
                ("source", neutral(&reason.source)),
                ("reason", neutral(&reason.reason)),
            ];
            reasons.push(labels, reason.items);
            other -= reason.items;
        }
    }
    let labels = ["source", "reason"].map(|label| (label, OTHER.to_owned()));
    reasons.push(labels, other.max(0.0));
    [taken, dropped, reasons]
}

fn web_vitals(figures: &Figures) -> [Family; 2] {
    let mut times = Family::gauge(
        "pourtrait_web_vital_p75_seconds",
        "seconds",
        "What three of four page views of the last 24 hours stayed below.",
    );
    let mut shifts = Family::gauge(
        "pourtrait_web_vital_p75_score",
        "",
        "The same of Web Vitals that are no times.",
    );
    for (vital, p75) in &figures.web_vitals {
        let label = [("vital", neutral(vital))];
        if vital == "CLS" {
            shifts.push(label, *p75);
        } else {
            times.push(label, p75 / 1000.0);
        }
    }
    [times, shifts]
}

fn people(figures: &Figures) -> Family {
    let mut people = Family::gauge(
        "pourtrait_active_people",
        "",
        "How many different people caused an event or a request, by how far back one looks.",
    );
    for (window, n) in &figures.people {
        people.push([("window", neutral(window))], *n);
    }
    people
}

fn database(database: &Database) -> [Family; 3] {
    [
        Family::gauge(
            "pourtrait_database_size_bytes",
            "bytes",
            "How large the database is on its server's disk.",
        )
        .with([], database.bytes),
        Family::gauge(
            "pourtrait_database_connections",
            "",
            "How many connections its server has.",
        )
        .with([], database.connections),
        Family::gauge(
            "pourtrait_database_max_connections",
            "",
            "How many connections its server may have.",
        )
        .with([], database.maximum),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_counted_up_to_each_bound_whatever_lies_beside_it() {
        // As the database counts them: no time at all, exact bounds, 120 ms and an hour.
        let of = |milliseconds: f64| {
            let bucket = (milliseconds.ln() / GROWTH.ln()).ceil();
            #[expect(
                clippy::cast_possible_truncation,
                reason = "a bucket is a small number"
            )]
            let bucket = bucket as i32;
            bucket
        };
        let counted = Requests {
            tallies: Vec::new(),
            milliseconds: 0.0,
            buckets: vec![-2000, of(5.0), of(100.0), of(120.0), of(3_600_000.0)],
            counts: vec![1.0, 2.0, 3.0, 4.0, 5.0],
        };
        for (bound, expected) in [
            (0.001, 1.0),
            (0.005, 3.0),
            (0.05, 3.0),
            (0.1, 6.0),
            (0.25, 10.0),
            (30.0, 10.0),
        ] {
            assert!(
                (up_to(&counted, bound) - expected).abs() < 0.5,
                "{bound}: {}",
                up_to(&counted, bound)
            );
        }
    }
}
