//! The variables: what is missing or invalid, and what works without them but
//! leaves something closed, unseen or unsent.

use ops::config::{Config, Fault, FaultKind};

use super::{
    channels,
    finding::{Finding, Level},
};

/// Everything there is to find in the configuration, without asking anybody.
pub(super) fn look(config: &Config) -> Vec<Finding> {
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

/// What is not wrong in itself, and leaves something closed, unseen or unsent.
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

#[cfg(test)]
mod tests {
    use super::*;

    fn subjects(variables: &[(&str, &str)], level: Level) -> Vec<String> {
        let lookup = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        look(&Config::from_lookup(&lookup))
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
    fn what_leaves_alerts_unsent_is_a_warning() {
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
