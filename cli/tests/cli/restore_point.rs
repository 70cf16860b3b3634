//! `migrate` against the provider's API: a restore point before anything is changed.

use std::collections::BTreeMap;

use http::Method;
use local_supabase::{
    platforms::{
        stand_in::{Asked, StandIn, Trouble},
        supabase::{self, State},
    },
    postgres::TestDatabase,
};

use crate::support::call_with;

const PROJECT: &str = "abcdefgh";

async fn platform() -> StandIn<State> {
    let platform = supabase::start(None, "a-token").await.unwrap();
    platform.state().backups.project(PROJECT, &[]);
    platform
}

async fn variables(database: &TestDatabase, platform: &StandIn<State>) -> BTreeMap<String, String> {
    let cluster = database.cluster().await.unwrap();
    let variables = [
        ("DATABASE_URL", cluster.postgres_url(database.name())),
        ("DATABASE_CA", cluster.ca_pem_path().display().to_string()),
        ("SUPABASE_API_URL", platform.url()),
        ("SUPABASE_ACCESS_TOKEN", platform.token().to_owned()),
        ("SUPABASE_PROJECT_REF", PROJECT.to_owned()),
    ];
    variables
        .map(|(name, value)| (name.to_owned(), value))
        .into()
}

fn makes(asked: &Asked) -> bool {
    asked.method == Method::POST
}

fn made(platform: &StandIn<State>) -> usize {
    let mut state = platform.state();
    state.backups.of(PROJECT).unwrap().restore_points.len()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_point_is_taken_before_anything_is_changed() {
    let (database, platform) = (TestDatabase::empty().await.unwrap(), platform().await);
    let env = variables(&database, &platform).await;
    let pending = async || {
        let status = call_with(&env, &["migrate", "status", "--json"]).await;
        status.json()["pending"].as_array().unwrap().len()
    };
    let all = pending().await;

    // One that fails, and one of which nothing is known afterwards, leave all as it was.
    platform
        .state()
        .backups
        .of(PROJECT)
        .unwrap()
        .looks_until_ready = None;
    let refused = call_with(&env, &["migrate"]).await;
    assert_eq!(refused.status, 1, "{refused:?}");
    assert!(
        refused.stderr.contains("--without-restore-point"),
        "{refused:?}"
    );
    assert!(refused.stderr.contains("FAILED"), "{refused:?}");
    platform
        .state()
        .backups
        .of(PROJECT)
        .unwrap()
        .looks_until_ready = Some(1);
    platform.trouble(makes, Trouble::CutBefore);
    let lost = call_with(&env, &["migrate"]).await;
    assert_eq!((lost.status, pending().await), (1, all), "{lost:?}");

    // An answer that is lost made it all the same: it is looked for, and not made twice.
    let before = made(&platform);
    platform.trouble(makes, Trouble::CutAfter);
    let applied = call_with(&env, &["migrate", "--json"]).await;
    assert_eq!(applied.status, 0, "{applied:?}");
    let name = applied.json()["restorePoint"].clone();
    assert!(
        name.as_str().unwrap().starts_with("migrate-"),
        "{applied:?}"
    );
    assert!(made(&platform) <= before + 1);
    assert_eq!(pending().await, 0);

    let asked = platform.asked().len();
    let again = call_with(&env, &["migrate"]).await;
    assert_eq!(
        (again.status, platform.asked().len()),
        (0, asked),
        "{again:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_without_restore_points_is_told_and_a_wrong_project_is_refused() {
    let (database, platform) = (TestDatabase::empty().await.unwrap(), platform().await);
    let mut env = variables(&database, &platform).await;
    env.insert("SUPABASE_PROJECT_REF".to_owned(), "elsewhere".to_owned());
    let wrong = call_with(&env, &["migrate"]).await;
    assert_eq!(wrong.status, 1, "{wrong:?}");
    assert!(wrong.stderr.contains("404"), "{wrong:?}");

    env.insert("SUPABASE_PROJECT_REF".to_owned(), PROJECT.to_owned());
    platform
        .state()
        .backups
        .of(PROJECT)
        .unwrap()
        .has_restore_points = false;
    let applied = call_with(&env, &["migrate", "--json"]).await;
    assert_eq!(applied.status, 0, "{applied:?}");
    assert!(applied.stderr.contains("no restore points"), "{applied:?}");
    assert!(applied.json()["restorePoint"].is_null(), "{applied:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_says_so_goes_on_without() {
    let (database, platform) = (TestDatabase::empty().await.unwrap(), platform().await);
    let env = variables(&database, &platform).await;
    let applied = call_with(&env, &["migrate", "apply", "--without-restore-point"]).await;
    assert_eq!(
        (applied.status, platform.asked().len()),
        (0, 0),
        "{applied:?}"
    );
}
