//! The platform's scheduler: real requests to the bundle itself, on the
//! schedules of the endpoints' table.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use anyhow::Context;
use jiff::Timestamp;
use ops::endpoint::{Endpoint, Job, Spec};
use outside::{clock, outbound::Outbound};
use tokio::task::JoinSet;

/// What the platform's scheduler calls itself.
const USER_AGENT: &str = "vercel-cron/1.0";

struct Scheduler {
    base_url: String,
    secret: String,
    outbound: Outbound,
}

/// Calls every job now and then at each of its slots, until the tasks are
/// dropped.
pub(super) fn start(
    base_url: &str,
    variables: &BTreeMap<String, String>,
    tasks: &mut JoinSet<()>,
) -> anyhow::Result<()> {
    let secret = variables
        .get("CRON_SECRET")
        .context("CRON_SECRET is not set")?;
    let scheduler = Arc::new(Scheduler {
        base_url: base_url.to_owned(),
        secret: secret.clone(),
        outbound: Outbound::default(),
    });
    for spec in Endpoint::ALL.map(Endpoint::spec) {
        if let Some(job) = spec.job {
            tasks.spawn(follow(Arc::clone(&scheduler), spec, job));
        }
    }
    Ok(())
}

/// The first round comes at once, so that there is something to see. Later ones
/// do not wait for earlier ones, as on the platform.
async fn follow(scheduler: Arc<Scheduler>, spec: &'static Spec, job: Job) {
    let mut calls = JoinSet::new();
    loop {
        let scheduler = Arc::clone(&scheduler);
        calls.spawn(async move {
            if let Err(error) = scheduler.call(spec, job).await {
                tracing::warn!(path = spec.path, "a scheduled call failed: {error:#}");
            }
        });
        while calls.try_join_next().is_some() {}
        clock::wait(until_next_slot(clock::now(), job.every_s)).await;
    }
}

impl Scheduler {
    async fn call(&self, spec: &Spec, job: Job) -> anyhow::Result<()> {
        let response = self
            .outbound
            .client()?
            .get(format!("{}{}", self.base_url, spec.path))
            .bearer_auth(&self.secret)
            .header(http::header::USER_AGENT, USER_AGENT)
            .header("x-vercel-cron-schedule", job.schedule)
            .timeout(Duration::from_secs(u64::from(spec.max_duration_s)))
            .send()
            .await?;
        response.error_for_status()?;
        Ok(())
    }
}

/// Slots begin at multiples of the interval since the epoch, as the database
/// counts them.
fn until_next_slot(now: Timestamp, every_s: u32) -> Duration {
    let interval = i64::from(every_s) * 1_000;
    let rest = interval - now.as_millisecond().rem_euclid(interval);
    Duration::from_millis(rest.unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_aligned_to_the_interval() {
        for (now, every_s, wait_ms) in [
            ("2026-11-24T10:00:00Z", 60, 60_000),
            ("2026-11-24T10:00:00.250Z", 60, 59_750),
            ("2026-11-24T10:00:59.999Z", 60, 1),
            ("2026-11-24T10:07:30Z", 600, 150_000),
        ] {
            let wait = until_next_slot(now.parse().unwrap(), every_s);
            assert_eq!(wait, Duration::from_millis(wait_ms), "{now}");
        }
    }

    #[test]
    fn the_schedules_of_the_table_are_those_of_its_intervals() {
        for job in Endpoint::ALL
            .into_iter()
            .filter_map(|endpoint| endpoint.spec().job)
        {
            let expected = match job.every_s {
                60 => "* * * * *".to_owned(),
                seconds => format!("*/{} * * * *", seconds / 60),
            };
            assert_eq!(job.schedule, expected, "{}", job.name);
        }
    }
}
