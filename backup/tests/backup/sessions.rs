//! Sessions that can be relied on, and their end.

use backup::pinned_session::{PinnedSession, SessionError};
use futures_util::StreamExt;
use local_supabase::postgres::TestDatabase;

use crate::support::{self, until};

async fn open(database: &TestDatabase) -> PinnedSession {
    let (url, ca) = support::direct(database).await;
    PinnedSession::open(&url, Some(&ca)).await.unwrap()
}

#[tokio::test]
async fn settings_are_pinned_whatever_the_role_and_the_database_say() {
    let database = TestDatabase::empty().await.unwrap();
    support::session(&database)
        .await
        .batch_execute(&format!(
            "alter database {0} set datestyle = 'German';
             alter database {0} set extra_float_digits = '-4';
             alter database {0} set timezone = 'Asia/Kathmandu'",
            database.name()
        ))
        .await
        .unwrap();
    let session = open(&database).await;
    let row = session
        .client()
        .query_one(
            "select '2026-11-25 08:00:00+00'::timestamptz::text, (0.1::float8 + 0.2)::text,
                 current_setting('statement_timeout'), current_setting('row_security'),
                 current_setting('search_path')",
            &[],
        )
        .await
        .unwrap();
    let values: Vec<&str> = (0..5).map(|index| row.get(index)).collect();
    assert_eq!(
        values,
        [
            "2026-11-25 08:00:00+00",
            "0.30000000000000004",
            "0",
            "off",
            ""
        ]
    );
    let settings = session.settings().await.unwrap();
    for expected in [
        ("datestyle", "ISO, YMD"),
        ("timezone", "UTC"),
        ("bytea_output", "hex"),
    ] {
        let expected = (expected.0.to_owned(), expected.1.to_owned());
        assert!(settings.contains(&expected), "{expected:?}");
    }
    session.close().await.unwrap();
}

#[tokio::test]
async fn a_session_that_another_client_set_up_anew_is_not_ours() {
    let database = TestDatabase::empty().await.unwrap();
    let session = open(&database).await;
    session.prove().await.unwrap();
    // What a transaction pooler does to a session before it passes it on.
    session.client().batch_execute("discard all").await.unwrap();
    let error = session.prove().await.unwrap_err();
    assert!(matches!(error, SessionError::Shared), "{error}");
}

#[tokio::test]
async fn the_transaction_pooler_is_refused_by_its_port() {
    let url = "postgresql://postgres:x@db.example.com:6543/postgres".into();
    let error = PinnedSession::open(&url, None).await.unwrap_err();
    assert!(error.to_string().contains("6543"), "{error}");
}

#[tokio::test]
async fn a_session_that_is_dropped_is_cut_off_in_the_middle_of_a_copy() {
    let database = TestDatabase::empty().await.unwrap();
    let other = support::session(&database).await;
    let session = open(&database).await;
    let endless = "copy (select repeat('x', 1000), generate_series(1, 1000000000)) to stdout";
    let mut rows = Box::pin(session.client().copy_out(endless).await.unwrap());
    rows.next().await.unwrap().unwrap();
    drop(rows);
    drop(session);
    until(
        &other,
        "select count(*) = 0 from pg_stat_activity
         where datname = current_database() and pid <> pg_backend_pid()",
    )
    .await;
}

#[tokio::test]
async fn closing_tells_that_a_session_had_ended() {
    let database = TestDatabase::empty().await.unwrap();
    let session = open(&database).await;
    let row = session
        .client()
        .query_one("select pg_backend_pid()", &[])
        .await
        .unwrap();
    let pid: i32 = row.get(0);
    support::session(&database)
        .await
        .query("select pg_terminate_backend($1, 20000)", &[&pid])
        .await
        .unwrap();
    session.close().await.unwrap_err();
}
