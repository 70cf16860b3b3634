//! What is different between two backups, from the pieces that they do not share.

use backup::{
    differences::{self, Became, Differences, DifferencesError, Request, RowDifference},
    format::Snapshot,
    schema::Name,
};

use crate::{
    handmade::name,
    support::{migrated, session},
    taken::Taken,
};

const BEFORE: &str = "
    create table public.wines (
        made timestamptz not null default now(), id uuid primary key default gen_random_uuid(),
        name text, price numeric, note text
    );
    insert into public.wines (id, name, price, note)
        select lpad(n::text, 32, '0')::uuid, 'wine ' || n, n, repeat(md5(n::text), 20) from generate_series(1, 8000) n;
    create table public.same (id int primary key, note text);
    insert into public.same select n, 'note' from generate_series(1, 100) n;
    create table public.keyless (note text, stock int);
    insert into public.keyless values ('a', 1), ('a', 1), ('a', 1), (null, 2), ('c', 3);
    create table public.gone (id int primary key);
    insert into public.gone values (1), (2);
    create table public.moved (id int, nth int, primary key (id, nth), left_out text, kind int);
    insert into public.moved values (1, 1, 'x', 1), (1, 2, 'y', 2);
    create index wines_name on public.wines (name);
";

/// Its first statements leave all rows but three of `wines` in the pieces where they were.
const AFTER: &str = r"
    update public.wines set price = 1 where name = 'wine 7990';
    update public.wines set made = now(), note = null where name = 'wine 7991';
    delete from public.wines where name = 'wine 7992';
    insert into public.wines (id, name) values ('ffffffff-ffff-ffff-ffff-ffffffffffff', E'new\n');
    delete from public.keyless where ctid = (select ctid from public.keyless where note = 'a' limit 1);
    insert into public.keyless values (null, 2), ('d', 4);
    drop table public.gone;
    create table public.came (id int primary key);
    insert into public.came values (1), (2), (3);
    alter table public.moved drop column left_out, alter column kind type bigint, add column more int;
    update public.moved set kind = 3 where nth = 2;
    drop index public.wines_name;
    create index wines_price on public.wines (price);
    create or replace view public.cheap as select id from public.wines where price < 10;
";

async fn pair() -> (Taken, [Snapshot; 2]) {
    let source = migrated().await;
    session(&source).await.batch_execute(BEFORE).await.unwrap();
    let taken = Taken::of(source).await;
    let first = taken.snapshot.clone();
    let client = session(&taken.source).await;
    client.batch_execute(AFTER).await.unwrap();
    let taken = taken.again().await;
    let second = taken.snapshot.clone();
    (taken, [first, second])
}

async fn between(
    taken: &Taken,
    [first, second]: [&Snapshot; 2],
    tables: &[Name],
    limit: usize,
) -> Result<Differences, DifferencesError> {
    let request = Request {
        store: &taken.store,
        snapshots: [first, second],
        identities: &taken.identities,
        tables,
        limit,
    };
    differences::between(request, || {}).await
}

fn of_app(found: &Differences) -> Vec<String> {
    let tables = found.tables.iter();
    let tables = tables.filter(|one| one.table.schema == "public");
    tables
        .map(|one| {
            let columns: Vec<_> = one.columns.iter().map(|(name, _)| name.as_str()).collect();
            format!(
                "{} {:?} {:?} +{} ~{} -{} {}",
                one.table.name,
                one.became,
                one.rows,
                one.added,
                one.changed,
                one.removed,
                columns.join(",")
            )
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_columns_tables_and_objects_that_differ_are_told() {
    let (taken, [first, second]) = pair().await;
    let found = between(&taken, [&first, &second], &[], 10).await.unwrap();
    assert_eq!(
        of_app(&found),
        [
            "came Added [0, 3] +3 ~0 -0 ",
            "gone Removed [2, 0] +0 ~0 -2 ",
            "keyless Changed [5, 6] +2 ~0 -1 ",
            "moved Changed [2, 2] +0 ~1 -0 left_out,kind,more",
            "wines Changed [8000, 8000] +1 ~2 -1 ",
        ]
    );
    for (what, became) in [
        ("index public.wines_name", Became::Removed),
        ("index public.wines_price", Became::Added),
        ("table public.moved", Became::Changed),
        ("table public.came", Became::Added),
        ("view public.cheap", Became::Added),
    ] {
        let one = (what.to_owned(), became);
        assert!(found.objects.contains(&one), "{what}: {:?}", found.objects);
    }
    let is_of_same = |(what, _): &&(String, Became)| what.contains("public.same");
    assert_eq!(found.objects.iter().find(is_of_same), None);

    let wines = found.tables.iter().find(|one| one.table.name == "wines");
    let wines = wines.unwrap();
    // The time by which the rows are ordered is no part of the key.
    assert_eq!(wines.key, ["id"]);
    let row = |id: &str, became, columns: &[&str]| RowDifference {
        key: vec![Some(id.to_owned())],
        became,
        columns: columns.iter().map(|&name| name.to_owned()).collect(),
    };
    let number = |n: u32| format!("00000000-0000-0000-0000-{n:012}");
    for expected in [
        row(&number(7990), Became::Changed, &["price"]),
        row(&number(7991), Became::Changed, &["made", "note"]),
        row(&number(7992), Became::Removed, &[]),
        row("ffffffff-ffff-ffff-ffff-ffffffffffff", Became::Added, &[]),
    ] {
        assert!(wines.named.contains(&expected), "{:?}", wines.named);
    }
    assert_eq!(wines.named.len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_the_two_do_not_share_is_read() {
    let (taken, [first, second]) = pair().await;
    let none = between(&taken, [&second, &second], &[], 10).await.unwrap();
    assert_eq!((none.tables.len(), none.objects.len()), (0, 0));
    assert_eq!((none.pieces_read, none.equal), (0, second.totals.tables));

    let wines = [name("public", "wines")];
    let some = between(&taken, [&first, &second], &wines, 1).await.unwrap();
    let pieces = taken.pieces(&wines[0]).len() as u64;
    assert!(pieces > 3, "{pieces}");
    assert!(
        some.pieces_read <= pieces,
        "{} of twice {pieces}",
        some.pieces_read
    );
    assert_eq!(some.tables[0].named.len(), 1, "no more than were asked for");
    let about = |(what, _): &(String, Became)| what.contains("wines");
    assert!(some.objects.iter().all(about), "{:?}", some.objects);

    let gone = [name("public", "gone")];
    let gone = between(&taken, [&first, &second], &gone, 0).await.unwrap();
    assert_eq!(of_app(&gone), ["gone Removed [2, 0] +0 ~0 -2 "]);
    let unknown = [name("public", "wine")];
    let unknown = between(&taken, [&first, &second], &unknown, 0).await;
    let unknown = unknown.unwrap_err().to_string();
    assert!(
        unknown.starts_with("the backup has no table public.wine"),
        "{unknown}"
    );
}
