//! The SQL that makes a database again, held against `pg_dump`.

mod kinds;
mod ownership;
mod random;
mod unknown;

use std::{
    io::Write,
    process::{Command, Stdio},
};

use backup::schema::{self, Object, Schema, SchemaError, Scope, Stage};
use local_supabase::postgres::{Cluster, TestDatabase};
use ops::migrate;
use tokio_postgres::{Client, error::ErrorPosition};

const APP: &str = include_str!("../../../tests/sql/app_tables.sql");
const EVERYTHING: &str = include_str!("everything.sql");
const SINCE_18: &str = include_str!("everything_18.sql");
const ATTACHED: &str = include_str!("everything_attached.sql");

/// The roles that the fixture names, once for the server.
pub(crate) const ROLES: &str = r#"
    do $$
    begin
        perform pg_advisory_xact_lock(1);
        if not exists (select from pg_roles where rolname = 'shop_clerk') then
            create role shop_clerk nologin;
            create role "Shop ""Owner""" nologin;
            grant shop_clerk, "Shop ""Owner""" to postgres;
        end if;
    end
    $$
"#;

/// Here only a superuser may own an event trigger, on Supabase the team may.
pub(crate) const OWN_EVENT_TRIGGERS: &str =
    "update pg_event_trigger set evtowner = 'postgres'::regrole where evtname = 'Bei DDL'";

#[tokio::test]
async fn a_database_made_again_dumps_the_same() {
    let source = everything().await;
    let described = describe(&source).await.unwrap();
    let target = TestDatabase::empty().await.unwrap();
    restore(&described, &target, &[Scope::App, Scope::Attached]).await;

    let (before, after) = (dump(&source).await, dump(&target).await);
    assert!(before.contains("Größe \"\"m²"), "the dump is empty");
    assert_same(&before, &after);
    let again = describe(&target).await.unwrap();
    assert_objects_eq(&described, &again);
    assert_eq!(described.sequences, again.sequences);
    assert_eq!(filled(&target).await, ["a_of_totals", "b_totals"]);
    assert_eq!(described.roles, ["Shop \"Owner\"", "shop_clerk"]);
}

#[tokio::test]
async fn a_domain_is_whole_before_anything_uses_it() {
    let described = describe(&everything().await).await.unwrap();
    let place = |kind: &str, name: &str| {
        let is_it = |object: &Object| object.kind == kind && object.name.starts_with(name);
        described.objects.iter().position(is_it).unwrap()
    };
    let constraint = place("domain constraint", "shop.twice twice_check");
    assert!(constraint < place("function", "shop.with_default"));
}

#[tokio::test]
async fn psql_takes_the_statements_as_one_text() {
    let described = describe(&everything().await).await.unwrap();
    let target = TestDatabase::empty().await.unwrap();
    let app = |schema: &Schema| -> Vec<Object> {
        let objects = schema.objects.iter();
        objects
            .filter(|object| object.scope == Scope::App)
            .cloned()
            .collect()
    };
    let script: String = app(&described)
        .iter()
        .map(|object| object.sql.as_str())
        .collect();
    psql(
        &target,
        &format!("set check_function_bodies = off;\n{script}"),
    )
    .await;
    assert_eq!(app(&describe(&target).await.unwrap()), app(&described));
}

#[tokio::test]
async fn what_rows_need_stands_before_everything_else() {
    let described = describe(&everything().await).await.unwrap();
    let stages: Vec<_> = described.objects.iter().map(|it| it.stage).collect();
    assert!(stages.is_sorted());
    let early = |kind: &str, name: &str| {
        let mut objects = described.objects.iter();
        let object = objects.find(|it| it.kind == kind && it.name == name);
        object.expect(name).stage == Stage::Before
    };
    assert!(early("partition", "shop.sales_rest"));
    assert!(early("default", "shop.cellars number"));
    assert!(!early("constraint", "shop.sales sales_key"));
    assert!(!early("view", "shop.of_function"));
    // A function returns its rows, and its grouping needs the primary key.
    assert!(early("view", "shop.grouped"));
    assert!(early("constraint", "shop.cellars Keller, der"));
}

#[tokio::test]
async fn a_server_without_the_platform_gets_its_part_as_well() {
    let described = describe(&everything().await).await.unwrap();
    let plain = TestDatabase::empty().await.unwrap();
    make_plain(&plain).await;
    let managed = ["auth", "storage"].map(|schema| Scope::Managed(schema.to_owned()));
    let scopes = [managed.as_slice(), &[Scope::App, Scope::Attached]].concat();
    // Where the platform is missing, so is its publication.
    let without_realtime = without(described, "publication table shop.supabase_realtime");
    restore(&without_realtime, &plain, &scopes).await;

    let admin = cluster().await.connect_admin(plain.name()).await.unwrap();
    let row = admin
        .query_one(
            "select count(*) from pg_policy p join pg_class c on c.oid = p.polrelid
             where c.oid in ('storage.objects'::regclass, 'shop.cellars'::regclass)
                 and has_table_privilege('authenticated', 'storage.objects', 'select')
                 and c.relrowsecurity and auth.uid() is null",
            &[],
        )
        .await
        .unwrap();
    assert_eq!(row.get::<_, i64>(0), 6);
}

#[tokio::test]
async fn a_fresh_project_holds_nothing_of_the_apps() {
    let fresh = TestDatabase::empty().await.unwrap();
    let described = describe(&fresh).await.unwrap();
    let app: Vec<_> = described
        .objects
        .iter()
        .filter(|object| object.scope == Scope::App && object.kind != "extension")
        .map(|object| (object.kind, object.name.as_str()))
        .collect();
    // Its privileges, which a database of another server has not.
    assert_eq!(app, [("schema grants", "schema public")]);
    assert!(described.sequences.is_empty() && described.roles.is_empty());
    let excluded: Vec<_> = described.excluded.iter().map(|it| &*it.what).collect();
    for what in [
        "schema extensions",
        "publication supabase_realtime",
        "rows of auth.sessions",
        "default privileges of supabase_admin in public",
    ] {
        assert!(excluded.contains(&what), "{what}: {excluded:?}");
    }
    let tables: Vec<_> = described
        .tables
        .iter()
        .map(|table| format!("{}.{}", table.name.schema, table.name.name))
        .collect();
    assert_eq!(
        tables,
        [
            "auth.users",
            "auth.identities",
            "auth.mfa_factors",
            "storage.buckets",
            "storage.objects"
        ]
    );
}

#[tokio::test]
async fn a_table_tells_how_its_rows_are_read() {
    let described = describe(&everything().await).await.unwrap();
    let cellars = described
        .tables
        .iter()
        .find(|table| table.name.name == "cellars")
        .unwrap();
    assert_eq!(cellars.primary_key, ["id"]);
    let generated: Vec<_> = cellars
        .columns
        .iter()
        .filter(|column| column.generated)
        .map(|column| &*column.name)
        .collect();
    assert_eq!(generated, ["volume", "wine_text", "finished"]);
    let late = cellars.columns.last().unwrap();
    assert_eq!(
        (&*late.name, &*late.type_sql, late.not_null),
        ("late", "interval day to second(2)", false)
    );
    assert_eq!(
        late.default_sql.as_deref(),
        Some("'1 day'::interval day to second(2)")
    );
    let names: Vec<_> = described
        .tables
        .iter()
        .map(|table| &*table.name.name)
        .collect();
    assert!(
        !names.contains(&"sales"),
        "a partitioned table holds no rows"
    );
    assert!(names.contains(&"sales_rest") && names.contains(&"Flüchtig"));
}

/// The fixture's database: ours, the app's and everything else.
pub(crate) async fn everything() -> TestDatabase {
    let texts = [
        &migrate::Schema::embedded().fingerprint(),
        APP,
        EVERYTHING,
        SINCE_18,
        ATTACHED,
    ];
    TestDatabase::create("everything", &texts.concat(), async |cluster, name| {
        let admin = cluster.connect_admin(name).await?;
        let mut client = cluster.connect_postgres(name).await?;
        run(&admin, ROLES).await;
        run(&client, APP).await;
        migrate::apply(&mut client, &mut |_| {}).await?;
        run(&client, EVERYTHING).await;
        if major_version(&client).await >= 18 {
            run(&client, SINCE_18).await;
        }
        run(&admin, ATTACHED).await;
        run(&admin, OWN_EVENT_TRIGGERS).await;
        Ok(())
    })
    .await
    .expect("a database with everything")
}

/// Describes as a backup does: as `postgres`, within one snapshot.
async fn describe(database: &TestDatabase) -> Result<Schema, SchemaError> {
    let client = cluster()
        .await
        .connect_postgres(database.name())
        .await
        .unwrap();
    run(
        &client,
        "set search_path = ''; begin isolation level repeatable read read only",
    )
    .await;
    schema::describe(&client).await
}

/// Makes the objects of these scopes, the app's as `postgres` makes them.
async fn restore(described: &Schema, target: &TestDatabase, scopes: &[Scope]) {
    let cluster = cluster().await;
    let postgres = cluster.connect_postgres(target.name()).await.unwrap();
    let admin = cluster.connect_admin(target.name()).await.unwrap();
    let session = "set search_path = ''; set check_function_bodies = off";
    run(&postgres, session).await;
    run(&admin, session).await;
    for object in &described.objects {
        if !scopes.contains(&object.scope) {
            continue;
        }
        match object.scope {
            Scope::App => run(&postgres, &object.sql).await,
            Scope::Managed(_) | Scope::Attached => run(&admin, &object.sql).await,
        }
    }
    run(&admin, OWN_EVENT_TRIGGERS).await;
}

/// Puts a database as PostgreSQL makes it in the place of a project's.
async fn make_plain(database: &TestDatabase) {
    let admin = cluster().await.connect_admin("template1").await.unwrap();
    let name = database.name();
    run(&admin, &format!("drop database {name}")).await;
    run(
        &admin,
        &format!("create database {name} owner postgres template template0"),
    )
    .await;
}

fn without(mut described: Schema, start: &str) -> Schema {
    described
        .objects
        .retain(|object| !format!("{} {}", object.kind, object.name).starts_with(start));
    described
}

/// The materialised views that hold rows, which no dump tells.
async fn filled(database: &TestDatabase) -> Vec<String> {
    let client = cluster()
        .await
        .connect_admin(database.name())
        .await
        .unwrap();
    let sql = "select matviewname::text from pg_matviews where ispopulated order by 1";
    let rows = client.query(sql, &[]).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

/// The database as `pg_dump` sees it, without what differs from run to run.
pub(crate) async fn dump(database: &TestDatabase) -> String {
    let cluster = cluster().await;
    let config = cluster.admin_config(database.name());
    let password = config.get_password().unwrap().to_vec();
    let output = Command::new(cluster.program("pg_dump").unwrap())
        .args([
            "--schema-only",
            "--host=127.0.0.1",
            "--username=supabase_admin",
        ])
        .arg(format!("--port={}", cluster.port()))
        .arg(database.name())
        .env("PGPASSWORD", String::from_utf8(password).unwrap())
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .filter(|line| !line.starts_with("--") && !line.is_empty())
        .filter(|line| !line.starts_with("\\restrict") && !line.starts_with("\\unrestrict"))
        .collect::<Vec<_>>()
        .join("\n")
}

/// Runs a text as the role `postgres`, stopping at the first error.
async fn psql(database: &TestDatabase, sql: &str) {
    let cluster = cluster().await;
    let config = cluster.postgres_config(database.name());
    let password = config.get_password().unwrap().to_vec();
    let mut child = Command::new(cluster.program("psql").unwrap())
        .args(["--no-psqlrc", "--quiet", "--single-transaction"])
        .args(["--set=ON_ERROR_STOP=1", "--host=127.0.0.1"])
        .args(["--username=postgres", &format!("--port={}", cluster.port())])
        .arg(database.name())
        .env("PGPASSWORD", String::from_utf8(password).unwrap())
        .env("PGOPTIONS", "--search_path=")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let sql = sql.to_owned();
    let writer = std::thread::spawn(move || input.write_all(sql.as_bytes()));
    let output = child.wait_with_output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    writer.join().unwrap().unwrap();
}

pub(crate) async fn major_version(client: &Client) -> i32 {
    let sql = "select current_setting('server_version_num')::integer / 10000";
    client.query_one(sql, &[]).await.unwrap().get(0)
}

async fn cluster() -> &'static Cluster {
    Cluster::shared().await.expect("a server")
}

pub(crate) async fn run(client: &Client, sql: &str) {
    if let Err(error) = client.batch_execute(sql).await {
        let server = error.as_db_error().expect("the server's words");
        let place = match server.position() {
            Some(ErrorPosition::Original(position)) => *position as usize - 1,
            _ => 0,
        };
        let context: String = sql
            .chars()
            .skip(place.saturating_sub(200))
            .take(400)
            .collect();
        panic!("{server}\n{context}");
    }
}

/// Fails with the first lines that differ.
pub(crate) fn assert_same(before: &str, after: &str) {
    let lost: Vec<_> = only_in(before, after);
    let added: Vec<_> = only_in(after, before);
    assert!(
        lost.is_empty() && added.is_empty(),
        "lost:\n{}\nadded:\n{}",
        lost.join("\n"),
        added.join("\n")
    );
    assert!(before == after, "the same lines stand in another order");
}

fn only_in<'a>(one: &'a str, other: &str) -> Vec<&'a str> {
    let lines: std::collections::HashSet<_> = other.lines().collect();
    one.lines().filter(|line| !lines.contains(line)).collect()
}

fn assert_objects_eq(one: &Schema, other: &Schema) {
    let text = |schema: &Schema| {
        let objects = schema.objects.iter();
        objects.map(described).collect::<Vec<_>>().join("\n")
    };
    assert_same(&text(one), &text(other));
}

fn described(object: &Object) -> String {
    format!("{object:#?}")
}
