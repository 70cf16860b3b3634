//! `backup`: from new keys to a restored database.

use std::{collections::BTreeMap, path::Path, process::Stdio};

use dev::{DevOptions, Running};
use http::Method;
use local_supabase::postgres::TestDatabase;
use ops::endpoint::Endpoint;
use serde_json::json;

use crate::support::{Folder, bundle, call, call_with, command, send};

async fn url(database: &TestDatabase) -> String {
    let cluster = database.cluster().await.unwrap();
    cluster.postgres_url(database.name())
}

pub(crate) async fn run(database: &TestDatabase, sql: &str) {
    let cluster = database.cluster().await.unwrap();
    let session = cluster.connect_postgres(database.name()).await.unwrap();
    session.batch_execute(sql).await.unwrap();
}

async fn count(database: &TestDatabase, table: &str) -> i64 {
    let cluster = database.cluster().await.unwrap();
    let session = cluster.connect_postgres(database.name()).await.unwrap();
    let count = format!("select count(*) from {table}");
    session.query_one(&count, &[]).await.unwrap().get(0)
}

/// What an operator has beside the functions' variables.
pub(crate) fn with_identity(running: &Running) -> BTreeMap<String, String> {
    let mut variables = running.env.clone();
    let store = variables["BACKUP_URL"].strip_prefix("file://").unwrap();
    let identity = Path::new(store).with_file_name("backup-identity.txt");
    let identity = identity.to_str().unwrap().to_owned();
    variables.insert("BACKUP_IDENTITY_FILE".to_owned(), identity);
    variables
}

pub(crate) const ORDERS: &str = "
    create table public.customers (id bigint primary key, name text);
    create table public.orders (id bigint primary key, customer bigint references public.customers);
    insert into public.customers select n, 'customer ' || n from generate_series(1, 100) n;
    insert into public.orders select n, n % 100 + 1 from generate_series(1, 5000) n;
";

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_is_taken_shown_checked_and_restored() {
    let (running, source) = bundle(DevOptions::default()).await;
    run(&source, ORDERS).await;
    let env = &with_identity(&running);

    let none = call_with(env, &["backup", "list"]).await;
    assert_eq!(
        (none.status, none.stdout.as_str()),
        (0, "there is no backup\n")
    );

    let taken = call_with(env, &["backup", "run", "--json"]).await;
    assert_eq!(taken.status, 0, "{taken:?}");
    assert!(taken.stderr.starts_with("source: 127.0.0.1"), "{taken:?}");
    let name = taken.json()["backup"]["snapshot"]
        .as_str()
        .unwrap()
        .to_owned();

    let listed = call_with(env, &["backup", "list"]).await;
    assert_eq!(listed.status, 0, "{listed:?}");
    assert!(
        listed.stdout.lines().nth(1).unwrap().starts_with(&name),
        "{listed:?}"
    );

    let sealed = call_with(&running.env, &["backup", "show"]).await;
    assert_eq!(sealed.status, 0, "{sealed:?}");
    assert!(sealed.stdout.contains("With --identity FILE"), "{sealed:?}");
    let shown = call_with(env, &["backup", "show"]).await;
    assert_eq!(shown.status, 0, "{shown:?}");
    let line = shown
        .stdout
        .lines()
        .find(|line| line.starts_with("public.orders "))
        .unwrap();
    assert_eq!(line.split_whitespace().nth(1), Some("5,000"), "{line}");
    assert!(shown.stdout.contains("Not covered:\n"), "{shown:?}");
    assert!(!shown.stdout.contains("GAPS"), "{shown:?}");
    let as_json = call_with(env, &["backup", "show", "--json"]).await.json();
    for told in [
        &as_json["notCovered"],
        &taken.json()["backup"]["notCovered"],
    ] {
        assert!(!told.as_array().unwrap().is_empty(), "{told}");
    }
    assert_eq!(as_json["gaps"], taken.json()["backup"]["gaps"]);

    for level in ["1", "2"] {
        let whole = call_with(env, &["backup", "verify", &name, "--level", level]).await;
        assert_eq!(whole.status, 0, "{whole:?}");
        assert!(
            whole.stdout.starts_with(&format!("{name} is whole: ")),
            "{whole:?}"
        );
    }

    let target = TestDatabase::empty().await.unwrap();
    let into = url(&target).await;
    let asked = call_with(env, &["backup", "restore", "--into", &into]).await;
    assert_eq!(asked.status, 2, "{asked:?}");
    for text in [
        "target: 127.0.0.1\n",
        &format!("backup: {name}, taken "),
        "say --yes",
    ] {
        assert!(asked.stderr.contains(text), "{asked:?}");
    }
    assert_eq!(
        count(&target, "pg_tables where schemaname = 'public'").await,
        0
    );

    let restored = call_with(
        env,
        &["backup", "restore", "--into", &into, "--yes", "--json"],
    )
    .await;
    assert_eq!(restored.status, 0, "{restored:?}");
    let result = restored.json();
    assert_eq!(
        (&result["backup"], &result["equal"]),
        (&json!(name), &json!(true))
    );
    assert_eq!(result["afterRestore"]["outcome"], "recorded");
    assert_eq!(count(&target, "public.orders").await, 5000);

    let again = call_with(env, &["backup", "restore", "--into", &into, "--yes"]).await;
    assert_eq!(again.status, 1, "{again:?}");
    assert!(
        again
            .stderr
            .contains("nothing was changed: the target is not empty"),
        "{again:?}"
    );
    running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_place_is_no_repository_before_it_is_asked_for() {
    let (running, _source) = bundle(DevOptions::default()).await;
    let mut env = with_identity(&running);
    let folder = Folder::empty();
    let place = folder.path().join("not/there");
    let place = place.to_str().unwrap();
    env.insert("BACKUP_URL".to_owned(), format!("file://{place}"));

    let missing = call_with(&env, &["backup", "run"]).await;
    assert_eq!(missing.status, 1, "{missing:?}");
    let told = format!("there is no new backup: there is no folder {place}\n");
    assert_eq!(missing.stdout, told);
    std::fs::create_dir_all(place).unwrap();
    let empty = call_with(&env, &["backup", "run"]).await;
    assert_eq!(empty.status, 1, "{empty:?}");
    let told = format!("there is no repository in {place}; `backup init` makes one");
    assert!(empty.stdout.contains(&told), "{empty:?}");

    let made = call_with(&env, &["backup", "init"]).await;
    let told = format!("made a repository in {place}: the first backup can go there\n");
    assert_eq!((made.status, made.stdout), (0, told));
    assert_eq!(call_with(&env, &["backup", "run"]).await.status, 0);
    let kept = call_with(&env, &["backup", "init", "--json"]).await;
    assert_eq!((kept.status, &kept.json()["made"]), (0, &json!(false)));

    // The records are gone, and the database knows of a backup.
    std::fs::remove_dir_all(format!("{place}/v1/snap")).unwrap();
    let vanished = call_with(&env, &["backup", "run"]).await;
    assert_eq!(vanished.status, 1, "{vanished:?}");
    assert!(
        vanished
            .stdout
            .contains(&format!("there is no backup in {place}, though ")),
        "{vanished:?}"
    );
    assert_eq!(call_with(&env, &["backup", "init"]).await.status, 0);
    assert_eq!(call_with(&env, &["backup", "run"]).await.status, 0);
    running.stop().await.unwrap();
}

/// Whoever comes second is told who is at work, as after a kill.
#[tokio::test(flavor = "multi_thread")]
async fn a_lease_that_is_held_is_told_with_its_holder() {
    let (running, source) = bundle(DevOptions::default()).await;
    let cluster = source.cluster().await.unwrap();
    let session = cluster.connect_admin(source.name()).await.unwrap();
    session
        .batch_execute(
            "select public.ops_claim_run('00000000-0000-0000-0000-00000000000a', 'backup', 1800, 90, true)",
        )
        .await
        .unwrap();
    let second = call_with(&running.env, &["backup", "run"]).await;
    assert_eq!(second.status, 1, "{second:?}");
    let held = "nothing was done: busy: run 00000000-0000-0000-0000-00000000000a, asked for by hand, has held the job since 20";
    assert!(second.stdout.starts_with(held), "{second:?}");
    assert!(second.stdout.contains("; it is free at 20"), "{second:?}");
    running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn chosen_tables_and_a_script_are_ways_back_as_well() {
    let (running, source) = bundle(DevOptions::default()).await;
    run(&source, ORDERS).await;
    let env = &with_identity(&running);
    assert_eq!(call_with(env, &["backup", "run"]).await.status, 0);

    let target = TestDatabase::empty().await.unwrap();
    let into = url(&target).await;
    let restore = ["backup", "restore", "--yes", "--jobs", "1", "--into", &into];
    let chosen = call_with(env, &[&restore[..], &["--table", "public.orders"]].concat()).await;
    assert_eq!(chosen.status, 0, "{chosen:?}");
    assert!(
        chosen.stderr.contains("orders_customer_fkey was left out"),
        "{chosen:?}"
    );
    assert_eq!(count(&target, "public.orders").await, 5000);
    let customers = "pg_tables where tablename = 'customers'";
    assert_eq!(count(&target, customers).await, 0);

    let folder = Folder::empty();
    let file = folder.path().join("backup.sql");
    let path = file.to_str().unwrap();
    let export = ["backup", "export", "--format", "sql"];
    let written = call_with(env, &[&export[..], &["--output", path]].concat()).await;
    assert_eq!(written.status, 0, "{written:?}");
    let printed = call_with(env, &export).await;
    assert_eq!(printed.stdout, std::fs::read_to_string(&file).unwrap());
    assert_private(&file);
    let cluster = target.cluster().await.unwrap();
    let fresh = TestDatabase::empty().await.unwrap();
    let psql = std::process::Command::new(cluster.program("psql").unwrap())
        .args(["-X", "-f", path])
        .arg(url(&fresh).await)
        .output()
        .unwrap();
    assert!(psql.status.success(), "{psql:?}");
    assert_eq!(count(&fresh, "public.customers").await, 100);
    let orders = [&export[..], &["--table", "public.orders", "--no-owner"]].concat();
    let orders = call_with(env, &orders).await;
    assert_eq!(orders.status, 0, "{orders:?}");
    let left = "note: foreign key public.orders orders_customer_fkey was left out: it needs table public.customers, which was not chosen\n";
    assert!(orders.stderr.contains(left), "{orders:?}");
    assert!(!orders.stdout.contains("customers_pkey"), "{orders:?}");
    let rows = [&export[..], &["--table", "public.orders", "--data-only"]].concat();
    let rows = call_with(env, &rows).await;
    assert_eq!(rows.status, 0, "{rows:?}");
    assert!(!rows.stdout.contains("create table \"public\""), "{rows:?}");
    let archive = folder.path().join("backup.dir");
    let directory = ["backup", "export", "--format", "directory"];
    let to_archive = [&directory[..], &["--output", archive.to_str().unwrap()]].concat();
    let written = call_with(env, &to_archive).await;
    assert_eq!(written.status, 0, "{written:?}");
    assert_private(&archive.join("toc.dat"));
    let loaded = TestDatabase::empty().await.unwrap();
    let pg_restore = std::process::Command::new(cluster.program("pg_restore").unwrap())
        .args([
            "--table",
            "orders",
            "--jobs",
            "2",
            "--dbname",
            &url(&loaded).await,
        ])
        .arg(&archive)
        .output()
        .unwrap();
    assert!(pg_restore.status.success(), "{pg_restore:?}");
    assert_eq!(count(&loaded, "public.orders").await, 5000);
    let there = call_with(env, &to_archive).await;
    assert_eq!(there.status, 1, "{there:?}");
    assert!(there.stderr.contains("cannot make"), "{there:?}");
    for (options, told) in [
        (&[][..], "required arguments were not provided"),
        (&["--output", "x.dir", "--strict"], "--strict is of scripts"),
    ] {
        let refused = call_with(env, &[&directory[..], options].concat()).await;
        assert_eq!(refused.status, 2, "{refused:?}");
        assert!(refused.stderr.contains(told), "{refused:?}");
    }
    let unknown = [&export[..], &["--table", "public.order"]].concat();
    let unknown = call_with(env, &unknown).await;
    assert_eq!(unknown.status, 2, "{unknown:?}");
    assert!(
        unknown.stderr.contains("no table public.order"),
        "{unknown:?}"
    );
    running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_restore_leaves_a_part_that_the_next_one_refuses() {
    let (running, source) = bundle(DevOptions::default()).await;
    run(&source, ORDERS).await;
    let env = &with_identity(&running);
    assert_eq!(call_with(env, &["backup", "run"]).await.status, 0);
    let target = TestDatabase::empty().await.unwrap();
    let into = url(&target).await;
    let cluster = target.cluster().await.unwrap();
    // Who makes a table of the same name has to wait for the end of this one.
    let first = cluster.connect_postgres(target.name()).await.unwrap();
    let first_table = "begin; create table public.orders (id bigint)";
    first.batch_execute(first_table).await.unwrap();

    let folder = Folder::empty();
    let variables = env.iter();
    let variables: Vec<_> = variables
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let restore = ["backup", "restore", "--into", &into, "--yes"];
    let mut child = command(folder.path(), &variables, &restore)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // A session of its own: within a transaction the server shows one state for good.
    let watching = cluster.connect_postgres(target.name()).await.unwrap();
    let waits = "select count(*) from pg_stat_activity \
        where datname = current_database() and wait_event_type = 'Lock'";
    while watching
        .query_one(waits, &[])
        .await
        .unwrap()
        .get::<_, i64>(0)
        == 0
    {
        assert_eq!(child.try_wait().unwrap(), None);
    }
    drop(watching);
    child.kill().unwrap();
    child.wait().unwrap();
    first.batch_execute("rollback").await.unwrap();

    let again = call_with(env, &restore).await;
    assert_eq!(again.status, 1, "{again:?}");
    for text in [
        "nothing was changed: the target is half restored since 20",
        "what it holds is a part; drop the database and begin again",
    ] {
        assert!(again.stderr.contains(text), "{again:?}");
    }
    running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_were_lost_come_back_into_the_database_that_lives() {
    let (running, source) = bundle(DevOptions::default()).await;
    run(&source, ORDERS).await;
    let env = &with_identity(&running);
    assert_eq!(call_with(env, &["backup", "run"]).await.status, 0);
    run(&source, "delete from public.orders where id <= 3").await;

    let live = ["backup", "restore", "--into-live", "--missing-only"];
    let orders = [&live[..], &["--table", "public.orders"]].concat();
    let asked = call_with(env, &orders).await;
    assert_eq!(asked.status, 2, "{asked:?}");
    for text in ["target: 127.0.0.1", "which lives", "say --dry-run"] {
        assert!(asked.stderr.contains(text), "{asked:?}");
    }
    let looked = call_with(env, &[&orders[..], &["--dry-run"]].concat()).await;
    assert_eq!(looked.status, 0, "{looked:?}");
    assert_eq!(
        looked.stdout,
        "\"public\".\"orders\": 3 of 5,000 rows are missing\n\
         nothing was written: say --yes to bring them back\n"
    );
    assert_eq!(count(&source, "public.orders").await, 4997);
    let brought = call_with(env, &[&orders[..], &["--yes", "--json"]].concat()).await;
    assert_eq!(brought.status, 0, "{brought:?}");
    assert_eq!(
        brought.json()["tables"],
        json!([{
            "table": "\"public\".\"orders\"", "inBackup": 5000, "missing": 3, "inserted": 3,
            "columnsLeft": [], "columnsWithDefaults": [],
        }])
    );
    assert_eq!(count(&source, "public.orders").await, 5000);
    let written = "ops.audit where action = 'rows.restored'";
    assert_eq!(count(&source, written).await, 1, "looking is not written");

    run(
        &source,
        "delete from public.orders where customer = 3 and id < 1000",
    )
    .await;
    let owned = [&live[..], &["--where", "public.customers:id=3"]].concat();
    let looked = call_with(env, &[&owned[..], &["--dry-run"]].concat()).await;
    assert_eq!(
        looked.stdout,
        "\"public\".\"customers\": 0 of 1 rows are missing\n\
         \"public\".\"orders\": 10 of 50 rows are missing\n\
         nothing was written: say --yes to bring them back\n",
        "{looked:?}"
    );
    let brought = call_with(env, &[&owned[..], &["--yes"]].concat()).await;
    assert_eq!(brought.status, 0, "{brought:?}");
    assert_eq!(count(&source, "public.orders").await, 5000);
    let both = [&owned[..], &["--table", "public.orders", "--dry-run"]].concat();
    assert_eq!(call_with(env, &both).await.status, 2);
    assert_eq!(call_with(env, &live).await.status, 2);

    let unknown = [&live[..], &["--table", "public.order", "--dry-run"]].concat();
    let unknown = call_with(env, &unknown).await;
    assert_eq!(unknown.status, 2, "{unknown:?}");
    assert!(
        unknown.stderr.contains("it has public.orders"),
        "{unknown:?}"
    );
    run(
        &source,
        "delete from public.orders where customer = 2; delete from public.customers where id = 2",
    )
    .await;
    let orphans = call_with(env, &[&orders[..], &["--yes"]].concat()).await;
    assert_eq!(orphans.status, 1, "{orphans:?}");
    for text in [
        "orphans: 50 rows of",
        "orders_customer_fkey",
        "nothing was written",
    ] {
        assert!(orphans.stdout.contains(text), "{orphans:?}");
    }
    running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn backups_are_read_by_time_by_row_and_beside_each_other() {
    let (running, source) = bundle(DevOptions::default()).await;
    run(&source, ORDERS).await;
    let env = &with_identity(&running);
    let taken = async || {
        let taken = call_with(env, &["backup", "run", "--json"]).await.json();
        let backup = taken["backup"]["snapshot"].as_str().unwrap().to_owned();
        let listed = call_with(env, &["backup", "list", "--json"]).await.json();
        let mut listed = listed["backups"].as_array().unwrap().iter();
        let found = listed.find(|found| found["snapshot"] == json!(backup));
        let time = found.unwrap()["takenAt"].as_str().unwrap().to_owned();
        (backup, time)
    };
    let (first, first_time) = taken().await;
    let change = "update public.customers set name = 'another' where id = 7;
        delete from public.orders where id = 4999";
    run(&source, change).await;
    let (second, second_time) = taken().await;

    let before = call_with(env, &["backup", "show", "--before", &second_time, "--json"]).await;
    assert_eq!(before.json()["backup"]["snapshot"], json!(first));
    let none = call_with(env, &["backup", "show", "--before", &first_time]).await;
    assert_eq!(none.status, 2, "{none:?}");
    let told = format!("no backup was taken before {first_time}, the first is {first} in ");
    assert!(none.stderr.contains(&told), "{none:?}");
    let zoneless = call_with(env, &["backup", "show", "--before", "2026-11-25T09:00"]).await;
    assert_eq!(zoneless.status, 2, "{zoneless:?}");

    let customer = [
        "backup",
        "history",
        "--table",
        "public.customers",
        "--key",
        "id=7",
    ];
    let history = call_with(env, &customer).await;
    assert_eq!(history.status, 0, "{history:?}");
    assert!(history.stdout.contains("  changed: name\n"), "{history:?}");
    assert!(!history.stdout.contains("another"), "{history:?}");
    let shown = "ops.audit where action = 'data.shown'";
    assert_eq!(count(&source, shown).await, 0, "no value was shown");
    let values = call_with(env, &[&customer[..], &["--values"]].concat()).await;
    let change = "    name: \"customer 7\" → \"another\"\n";
    assert!(values.stdout.contains(change), "{values:?}");
    let subject = format!("{shown} and subject = 'public.customers id=7 in backups'");
    assert_eq!(count(&source, &subject).await, 1);
    let unknown = [
        "backup",
        "history",
        "--table",
        "public.customer",
        "--key",
        "id=7",
    ];
    let unknown = call_with(env, &unknown).await;
    assert_eq!(unknown.status, 2, "{unknown:?}");

    let diff = [
        "backup",
        "diff",
        &first,
        &second,
        "--table",
        "public.orders",
    ];
    let counted = call_with(env, &diff).await;
    let told = "rows of public.orders: 1 removed; 5,000 before, 4,999 after\n";
    assert!(counted.stdout.starts_with(told), "{counted:?}");
    let named = call_with(env, &[&diff[..], &["--rows", "--json"]].concat()).await;
    assert_eq!(
        named.json()["tables"][0]["rows"],
        json!([{ "key": ["4999"], "became": "removed", "columns": [] }])
    );
    assert_eq!(count(&source, shown).await, 2);
    let reversed = call_with(env, &["backup", "diff", &second, &first]).await;
    assert_eq!(reversed.status, 2, "{reversed:?}");
    running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_says_before_what_it_would_do_and_what_it_would_not() {
    let (running, source) = bundle(DevOptions::default()).await;
    run(&source, ORDERS).await;
    run(
        &source,
        "alter table public.customers add column email text",
    )
    .await;
    let env = &with_identity(&running);
    assert_eq!(call_with(env, &["backup", "run"]).await.status, 0);
    let target = TestDatabase::empty().await.unwrap();
    let into = url(&target).await;

    let restore = ["backup", "restore", "--into", &into];
    let dry = [&restore[..], &["--dry-run"]].concat();
    let looked = call_with(env, &dry).await;
    assert_eq!(looked.status, 0, "{looked:?}");
    for text in [
        "would restore ",
        "how long it takes is not known",
        "nothing was changed: say --yes to restore\n",
    ] {
        assert!(looked.stdout.contains(text), "{looked:?}");
    }
    let drilled = ["backup", "drill", "--own-server"];
    assert_eq!(call_with(env, &drilled).await.status, 0);
    let looked = call_with(env, &[&dry[..], &["--json"]].concat())
        .await
        .json();
    assert!(
        looked["estimatedSeconds"].as_f64().unwrap() > 0.0,
        "{looked}"
    );
    assert_eq!(looked["refused"], json!(null));

    let folder = Folder::empty();
    let masks = folder.path().join("masks.toml");
    let path = masks.to_str().unwrap();
    std::fs::write(&masks, "public.customers.name = \"name\"\n").unwrap();
    let masked = [&restore[..], &["--mask", path, "--yes"]].concat();
    let unnamed = call_with(env, &masked).await;
    assert_eq!(unnamed.status, 1, "{unnamed:?}");
    for text in ["public.customers.email (its name is", "say --yes-unmasked"] {
        assert!(unnamed.stderr.contains(text), "{unnamed:?}");
    }
    let refused = [&dry[..], &["--mask", path]].concat();
    let refused = call_with(env, &refused).await;
    assert_eq!(refused.status, 1, "{refused:?}");
    assert!(refused.stdout.contains("REFUSED: "), "{refused:?}");
    let taken = ["backup", "mask-template", "--output", path];
    let taken = call_with(env, &taken).await;
    assert_eq!(taken.status, 1, "a file is never written over: {taken:?}");
    let proposed = call_with(env, &["backup", "mask-template"]).await;
    assert!(
        proposed
            .stdout
            .contains("public.customers.email = \"email\" # its name is"),
        "{proposed:?}"
    );
    std::fs::write(&masks, "public.customers = \"name\"\n").unwrap();
    let wrong = call_with(env, &masked).await;
    assert_eq!(wrong.status, 2, "{wrong:?}");
    assert!(
        wrong.stderr.contains("masks.toml: line 1: a mask must be"),
        "{wrong:?}"
    );

    run(&target, "create table public.orders (id int)").await;
    let full = call_with(env, &dry).await;
    assert_eq!(full.status, 1, "{full:?}");
    assert!(
        full.stdout.contains("REFUSED: the target is not empty"),
        "{full:?}"
    );
    running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_damaged_or_sealed_to_another_key_is_status_1() {
    let (running, source) = bundle(DevOptions::default()).await;
    run(&source, ORDERS).await;
    let env = &with_identity(&running);
    assert_eq!(call_with(env, &["backup", "run"]).await.status, 0);
    let target = TestDatabase::empty().await.unwrap();
    let into = url(&target).await;

    let folder = Folder::empty();
    let key = folder.path().join("key.txt");
    let key = key.to_str().unwrap();
    let made = call(folder.path(), &[], &["backup", "keygen", "--output", key]);
    assert_eq!(made.status, 0, "{made:?}");
    let restore = [
        "backup",
        "restore",
        "--yes",
        "--into",
        &into,
        "--identity",
        key,
    ];
    let wrong = call_with(env, &restore).await;
    assert_eq!(wrong.status, 1, "{wrong:?}");
    assert!(
        wrong.stderr.contains("none of the given identities"),
        "{wrong:?}"
    );

    let bucket = env["BACKUP_URL"].strip_prefix("file://").unwrap();
    let damaged = first_file(&Path::new(bucket).join("v1/seg"));
    std::fs::write(&damaged, "something else").unwrap();
    for level in ["1", "2"] {
        let verify = ["backup", "verify", "all", "--level", level, "--json"];
        let found = call_with(env, &verify).await;
        assert_eq!(found.status, 1, "{found:?}");
        assert_eq!(found.json()["whole"], false);
        assert_eq!(found.json()["faults"].as_array().unwrap().len(), 1);
    }
    running.stop().await.unwrap();
}

/// Any file below a folder.
fn first_file(folder: &Path) -> std::path::PathBuf {
    let entry = std::fs::read_dir(folder).unwrap().next().unwrap().unwrap();
    if entry.file_type().unwrap().is_dir() {
        first_file(&entry.path())
    } else {
        entry.path()
    }
}

#[test]
fn new_keys_are_a_pair_that_only_its_owner_reads() {
    let folder = Folder::empty();
    let printed = call(folder.path(), &[], &["backup", "keygen", "--json"]);
    assert_eq!(printed.status, 0, "{printed:?}");
    let keys = printed.json();
    assert_eq!(keys["BACKUP_SECRET"].as_str().unwrap().len(), 64);
    assert!(
        keys["BACKUP_RECIPIENTS"]
            .as_str()
            .unwrap()
            .starts_with("age1")
    );
    assert!(
        keys["identity"]
            .as_str()
            .unwrap()
            .starts_with("AGE-SECRET-KEY-1")
    );
    assert!(printed.stderr.contains("Two people keep it"), "{printed:?}");

    let keygen = ["backup", "keygen", "--output", "key.txt"];
    let written = call(folder.path(), &[], &keygen);
    assert_eq!(written.status, 0, "{written:?}");
    assert!(!written.stdout.contains("AGE-SECRET-KEY"), "{written:?}");
    let file = folder.path().join("key.txt");
    assert_private(&file);
    let kept = std::fs::read_to_string(&file).unwrap();
    let recipient = written
        .stdout
        .lines()
        .find_map(|line| line.strip_prefix("BACKUP_RECIPIENTS="));
    assert!(kept.contains(recipient.unwrap()), "the pair");
    let again = call(folder.path(), &[], &keygen);
    assert_eq!(again.status, 1, "{again:?}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), kept);

    for mark in [".git", "vercel.json"] {
        let folder = Folder::with(&[(mark, "")]);
        let refused = call(folder.path(), &[], &keygen);
        assert_eq!(refused.status, 2, "{mark}: {refused:?}");
        assert!(refused.stderr.contains("must not go along"), "{refused:?}");
        assert!(!folder.path().join("key.txt").exists(), "{mark}");
    }
}

fn assert_private(file: &Path) {
    use std::os::unix::fs::PermissionsExt;
    let mode = std::fs::metadata(file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

/// Variables, arguments, what is said.
type Case<'a> = (&'a [(&'a str, &'a str)], &'a [&'a str], &'a str);

#[test]
fn what_cannot_be_meant_is_status_2() {
    let folder = Folder::empty();
    let bucket = format!("file://{}", folder.path().display());
    let store = ("BACKUP_URL", bucket.as_str());
    let into = "postgresql://postgres:secret-word@127.0.0.1:1/postgres";
    let restore = ["backup", "restore", "--into", into, "--yes"];
    let with_table = [&restore[..], &["--table", "orders"]].concat();
    let live = ["backup", "restore", "--into-live", "--table", "a.b"];
    let both_parts = [&restore[..], &["--schema-only", "--data-only"]].concat();
    let rows_of_none = [&restore[..], &["--data-only", "--no-owner"]].concat();
    let cases: [Case; 11] = [
        (&[], &["backup", "list"], "BACKUP_URL is not set"),
        (
            &[("BACKUP_URL", "http://x")],
            &["backup", "list"],
            "BACKUP_URL: ",
        ),
        (
            &[store],
            &["backup", "show", "2026"],
            "there is no backup \"2026\"",
        ),
        (&[store], &restore, "--identity FILE"),
        (&[store], &with_table, "--table orders"),
        (&[store], &live, "--missing-only"),
        (&[store], &both_parts, "cannot be used with"),
        (&[store], &rows_of_none, "cannot be used with"),
        (
            &[store],
            &["backup", "restore", "--into", "nonsense"],
            "--into: ",
        ),
        (
            &[store],
            &["backup", "verify", "--level", "3"],
            "3 is not in 1..=2",
        ),
        (
            &[store],
            &["backup", "export", "--format", "sql", "--json"],
            "--json needs --output",
        ),
    ];
    for (variables, arguments, text) in cases {
        let called = call(folder.path(), variables, arguments);
        assert_eq!(called.status, 2, "{called:?}");
        assert!(called.stderr.contains(text), "{called:?}");
        assert!(!called.stderr.contains("secret-word"), "{called:?}");
    }
}

/// Functions can write backups and cannot read them; other commands find the
/// private key by its file.
#[tokio::test(flavor = "multi_thread")]
async fn the_private_key_of_backups_is_beside_the_data_and_not_in_the_functions() {
    let data = Folder::empty();
    let options = DevOptions {
        data: Some(data.path().to_owned()),
        ..DevOptions::default()
    };
    let (running, _database) = bundle(options).await;
    let private = |value: &String| value.contains("AGE-SECRET-KEY");
    assert!(!running.env.contains_key("BACKUP_IDENTITY_FILE"));
    assert!(!running.env.values().any(private));
    let text = std::fs::read_to_string(running.env_file.as_ref().unwrap()).unwrap();
    let variables = terminal::env_file::parse(&text).unwrap();
    assert!(!variables.values().any(private));
    let identity = std::fs::read_to_string(&variables["BACKUP_IDENTITY_FILE"]).unwrap();
    assert!(
        identity.contains("AGE-SECRET-KEY") && identity.contains(&variables["BACKUP_RECIPIENTS"])
    );

    let path = Endpoint::Backup.spec().path;
    let answer = send(&running, Method::GET, path, Some("MONITORING_API_KEY")).await;
    assert_eq!(answer.json()["outcome"], "done", "{answer:?}");
    let verified = call_with(&variables, &["backup", "verify", "--level", "2"]).await;
    assert_eq!(verified.status, 0, "{verified:?}");
    running.stop().await.unwrap();
}
