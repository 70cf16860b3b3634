//! `pourtrait schedule`: a second scheduler in the watched database, made of
//! `pg_cron` and `pg_net`. It also reports to Slack when the bundle falls silent.

use anyhow::{Context, anyhow};
use clap::Subcommand;
use ops::{
    config::Config,
    endpoint::{Endpoint, Job},
};
use outside::{database, secure_url};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use tokio_postgres::{Client, error::SqlState};

use crate::{
    answered::{self, Answered},
    environment::Environment,
};
use terminal::{
    failure::{Misuse, Verdict},
    output::{self, Output},
};

mod clocks;

/// What `schedule` can do.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum Schedule {
    /// Schedules every call with `pg_cron`; called again, it replaces what it made
    Install,
    /// Removes all that install made
    Remove,
    /// Shows what is scheduled, and since when no tick came
    Status,
    /// Shows every clock that calls the jobs, this one or another, and when it did last
    Clocks,
    /// Forgets a clock that was taken out of service, so that nobody is told of its silence
    Forget {
        /// Its name, as `clocks` shows it
        clock: String,
    },
}

pub(crate) async fn run(
    action: Schedule,
    environment: &Environment,
    output: Output,
) -> anyhow::Result<Verdict> {
    let (url, ca) = environment.database()?;
    let host = database::host(&url)?;
    output::note(&format!("target: {host} (from {})", environment.origin()));
    // A variable that is missing is named before anything is opened.
    let plan = match action {
        Schedule::Install => Some(Plan::of(&environment.config(), environment)?),
        Schedule::Remove | Schedule::Status | Schedule::Clocks | Schedule::Forget { .. } => None,
    };
    let client = database::connect(&url, ca.as_deref()).await?;
    let status = match (action, plan) {
        (Schedule::Install, Some(plan)) => plan.install(&client).await,
        (Schedule::Clocks, _) => return clocks::show(&client, output).await,
        (Schedule::Forget { clock }, _) => return clocks::forget(&client, &clock, output).await,
        (Schedule::Remove, _) => ask(&client, "select ops.unschedule_calls()::text").await,
        (Schedule::Install | Schedule::Status, _) => {
            ask(&client, "select ops.scheduled_calls()::text").await
        }
    }?;
    output.result(status.document(), &status.describe(Scheduled::text));
    Ok(Verdict::Good)
}

/// What the database calls, as it answers every action.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Scheduled {
    base_url: Option<String>,
    #[serde(rename = "tellsSlack")]
    reports_to_slack: bool,
    last_tick_at: Option<String>,
    silent_since: Option<String>,
    jobs: Vec<Answered<ScheduledJob>>,
}

/// A job of `pg_cron`.
#[derive(Debug, Deserialize)]
struct ScheduledJob {
    job: String,
    schedule: String,
    active: bool,
}

/// A call that the database is to make.
#[derive(Debug, Serialize)]
struct CallToMake {
    job: &'static str,
    schedule: &'static str,
    path: &'static str,
}

/// What is to be called, where, and with which proof.
struct Plan {
    base_url: String,
    cron_secret: String,
    slack_webhook: Option<String>,
}

impl Plan {
    fn of(config: &Config, environment: &Environment) -> anyhow::Result<Self> {
        let missing = |name: &str| {
            Misuse(format!(
                "{name} is not set in {}, or cannot be used: see `pourtrait check`",
                environment.origin()
            ))
        };
        let base_url = config.base_url.as_ref();
        let cron_secret = config.cron_secret.as_ref();
        let plan = Self {
            base_url: base_url
                .ok_or_else(|| missing("BASE_URL"))?
                .origin()
                .ascii_serialization(),
            cron_secret: cron_secret
                .ok_or_else(|| missing("CRON_SECRET"))?
                .expose_secret()
                .to_owned(),
            // The database posts, and keeps no token that can do more than that.
            slack_webhook: environment
                .get("SLACK_WEBHOOK_URL")
                .filter(|url| secure_url::parse(url).is_ok()),
        };
        if plan.slack_webhook.is_none() {
            output::note(
                "note: without SLACK_WEBHOOK_URL nobody learns of a silence of the bundle",
            );
        }
        Ok(plan)
    }

    async fn install(&self, client: &Client) -> anyhow::Result<Answered<Scheduled>> {
        let calls = serde_json::to_string(&calls())?;
        let answer = client
            .query_one(
                "select ops.schedule_calls($1, $2, $3, $4::text::jsonb, now())::text",
                &[
                    &self.base_url,
                    &self.cron_secret,
                    &self.slack_webhook,
                    &calls,
                ],
            )
            .await;
        read(answer)
    }
}

/// Every call that the platform's own crons make.
fn calls() -> Vec<CallToMake> {
    Endpoint::ALL
        .into_iter()
        .filter_map(|endpoint| {
            let spec = endpoint.spec();
            let Job { name, schedule, .. } = spec.job?;
            Some(CallToMake {
                job: name,
                schedule,
                path: spec.path,
            })
        })
        .collect()
}

async fn ask(client: &Client, sql: &str) -> anyhow::Result<Answered<Scheduled>> {
    read(client.query_one(sql, &[]).await)
}

/// The document that a function answered about what is scheduled.
fn read(
    answer: Result<tokio_postgres::Row, tokio_postgres::Error>,
) -> anyhow::Result<Answered<Scheduled>> {
    serde_json::from_str(document(answer)?.get(0)).context("the database answers oddly")
}

/// The row that a function answered. A refusal is repeated in its own words,
/// which name no secret.
fn document(
    answer: Result<tokio_postgres::Row, tokio_postgres::Error>,
) -> anyhow::Result<tokio_postgres::Row> {
    answer.map_err(|error| match error.as_db_error() {
        Some(refusal) if *refusal.code() == SqlState::UNDEFINED_FUNCTION => {
            anyhow!("the database lacks the bundle's functions: run `pourtrait migrate`")
        }
        Some(refusal) => {
            let hint = refusal.hint().map(|hint| format!(" ({hint})"));
            anyhow!("{}{}", refusal.message(), hint.unwrap_or_default())
        }
        None => anyhow!(error),
    })
}

impl Scheduled {
    fn text(&self) -> String {
        let Some(base_url) = self.base_url.as_ref().filter(|_| !self.jobs.is_empty()) else {
            return "nothing is scheduled in the database".to_owned();
        };
        let silence = match (&self.silent_since, self.reports_to_slack) {
            (Some(since), _) => format!("no tick since {since}, which was sent to Slack"),
            (None, true) => "a silence is sent to Slack".to_owned(),
            (None, false) => "a silence is sent to nobody".to_owned(),
        };
        let last = self.last_tick_at.as_deref().unwrap_or("never");
        let jobs = answered::table(
            "jobs",
            &self.jobs,
            ["job", "schedule", "active"],
            ScheduledJob::row,
        );
        format!("{jobs}\ncalls {base_url}; last tick {last}; {silence}")
    }
}

impl ScheduledJob {
    fn row(&self) -> [String; 3] {
        let active = if self.active { "yes" } else { "no" };
        [self.job.clone(), self.schedule.clone(), active.to_owned()]
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_job_of_the_bundle_is_called() {
        let paths: Vec<_> = calls().iter().map(|call| call.path).collect();
        assert_eq!(
            paths,
            [
                "/api/cron/monitor",
                "/api/alerts/dispatch",
                "/api/cron/backup",
                "/api/cron/maintenance"
            ]
        );
    }

    #[test]
    fn what_is_scheduled_is_shown_and_what_is_not_said() {
        let text = |status| Answered::read(status).describe(Scheduled::text);
        let none = json!({"jobs": [], "baseUrl": null, "tellsSlack": false});
        assert_eq!(text(none), "nothing is scheduled in the database");
        let status = json!({
            "jobs": [{"job": "pourtrait_monitor", "schedule": "* * * * *", "active": true}],
            "baseUrl": "https://ops.wine.example", "tellsSlack": true, "silentSince": null,
            "lastTickAt": "2026-11-24T12:00:00+00:00",
        });
        assert_eq!(
            text(status),
            "JOB                SCHEDULE   ACTIVE\n\
             pourtrait_monitor  * * * * *  yes\n\
             calls https://ops.wine.example; last tick 2026-11-24T12:00:00+00:00; a silence is sent to Slack"
        );
    }
}
