use secrecy::ExposeSecret;

use super::*;
use crate::messages::channels::Channel;

const SERVICE_ROLE: &str = "eyJhbGciOiJIUzI1NiJ9.eyJyb2xlIjoic2VydmljZV9yb2xlIn0.c2ln";
const ANON: &str = "eyJhbGciOiJIUzI1NiJ9.eyJyb2xlIjoiYW5vbiJ9.c2ln";

fn config(variables: &[(&str, &str)]) -> Config {
    Config::from_lookup(&|name| {
        let found = variables.iter().find(|(variable, _)| *variable == name);
        found.map(|(_, value)| (*value).to_owned())
    })
}

/// The one fault that a set of variables has, as text.
fn fault(variables: &[(&str, &str)]) -> String {
    let found = config(variables).faults;
    let optional: Vec<_> = found
        .iter()
        .filter(|fault| fault.kind != FaultKind::Missing)
        .map(|fault| format!("{}: {:?}", fault.variable, fault.kind))
        .collect();
    optional.join("; ")
}

#[test]
fn nothing_set_is_reported_whole_and_nothing_works() {
    let config = config(&[]);
    let missing: Vec<_> = config.faults.iter().map(|fault| fault.variable).collect();
    assert_eq!(missing, ["NEXT_PUBLIC_SUPABASE_URL", "SUPABASE_SECRET_KEY"]);
    assert!(!config.is_valid());
    assert!(config.channels.list().is_empty());
}

#[test]
fn blank_counts_as_unset() {
    assert!(config(&[("CRON_SECRET", "  ")]).cron_secret.is_none());
    assert_eq!(fault(&[("CRON_SECRET", "")]), "");
}

#[test]
fn the_new_key_wins_over_the_legacy_one() {
    let both = config(&[
        ("SUPABASE_URL", "https://ref.supabase.co"),
        ("SUPABASE_SERVICE_ROLE_KEY", SERVICE_ROLE),
        ("SUPABASE_SECRET_KEY", "sb_secret_new"),
    ]);
    let SupabaseKey::Opaque(key) = both.supabase.unwrap().key else {
        panic!("the legacy key won");
    };
    assert_eq!(key.expose_secret(), "sb_secret_new");
    let legacy = config(&[
        ("NEXT_PUBLIC_SUPABASE_URL", "https://ref.supabase.co"),
        ("SUPABASE_SERVICE_ROLE_KEY", SERVICE_ROLE),
    ]);
    assert!(matches!(
        legacy.supabase.unwrap().key,
        SupabaseKey::Legacy(_)
    ));
}

#[test]
fn each_fault_is_told_without_the_value() {
    let cases: &[(&str, &str, &str)] = &[
        (
            "SUPABASE_SECRET_KEY",
            "sb_publishable_x",
            "not a secret key: it starts with `sb_` but not with `sb_secret_`",
        ),
        (
            "SUPABASE_SERVICE_ROLE_KEY",
            ANON,
            "a JWT, but not of the role service_role",
        ),
        (
            "SUPABASE_SERVICE_ROLE_KEY",
            "nonsense",
            "neither `sb_secret_…` nor a JWT",
        ),
        (
            "SUPABASE_URL",
            "http://ref.supabase.co",
            "plain http is accepted for loopback hosts only",
        ),
        ("SUPABASE_URL", "ref.supabase.co", "not a URL"),
        (
            "NEXT_PUBLIC_APP_URL",
            "ftp://wine.example",
            "neither https nor http",
        ),
        ("CRON_SECRET", "short", "shorter than 16 characters"),
        ("METRICS_TOKEN", "short", "shorter than 16 characters"),
        (
            "MONITORING_API_KEY",
            "fifteen-letters",
            "shorter than 16 characters",
        ),
        (
            "OPENAI_API_KEY",
            "sk-with blank",
            "contains blanks or non-ASCII characters",
        ),
        ("RESEND_FROM_EMAIL", "nobody", "not an email address"),
        ("ADMIN_EMAIL", "a@b.example, broken", "not an email address"),
        ("SENTRY_DSN", "https://sentry.example", "not a Sentry DSN"),
        (
            "VERCEL_ENV",
            "staging",
            "neither production, preview nor development",
        ),
    ];
    for (variable, value, reason) in cases {
        let found = fault(&[(variable, value)]);
        assert_eq!(
            found,
            format!("{variable}: Invalid({reason:?})"),
            "{variable}={value}"
        );
    }
}

#[test]
fn all_faults_are_reported_together() {
    let found = fault(&[
        ("CRON_SECRET", "x"),
        ("NEXT_PUBLIC_APP_URL", "x"),
        ("SENTRY_DSN", "x"),
    ]);
    assert_eq!(found.matches("Invalid").count(), 3, "{found}");
}

#[test]
fn plain_http_is_for_loopback_hosts_only() {
    for url in [
        "http://localhost:3000",
        "http://127.0.0.1:1",
        "http://[::1]:1",
        "http://app.localhost",
    ] {
        assert!(
            config(&[("NEXT_PUBLIC_APP_URL", url)]).app_url.is_some(),
            "{url}"
        );
    }
    for url in [
        "http://wine.example",
        "http://localhost.example",
        "http://10.0.0.1",
    ] {
        assert!(
            config(&[("NEXT_PUBLIC_APP_URL", url)]).app_url.is_none(),
            "{url}"
        );
    }
}

#[test]
fn an_unconfigured_optional_service_is_no_fault() {
    let config = config(&[
        ("SUPABASE_URL", "https://r.supabase.co"),
        ("SUPABASE_SECRET_KEY", "sb_secret_x"),
    ]);
    assert!(config.is_valid());
    assert_eq!(config.faults, []);
    assert!(config.openai.is_none() && config.channels.list().is_empty());
}

#[test]
fn email_needs_a_service_a_sender_and_a_recipient() {
    let all = [
        ("RESEND_API_KEY", "re_x"),
        ("RESEND_FROM_EMAIL", "Pourtrait <ops@wine.example>"),
        ("ADMIN_EMAIL", "a@wine.example, b@wine.example"),
    ];
    assert_eq!(channels(&all).0, ["email"]);
    for left_out in 0..all.len() {
        let mut some = all.to_vec();
        some.remove(left_out);
        assert_eq!(channels(&some).0, [""; 0], "without {}", all[left_out].0);
    }
}

#[test]
fn a_backup_identity_in_the_environment_is_a_warning() {
    let found = config(&[("BACKUP_IDENTITY", "AGE-SECRET-KEY-1XYZ")]).faults;
    let warning = found
        .iter()
        .find(|fault| fault.variable == "BACKUP_IDENTITY")
        .unwrap();
    assert!(matches!(warning.kind, FaultKind::Warning(_)));
}

#[test]
fn a_key_for_drills_is_taken_with_a_warning_and_a_wrong_one_leaves_backups_on() {
    let backups = [
        (
            "DATABASE_URL",
            "postgresql://postgres:x@127.0.0.1:5432/postgres",
        ),
        ("BACKUP_URL", "file:///backups"),
        ("BACKUP_RECIPIENTS", "age1xyz"),
        (
            "BACKUP_SECRET",
            "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff",
        ),
    ];
    for (key, is_taken) in [("AGE-SECRET-KEY-1XYZ", true), ("age1xyz", false)] {
        let found = config(&[&backups[..], &[("BACKUP_DRILL_IDENTITY", key)]].concat());
        let of_key = |fault: &&Fault| fault.variable == "BACKUP_DRILL_IDENTITY";
        let fault = found.faults.iter().find(of_key).unwrap();
        assert_eq!(
            matches!(fault.kind, FaultKind::Warning(_)),
            is_taken,
            "{key}"
        );
        assert_eq!(found.backup.unwrap().drill.is_some(), is_taken, "{key}");
    }
}

#[test]
fn vercels_marks_count_before_lambdas() {
    let lambda = ("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:9001");
    assert_eq!(config(&[lambda]).platform, Platform::Lambda);
    assert_eq!(
        config(&[lambda, ("VERCEL", "1")]).platform,
        Platform::Vercel
    );
    assert_eq!(
        config(&[lambda, ("VERCEL_IPC_PATH", "/tmp/x")]).platform,
        Platform::Vercel
    );
    assert_eq!(config(&[]).platform, Platform::Vercel);
}

const KEY: &str = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";

/// The channels that those variables open, and what is wrong with them.
fn channels(variables: &[(&str, &str)]) -> (Vec<&'static str>, Vec<&'static str>) {
    let config = config(variables);
    let faults = config.faults.iter().map(|fault| fault.variable);
    let faults = faults.filter(|name| !name.contains("SUPABASE")).collect();
    let channels = config.channels.list().into_iter().map(Channel::as_str);
    (channels.collect(), faults)
}

#[test]
fn a_channel_that_lacks_a_part_is_closed_and_the_part_is_named() {
    let discord = (
        "DISCORD_WEBHOOK_URL",
        "https://discord.com/api/webhooks/1/x",
    );
    let url = ("ALERT_WEBHOOK_URL", "https://pager.example/alerts");
    let secret = ("ALERT_WEBHOOK_SECRET", KEY);
    let webhook = ("SLACK_WEBHOOK_URL", "https://hooks.slack.com/services/x");
    let token = ("SLACK_BOT_TOKEN", "xoxb-1");
    let channel = ("SLACK_CHANNEL_ID", "C0123ABCD");
    for (variables, expected, faults) in [
        (vec![discord], vec!["discord"], vec![]),
        (vec![url, secret], vec!["webhook"], vec![]),
        (vec![url], vec![], vec!["ALERT_WEBHOOK_SECRET"]),
        (vec![secret], vec![], vec!["ALERT_WEBHOOK_URL"]),
        (vec![token, channel], vec!["slack"], vec![]),
        (vec![token], vec![], vec!["SLACK_CHANNEL_ID"]),
        (
            vec![webhook, token],
            vec!["slack"],
            vec!["SLACK_CHANNEL_ID"],
        ),
        (vec![channel], vec![], vec!["SLACK_BOT_TOKEN"]),
        (
            vec![webhook, discord, url, secret],
            vec!["slack", "discord", "webhook"],
            vec![],
        ),
    ] {
        assert_eq!(channels(&variables), (expected, faults), "{variables:?}");
    }
}

#[test]
fn a_part_of_a_channel_that_is_of_no_use_closes_it() {
    let url = ("ALERT_WEBHOOK_URL", "https://pager.example/alerts");
    let token = ("SLACK_BOT_TOKEN", "xoxb-1");
    for variables in [
        [url, ("ALERT_WEBHOOK_SECRET", "not base64!")],
        [url, ("ALERT_WEBHOOK_SECRET", "c2hvcnQ=")],
        [token, ("SLACK_CHANNEL_ID", "#alerts")],
        [token, ("SLACK_CHANNEL_ID", "C0123abcd")],
    ] {
        assert_eq!(channels(&variables), (vec![], vec![variables[1].0]));
    }
    for name in ["DISCORD_WEBHOOK_URL", "SLACK_WEBHOOK_URL"] {
        let plain = [(name, "http://elsewhere.example/x")];
        assert_eq!(channels(&plain), (vec![], vec![name]));
    }
    let plain = [
        ("ALERT_WEBHOOK_URL", "http://elsewhere.example/x"),
        ("ALERT_WEBHOOK_SECRET", KEY),
    ];
    assert_eq!(channels(&plain), (vec![], vec!["ALERT_WEBHOOK_URL"]));
}

#[test]
fn no_secret_shows_in_debug_output() {
    let secret = "sb_secret_visible-would-be-bad";
    let text = format!(
        "{:?}",
        config(&[
            ("SUPABASE_URL", "https://r.supabase.co"),
            ("SUPABASE_SECRET_KEY", secret),
            ("CRON_SECRET", secret),
            ("METRICS_TOKEN", secret),
            ("RESEND_API_KEY", secret),
            (
                "SLACK_WEBHOOK_URL",
                "https://hooks.slack.com/services/visible-would-be-bad"
            ),
            ("SLACK_BOT_TOKEN", "xoxb-visible-would-be-bad"),
            ("SLACK_CHANNEL_ID", "C0123ABCD"),
            (
                "DISCORD_WEBHOOK_URL",
                "https://discord.com/api/webhooks/1/visible-would-be-bad"
            ),
            (
                "ALERT_WEBHOOK_URL",
                "https://pager.example/visible-would-be-bad"
            ),
            ("ALERT_WEBHOOK_SECRET", KEY),
        ])
    );
    assert!(!text.contains("visible-would-be-bad"), "{text}");
}

#[test]
fn every_variable_that_is_read_is_documented() {
    let read = std::cell::RefCell::new(Vec::new());
    let _ = Config::from_lookup(&|name| {
        read.borrow_mut().push(name.to_owned());
        None
    });
    // What only the platform or the operator's command reads.
    let elsewhere = [
        "VERCEL_IPC_PATH",
        "VERCEL",
        "AWS_LAMBDA_RUNTIME_API",
        "BACKUP_IDENTITY",
    ];
    for name in read.into_inner() {
        let documented = variables::all().any(|variable| variable.name == name);
        assert!(documented || elsewhere.contains(&name.as_str()), "{name}");
    }
}
