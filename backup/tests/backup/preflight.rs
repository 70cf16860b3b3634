//! What keeps a backup from being made: told at once and completely.

use backup::{
    pinned_session::PinnedSession,
    preflight::{self, Canary, Fault},
    run::{self, RunError},
    schema::{self, Name},
    source::{DatabaseSnapshot, SourceError},
};
use local_supabase::postgres::TestDatabase;
use secrecy::{ExposeSecret, SecretString};

use crate::{support, vault::Vault};

/// The URL of a role of that name, which every test makes for itself.
async fn url_of(database: &TestDatabase, role: &str) -> (SecretString, String) {
    let (url, ca) = support::direct(database).await;
    let mut url = url::Url::parse(url.expose_secret()).unwrap();
    url.set_username(role).unwrap();
    url.set_password(Some("secret")).unwrap();
    (String::from(url).into(), ca)
}

async fn pinned(database: &TestDatabase) -> PinnedSession {
    let (url, ca) = support::direct(database).await;
    PinnedSession::open(&url, Some(&ca)).await.unwrap()
}

fn name(schema: &str, name: &str) -> Name {
    Name {
        schema: schema.into(),
        name: name.into(),
    }
}

async fn prepared() -> TestDatabase {
    let database = support::migrated().await;
    support::session(&database)
        .await
        .batch_execute(
            "create schema hidden;
             create table hidden.h (id int);
             create table public.allowed (id serial);
             create table public.denied (id serial);
             create materialized view hidden.\"a view\" as select 1 as one;
             create schema realtime;
             create table realtime.messages (id int)",
        )
        .await
        .unwrap();
    database
}

#[tokio::test]
async fn the_role_of_a_project_passes() {
    let database = prepared().await;
    let session = pinned(&database).await;
    assert_eq!(preflight::examine_server(&session).await.unwrap(), []);
    assert_eq!(preflight::examine_session(&session).await.unwrap(), []);
    let canary = Canary::write(session.client()).await.unwrap().unwrap();
    let snapshot = DatabaseSnapshot::take(session).await.unwrap();
    let client = snapshot.session().client();
    assert_eq!(canary.examine(client).await.unwrap(), None);
    let schema = schema::describe(client).await.unwrap();
    assert_eq!(
        preflight::examine_schema(client, &schema).await.unwrap(),
        []
    );
}

/// What keeps a run of that role from making a backup, in words.
async fn refused(database: &TestDatabase, role: &str) -> Vec<String> {
    let (url, ca) = url_of(database, role).await;
    let vault = Vault::founded().await;
    let refused = run::run(vault.request(&url, &ca), async || true).await;
    assert!(vault.snapshots().await.is_empty());
    match refused {
        Err(RunError::Preflight(faults)) => faults.iter().map(Fault::to_string).collect(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn everything_that_a_role_lacks_is_listed_at_once() {
    let database = prepared().await;
    let role = format!("poor_{}", database.name());
    support::session(&database)
        .await
        .batch_execute(&format!(
            "create role {role} login password 'secret';
             grant select on public.allowed, public.allowed_id_seq to {role};
             grant usage on schema ops to {role};
             grant select, insert, update on ops.backup_canary to {role}"
        ))
        .await
        .unwrap();
    let told = refused(&database, &role).await;
    assert!(told[0].contains("nor has BYPASSRLS"), "{told:?}");
    assert!(told[1].contains("the canary row failed"), "{told:?}");
    for expected in [
        r#"no USAGE on the schema "hidden""#,
        r#"no USAGE on the schema "auth""#,
        r#"no SELECT on "hidden"."h""#,
        r#"no SELECT on "public"."denied""#,
        r#"no SELECT on "public"."denied_id_seq""#,
        r#"no SELECT on "auth"."users""#,
    ] {
        assert!(told.contains(&expected.to_owned()), "{expected}: {told:?}");
    }
    let allowed = told.iter().filter(|fault| fault.contains("allowed"));
    assert_eq!(allowed.count(), 0, "{told:?}");
}

#[tokio::test]
async fn a_role_that_may_read_everything_but_under_row_security_is_refused() {
    let database = prepared().await;
    let role = format!("reader_{}", database.name());
    // From PostgreSQL 16 on only an admin of these roles may grant them.
    support::admin(&database)
        .await
        .batch_execute(&format!(
            "create role {role} login password 'secret';
             grant pg_read_all_data, pg_write_all_data to {role}"
        ))
        .await
        .unwrap();
    let told = refused(&database, &role).await;
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[0].contains("nor has BYPASSRLS"), "{told:?}");
    assert!(told[1].contains("row-level security"), "{told:?}");
    // Nor can the canary that another role wrote be read.
    Canary::write(&support::session(&database).await)
        .await
        .unwrap()
        .unwrap();
    let (url, ca) = url_of(&database, &role).await;
    let session = PinnedSession::open(&url, Some(&ca)).await.unwrap();
    let canary = Canary {
        nonce: "written by another".into(),
    };
    let fault = canary.examine(session.client()).await.unwrap();
    assert!(matches!(fault, Some(Fault::Canary { .. })), "{fault:?}");
}

#[tokio::test]
async fn a_table_that_the_description_forgot_is_a_fault() {
    let database = prepared().await;
    let client = pinned(&database).await;
    let mut schema = schema::describe(client.client()).await.unwrap();
    schema
        .tables
        .retain(|table| table.name != name("hidden", "h"));
    let faults = preflight::examine_schema(client.client(), &schema)
        .await
        .unwrap();
    let relation = name("hidden", "h");
    assert_eq!(faults, [Fault::Unexplained { relation }]);
}

#[tokio::test]
async fn a_canary_that_is_another_s_or_nowhere_is_not_taken_for_ours() {
    let database = prepared().await;
    let client = support::session(&database).await;
    let canary = Canary::write(&client).await.unwrap().unwrap();
    let later = Canary::write(&client).await.unwrap().unwrap();
    assert_eq!(later.examine(&client).await.unwrap(), None);
    let other = canary.examine(&client).await;
    assert!(matches!(other, Err(SourceError::Moved(_))), "{other:?}");
    client
        .execute("delete from ops.backup_canary", &[])
        .await
        .unwrap();
    assert!(later.examine(&client).await.unwrap().is_some());
}

#[tokio::test]
async fn a_database_without_our_migrations_says_so() {
    let database = TestDatabase::empty().await.unwrap();
    let client = support::session(&database).await;
    let fault = Canary::write(&client).await.unwrap().unwrap_err();
    assert!(
        fault.to_string().contains("apply the migrations"),
        "{fault}"
    );
}

#[tokio::test]
async fn a_half_restored_database_is_not_backed_up() {
    let database = support::migrated().await;
    let mark = "create schema pourtrait_restore;
        create table pourtrait_restore.unfinished as
            select 'that one'::text as backup, timestamptz '2026-11-25 09:00:00+00' as since";
    let session = support::session(&database).await;
    session.batch_execute(mark).await.unwrap();
    match Vault::new().back_up(&database).await {
        Err(RunError::Preflight(faults)) => assert_eq!(
            faults.iter().map(Fault::to_string).collect::<Vec<_>>(),
            [
                "the database is half restored since 2026-11-25T09:00:00Z, from backup that one: a backup would hold a part"
            ]
        ),
        other => panic!("{other:?}"),
    }
}
