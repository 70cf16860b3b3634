//! The checksum, as the client computes it from COPY text and as servers do.

use backup::{
    checksum::{self, RowSums},
    format::RowHash,
    pinned_session::PinnedSession,
    preflight::{self, Fault},
    schema::Name,
};
use futures_util::TryStreamExt;
use local_supabase::postgres::{Cluster, TestDatabase};
use uuid::Uuid;

/// Every kind of type, and some of the app's own.
const TYPES: &str = "
    create type public.mood as enum ('happy', 'so so', 'a,b');
    create function public.shout(public.mood) returns text language sql immutable
        as $$ select 'shouted' $$;
    create cast (public.mood as text) with function public.shout(public.mood) as assignment;
    create type public.pair as (a integer, b text);
    create domain public.code as varchar(9) check (value <> 'x');
    create domain public.pairs as public.pair[];
    create type public.span as range (subtype = float8);
    create table public.t (
        id bigint generated always as identity primary key,
        smallint smallint, integer integer, real real, double double precision,
        \"numeric\" numeric, money money, boolean boolean, bpchar char(5), varchar varchar(40),
        text text, name name, \"char\" \"char\", bytea bytea, xml xml, json json, jsonb jsonb,
        uuid uuid, date date, \"timestamp\" timestamp, timestamptz timestamptz,
        interval interval, \"time\" time, timetz timetz, inet inet, cidr cidr, macaddr macaddr,
        bits bit(3), varbit varbit, point point, box box, path path, polygon polygon,
        circle circle, line line, lseg lseg, tsvector tsvector, tsquery tsquery,
        texts text[], grid integer[][], moods public.mood[], mood public.mood,
        pair public.pair, pairs public.pairs, code public.code, span public.span,
        multirange int4multirange, lsn pg_lsn, jsonpath jsonpath, oid oid,
        regclass regclass, \"a \"\"b\" text
    )";

/// Values of types that are no texts, a column and some of each.
const VALUES: [(&str, &[&str]); 36] = [
    ("smallint", &["-32768", "0"]),
    ("integer", &["2147483647"]),
    ("real", &["1e-45", "NaN", "-Infinity", "0.1"]),
    (
        "double",
        &["-0", "Infinity", "5e-324", "0.30000000000000004"],
    ),
    ("numeric", &["NaN", "1.000", "-1e30", "Infinity"]),
    ("money", &["-1234567.89"]),
    ("boolean", &["t", "f"]),
    ("bpchar", &["", "a", "12345"]),
    ("char", &["", "a", " "]),
    ("bytea", &["\\x", "\\x00ff0a5c"]),
    (
        "xml",
        &[
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?><rss/>",
            "<?xml version=\"1.1\" encoding=\"UTF-8\"?><a/>",
            "text",
            "",
        ],
    ),
    ("json", &[" { \"a\" : 1, \"a\": \"\\u00e9\" } "]),
    ("date", &["infinity", "0044-03-15 BC"]),
    ("timestamp", &["-infinity", "2026-02-28 23:59:59.999999"]),
    ("timestamptz", &["2026-03-29 02:30:00+02"]),
    ("interval", &["1 year -2 days 03:04:05.6"]),
    ("timetz", &["12:00:00-03:30"]),
    ("inet", &["10.1.2.3/8", "::1"]),
    ("cidr", &["10.0.0.0/8"]),
    ("bits", &["101"]),
    ("varbit", &[""]),
    ("point", &["(1.5,-0)"]),
    ("box", &["(1,1),(0,0)"]),
    ("path", &["[(0,0),(1,1)]"]),
    ("line", &["{1,2,3}"]),
    ("tsvector", &["'a b':1A 'c':2"]),
    ("tsquery", &["'a' & !'b c'"]),
    ("grid", &["{{1,2},{3,NULL}}", "{}", "[0:0]={7}"]),
    ("moods", &["{happy,\"a,b\",NULL}"]),
    ("mood", &["so so", "a,b"]),
    ("pair", &["(,)", "(1,\"\")"]),
    ("pairs", &["{\"(1,\\\"a,b\\\")\",\"(,)\",NULL}"]),
    ("span", &["empty", "[0.1,)"]),
    ("multirange", &["{[1,3),[5,9)}"]),
    ("jsonpath", &["$.\"a b\" ? (@ > 1)"]),
    ("regclass", &["pg_class", "public.t", "-"]),
];

/// What texts are made of here: all that COPY escapes, that some type quotes, and
/// that some library takes for a space.
const PARTS: [&str; 24] = [
    "\t",
    "\n",
    "\r",
    "\u{8}",
    "\u{b}",
    "\u{c}",
    "\\",
    "\\N",
    "\\.",
    "\"",
    "'",
    "(",
    ")",
    ",",
    "{",
    "}",
    " ",
    "\u{1}",
    "\u{7f}",
    "\u{85}",
    "\u{a0}",
    "é",
    "null",
    "plain text of some length",
];

/// Beyond LATIN1.
const WIDE: [&str; 4] = ["🍷", "\u{2028}", "ﷺ", "\u{feff}"];

/// Texts of some parts each, always the same.
fn texts(parts: &[&str], count: usize) -> Vec<String> {
    let mut state = 88_172_645_463_325_252_u64;
    let mut next = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state >> 33).unwrap() % below
    };
    (0..count)
        .map(|_| {
            let length = next(9);
            (0..length).map(|_| parts[next(parts.len())]).collect()
        })
        .collect()
}

async fn fill(session: &PinnedSession, texts: &[String]) {
    let client = session.client();
    client.batch_execute(TYPES).await.unwrap();
    client
        .batch_execute("insert into public.t default values")
        .await
        .unwrap();
    for (column, values) in VALUES {
        for value in values {
            let value = value.replace('\'', "''");
            let insert = format!("insert into public.t (\"{column}\") values ('{value}')");
            client.batch_execute(&insert).await.unwrap();
        }
    }
    client
        .execute(
            "insert into public.t (text, varchar, \"a \"\"b\", texts, pair, pairs, jsonb, bytea, name)
             select v, left(v, 40), v, array[v, null, '', v], row(7, v)::public.pair, array[row(null, v)::public.pair],
                 to_jsonb(v), convert_to(v, 'UTF8'), left(v, 20)
             from unnest($1::text[]) as v",
            &[&texts],
        )
        .await
        .unwrap();
}

/// Fails unless the client's sums of a table are the server's.
async fn assert_agree(session: &PinnedSession, table: &str) {
    let client = session.client();
    let columns = client
        .query(
            "select attname::text from pg_attribute
             where attrelid = ('public.' || $1)::regclass and attnum > 0 order by attnum",
            &[&table],
        )
        .await
        .unwrap();
    let columns: Vec<String> = columns.iter().map(|row| row.get(0)).collect();
    let copy = format!("copy public.{table} to stdout");
    let rows: Vec<bytes::Bytes> = Box::pin(client.copy_out(&copy).await.unwrap())
        .try_collect()
        .await
        .unwrap();
    let name = Name {
        schema: "public".into(),
        name: table.into(),
    };
    for hash in [RowHash::Plain, RowHash::Mixed] {
        for row in &rows {
            let of_row = RowSums::of(row, columns.len(), hash);
            assert_ne!(of_row, RowSums::default());
        }
        let (count, server) = checksum::read(client, &name, &columns, hash).await.unwrap();
        assert_eq!(count, rows.len() as u64);
        let sums = RowSums::of(&rows.concat(), columns.len(), hash);
        assert_eq!(sums.checksum(), server, "{table} {hash:?}");
    }
    // The same for each column alone, so that a type that differs is named.
    for column in &columns {
        let one = [column.clone()];
        let copy = format!(
            "copy public.{table} (\"{}\") to stdout",
            column.replace('"', "\"\"")
        );
        let rows: Vec<bytes::Bytes> = Box::pin(client.copy_out(&copy).await.unwrap())
            .try_collect()
            .await
            .unwrap();
        let (_, server) = checksum::read(client, &name, &one, RowHash::Mixed)
            .await
            .unwrap();
        let sums = RowSums::of(&rows.concat(), 1, RowHash::Mixed);
        assert_eq!(sums.checksum(), server, "{table} {column}");
    }
}

async fn pinned(database: &str) -> PinnedSession {
    let cluster = Cluster::shared().await.unwrap();
    let ca = cluster.ca_pem_path().display().to_string();
    let url = cluster.postgres_url(database).into();
    PinnedSession::open(&url, Some(&ca)).await.unwrap()
}

#[tokio::test]
async fn the_client_and_a_server_agree_on_every_type() {
    let database = TestDatabase::empty().await.unwrap();
    let session = pinned(database.name()).await;
    fill(&session, &texts(&[&PARTS[..], &WIDE].concat(), 1_000)).await;
    assert_agree(&session, "t").await;
}

/// A database in another encoding, dropped when the test has done well.
async fn encoded(encoding: &str) -> (String, PinnedSession) {
    let name = format!("encoded_{}", Uuid::new_v4().simple());
    let cluster = Cluster::shared().await.unwrap();
    let admin = cluster.connect_admin("postgres").await.unwrap();
    let create = format!(
        "create database {name} owner postgres encoding '{encoding}' locale 'C' template template0"
    );
    admin.batch_execute(&create).await.unwrap();
    let session = pinned(&name).await;
    session
        .client()
        .batch_execute("create schema if not exists public")
        .await
        .unwrap();
    (name, session)
}

async fn dropped((name, session): (String, PinnedSession)) {
    session.close().await.unwrap();
    let cluster = Cluster::shared().await.unwrap();
    cluster.drop_database(&name).await.unwrap();
}

#[tokio::test]
async fn a_server_in_another_encoding_agrees() {
    for encoding in ["LATIN1", "WIN1252"] {
        let (name, session) = encoded(encoding).await;
        let parts: Vec<&str> = PARTS
            .iter()
            .copied()
            // No character of Windows.
            .filter(|part| encoding == "LATIN1" || *part != "\u{85}")
            .collect();
        fill(&session, &texts(&parts, 300)).await;
        assert_agree(&session, "t").await;
        dropped((name, session)).await;
    }
}

#[tokio::test]
async fn texts_of_no_known_encoding_are_refused() {
    let (name, session) = encoded("SQL_ASCII").await;
    let faults = preflight::examine_server(&session).await.unwrap();
    assert_eq!(faults, [Fault::NoEncoding]);
    dropped((name, session)).await;
}

#[tokio::test]
async fn tables_without_columns_and_with_many_agree() {
    let database = TestDatabase::empty().await.unwrap();
    let session = pinned(database.name()).await;
    let many: Vec<String> = (0..300).map(|n| format!("c{n} text")).collect();
    session
        .client()
        .batch_execute(&format!(
            "create table public.none ();
             insert into public.none default values;
             insert into public.none default values;
             create table public.empty (a text);
             create table public.many ({});
             insert into public.many default values;
             insert into public.many (c0, c299) values ('', 'last')",
            many.join(", ")
        ))
        .await
        .unwrap();
    for table in ["none", "empty", "many"] {
        assert_agree(&session, table).await;
    }
}
