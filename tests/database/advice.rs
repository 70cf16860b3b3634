//! Advice about a database in which each fault is there, and beside it what only looks like one:
//! the statement is carried out as it stands, and gives what was said.

use serde_json::{Value, json};

use crate::support::{World, array};

/// Two years after the statistics began, so that what nobody used is known.
const LATER: &str = "2036-11-24T12:00:00Z";

const TABLES: &str = "
    create table public.cellars (id integer primary key, name text);
    create table public.bottles (
        id integer primary key, cellar integer references public.cellars (id), vintage integer, label text, code text unique
    );
    create table public.tastings (id integer primary key, bottle integer references public.bottles (id), note text);
    insert into public.cellars select n, 'c' || n from generate_series(1, 50) as n;
    insert into public.bottles select n, 1 + n % 50, 1950 + n % 70, md5(n::text), 'code ' || n from generate_series(1, 20000) as n;
    insert into public.tastings select n, n, 'fine' from generate_series(1, 3000) as n;
    create index bottles_cellar on public.bottles (cellar);
    create index bottles_label on public.bottles (label);
    create index bottles_vintage on public.bottles (vintage);
    create index bottles_vintage_again on public.bottles (vintage);
    create index bottles_vintage_label on public.bottles (vintage, label);
    create index bottles_code_again on public.bottles (code);
    create index bottles_old on public.bottles (vintage) where vintage < 1960;
    select pg_stat_force_next_flush();";

async fn advice(world: &World, now: &str) -> Value {
    world
        .execute("select pg_stat_force_next_flush(); select pg_stat_clear_snapshot()")
        .await;
    world
        .call("ops_advise_database", json!({"p_now": now}))
        .await
}

/// `kind object` of each piece about the tables of the tests.
fn pieces(advised: &Value) -> Vec<String> {
    let mut pieces: Vec<_> = array(&advised["advice"])
        .iter()
        .filter(|piece| {
            let object = piece["object"].as_str().unwrap();
            ["bottles", "tastings", "cellars"]
                .iter()
                .any(|table| object.contains(table))
        })
        .map(|piece| {
            format!(
                "{} {}",
                piece["kind"].as_str().unwrap(),
                piece["object"].as_str().unwrap()
            )
        })
        .collect();
    pieces.sort();
    pieces
}

fn piece<'a>(advised: &'a Value, kind: &str, object: &str) -> &'a Value {
    array(&advised["advice"])
        .iter()
        .find(|piece| piece["kind"] == kind && piece["object"] == object)
        .unwrap_or_else(|| panic!("{kind} {object} in {advised}"))
}

/// A table whose statistics another session has reported.
async fn prepared() -> World {
    let world = World::migrated().await;
    let other = world.session().await;
    other.batch_execute(TABLES).await.unwrap();
    for table in ["bottles", "tastings", "cellars"] {
        other
            .batch_execute(&format!("analyze public.{table}"))
            .await
            .unwrap();
    }
    other
        .batch_execute("update public.tastings set note = 'good' where id <= 1500; select pg_stat_force_next_flush()")
        .await
        .unwrap();
    // Autovacuum must not mend what is to be found.
    other
        .batch_execute("alter table public.tastings set (autovacuum_enabled = false); alter table public.bottles set (autovacuum_enabled = false)")
        .await
        .unwrap();
    world
}

#[tokio::test]
async fn each_fault_is_found_and_what_looks_like_one_is_not() {
    let world = prepared().await;
    let advised = advice(&world, LATER).await;
    assert_eq!(
        pieces(&advised),
        [
            "dead_rows public.tastings",
            "duplicate_index public.bottles_code_again",
            "duplicate_index public.bottles_vintage",
            "duplicate_index public.bottles_vintage_again",
            "missing_key_index public.tastings",
            "stale_statistics public.tastings",
            "unused_index public.bottles_label",
        ]
    );
    // The server has not counted for two weeks: nobody knows what is used.
    let now = world.value("to_jsonb(now())").await;
    let early = advice(&world, now.as_str().unwrap()).await;
    assert_eq!(early["unusedKnown"], false);
    assert!(
        pieces(&early)
            .iter()
            .all(|piece| !piece.starts_with("unused")),
        "{early}"
    );
}

#[tokio::test]
async fn an_index_that_goes_frees_what_was_said() {
    let world = prepared().await;
    let advised = advice(&world, LATER).await;
    let size = "pg_database_size(current_database())";
    for object in ["public.bottles_vintage_again", "public.bottles_code_again"] {
        let spare = piece(&advised, "duplicate_index", object);
        let before = world.value(size).await.as_i64().unwrap();
        world.execute(spare["sql"].as_str().unwrap()).await;
        let freed = before - world.value(size).await.as_i64().unwrap();
        let gain = spare["gainBytes"].as_i64().unwrap();
        assert!(
            gain > 65_536 && (freed - gain).abs() < 65_536,
            "{object}: {freed} {gain}"
        );
    }
}

#[tokio::test]
async fn a_missing_index_of_a_key_is_made_and_then_used() {
    let world = prepared().await;
    let advised = advice(&world, LATER).await;
    let missing = piece(&advised, "missing_key_index", "public.tastings");
    assert_eq!(missing["gainRows"], 3000);
    let read = || async {
        let before = "(select seq_tup_read from pg_stat_user_tables where relname = 'tastings')";
        world.execute("select pg_stat_clear_snapshot()").await;
        world.value(before).await.as_i64().unwrap()
    };
    let other = world.session().await;
    let delete = |id: u32| {
        format!("delete from public.bottles where id = {id}; select pg_stat_force_next_flush()")
    };
    let before = read().await;
    other.batch_execute(&delete(19_000)).await.unwrap();
    let after = read().await;
    assert_eq!(after - before, 3000, "the whole table was read for one row");
    world.execute(missing["sql"].as_str().unwrap()).await;
    // A fresh session plans with the index.
    let other = world.session().await;
    other.batch_execute(&delete(19_001)).await.unwrap();
    assert_eq!(read().await, after, "none of it is");
    let advised = advice(&world, LATER).await;
    assert!(
        pieces(&advised)
            .iter()
            .all(|piece| !piece.starts_with("missing_key")),
        "{advised}"
    );
}

#[tokio::test]
async fn dead_rows_and_old_statistics_are_gone_once_it_is_done() {
    let world = prepared().await;
    let advised = advice(&world, LATER).await;
    let dead = piece(&advised, "dead_rows", "public.tastings");
    assert_eq!(
        (&dead["gainRows"], &dead["facts"]["rows"]),
        (&json!(1500), &json!(3000))
    );
    assert_eq!(
        piece(&advised, "stale_statistics", "public.tastings")["gainRows"],
        1500
    );
    world.execute(dead["sql"].as_str().unwrap()).await;
    let advised = advice(&world, LATER).await;
    assert_eq!(
        pieces(&advised)
            .iter()
            .filter(|piece| piece.ends_with("public.tastings"))
            .collect::<Vec<_>>(),
        ["missing_key_index public.tastings"]
    );
}

#[tokio::test]
async fn a_table_that_is_read_whole_is_told_and_not_made_up_what_to_index() {
    let world = prepared().await;
    let other = world.session().await;
    other
        .batch_execute(
            "do $$ begin for n in 1..60 loop perform count(*) from public.bottles where label like '%' || n; end loop; end $$;
             select pg_stat_force_next_flush()",
        )
        .await
        .unwrap();
    let advised = advice(&world, LATER).await;
    let scanned = piece(&advised, "missing_index", "public.bottles");
    // Some were read before the table was whole.
    assert!(scanned["gainRows"].as_u64() > Some(15_000), "{scanned}");
    assert_eq!(scanned["sql"], Value::Null);
    assert_eq!(
        scanned["facts"]["reason"],
        "which column is compared, pg_stat_statements does not tell"
    );
}

#[tokio::test]
async fn a_fresh_project_has_nothing_to_advise_about_our_own() {
    let world = World::migrated().await;
    let advised = advice(&world, LATER).await;
    let ours: Vec<_> = array(&advised["advice"])
        .iter()
        .filter(|piece| {
            ["unused_index", "duplicate_index", "missing_key_index"]
                .contains(&piece["kind"].as_str().unwrap())
        })
        .collect();
    assert_eq!(ours, Vec::<&Value>::new());
}
