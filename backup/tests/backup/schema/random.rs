//! Schemas that nobody thought of, with names that nobody would choose.

use std::fmt::Write;

use backup::schema::{Scope, quoted};
use local_supabase::postgres::TestDatabase;
use proptest::{
    collection::vec,
    option,
    prelude::*,
    sample::subsequence,
    strategy::ValueTree,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};

use super::{assert_objects_eq, assert_same, cluster, describe, dump, restore, run};

const SCHEMAS: usize = 5;

/// Types and a default of each.
const TYPES: [(&str, &str); 12] = [
    ("integer", "1 + 1"),
    ("bigint", "-7"),
    ("text", r"'a''b\c'"),
    ("varchar(40)", "'x'::varchar"),
    ("numeric(9, 2)", "1.5"),
    ("timestamptz(2)", "now()"),
    ("jsonb", r#"'{"a": [1]}'"#),
    ("text []", "'{a,b}'"),
    ("uuid", "gen_random_uuid()"),
    ("boolean", "true"),
    ("r.mood", "'so so'"),
    ("r.pair", "row(1, 'x')"),
];

#[derive(Debug, Clone)]
struct Column {
    name: String,
    of: usize,
    not_null: bool,
    default: bool,
    comment: Option<String>,
}

#[derive(Debug, Clone)]
struct Table {
    name: String,
    columns: Vec<Column>,
    key: Key,
    unlogged: bool,
    parts: usize,
    inherits: bool,
    refers: Option<usize>,
    indexed: Option<bool>,
    extras: Vec<Extra>,
    grantee: Option<&'static str>,
    comment: Option<String>,
}

#[derive(Debug, Clone, Copy)]
enum Key {
    Serial,
    Identity,
    Plain,
}

/// What else a table has.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Extra {
    Policy,
    Trigger,
    Views,
}

const EXTRAS: [Extra; 3] = [Extra::Policy, Extra::Trigger, Extra::Views];

#[tokio::test]
async fn a_random_schema_made_again_dumps_the_same() {
    // The same schemas in every run: a failure can be looked into.
    let seed = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(Config::default(), seed);
    for _ in 0..SCHEMAS {
        let tables = vec(table(), 1..9).new_tree(&mut runner).unwrap().current();
        let source = TestDatabase::empty().await.unwrap();
        let client = cluster()
            .await
            .connect_postgres(source.name())
            .await
            .unwrap();
        run(&client, &sql(&tables)).await;
        let described = describe(&source).await.unwrap();
        let target = TestDatabase::empty().await.unwrap();
        restore(&described, &target, &[Scope::App, Scope::Attached]).await;
        assert_same(&dump(&source).await, &dump(&target).await);
        assert_objects_eq(&described, &describe(&target).await.unwrap());
    }
}

fn name() -> impl Strategy<Value = String> {
    r#"[a-zA-Z0-9 "'äß€.,%\\$:;(){}|-]{1,14}"#
}

fn column() -> impl Strategy<Value = Column> {
    (
        name(),
        0..TYPES.len(),
        any::<bool>(),
        any::<bool>(),
        option::weighted(0.2, "[ -~\n]{0,30}"),
    )
        .prop_map(|(name, of, not_null, default, comment)| Column {
            name,
            of,
            not_null,
            default,
            comment,
        })
}

fn table() -> impl Strategy<Value = Table> {
    let key = prop_oneof![Just(Key::Serial), Just(Key::Identity), Just(Key::Plain)];
    let grantee = prop_oneof![Just("anon"), Just("authenticated"), Just("public")];
    (
        (name(), vec(column(), 0..7), key, any::<bool>()),
        (0_usize..4, any::<bool>(), option::of(0_usize..9)),
        (option::of(any::<bool>()), subsequence(&EXTRAS, 0..=3)),
        (option::of(grantee), option::weighted(0.3, "[ -~\n]{0,30}")),
    )
        .prop_map(|(what, kin, extras, words)| {
            let (name, columns, key, unlogged) = what;
            let (parts, inherits, refers) = kin;
            let (indexed, extras) = extras;
            let (grantee, comment) = words;
            Table {
                name,
                columns,
                key,
                unlogged: unlogged && parts == 0 && refers.is_none(),
                parts,
                inherits: inherits && parts == 0,
                refers,
                indexed,
                extras,
                grantee,
                comment,
            }
        })
}

fn sql(tables: &[Table]) -> String {
    let mut sql = String::from(
        "create schema r;
         create type r.mood as enum ('sad', 'so so', 'it''s fine');
         create type r.pair as (a integer, b text);
         create function r.touch() returns trigger language plpgsql as 'begin return new; end';\n",
    );
    for (index, table) in tables.iter().enumerate() {
        write_table(&mut sql, table, index, tables);
    }
    for (index, table) in tables.iter().enumerate() {
        write_extras(&mut sql, table, index, tables);
    }
    sql
}

/// A table's name, alone in its schema.
fn table_name(table: &Table, index: usize) -> String {
    format!("r.{}", quoted(&format!("{}{index}", table.name)))
}

fn write_table(sql: &mut String, table: &Table, index: usize, tables: &[Table]) {
    let name = table_name(table, index);
    let identity = match table.key {
        Key::Serial => "bigserial",
        // A part of a partitioned table has none of its own.
        Key::Identity if table.parts == 0 => "bigint generated by default as identity",
        Key::Identity | Key::Plain => "bigint default 3",
    };
    let mut columns = vec![format!("id {identity}")];
    for (place, column) in table.columns.iter().enumerate() {
        let (of, default) = TYPES[column.of];
        columns.push(format!(
            "{} {of}{}{}",
            column_name(column, index, place),
            if column.not_null { " not null" } else { "" },
            if column.default {
                format!(" default {default}")
            } else {
                String::new()
            },
        ));
    }
    let parent = (table.inherits && index > 0)
        .then(|| &tables[index - 1])
        .filter(|parent| parent.parts == 0 && !matches!(parent.key, Key::Identity));
    let inherits = parent
        .filter(|_| !matches!(table.key, Key::Identity))
        .map(|parent| format!(" inherits ({})", table_name(parent, index - 1)))
        .unwrap_or_default();
    let (unlogged, parted) = (
        if table.unlogged { "unlogged " } else { "" },
        if table.parts > 0 {
            " partition by range (id)"
        } else {
            ""
        },
    );
    let _ = writeln!(
        sql,
        "create {unlogged}table {name} ({}){inherits}{parted};\nalter table only {name} add primary key (id);",
        columns.join(", ")
    );
    for part in 1..=table.parts {
        let _ = writeln!(
            sql,
            "create table r.\"part {part} of {index}\" partition of {name} for values from ({}) to ({});",
            part * 100,
            part * 100 + 100
        );
    }
}

fn column_name(column: &Column, index: usize, place: usize) -> String {
    quoted(&format!("{}{index}_{place}", column.name))
}

fn write_extras(sql: &mut String, table: &Table, index: usize, tables: &[Table]) {
    let name = table_name(table, index);
    let label = |text: &Option<String>| {
        let text = text.as_ref()?;
        Some(format!(
            "E'{}'",
            text.replace('\\', "\\\\").replace('\'', "\\'")
        ))
    };
    if let Some(other) = table.refers {
        let other = other % tables.len();
        if !tables[other].unlogged {
            let other = table_name(&tables[other], other);
            let _ = writeln!(
                sql,
                "alter table {name} add foreign key (id) references {other};"
            );
        }
    }
    if let Some(unique) = table.indexed {
        let unique = if unique { "unique " } else { "" };
        let _ = writeln!(sql, "create {unique}index on {name} (id desc);");
    }
    if table.extras.contains(&Extra::Policy) {
        let _ = writeln!(
            sql,
            "alter table {name} enable row level security;
             create policy {} on {name} to anon using (id > 3);",
            quoted(&table.name)
        );
    }
    if table.extras.contains(&Extra::Trigger) {
        let _ = writeln!(
            sql,
            "create trigger {} after insert on {name} for each row execute function r.touch();",
            quoted(&table.name)
        );
    }
    if table.extras.contains(&Extra::Views) {
        let _ = writeln!(
            sql,
            "create view r.\"view {index}\" as select * from {name};
             create materialized view r.\"rows {index}\" as select id from r.\"view {index}\";"
        );
    }
    if let Some(grantee) = table.grantee {
        let _ = writeln!(sql, "grant select (id), insert on {name} to {grantee};");
    }
    if let Some(comment) = label(&table.comment) {
        let _ = writeln!(sql, "comment on table {name} is {comment};");
    }
    for (place, column) in table.columns.iter().enumerate() {
        if let Some(comment) = label(&column.comment) {
            let column = column_name(column, index, place);
            let _ = writeln!(sql, "comment on column {name}.{column} is {comment};");
        }
    }
}
