//! `status`, `rollback` and `deploy` against the local stand-in of Vercel: what serves is
//! told, gone back from and replaced, and a release that does not work is taken back.
//!
//! - `signals`: a deployment that is asked to end

mod signals;

use std::{
    collections::BTreeMap,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::Command,
    sync::{Arc, OnceLock},
};

use bytes::Bytes;
use dev::DevOptions;
use http::{HeaderValue, Request, Response, StatusCode};
use local_supabase::{
    platforms::{
        stand_in::{StandIn, Trouble},
        vercel::{self, State, deployments::Deployment},
    },
    postgres::Cluster,
    server::{Answer, Server},
};
use outside::outbound::Outbound;
use serde_json::json;

use crate::support::{Called, Folder, bundle, call, call_with, forward};

const NEW: &str = "dpl_new";

/// The domain of production, at which the app is known to answer.
const DOMAIN: &str = "127.0.0.1";

/// The host of a deployment's own address.
const OWN: &str = "localhost";

/// Whether something breaks, by the host that is asked and what serves.
type Breaks = fn(&str, &str) -> bool;

const NEVER: Breaks = |_, _| false;

/// Vercel with four deployments of which the newest serves, and the app at one port, whose
/// production answers by one name and whose next deployment by another.
struct Platform {
    vercel: Arc<StandIn<State>>,
    app: Server,
    /// What is in the app's place.
    bundle: Arc<OnceLock<String>>,
    env: BTreeMap<String, String>,
}

impl Platform {
    async fn start(breaks: Breaks) -> Self {
        let vercel = Arc::new(vercel::start(None, "token").await.unwrap());
        let bundle: Arc<OnceLock<String>> = Arc::default();
        let app = Server::bind(None, {
            let (vercel, bundle) = (Arc::clone(&vercel), Arc::clone(&bundle));
            let outbound = Arc::new(Outbound::default());
            move |request: Request<Bytes>| {
                let serves = vercel.state().promotions.aliases[DOMAIN].clone();
                let host = request.headers()["host"].to_str().unwrap();
                let is_broken = breaks(host.split(':').next().unwrap(), &serves);
                let (bundle, outbound) = (bundle.get().cloned(), Arc::clone(&outbound));
                async move {
                    match bundle {
                        _ if is_broken => page(StatusCode::INTERNAL_SERVER_ERROR),
                        Some(bundle) => forward(&outbound, &bundle, &request).await,
                        None => page(StatusCode::OK),
                    }
                }
            }
        })
        .await
        .unwrap();
        {
            let mut state = vercel.state();
            let served = |n: i64| Deployment::served(&format!("dpl_{n}"), n, &format!("commit{n}"));
            state.deployments.all = (1..=4).map(served).collect();
            state.serve("prj_1", "wine", &[DOMAIN], "dpl_4");
        }
        let env = [
            ("VERCEL_TOKEN", "token"),
            ("VERCEL_API_URL", &vercel.url()),
            ("APP_VERCEL_PROJECT_ID", "wine"),
            ("NEXT_PUBLIC_APP_URL", &app.url()),
        ];
        let env = env.map(|(name, value)| (name.to_owned(), value.to_owned()));
        Self {
            vercel,
            app,
            bundle,
            env: env.into(),
        }
    }

    async fn call(&self, line: &str) -> Called {
        call_with(&self.env, &line.split(' ').collect::<Vec<_>>()).await
    }

    /// The address of the next deployment alone.
    fn own_address(&self) -> String {
        format!("http://{OWN}:{}", self.app.address().port())
    }

    /// Changes of traffic that were taken.
    fn taken(&self) -> Vec<(&'static str, String)> {
        self.vercel.state().promotions.taken.clone()
    }
}

fn page(status: StatusCode) -> Answer {
    let mut answer = Response::new(Bytes::from_static(b"<!doctype html>"));
    *answer.status_mut() = status;
    let html = HeaderValue::from_static("text/html");
    answer.headers_mut().insert("content-type", html);
    answer.into()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_serves_is_told_by_the_aliases_and_a_rollback_pins_until_it_is_released() {
    let platform = Platform::start(NEVER).await;
    let status = platform.call("status --deployments").await;
    assert_eq!(status.status, 0, "{status:?}");
    assert!(
        status
            .stderr
            .contains("target: production of wine (prj_1) on 127.0.0.1")
    );
    for text in [
        "dpl_4 serves production since 2026-11-24",
        "pinned: no",
        "no: it serves now",
    ] {
        assert!(status.stdout.contains(text), "{text} in {}", status.stdout);
    }

    let back = platform.call("rollback --json").await;
    assert_eq!(
        (back.status, &back.json()["outcome"]),
        (0, &json!("done")),
        "{back:?}"
    );
    assert_eq!(back.json()["serving"]["domains"][DOMAIN], "dpl_3");
    let status = platform.call("status --json").await.json();
    assert_eq!(
        (
            &status["serving"]["pinned"],
            &status["serving"]["deployment"]
        ),
        (&json!(true), &json!("dpl_3"))
    );

    let released = platform.call("rollback --release").await;
    assert_eq!(released.status, 0, "{released:?}");
    let again = platform.call("rollback --release").await;
    assert_eq!(again.status, 2, "{again:?}");
    assert_eq!(
        platform.taken(),
        [
            ("rollback", "dpl_3".to_owned()),
            ("promote", "dpl_3".to_owned())
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_gone_back_to_is_refused_before_anything_is_asked() {
    let platform = Platform::start(NEVER).await;
    platform
        .vercel
        .state()
        .deployments
        .all
        .push(Deployment::staged("dpl_5", 5, "commit5"));
    for (line, text) in [
        ("rollback dpl_4", "it serves now"),
        ("rollback dpl_5", "it never served"),
        ("rollback dpl_9", "is no deployment of this team"),
        ("rollback --project ops", "VERCEL_PROJECT_ID is not set"),
    ] {
        let called = platform.call(line).await;
        assert_eq!(called.status, 2, "{line}: {called:?}");
        assert!(called.stderr.contains(text), "{line}: {called:?}");
    }
    assert_eq!(platform.taken(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_is_told_with_what_serves_and_a_broken_one_fails() {
    let platform = Platform::start(|_, serves| serves == "dpl_3").await;
    platform
        .vercel
        .trouble(|asked| asked.method == "POST", Trouble::CutAfter);
    let back = platform.call("rollback dpl_3").await;
    assert_eq!(back.status, 1, "{back:?}");
    for text in [
        "its answer does not tell",
        "dpl_3 serves production now",
        "does not work",
        "health: its front page answers 500",
    ] {
        assert!(back.stdout.contains(text), "{text} in {}", back.stdout);
    }
    assert_eq!(platform.taken().len(), 1);
}

/// A folder with a commit, and programs that only say what they were called with.
fn repository(platform: &Platform) -> (Folder, Vec<(String, String)>) {
    let folder = Folder::with(&[
        (
            "package.json",
            r#"{"scripts": {"lint": "true", "dev": "true"}}"#,
        ),
        (".gitignore", "/bin\n/calls\n"),
    ]);
    commit(folder.path());
    std::fs::create_dir(folder.path().join("bin")).unwrap();
    for name in ["npm", "vercel", "node"] {
        let text = format!(
            "#!/bin/sh\necho {name} \"$@\" >>calls\ntest -z \"$FAIL\" || test \"$FAIL\" != \"$1\"\n"
        );
        install(&folder, name, &text);
    }
    #[expect(
        clippy::disallowed_methods,
        reason = "git is found as this test finds it"
    )]
    let path = std::env::var("PATH").unwrap();
    let path = format!("{}:{path}", folder.path().join("bin").display());
    let mut variables: Vec<_> = platform.env.clone().into_iter().collect();
    variables.push(("PATH".to_owned(), path));
    (folder, variables)
}

/// What Supabase's command does, as versions 2 and 3 of it do: the project is named by a
/// variable or by the folder's link, a token is needed, words for people go to standard error.
const SUPABASE: &str = r#"#!/bin/sh
echo supabase "$@" "to $SUPABASE_PROJECT_ID" >>calls
fail() { echo "$1" >&2; exit 1; }
test "$*" = "db push --linked --yes" || fail "unknown flag"
ref="${SUPABASE_PROJECT_ID:-$(cat supabase/.temp/project-ref 2>/dev/null)}"
test -n "$ref" || fail "Cannot find project ref. Have you run supabase link?"
test -n "$SUPABASE_ACCESS_TOKEN" || fail "Access token not provided. Supply an access token by running supabase login or setting the SUPABASE_ACCESS_TOKEN environment variable."
echo "Initialising login role..." >&2
echo "Connecting to remote database..." >&2
case "$(cat does 2>/dev/null)" in
fails)
  echo "Applying migration 20261130000000_cellars.sql..." >&2
  fail 'ERROR: relation "cellars" already exists (SQLSTATE 42P07)
At statement: 0';;
hangs)
  sleep 600 & echo $! >begun; wait;;
esac
echo "Do you want to push these migrations to the remote database? [Y/n] y" >&2
echo "Applying migration 20261130000000_cellars.sql..." >&2
echo "Finished supabase db push."
"#;

/// Lets the app keep migrations, and installs what applies them.
fn with_migrations(folder: &Folder) {
    let migrations = folder.path().join("supabase/migrations");
    std::fs::create_dir_all(&migrations).unwrap();
    let file = migrations.join("20261130000000_cellars.sql");
    std::fs::write(file, "create table cellars (id bigint);\n").unwrap();
    let ignored = "/bin\n/calls\n/does\n/begun\n/supabase/.temp\n";
    std::fs::write(folder.path().join(".gitignore"), ignored).unwrap();
    commit(folder.path());
    install(folder, "supabase", SUPABASE);
}

fn install(folder: &Folder, name: &str, text: &str) {
    let program = folder.path().join("bin").join(name);
    std::fs::write(&program, text).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// The commit that a folder is at.
fn head(folder: &Path) -> String {
    let said = Command::new("git")
        .args(["rev-parse", "HEAD"])
        .current_dir(folder)
        .output();
    String::from_utf8(said.unwrap().stdout)
        .unwrap()
        .trim()
        .to_owned()
}

/// Commits everything in a folder, and gives the commit.
fn commit(folder: &Path) -> String {
    for line in [
        "init --quiet",
        "add --all .",
        "commit --quiet --message=Change",
    ] {
        let ended = Command::new("git")
            .args(["-c", "user.name=t", "-c", "user.email=t@wine.example"])
            .args(line.split(' '))
            .current_dir(folder)
            .output()
            .unwrap();
        assert!(ended.status.success(), "{ended:?}");
    }
    head(folder)
}

/// The deployment that Vercel's command would make, of an hour from now.
fn to_be_made(platform: &Platform, commit: &str) {
    let hour_ahead = outside::clock::now().as_millisecond() + 3_600_000;
    let mut made = Deployment::staged(NEW, hour_ahead, commit);
    made.url = platform.own_address();
    made.meta["pourtraitCommit"] = json!(commit);
    platform.vercel.state().deployments.all.push(made);
}

fn deploy(folder: &Folder, variables: &[(String, String)], arguments: &str) -> Called {
    let variables: Vec<_> = variables
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let arguments: Vec<_> = format!("deploy {arguments}")
        .trim()
        .split(' ')
        .map(str::to_owned)
        .collect();
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    tokio::task::block_in_place(|| call(folder.path(), &variables, &arguments))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_is_staged_looked_at_and_promoted_once() {
    let platform = Platform::start(NEVER).await;
    let (folder, variables) = repository(&platform);
    to_be_made(&platform, &head(folder.path()));

    let plan = deploy(&folder, &variables, "--dry-run");
    assert_eq!(plan.status, 0, "{plan:?}");
    assert!(
        plan.stdout.contains("npm run lint\nvercel pull"),
        "{plan:?}"
    );
    assert!(!folder.path().join("calls").exists(), "a plan does nothing");

    let released = deploy(&folder, &variables, "--json");
    assert_eq!(released.status, 0, "{released:?}");
    assert_eq!(released.json()["promotion"]["outcome"], "done");
    let calls = std::fs::read_to_string(folder.path().join("calls")).unwrap();
    let mark = format!("--meta pourtraitCommit={}", head(folder.path()));
    assert_eq!(
        calls.lines().collect::<Vec<_>>(),
        [
            "npm run lint",
            "vercel pull --yes --environment=production",
            "vercel build --prod",
            &format!("vercel deploy --prebuilt --prod --skip-domain {mark}"),
        ]
    );
    assert_eq!(platform.taken(), [("promote", NEW.to_owned())]);

    std::fs::write(folder.path().join("new"), "").unwrap();
    let dirty = deploy(&folder, &variables, "");
    assert_eq!(dirty.status, 2, "{dirty:?}");
    assert!(
        dirty.stderr.contains("1 files differ from the commit"),
        "{dirty:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_that_does_not_work_is_taken_back() {
    let platform = Platform::start(|_, serves| serves == NEW).await;
    let (folder, variables) = repository(&platform);
    to_be_made(&platform, &head(folder.path()));
    let released = deploy(&folder, &variables, "--skip-gates");
    assert_eq!(released.status, 1, "{released:?}");
    assert!(released.stderr.contains("GATES SKIPPED"), "{released:?}");
    assert!(
        released
            .stdout
            .contains("Gone back: Vercel was asked for dpl_4"),
        "{released:?}"
    );
    assert_eq!(
        platform.taken(),
        [
            ("promote", NEW.to_owned()),
            ("rollback", "dpl_4".to_owned())
        ]
    );

    let pinned = deploy(&folder, &variables, "");
    assert_eq!(pinned.status, 2, "{pinned:?}");
    assert!(
        pinned.stderr.contains("production is pinned to dpl_4"),
        "{pinned:?}"
    );
    platform
        .vercel
        .state()
        .promotions
        .omitted
        .insert("autoAssignCustomDomains");
    let unsaid = deploy(&folder, &variables, "");
    assert_eq!(unsaid.status, 2, "{unsaid:?}");
    assert!(
        unsaid
            .stderr
            .contains("does not say whether production is pinned"),
        "{unsaid:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_work_at_its_own_address_is_never_promoted() {
    let platform = Platform::start(|host, _| host == OWN).await;
    let (folder, variables) = repository(&platform);
    to_be_made(&platform, &head(folder.path()));
    let refused = deploy(&folder, &variables, "");
    assert_eq!(refused.status, 1, "{refused:?}");
    for text in [
        "health: its front page answers 500",
        "it serves nobody, and nothing was promoted",
    ] {
        assert!(
            refused.stderr.contains(text),
            "{text} in {}",
            refused.stderr
        );
    }
    assert_eq!(platform.taken(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_apps_migrations_go_to_the_watched_project_before_anything_is_staged() {
    let platform = Platform::start(NEVER).await;
    let (folder, mut variables) = repository(&platform);
    with_migrations(&folder);
    let link = folder.path().join("supabase/.temp/project-ref");
    std::fs::create_dir_all(link.parent().unwrap()).unwrap();
    std::fs::write(&link, "otherproject\n").unwrap();
    for (name, value) in [
        ("SUPABASE_PROJECT_REF", "wineproject"),
        ("SUPABASE_ACCESS_TOKEN", "sbp_token"),
    ] {
        variables.push((name.to_owned(), value.to_owned()));
    }
    let does = |what: &str| std::fs::write(folder.path().join("does"), what).unwrap();
    let calls = || std::fs::read_to_string(folder.path().join("calls")).unwrap_or_default();
    let elsewhere = deploy(&folder, &variables, "");
    assert_eq!(elsewhere.status, 2, "{elsewhere:?}");
    assert!(
        elsewhere.stderr.contains("would go to otherproject"),
        "{elsewhere:?}"
    );
    assert_eq!(calls(), "", "it is refused before anything runs");
    std::fs::remove_file(&link).unwrap();

    does("fails");
    let failed = deploy(&folder, &variables, "--skip-gates");
    assert_eq!(failed.status, 1, "{failed:?}");
    for text in [
        "relation \"cellars\" already exists",
        "supabase db push --linked --yes failed",
    ] {
        assert!(failed.stderr.contains(text), "{text} in {}", failed.stderr);
    }
    assert!(!calls().contains("vercel deploy"), "{}", calls());

    std::fs::remove_file(folder.path().join("bin/supabase")).unwrap();
    let absent = deploy(&folder, &variables, "--skip-gates");
    assert_eq!(absent.status, 1, "{absent:?}");
    assert!(
        absent.stderr.contains("`supabase` is not installed here"),
        "{absent:?}"
    );
    assert!(!calls().contains("vercel deploy"), "{}", calls());

    install(&folder, "supabase", SUPABASE);
    does("works");
    to_be_made(&platform, &head(folder.path()));
    let released = deploy(&folder, &variables, "--skip-gates");
    assert_eq!(released.status, 0, "{released:?}");
    assert!(
        calls().contains("supabase db push --linked --yes to wineproject\nvercel deploy"),
        "{}",
        calls()
    );
    assert!(!released.stdout.contains("sbp_token") && !released.stderr.contains("sbp_token"));
    assert_eq!(platform.taken(), [("promote", NEW.to_owned())]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_that_fails_is_told_by_the_bundle_until_one_succeeds() {
    let (running, database) = bundle(DevOptions::default()).await;
    let platform = Platform::start(|_, serves| serves == NEW).await;
    let (folder, mut variables) = repository(&platform);
    for (name, value) in [
        ("BASE_URL", running.base_url.as_str()),
        ("MONITORING_API_KEY", &running.env["MONITORING_API_KEY"]),
    ] {
        variables.push((name.to_owned(), value.to_owned()));
    }
    let cluster = Cluster::shared().await.unwrap();
    let admin = cluster.connect_admin(database.name()).await.unwrap();
    let alerts = async || {
        let read = "select concat_ws(' ', facts #>> '{detail,type}', severity, status), facts ->> 'message'
                    from ops.alerts where source = 'external'";
        let rows = admin.query(read, &[]).await.unwrap();
        let pair = |row: &tokio_postgres::Row| (row.get(0), row.get(1));
        rows.iter().map(pair).collect::<Vec<(String, String)>>()
    };
    to_be_made(&platform, &head(folder.path()));
    let broken = deploy(&folder, &variables, "--skip-gates");
    assert_eq!(broken.status, 1, "{broken:?}");
    let told = alerts().await;
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0].0, "app_release_failed high firing");
    assert!(
        told[0].1.contains("health: its front page answers 500"),
        "{told:?}"
    );

    // What was gone back from pins production; the next one is another deployment.
    platform.vercel.state().deployments.all.pop();
    let mut made = Deployment::staged("dpl_mended", 9, &head(folder.path()));
    made.url = platform.own_address();
    platform.vercel.state().deployments.all.push(made);
    let good = deploy(
        &folder,
        &variables,
        "--skip-gates --unpin --staged dpl_mended",
    );
    assert_eq!(good.status, 0, "{good:?}");
    let told = alerts().await;
    assert_eq!(told[0].0, "app_release_failed high resolved", "{told:?}");

    variables.retain(|(name, _)| name != "MONITORING_API_KEY");
    platform
        .vercel
        .state()
        .promotions
        .aliases
        .insert(DOMAIN.to_owned(), "dpl_4".to_owned());
    let untold = deploy(&folder, &variables, "--skip-gates --staged dpl_mended");
    assert_eq!(untold.status, 0, "a release is what it is all the same");
    assert!(
        untold
            .stderr
            .contains("nobody was told by the bundle: MONITORING_API_KEY is not set"),
        "{untold:?}"
    );
    running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deployment_that_was_left_staged_is_gone_on_from() {
    let platform = Platform::start(NEVER).await;
    let (folder, mut variables) = repository(&platform);
    variables.push(("FAIL".to_owned(), "build".to_owned()));
    let failed = deploy(&folder, &variables, "");
    assert_eq!(failed.status, 1, "{failed:?}");
    assert!(
        failed.stderr.contains("vercel build --prod failed"),
        "{failed:?}"
    );
    assert_eq!(platform.taken(), []);

    to_be_made(&platform, &head(folder.path()));
    let again = deploy(&folder, &variables, "");
    assert!(
        again.stderr.contains("`--staged dpl_new` goes on from it"),
        "{again:?}"
    );
    let gone_on = deploy(&folder, &variables, "--staged dpl_new");
    assert_eq!(gone_on.status, 0, "{gone_on:?}");
    assert_eq!(platform.taken(), [("promote", NEW.to_owned())]);
}

/// The files of `migrations/`, by their paths below it.
fn migrations(folder: &Path, below: &str, files: &mut Vec<(String, String)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        let name = format!("{below}{name}");
        if path.is_dir() {
            migrations(&path, &format!("{name}/"), files);
        } else if path.extension().is_some_and(|extension| extension == "sql") {
            files.push((name, std::fs::read_to_string(&path).unwrap()));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bundle_that_does_not_work_leaves_the_database_its_former_functions() {
    let (running, _database) = bundle(DevOptions::default()).await;
    let platform = Platform::start(|_, serves| serves == NEW).await;
    platform.bundle.set(running.base_url.clone()).unwrap();
    let (folder, mut variables) = repository(&platform);
    let mut files = Vec::new();
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    migrations(&here.join("../migrations"), "", &mut files);
    let place = |path: &str| folder.path().join("migrations").join(path);
    for (path, sql) in &files {
        let place = place(path);
        std::fs::create_dir_all(place.parent().unwrap()).unwrap();
        std::fs::write(place, sql).unwrap();
    }
    let release = ops::migrate::Schema::embedded().release;
    let manifest = format!("[workspace.package]\nversion = \"{release}\"\n");
    std::fs::write(folder.path().join("Cargo.toml"), manifest).unwrap();

    // The release before had other grants, and is in force.
    let grants = std::fs::read_to_string(place("grants.sql")).unwrap();
    let former_grants = format!("{grants}\n-- As they were.\n");
    std::fs::write(place("grants.sql"), &former_grants).unwrap();
    let serving = commit(folder.path());
    platform.vercel.state().deployments.all[3].meta = json!({"githubCommitSha": serving});
    std::fs::write(place("grants.sql"), &grants).unwrap();
    to_be_made(&platform, &commit(folder.path()));
    for (path, sql) in &mut files {
        if path == "grants.sql" {
            sql.clone_from(&former_grants);
        }
    }
    let former = ops::migrate::Schema::of_files(&release, files);
    let url = running.env["DATABASE_URL"].as_str().into();
    let ca = running.env.get("DATABASE_CA").map(String::as_str);
    let mut client = outside::database::connect(&url, ca).await.unwrap();
    former.apply(&mut client, &mut |_| {}).await.unwrap();

    variables.extend(
        [
            ("DATABASE_URL", running.env["DATABASE_URL"].as_str()),
            ("DATABASE_CA", ca.unwrap_or_default()),
            ("VERCEL_PROJECT_ID", "wine"),
            ("BASE_URL", &platform.app.url()),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned())),
    );
    let released = deploy(&folder, &variables, "--project ops --skip-gates");
    assert_eq!(released.status, 1, "{released:?}");
    assert!(
        released.stderr.contains("the functions exchanged"),
        "{released:?}"
    );
    assert!(
        released.stderr.contains("put the functions back: done"),
        "{released:?}"
    );
    let status = former.status(&client).await.unwrap();
    assert!(status.is_current(), "{:?}", status.set);
    assert_eq!(
        platform.taken(),
        [
            ("promote", NEW.to_owned()),
            ("rollback", "dpl_4".to_owned())
        ]
    );
}
