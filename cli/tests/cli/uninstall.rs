//! `uninstall` against a real server: everything of ours goes, everything else stays.

use std::collections::{BTreeMap, BTreeSet};

use local_supabase::postgres::TestDatabase;
use tokio_postgres::Client;

use crate::support::call_with;

/// The application's tables, which stay as they were made.
const OF_THE_APP: [&str; 9] = [
    "analytics_events",
    "performance_metrics",
    "error_logs",
    "business_metrics",
    "alerts",
    "system_health",
    "user_sessions",
    "feature_usage",
    "api_usage_metrics",
];

/// All that a database holds, a line each.
async fn catalogs(client: &Client) -> BTreeSet<String> {
    let rows = client.query(include_str!("catalogs.sql"), &[]).await;
    rows.unwrap().iter().map(|row| row.get(0)).collect()
}

/// What stands in for the extensions.
const EXTENSIONS: &str = r"
create schema cron;
create schema if not exists vault;
create table cron.job (jobid bigint generated always as identity, jobname text, schedule text, command text);
create function cron.unschedule(job_name text) returns boolean language sql
    as 'delete from cron.job where jobname = job_name returning true';
create table vault.secrets (id uuid default gen_random_uuid(), name text);
grant usage on schema cron, vault to postgres;
grant all on all tables in schema cron, vault to postgres;
";

/// A job and a secret of ours, and of somebody else, and a row of the application's.
const ROWS: &str = r"
insert into cron.job (jobname) values ('pourtrait_monitor'), ('theirs');
insert into vault.secrets (name) values ('pourtrait_cron_secret'), ('theirs');
insert into public.analytics_events (event_name) values ('tasting');
";

async fn names(client: &Client, sql: &str) -> Vec<String> {
    let rows = client.query(sql, &[]).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

/// The log is written before anything goes, and is proven without the database.
async fn it_leaves_with_its_log(env: &BTreeMap<String, String>, client: &Client) {
    let folder = std::env::temp_dir().join(format!("uninstall-{}", uuid::Uuid::new_v4()));
    std::fs::create_dir(&folder).unwrap();
    let file = folder.join("log.jsonl").display().to_string();
    std::fs::write(&file, "taken").unwrap();
    let yes = ["uninstall", "--yes", "--audit-log", &file, "--json"];
    let taken = call_with(env, &yes).await;
    assert_eq!(taken.status, 2, "{taken:?}");
    let still: bool = client
        .query_one("select to_regclass('ops.audit') is not null", &[])
        .await
        .unwrap()
        .get(0);
    assert!(still, "what cannot be written is not removed");
    std::fs::remove_file(&file).unwrap();
    let removed = call_with(env, &yes).await;
    assert_eq!(removed.status, 0, "{removed:?}");
    assert_eq!(removed.json()["removed"], true);
    let log = &removed.json()["auditLog"];
    assert_eq!(log["rows"], 2, "{log}");
    assert_eq!(log["anchored"], false, "nobody answers there: {log}");
    let without_store = BTreeMap::from([("POURTRAIT_USER".to_owned(), "ben".to_owned())]);
    let proven = call_with(&without_store, &["audit", "verify", "--file", &file]).await;
    assert_eq!(proven.status, 0, "{proven:?}");
    assert!(
        proven
            .stdout
            .contains("the log of 2 rows is as it was written"),
        "{proven:?}"
    );
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("anna", "otto")).unwrap();
    let changed = call_with(&without_store, &["audit", "verify", "--file", &file]).await;
    assert_eq!(changed.status, 1, "{changed:?}");
    std::fs::remove_dir_all(&folder).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn all_of_ours_goes_and_the_catalogs_are_as_before() {
    let database = TestDatabase::empty().await.unwrap();
    let cluster = database.cluster().await.unwrap();
    let client = cluster.connect_admin(database.name()).await.unwrap();
    client.batch_execute(EXTENSIONS).await.unwrap();
    let env = BTreeMap::from([
        (
            "DATABASE_URL".to_owned(),
            cluster.postgres_url(database.name()),
        ),
        (
            "DATABASE_CA".to_owned(),
            cluster.ca_pem_path().display().to_string(),
        ),
        ("BACKUP_URL".to_owned(), "s3://copies/wine".to_owned()),
    ]);
    let before = catalogs(&client).await;
    let none = call_with(&env, &["uninstall", "--yes"]).await;
    assert_eq!(none.status, 0, "{none:?}");

    let migrated = call_with(&env, &["migrate"]).await;
    assert_eq!(migrated.status, 0, "{migrated:?}");
    client.batch_execute(ROWS).await.unwrap();
    for subject in ["x", "y"] {
        let write = format!("select ops.write_audit('key.added', 'anna', '{subject}', null)");
        client.batch_execute(&write).await.unwrap();
    }
    let shown = call_with(&env, &["uninstall"]).await;
    assert_eq!(shown.status, 0, "{shown:?}");
    for text in [
        "schedules of pg_cron",
        "secrets in Vault",
        "triggers on the application's tables",
        "backups (s3://copies/wine)",
        "nothing was removed: say --yes",
    ] {
        assert!(shown.stdout.contains(text), "{text}: {shown:?}");
    }
    let current = call_with(&env, &["migrate", "status", "--json"]).await;
    assert_eq!(current.json()["current"], true, "{current:?}");

    client
        .batch_execute("create view public.theirs as select job from ops.jobs")
        .await
        .unwrap();
    let refused = call_with(&env, &["uninstall", "--yes"]).await;
    assert_eq!(refused.status, 1, "{refused:?}");
    assert!(refused.stderr.contains("view theirs"), "{refused:?}");
    client
        .batch_execute("drop view public.theirs")
        .await
        .unwrap();

    it_leaves_with_its_log(&env, &client).await;
    let after = catalogs(&client).await;
    let of_the_app = |line: &String| {
        let tables = OF_THE_APP.iter();
        tables
            .map(|table| format!("public.{table}"))
            .any(|table| line.contains(&table))
    };
    let changed: Vec<&String> = before
        .symmetric_difference(&after)
        .filter(|line| !of_the_app(line))
        .collect();
    assert_eq!(changed, [""; 0], "outside of the application's tables");
    let triggers: Vec<_> = after
        .iter()
        .filter(|line| line.starts_with("trigger"))
        .collect();
    assert!(
        triggers.iter().all(|line| !line.contains("ops.")),
        "{triggers:?}"
    );
    assert_eq!(
        names(&client, "select event_name from public.analytics_events").await,
        ["tasting"]
    );
    assert_eq!(
        names(&client, "select jobname from cron.job").await,
        ["theirs"]
    );
    assert_eq!(
        names(&client, "select name from vault.secrets").await,
        ["theirs"]
    );

    // It comes back as it was, and goes again without a trace, the application's tables too.
    assert_eq!(call_with(&env, &["migrate"]).await.status, 0);
    let current = call_with(&env, &["migrate", "status", "--json"]).await;
    assert_eq!(current.json()["current"], true, "{current:?}");
    assert_eq!(call_with(&env, &["uninstall", "--yes"]).await.status, 0);
    let again = catalogs(&client).await;
    let changed: Vec<_> = after.symmetric_difference(&again).collect();
    assert_eq!(changed, [""; 0]);
}
