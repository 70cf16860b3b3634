//! Databases that nobody thought of, with rows that break what they may: what a restore
//! calls equal is equal, and what it names takes no other rows along.
//!
//! Every run makes a few from a first seed that is random and printed.
//! `DATABASES=500 cargo test -p backup --test backup random_databases` makes five hundred;
//! `SEED=17 DATABASES=1` in front of the same command makes the seventeenth again.

mod constructs;

use backup::{
    format::TableData,
    restore::{Note, Restored},
    schema::{Name, Scope, quoted},
};
use futures_util::TryStreamExt;
use local_supabase::postgres::TestDatabase;
use proptest::{
    prelude::Rng,
    test_runner::{RngAlgorithm, TestRng},
};
use tokio_postgres::Client;

use crate::{
    restore::restore,
    schema::{ROLES, assert_same, dump, major_version, run},
    support::{admin, migrated, session},
    taken::Taken,
};
use constructs::{CONSTRUCTS, LINKS, SINCE_18, UNTIL_16};

/// How many databases a run makes unless `DATABASES` says otherwise.
const DATABASES: u64 = 4;

/// How many constructs a database is put together from, and how many links at most.
const MOST: usize = 9;

#[tokio::test(flavor = "multi_thread")]
async fn what_is_called_equal_is_equal_and_what_is_missing_takes_no_rows_along() {
    let databases = wanted("DATABASES").unwrap_or(DATABASES);
    let first = wanted("SEED").unwrap_or_else(any_seed);
    println!("{databases} databases from SEED={first} on");
    for seed in first..first + databases {
        println!("to make it again: SEED={seed} DATABASES=1");
        Box::pin(comes_back(seed)).await;
    }
}

#[tokio::test]
async fn a_server_takes_each_construct() {
    let database = TestDatabase::empty().await.unwrap();
    let (team, major) = team(&database).await;
    for (place, construct) in constructs_of(major).into_iter().enumerate() {
        run(&team, &placed(construct, place, place)).await;
    }
}

async fn comes_back(seed: u64) {
    let source = migrated().await;
    let (team, major) = team(&source).await;
    let made = Made::of(seed, major);
    for statements in &made.constructs {
        run(&team, statements).await;
    }
    for statements in &made.links {
        // A table may lack what a link needs.
        let _ = team.batch_execute(statements).await;
    }
    // The second run takes over what the first one read.
    let backup = Taken::of(source).await.again().await;
    let target = TestDatabase::empty().await.unwrap();
    let restored = restore(&backup, &target).await.unwrap();
    let taken = session(&target).await;
    let routed = routed(&team, &restored).await;
    for data in &backup.manifest.tables {
        if data.scope == Scope::App && data.table.schema != "ops" && !is_left(&restored, data) {
            let held = held(&team, &routed, data).await;
            let (there, here) = (rows(&team, &held).await, rows(&taken, &held).await);
            assert_eq!(there, here, "{}", data.table);
        }
    }
    if restored.is_equal() && backup.manifest.gaps.is_empty() {
        assert_same(&dump(&backup.source).await, &dump(&target).await);
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "who runs the tests says how many databases"
)]
pub(crate) fn wanted(variable: &str) -> Option<u64> {
    let value = std::env::var(variable).ok()?;
    Some(value.parse().expect("a number"))
}

/// Any number that leaves room for as many seeds as anybody has time for.
pub(crate) fn any_seed() -> u64 {
    u64::from(uuid::Uuid::new_v4().as_fields().0)
}

/// A session of the team's, and the server's major version.
async fn team(database: &TestDatabase) -> (Client, i32) {
    run(&admin(database).await, ROLES).await;
    let team = session(database).await;
    let major = major_version(&team).await;
    (team, major)
}

/// Whether it was told that a table took no rows.
fn is_left(restored: &Restored, data: &TableData) -> bool {
    let rows = format!("rows of {}", data.table);
    restored.missing.iter().any(|missing| missing.what == rows)
}

/// The partitioned tables of which it was told that rows came into other partitions.
async fn routed(source: &Client, restored: &Restored) -> Vec<String> {
    let mut roots = Vec::new();
    for note in &restored.notes {
        if let Note::Routed { table, .. } = note {
            roots.extend(root(source, table).await);
        }
    }
    roots
}

/// The whole that a table is a partition of.
async fn root(source: &Client, table: &Name) -> Option<String> {
    let root = "select pg_partition_root(to_regclass($1))::text";
    let row = source.query_one(root, &[&table.to_string()]).await;
    row.unwrap().get(0)
}

/// What has to be the same on both sides: a table's own rows, or those of the whole whose
/// rows came into other partitions.
async fn held(source: &Client, routed: &[String], data: &TableData) -> String {
    match root(source, &data.table).await {
        Some(root) if routed.contains(&root) => format!("select * from {root}"),
        _ => {
            let columns: Vec<_> = data.columns.iter().map(|column| quoted(column)).collect();
            format!("select {} from only {}", columns.join(", "), data.table)
        }
    }
}

/// Rows as COPY has them, sorted.
async fn rows(session: &Client, query: &str) -> Vec<String> {
    let copy = format!("copy ({query}) to stdout");
    let stream = session.copy_out(&copy).await.unwrap();
    let parts: Vec<_> = stream.try_collect().await.unwrap();
    let text = String::from_utf8(parts.concat()).unwrap();
    let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
    lines.sort();
    lines
}

/// What makes one database.
pub(crate) struct Made {
    constructs: Vec<String>,
    links: Vec<String>,
}

impl Made {
    /// The same for the same seed on servers of one version.
    fn of(seed: u64, major: i32) -> Self {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed.to_le_bytes());
        let mut random = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
        let mut below = |limit: usize| {
            let limit = u64::try_from(limit).unwrap();
            usize::try_from(random.next_u64() % limit).unwrap()
        };
        let known = constructs_of(major);
        let places = 1 + below(MOST);
        let constructs = (0..places).map(|place| placed(known[below(known.len())], place, place));
        let constructs = constructs.collect();
        let links = (0..below(MOST)).map(|_| {
            let (one, other) = (below(places), below(places));
            placed(LINKS[below(LINKS.len())], one, other)
        });
        Self {
            links: links.collect(),
            constructs,
        }
    }
}

fn constructs_of(major: i32) -> Vec<&'static str> {
    let more: &[&str] = match major {
        ..=16 => &UNTIL_16,
        17 => &[],
        18.. => &SINCE_18,
    };
    [&CONSTRUCTS, more].concat()
}

fn placed(template: &str, place: usize, other: usize) -> String {
    template
        .replace("{n}", &place.to_string())
        .replace("{m}", &other.to_string())
}
