//! `/api/cron/backup`, from a claim to a sealed backup, and what people are told
//! where there is none.

use std::{path::Path, time::Duration};

use backup::{
    audit_anchors, catalogue,
    evidence::{chain, reading},
    format::Snapshot,
    repository::Repository,
    store::Store,
};
use http::StatusCode;
use local_supabase::{
    capture::Channel,
    fault::{Mode, Service},
    machine::{self, Tool},
    port::ClosedPort,
    postgres::{Cluster, TestDatabase},
};
use ops::{
    backups, endpoint::Endpoint, function::Function, jobs::Outcome, monitoring::document::Document,
};
use outside::clock::Deadline;
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use crate::{
    backups::{Backups, Folder},
    proxy::{self, Verdict},
    support::{Bundle, get},
};

const PATH: &str = "/api/cron/backup";

async fn called(bundle: &Bundle, app: &Function, secret: &str) -> (StatusCode, Value) {
    let answer = get(app, PATH).bearer(bundle.secret(secret)).send().await;
    (answer.status, answer.json())
}

/// One run as an operator asks for it, so that tests need not wait for slots.
async fn run(bundle: &Bundle) -> (StatusCode, Value) {
    let app = bundle.instance(Endpoint::Backup);
    called(bundle, &app, "MONITORING_API_KEY").await
}

async fn sealed(bundle: &Bundle) -> Value {
    let (status, body) = run(bundle).await;
    assert_eq!(
        (status, &body["outcome"]),
        (StatusCode::OK, &json!("done")),
        "{body}"
    );
    body
}

/// One tick, and the headlines that people have been told so far.
async fn told_after_a_tick(bundle: &Bundle) -> Vec<(Channel, String)> {
    let app = bundle.instance(Endpoint::Monitor);
    let key = bundle.secret("MONITORING_API_KEY");
    let answer = get(&app, "/api/cron/monitor").bearer(key).send().await;
    assert_eq!(answer.status, StatusCode::OK, "{:?}", answer.bytes);
    let messages = bundle.stack.inbox().messages().into_iter();
    messages
        .map(|message| {
            let line = message.text.lines().next().unwrap_or_default().to_owned();
            (message.channel, message.subject.unwrap_or(line))
        })
        .collect()
}

async fn backups_shown(bundle: &Bundle) -> Value {
    let app = bundle.instance(Endpoint::Dashboard);
    let answer = get(&app, "/api/monitoring/dashboard")
        .bearer(bundle.secret("MONITORING_API_KEY"))
        .send()
        .await;
    let data = answer.json()["data"].clone();
    // The struct refuses keys that it does not know.
    serde_json::from_value::<Document>(data.clone()).unwrap();
    data["backups"].clone()
}

#[tokio::test]
async fn every_backup_anchors_the_audit_log_outside_the_database() {
    let backups = Backups::start().await;
    let bundle = &backups.bundle;
    sealed(bundle).await;
    let store = backups.store();
    assert_eq!(audit_anchors::list(&store).await.unwrap(), []);
    let admin = bundle.admin().await;
    let change = "select public.ops_set_setting('alert.flap_minutes', '90', 'anna')";
    admin.batch_execute(change).await.unwrap();
    sealed(bundle).await;
    sealed(bundle).await;
    let newest = "select seq, hash from ops.audit order by seq desc limit 1";
    let newest = admin.query_one(newest, &[]).await.unwrap();
    let (seq, hash): (i64, String) = (newest.get(0), newest.get(1));
    let anchors = audit_anchors::list(&store).await.unwrap();
    assert!(!anchors.is_empty() && anchors.len() <= 2, "{anchors:?}");
    for anchor in anchors {
        assert_eq!((anchor.seq, &anchor.hash), (seq.unsigned_abs(), &hash));
    }
}

#[tokio::test]
async fn a_backup_is_sealed_whole_and_shown_with_what_it_took() {
    let backups = Backups::start().await;
    let bundle = &backups.bundle;
    assert_eq!(backups_shown(bundle).await, Value::Null);
    let first = sealed(bundle).await;
    assert_eq!(first["job"], "backup");
    let backup = &first["backup"];
    assert!(backup["rows"].as_u64() > Some(20), "{first}");
    assert!(backup["segmentsStored"].as_u64() > Some(10), "{first}");
    assert_eq!(backup["suspect"], Value::Null);

    let second = sealed(bundle).await;
    assert!(
        second["backup"]["segmentsReused"].as_u64() > backup["segmentsReused"].as_u64(),
        "what has not changed is not stored again: {second}"
    );
    let found = backups.whole().await;
    let names: Vec<String> = found.iter().map(|one| one.snapshot.to_string()).collect();
    assert_eq!(
        json!(names),
        json!([second["backup"]["snapshot"], backup["snapshot"]])
    );

    let shown = backups_shown(bundle).await;
    assert_eq!(shown["status"], "ok");
    assert_eq!(shown["runs"][0]["snapshot"], second["backup"]["snapshot"]);
    assert_eq!(shown["runs"][1]["rows"], backup["rows"]);
    assert!(
        shown["runs"][1]["requests"]["put"].as_u64() > Some(10),
        "{shown}"
    );
    assert!(
        shown["projectedMonthlyEgressBytes"].as_f64() > Some(0.0),
        "{shown}"
    );
}

/// Also of a run that failed, and of what nobody could write while the store was away.
#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_done_with_backups_has_one_signed_receipt_in_the_store() {
    let mut backups = Backups::start().await;
    let first = sealed(&backups.bundle).await;
    assert_eq!(
        first["receipts"],
        json!({"written": 2, "waiting": 0}),
        "{first}"
    );
    let url = backups.bundle.env["BACKUP_URL"].clone();
    let away = url.replace("store", "nowhere");
    backups.bundle.env.insert("BACKUP_URL".into(), away);
    let (status, failed) = run(&backups.bundle).await;
    assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR, "{failed}");
    assert_eq!(failed["receipts"]["waiting"], 1, "{failed}");
    assert!(failed["receipts"]["trouble"].is_string(), "{failed}");
    backups.bundle.env.insert("BACKUP_URL".into(), url);
    let second = sealed(&backups.bundle).await;
    assert_eq!(
        second["receipts"],
        json!({"written": 2, "waiting": 0}),
        "{second}"
    );

    let store = backups.store();
    let repo = Repository::name_in(&store).await.unwrap();
    let keys = reading::keys(&store).await.unwrap();
    let read = reading::all(&store, repo, &keys, &mut |_| {})
        .await
        .unwrap();
    let found: Vec<_> = read.into_iter().map(|one| one.found).collect();
    let proof = chain::prove(&found);
    assert_eq!(
        (proof.beginnings, proof.forks, &proof.faults[..]),
        (1, 0, &[][..])
    );
    let kinds = ["backup", "collection", "failure"].map(str::to_owned);
    assert_eq!(proof.kinds, kinds.into_iter().zip([2, 1, 1]).collect());
    for one in &found {
        let receipt = one.receipt.as_ref().unwrap();
        if let Some(snapshot) = &receipt.fact.snapshot {
            let text = store.get(&receipt.subject.name).await.unwrap();
            let record = Snapshot::parse(&text).unwrap();
            assert_eq!(
                (&record.snapshot, record.render().unwrap()),
                (snapshot, text.to_vec())
            );
            assert_eq!(
                Some(&receipt.subject.digest.sha256),
                record.sha256().as_ref()
            );
        }
    }
    let shown = backups_shown(&backups.bundle).await;
    assert_eq!(
        (&shown["receipts"]["receipts"], &shown["receipts"]["status"]),
        (&json!(4), &json!("whole"))
    );
    assert!(!shown["notCovered"].as_array().unwrap().is_empty());
}

/// The scratch database is on the server that is backed up.
#[tokio::test(flavor = "multi_thread")]
async fn a_drill_that_is_due_follows_a_backup_where_the_function_has_a_key_for_it() {
    let mut backups = Backups::start().await;
    let without = sealed(&backups.bundle).await;
    assert_eq!(without.get("drill"), None, "{without}");

    let identity = backups.identity.clone();
    let env = &mut backups.bundle.env;
    env.insert("BACKUP_DRILL_IDENTITY".into(), identity);
    ask_in_drills(&backups.bundle, &[("jobs", "select true from ops.jobs")]).await;
    let first = sealed(&backups.bundle).await;
    let drill = &first["drill"]["recorded"];
    assert_eq!(
        (&drill["outcome"], &drill["snapshot"], &drill["missing"]),
        (&json!("good"), &first["backup"]["snapshot"], &json!([])),
        "{first}"
    );
    assert_eq!(drill["tables"], drill["tablesInBackup"], "{first}");
    let compared = &drill["compared"];
    assert_eq!(compared["queries"], 1, "{first}");
    for what in ["objects", "sequences"] {
        assert!(compared[what].as_u64() > Some(5), "{what}: {first}");
    }
    assert_eq!(first["drill"]["tooBig"], json!([]));
    let shown = backups_shown(&backups.bundle).await;
    assert_eq!(shown["drills"]["status"], "ok");
    assert_eq!(shown["drills"]["last"]["id"], drill["id"]);

    let second = sealed(&backups.bundle).await;
    assert_eq!(second.get("drill"), None, "none is due: {second}");

    let slow = "update ops.backup_drills
        set received_at = received_at - interval '7 days', bytes = 1, seconds = 1000000";
    let admin = backups.bundle.admin().await;
    admin.batch_execute(slow).await.unwrap();
    let third = sealed(&backups.bundle).await;
    let drill = &third["drill"]["recorded"];
    assert_eq!(drill["outcome"], "good", "{third}");
    let too_big = third["drill"]["tooBig"].as_array().unwrap();
    assert!(!too_big.is_empty(), "{third}");
    let filled = drill["tables"].as_u64().unwrap();
    let named = u64::try_from(too_big.len()).unwrap();
    assert_eq!(Some(filled + named), drill["tablesInBackup"].as_u64());
}

/// What a drill asks the restored database.
async fn ask_in_drills(bundle: &Bundle, queries: &[(&str, &str)]) {
    let queries: Vec<_> = queries
        .iter()
        .map(|(name, query)| json!({"name": name, "query": query}))
        .collect();
    let set = "select public.ops_set_setting('backup.drill_queries', $1::text::jsonb, 'anna')";
    let admin = bundle.admin().await;
    admin
        .execute(set, &[&json!(queries).to_string()])
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drill_asks_what_the_application_would_and_names_what_is_not_as_it_should_be() {
    let mut backups = Backups::start().await;
    let identity = backups.identity.clone();
    let env = &mut backups.bundle.env;
    env.insert("BACKUP_DRILL_IDENTITY".into(), identity);
    let queries = [
        ("rows", "select job from ops.jobs;"),
        (
            "none",
            "select job from ops.jobs where job = 'nobody''s' -- of ours",
        ),
        ("false", "select 1, false"),
        ("null", "select count(*), null from ops.jobs"),
        (
            "writes",
            "with gone as (delete from ops.jobs returning 1) select true from gone",
        ),
        ("two", "select 1; drop table ops.jobs"),
    ];
    ask_in_drills(&backups.bundle, &queries).await;
    let drill = sealed(&backups.bundle).await["drill"]["recorded"].clone();
    assert_eq!(drill["outcome"], "bad", "{drill}");
    assert_eq!(drill["compared"]["queries"], 6);
    let missing = drill["missing"].as_array().unwrap().iter();
    let missing: Vec<_> = missing
        .map(|one| {
            (
                one["what"].as_str().unwrap(),
                one["reason"].as_str().unwrap(),
            )
        })
        .collect();
    let names: Vec<_> = missing.iter().map(|(what, _)| *what).collect();
    let expected = [
        "query none",
        "query false",
        "query null",
        "query writes",
        "query two",
    ];
    assert_eq!(names, expected, "{missing:?}");
    assert_eq!(missing[0].1, "it gives no row");
    assert_eq!(missing[1].1, "something in its first row is false or null");
    assert!(drill["restored"].as_bool().unwrap(), "{drill}");
}

/// The level that needs nothing of ours, as the workflow does it.
#[tokio::test(flavor = "multi_thread")]
async fn stock_tools_restore_what_the_function_backed_up_and_the_project_has_the_receipt() {
    machine::bring(&[Tool::Age, Tool::Zstd]).unwrap();
    let backups = Backups::start().await;
    let bundle = &backups.bundle;
    let sealed = sealed(bundle).await;
    let folder = Folder::new();
    let key = folder.path().join("key.txt");
    std::fs::write(&key, &backups.identity).unwrap();
    let store = url::Url::parse(&bundle.env["BACKUP_URL"])
        .unwrap()
        .to_file_path()
        .unwrap();
    let drill = async |key: &Path| {
        let cluster = Cluster::shared().await.unwrap();
        let target = TestDatabase::empty().await.unwrap();
        tokio::process::Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.ci/stock-drill"))
            .args([&store, key])
            .arg(cluster.postgres_url(target.name()))
            .envs(["SUPABASE_URL", "SUPABASE_SECRET_KEY"].map(|name| (name, bundle.secret(name))))
            .current_dir(folder.path())
            .output()
            .await
            .unwrap()
    };
    let done = drill(&key).await;
    let told = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{told}");
    let text = String::from_utf8_lossy(&done.stdout);
    assert!(text.contains("restored, and equal to the backup"), "{text}");
    let rows = "select snapshot, level, rows, reason from ops.backup_drills order by received_at desc limit 1";
    let admin = bundle.admin().await;
    let row = admin.query_one(rows, &[]).await.unwrap();
    assert_eq!(json!(row.get::<_, String>(0)), sealed["backup"]["snapshot"]);
    assert_eq!(row.get::<_, i32>(1), 4);
    assert_eq!(json!(row.get::<_, i64>(2)), sealed["backup"]["rows"]);
    assert_eq!(row.get::<_, Option<String>>(3), None);

    // A key that opens nothing is told as well, and what the tools say stays where they ran.
    std::fs::write(&key, backup::keys::generate().identity.expose_secret()).unwrap();
    let done = drill(&key).await;
    assert!(!done.status.success());
    let row = admin.query_one(rows, &[]).await.unwrap();
    let reason = row.get::<_, Option<String>>(3).unwrap();
    assert_eq!(
        reason,
        "restore.sh made no script of it: see the log of the workflow"
    );
}

/// Makes the last collection a day older.
async fn a_day_later(bundle: &Bundle) {
    let older = "update ops.backup_collections set finished_at = finished_at - interval '24 hours'";
    bundle.admin().await.batch_execute(older).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_longer_kept_goes_after_a_backup_once_a_day() {
    let backups = Backups::start().await;
    let bundle = &backups.bundle;
    let first = sealed(bundle).await;
    let collected = &first["collection"];
    assert_eq!(
        (&collected["outcome"], &collected["trashed"]),
        (&json!("done"), &json!(0)),
        "{first}"
    );
    // Whatever the time of day: the newest three are kept.
    let short = "update ops.settings set value = case key when 'backup.keep_hourly' then '1' else '0' end::jsonb
        where key like 'backup.keep\\_%'";
    bundle.admin().await.batch_execute(short).await.unwrap();
    for _ in 0..3 {
        let next = sealed(bundle).await;
        assert_eq!(next.get("collection"), None, "none is due: {next}");
    }
    a_day_later(bundle).await;
    let last = sealed(bundle).await;
    assert_eq!(last["collection"]["trashed"], json!(2), "{last}");
    assert_eq!(backups.whole().await.len(), 3);
    let shown = backups_shown(bundle).await;
    let collection = &shown["collection"];
    assert_eq!(
        (
            &collection["status"],
            &collection["last"]["figures"]["kept"]
        ),
        (&json!("ok"), &json!(3))
    );
    assert_eq!(
        shown["runs"].as_array().unwrap().len(),
        5,
        "a collection is no backup: {shown}"
    );

    // Something that nobody knows lies among the records.
    let odd = bytes::Bytes::from_static(b"?");
    backups
        .store()
        .put_new("v1/snap/odd.txt", odd)
        .await
        .unwrap();
    a_day_later(bundle).await;
    let failed = sealed(bundle).await;
    assert_eq!(failed["collection"]["outcome"], "failed", "{failed}");
    let reason = failed["collection"]["reason"].as_str().unwrap();
    assert!(reason.contains("v1/snap/odd.txt"), "{reason}");
    assert_eq!(
        backups_shown(bundle).await["collection"]["status"],
        "failed"
    );
    assert_eq!(backups.whole().await.len(), 4);
}

/// Lets a whole round be due, so that the next share is all there is.
async fn a_week_later(bundle: &Bundle) {
    let older = "update ops.backup_rereads
        set round_began_at = round_began_at - interval '7 days', from_position = 0, upto_position = 0";
    bundle.admin().await.batch_execute(older).await.unwrap();
}

/// Flips a bit of an object that two backups rest on, so that its rows did not change: its length
/// is the same, and no listing tells.
async fn decay(store: &Store) -> String {
    let listing = catalogue::snapshots(store).await.unwrap().snapshots;
    let [newer, older] = &listing[..] else {
        panic!("two backups: {listing:?}");
    };
    let newer = catalogue::inventory(store, newer).await.unwrap().objects;
    let older = catalogue::inventory(store, older).await.unwrap().objects;
    let mut both = newer.into_iter().filter(|stored| older.contains(stored));
    let path = both
        .find(|stored| stored.path.starts_with("v1/seg/"))
        .unwrap()
        .path;
    let mut bytes = store.get(&path).await.unwrap().to_vec();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    store.put_over(&path, bytes.into()).await.unwrap();
    path
}

const DAMAGED: &str = "High: A backup is damaged in its store";

#[tokio::test(flavor = "multi_thread")]
async fn decay_is_found_within_a_round_and_mended_by_the_next_run_from_the_database() {
    let backups = Backups::start().await;
    let bundle = &backups.bundle;
    let first = sealed(bundle).await;
    assert_eq!(first["reread"]["damaged"], 0, "{first}");
    sealed(bundle).await;
    let path = decay(&backups.store()).await;
    a_week_later(bundle).await;
    let found = sealed(bundle).await;
    assert_eq!(
        (&found["reread"]["damaged"], &found["reread"]["healed"]),
        (&json!(1), &json!(0)),
        "{found}"
    );
    let told = told_after_a_tick(bundle).await;
    assert!(
        told.iter().any(|(_, headline)| headline == DAMAGED),
        "{told:?}"
    );
    let shown = backups_shown(bundle).await;
    assert_eq!(shown["reread"]["damages"][0]["what"], path);
    assert_eq!(shown["reread"]["damages"][0]["backups"], 3);

    let mended = sealed(bundle).await;
    assert_eq!(mended["reread"]["damaged"], 0, "{mended}");
    let resolved = "Resolved: Backups are whole in their store again";
    let told = told_after_a_tick(bundle).await;
    assert!(
        told.iter().any(|(_, headline)| headline == resolved),
        "{told:?}"
    );
    assert_eq!(
        backups.whole().await.len(),
        4,
        "the three before it as well"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn decay_is_mended_at_once_where_there_is_a_copy() {
    let mut backups = Backups::start().await;
    let folder = Folder::new();
    let url = url::Url::from_file_path(folder.path()).unwrap();
    let env = &mut backups.bundle.env;
    env.insert("BACKUP_REPLICA_URL".into(), url.to_string());
    sealed(&backups.bundle).await;
    sealed(&backups.bundle).await;
    decay(&backups.store()).await;
    a_week_later(&backups.bundle).await;
    let found = sealed(&backups.bundle).await;
    assert_eq!(
        (&found["reread"]["damaged"], &found["reread"]["healed"]),
        (&json!(1), &json!(1)),
        "{found}"
    );
    assert_eq!(told_after_a_tick(&backups.bundle).await, []);
    assert_eq!(backups.whole().await.len(), 3);
    let shown = backups_shown(&backups.bundle).await;
    assert_eq!(
        shown["verifications"]["status"], "not_set_up",
        "nobody verified: {shown}"
    );
    let reread = &shown["reread"];
    assert_eq!(
        (&reread["status"], &reread["damages"]),
        (&json!("ok"), &json!([]))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drill_that_comes_to_nothing_tells_somebody_and_spoils_no_backup() {
    let strangers = backup::keys::generate().identity;
    let nowhere = "postgresql://postgres@127.0.0.1:9/postgres";
    for (server, identity, reason) in [
        (None, Some(strangers.expose_secret()), "identit"),
        (Some(nowhere), None, "127.0.0.1"),
    ] {
        let mut backups = Backups::start().await;
        let identity = identity.unwrap_or(&backups.identity).to_owned();
        let env = &mut backups.bundle.env;
        env.insert("BACKUP_DRILL_IDENTITY".into(), identity);
        if let Some(server) = server {
            env.insert("BACKUP_DRILL_DATABASE_URL".into(), server.into());
        }
        let body = sealed(&backups.bundle).await;
        let drill = &body["drill"]["recorded"];
        assert_eq!(drill["outcome"], "bad", "{body}");
        let told = drill["reason"].as_str().unwrap();
        assert!(told.contains(reason), "{told}");
        let headline = "High: A backup was not restored as it should be in a drill";
        assert_eq!(
            told_after_a_tick(&backups.bundle).await,
            [(Channel::Slack, headline.to_owned())]
        );
    }
}

#[tokio::test]
async fn a_second_caller_of_a_slot_is_skipped() {
    let backups = Backups::start().await;
    let bundle = &backups.bundle;
    let instances = [(); 3].map(|()| bundle.instance(Endpoint::Backup));
    let calls = instances
        .iter()
        .map(|app| called(bundle, app, "CRON_SECRET"));
    let answers = futures_util::future::join_all(calls).await;
    let slots: std::collections::BTreeSet<String> = answers
        .iter()
        .map(|(_, body)| body["slot"].to_string())
        .collect();
    let done = answers
        .iter()
        .filter(|(_, body)| body["outcome"] == "done")
        .count();
    // Calls may straddle the end of a slot, which makes two slots, never two runs of one.
    assert!((1..=slots.len()).contains(&done), "{answers:?}");
    for (status, body) in &answers {
        assert_eq!(status, &StatusCode::OK);
        assert!(
            body["outcome"] == "done" || body["outcome"] == "skipped",
            "{body}"
        );
    }
    assert_eq!(backups.whole().await.len(), done);
}

#[tokio::test]
async fn without_its_variables_it_says_that_backups_are_not_set_up() {
    let mut backups = Backups::start().await;
    let names = ["BACKUP_URL", "BACKUP_RECIPIENTS", "BACKUP_SECRET"];
    backups.bundle.env.remove("BACKUP_SECRET");
    let (status, body) = run(&backups.bundle).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(
        body["detail"],
        "backups are not configured as they should be"
    );
    for name in names {
        backups.bundle.env.remove(name);
    }
    let (status, body) = run(&backups.bundle).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(body["detail"], "backups are not set up");
    assert_eq!(backups_shown(&backups.bundle).await, Value::Null);
    let health = backups.bundle.instance(Endpoint::Health);
    let answer = get(&health, "/api/health").send().await;
    assert_eq!(answer.status, StatusCode::OK, "no matter for the app");
}

#[tokio::test]
async fn a_stranger_is_refused_before_anything_is_claimed() {
    let backups = Backups::start().await;
    let app = backups.bundle.instance(Endpoint::Backup);
    for secret in ["wrong", "SUPABASE_PUBLISHABLE_KEY"] {
        let proof = backups
            .bundle
            .env
            .get(secret)
            .map_or(secret, String::as_str);
        let answer = get(&app, PATH).bearer(proof).send().await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{secret}");
    }
    let runs = backups
        .bundle
        .admin()
        .await
        .query("select from ops.runs", &[])
        .await
        .unwrap();
    assert!(runs.is_empty());
}

#[tokio::test]
async fn the_first_failure_is_told_and_so_is_the_next_success() {
    let mut backups = Backups::start().await;
    sealed(&backups.bundle).await;
    assert_eq!(told_after_a_tick(&backups.bundle).await, []);

    let url = backups.bundle.env["DATABASE_URL"].clone();
    let closed = ClosedPort::hold().unwrap();
    backups.bundle.env.insert(
        "DATABASE_URL".into(),
        format!("postgresql://postgres:secret-word@{}/x", closed.address()),
    );
    let (status, body) = run(&backups.bundle).await;
    assert_eq!(
        (status, &body["outcome"], &body["backup"]),
        (
            StatusCode::INTERNAL_SERVER_ERROR,
            &json!("failed"),
            &Value::Null
        ),
        "{body}"
    );
    let reason = body["reason"].as_str().unwrap();
    assert!(
        reason.contains("127.0.0.1") && !reason.contains("secret-word"),
        "{reason}"
    );
    assert_eq!(
        told_after_a_tick(&backups.bundle).await,
        [(Channel::Slack, "High: A backup failed".to_owned())]
    );
    assert_eq!(backups_shown(&backups.bundle).await["status"], "failing");

    backups.bundle.env.insert("DATABASE_URL".into(), url);
    sealed(&backups.bundle).await;
    let told = told_after_a_tick(&backups.bundle).await;
    assert_eq!(
        told[1..],
        [(Channel::Slack, "Resolved: Backups succeed again".to_owned())]
    );
    assert_eq!(backups.whole().await.len(), 2);
}

#[tokio::test]
async fn without_the_databases_api_no_run_begins() {
    let backups = Backups::start().await;
    backups.bundle.fault(Service::Database, Mode::Status).await;
    let (status, body) = run(&backups.bundle).await;
    assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(
        (&body["outcome"], &body["reason"]),
        (&json!("failed"), &json!("the database cannot be reached"))
    );
    assert_eq!(backups.whole().await, []);
}

/// Moves everything that is known of backups into the past.
async fn age(bundle: &Bundle, minutes: u32) {
    let sql = format!(
        "update ops.backups set taken_at = now() - interval '{minutes} minutes';
         update ops.jobs set first_slot = now() - interval '2 hours' where job = 'backup'"
    );
    bundle.admin().await.batch_execute(&sql).await.unwrap();
}

#[tokio::test]
async fn an_old_backup_is_told_at_50_and_60_minutes_until_there_is_a_new_one() {
    let backups = Backups::start().await;
    let bundle = &backups.bundle;
    sealed(bundle).await;
    age(bundle, 49).await;
    assert_eq!(told_after_a_tick(bundle).await, []);
    age(bundle, 51).await;
    assert_eq!(
        told_after_a_tick(bundle).await,
        [(Channel::Slack, "High: A backup is overdue".to_owned())]
    );
    age(bundle, 61).await;
    let told = told_after_a_tick(bundle).await.split_off(1);
    let headline = "The newest backup is too old";
    assert_eq!(told.len(), 2, "{told:?}");
    for channel in [Channel::Slack, Channel::Email] {
        let on_channel = |(on, line): &(Channel, String)| *on == channel && line.contains(headline);
        assert!(told.iter().any(on_channel), "{channel:?}: {told:?}");
    }
    sealed(bundle).await;
    let resolved = told_after_a_tick(bundle).await.split_off(3);
    assert_eq!(resolved.len(), 3, "{resolved:?}");
    let over = |(_, line): &(Channel, String)| line.to_lowercase().contains("resolved");
    assert!(resolved.iter().all(over), "{resolved:?}");
}

#[tokio::test]
async fn a_run_whose_time_is_over_is_partial_and_the_next_one_goes_on() {
    let backups = Backups::start().await;
    let app = backups.bundle.instance(Endpoint::Backup);
    // All of it is kept back for the end.
    let report = backups::now(app.app(), false, Deadline::after(Duration::from_secs(10)))
        .await
        .unwrap();
    assert_eq!(report.outcome, Outcome::Partial, "{report:?}");
    assert_eq!(backups.whole().await, []);
    let shown = backups_shown(&backups.bundle).await;
    assert_eq!(
        (&shown["status"], &shown["runs"][0]["outcome"]),
        (&json!("waiting"), &json!("partial"))
    );
    sealed(&backups.bundle).await;
    assert_eq!(backups.whole().await.len(), 1);
}

#[tokio::test]
async fn nothing_is_sealed_once_another_run_has_taken_over() {
    let backups = Backups::start().await;
    let taken_over = "
        create or replace function public.ops_extend_lease(
            p_run uuid, p_fence bigint, p_lease_seconds integer, p_now timestamptz default null)
        returns jsonb language sql set search_path = '' as $$
            update ops.jobs set fence = fence + 1, lease_run = null where job = 'backup';
            select jsonb_build_object('outcome', 'superseded', 'until', null)
        $$";
    let admin = backups.bundle.admin().await;
    admin.batch_execute(taken_over).await.unwrap();
    let (status, body) = run(&backups.bundle).await;
    assert_eq!(
        (status, &body["outcome"]),
        (StatusCode::OK, &json!("skipped")),
        "{body}"
    );
    assert_eq!(backups.whole().await, []);
}

#[tokio::test]
async fn a_lease_that_cannot_be_asked_for_counts_as_lost() {
    let mut backups = Backups::start().await;
    let proxy = proxy::in_front_of(backups.bundle.stack.supabase_url(), |request| {
        if request.uri().path().ends_with("ops_extend_lease") {
            Verdict::Refuse(StatusCode::SERVICE_UNAVAILABLE)
        } else {
            Verdict::Pass
        }
    })
    .await;
    backups
        .bundle
        .env
        .insert("SUPABASE_URL".into(), proxy.url());
    let (status, body) = run(&backups.bundle).await;
    assert_eq!(
        (status, &body["outcome"]),
        (StatusCode::INTERNAL_SERVER_ERROR, &json!("failed")),
        "{body}"
    );
    assert!(body["reason"].as_str().unwrap().contains("lease"), "{body}");
    assert_eq!(backups.whole().await, []);
}

#[tokio::test]
async fn what_is_sealed_and_cannot_be_recorded_is_a_backup_and_no_success() {
    let mut backups = Backups::start().await;
    let proxy = proxy::in_front_of(backups.bundle.stack.supabase_url(), |request| {
        if request.uri().path().ends_with("ops_finish_backup") {
            Verdict::Refuse(StatusCode::SERVICE_UNAVAILABLE)
        } else {
            Verdict::Pass
        }
    })
    .await;
    backups
        .bundle
        .env
        .insert("SUPABASE_URL".into(), proxy.url());
    let (status, body) = run(&backups.bundle).await;
    assert_eq!(
        (status, &body["outcome"]),
        (StatusCode::OK, &json!("partial")),
        "{body}"
    );
    assert_eq!(
        body["reason"],
        "it is sealed, but the database cannot be told"
    );
    assert_eq!(backups.whole().await.len(), 1);
    assert_eq!(backups_shown(&backups.bundle).await, Value::Null);
}
