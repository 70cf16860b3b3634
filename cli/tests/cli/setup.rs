//! `setup` against stand-ins of the platforms, and the way from nothing to a checked
//! production.
//!
//! - `kills`: killed at each of its requests, and run again

mod kills;

use std::{collections::BTreeMap, fs, path::PathBuf};

use dev::DevOptions;
use local_supabase::platforms::stand_in::{Asked, Trouble};
use serde_json::{Value, json};
use terminal::env_file;

use crate::support::{Called, Folder, bundle, call};

/// What `setup` makes by itself.
const MADE: [&str; 4] = [
    "CRON_SECRET",
    "MONITORING_API_KEY",
    "BACKUP_SECRET",
    "BACKUP_RECIPIENTS",
];

/// Calls the binary in a folder that stays, for a test whose runtime serves what it asks.
async fn call_in(folder: &Folder, line: &str) -> Called {
    let path: PathBuf = folder.path().to_owned();
    let line = line.to_owned();
    let call = move || {
        let arguments: Vec<_> = line.split(' ').collect();
        call(&path, &[], &arguments)
    };
    tokio::task::spawn_blocking(call).await.unwrap()
}

fn write_answers(folder: &Folder, variables: &BTreeMap<String, String>) {
    let text: String = variables
        .iter()
        .map(|(name, value)| env_file::assignment(name, value))
        .collect();
    fs::write(folder.path().join("answers.env"), text).unwrap();
}

fn without(variables: &BTreeMap<String, String>, left_out: &[&str]) -> BTreeMap<String, String> {
    let mut variables = variables.clone();
    variables.retain(|name, _| !left_out.contains(&name.as_str()));
    variables
}

fn changes(asked: &Asked) -> bool {
    asked.method != "GET"
}

#[cfg(unix)]
fn mode(folder: &Folder, name: &str) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    let file = fs::metadata(folder.path().join(name)).unwrap();
    file.permissions().mode() & 0o777
}

/// The private key is on no platform, and every other value in its place.
fn each_place_has_what_it_needs(
    running: &dev::Running,
    folder: &Folder,
    variables: &env_file::Variables,
) {
    let platforms = running.stack().platforms();
    let project = &running.env["VERCEL_PROJECT_ID"];
    let on_vercel: BTreeMap<_, _> = {
        let state = platforms.vercel.state();
        let all = state.environment.of(project).iter();
        all.map(|one| (one.key.clone(), one.clone())).collect()
    };
    for name in MADE {
        let one = &on_vercel[name];
        assert_eq!(one.value, variables[name], "{name}");
        assert_eq!(one.target, ["production", "preview"], "{name}");
        let kind = if name == "BACKUP_RECIPIENTS" {
            "encrypted"
        } else {
            "sensitive"
        };
        assert_eq!(one.kind, kind, "{name}");
    }
    let ca = &on_vercel["DATABASE_CA"].value;
    assert!(
        ca.starts_with("-----BEGIN CERTIFICATE"),
        "a file travels as its text: {ca}"
    );
    let identity = fs::read_to_string(folder.path().join("key.txt")).unwrap();
    let private = identity.lines().next_back().unwrap();
    assert!(private.starts_with("AGE-SECRET-KEY-1"), "{identity}");
    assert!(on_vercel.values().all(|one| !one.value.contains(private)));
    assert!(!on_vercel.contains_key("VERCEL_TOKEN"));
    let repository = {
        let mut state = platforms.github.state();
        state.secrets.repository("local", "pourtrait-ops").clone()
    };
    let key = "MONITORING_API_KEY";
    assert_eq!(repository.secrets[key], variables[key]);
    assert_eq!(repository.variables["BASE_URL"], running.base_url);
    assert!(
        repository
            .secrets
            .values()
            .all(|value| !value.contains(private))
    );
    #[cfg(unix)]
    assert_eq!(
        (mode(folder, ".env"), mode(folder, "key.txt")),
        (0o600, 0o600)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_are_made_once_and_reach_every_place_whatever_answer_is_lost() {
    let (running, _database) = bundle(DevOptions::default()).await;
    let platforms = running.stack().platforms();
    let folder = Folder::empty();
    write_answers(&folder, &without(&running.env, &MADE));
    let line = "setup --answers answers.env --identity key.txt";

    let dry = call_in(&folder, &format!("{line} --dry-run")).await;
    assert_eq!(dry.status, 0, "{dry:?}");
    assert!(
        dry.stdout
            .contains("Vercel: would set CRON_SECRET, which is not there"),
        "{dry:?}"
    );
    let files: Vec<_> = fs::read_dir(folder.path()).unwrap().collect();
    assert_eq!(files.len(), 1, "a dry run writes nothing: {files:?}");
    assert!(!platforms.vercel.asked().iter().any(changes));
    assert!(!platforms.github.asked().iter().any(changes));

    // Set, and nobody is told; then the third secret likewise.
    platforms.vercel.trouble(changes, Trouble::CutAfter);
    let lost = call_in(&folder, line).await;
    assert_eq!(lost.status, 1, "{lost:?}");
    assert!(
        lost.stderr.contains("target: Vercel project pourtrait-ops"),
        "{lost:?}"
    );
    assert!(
        lost.stderr.contains("whether it was done is not known"),
        "{lost:?}"
    );
    let kept = env_file::read(&folder.path().join(".env")).unwrap();
    platforms.github.trouble(
        |asked| {
            asked
                .path
                .last()
                .is_some_and(|last| last == "MONITORING_API_KEY")
        },
        Trouble::CutAfter,
    );
    let lost = call_in(&folder, line).await;
    assert_eq!(lost.status, 1, "{lost:?}");
    assert!(
        lost.stderr
            .contains("set the secret MONITORING_API_KEY on GitHub"),
        "{lost:?}"
    );
    let third = call_in(&folder, line).await;
    assert_eq!(third.status, 0, "{third:?}");
    assert!(
        third.stdout.contains("What only a person can do:"),
        "{third:?}"
    );

    let variables = env_file::read(&folder.path().join(".env")).unwrap();
    assert_eq!(
        variables, kept,
        "a run that is cut off has made its secrets already"
    );
    each_place_has_what_it_needs(&running, &folder, &variables);

    let count = || {
        let asked = [platforms.vercel.asked(), platforms.github.asked()].concat();
        asked.iter().filter(|asked| changes(asked)).count()
    };
    let before = count();
    let again = call_in(&folder, line).await;
    assert_eq!(again.status, 0, "{again:?}");
    assert!(again.stdout.starts_with("nothing to change"), "{again:?}");
    assert_eq!(count(), before, "a second run writes nothing");

    // What somebody changes there is found, and mended.
    platforms
        .vercel
        .state()
        .environment
        .of_mut(&running.env["VERCEL_PROJECT_ID"])
        .retain(|one| one.key != "CRON_SECRET");
    let checked = call_in(&folder, "check --all --json").await;
    let text = checked.json().to_string();
    assert_eq!(checked.status, 1, "{text}");
    assert!(
        text.contains("CRON_SECRET is not there: run `pourtrait setup`"),
        "{text}"
    );
    assert!(
        text.contains("another MONITORING_API_KEY than this source"),
        "{text}"
    );
    let mended = call_in(&folder, "setup --json").await;
    assert_eq!(
        mended.json()["vercel"]["set"][0]["name"],
        "CRON_SECRET",
        "{mended:?}"
    );
    running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn from_nothing_to_a_production_that_is_checked() {
    let (running, _database) = bundle(DevOptions::default()).await;
    let started = outside::clock::instant();
    let folder = Folder::empty();
    let deployment = concat!(env!("CARGO_MANIFEST_DIR"), "/../vercel.json");
    fs::copy(deployment, folder.path().join("vercel.json")).unwrap();
    write_answers(&folder, &running.env);
    for line in ["setup --answers answers.env", "migrate", "check --all"] {
        let called = call_in(&folder, line).await;
        assert_eq!(called.status, 0, "{line}: {called:?}");
    }
    let checked = call_in(&folder, "check --all --json").await.json();
    let findings: Vec<(&Value, &Value)> = checked["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| (&finding["subject"], &finding["level"]))
        .collect();
    for subject in [
        "keys",
        "sign-in",
        "documents",
        "plan",
        "Vercel",
        "functions",
    ] {
        let of_subject = findings.iter().filter(|(one, _)| *one == subject);
        let levels: Vec<_> = of_subject.map(|(_, level)| *level).collect();
        assert!(
            !levels.is_empty() && levels.iter().all(|level| *level == "ok"),
            "{subject}: {checked}"
        );
    }
    println!("from nothing to checked: {:?}", started.elapsed());
    running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_terminal_what_is_missing_is_named_and_nothing_is_replaced_unasked() {
    let folder = Folder::with(&[(".env", "NEXT_PUBLIC_APP_URL=https://app.example\n")]);
    for (line, text) in [
        (
            "setup",
            "NEXT_PUBLIC_SUPABASE_URL, SUPABASE_SECRET_KEY, DATABASE_URL are not known",
        ),
        (
            "setup --set CRON_SECRETS=x",
            "no variable of the bundle is named CRON_SECRETS",
        ),
        (
            "setup --set CRON_SECRET=short",
            "CRON_SECRET (shorter than 16 characters)",
        ),
        ("setup --set CRON_SECRET", "--set takes NAME=VALUE"),
        (
            "setup --set NEXT_PUBLIC_APP_URL=https://other.example",
            "the local file has other values for NEXT_PUBLIC_APP_URL",
        ),
        ("setup --answers absent.env", "cannot read absent.env"),
    ] {
        let called = call_in(&folder, line).await;
        assert_eq!(called.status, 2, "{line}: {called:?}");
        assert!(called.stderr.contains(text), "{line}: {called:?}");
    }
    let kept = fs::read_to_string(folder.path().join(".env")).unwrap();
    assert_eq!(kept, "NEXT_PUBLIC_APP_URL=https://app.example\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn projects_are_made_once_though_the_answer_is_lost() {
    let (running, _database) = bundle(DevOptions::default()).await;
    let platforms = running.stack().platforms();
    let folder = Folder::empty();
    let kept = [
        "VERCEL_TOKEN",
        "VERCEL_API_URL",
        "SUPABASE_ACCESS_TOKEN",
        "SUPABASE_API_URL",
        "NEXT_PUBLIC_APP_URL",
    ];
    let mut answers = running.env.clone();
    answers.retain(|name, _| kept.contains(&name.as_str()));
    write_answers(&folder, &answers);
    let line = "setup --answers answers.env --create-vercel-project wine-ops \
                --create-supabase-project cellar --supabase-organization local-organization \
                --supabase-region eu-central-1";
    platforms.vercel.trouble(changes, Trouble::CutAfter);
    platforms.management.trouble(changes, Trouble::CutAfter);
    let first = call_in(&folder, line).await;
    assert_eq!(first.status, 0, "{first:?}");
    let variables = env_file::read(&folder.path().join(".env")).unwrap();
    let reference = &variables["SUPABASE_PROJECT_REF"];
    let project = platforms.management.state().projects.projects[1].clone();
    assert_eq!((&project.id, project.name.as_str()), (reference, "cellar"));
    assert_eq!(variables["SUPABASE_SECRET_KEY"], project.secret_key);
    assert_eq!(
        variables["DATABASE_URL"],
        format!(
            "postgresql://postgres.{reference}:{}@aws-0-eu-central-1.pooler.supabase.com:5432/postgres",
            project.db_pass
        )
    );
    assert!(
        first.stdout.contains("download the server's certificate"),
        "{first:?}"
    );
    let again = call_in(&folder, line).await;
    assert!(again.stdout.starts_with("nothing to change"), "{again:?}");
    assert_eq!(platforms.vercel.state().projects.len(), 3);
    assert_eq!(platforms.management.state().projects.projects.len(), 2);
    assert_eq!(
        platforms
            .vercel
            .state()
            .projects
            .find("wine-ops")
            .map(|one| json!(one.id())),
        Some(json!(variables["VERCEL_PROJECT_ID"]))
    );
    running.stop().await.unwrap();
}
