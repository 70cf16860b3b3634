//! `backup drill`: a backup is tried, the project hears of it, and somebody is told
//! what is wrong.

use std::{collections::BTreeMap, process::Stdio};

use dev::{DevOptions, Running};
use http::Method;
use local_supabase::postgres::TestDatabase;
use serde_json::{Value, json};

use crate::{
    backup::{ORDERS, run, with_identity},
    support::{Called, Folder, bundle, call_with, command, send},
};

/// The server's own database, beside which a drill makes another.
async fn server(database: &TestDatabase) -> String {
    let cluster = database.cluster().await.unwrap();
    cluster.postgres_url("postgres")
}

async fn scratch_databases(database: &TestDatabase) -> Vec<String> {
    let cluster = database.cluster().await.unwrap();
    let session = cluster.connect_admin("postgres").await.unwrap();
    let names = "select datname from pg_database where datname like 'pourtrait_drill_%' order by 1";
    let rows = session.query(names, &[]).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

async fn back_up(env: &BTreeMap<String, String>) {
    let taken = call_with(env, &["backup", "run"]).await;
    assert_eq!(taken.status, 0, "{taken:?}");
}

/// One tick of monitoring, delivered.
async fn tick(running: &Running) -> Value {
    let ticked = send(
        running,
        Method::GET,
        "/api/cron/monitor",
        Some("MONITORING_API_KEY"),
    )
    .await;
    ticked.json()
}

async fn inbox(running: &Running) -> String {
    send(running, Method::GET, "/_local/inbox", None)
        .await
        .json()
        .to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drill_proves_a_backup_and_leaves_nothing_but_its_receipt() {
    let (running, source) = bundle(DevOptions::default()).await;
    run(&source, ORDERS).await;
    let env = &with_identity(&running);
    back_up(env).await;
    let into = server(&source).await;

    let unnamed = call_with(env, &["backup", "drill"]).await;
    assert_eq!(unnamed.status, 2, "{unnamed:?}");
    let checked = call_with(&running.env, &["check", "--live"]).await;
    assert!(
        checked.stdout.contains("not set up: nobody has tried"),
        "{checked:?}"
    );

    let drill = ["backup", "drill", "--into-server", &into, "--json"];
    let good = call_with(env, &drill).await;
    assert_eq!(good.status, 0, "{good:?}");
    let report = good.json();
    assert_eq!(
        (&report["good"], &report["recorded"], &report["missing"]),
        (&json!(true), &json!(true), &json!([]))
    );
    assert!(report["rows"].as_u64().unwrap() >= 5100, "{report}");
    assert_eq!(report["tables"], report["tablesInBackup"]);
    assert_eq!(report["rtoSeconds"], 14400.0);

    let listed = call_with(env, &["backup", "list", "--json"]).await;
    assert_eq!(
        listed.json()["backups"][0]["drill"]["outcome"],
        "good",
        "{listed:?}"
    );
    let checked = call_with(&running.env, &["check", "--live"]).await;
    assert!(
        checked.stdout.contains("the last one is good"),
        "{checked:?}"
    );
    let path = "/api/monitoring/dashboard?timeRange=1h";
    let dashboard = send(&running, Method::GET, path, Some("MONITORING_API_KEY")).await;
    let drills = &dashboard.json()["data"]["backups"]["drills"];
    assert_eq!(
        (&drills["status"], &drills["last"]["rows"]),
        (&json!("ok"), &report["rows"])
    );
    running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_budget_gives_every_table_its_turn() {
    let (running, source) = bundle(DevOptions::default()).await;
    run(&source, ORDERS).await;
    let env = &with_identity(&running);
    back_up(env).await;
    let into = server(&source).await;
    let drill = [
        "backup",
        "drill",
        "--into-server",
        &into,
        "--budget",
        "1kB",
        "--json",
    ];
    let first = call_with(env, &drill).await;
    assert_eq!(first.status, 0, "{first:?}");
    let tables = first.json()["tables"].as_u64().unwrap();
    let all = first.json()["tablesInBackup"].as_u64().unwrap();
    assert!(0 < tables && tables < all, "{first:?}");
    let whole = [
        "backup",
        "drill",
        "--into-server",
        &into,
        "--budget",
        "1GB",
        "--json",
    ];
    let second = call_with(env, &whole).await;
    assert_eq!(second.json()["tables"].as_u64(), Some(all), "{second:?}");
    running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_drill_left_is_dropped_by_the_next_and_nothing_else() {
    let (running, source) = bundle(DevOptions::default()).await;
    run(&source, ORDERS).await;
    let env = &with_identity(&running);
    back_up(env).await;
    let into = server(&source).await;
    let unique = uuid::Uuid::new_v4().simple().to_string();
    let left = format!("pourtrait_drill_20261101t030000z_{}", &unique[..8]);
    let other = format!("pourtrait_drill_{unique}");
    let cluster = source.cluster().await.unwrap();
    let admin = cluster.connect_postgres("postgres").await.unwrap();
    for name in [&left, &other] {
        admin
            // Other tests are in template1 for moments.
            .batch_execute(&format!("create database {name} template template0"))
            .await
            .unwrap();
    }
    let drill = ["backup", "drill", "--into-server", &into];
    let good = call_with(env, &drill).await;
    assert_eq!(good.status, 0, "{good:?}");
    let stays = scratch_databases(&source).await;
    assert!(
        !stays.contains(&left) && stays.contains(&other),
        "{stays:?}"
    );
    admin
        .batch_execute(&format!("drop database {other}"))
        .await
        .unwrap();
    running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signal_ends_a_drill_and_its_database() {
    let (running, source) = bundle(DevOptions::default()).await;
    run(&source, ORDERS).await;
    run(&source, ENDLESS).await;
    let env = &with_identity(&running);
    back_up(env).await;
    let into = server(&source).await;
    let folder = Folder::empty();
    let variables: Vec<_> = env
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let drill = ["backup", "drill", "--into-server", &into];
    let child = command(folder.path(), &variables, &drill)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let name = at_work_on_endless(&source).await;
    let killed = std::process::Command::new("kill")
        .args(["-TERM", &child.id().to_string()])
        .status()
        .unwrap();
    assert!(killed.success());
    let ended = tokio::task::spawn_blocking(move || child.wait_with_output());
    let ended = Called::from(ended.await.unwrap().unwrap());
    assert_eq!(ended.status, 1, "{ended:?}");
    assert!(
        ended.stderr.contains("ended before it was done"),
        "{ended:?}"
    );
    let stays = scratch_databases(&source).await;
    assert!(!stays.contains(&name), "{name}: {ended:?}");
    let listed = call_with(env, &["backup", "list", "--json"]).await;
    assert_eq!(
        listed.json()["backups"][0]["drill"],
        Value::Null,
        "{listed:?}"
    );
    running.stop().await.unwrap();
}

/// The scratch database of the drill that makes that index. Others are at work on
/// the same server.
async fn at_work_on_endless(database: &TestDatabase) -> String {
    const SESSION: &str = "select datname from pg_stat_activity \
        where datname like 'pourtrait\\_drill\\_%' and query ilike '%index endless on%'";
    let cluster = database.cluster().await.unwrap();
    let session = cluster.connect_admin("postgres").await.unwrap();
    loop {
        let rows = session.query(SESSION, &[]).await.unwrap();
        if let Some(row) = rows.first() {
            return row.get(0);
        }
    }
}

/// A restore in a drill gets no further than this index.
const ENDLESS: &str = "
    create function public.endless(id bigint) returns bigint language plpgsql immutable as $$
    begin
        while current_database() like 'pourtrait\\_drill\\_%' loop
        end loop;
        return id;
    end $$;
    create index endless on public.orders (public.endless(id));
";

/// Everything about the backup is in order, and its index cannot be made: the
/// function that it rests on answers otherwise in a database of another name.
const UNRESTORABLE: &str = "
    create function public.here(id bigint) returns bigint language plpgsql immutable as $$
    begin
        if current_database() like 'pourtrait\\_drill\\_%' then
            raise exception 'not here';
        end if;
        return id;
    end $$;
    create index unrestorable on public.orders (public.here(id));
";

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_that_was_made_unrestorable_is_found_told_and_accepted() {
    let (running, source) = bundle(DevOptions::default()).await;
    run(&source, ORDERS).await;
    run(&source, UNRESTORABLE).await;
    let env = &with_identity(&running);
    back_up(env).await;
    tick(&running).await;
    send(&running, Method::DELETE, "/_local/inbox", None).await;

    let into = server(&source).await;
    let drill = ["backup", "drill", "--into-server", &into];
    let bad = call_with(env, &drill).await;
    assert_eq!(bad.status, 1, "{bad:?}");
    assert!(bad.stdout.starts_with("BAD: "), "{bad:?}");
    let missing = "index public.unrestorable";
    assert!(
        bad.stdout
            .contains(&format!("missing: {missing}: not here")),
        "{bad:?}"
    );
    let listed = call_with(env, &["backup", "list"]).await;
    assert!(listed.stdout.contains("RESTORED IN PART"), "{listed:?}");

    tick(&running).await;
    let told = inbox(&running).await;
    for text in [
        "A backup was not restored as it should be in a drill",
        missing,
    ] {
        assert!(told.contains(text), "{told}");
    }
    send(&running, Method::DELETE, "/_local/inbox", None).await;

    let accepted = format!(r#"["{missing}"]"#);
    let set = ["settings", "set", "backup.accepted", &accepted];
    assert_eq!(call_with(env, &set).await.status, 0);
    tick(&running).await;
    let told = inbox(&running).await;
    assert!(
        told.contains("The last drill of the backups is good"),
        "{told}"
    );
    let good = call_with(env, &drill).await;
    assert_eq!(good.status, 0, "{good:?}");
    assert!(
        good.stdout
            .contains(&format!("accepted: {missing}: not here")),
        "{good:?}"
    );

    // What is no longer accepted is an alert again, until the reason is gone.
    let set = ["settings", "set", "backup.accepted", "[]"];
    assert_eq!(call_with(env, &set).await.status, 0);
    assert_eq!(call_with(env, &drill).await.status, 1);
    run(&source, "drop index public.unrestorable").await;
    back_up(env).await;
    let good = call_with(env, &drill).await;
    assert_eq!(good.status, 0, "{good:?}");
    running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_that_cannot_be_opened_is_a_bad_drill() {
    let (running, source) = bundle(DevOptions::default()).await;
    run(&source, ORDERS).await;
    let mut env = with_identity(&running);
    back_up(&env).await;
    let into = server(&source).await;
    let folder = Folder::empty();
    let made = crate::support::call(folder.path(), &[], &["backup", "keygen", "--json"]);
    let other = made.json()["identity"].as_str().unwrap().to_owned();
    env.remove("BACKUP_IDENTITY_FILE");
    env.insert("BACKUP_IDENTITY".to_owned(), other);
    let drill = ["backup", "drill", "--into-server", &into, "--json"];
    let bad = call_with(&env, &drill).await;
    assert_eq!(bad.status, 1, "{bad:?}");
    let report = bad.json();
    assert_eq!(
        (&report["good"], &report["recorded"]),
        (&json!(false), &json!(true))
    );
    let reason = report["reason"].as_str().unwrap();
    assert!(reason.contains("identities"), "{reason}");
    running.stop().await.unwrap();
}

/// Made of functions in C, so that no statement of ours could make it again.
const BASE_TYPE: &str = "
    create type public.odd;
    create function public.odd_in(cstring) returns public.odd language internal immutable strict as 'int4in';
    create function public.odd_out(public.odd) returns cstring language internal immutable strict as 'int4out';
    create type public.odd (input = public.odd_in, output = public.odd_out, like = integer);
";

#[tokio::test(flavor = "multi_thread")]
async fn what_a_backup_cannot_hold_is_told_by_its_name_until_it_is_accepted() {
    let (running, source) = bundle(DevOptions::default()).await;
    run(&source, ORDERS).await;
    let admin = source.cluster().await.unwrap().connect_admin(source.name());
    admin.await.unwrap().batch_execute(BASE_TYPE).await.unwrap();
    let env = &with_identity(&running);
    let taken = call_with(env, &["backup", "run", "--json"]).await;
    assert_eq!(taken.status, 0, "{taken:?}");
    let gaps = taken.json()["backup"]["gaps"].clone();
    let names: Vec<_> = gaps
        .as_array()
        .unwrap()
        .iter()
        .map(|gap| &gap["what"])
        .collect();
    assert!(names.contains(&&json!("base type public.odd")), "{gaps}");

    tick(&running).await;
    let told = inbox(&running).await;
    let headline = "The newest backup leaves out base type public.odd";
    assert!(told.contains(headline), "{told}");
    let set = [
        "settings",
        "set",
        "backup.accepted",
        &json!(names).to_string(),
    ];
    assert_eq!(call_with(env, &set).await.status, 0);
    tick(&running).await;
    let told = inbox(&running).await;
    let accepted = "It is accepted that backups leave out base type public.odd";
    assert!(told.contains(accepted), "{told}");
    let shown = call_with(env, &["backup", "show"]).await;
    assert!(shown.stdout.contains("(accepted)"), "{shown:?}");
    running.stop().await.unwrap();
}
