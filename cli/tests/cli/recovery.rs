//! The procedures of `docs/backup-recovery.md`, each run as it stands there, on a
//! schema of the kind that an app has: a trigger that counts, rows that go along
//! with others, generated columns, policies and privileges.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Command,
};

use dev::{DevOptions, Running};
use local_supabase::{
    machine::{self, Tool},
    postgres::TestDatabase,
};

use crate::{
    backup::{run, with_identity},
    support::{Called, Folder, bundle, call_with},
};

const SCHEMA: &str = include_str!("recovery.sql");

/// What of the app is as it was: rows with their generated columns and figures, and
/// what stands in the catalog about its tables. The time of the last change is left
/// out, because a change back is one as well.
const STATE: &str = "
    select 'wine', to_jsonb(wines) - 'updated_at' from public.wines
    union all select 'consumed', to_jsonb(consumption_history) from public.consumption_history
    union all select 'price', to_jsonb(prices) from public.prices
    union all select 'constraint', to_jsonb(conname || ' ' || pg_get_constraintdef(oid))
        from pg_constraint where connamespace = 'public'::regnamespace
    union all select 'index', to_jsonb(indexdef) from pg_indexes where schemaname = 'public'
    union all select 'trigger', to_jsonb(pg_get_triggerdef(oid))
        from pg_trigger where tgrelid in ('public.wines'::regclass, 'public.consumption_history'::regclass)
        and not tgisinternal and tgenabled = 'O'
    union all select 'policy', to_jsonb(policies) from pg_policies as policies where schemaname = 'public'
    union all select 'table', jsonb_build_object(
            'name', relname, 'security', relrowsecurity, 'owner', relowner::regrole::text,
            'grants', (select jsonb_agg(entry::text order by entry::text) from unnest(relacl) as entry))
        from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'v')
    union all select 'next', to_jsonb(last_value) from public.wines_id_seq
    order by 1, 2";

/// An app with a backup of it, and a shell beside it.
struct App {
    running: Running,
    source: TestDatabase,
    env: BTreeMap<String, String>,
    folder: Folder,
}

impl App {
    async fn start() -> Self {
        let (running, source) = bundle(DevOptions::default()).await;
        run(&source, SCHEMA).await;
        let mut env = with_identity(&running);
        let taken = call_with(&env, &["backup", "run", "--json"]).await;
        assert_eq!(taken.status, 0, "{taken:?}");
        let name = taken.json()["backup"]["snapshot"]
            .as_str()
            .unwrap()
            .to_owned();
        env.insert("BACKUP".to_owned(), name);
        let cluster = source.cluster().await.unwrap();
        // Several tests share the server, and the document calls it `scratch`.
        let scratch = format!("scratch_{}", source.name());
        env.insert("SCRATCH_URL".to_owned(), cluster.postgres_url(&scratch));
        env.insert("SCRATCH_NAME".to_owned(), scratch);
        env.insert(
            "SCRATCH_SERVER_URL".to_owned(),
            cluster.postgres_url("postgres"),
        );
        Self {
            running,
            source,
            env,
            folder: Folder::empty(),
        }
    }

    async fn state(&self) -> Vec<String> {
        state(&self.source).await
    }

    /// Does some harm to the app's data.
    async fn harm(&self, sql: &str) {
        let before = self.state().await;
        run(&self.source, sql).await;
        assert_ne!(self.state().await, before, "{sql}");
    }

    /// A block of commands as the document has it.
    async fn follow(&self, block: &str) -> Called {
        let psql = self
            .source
            .cluster()
            .await
            .unwrap()
            .program("psql")
            .unwrap();
        let scratch = &self.env["SCRATCH_NAME"];
        let block = block
            .replace("database scratch", &format!("database {scratch}"))
            .replace("/scratch", &format!("/{scratch}"));
        let block = format!(
            "pourtrait() {{ {} \"$@\"; }}\n{block}",
            env!("CARGO_BIN_EXE_pourtrait")
        );
        let env = self.env.clone();
        let folder = self.folder.path().to_owned();
        let call = move || shell(&block, &env, &folder, psql.parent().unwrap());
        tokio::task::spawn_blocking(call).await.unwrap()
    }

    /// Every block of a section, all of which have to succeed.
    async fn follow_all(&self, section: &str) {
        for block in blocks(section) {
            let done = self.follow(&block).await;
            assert_eq!(done.status, 0, "{block}\n{done:?}");
        }
    }

    async fn stop(self) {
        self.running.stop().await.unwrap();
    }
}

async fn state(database: &TestDatabase) -> Vec<String> {
    let cluster = database.cluster().await.unwrap();
    let session = cluster.connect_postgres(database.name()).await.unwrap();
    let rows = session
        .query(
            &format!(
                "select concat_ws(' ', column1, column2) from ({STATE}) as state (column1, column2)"
            ),
            &[],
        )
        .await
        .unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

/// Fails with what is there and was not, and the other way around.
fn assert_same(now: &[String], before: &[String]) {
    let without = |some: &[String], others: &[String]| -> Vec<String> {
        let missing = some.iter().filter(|row| !others.contains(row));
        missing.cloned().collect()
    };
    let lost = without(before, now);
    let new = without(now, before);
    assert!(
        lost.is_empty() && new.is_empty(),
        "lost: {lost:#?}\nnew: {new:#?}"
    );
    assert_eq!(now.len(), before.len());
}

pub(crate) fn shell(
    block: &str,
    env: &BTreeMap<String, String>,
    folder: &Path,
    programs: &Path,
) -> Called {
    let output = Command::new("sh")
        .args(["-c", block])
        .current_dir(folder)
        .env_clear()
        .envs(env)
        .env("PATH", path_with(programs))
        .env("PGSSLMODE", "verify-full")
        .env("PGSSLROOTCERT", &env["DATABASE_CA"])
        .output()
        .unwrap();
    output.into()
}

fn path_with(programs: &Path) -> std::ffi::OsString {
    #[expect(
        clippy::disallowed_methods,
        reason = "the shell finds programs as this test does"
    )]
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = [programs.to_owned()]
        .into_iter()
        .chain(std::env::split_paths(&path));
    std::env::join_paths(folders.collect::<Vec<PathBuf>>()).unwrap()
}

/// The commands of a section of the document about backups.
fn blocks(section: &str) -> Vec<String> {
    blocks_of(include_str!("../../../docs/backup-recovery.md"), section)
}

/// The commands of a section of a document: its blocks for a shell, without their
/// indentation.
pub(crate) fn blocks_of(document: &str, section: &str) -> Vec<String> {
    let heading = format!("\n## {section}\n");
    let (_, text) = document
        .split_once(&heading)
        .unwrap_or_else(|| panic!("{section}"));
    let text = text.split("\n## ").next().unwrap();
    let mut blocks = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let indent = line.find("```sh");
        let Some(indent) = indent.filter(|_| line.ends_with("```sh")) else {
            continue;
        };
        // A block may begin in the line of its number.
        let indent = if line.trim_start().starts_with("```") {
            indent
        } else {
            line.len() - 5
        };
        let block = lines.by_ref().take_while(|line| line.trim() != "```");
        let block = block.map(|line| line.get(indent..).unwrap_or_default());
        blocks.push(block.collect::<Vec<_>>().join("\n"));
    }
    assert!(!blocks.is_empty(), "{section} has no commands");
    blocks
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_were_deleted_come_back_and_nothing_is_counted_twice() {
    let app = App::start().await;
    let before = app.state().await;
    app.harm("delete from public.consumption_history where id % 4 = 0")
        .await;
    app.follow_all("Some rows").await;
    assert_same(&app.state().await, &before);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_come_back_with_those_that_went_along() {
    let app = App::start().await;
    let before = app.state().await;
    app.harm("delete from public.wines where id <= 3").await;
    app.follow_all("Some rows").await;
    assert_same(&app.state().await, &before);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_belongs_to_one_row_comes_back_alone() {
    let app = App::start().await;
    let before = app.state().await;
    app.harm("delete from public.consumption_history where wine = 7")
        .await;
    app.follow_all("What belongs to one").await;
    assert_same(&app.state().await, &before);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_when_is_told_of_a_row_and_of_a_table() {
    let app = App::start().await;
    run(
        &app.source,
        "update public.wines set price = 99 where id = 7; delete from public.wines where id = 8",
    )
    .await;
    let taken = call_with(&app.env, &["backup", "run"]).await;
    assert_eq!(taken.status, 0, "{taken:?}");
    let done = app.follow(&blocks("What was when")[0]).await;
    assert_eq!(done.status, 0, "{done:?}");
    for told in [
        "changed: price, updated_at\n",
        "rows of public.wines: 1 changed, 1 removed; 20 before, 19 after\n",
        "  changed id=\"7\": price, updated_at\n",
        "  removed id=\"8\"\n",
    ] {
        assert!(done.stdout.contains(told), "{told}: {done:?}");
    }
    assert!(!done.stdout.contains("99"), "no value is shown: {done:?}");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_for_staging_holds_no_owner_and_all_rows() {
    let mut app = App::start().await;
    run(
        &app.source,
        "insert into auth.users (id, email) values (gen_random_uuid(), 'ada@pourtrait.test');
        update public.wines set name = 'of ada@pourtrait.test' where id = 7",
    )
    .await;
    let taken = call_with(&app.env, &["backup", "run"]).await;
    assert_eq!(taken.status, 0, "{taken:?}");
    app.env.insert("BACKUP".to_owned(), "latest".to_owned());
    let target = TestDatabase::empty().await.unwrap();
    let cluster = target.cluster().await.unwrap();
    let staging = cluster.postgres_url(target.name());
    app.env.insert("STAGING_DATABASE_URL".to_owned(), staging);
    app.follow_all("A copy for staging").await;
    let session = cluster.connect_postgres(target.name()).await.unwrap();
    let found = "select (select count(*) from public.wines),
        (select count(*) from public.wines where name = 'xx xxx@xxxxxxxxx.xxxx'),
        (select count(*) from auth.users where email like '%@example.invalid')";
    let row = session.query_one(found, &[]).await.unwrap();
    let counts: [i64; 3] = [row.get(0), row.get(1), row.get(2)];
    assert_eq!(counts, [20, 1, 1]);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_column_that_was_overwritten_is_as_it_was() {
    let app = App::start().await;
    let before = app.state().await;
    app.harm(
        "alter table public.wines disable trigger user;
        update public.wines set price = 0 where id > 5;
        alter table public.wines enable trigger user",
    )
    .await;
    app.follow_all("A column").await;
    let rows = |state: &[String]| -> Vec<String> {
        state
            .iter()
            .filter(|row| !row.starts_with("price "))
            .cloned()
            .collect()
    };
    assert_same(&rows(&app.state().await), &rows(&before));
    // The app's own triggers saw the change back.
    let seen = app
        .state()
        .await
        .iter()
        .filter(|row| row.starts_with("price "))
        .count();
    let saw = before
        .iter()
        .filter(|row| row.starts_with("price "))
        .count();
    assert_eq!(seen, saw + 15);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_was_dropped_comes_back_with_all_that_belongs_to_it() {
    let app = App::start().await;
    let before = app.state().await;
    run(&app.source, "drop table public.consumption_history").await;
    app.follow_all("A table").await;
    assert_same(&app.state().await, &before);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_was_dropped_with_cascade_is_referred_to_again() {
    let app = App::start().await;
    let before = app.state().await;
    run(&app.source, "drop table public.wines cascade").await;
    let of_wines = |block: &String| block.replace("consumption_history", "wines");
    let commands: Vec<_> = blocks("A table").iter().map(of_wines).collect();
    let [prepare, bring, refer, clear] = &commands[..] else {
        panic!("{commands:?}")
    };
    for block in [prepare, bring, refer] {
        let done = app.follow(block).await;
        assert_eq!(done.status, 0, "{block}\n{done:?}");
    }
    // What else went along is found as after a migration.
    let compared = app.follow(&blocks("A migration")[1]).await;
    let added = compared
        .stdout
        .lines()
        .filter(|line| line.starts_with("+CREATE"));
    let policy: Vec<_> = added.filter_map(|line| line.strip_prefix('+')).collect();
    assert_eq!(policy.len(), 1, "{compared:?}");
    let rest = compared.stdout.split_once(policy[0]).unwrap().1;
    let rest = rest.split_once(";\n").unwrap().0.replace("\n+", "\n");
    run(&app.source, &format!("{}{rest}", policy[0])).await;
    assert_eq!(app.follow(clear).await.status, 0);
    assert_same(&app.state().await, &before);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_migration_dropped_is_found_and_filled_again() {
    let app = App::start().await;
    let before = app.state().await;
    app.harm("alter table public.wines drop column price cascade")
        .await;
    let migration = blocks("A migration");
    let [prepare, compare, ..] = &migration[..] else {
        panic!("{migration:?}")
    };
    let made = app.follow(prepare).await;
    assert_eq!(made.status, 0, "{made:?}");
    let compared = app.follow(compare).await;
    assert_eq!(compared.status, 1, "{compared:?}");
    let column = "+    price numeric(10,2) DEFAULT 0 NOT NULL,";
    assert!(
        compared.stdout.lines().any(|line| line == column),
        "{compared:?}"
    );
    let back = compared
        .stdout
        .lines()
        .filter(|line| line.starts_with('+') && line.contains("price"));
    assert!(back.count() >= 2, "the trigger on it as well: {compared:?}");
    run(
        &app.source,
        "
        alter table public.wines add column price numeric(10,2) default 0 not null;
        alter table public.wines disable trigger user",
    )
    .await;
    let copied = app.follow(&blocks("A column")[1]).await;
    assert_eq!(copied.status, 0, "{copied:?}");
    run(
        &app.source,
        "
        alter table public.wines enable trigger user;
        create trigger note_price after update of price on public.wines
            for each row execute function public.note_price()",
    )
    .await;
    let dropped = app.follow(migration.last().unwrap()).await;
    assert_eq!(dropped.status, 0, "{dropped:?}");
    assert_same(&app.state().await, &before);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_database_comes_back_whole() {
    let mut app = App::start().await;
    let before = app.state().await;
    let target = TestDatabase::empty().await.unwrap();
    let cluster = target.cluster().await.unwrap();
    app.env.insert(
        "NEW_DATABASE_URL".to_owned(),
        cluster.postgres_url(target.name()),
    );
    let commands = blocks("The database");
    let asked = app.follow(&commands[0]).await;
    assert_eq!(asked.status, 0, "{asked:?}");
    assert!(asked.stdout.starts_with("would restore "), "{asked:?}");
    let restored = app.follow(&commands[1]).await;
    assert_eq!(restored.status, 0, "{restored:?}");
    assert_same(&state(&target).await, &before);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_project_comes_back_from_a_copy_of_the_bucket() {
    let mut app = App::start().await;
    let before = app.state().await;
    let bucket = app.env["BACKUP_URL"].strip_prefix("file://").unwrap();
    let copied = Command::new("cp")
        .args(["-r", bucket])
        .arg(app.folder.path().join("copy"))
        .status()
        .unwrap();
    assert!(copied.success());
    let identity = app.env["BACKUP_IDENTITY_FILE"].clone();
    let key = app.folder.path().join("key.txt");
    std::fs::copy(identity, &key).unwrap();
    let target = TestDatabase::empty().await.unwrap();
    let cluster = target.cluster().await.unwrap();
    let gone = [
        "SUPABASE_URL",
        "NEXT_PUBLIC_SUPABASE_URL",
        "DATABASE_URL",
        "BACKUP_RECIPIENTS",
        "BACKUP_SECRET",
    ];
    for name in gone {
        app.env.remove(name);
    }
    let copy = format!("file://{}", app.folder.path().join("copy").display());
    app.env.extend([
        (
            "NEW_DATABASE_URL".to_owned(),
            cluster.postgres_url(target.name()),
        ),
        ("BACKUP_URL".to_owned(), copy),
        ("BACKUP_IDENTITY_FILE".to_owned(), key.display().to_string()),
    ]);
    for section in ["First", "The database"] {
        for block in blocks(section) {
            let done = app.follow(&block).await;
            let asked = done.stderr.contains("say --yes");
            assert!(done.status == 0 || asked, "{block}\n{done:?}");
        }
    }
    assert_same(&state(&target).await, &before);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_program_everything_comes_back_as_well() {
    machine::bring(&[Tool::Age, Tool::Zstd]).unwrap();
    let mut app = App::start().await;
    let before = app.state().await;
    let bucket = app.env["BACKUP_URL"].strip_prefix("file://").unwrap();
    let folder = app.folder.path();
    let copied = Command::new("cp")
        .args(["-r", bucket])
        .arg(folder.join("copy"))
        .status()
        .unwrap();
    assert!(copied.success());
    std::fs::copy(&app.env["BACKUP_IDENTITY_FILE"], folder.join("key.txt")).unwrap();
    let target = TestDatabase::empty().await.unwrap();
    let cluster = target.cluster().await.unwrap();
    app.env.insert(
        "NEW_DATABASE_URL".to_owned(),
        cluster.postgres_url(target.name()),
    );
    let commands = &blocks("Without the program")[0];
    assert!(!commands.contains("pourtrait "), "{commands}");
    let restored = app.follow(commands).await;
    assert_eq!(restored.status, 0, "{restored:?}");
    assert!(
        restored
            .stdout
            .contains("restored, and equal to the backup"),
        "{restored:?}"
    );
    assert_same(&state(&target).await, &before);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_every_copy_of_a_key_is_lost_the_next_backup_opens_with_a_new_one() {
    let mut app = App::start().await;
    let before = app.state().await;
    let old = app.env["BACKUP_IDENTITY_FILE"].clone();
    let key = app.folder.path().join("new.txt").display().to_string();
    let made = call_with(&app.env, &["backup", "keygen", "--output", &key, "--json"]).await;
    let made = made.json();
    for name in ["BACKUP_SECRET", "BACKUP_RECIPIENTS"] {
        app.env
            .insert(name.to_owned(), made[name].as_str().unwrap().to_owned());
    }
    app.env.insert("BACKUP_IDENTITY_FILE".to_owned(), key);
    let taken = call_with(&app.env, &["backup", "run", "--json"]).await;
    assert_eq!(taken.status, 0, "{taken:?}");
    let new = taken.json()["backup"]["snapshot"]
        .as_str()
        .unwrap()
        .to_owned();
    let verify = |name: String| {
        [
            "backup".to_owned(),
            "verify".into(),
            name,
            "--level".into(),
            "2".into(),
        ]
    };
    let opened = async |name: &str| {
        let arguments = verify(name.to_owned());
        let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
        call_with(&app.env, &arguments).await.status
    };
    assert_eq!(opened(&new).await, 0);
    assert_eq!(
        opened(&app.env["BACKUP"]).await,
        1,
        "the old one needs the old key"
    );
    let found = app.env["BACKUP"].clone();
    let old_key = [
        "backup",
        "verify",
        &found,
        "--level",
        "2",
        "--identity",
        &old,
    ];
    assert_eq!(
        call_with(&app.env, &old_key).await.status,
        0,
        "a key that turns up opens it"
    );
    app.env.insert("BACKUP".to_owned(), new);
    let target = TestDatabase::empty().await.unwrap();
    let cluster = target.cluster().await.unwrap();
    app.env.insert(
        "NEW_DATABASE_URL".to_owned(),
        cluster.postgres_url(target.name()),
    );
    let restored = app.follow(&blocks("The database")[1]).await;
    assert_eq!(restored.status, 0, "{restored:?}");
    assert_same(&state(&target).await, &before);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drill_of_the_document_is_good() {
    let app = App::start().await;
    app.follow_all("Drills").await;
    app.stop().await;
}
