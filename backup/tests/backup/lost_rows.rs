//! Rows that a living database has lost come back, and nothing of the app's acts on them.

use backup::{
    restore::{self, Along, BroughtBack, Cause, LostRows, Orphans},
    row_history::RowName,
    schema::Name,
};
use local_supabase::postgres::Cluster;
use secrecy::SecretString;
use tokio_postgres::Client;

use crate::{
    handmade::name,
    support::{admin, direct, migrated, session, until},
    taken::Taken,
};

/// A cellar whose triggers count, as the real app's do: each note of a tasting takes a
/// bottle.
const CELLAR: &str = r#"
    create table public.wines (
        id bigint generated always as identity primary key,
        name text not null unique,
        stock int not null,
        worth numeric generated always as (stock * 10) stored,
        "Über" text collate "de-x-icu",
        best bigint
    );
    alter table public.wines add constraint wines_best_fkey
        foreign key (best) references public.wines deferrable initially deferred;
    create table public.tastings (
        wine bigint not null references public.wines on delete cascade,
        nth smallint not null,
        note text,
        primary key (wine, nth)
    );
    create table public."Bilder Größe" (
        id serial primary key,
        wine bigint,
        nth smallint,
        foreign key (wine, nth) references public.tastings match full on delete cascade
    );
    create table public.empty (id int primary key, wine bigint references public.wines on delete cascade);
    create table public.keyless (id int unique, note text);
    create table public.log (at timestamptz default now(), what text);
    create function public.drink() returns trigger language plpgsql as $$
    begin
        update public.wines set stock = stock - 1 where id = new.wine;
        insert into public.log (what) values (tg_op);
        return new;
    end $$;
    insert into public.wines (name, stock) select 'wine ' || n, 148 from generate_series(1, 20) n;
    update public.wines set best = 21 - id;
    insert into public.tastings select id, n, 'good' from public.wines, generate_series(1, 4) n;
    insert into public."Bilder Größe" (wine, nth) select wine, nth from public.tastings;
    create trigger drink after insert on public.tastings for each row execute function public.drink();
    create trigger off after insert on public.tastings for each row execute function public.drink();
    alter table public.tastings disable trigger off;
    alter table public.tastings enable row level security;
    create policy nobody on public.tastings using (false);
"#;

async fn cellar() -> Taken {
    let source = migrated().await;
    session(&source).await.batch_execute(CELLAR).await.unwrap();
    Taken::of(source).await
}

struct Into {
    url: SecretString,
    ca: String,
}

/// The source itself, as the role of `DATABASE_URL`.
async fn live(backup: &Taken) -> Into {
    let (url, ca) = direct(&backup.source).await;
    Into { url, ca }
}

/// The same as a superuser, whose sessions may play a replica's role.
async fn live_as_admin(backup: &Taken) -> Into {
    let cluster = Cluster::shared().await.unwrap();
    let admin = cluster.admin_config(backup.source.name());
    let password = String::from_utf8(admin.get_password().unwrap().to_vec()).unwrap();
    let port = admin.get_ports()[0];
    let database = backup.source.name();
    let url = format!(
        "postgresql://supabase_admin:{password}@127.0.0.1:{port}/{database}?sslmode=require"
    );
    Into {
        url: url.into(),
        ca: live(backup).await.ca,
    }
}

async fn bring_back(
    backup: &Taken,
    into: &Into,
    tables: &[&str],
    write: bool,
) -> Result<BroughtBack, Cause> {
    let tables: Vec<Name> = tables.iter().map(|table| name("public", table)).collect();
    let request = LostRows {
        store: &backup.store,
        snapshot: &backup.snapshot,
        identities: &backup.identities,
        into: &into.url,
        ca: Some(&into.ca),
        tables: &tables,
        whose: &[],
        write,
        by: "anna",
    };
    restore::bring_back(request, &|_| {}).await
}

/// Everything that must be as it was.
async fn state(session: &Client) -> String {
    let row = session.query_one(
        r#"select concat_ws(' ',
            (select md5(string_agg(w::text, ',' order by id)) from public.wines w),
            (select md5(string_agg(t::text, ',' order by wine, nth)) from public.tastings t),
            (select md5(string_agg(b::text, ',' order by id)) from public."Bilder Größe" b),
            (select count(*) from public.log),
            (select string_agg(tgname || tgenabled::text, ',' order by tgname) from pg_trigger where not tgisinternal
             and tgrelid = 'public.tastings'::regclass))"#,
        &[],
    );
    row.await.unwrap().get(0)
}

fn counts(brought: &BroughtBack) -> Vec<(&str, u64, u64)> {
    let tables = brought.tables.iter();
    tables
        .map(|rows| (rows.table.name.as_str(), rows.missing, rows.inserted))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_deleted_comes_back_and_no_trigger_counts_it() {
    let backup = cellar().await;
    for into in [live(&backup).await, live_as_admin(&backup).await] {
        let session = session(&backup.source).await;
        let before = state(&session).await;
        let delete = "update public.wines set best = null where best in (3, 4);
            delete from public.wines where id in (3, 4)";
        session.batch_execute(delete).await.unwrap();
        let deleted = state(&session).await;

        let looked = bring_back(&backup, &into, &["wines"], false).await.unwrap();
        assert_eq!(counts(&looked), [("wines", 2, 0)]);
        let along = |table: &str, with: &str, rows| Along {
            table: name("public", table),
            with: name("public", with),
            rows,
        };
        assert_eq!(
            looked.along,
            [
                along("tastings", "wines", 8),
                along("Bilder Größe", "tastings", 8)
            ]
        );
        assert_eq!((looked.orphans.len(), looked.written), (0, false));
        assert_eq!(state(&session).await, deleted);

        let all = ["Bilder Größe", "tastings", "wines"];
        let brought = bring_back(&backup, &into, &all, true).await.unwrap();
        assert_eq!(
            counts(&brought),
            [("wines", 2, 2), ("tastings", 8, 8), ("Bilder Größe", 8, 8)]
        );
        assert_eq!((brought.along.len(), brought.written), (0, true));
        session
            .batch_execute("update public.wines set best = 21 - id")
            .await
            .unwrap();
        assert_eq!(state(&session).await, before);

        let again = bring_back(&backup, &into, &all, true).await.unwrap();
        assert_eq!(
            counts(&again),
            [("wines", 0, 0), ("tastings", 0, 0), ("Bilder Größe", 0, 0)]
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_orphan_is_named_and_nothing_is_written() {
    let backup = cellar().await;
    let session = session(&backup.source).await;
    session
        .batch_execute(
            "update public.wines set best = null where best = 3; delete from public.wines where id = 3",
        )
        .await
        .unwrap();
    let deleted = state(&session).await;
    for into in [live(&backup).await, live_as_admin(&backup).await] {
        for write in [false, true] {
            let refused = bring_back(&backup, &into, &["Bilder Größe"], write)
                .await
                .unwrap();
            assert_eq!(
                refused.orphans,
                [Orphans {
                    table: name("public", "Bilder Größe"),
                    constraint: "Bilder Größe_wine_nth_fkey".into(),
                    columns: vec!["wine".into(), "nth".into()],
                    refers_to: name("public", "tastings"),
                    rows: 4,
                }]
            );
            assert!(!refused.written);
            assert_eq!(state(&session).await, deleted);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_changed_takes_what_both_have() {
    let backup = cellar().await;
    let session = session(&backup.source).await;
    session
        .batch_execute(
            "update public.wines set best = null where best in (19, 20); \
             delete from public.wines where id in (19, 20)",
        )
        .await
        .unwrap();
    session
        .batch_execute(
            "alter table public.wines drop column \"Über\", add column grade text not null default 'new', \
                 alter column name type varchar(50); \
             insert into public.wines (name, stock) values ('wine 19', 1); \
             alter sequence public.wines_id_seq restart with 5; \
             alter sequence public.\"Bilder Größe_id_seq\" restart with 5",
        )
        .await
        .unwrap();
    let into = live(&backup).await;
    let brought = bring_back(&backup, &into, &["wines"], true).await.unwrap();
    // The name of one has been taken by another.
    assert_eq!(counts(&brought), [("wines", 2, 1)]);
    let [wines] = &brought.tables[..] else {
        panic!("{brought:?}");
    };
    assert_eq!(
        (&wines.left[..], &wines.defaults[..]),
        (&["Über".to_owned()][..], &["grade".to_owned()][..])
    );
    assert_eq!(brought.sequences, ["public.wines_id_seq"]);
    let row = session.query_one(
        "select concat_ws(' ', stock, worth, grade, best, nextval('public.wines_id_seq')) from public.wines where id = 20",
        &[],
    );
    assert_eq!(row.await.unwrap().get::<_, &str>(0), "148 1480 new 1 21");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_told_apart_or_is_not_there_is_refused() {
    let backup = cellar().await;
    let into = live(&backup).await;
    let error = bring_back(&backup, &into, &["keyless"], true)
        .await
        .unwrap_err();
    assert!(
        matches!(&error, Cause::NoKey(table) if *table == name("public", "keyless")),
        "{error}"
    );
    let error = bring_back(&backup, &into, &["wine"], true)
        .await
        .unwrap_err();
    assert!(
        error
            .to_string()
            .contains("the backup has no table public.wine; it has public.wines"),
        "{error}"
    );
    let session = session(&backup.source).await;
    session
        .batch_execute("drop table public.empty")
        .await
        .unwrap();
    let error = bring_back(&backup, &into, &["empty"], true)
        .await
        .unwrap_err();
    assert!(matches!(&error, Cause::NoTables(_)), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_come_back_to_the_partition_that_they_belong_to_now() {
    let source = migrated().await;
    let setup = r"
        create table public.years (year int, id int, primary key (year, id)) partition by range (year);
        create table public.old partition of public.years for values from (0) to (2000);
        create table public.new partition of public.years for values from (2000) to (3000);
        insert into public.years select 1990 + n, n from generate_series(1, 20) n";
    session(&source).await.batch_execute(setup).await.unwrap();
    let backup = Taken::of(source).await;
    let session = session(&backup.source).await;
    session
        .batch_execute(
            "alter table public.years detach partition public.new; \
             alter table public.new rename to former; \
             create table public.new partition of public.years for values from (2000) to (2005); \
             create table public.rest partition of public.years default; \
             insert into public.years select * from public.former where id > 18; \
             delete from public.years where id = 1",
        )
        .await
        .unwrap();
    let into = live(&backup).await;
    let brought = bring_back(&backup, &into, &["years"], true).await.unwrap();
    assert_eq!(counts(&brought), [("years", 10, 10)]);
    let row = session.query_one(
        "select count(distinct (year, id)) = count(*) and count(*) = 20 from public.years",
        &[],
    );
    assert!(row.await.unwrap().get::<_, bool>(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_of_the_apps_is_not_waited_for_long() {
    let backup = cellar().await;
    let app = session(&backup.source).await;
    let delete = "delete from public.tastings where wine = 3";
    app.batch_execute(delete).await.unwrap();
    let lock = "begin; lock public.tastings in row exclusive mode";
    app.batch_execute(lock).await.unwrap();
    let into = live(&backup).await;
    let error = bring_back(&backup, &into, &["tastings"], true)
        .await
        .unwrap_err();
    assert!(error.to_string().contains("55P03"), "{error}");
    app.batch_execute("rollback").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_comes_meanwhile_is_neither_doubled_nor_a_failure() {
    let backup = cellar().await;
    let app = session(&backup.source).await;
    app.batch_execute("delete from public.\"Bilder Größe\" where id = 7")
        .await
        .unwrap();
    app.batch_execute(
        "begin; insert into public.\"Bilder Größe\" (id, wine, nth) values (7, 2, 1)",
    )
    .await
    .unwrap();
    let into = live(&backup).await;
    let bringing = bring_back(&backup, &into, &["Bilder Größe"], true);
    let meanwhile = async {
        let watcher = admin(&backup.source).await;
        let waits = "select exists (select from pg_stat_activity where datname = current_database() \
            and wait_event_type = 'Lock' and query like 'insert into%Bilder%')";
        until(&watcher, waits).await;
        app.batch_execute("commit").await.unwrap();
    };
    let (brought, ()) = tokio::join!(bringing, meanwhile);
    assert_eq!(counts(&brought.unwrap()), [("Bilder Größe", 1, 0)]);
}

/// What belongs to some rows: how many of which table the backup has, are missing, came back.
async fn bring_back_owned(
    backup: &Taken,
    table: &str,
    key: (&str, &str),
    write: bool,
) -> Result<BroughtBack, Cause> {
    let into = live(backup).await;
    let whose = [RowName {
        table: name("public", table),
        key: vec![(key.0.to_owned(), key.1.to_owned())],
    }];
    let request = LostRows {
        store: &backup.store,
        snapshot: &backup.snapshot,
        identities: &backup.identities,
        into: &into.url,
        ca: Some(&into.ca),
        tables: &[],
        whose: &whose,
        write,
        by: "anna",
    };
    restore::bring_back(request, &|_| {}).await
}

fn of_each(brought: &BroughtBack) -> Vec<(&str, u64, u64, u64)> {
    let tables = brought.tables.iter();
    let counts = tables.map(|rows| {
        let name = rows.table.name.as_str();
        (name, rows.in_backup, rows.missing, rows.inserted)
    });
    counts.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_belongs_to_one_row_comes_back_alone() {
    let source = migrated().await;
    let client = session(&source).await;
    client.batch_execute(CELLAR).await.unwrap();
    let keyless = "create table public.notes (wine bigint references public.wines, note text);
        insert into public.notes values (1, 'good')";
    client.batch_execute(keyless).await.unwrap();
    let backup = Taken::of(source).await;
    let session = session(&backup.source).await;
    let before = state(&session).await;
    // Of the first wine a part is gone, of another one all, and its row is there.
    let delete = "delete from public.tastings where wine in (1, 2) and nth > 2";
    session.batch_execute(delete).await.unwrap();
    let looked = bring_back_owned(&backup, "wines", ("id", "1"), false).await;
    let expected = |tastings, pictures| {
        [
            ("wines", 1, 0, 0),
            ("empty", 0, 0, 0),
            ("tastings", 4, 2, tastings),
            ("Bilder Größe", 4, 2, pictures),
        ]
        .into_iter()
        .filter(|(_, of, ..)| *of > 0)
        .collect::<Vec<_>>()
    };
    assert_eq!(of_each(&looked.unwrap()), expected(0, 0));
    let brought = bring_back_owned(&backup, "wines", ("id", "1"), true).await;
    let brought = brought.unwrap();
    assert_eq!(of_each(&brought), expected(2, 2));
    assert!(brought.written);
    assert_eq!(brought.keyless, [name("public", "notes")]);
    let left = "select count(*) from public.tastings where wine = 2";
    let left: i64 = session.query_one(left, &[]).await.unwrap().get(0);
    assert_eq!(left, 2, "another's rows stay away");
    bring_back_owned(&backup, "wines", ("name", "wine 2"), true)
        .await
        .unwrap();
    assert_eq!(state(&session).await, before);

    let unknown = bring_back_owned(&backup, "wines", ("colour", "red"), true).await;
    assert_eq!(
        unknown.unwrap_err().to_string(),
        "\"public\".\"wines\" has no column colour in the backup"
    );
    let none = bring_back_owned(&backup, "wines", ("id", "99"), true).await;
    assert_eq!(of_each(&none.unwrap()), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_belongs_to_a_row_that_is_gone_needs_what_it_refers_to() {
    let backup = cellar().await;
    let session = session(&backup.source).await;
    let before = state(&session).await;
    let delete = "update public.wines set best = null where best = 3;
        delete from public.wines where id in (3, 18)";
    session.batch_execute(delete).await.unwrap();
    let orphans = bring_back_owned(&backup, "wines", ("id", "3"), true).await;
    let orphans = orphans.unwrap();
    assert!(!orphans.written);
    assert_eq!(orphans.orphans[0].constraint, "wines_best_fkey");
    bring_back(&backup, &live(&backup).await, &["wines"], true)
        .await
        .unwrap();
    let brought = bring_back_owned(&backup, "wines", ("id", "3"), true).await;
    let tables = brought.unwrap();
    assert_eq!(of_each(&tables)[0], ("wines", 1, 0, 0));
    bring_back_owned(&backup, "wines", ("id", "18"), true)
        .await
        .unwrap();
    let best = "update public.wines set best = 3 where id = 18";
    session.batch_execute(best).await.unwrap();
    assert_eq!(state(&session).await, before);
}
