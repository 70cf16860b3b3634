//! `recover` killed at each of its requests, and gone on with: nothing is made twice, nothing is
//! lost.

use std::{
    fs,
    process::Stdio,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use local_supabase::platforms::{
    stand_in::{StandIn, Trouble},
    supabase, vercel,
};
use serde_json::json;
use terminal::env_file;
use tokio::sync::Notify;

use super::{World, serve, value};
use crate::support::{Called, call_with, command};

/// Runs it until the request of that number came, kills it there, and says whether it came.
async fn killed_at<S: Send + 'static>(
    world: &World,
    platform: &StandIn<S>,
    line: &[&str],
    number: u32,
    trouble: Trouble,
) -> bool {
    let came = Arc::new(Notify::new());
    let asked = AtomicU32::new(0);
    platform.script({
        let came = Arc::clone(&came);
        move |_, _| {
            let is_it = asked.fetch_add(1, Ordering::SeqCst) == number;
            if is_it {
                came.notify_one();
            }
            is_it.then_some(trouble)
        }
    });
    let variables = world.env.iter();
    let variables: Vec<_> = variables
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let mut child = command(world.folder.path(), &variables, line)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let ended = async {
        while child.try_wait().unwrap().is_none() {
            outside::clock::wait(std::time::Duration::from_millis(5)).await;
        }
    };
    let is_killed = tokio::select! {
        () = came.notified() => true,
        () = ended => false,
    };
    // One that has ended by itself is killed in vain.
    let _ = child.kill();
    child.wait().unwrap();
    platform.script(|_, _| None);
    is_killed
}

/// After the restore: variables are set and deployments asked for, each project's once.
#[tokio::test(flavor = "multi_thread")]
async fn a_recovery_killed_at_any_request_of_vercels_is_gone_on_with_by_the_next() {
    let mut world = World::start().await;
    let (recovery, into) = (world.recovery(), world.url(&world.target).await);
    let line = [
        "recover", "database", "--yes", "--folder", &recovery, "--into", &into,
    ];
    // The first call restores, and nobody answers afterwards.
    world
        .env
        .insert("VERCEL_API_URL".to_owned(), "http://127.0.0.1:9".to_owned());
    let first = call_with(&world.env, &line).await;
    assert_eq!(first.status, 1, "{first:?}");
    let journal = world.folder.path().join("recovery/journal.json");
    let restored = fs::read(&journal).unwrap();
    for trouble in [Trouble::HangBefore, Trouble::HangAfter] {
        let mut number = 0;
        loop {
            let (vercel, projects) = platform(&mut world).await;
            fs::write(&journal, &restored).unwrap();
            let context = format!("killed at request {number}, {trouble:?}");
            if !killed_at(&world, &vercel, &line, number, trouble).await {
                break;
            }
            let again = call_with(&world.env, &line).await;
            assert_eq!(again.status, 0, "{context}: {again:?}");
            let state = vercel.state();
            for project in &projects {
                assert_eq!(value(&state, project, "DATABASE_URL"), into, "{context}");
            }
            assert_eq!(state.deployments.all.len(), 4, "{context}");
            number += 1;
        }
        println!("{trouble:?}: killed at each of {number} requests");
        assert!(number >= 10, "{number}");
    }

    // A build that failed is no deployment to wait for.
    let (vercel, _) = platform(&mut world).await;
    vercel.state().deployments.failing = 1;
    fs::write(&journal, &restored).unwrap();
    let failed = call_with(&world.env, &line).await;
    assert_eq!(failed.status, 1, "{failed:?}");
    assert!(failed.stdout.contains("did not become ready"), "{failed:?}");
    let again = call_with(&world.env, &line).await;
    assert_eq!(again.status, 0, "{again:?}");
    assert_eq!(vercel.state().deployments.all.len(), 5);
    world.running.stop().await.unwrap();
}

/// Vercel with both projects, as the environment names it from now on.
async fn platform(world: &mut World) -> (StandIn<vercel::State>, [String; 2]) {
    let vercel = vercel::start(None, &world.env["VERCEL_TOKEN"])
        .await
        .unwrap();
    let variables = ["APP_VERCEL_PROJECT_ID", "VERCEL_PROJECT_ID"];
    let projects = variables.map(|variable| world.env[variable].clone());
    {
        let mut state = vercel.state();
        for (id, name) in projects.iter().zip(["wine", "ops"]) {
            state.projects.put(json!({ "id": id, "name": name }));
        }
        serve(&mut state, [&projects[0], &projects[1]]);
    }
    world.env.insert("VERCEL_API_URL".to_owned(), vercel.url());
    (vercel, projects)
}

/// The project is made once, with the password that is in the folder.
#[tokio::test(flavor = "multi_thread")]
async fn a_recovery_killed_as_it_makes_its_project_makes_one() {
    let mut world = World::start().await;
    for trouble in [Trouble::HangBefore, Trouble::HangAfter] {
        let mut number = 0;
        loop {
            let token = &world.env["SUPABASE_ACCESS_TOKEN"];
            let management = supabase::start(None, token).await.unwrap();
            // Its sessions are refused at once: the restore is another test's.
            management.state().projects.session_host = Some("127.0.0.1".to_owned());
            world
                .env
                .insert("SUPABASE_API_URL".to_owned(), management.url());
            let folder = world.folder.path().join(format!("{trouble:?}-{number}"));
            let recovery = folder.display().to_string();
            let line = [
                "recover",
                "database",
                "--yes",
                "--folder",
                &recovery,
                "--new-project",
                "cellar",
                "--organization",
                "local-organization",
                "--region",
                "eu-central-1",
            ];
            let context = format!("killed at request {number}, {trouble:?}");
            if !killed_at(&world, &management, &line, number, trouble).await {
                break;
            }
            let again: Called = call_with(&world.env, &line).await;
            assert_eq!(again.status, 1, "{context}: {again:?}");
            let restoring = again.stdout.contains("FAILED: restore the database");
            assert!(restoring, "{context}: {again:?}");
            let state = management.state();
            assert_eq!(state.projects.projects.len(), 1, "{context}");
            let recovered = env_file::read(&folder.join("recovered.env")).unwrap();
            let made = &state.projects.projects[0];
            assert_eq!(recovered["SUPABASE_DB_PASSWORD"], made.db_pass, "{context}");
            assert_eq!(
                recovered["SUPABASE_SECRET_KEY"], made.secret_key,
                "{context}"
            );
            assert!(
                recovered["DATABASE_URL"].contains(&made.db_pass),
                "{context}"
            );
            number += 1;
        }
        println!("{trouble:?}: killed at each of {number} requests");
        assert!(number >= 5, "{number}");
    }
    world.running.stop().await.unwrap();
}
