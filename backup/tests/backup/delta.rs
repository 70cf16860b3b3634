//! Runs that read what changed: what they make is what a run makes that reads everything.
//!
//! Every run of the test plays a few random histories from a first seed that is random and
//! printed. `HISTORIES=100 cargo test -p backup --test backup delta` plays a hundred;
//! `SEED=17 HISTORIES=1` in front of the same command plays the seventeenth again.

use backup::{
    checksum,
    format::{How, KnownRows, Manifest, RowHash, TableData, TableRead, Why, object_path},
    repository::Repository,
    run::{self, Backup, Reading, Request},
    schema::Name,
};
use local_supabase::postgres::TestDatabase;
use outside::clock;
use proptest::{
    prelude::Rng,
    test_runner::{RngAlgorithm, TestRng},
};
use tokio_postgres::Client;

use crate::{
    proxy::{End, Proxy},
    random_databases::{any_seed, wanted},
    restore::restore,
    support,
    taken::Taken,
    vault::{Vault, public},
};

/// How many histories a run plays unless `HISTORIES` says otherwise.
const HISTORIES: u64 = 2;

/// How many times a database is changed and backed up in a history.
const STEPS: usize = 7;

/// Tables of several segments each, with every kind of key and of value.
const TABLES: &str = "
    create type public.mood as enum ('happy', 'sad', 'so so');
    create table public.grown (
        id bigint primary key, v text, n numeric, f float8, at timestamptz, j json, m public.mood, a text[]
    );
    insert into public.grown
    select g * 10, repeat(md5(g::text), 8), g % 7, g % 5, timestamptz '2026-01-01' + g * interval '1 s',
        '{\"a\": 1}', 'happy', array['x', null]
    from generate_series(1, 5000) g;
    create table public.scattered (
        id uuid primary key default gen_random_uuid(), created_at timestamptz default now(), body text
    );
    insert into public.scattered (id, created_at, body)
    select md5('s' || g)::uuid, timestamptz '2026-01-01' + g * interval '1 minute', repeat(md5(g::text), 9) from generate_series(1, 5000) g;
    create table public.named (name text primary key, v text);
    insert into public.named select md5(g::text) || e'\\t\\\\é', repeat(md5(g::text), 8) from generate_series(1, 5000) g;
    create table public.pairs (owner int, thing varchar(40), v text, primary key (owner, thing));
    insert into public.pairs select g / 40, md5(g::text), repeat(md5(g::text), 8) from generate_series(1, 5000) g;
    create table public.imported (
        id uuid primary key default gen_random_uuid(), created_at timestamptz default now(), body text
    );
    insert into public.imported (id, created_at, body)
    select md5(g::text)::uuid, timestamptz '2026-01-01' + g / 4000 * interval '1 day', repeat(md5(g::text), 8)
    from generate_series(1, 5000) g;
    create table public.unkeyed (v text);
    insert into public.unkeyed select repeat(md5((g % 50)::text), 8) from generate_series(1, 3000) g;
    create table public.big (id int primary key, doc text);
    insert into public.big
    select g, (select string_agg(md5((g * 1000 + part)::text), '') from generate_series(1, 1500) as part)
    from generate_series(1, 30) g;
    insert into public.big values (100, repeat('long', 1200000));
    create table public.empty (id int primary key, v text);";

/// Changes, with `{a}` and `{b}` two random numbers of 1 to 5000 and `{k}` a small one.
const CHANGES: [&str; 37] = [
    // In the middle, one row or some next to each other.
    "update grown set v = repeat('changed', {k}) where id = {a} * 10",
    "update grown set v = v || 'x' where id between {a} * 10 and {a} * 10 + 10 * {k}",
    "update scattered set body = 'changed {a}' where ctid = (select ctid from scattered offset {a} - 1 limit 1)",
    "update named set v = null where name = md5({a}::text) || e'\\t\\\\é'",
    "update pairs set v = '' where owner = {a} / 40",
    "update unkeyed set v = v || '{a}' where ctid = (select ctid from unkeyed limit 1)",
    "update imported set body = 'changed' where id = md5({a}::text)::uuid",
    "update imported set created_at = created_at + interval '{k} hours' where id = md5({a}::text)::uuid",
    "insert into imported (created_at, body) values ('2026-01-01', 'more'), ('2026-01-01 12:00', 'between')",
    // Rows that exchange values.
    "update grown g set v = o.v from grown o where g.id in ({a} * 10, {a} * 10 + 10) and o.id = 2 * {a} * 10 + 10 - g.id",
    "update grown g set at = o.at from grown o where g.id in ({a} * 10, {b} * 10) and o.id = {a} * 10 + {b} * 10 - g.id",
    // Deleted, in the middle and at both ends.
    "delete from grown where id between {a} * 10 and {a} * 10 + 30 * {k}",
    "delete from grown where id <= (select min(id) + 100 * {k} from grown)",
    "delete from scattered where ctid in (select ctid from scattered order by created_at desc limit {k})",
    "delete from named where name < md5({a}::text) and {k} = 1",
    "delete from pairs where owner = {a} / 40",
    "delete from big where id = {k}",
    // Inserted at the end, in the middle, and before the first.
    "insert into grown (id, v) select (select max(id) from grown) + g, repeat(md5(g::text), 8) from generate_series(1, 100 * {k}) g",
    "insert into grown (id, v) values ({a} * 10 + 5, 'between') on conflict do nothing",
    "insert into grown (id, v) select (select min(id) from grown) - g, 'before' from generate_series(1, 100 * {k}) g",
    "insert into scattered (body) select repeat(md5(g::text), 8) from generate_series(1, 10 * {k}) g",
    "insert into named values ('', 'first'), ('ÿÿÿ', 'last'), (md5({a}::text), 'between') on conflict do nothing",
    "insert into pairs values ({a} / 40, '{b}', 'more') on conflict do nothing",
    "insert into empty select g, md5(g::text) from generate_series(1, 3000 * {k}) g on conflict do nothing",
    // Keys that change, within a range and to another.
    "update grown set id = id + 3 where id = {a} * 10",
    "update grown set id = -{a} where id = {b} * 10 and not exists (select from grown where id = -{a})",
    "update named set name = 'moved {a}' where name = md5({b}::text) || e'\\t\\\\é' and not exists (select from named where name = 'moved {a}')",
    "update scattered set created_at = null where ctid = (select ctid from scattered offset {a} % 1000 limit 1)",
    "update scattered set created_at = '2026-01-02' where created_at is null",
    // The same value in another spelling, and other values that look the same.
    "update grown set n = n::numeric(12, 3), f = case when f = 0 then '-0' else f end where id between {a} * 10 and {a} * 10 + 200",
    "update grown set j = '{ \"a\":1 }', m = 'so so', a = '{x,NULL,\"null\"}' where id = {a} * 10",
    // Values that are stored apart, and one longer than a segment.
    "update big set doc = overlay(doc placing '{a}' from {a}) where id = 3 + {k}",
    "update big set doc = doc || '{a}' where id = 100",
    // Everything, and the shape.
    "update pairs set v = v || 'all'",
    "truncate unkeyed, named; insert into named select md5((g + {a})::text), repeat('n', 300) from generate_series(1, 4000) g",
    "alter table pairs add column c{a}_{b} int default {k}",
    "alter type mood rename value 'happy' to 'glad {a}{b}'; alter type mood rename value 'glad {a}{b}' to 'happy'",
];

#[tokio::test(flavor = "multi_thread")]
async fn what_reads_changes_makes_what_reads_everything_makes() {
    let histories = wanted("HISTORIES").unwrap_or(HISTORIES);
    let first = wanted("SEED").unwrap_or_else(any_seed);
    println!("{histories} histories from SEED={first} on");
    for seed in first..first + histories {
        println!("to play it again: SEED={seed} HISTORIES=1");
        Box::pin(plays(seed)).await;
    }
}

async fn plays(seed: u64) {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let mut random = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut below = |limit: usize| usize::try_from(random.next_u64() % limit as u64).unwrap();
    let (database, client) = made().await;
    let mut backup = Taken::of(database).await;
    let mut taken_over = 0;
    for step in 0..STEPS {
        for _ in 0..=below(6) {
            let change = CHANGES[below(CHANGES.len())];
            let change = change.replace("{a}", &(1 + below(5000)).to_string());
            let change = change.replace("{b}", &(1 + below(5000)).to_string());
            let change = change.replace("{k}", &(1 + below(4)).to_string());
            let done = client.batch_execute(&change).await;
            done.unwrap_or_else(|error| panic!("{step}: {change}: {error:?}"));
        }
        backup = backup.again().await;
        let everything = Vault::new();
        let whole = everything.back_up(&backup.source).await.unwrap();
        assert_same(&backup.manifest, &everything.manifest(&whole.record).await);
        crate::scratch::assert_whole(&backup.store, &backup.snapshot, &backup.identities).await;
        taken_over += backup
            .manifest
            .tables
            .iter()
            .filter(|data| is_in_part(data))
            .count();
    }
    assert!(taken_over > STEPS, "hardly anything was taken over");
    let target = TestDatabase::empty().await.unwrap();
    restore(&backup, &target).await.unwrap();
    let (here, there) = (support::session(&target).await, &client);
    for data in &backup.manifest.tables {
        if data.table.schema == "public" {
            let [here, there] = [&here, there]
                .map(|session| checksum::read(session, &data.table, &data.columns, RowHash::Mixed));
            assert_eq!(here.await.unwrap(), there.await.unwrap(), "{}", data.table);
        }
    }
}

/// A database with the tables, and a session in which their names need no schema.
async fn made() -> (TestDatabase, Client) {
    let database = support::migrated().await;
    let client = support::session(&database).await;
    client.batch_execute(TABLES).await.unwrap();
    client
        .batch_execute("set search_path = public")
        .await
        .unwrap();
    (database, client)
}

/// The app's tables are the same in both, to the last sum. That each piece is what its backup
/// says of it, verifying tells.
fn assert_same(one: &Manifest, other: &Manifest) {
    let of_app = |manifest: &Manifest| -> Vec<TableData> {
        let tables = manifest.tables.iter().cloned();
        let tables = tables.filter(|data| data.table.schema == "public");
        let without_pieces = |data| TableData {
            read: None,
            pieces: Vec::new(),
            ..data
        };
        tables.map(without_pieces).collect()
    };
    assert_eq!(of_app(one), of_app(other));
    let keys = |data: &TableData| {
        let keys = data.pieces.iter();
        keys.map(|piece| [piece.first_key.clone(), piece.last_key.clone()])
            .collect::<Vec<_>>()
    };
    let (one, other) = (one.tables.iter(), other.tables.iter());
    for (one, other) in one
        .zip(other)
        .filter(|(one, _)| one.table.schema == "public")
    {
        let ends = |data| keys(data).first().map(|[first, _]| first.clone());
        assert_eq!(ends(one), ends(other), "{}", one.table);
        let ends = |data| keys(data).last().map(|[_, last]| last.clone());
        assert_eq!(ends(one), ends(other), "{}", one.table);
    }
}

fn is_in_part(data: &TableData) -> bool {
    let read = data.read.unwrap();
    data.table.schema == "public" && read.bytes_taken_over > 0
}

fn read_of(backup: &Backup, table: &Name) -> TableRead {
    let mut reads = backup.reads.iter();
    reads.find(|(name, _)| name == table).unwrap().1
}

fn whole(why: Why) -> How {
    How::Whole { why }
}

#[tokio::test]
async fn a_run_says_of_each_table_how_it_was_read_and_why() {
    let (database, client) = made().await;
    let vault = Vault::new();
    let first = vault.back_up(&database).await.unwrap();
    for (table, why) in [
        ("grown", Why::Unknown),
        ("scattered", Why::Unknown),
        ("unkeyed", Why::NoKey),
    ] {
        assert_eq!(read_of(&first, &public(table)).how, whole(why), "{table}");
    }
    client
        .batch_execute(
            CHANGES[0]
                .replace("{a}", "2500")
                .replace("{k}", "1")
                .as_str(),
        )
        .await
        .unwrap();
    let changes = "insert into scattered (body) values ('one');
        create function f(text) returns text language plpgsql immutable as 'begin return $1; end';
        create index on pairs (f(v))";
    client.batch_execute(changes).await.unwrap();
    let second = vault.back_up(&database).await.unwrap();
    let in_part = |how, read| matches!(how, How::Changes { ranges, ranges_read } if ranges >= 2 && ranges_read == read);
    for (table, read) in [
        ("grown", 1),
        ("scattered", 1),
        ("imported", 0),
        ("named", 0),
        ("big", 0),
    ] {
        let how = read_of(&second, &public(table)).how;
        assert!(in_part(how, read), "{table}: {how:?}");
    }
    assert_eq!(read_of(&second, &public("pairs")).how, whole(Why::RunsCode));
    assert_eq!(read_of(&second, &public("named")).bytes_read, 0);
    let has_rows = |read: &TableRead| read.bytes_read + read.bytes_taken_over > 0;
    let reads: Vec<_> = second
        .reads
        .iter()
        .filter(|(name, read)| name.schema == "public" && has_rows(read))
        .cloned()
        .collect();
    let all = Reading::of(&reads);
    assert_eq!((all.tables_whole, all.tables_in_part), (2, 2), "{reads:?}");
    assert_eq!(all.tables_unchanged, 3, "{reads:?}");

    client
        .batch_execute("update named set v = v || 'all'; alter table grown drop column n")
        .await
        .unwrap();
    let third = vault.back_up(&database).await.unwrap();
    assert_eq!(read_of(&third, &public("named")).how, whole(Why::Spread));
    assert_eq!(
        read_of(&third, &public("grown")).how,
        whole(Why::OtherShape)
    );
    vault.assert_whole(&third.record).await;
    let manifest = vault.manifest(&third.record).await;
    let named = manifest
        .tables
        .iter()
        .find(|data| data.table == public("named"));
    assert_eq!(named.unwrap().read, Some(read_of(&third, &public("named"))));
    // Nobody asks again at once.
    client
        .batch_execute("update named set v = 'short'")
        .await
        .unwrap();
    let fourth = vault.back_up(&database).await.unwrap();
    let named = read_of(&fourth, &public("named"));
    assert_eq!((named.how, named.checksum_ms), (whole(Why::Spread), 0));
}

/// The repository of a vault, in which runs note down what they know.
async fn repository(vault: &Vault) -> Repository {
    let opened = Repository::open(
        vault.store.clone(),
        &vault.secret,
        vault.recipients.clone(),
        clock::now(),
    );
    opened.await.unwrap()
}

/// What a run makes of changed notes: how it reads `grown`.
async fn with_notes(change: impl Fn(&mut KnownRows)) -> How {
    let (database, _client) = made().await;
    let vault = Vault::new();
    vault.back_up(&database).await.unwrap();
    let repository = repository(&vault).await;
    let mut known = repository.known_rows().await;
    assert!(!known.tables.is_empty());
    change(&mut known);
    repository.note_rows(known).await.unwrap();
    let next = vault.back_up(&database).await.unwrap();
    vault.assert_whole(&next.record).await;
    read_of(&next, &public("grown")).how
}

#[tokio::test]
async fn notes_that_do_not_fit_lead_to_a_run_that_reads() {
    let read_at = |known: &mut KnownRows, hours: i64| {
        for table in &mut known.tables {
            let later = jiff::SignedDuration::from_hours(hours);
            table.read_at = table.read_at.checked_add(later).unwrap();
        }
    };
    let week = with_notes(|known| read_at(known, -7 * 24 - 1)).await;
    assert_eq!(week, whole(Why::Weekly));
    let ahead = with_notes(|known| read_at(known, 1000)).await;
    assert_eq!(ahead, whole(Why::Weekly));
    let upgraded = with_notes(|known| known.version_num += 1).await;
    assert_eq!(upgraded, whole(Why::OtherServer));
    let settings = with_notes(|known| known.settings[0].1.push('x')).await;
    assert_eq!(settings, whole(Why::OtherServer));
    // A piece that nobody vouches for, and one that holds other rows.
    for alter in [
        |name: &mut String| *name = "0".repeat(64),
        |name: &mut String| name.push_str("-7"),
    ] {
        let unknown = with_notes(|known| {
            let grown = known
                .tables
                .iter_mut()
                .find(|known| known.table == public("grown"));
            alter(&mut grown.unwrap().pieces[1].piece.name);
        });
        let unknown = unknown.await;
        assert!(
            matches!(unknown, How::Changes { ranges_read: 1, .. }),
            "{unknown:?}"
        );
    }
}

#[tokio::test]
async fn everything_is_read_where_that_is_asked_for() {
    let (database, _client) = made().await;
    let vault = Vault::founded().await;
    vault.back_up(&database).await.unwrap();
    let (url, ca) = support::direct(&database).await;
    let request = Request {
        whole: true,
        ..vault.request(&url, &ca)
    };
    let asked = run::run(request, async || true).await.unwrap();
    assert_eq!(read_of(&asked, &public("grown")).how, whole(Why::Asked));
    assert_eq!(asked.figures.reading.bytes_taken_over, 0);
    vault.assert_whole(&asked.record).await;
    // The next one relies on it.
    let next = vault.back_up(&database).await.unwrap();
    assert_eq!(read_of(&next, &public("grown")).bytes_read, 0);
}

/// Also a server that is not asked twice may refuse, as where the app has taken rights back.
#[tokio::test]
async fn a_server_that_refuses_its_sums_has_everything_read() {
    let (database, _client) = made().await;
    let vault = Vault::new();
    vault.back_up(&database).await.unwrap();
    let admin = database.cluster().await.unwrap();
    let admin = admin.connect_admin(database.name()).await.unwrap();
    let revoke =
        "revoke execute on function pg_catalog.hash_array_extended(anyarray, bigint) from public";
    admin.batch_execute(revoke).await.unwrap();
    let refused = vault.back_up(&database).await.unwrap();
    assert_eq!(read_of(&refused, &public("grown")).how, whole(Why::Refused));
    vault.assert_whole(&refused.record).await;
}

#[tokio::test]
async fn notes_that_are_lost_or_forged_lead_to_a_run_that_reads_everything() {
    let (database, _client) = made().await;
    let vault = Vault::new();
    let first = vault.back_up(&database).await.unwrap();
    let path = object_path::known_rows(first.record.epoch);
    let sealed = vault.store.get(&path).await.unwrap();
    let mut altered = sealed.to_vec();
    altered[40] ^= 1;
    for forged in [Vec::new(), altered, b"plain".to_vec()] {
        vault.store.put_over(&path, forged.into()).await.unwrap();
        let next = vault.back_up(&database).await.unwrap();
        assert_eq!(read_of(&next, &public("grown")).how, whole(Why::Unknown));
        assert_eq!(next.figures.reading.bytes_taken_over, 0);
    }
    let noted = vault.store.get(&path).await.unwrap();
    let keys = noted.windows(8).any(|bytes| bytes == b"grown\t20");
    assert!(!keys, "keys of rows are readable");
}

#[tokio::test]
async fn what_was_emptied_is_suspect_and_read_whole_after() {
    let (database, client) = made().await;
    let vault = Vault::new();
    vault.back_up(&database).await.unwrap();
    let empty = "truncate grown, scattered, named, pairs, unkeyed";
    client.batch_execute(empty).await.unwrap();
    let emptied = vault.back_up(&database).await.unwrap();
    assert!(emptied.record.suspect.is_some());
    let next = vault.back_up(&database).await.unwrap();
    assert_eq!(read_of(&next, &public("big")).how, whole(Why::Suspect));
}

/// The wire is what is paid for.
#[tokio::test]
async fn what_did_not_change_does_not_cross_the_wire() {
    let (database, client) = made().await;
    client.batch_execute("drop table unkeyed").await.unwrap();
    let vault = Vault::founded().await;
    let mut passed = Vec::new();
    for _ in 0..2 {
        let measuring = Proxy::start(u64::MAX, End::Cut).await;
        let (url, ca) = measuring.direct(&database).await;
        let backup = run::run(vault.request(&url, &ca), async || true).await;
        let received = backup.unwrap().figures.bytes_received;
        // What passed is encrypted, and what opened the sessions.
        let passed_here = measuring.passed();
        assert!(received < passed_here, "{received} {passed_here}");
        assert!(
            received * 100 > passed_here * 95,
            "{received} {passed_here}"
        );
        passed.push(passed_here);
    }
    println!("{passed:?}");
    // What is left is the schema, which is read in every run.
    assert!(passed[1] * 4 < passed[0], "{passed:?}");
}
