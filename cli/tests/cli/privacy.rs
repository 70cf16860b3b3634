//! `privacy` against a running bundle: somebody is shown, handed out and erased, the proof is
//! checked with `openssl`, and no backup brings them back.

use std::{collections::BTreeMap, fs, path::Path, process::Command};

use backup::files::StorageApi;
use dev::DevOptions;
use jiff::Timestamp;
use local_supabase::{
    postgres::TestDatabase,
    stack::{Stack, StackOptions},
};
use outside::clock;
use serde_json::json;

use crate::{
    backup::{run, with_identity},
    storage,
    support::{Called, Folder, bundle, call_with},
};

const ANNA: &str = "00000000-0000-4000-8000-00000000000a";

const PEOPLE: &str = "
    create table public.wines (id bigint primary key, owner uuid not null references auth.users on delete cascade);
    create table public.imports (id bigint primary key, words text);
    insert into auth.users (id, email) values
        ('00000000-0000-4000-8000-00000000000a', 'anna@wine.example'),
        ('00000000-0000-4000-8000-00000000000b', 'bo@wine.example');
    insert into auth.identities (provider_id, user_id, identity_data, provider)
    select id::text, id, jsonb_build_object('email', email), 'email' from auth.users;
    insert into public.wines values
        (1, '00000000-0000-4000-8000-00000000000a'), (2, '00000000-0000-4000-8000-00000000000b');
    insert into public.analytics_events (event_name, user_id, ip_address)
    values ('wine_added', '00000000-0000-4000-8000-00000000000a', '192.0.2.7');
";

/// Whatever of Anna a database holds.
async fn marks(database: &TestDatabase) -> i64 {
    let cluster = database.cluster().await.unwrap();
    let session = cluster.connect_postgres(database.name()).await.unwrap();
    let sql = "
select (select count(*) from auth.users where email like 'anna%') + (select count(*) from public.wines where id = 1)
    + (select count(*) from public.analytics_events where user_id is not null or ip_address is not null)";
    session.query_one(sql, &[]).await.unwrap().get(0)
}

async fn restore(env: &BTreeMap<String, String>) -> (Called, TestDatabase) {
    let target = TestDatabase::empty().await.unwrap();
    let into = target.cluster().await.unwrap();
    let into = into.postgres_url(target.name());
    let arguments = ["backup", "restore", "--into", &into, "--yes"];
    (call_with(env, &arguments).await, target)
}

fn openssl(folder: &Path, name: &str) -> bool {
    let verify = format!(
        "pkeyutl -verify -pubin -inkey {name}.pem -rawin -in {name}.json -sigfile {name}.sig"
    );
    let checked = Command::new("openssl")
        .args(verify.split(' '))
        .current_dir(folder)
        .output();
    checked.unwrap().status.success()
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_is_erased_with_a_proof_and_no_backup_brings_them_back() {
    let (running, source) = bundle(DevOptions::default()).await;
    run(&source, PEOPLE).await;
    let env = &with_identity(&running);
    let taken = call_with(env, &["backup", "run"]).await;
    assert_eq!(taken.status, 0, "{taken:?}");

    let folder = Folder::empty();
    let place = folder.path().to_str().unwrap();
    let zip = format!("{place}/anna.zip");
    let line = ["privacy", "export", "Anna@wine.example", "--output", &zip];
    let exported = call_with(env, &line).await;
    assert_eq!(exported.status, 0, "{exported:?}");
    assert!(exported.stdout.contains("rows of"), "{exported:?}");
    let again = call_with(env, &line).await;
    assert_eq!(again.status, 2, "what is there stays: {again:?}");

    let shown = call_with(env, &["privacy", "erase", ANNA]).await;
    assert_eq!(shown.status, 0, "{shown:?}");
    assert!(shown.stderr.contains("nothing was erased: say --yes"));
    assert!(shown.stdout.contains("public.wines"), "{shown:?}");
    assert_eq!(marks(&source).await, 3);

    let line = [
        "privacy", "erase", ANNA, "--proof", place, "--yes", "--json",
    ];
    let erased = call_with(env, &line).await;
    assert_eq!(erased.status, 0, "{erased:?}");
    assert_eq!(marks(&source).await, 0);
    let document = erased.json();
    let name = document["files"].as_str().unwrap();
    assert!(openssl(folder.path(), name));
    let proof = folder.path().join(format!("{name}.json"));
    let text = fs::read_to_string(&proof).unwrap();
    assert!(!text.contains(ANNA) && !text.contains("anna@"), "{text}");
    let last = &document["proof"]["lastBackup"];
    let expires: Timestamp = last["expiresAt"].as_str().unwrap().parse().unwrap();
    let years = |time: Timestamp| time.strftime("%Y").to_string().parse::<i32>().unwrap();
    assert_eq!(years(expires), years(clock::now()) + 7, "{last}");
    assert_eq!(last["pinned"], json!([]));
    fs::write(
        &proof,
        text.replace("\"account\": true", "\"account\": false"),
    )
    .unwrap();
    assert!(!openssl(folder.path(), name));
    let listed = call_with(env, &["privacy", "erasures", "--json"])
        .await
        .json();
    assert_eq!(listed["erasures"][0]["proof"], text);

    let (restored, target) = restore(env).await;
    assert_eq!(restored.status, 0, "{restored:?}");
    assert!(
        restored.stderr.contains("1 people who were erased since"),
        "{restored:?}"
    );
    assert_eq!(marks(&target).await, 0);

    // Whoever cannot read whom to leave out has not restored the whole.
    let store = env["BACKUP_URL"].strip_prefix("file://").unwrap();
    let erasures = Path::new(store).join("v1/erasures");
    let object = fs::read_dir(erasures).unwrap().next().unwrap().unwrap();
    fs::write(object.path(), "torn").unwrap();
    let (restored, target) = restore(env).await;
    assert_eq!(restored.status, 1, "{restored:?}");
    assert!(
        restored
            .stderr
            .contains("NOT WHOLE: people who were erased"),
        "{restored:?}"
    );
    assert_eq!(marks(&target).await, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_reached_is_told_and_consent_is_kept() {
    let (running, source) = bundle(DevOptions::default()).await;
    run(&source, PEOPLE).await;
    run(
        &source,
        "insert into public.imports values (1, 'of Anna@Wine.example')",
    )
    .await;
    let env = &running.env;
    let shown = call_with(env, &["privacy", "show", "anna@wine.example"]).await;
    assert_eq!(shown.status, 0, "{shown:?}");
    let words = "NOT COVERED: 1 rows of public.imports name them in a way that no key tells";
    assert!(shown.stdout.contains(words), "{shown:?}");
    let log = call_with(env, &["audit", "list", "--action", "data.shown", "--json"]).await;
    let rows = log.json()["rows"].as_array().unwrap().clone();
    assert_eq!(rows.len(), 1, "{log:?}");
    assert!(!log.stdout.to_lowercase().contains("anna@"), "{log:?}");

    let none = call_with(env, &["privacy", "consents", ANNA]).await;
    assert!(none.stdout.starts_with("they have neither"), "{none:?}");
    let line = [
        "privacy",
        "consent",
        "anna@wine.example",
        "analytics",
        "refuse",
    ];
    let refused = call_with(env, &line).await;
    assert_eq!(refused.status, 0, "{refused:?}");
    assert!(refused.stdout.contains("refused"), "{refused:?}");

    let folder = Folder::empty();
    let place = folder.path().to_str().unwrap();
    let line = ["privacy", "erase", ANNA, "--proof", place, "--yes"];
    let erased = call_with(env, &line).await;
    assert_eq!(erased.status, 1, "{erased:?}");
    assert!(erased.stdout.contains(words), "{erased:?}");
    let gone = call_with(env, &["privacy", "show", "anna@wine.example"]).await;
    assert_eq!(gone.status, 2, "{gone:?}");

    let unknown = ["privacy", "show", ANNA, "--delete", "public.imports"];
    let unknown = call_with(env, &unknown).await;
    assert!(
        unknown.stderr.contains("public.imports holds no rows"),
        "{unknown:?}"
    );
}

const FILES: &str = "
    update storage.objects set owner_id = '00000000-0000-4000-8000-00000000000a' where name like 'anna%';
    update storage.objects set owner = '00000000-0000-4000-8000-00000000000b' where name = 'bo.png'";

async fn files_of(database: &TestDatabase) -> Vec<String> {
    let cluster = database.cluster().await.unwrap();
    let session = cluster.connect_postgres(database.name()).await.unwrap();
    let sql = "select name from storage.objects order by name";
    let rows = session.query(sql, &[]).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

/// How many files the newest backup has, as the database knows it.
async fn kept(database: &TestDatabase) -> Option<String> {
    let cluster = database.cluster().await.unwrap();
    let session = cluster.connect_postgres(database.name()).await.unwrap();
    let sql = "select figures #>> '{files,kept}' from ops.backups order by taken_at desc limit 1";
    session.query_one(sql, &[]).await.unwrap().get(0)
}

/// The Storage that an environment names, with three files in it, of two people.
async fn filled_storage(env: &BTreeMap<String, String>, source: &TestDatabase) -> StorageApi {
    let storage = storage::storage(&env["SUPABASE_URL"], &env["SUPABASE_SECRET_KEY"]);
    storage::fill(&storage, &["anna/1.png", "anna/2.png", "bo.png"]).await;
    run(source, FILES).await;
    storage
}

#[tokio::test(flavor = "multi_thread")]
async fn files_of_somebody_are_handed_out_and_erased_and_do_not_come_back() {
    let (running, source) = bundle(DevOptions::default()).await;
    run(&source, PEOPLE).await;
    let env = &with_identity(&running);
    let storage = filled_storage(env, &source).await;
    let taken = call_with(env, &["backup", "run"]).await;
    assert_eq!(taken.status, 0, "{taken:?}");
    assert!(
        taken.stdout.contains("3 of 3 files of Storage"),
        "{taken:?}"
    );
    assert_eq!(kept(&source).await.as_deref(), Some("3"));
    let verified = call_with(env, &["backup", "verify", "--level", "2"]).await;
    assert_eq!(verified.status, 0, "{verified:?}");

    let folder = Folder::empty();
    let place = folder.path().to_str().unwrap();
    let zip = format!("{place}/anna.zip");
    let exported = call_with(env, &["privacy", "export", ANNA, "--output", &zip]).await;
    assert_eq!(exported.status, 0, "{exported:?}");
    assert!(
        exported.stdout.contains("2 files in Storage are in it"),
        "{exported:?}"
    );
    let zip = String::from_utf8_lossy(&fs::read(&zip).unwrap()).into_owned();
    assert!(zip.contains("files/000001-1.png") && zip.contains("what is in anna/2.png"));
    assert!(!zip.contains("what is in bo.png"));

    // Where Storage is not reached nothing is erased, and the next call does all of it.
    let mut away = env.clone();
    away.insert("SUPABASE_URL".to_owned(), "http://127.0.0.1:9".to_owned());
    let line = [
        "privacy", "erase", ANNA, "--proof", place, "--yes", "--json",
    ];
    let refused = call_with(&away, &line).await;
    assert_eq!(refused.status, 1, "{refused:?}");
    assert!(
        refused
            .stderr
            .contains("nothing was erased in the database"),
        "{refused:?}"
    );
    assert_eq!(marks(&source).await, 3);
    // Killed after one of two files.
    storage
        .delete("photos", &["anna/1.png".to_owned()])
        .await
        .unwrap();
    let erased = call_with(env, &line).await;
    assert_eq!(erased.status, 0, "{erased:?}");
    let proof = &erased.json()["proof"];
    assert_eq!(proof["filesDeleted"], 1);
    assert_eq!(proof["notCovered"]["files"], 0);
    assert_eq!(files_of(&source).await, ["bo.png"]);
    assert_eq!(storage.look("photos", "anna/2.png").await, Ok(None));
    assert!(storage.look("photos", "bo.png").await.unwrap().is_some());

    let (restored, target) = restore(env).await;
    assert_eq!(restored.status, 0, "{restored:?}");
    assert_eq!(files_of(&target).await, ["bo.png"]);
    let options = StackOptions {
        database: target.name().to_owned(),
        ..StackOptions::default()
    };
    let cluster = target.cluster().await.unwrap();
    let project = Stack::start(cluster, options).await.unwrap();
    let (into, url) = (cluster.postgres_url(target.name()), project.supabase_url());
    let line = [
        "backup",
        "restore-files",
        "--into",
        &into,
        "--project",
        &url,
    ];
    let planned = call_with(env, &line).await;
    assert_eq!(planned.status, 2, "{planned:?}");
    assert!(planned.stderr.contains("say --yes"), "{planned:?}");
    let key = project.keys().secret_key();
    let line = [&line[..], &["--secret-key", key, "--yes", "--json"]].concat();
    let restored = call_with(env, &line).await;
    assert_eq!(restored.status, 0, "{restored:?}");
    let document = restored.json();
    assert_eq!(
        (
            &document["restored"]["uploaded"],
            &document["restored"]["leftOut"]
        ),
        (&json!(1), &json!(2)),
        "{document}"
    );
    assert_eq!(files_of(&target).await, ["bo.png"]);
}
