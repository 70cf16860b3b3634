//! `recover`: a database made anew, with what uses it, against stand-ins of the platforms.
//!
//! - `kills`: killed at each of its requests, and gone on with

mod kills;

use std::{collections::BTreeMap, fs};

use dev::{DevOptions, Running};
use local_supabase::{
    platforms::vercel::{self, deployments::Deployment, environment::Variable},
    postgres::TestDatabase,
    stack::{Stack, StackOptions},
};
use serde_json::json;
use terminal::env_file;

use crate::{
    backup::{ORDERS, run, with_identity},
    storage,
    support::{Folder, bundle, call_with},
};

/// A production with a backup, and an empty database beside it.
struct World {
    running: Running,
    source: TestDatabase,
    target: TestDatabase,
    env: BTreeMap<String, String>,
    /// Where the recovery's own folder will be.
    folder: Folder,
}

impl World {
    async fn start() -> Self {
        let (running, source) = bundle(DevOptions::default()).await;
        run(&source, ORDERS).await;
        Self::of(running, source).await
    }

    /// One whose Storage has a file as well.
    async fn with_file() -> Self {
        let (running, source) = bundle(DevOptions::default()).await;
        run(&source, ORDERS).await;
        let env = &running.env;
        let project = storage::storage(&env["SUPABASE_URL"], &env["SUPABASE_SECRET_KEY"]);
        storage::fill(&project, &[PHOTO]).await;
        // A row whose file no backup can have.
        let lost = "insert into storage.objects (bucket_id, name, version) values ('photos', 'lost.png', 'x')";
        run(&source, lost).await;
        Self::of(running, source).await
    }

    async fn of(running: Running, source: TestDatabase) -> Self {
        let env = with_identity(&running);
        let taken = call_with(&env, &["backup", "run"]).await;
        assert_eq!(taken.status, 0, "{taken:?}");
        Self {
            target: TestDatabase::empty().await.unwrap(),
            running,
            source,
            env,
            folder: Folder::empty(),
        }
    }

    async fn url(&self, database: &TestDatabase) -> String {
        let cluster = database.cluster().await.unwrap();
        cluster.postgres_url(database.name())
    }

    fn recovery(&self) -> String {
        self.folder.path().join("recovery").display().to_string()
    }
}

const PHOTO: &str = "a/label.png";

/// A variable as somebody set it.
fn variable(key: &str, kind: &str, target: &[&str]) -> Variable {
    Variable {
        id: format!("env_{key}"),
        key: key.to_owned(),
        value: "of the former project".to_owned(),
        kind: kind.to_owned(),
        target: target.iter().map(|one| (*one).to_owned()).collect(),
        git_branch: None,
        comment: String::new(),
    }
}

/// Two projects that use the former database, each with a deployment that serves.
fn serve(state: &mut vercel::State, projects: [&str; 2]) {
    for (project, made) in projects.into_iter().zip(1..) {
        let name = state.projects.find(project).unwrap().document["name"].clone();
        let name = name.as_str().unwrap().to_owned();
        state.deployments.all.push(Deployment {
            project: (project.to_owned(), name),
            ..Deployment::served(&format!("dpl_{made}"), made, "abc")
        });
        *state.environment.of_mut(project) = vec![
            variable(
                "NEXT_PUBLIC_SUPABASE_URL",
                "plain",
                &["production", "preview"],
            ),
            variable("SUPABASE_SECRET_KEY", "sensitive", &["production"]),
            variable("DATABASE_URL", "sensitive", &["production"]),
            variable("OPENAI_API_KEY", "sensitive", &["production"]),
        ];
    }
}

fn value<'a>(state: &'a vercel::State, project: &str, key: &str) -> &'a str {
    let variables = state.environment.of(project).iter();
    let found = variables.filter(|one| one.key == key).collect::<Vec<_>>();
    assert_eq!(found.len(), 1, "{key} of {project}");
    &found[0].value
}

async fn count(database: &TestDatabase, table: &str) -> i64 {
    let cluster = database.cluster().await.unwrap();
    let session = cluster.connect_postgres(database.name()).await.unwrap();
    let count = format!("select count(*) from {table}");
    session.query_one(&count, &[]).await.unwrap().get(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_is_made_anew_with_its_files_and_both_projects_use_it() {
    let world = World::with_file().await;
    let cluster = world.target.cluster().await.unwrap();
    let options = StackOptions {
        database: world.target.name().to_owned(),
        ..StackOptions::default()
    };
    let new = Stack::start(cluster, options).await.unwrap();
    let projects = [
        &world.env["APP_VERCEL_PROJECT_ID"],
        &world.env["VERCEL_PROJECT_ID"],
    ];
    let projects = projects.map(String::as_str);
    let vercel = &world.running.stack().platforms().vercel;
    vercel.state().deployments.all.clear();
    serve(&mut vercel.state(), projects);

    let (recovery, into) = (world.recovery(), world.url(&world.target).await);
    let (url, key) = (new.supabase_url(), new.keys().secret_key().to_owned());
    let line = [
        "recover",
        "database",
        "--folder",
        &recovery,
        "--into",
        &into,
        "--project-url",
        &url,
        "--secret-key",
        &key,
    ];
    let asked = call_with(&world.env, &line).await;
    assert_eq!(asked.status, 2, "{asked:?}");
    assert!(
        asked.stderr.contains("nothing was done: to recover into"),
        "{asked:?}"
    );
    assert!(!asked.stderr.contains(&key), "{asked:?}");
    let dry = call_with(&world.env, &[&line[..], &["--dry-run", "--json"]].concat()).await;
    assert_eq!(dry.status, 0, "{dry:?}");
    assert_eq!(
        dry.json()["plan"][0],
        json!({
            "step": "restore", "title": "restore the database, and compare it", "state": "todo", "how": null,
        })
    );
    assert!(!fs::exists(&recovery).unwrap(), "a dry run makes nothing");

    let done = call_with(&world.env, &[&line[..], &["--yes"]].concat()).await;
    assert_eq!(done.status, 0, "{done:?}");
    assert!(done.stdout.contains("were promised"), "{done:?}");
    assert_eq!(count(&world.target, "public.orders").await, 5000);
    let photo = storage::read(&storage::storage(&url, &key), PHOTO).await;
    assert_eq!(photo, storage::content(PHOTO));
    assert!(done.stderr.contains("1 uploaded, 22 B"), "{done:?}");
    assert!(
        done.stderr.contains("1 are in no backup up to this one"),
        "{done:?}"
    );
    let recovered = env_file::read(&world.folder.path().join("recovery/recovered.env")).unwrap();
    assert_eq!(recovered["DATABASE_URL"], into);
    {
        let state = vercel.state();
        for project in projects {
            assert_eq!(value(&state, project, "NEXT_PUBLIC_SUPABASE_URL"), url);
            assert_eq!(value(&state, project, "SUPABASE_SECRET_KEY"), key);
            assert_eq!(value(&state, project, "DATABASE_URL"), into);
            assert_eq!(
                value(&state, project, "OPENAI_API_KEY"),
                "of the former project"
            );
        }
        assert_eq!(state.deployments.all.len(), 4, "each was built anew once");
    }
    // The new database has a backup of its own (the former one was under way as it was
    // taken), and the receipt.
    let backups = "ops.backups where outcome = 'done'";
    assert_eq!(count(&world.target, backups).await, 1);
    let receipt =
        "ops.backup_recoveries where outcome = 'done' and not is_drill and kind = 'database'";
    assert_eq!(count(&world.target, receipt).await, 1);

    let asked = vercel.asked().len();
    let again = call_with(&world.env, &[&line[..], &["--yes"]].concat()).await;
    assert_eq!(again.status, 0, "{again:?}");
    assert_eq!(
        vercel.asked().len(),
        asked,
        "what is done is not done again"
    );
    world.running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drill_leaves_its_time_and_nothing_else() {
    let world = World::start().await;
    let cluster = world.source.cluster().await.unwrap();
    let (recovery, server) = (world.recovery(), cluster.postgres_url("postgres"));
    let line = [
        "recover", "database", "--drill", "--yes", "--folder", &recovery,
    ];
    let drilled = call_with(
        &world.env,
        &[&line[..], &["--into", &server, "--json"]].concat(),
    )
    .await;
    assert_eq!(drilled.status, 0, "{drilled:?}");
    let document = drilled.json();
    assert_eq!(document["promisedMinutes"], 240.0, "{document}");
    assert_eq!(
        document["recovery"]["steps"].as_array().unwrap().len(),
        1,
        "{document}"
    );
    let receipt =
        "ops.backup_recoveries where outcome = 'done' and is_drill and snapshot is not null";
    assert_eq!(count(&world.source, receipt).await, 1);

    // A project that is made for it goes, also where its database is never reached.
    let platforms = world.running.stack().platforms();
    platforms.management.state().projects.session_host = Some("127.0.0.1".to_owned());
    let other = world.folder.path().join("other").display().to_string();
    let line = [
        "recover",
        "database",
        "--drill",
        "--yes",
        "--folder",
        &other,
        "--new-project",
        "cellar-drill",
        "--organization",
        "local-organization",
        "--region",
        "eu-central-1",
    ];
    let failed = call_with(&world.env, &line).await;
    assert_eq!(failed.status, 1, "{failed:?}");
    assert!(
        failed.stdout.contains("FAILED: restore the database"),
        "{failed:?}"
    );
    assert_eq!(
        platforms.management.state().projects.projects.len(),
        1,
        "{failed:?}"
    );
    let receipt = "ops.backup_recoveries where outcome = 'failed' and is_drill";
    assert_eq!(count(&world.source, receipt).await, 1);
    world.running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_project_of_that_name_that_is_not_the_recoverys_own_is_left_alone() {
    let world = World::start().await;
    let recovery = world.recovery();
    let line = [
        "recover",
        "database",
        "--yes",
        "--folder",
        &recovery,
        "--new-project",
        "wine-app",
        "--organization",
        "local-organization",
        "--region",
        "eu-central-1",
    ];
    let refused = call_with(&world.env, &line).await;
    assert_eq!(refused.status, 1, "{refused:?}");
    assert!(
        refused
            .stdout
            .contains("there is a project wine-app already"),
        "{refused:?}"
    );
    let management = &world.running.stack().platforms().management;
    assert!(management.asked().iter().all(|asked| asked.method == "GET"));

    let inside = env!("CARGO_MANIFEST_DIR").to_owned() + "/recovery";
    let refused = call_with(
        &world.env,
        &["recover", "database", "--folder", &inside, "--into", "x"],
    )
    .await;
    assert_eq!(refused.status, 2, "{refused:?}");
    assert!(refused.stderr.contains("must not go along"), "{refused:?}");
    world.running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_region_is_recovered_from_the_copy_where_the_first_place_is_away() {
    let world = World::start().await;
    let archived = call_with(&world.env, &["backup", "application", "run"]).await;
    assert_eq!(archived.status, 0, "{archived:?}");
    let cluster = world.source.cluster().await.unwrap();
    let (recovery, server) = (world.recovery(), cluster.postgres_url("postgres"));
    let line = [
        "recover", "region", "--drill", "--yes", "--folder", &recovery, "--into", &server,
    ];
    let mut env = world.env.clone();
    let away = format!("file://{}", world.folder.path().join("away").display());
    let there = env.insert("BACKUP_URL".to_owned(), away).unwrap();
    let lost = call_with(&env, &line).await;
    assert_eq!(lost.status, 2, "{lost:?}");
    assert!(
        lost.stderr.contains("BACKUP_REPLICA_URL names no copy"),
        "{lost:?}"
    );
    env.insert("BACKUP_REPLICA_URL".to_owned(), there);
    let drilled = call_with(&env, &line).await;
    assert_eq!(drilled.status, 0, "{drilled:?}");
    assert!(
        drilled.stderr.contains("the copy is used from here on"),
        "{drilled:?}"
    );
    let receipt = "ops.backup_recoveries where outcome = 'done' and is_drill and kind = 'region'";
    assert_eq!(count(&world.source, receipt).await, 1);
    world.running.stop().await.unwrap();
}
