//! A file of `migrations/tables` applies where the tables before it hold rows:
//! each that makes a table has sample rows, which the files after it meet.

use std::{collections::BTreeMap, fs};

use crate::support::{World, array};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations/tables");
const SAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/sql/samples");

/// The texts of a folder's files by the number that their names begin with.
fn numbered(folder: &str) -> BTreeMap<String, String> {
    fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.path().extension().is_some_and(|kind| kind == "sql"))
        .map(|entry| {
            let name = entry.file_name().into_string().unwrap();
            let number = name[..4].to_owned();
            (number, fs::read_to_string(entry.path()).unwrap())
        })
        .collect()
}

async fn tables(world: &World) -> Vec<String> {
    let tables = world.rows(
        "select format('%I.%I', schemaname, tablename) as name
         from pg_tables where schemaname in ('ops', 'public') order by 1",
    );
    array(&tables.await)
        .iter()
        .map(|table| table["name"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn every_table_file_applies_where_the_tables_before_it_hold_rows() {
    let world = World::empty().await;
    let mut samples = numbered(SAMPLES);
    let mut known = Vec::new();
    for (number, file) in numbered(FOLDER) {
        world
            .execute(&format!("begin; set local role postgres;\n{file};\ncommit"))
            .await;
        let all = tables(&world).await;
        let rows = samples.remove(&number);
        assert!(
            rows.is_some() || all == known,
            "tests/sql/samples/{number}.sql is missing: the tables of that file need sample rows"
        );
        world.execute(&rows.unwrap_or_default()).await;
        for table in &all {
            let filled = world.value(&format!("exists (select from {table})")).await;
            assert_eq!(filled, true, "samples of {number}: {table} holds no row");
        }
        known = all;
    }
    let orphans: Vec<_> = samples.into_keys().collect();
    assert!(orphans.is_empty(), "samples of no table file: {orphans:?}");
    assert!(known.len() > 40, "only {known:?}");
}
