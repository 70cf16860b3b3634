//! The folder for `pg_restore`: the stock program loads it, and finds in it what it is asked for.

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
};

use backup::{
    export::Export,
    selection::{Parts, Selection},
};
use local_supabase::postgres::{Cluster, TestDatabase};
use tokio::fs::File;

use crate::{
    handmade::name,
    refusals::backup_of,
    restore::{assert_equal, restore},
    roundtrip::plain,
    schema::{assert_same, dump, everything},
    scratch::Folder,
    support::{migrated, session},
    taken::Taken,
    tools::{psql, text_of},
};

/// A backup as a folder below another.
struct Archive(Folder);

impl Archive {
    async fn of(backup: &Taken, selection: &Selection) -> Self {
        let export = Export::open(&backup.store, &backup.snapshot, &backup.identities);
        let (export, folder) = (export.await.unwrap(), Folder::new());
        let chosen = export.choose(selection).unwrap();
        let create = |name: &str| {
            let file = std::fs::File::create_new(folder.path().join(name));
            file.map(File::from_std)
        };
        export.write_directory(&chosen, create).await.unwrap();
        Self(folder)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// Runs the stock program on it.
    async fn pg_restore(&self, options: &[&str]) -> Output {
        let mut program = self.program(options).await;
        program.output().unwrap()
    }

    async fn program(&self, options: &[&str]) -> Command {
        let cluster = Cluster::shared().await.unwrap();
        let mut program = Command::new(cluster.program("pg_restore").unwrap());
        program.args(options).arg(self.path());
        program
    }

    /// Loads it into a database as its team's role, and answers with what was refused. Without
    /// TLS, which the newest one that can be had does not speak.
    async fn load(&self, target: &TestDatabase, options: &[&str]) -> Vec<String> {
        let cluster = Cluster::shared().await.unwrap();
        let config = cluster.postgres_config(target.name());
        let password = config.get_password().unwrap().to_vec();
        let mut program = self.program(options).await;
        let output = program
            .args(["--host=127.0.0.1", "--username=postgres"])
            .arg(format!("--port={}", cluster.port()))
            .args(["--dbname", target.name()])
            .env("PGPASSWORD", String::from_utf8(password).unwrap())
            .output()
            .unwrap();
        let said = text_of(&output.stderr);
        let refused = said
            .lines()
            .filter(|line| line.contains("error: could not"));
        let refused: Vec<_> = refused.map(str::to_owned).collect();
        assert_eq!(output.status.success(), refused.is_empty(), "{said}");
        refused
    }

    /// What the list names, each by its kind, schema and name.
    async fn list(&self, options: &[&str]) -> Vec<String> {
        let output = self.pg_restore(&[&["--list"], options].concat()).await;
        assert!(output.status.success(), "{}", text_of(&output.stderr));
        let text = text_of(&output.stdout);
        let lines = text.lines().filter(|line| !line.starts_with(';'));
        lines
            .map(|line| line.splitn(4, ' ').last().unwrap().trim_end().to_owned())
            .collect()
    }
}

async fn rows(database: &TestDatabase, table: &str) -> i64 {
    let session = session(database).await;
    let query = format!("select count(*) from {table}");
    session.query_one(&query, &[]).await.unwrap().get(0)
}

/// What there is of the shop.
async fn relations(database: &TestDatabase) -> String {
    let session = session(database).await;
    let row = session
        .query_one(
            "select coalesce(string_agg(format('%s.%s', nspname, relname), ' ' order by nspname, relname), '') \
             from pg_class join pg_namespace n on n.oid = relnamespace \
             where (nspname = 'app' or relname = 'wines') and relkind in ('r', 'v', 'm', 'S')",
            &[],
        )
        .await;
    row.unwrap().get(0)
}

/// With two jobs: what our own restore brings back, but for what only a superuser may attach to
/// the platform's tables, which either refuses.
#[tokio::test(flavor = "multi_thread")]
async fn pg_restore_brings_back_what_our_own_restore_does() {
    let backup = Taken::of(everything().await).await;
    let archive = Archive::of(&backup, &Selection::default()).await;
    let (ours, stock) = (plain().await, plain().await);
    restore(&backup, &ours).await.unwrap();
    let refused = archive.load(&stock, &["--jobs", "2"]).await;
    assert_equal(&backup, &stock).await;
    assert_same(&dump(&ours).await, &dump(&stock).await);
    let beside = |line: &&String| {
        let told = [
            "must be owner of",
            "must be superuser",
            "permission denied to create event trigger",
        ];
        !told.iter().any(|told| line.contains(told))
    };
    assert_eq!(refused.iter().find(beside), None);
}

/// Every value at its extremes, by way of the script that `pg_restore` writes.
#[tokio::test(flavor = "multi_thread")]
async fn values_survive_pg_restore_and_its_script() {
    let database = migrated().await;
    let values = include_str!("fixtures/values.sql");
    session(&database)
        .await
        .batch_execute(values)
        .await
        .unwrap();
    let backup = Taken::of(database).await;
    let archive = Archive::of(&backup, &Selection::default()).await;
    let direct = plain().await;
    archive.load(&direct, &[]).await;
    assert_equal(&backup, &direct).await;

    let script = archive.pg_restore(&["--file", "-"]).await;
    assert!(script.status.success(), "{}", text_of(&script.stderr));
    let by_psql = plain().await;
    psql(&by_psql, &script.stdout, &[]).await;
    assert_equal(&backup, &by_psql).await;
    assert_same(&dump(&direct).await, &dump(&by_psql).await);
}

const SHOP: &str = "
    create schema app;
    create table public.wines (id int primary key, name text not null);
    create index wines_name on public.wines (name);
    create table app.bottles (id bigint generated by default as identity primary key,
        wine int not null references public.wines);
    create view app.named as select name from app.bottles b join public.wines w on w.id = b.wine;
    create materialized view app.counted as select wine, count(*) from app.bottles group by wine;
    create unique index counted_wine on app.counted (wine);
    insert into public.wines select n, 'wine ' || n from generate_series(1, 100) as n;
    insert into app.bottles (wine) select 1 + n % 100 from generate_series(1, 3000) as n;
    refresh materialized view app.counted;
    grant select on app.named to authenticated";

/// What users ask `pg_restore` for, it finds by the names that it is given.
#[tokio::test(flavor = "multi_thread")]
async fn pg_restore_finds_what_it_is_asked_for() {
    let backup = backup_of(SHOP).await;
    let archive = Archive::of(&backup, &Selection::default()).await;
    for (options, relations_there, bottles) in [
        (&["--table", "wines"][..], "public.wines", None),
        (
            &["--schema-only", "--jobs", "2"],
            "app.bottles app.bottles_id_seq app.counted app.named public.wines",
            Some(0),
        ),
    ] {
        let target = TestDatabase::empty().await.unwrap();
        if relations_there == "public.wines" {
            assert_eq!(archive.load(&target, options).await, Vec::<String>::new());
            assert_eq!(rows(&target, "public.wines").await, 100);
        } else {
            // The platform's own are there already.
            let options = [
                options,
                &["--exclude-schema", "auth", "--exclude-schema", "storage"],
            ];
            let options = [&options.concat()[..], &["--exclude-schema", "ops"]].concat();
            archive.load(&target, &options).await;
        }
        assert_eq!(relations(&target).await, relations_there);
        if let Some(bottles) = bottles {
            assert_eq!(rows(&target, "app.bottles").await, bottles);
        }
    }

    // One schema at a time, then the rows into what is there.
    let target = TestDatabase::empty().await.unwrap();
    session(&target)
        .await
        .batch_execute("create schema app")
        .await
        .unwrap();
    let wines = ["--table", "wines", "--schema-only"];
    assert_eq!(archive.load(&target, &wines).await, Vec::<String>::new());
    let app = ["--schema", "app", "--section", "pre-data"];
    assert_eq!(archive.load(&target, &app).await, Vec::<String>::new());
    let data = [
        &["--data-only", "--table", "wines", "--table", "bottles"][..],
        &["--table", "bottles_id_seq", "--jobs", "2"],
    ];
    assert_eq!(
        archive.load(&target, &data.concat()).await,
        Vec::<String>::new()
    );
    assert_eq!(rows(&target, "app.bottles").await, 3000);
    let next = "select nextval('app.bottles_id_seq')";
    let next = session(&target).await.query_one(next, &[]).await.unwrap();
    assert_eq!(next.get::<_, i64>(0), 3001);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_names_everything_and_a_choice_of_the_backup_is_all_that_it_names() {
    let backup = backup_of(SHOP).await;
    let archive = Archive::of(&backup, &Selection::default()).await;
    let list = archive.list(&[]).await;
    for line in [
        "SCHEMA - app",
        "TABLE public wines",
        "TABLE DATA app bottles",
        "SEQUENCE SET app bottles_id_seq",
        "INDEX public wines_name",
        "FK CONSTRAINT app bottles bottles_wine_fkey",
        "MATERIALIZED VIEW DATA app counted",
        "VIEW app named",
        "ACL - table app.named",
    ] {
        assert!(list.iter().any(|known| known == line), "{line}: {list:#?}");
    }
    let selection = Selection {
        tables: vec![name("public", "wines")],
        parts: Parts::Data,
        ..Selection::default()
    };
    let chosen = Archive::of(&backup, &selection).await;
    assert_eq!(
        chosen.list(&["--data-only"]).await,
        ["TABLE DATA public wines"]
    );
}

/// Files that are compressed afterwards are found too, and a folder without its list is none.
#[tokio::test(flavor = "multi_thread")]
async fn files_may_be_compressed_and_a_folder_that_was_cut_off_is_refused() {
    let backup = backup_of(SHOP).await;
    let archive = Archive::of(&backup, &Selection::default()).await;
    let files: Vec<PathBuf> = std::fs::read_dir(archive.path())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "dat"))
        .filter(|path| !path.ends_with("toc.dat"))
        .collect();
    let zipped = Command::new("gzip").args(&files).status().unwrap();
    assert!(zipped.success());
    let target = plain().await;
    archive.load(&target, &["--jobs", "2"]).await;
    assert_equal(&backup, &target).await;

    std::fs::remove_file(archive.path().join("toc.dat")).unwrap();
    let refused = archive.pg_restore(&["--list"]).await;
    assert!(!refused.status.success());
    let said = text_of(&refused.stderr);
    assert!(said.contains("toc.dat"), "{said}");
}
