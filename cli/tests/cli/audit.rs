//! `audit` against a running bundle: what was done is shown, proven by what backups saw, and
//! found where somebody changed it; a restored database goes on with it.

use std::collections::BTreeMap;

use dev::DevOptions;
use local_supabase::postgres::TestDatabase;
use serde_json::Value;

use crate::{
    backup::with_identity,
    support::{Folder, bundle, call_with},
};

/// The reports, and the log as a file.
async fn an_auditor_reads(env: &BTreeMap<String, String>, report: &Value) {
    let call = async |line: &str| {
        let arguments: Vec<_> = line.split(' ').collect();
        call_with(env, &arguments).await
    };
    let security = call("audit security --days 1").await;
    assert_eq!(security.status, 0, "{security:?}");
    for part in [
        "## The audit log\n\nthe log of ",
        "| role.granted | 1 | 0 |",
        "| error_logs | authenticated | select |",
        " were read and begin with age's header, each for ",
        ", those of BACKUP_RECIPIENTS |",
        "Not known: no advisories were handed in",
        "No month was kept yet",
        "| secret variable | age |",
        "NO TLS: there is no TLS at that address",
        " headers are as vercel.json has them",
    ] {
        assert!(security.stdout.contains(part), "{part} in {security:?}");
    }
    let privacy = call("privacy report --days 1").await;
    assert_eq!(privacy.status, 0, "{privacy:?}");
    for part in [
        "| public.analytics_events | 90 days (retention.events_days) | no row |",
        "| access.refused |",
        "the database, at 127.0.0.1",
    ] {
        let is_there = privacy.stdout.contains(part);
        assert_eq!(
            is_there,
            part != "| access.refused |",
            "{part} in {privacy:?}"
        );
    }
    let folder = std::env::temp_dir().join(format!("audit-{}", uuid::Uuid::new_v4()));
    std::fs::create_dir(&folder).unwrap();
    let file = folder.join("log.jsonl").display().to_string();
    let written = call(&format!("audit export --output {file}")).await;
    assert_eq!(written.status, 0, "{written:?}");
    let of_file = call(&format!("audit verify --file {file} --json")).await;
    assert_eq!(of_file.json()["rows"], report["rows"], "{of_file:?}");
    assert_eq!(of_file.json()["anchors"], 1, "{of_file:?}");
    std::fs::remove_dir_all(&folder).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_done_is_proven_by_backups_and_found_where_it_was_changed() {
    let (running, database) = bundle(DevOptions::default()).await;
    let cluster = database.cluster().await.unwrap();
    let admin = cluster.connect_admin(database.name()).await.unwrap();
    let anna = "insert into auth.users (id, email) values (gen_random_uuid(), 'anna@wine.example')";
    admin.batch_execute(anna).await.unwrap();
    let mut env = with_identity(&running);
    env.insert("POURTRAIT_USER".to_owned(), "Ben".to_owned());
    let call = async |line: &str| {
        let arguments: Vec<_> = line.split(' ').collect();
        call_with(&env, &arguments).await
    };
    assert_eq!(call("settings set alert.flap_minutes 90").await.status, 0);
    assert_eq!(call("roles grant viewer anna@wine.example").await.status, 0);

    let listed = call("audit list").await;
    assert_eq!(listed.status, 0, "{listed:?}");
    for (action, details) in [
        ("role.granted", "to viewer, person anna@wine.example"),
        ("setting.changed", "to 90, from 60"),
    ] {
        let line = listed.stdout.lines().find(|line| line.contains(action));
        let line = line.unwrap_or_else(|| panic!("no {action} in {listed:?}"));
        assert!(line.contains("Ben"), "{line}");
        assert!(line.trim_end().ends_with(details), "{line}");
    }
    let refused = call("audit list --action nonsense").await;
    assert_eq!(refused.status, 2, "{refused:?}");

    let unproven = call("audit verify").await;
    assert_eq!(unproven.status, 0, "{unproven:?}");
    assert!(unproven.stdout.contains("no backup in"), "{unproven:?}");
    assert_eq!(call("backup run").await.status, 0);
    assert_eq!(call("settings set alert.flap_minutes 91").await.status, 0);
    let proven = call("audit verify --json").await;
    assert_eq!(proven.status, 0, "{proven:?}");
    let report = proven.json();
    assert_eq!(report["found"], 0, "{report}");
    assert!(report["afterAnchor"].as_u64() >= Some(1), "{report}");
    assert_eq!(report["anchors"], 1, "{report}");

    an_auditor_reads(&env, &report).await;

    let into = TestDatabase::empty().await.unwrap();
    let url = cluster.postgres_url(into.name());
    let restored = call(&format!("backup restore latest --into {url} --yes")).await;
    assert_eq!(restored.status, 0, "{restored:?}");
    let there = cluster.connect_postgres(into.name()).await.unwrap();
    let row = there
        .query_one(
            "select count(*), max(action) filter (where seq = (select max(seq) from ops.audit)) from ops.audit",
            &[],
        )
        .await
        .unwrap();
    let anchored = report["anchored"]["seq"].as_i64().unwrap();
    assert_eq!(row.get::<_, i64>(0), anchored + 1, "and the restore");
    assert_eq!(row.get::<_, String>(1), "database.restored");
    let written = there.batch_execute("delete from ops.audit").await;
    assert!(written.is_err(), "the restored log can be changed");

    admin
        .batch_execute(
            "set session_replication_role = replica;
             update ops.audit set subject = 'user of somebody else' where action = 'role.granted'",
        )
        .await
        .unwrap();
    let found = call("audit verify").await;
    assert_eq!(found.status, 1, "{found:?}");
    assert!(found.stdout.contains(" was changed\n"), "{found:?}");
    assert!(
        found.stdout.contains("is NOT as it was written"),
        "{found:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_leaves_its_database_is_proven_by_its_anchor() {
    let (running, _database) = bundle(DevOptions::default()).await;
    let env = with_identity(&running);
    let call = async |line: &str| {
        let arguments: Vec<_> = line.split(' ').collect();
        call_with(&env, &arguments).await
    };
    assert_eq!(call("settings set alert.flap_minutes 90").await.status, 0);
    let folder = Folder::empty();
    let file = folder.path().join("log.jsonl").display().to_string();
    let gone = call(&format!("uninstall --yes --audit-log {file}")).await;
    assert_eq!(gone.status, 0, "{gone:?}");
    assert!(gone.stdout.contains("its end is anchored in "), "{gone:?}");
    let proven = call(&format!("audit verify --file {file} --json")).await;
    assert_eq!(proven.status, 0, "{proven:?}");
    let report = proven.json();
    assert_eq!(report["anchored"]["seq"], report["rows"], "{report}");
    assert_eq!(report["afterAnchor"], 0, "{report}");
    // What was cut from the end of the file is found by what lies in the store.
    let text = std::fs::read_to_string(&file).unwrap();
    let lines: Vec<_> = text.lines().collect();
    let shorter = lines[..lines.len() - 1].join("\n");
    std::fs::write(&file, shorter).unwrap();
    let cut = call(&format!("audit verify --file {file}")).await;
    assert_eq!(cut.status, 1, "{cut:?}");
    assert!(cut.stdout.contains("the log ends before row "), "{cut:?}");
}
