//! `pourtrait schedule`: a second scheduler in the watched database, by `pg_cron`
//! and `pg_net`, which also raises the alarm when the bundle falls silent.

use anyhow::{Context, anyhow};
use ops::{
    config::{Config, Slack},
    database,
    endpoint::{Endpoint, Job},
};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use tokio_postgres::{Client, error::SqlState};

use crate::{
    arguments::Schedule,
    environment::Environment,
    failure::{Misuse, Verdict},
    output::{self, Output},
};

pub(crate) async fn run(
    action: Schedule,
    environment: &Environment,
    output: Output,
) -> anyhow::Result<Verdict> {
    let (url, ca) = environment.database()?;
    let host = database::host(&url)?;
    output::note(&format!("target: {host} (from {})", environment.origin()));
    // What is missing here is said before anything is opened.
    let plan = match action {
        Schedule::Install => Some(Plan::of(&environment.config(), environment)?),
        Schedule::Remove | Schedule::Status => None,
    };
    let client = database::connect(&url, ca.as_deref()).await?;
    let status = match (action, plan) {
        (Schedule::Install, Some(plan)) => plan.install(&client).await,
        (Schedule::Remove, _) => ask(&client, "select ops.unschedule_calls()::text").await,
        (Schedule::Install | Schedule::Status, _) => {
            ask(&client, "select ops.scheduled_calls()::text").await
        }
    }?;
    output.result(&status, &describe(&status));
    Ok(Verdict::Good)
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
            slack_webhook: match &config.slack {
                Some(Slack::Webhook(url)) => Some(url.expose_secret().to_owned()),
                // The database posts, and keeps no token that can do more than that.
                Some(Slack::Bot(_)) | None => None,
            },
        };
        if plan.slack_webhook.is_none() {
            output::note(
                "note: without SLACK_WEBHOOK_URL, in place of a bot's token, a silence of the bundle is told to nobody",
            );
        }
        Ok(plan)
    }

    async fn install(&self, client: &Client) -> anyhow::Result<Value> {
        let answer = client
            .query_one(
                "select ops.schedule_calls($1, $2, $3, $4::text::jsonb, now())::text",
                &[
                    &self.base_url,
                    &self.cron_secret,
                    &self.slack_webhook,
                    &calls().to_string(),
                ],
            )
            .await;
        read(answer)
    }
}

/// Every call that the platform's own crons make.
fn calls() -> Value {
    Endpoint::ALL
        .into_iter()
        .filter_map(|endpoint| {
            let spec = endpoint.spec();
            let Job { name, schedule, .. } = spec.job?;
            Some(json!({ "job": name, "schedule": schedule, "path": spec.path }))
        })
        .collect()
}

async fn ask(client: &Client, sql: &str) -> anyhow::Result<Value> {
    read(client.query_one(sql, &[]).await)
}

/// The document that a function answered, or why there is none in its own words:
/// neither they nor ours repeat a secret.
fn read(answer: Result<tokio_postgres::Row, tokio_postgres::Error>) -> anyhow::Result<Value> {
    let row = answer.map_err(|error| match error.as_db_error() {
        Some(refusal) if *refusal.code() == SqlState::UNDEFINED_FUNCTION => {
            anyhow!("the database lacks the bundle's functions: run `pourtrait migrate`")
        }
        Some(refusal) => {
            let hint = refusal.hint().map(|hint| format!(" ({hint})"));
            anyhow!("{}{}", refusal.message(), hint.unwrap_or_default())
        }
        None => anyhow!(error),
    })?;
    serde_json::from_str(row.get(0)).context("the database answers oddly")
}

fn describe(status: &Value) -> String {
    let jobs = status["jobs"].as_array().map_or(&[][..], Vec::as_slice);
    let Some(base_url) = status["baseUrl"].as_str().filter(|_| !jobs.is_empty()) else {
        return "nothing is scheduled in the database".to_owned();
    };
    let rows: Vec<_> = jobs
        .iter()
        .map(|job| {
            let word = |key: &str| job[key].as_str().unwrap_or_default().to_owned();
            let active = if job["active"] == true { "yes" } else { "no" };
            [word("job"), word("schedule"), active.to_owned()]
        })
        .collect();
    let silence = match (
        status["tellsSlack"].as_bool(),
        status["silentSince"].as_str(),
    ) {
        (_, Some(since)) => format!("no tick since {since}, which Slack was told"),
        (Some(true), None) => "a silence is told to Slack".to_owned(),
        _ => "a silence is told to nobody".to_owned(),
    };
    let last = status["lastTickAt"].as_str().unwrap_or("never");
    format!(
        "{}\ncalls {base_url}; last tick {last}; {silence}",
        output::table(["job", "schedule", "active"], &rows)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_job_of_the_bundle_is_called() {
        let calls = calls();
        let paths: Vec<&str> = calls
            .as_array()
            .unwrap()
            .iter()
            .map(|call| call["path"].as_str().unwrap())
            .collect();
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
        let none = json!({"jobs": [], "baseUrl": null, "tellsSlack": false});
        assert_eq!(describe(&none), "nothing is scheduled in the database");
        let status = json!({
            "jobs": [{"job": "pourtrait_monitor", "schedule": "* * * * *", "active": true}],
            "baseUrl": "https://ops.wine.example", "tellsSlack": true, "silentSince": null,
            "lastTickAt": "2026-11-24T12:00:00+00:00",
        });
        assert_eq!(
            describe(&status),
            "JOB                SCHEDULE   ACTIVE\n\
             pourtrait_monitor  * * * * *  yes\n\
             calls https://ops.wine.example; last tick 2026-11-24T12:00:00+00:00; a silence is told to Slack"
        );
    }
}
