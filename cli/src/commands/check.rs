//! `pourtrait check`: everything that is wrong with the configuration, at once,
//! and with `--live` with what it leads to.

mod backups;
mod channels;
mod proofs;

use std::time::Duration;

use anyhow::Context;
use ops::{
    app::App,
    clock::Deadline,
    config::{Config, Fault, FaultKind},
    database,
    endpoint::Endpoint,
    health::{
        probes,
        service::{Outcome, Service},
    },
    migrate,
};
use serde_json::json;

use super::{contacts::ListContacts, project::Project};
use crate::{
    environment::Environment,
    failure::Verdict,
    output::{self, Output},
};

/// How long all probes together may take.
const PROBE_TIMEOUT: Duration = Duration::from_secs(10);

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Level {
    Ok,
    Warning,
    Error,
}

impl Level {
    fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// One thing that was looked at.
#[derive(Debug)]
struct Finding {
    level: Level,
    subject: String,
    text: String,
}

impl Finding {
    fn new(level: Level, subject: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            level,
            subject: subject.into(),
            text: text.into(),
        }
    }
}

pub(crate) async fn run(
    live: bool,
    environment: &Environment,
    output: Output,
) -> anyhow::Result<Verdict> {
    output::note(&format!("checking {}", environment.origin()));
    let mut findings = configuration(&environment.config());
    if live {
        findings.extend(services(environment).await);
        findings.push(schema(environment).await);
        findings.extend(channels::look(environment).await);
        findings.extend(contacts(environment).await);
        findings.extend(proofs::look(environment).await);
        findings.extend(backups::look(environment).await);
    }
    let bad = findings.iter().any(|finding| finding.level == Level::Error);
    let listed: Vec<_> = findings
        .iter()
        .map(
            |Finding {
                 level,
                 subject,
                 text,
             }| {
                json!({ "level": level.as_str(), "subject": subject, "text": text })
            },
        )
        .collect();
    let rows: Vec<_> = findings
        .into_iter()
        .map(
            |Finding {
                 level,
                 subject,
                 text,
             }| [level.as_str().to_owned(), subject, text],
        )
        .collect();
    output.result(
        &json!({ "source": environment.origin(), "valid": !bad, "findings": listed }),
        &output::table(["", "what", "finding"], &rows),
    );
    Ok(if bad { Verdict::Bad } else { Verdict::Good })
}

fn configuration(config: &Config) -> Vec<Finding> {
    let mut findings: Vec<_> = config.faults.iter().map(fault).collect();
    findings.extend(warnings(config));
    if findings.is_empty() {
        findings.push(Finding::new(
            Level::Ok,
            "configuration",
            "nothing is missing or invalid",
        ));
    }
    findings
}

fn fault(Fault { variable, kind }: &Fault) -> Finding {
    match kind {
        FaultKind::Missing => Finding::new(Level::Error, *variable, "required and not set"),
        FaultKind::Invalid(reason) => Finding::new(Level::Error, *variable, *reason),
        FaultKind::Warning(reason) => Finding::new(Level::Warning, *variable, *reason),
    }
}

/// What is not wrong in itself, and leaves something closed, unseen or unsaid.
/// A variable that is set and invalid has its fault already.
fn warnings(config: &Config) -> Vec<Finding> {
    let faulty = |names: &[&str]| {
        config
            .faults
            .iter()
            .any(|fault| names.contains(&fault.variable))
    };
    [
        (
            config.cron_secret.is_none() && !faulty(&["CRON_SECRET"]),
            "CRON_SECRET",
            "not set: the platform's scheduler is refused, nothing is watched",
        ),
        (
            config.monitoring_api_key.is_none() && !faulty(&["MONITORING_API_KEY"]),
            "MONITORING_API_KEY",
            "not set: operators and CI are refused, the dashboard opens to admins alone",
        ),
        (
            config.app_url.is_none() && !faulty(&["NEXT_PUBLIC_APP_URL"]),
            "NEXT_PUBLIC_APP_URL",
            "not set: only URLs of the setting app.urls are watched",
        ),
        (
            config.base_url.is_none() && !faulty(&["BASE_URL"]),
            "BASE_URL",
            "neither it nor the platform's production domain is set: messages carry no links",
        ),
        (
            config.backup.is_none() && !config.faults.iter().any(Fault::is_about_backups),
            "backups",
            "not set up: nothing is backed up (BACKUP_URL, BACKUP_RECIPIENTS, BACKUP_SECRET)",
        ),
    ]
    .into_iter()
    .chain(channels::warnings(config))
    .filter(|(applies, ..)| *applies)
    .map(|(_, subject, text)| Finding::new(Level::Warning, subject, text))
    .collect()
}

async fn services(environment: &Environment) -> Vec<Finding> {
    let app = App::new(Endpoint::Health, environment.config());
    let deadline = Deadline::after(PROBE_TIMEOUT);
    let probing = Service::ALL.map(|service| probes::probe(&app, service, deadline));
    let readings = futures_util::future::join_all(probing).await;
    Service::ALL
        .into_iter()
        .zip(readings)
        .map(|(service, reading)| {
            let time = reading
                .response_time_ms
                .map(|ms| format!(" ({ms:.0} ms)"))
                .unwrap_or_default();
            let (level, text) = match &reading.outcome {
                Outcome::Healthy => (Level::Ok, format!("answers{time}")),
                Outcome::Degraded(reason) => (Level::Warning, format!("{reason}{time}")),
                Outcome::Unhealthy(reason) => (Level::Error, format!("{reason}{time}")),
                Outcome::Unconfigured => (Level::Warning, "not configured, not watched".to_owned()),
            };
            Finding::new(level, service.as_str(), text)
        })
        .collect()
}

/// The direct session and the schema. Functions need neither variable; where
/// there is none, nothing can be told.
async fn schema(environment: &Environment) -> Finding {
    const SUBJECT: &str = "schema";
    if environment.get("DATABASE_URL").is_none() {
        return Finding::new(
            Level::Warning,
            SUBJECT,
            "DATABASE_URL is not set: not looked at",
        );
    }
    let status = async {
        let (url, ca) = environment.database()?;
        let client = database::connect(&url, ca.as_deref()).await?;
        migrate::status(&client)
            .await
            .context("the ledger cannot be read")
    };
    match status.await {
        Err(error) => Finding::new(Level::Error, SUBJECT, format!("{error:#}")),
        Ok(status) if status.pending.is_empty() => Finding::new(
            Level::Ok,
            SUBJECT,
            format!("{} migrations applied, none pending", status.applied.len()),
        ),
        Ok(status) => {
            let text = format!(
                "{} migrations pending: run `pourtrait migrate`",
                status.pending.len()
            );
            Finding::new(Level::Error, SUBJECT, text)
        }
    }
}

/// Whether alerts reach somebody who answers.
async fn contacts(environment: &Environment) -> Vec<Finding> {
    const SUBJECT: &str = "contacts";
    let listed = async { Project::of(environment)?.call(&ListContacts {}).await };
    let contacts = match listed.await {
        Ok(listed) => listed.contacts,
        Err(error) => return vec![Finding::new(Level::Error, SUBJECT, format!("{error:#}"))],
    };
    if contacts.is_empty() {
        let text = "there are none: alerts go to the channels alone, and nobody else is asked \
                    when nobody answers (pourtrait contacts add)";
        return vec![Finding::new(Level::Warning, SUBJECT, text)];
    }
    let mut findings = Vec::new();
    if contacts.iter().all(|contact| contact.level != 1) {
        let text =
            "level 1 is empty: nobody is on call (pourtrait contacts add --role on_call_primary)";
        findings.push(Finding::new(Level::Error, SUBJECT, text));
    }
    for contact in &contacts {
        for channel in contact.unproven() {
            let name = &contact.name;
            let text = format!(
                "{channel} of {name} was never proven: run `pourtrait contacts test \"{name}\"`"
            );
            findings.push(Finding::new(Level::Error, SUBJECT, text));
        }
    }
    if findings.is_empty() {
        let text = format!("{} can be reached, level 1 is filled", contacts.len());
        findings.push(Finding::new(Level::Ok, SUBJECT, text));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subjects(variables: &[(&str, &str)], level: Level) -> Vec<String> {
        let lookup = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        configuration(&Config::from_lookup(&lookup))
            .into_iter()
            .filter(|finding| finding.level == level)
            .map(|finding| finding.subject)
            .collect()
    }

    const PROJECT: [(&str, &str); 2] = [
        ("SUPABASE_URL", "https://p.supabase.co"),
        ("SUPABASE_SECRET_KEY", "sb_secret_x"),
    ];

    const BACKUPS: [(&str, &str); 4] = [
        ("DATABASE_URL", "postgresql://postgres@db.test/postgres"),
        ("BACKUP_URL", "file:///backups"),
        ("BACKUP_RECIPIENTS", "age1x"),
        (
            "BACKUP_SECRET",
            "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff",
        ),
    ];

    #[test]
    fn all_faults_are_found_together() {
        assert_eq!(
            subjects(
                &[
                    ("CRON_SECRET", "short"),
                    ("BASE_URL", "http://elsewhere.test")
                ],
                Level::Error
            ),
            [
                "NEXT_PUBLIC_SUPABASE_URL",
                "SUPABASE_SECRET_KEY",
                "BASE_URL",
                "CRON_SECRET"
            ]
        );
        assert_eq!(subjects(&PROJECT, Level::Error), [""; 0]);
    }

    #[test]
    fn what_leaves_alerts_unsaid_is_a_warning() {
        let with = |more: &[(&'static str, &'static str)]| {
            let complete = [
                ("CRON_SECRET", "0123456789abcdef"),
                ("MONITORING_API_KEY", "0123456789abcdef"),
                ("NEXT_PUBLIC_APP_URL", "https://a.test"),
                ("BASE_URL", "https://b.test"),
            ];
            let all: Vec<_> = PROJECT
                .iter()
                .chain(&BACKUPS)
                .chain(&complete)
                .chain(more)
                .copied()
                .collect();
            (subjects(&all, Level::Warning), subjects(&all, Level::Ok))
        };
        let slack = ("SLACK_WEBHOOK_URL", "https://hooks.slack.test/x");
        let email = [
            ("RESEND_API_KEY", "re_x"),
            ("RESEND_FROM_EMAIL", "a@b.test"),
            ("ADMIN_EMAIL", "c@d.test"),
        ];
        let none = (vec!["alerts".to_owned()], vec![]);
        assert_eq!(with(&[]), none);
        assert_eq!(with(&[slack]), none);
        assert_eq!(with(&email), none);
        let both: Vec<_> = email.into_iter().chain([slack]).collect();
        assert_eq!(with(&both), (vec![], vec!["configuration".to_owned()]));
    }

    #[test]
    fn backups_that_are_not_set_up_are_a_warning_and_half_of_them_are_an_error() {
        assert!(subjects(&PROJECT, Level::Warning).contains(&"backups".to_owned()));
        let half: Vec<_> = PROJECT.iter().chain(&BACKUPS[..2]).copied().collect();
        assert!(!subjects(&half, Level::Warning).contains(&"backups".to_owned()));
        assert_eq!(
            subjects(&half, Level::Error),
            ["BACKUP_RECIPIENTS", "BACKUP_SECRET"]
        );
    }

    #[test]
    fn an_invalid_variable_is_reported_once() {
        let variables = [
            ("SUPABASE_URL", "https://p.supabase.co"),
            ("CRON_SECRET", "short"),
        ];
        assert!(!subjects(&variables, Level::Warning).contains(&"CRON_SECRET".to_owned()));
    }
}
