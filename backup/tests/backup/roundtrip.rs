//! There and back: a real run, and both ways back from it.

use backup::{catalogue, format::Manifest, keys::DedupeKey, restore::Note, schema::Scope};
use local_supabase::postgres::TestDatabase;

use crate::{
    restore::{assert_equal, restore},
    schema::{OWN_EVENT_TRIGGERS, assert_same, dump, everything, run},
    support::{migrated, session},
    taken::Taken,
    tools::{psql, restore_sh},
};

const VALUES: &str = include_str!("fixtures/values.sql");

/// Values at their extremes, and tables of every awkward shape.
async fn values() -> TestDatabase {
    let database = migrated().await;
    run(&session(&database).await, VALUES).await;
    database
}

#[tokio::test(flavor = "multi_thread")]
async fn every_value_survives() {
    check(values().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_object_survives() {
    check(everything().await).await;
}

/// A plain server has none of the platform's schemas: they are made, and so is
/// what hangs on them.
#[tokio::test(flavor = "multi_thread")]
async fn what_the_platform_would_have_is_made_where_it_is_absent() {
    let backup = Taken::of(everything().await).await;
    let script = restore_sh(&backup.bucket(), &backup.identity).stdout;
    let (ours, stock) = (plain().await, plain().await);
    let restored = restore(&backup, &ours).await.unwrap();
    for schema in ["auth", "storage"] {
        assert!(
            restored.notes.contains(&Note::SchemaMade(schema.into())),
            "{schema}"
        );
    }
    assert_equal(&backup, &ours).await;
    let output = psql(&stock, &script, &["-1"]).await;
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert_equal(&backup, &stock).await;
    assert_same(&dump(&ours).await, &dump(&stock).await);
}

/// A database without the platform's schemas.
pub(crate) async fn plain() -> TestDatabase {
    let database = TestDatabase::empty().await.unwrap();
    let cluster = database.cluster().await.unwrap();
    let admin = cluster.connect_admin(database.name()).await.unwrap();
    run(&admin, "drop schema auth, storage cascade").await;
    database
}

/// Restores both ways and compares schema and rows with the source.
async fn check(source: TestDatabase) {
    let backup = Taken::of(source).await;
    let before = dump(&backup.source).await;

    let ours = TestDatabase::empty().await.unwrap();
    let restored = restore(&backup, &ours).await.unwrap();
    assert_equal(&backup, &ours).await;
    let settled = restored.after_restore.as_ref().unwrap();
    assert_eq!(settled["outcome"], "recorded");
    attach(&backup, &ours, &restored.notes).await;
    assert_same(&before, &dump(&ours).await);

    let stock = TestDatabase::empty().await.unwrap();
    let script = restore_sh(&backup.bucket(), &backup.identity);
    assert!(
        script.status.success(),
        "{}",
        String::from_utf8_lossy(&script.stderr)
    );
    let output = psql(&stock, &script.stdout, &["-1"]).await;
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert_equal(&backup, &stock).await;
    attach(&backup, &stock, &restored.notes).await;
    assert_same(&before, &dump(&stock).await);
}

/// Supabase lets its role `postgres` attach what a plain server does not, so
/// what was refused is made by a superuser here.
async fn attach(backup: &Taken, target: &TestDatabase, notes: &[Note]) {
    let cluster = target.cluster().await.unwrap();
    let admin = cluster.connect_admin(target.name()).await.unwrap();
    run(
        &admin,
        "set search_path = ''; set check_function_bodies = off",
    )
    .await;
    for (told, sql) in attached(backup, &backup.manifest).await {
        let refused =
            |note: &Note| matches!(note, Note::NotAttached { object, .. } if *object == told);
        if notes.iter().any(refused) {
            run(&admin, &sql).await;
        }
    }
    run(&admin, OWN_EVENT_TRIGGERS).await;
}

/// What is attached: how it is told, and its statements.
async fn attached(backup: &Taken, manifest: &Manifest) -> Vec<(String, String)> {
    let key = DedupeKey::from_hex(&manifest.dedupe_key).unwrap();
    let mut statements = Vec::new();
    for script in manifest
        .scripts
        .iter()
        .filter(|script| script.scope == Scope::Attached)
    {
        let (epoch, piece) = (manifest.epoch, &script.piece);
        let text = catalogue::piece(&backup.store, epoch, piece, &backup.identities, &key).await;
        let text = text.unwrap();
        for object in &script.objects {
            let sql = String::from_utf8(object.within(&text).unwrap().to_vec()).unwrap();
            statements.push((format!("{} {}", object.kind, object.name), sql));
        }
    }
    statements
}
