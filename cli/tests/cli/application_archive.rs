//! `backup application`: how the platforms are set up and the repository, got back by the steps
//! of `docs/application-archive.md` as they stand there, with git, age and zstd.

use std::{collections::BTreeMap, fs, path::Path, process::Command};

use bytes::Bytes;
use dev::DevOptions;
use http::{Response, StatusCode};
use local_supabase::{
    machine::{self, Tool},
    platforms::stand_in::{Asked, StandIn, refusal},
    postgres::TestDatabase,
};
use serde_json::{Value, json};

use crate::{
    backup::{run, with_identity},
    recovery::{blocks_of, shell},
    support::{Called, Folder, bundle, call_with},
};

const PAGE: &str = include_str!("../../../docs/application-archive.md");

/// Both platforms at one address, each document by its path.
async fn platforms() -> StandIn<BTreeMap<String, Value>> {
    let documents = [
        (
            "v9/projects/prj_app",
            json!({"name": "wine", "nodeVersion": "22.x", "secret": "hidden"}),
        ),
        (
            "v10/projects/prj_app/env",
            json!({"envs": [{"key": "OPENAI_API_KEY", "type": "sensitive", "target": ["production"], "value": "hidden"}]}),
        ),
        (
            "v9/projects/prj_app/domains",
            json!({"domains": [{"name": "wine.example", "verified": true}]}),
        ),
        (
            "v1/projects/ref/config/auth",
            json!({"site_url": "https://wine.example", "smtp_pass": "hidden"}),
        ),
        (
            "v1/projects/ref/functions",
            json!([{"slug": "hello", "version": 3}]),
        ),
        (
            "v1/projects/ref/functions/hello/body",
            json!("Deno.serve()"),
        ),
    ];
    let documents = documents.map(|(path, document)| (path.to_owned(), document));
    let answer = |documents: &mut BTreeMap<String, Value>, asked: &Asked| {
        documents.get(&asked.path.join("/")).map_or_else(
            || refusal(StatusCode::NOT_FOUND, "not_found", "Not Found"),
            |document| Response::new(Bytes::from(document.to_string())),
        )
    };
    StandIn::start(None, "token", documents.into(), answer)
        .await
        .unwrap()
}

/// A repository with two branches, a tag and something in each.
const REPOSITORY: &str = "
    git init --quiet --initial-branch main app
    cd app
    git config user.name anna && git config user.email anna@wine.example
    echo one > page.tsx && git add . && git commit --quiet -m one && git tag v1
    git switch --quiet -c cellar
    echo two > page.tsx && git commit --quiet -am two
    git switch --quiet main
    cd .. && git clone --quiet --mirror app app.git
    git clone --quiet --depth 1 --branch cellar file://$PWD/app shallow
    git init --quiet --bare new.git";

/// Every branch and tag, with what it points at.
fn refs(folder: &Path) -> String {
    let asked = Command::new("git")
        .arg("-C")
        .arg(folder)
        .arg("show-ref")
        .output();
    String::from_utf8(asked.unwrap().stdout).unwrap()
}

fn read(path: impl AsRef<Path>) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

struct World {
    env: BTreeMap<String, String>,
    folder: Folder,
    _database: TestDatabase,
    running: dev::Running,
    platforms: StandIn<BTreeMap<String, Value>>,
}

impl World {
    async fn start() -> Self {
        machine::bring(&[Tool::Age, Tool::Zstd]).unwrap();
        let (running, database) = bundle(DevOptions::default()).await;
        run(
            &database,
            "create table public.bottles (id int primary key);
             create publication wines for table public.bottles",
        )
        .await;
        let platforms = platforms().await;
        let mut env = with_identity(&running);
        for (name, value) in [
            ("VERCEL_TOKEN", platforms.token().to_owned()),
            ("VERCEL_API_URL", platforms.url()),
            ("APP_VERCEL_PROJECT_ID", "prj_app".to_owned()),
            ("SUPABASE_ACCESS_TOKEN", platforms.token().to_owned()),
            ("SUPABASE_API_URL", platforms.url()),
            ("SUPABASE_PROJECT_REF", "ref".to_owned()),
            ("KEYFILE", env["BACKUP_IDENTITY_FILE"].clone()),
        ] {
            env.insert(name.to_owned(), value);
        }
        let folder = Folder::empty();
        let new = folder.path().join("new.git").display().to_string();
        env.insert("NEW_REPOSITORY".to_owned(), new);
        let world = Self {
            env,
            folder,
            _database: database,
            running,
            platforms,
        };
        let made = world.shell(REPOSITORY).await;
        assert_eq!(made.status, 0, "{made:?}");
        world
    }

    fn at(&self, path: &str) -> std::path::PathBuf {
        self.folder.path().join(path)
    }

    async fn shell(&self, block: &str) -> Called {
        let command = env!("CARGO_BIN_EXE_pourtrait");
        let block = format!("set -e\npourtrait() {{ {command} \"$@\"; }}\n{block}");
        let (env, folder) = (self.env.clone(), self.folder.path().to_owned());
        let call = move || shell(&block, &env, &folder, Path::new("/usr/bin"));
        tokio::task::spawn_blocking(call).await.unwrap()
    }

    async fn archive(&self, repository: &str) -> Called {
        let repository = self.at(repository).display().to_string();
        let arguments = [
            "backup",
            "application",
            "run",
            "--json",
            "--repository",
            &repository,
        ];
        call_with(&self.env, &arguments).await
    }

    /// The object of an archive, as any client of the store would fetch it.
    fn download(&self, name: &str) {
        let store = self.env["BACKUP_URL"].strip_prefix("file://").unwrap();
        let object = format!("{name}.json.zst.age");
        let from = Path::new(store).join("v1/app").join(&object);
        fs::copy(from, self.at("OBJECT.json.zst.age")).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_application_comes_back_by_the_steps_of_the_document() {
    let world = World::start().await;
    let taken = world.archive("app.git").await;
    assert_eq!(taken.status, 0, "{taken:?}");
    let name = taken.json()["name"].as_str().unwrap().to_owned();
    world.download(&name);
    for block in blocks_of(PAGE, "Get the application back") {
        let done = world.shell(&block).await;
        assert_eq!(done.status, 0, "{block}\n{done:?}");
    }

    let before = refs(&world.at("app"));
    assert!(
        before.contains("refs/heads/cellar") && before.contains("refs/tags/v1"),
        "{before}"
    );
    assert_eq!(refs(&world.at("app.git")), before);
    assert_eq!(refs(&world.at("new.git")), before);

    let archive = world.at("archive");
    let project = read(archive.join("vercel.app.project.json"));
    assert_eq!(project, json!({"name": "wine", "nodeVersion": "22.x"}));
    let variables = read(archive.join("vercel.app.variables.json"));
    assert_eq!(
        variables["envs"],
        json!([{"key": "OPENAI_API_KEY", "type": "sensitive", "target": ["production"]}])
    );
    assert_eq!(
        read(archive.join("supabase.auth.json")),
        json!({"site_url": "https://wine.example"})
    );
    let publications = read(archive.join("database.publications.json"));
    assert!(publications.to_string().contains("wines"), "{publications}");
    let absent = read(archive.join("absent.json"));
    assert!(
        absent["supabase.postgrest"]
            .as_str()
            .unwrap()
            .starts_with("answered 404")
    );

    // By age and zstd alone it is the same.
    let whole = read(world.at("archive.json"));
    assert_eq!(whole["documents"]["vercel.app.project"], project);
    assert!(!whole.to_string().contains("hidden"));
    world.platforms.stop().await;
    world.running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clone_without_its_past_is_refused_and_a_work_tree_is_kept_whole() {
    let world = World::start().await;
    let shallow = world.archive("shallow").await;
    assert_eq!(shallow.status, 2, "{shallow:?}");
    assert!(shallow.stderr.contains("fetch --unshallow"), "{shallow:?}");
    let none = world.archive("new.git/refs").await;
    assert_ne!(none.status, 0, "{none:?}");

    let taken = world.archive("app").await;
    assert_eq!(taken.status, 0, "{taken:?}");
    let fetched = world.shell(
        "pourtrait backup application fetch latest --output archive --identity \"$KEYFILE\"
         git clone --quiet --branch cellar archive/repository.bundle again && cat again/page.tsx",
    );
    let fetched = fetched.await;
    assert!(fetched.stdout.ends_with("two\n"), "{fetched:?}");
    let again = world.shell(
        "pourtrait backup application fetch latest --output archive --identity \"$KEYFILE\"",
    );
    assert_eq!(again.await.status, 2);
    world.platforms.stop().await;
    world.running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_application_is_made_anew_and_what_nobody_said_is_named() {
    let world = World::start().await;
    let taken = world.archive("app.git").await;
    assert_eq!(taken.status, 0, "{taken:?}");
    let mut env = world.env.clone();
    for name in [
        "VERCEL_TOKEN",
        "VERCEL_API_URL",
        "SUPABASE_ACCESS_TOKEN",
        "SUPABASE_API_URL",
        "SUPABASE_PROJECT_REF",
    ] {
        env.insert(name.to_owned(), world.running.env[name].clone());
    }
    // Its value is to come from a file.
    env.remove("OPENAI_API_KEY");
    let recovery = world.at("recovery").display().to_string();
    let line = [
        "recover",
        "application",
        "--yes",
        "--folder",
        &recovery,
        "--repository",
        &env["NEW_REPOSITORY"],
        "--vercel-project",
        "wine-again",
    ];
    let first = call_with(&env, &line).await;
    assert_eq!(first.status, 0, "{first:?}");
    assert!(
        first.stdout.contains("nobody said what OPENAI_API_KEY are"),
        "{first:?}"
    );
    fs::write(world.at("values.env"), "OPENAI_API_KEY='sk-again'\n").unwrap();
    let values = world.at("values.env").display().to_string();
    let second = call_with(&env, &[&line[..], &["--values", &values]].concat()).await;
    assert_eq!(second.status, 0, "{second:?}");
    assert!(!second.stdout.contains("nobody said"), "{second:?}");
    assert!(!format!("{second:?}").contains("sk-again"));

    assert_eq!(refs(&world.at("new.git")), refs(&world.at("app")));
    let platforms = world.running.stack().platforms();
    {
        let vercel = platforms.vercel.state();
        let project = vercel.projects.find("wine-again").unwrap();
        assert_eq!(project.document["nodeVersion"], "22.x");
        assert_eq!(project.domains, [json!({"name": "wine.example"})]);
        let variables = vercel.environment.of(project.id());
        assert_eq!(variables.len(), 1, "{variables:?}");
        let variable = &variables[0];
        let told = (variable.key.as_str(), variable.value.as_str());
        assert_eq!(told, ("OPENAI_API_KEY", "sk-again"));
        assert_eq!(
            (variable.kind.as_str(), &variable.target[..]),
            ("sensitive", &["production".to_owned()][..])
        );
        let management = platforms.management.state();
        let project = &management.projects.projects[0];
        assert_eq!(project.functions, ["hello"]);
        let auth = &project.configured["config/auth"];
        assert_eq!(auth, &json!({"site_url": "https://wine.example"}));
    }

    a_drill_leaves_no_project(&world, &env).await;
    a_full_repository_is_refused(&world, &env).await;
    world.running.stop().await.unwrap();
}

async fn a_drill_leaves_no_project(world: &World, env: &BTreeMap<String, String>) {
    let platforms = world.running.stack().platforms();
    let other = world.at("drill").display().to_string();
    let drill = [
        "recover",
        "application",
        "--yes",
        "--drill",
        "--folder",
        &other,
        "--vercel-project",
        "wine-drill",
    ];
    let before = platforms.vercel.state().projects.len();
    let drilled = call_with(env, &drill).await;
    assert_eq!(drilled.status, 0, "{drilled:?}");
    assert!(
        drilled.stdout.contains("what it made is gone"),
        "{drilled:?}"
    );
    assert_eq!(platforms.vercel.state().projects.len(), before);
    let made = platforms.vercel.asked();
    assert!(made.iter().any(|asked| asked.body["name"] == "wine-drill"));
}

/// A repository that holds something else is never overwritten.
async fn a_full_repository_is_refused(world: &World, env: &BTreeMap<String, String>) {
    let full = world.shell("git init --quiet full && cd full && git config user.name a && git config user.email a@b.c && git commit --quiet --allow-empty -m x").await;
    assert_eq!(full.status, 0, "{full:?}");
    let (third, remote) = (
        world.at("third").display().to_string(),
        world.at("full").display().to_string(),
    );
    let line = [
        "recover",
        "application",
        "--yes",
        "--folder",
        &third,
        "--repository",
        &remote,
    ];
    let refused = call_with(env, &line).await;
    assert_eq!(refused.status, 1, "{refused:?}");
    assert!(
        refused.stdout.contains("is not empty: name a new one"),
        "{refused:?}"
    );
}
