//! What `migrate export` writes leads, applied by another tool, to what the
//! migrator itself makes.

use ops::migrate::{self, Schema};
use serde_json::Value;

use crate::{migrations::shape, support::World, toy};

/// Applies what a folder lacks, as psql or the Supabase CLI would: each file in
/// a transaction of its own. Returns the folder's names.
async fn push(world: &World, schema: &Schema, folder: Vec<String>) -> Vec<String> {
    let now = "2026-11-28T21:00:00Z".parse().unwrap();
    let owner = world.owner().await;
    let mut names = folder;
    for (name, sql) in migrate::export(schema, &names.clone(), now) {
        owner
            .batch_execute(&format!("begin;\n{sql}\ncommit;"))
            .await
            .unwrap_or_else(|error| panic!("{name}: {error:?}"));
        names.push(name);
    }
    names
}

#[tokio::test]
async fn exported_files_make_what_the_migrator_makes() {
    let world = World::empty().await;
    push(&world, &Schema::embedded(), Vec::new()).await;
    let status = migrate::status(&world.owner().await).await.unwrap();
    assert!(
        status.is_current() && status.hand_edits.is_empty(),
        "{status:?}"
    );
    assert_eq!(shape(&world).await, shape(&World::migrated().await).await);
    let theirs = world.value("to_regnamespace('supabase_migrations')").await;
    assert_eq!(theirs, Value::Null);
}

#[tokio::test]
async fn a_later_export_upgrades_and_an_earlier_one_goes_back() {
    let world = World::empty().await;
    let older = toy::schema("a");
    let mut newer = toy::with(
        &toy::schema("b"),
        "create or replace function ops.more() returns text language sql as $$ select 'x' $$;\n",
    );
    newer.tables.push(toy::tables(
        "0002",
        "more",
        "-- needs: 0.1.0\ncreate table ops.more (id integer);",
    ));
    newer.set.types[0].sql = "create type ops.pair as (other text, one text);".to_owned();
    let mut folder = Vec::new();
    for (schema, word) in [(&older, "a"), (&newer, "b"), (&older, "a")] {
        folder = push(&world, schema, folder).await;
        let said = world.value("ops.word()").await;
        assert_eq!(said, word);
        let status = schema.status(&world.owner().await).await.unwrap();
        assert!(
            status.is_current() && status.hand_edits.is_empty(),
            "{status:?}"
        );
    }
    assert_eq!(folder.len(), 6, "{folder:?}");
}
