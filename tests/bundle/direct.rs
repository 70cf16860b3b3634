//! Direct sessions are verified or there is none; migrations are whole or not
//! there.

use local_supabase::postgres::{Cluster, TestDatabase};
use ops::{
    database::{self, ConnectError},
    migrate::{self, MIGRATIONS, MigrateError},
};
use secrecy::SecretString;

use crate::support;

async fn session(database: &TestDatabase) -> tokio_postgres::Client {
    let cluster = database.cluster().await.unwrap();
    let url = cluster.postgres_url(database.name()).into();
    database::connect(&url, cluster.ca_pem_path().to_str())
        .await
        .expect("a session")
}

async fn refusal(url: String, ca: Option<&str>) -> ConnectError {
    database::connect(&SecretString::from(url), ca)
        .await
        .expect_err("a refusal")
}

#[tokio::test]
async fn only_a_verified_server_gets_a_session() {
    let cluster = Cluster::shared().await.unwrap();
    let url = cluster.postgres_url("postgres");
    let path = cluster.ca_pem_path();
    let pem = std::fs::read_to_string(&path).unwrap();
    let by_path = database::connect(&url.clone().into(), path.to_str())
        .await
        .unwrap();
    by_path.simple_query("select 1").await.unwrap();
    database::connect(&url.clone().into(), Some(&pem))
        .await
        .expect("PEM text works as well");

    let without_root = refusal(url.clone(), None).await;
    assert!(
        matches!(without_root, ConnectError::Certificate { .. }),
        "{without_root}"
    );
    let other = rcgen::generate_simple_self_signed(["localhost".into()])
        .unwrap()
        .cert
        .pem();
    let wrong_root = refusal(url.clone(), Some(&other)).await;
    assert!(
        matches!(wrong_root, ConnectError::Certificate { .. }),
        "{wrong_root}"
    );
    let separator = if url.contains('?') { '&' } else { '?' };
    let by_other_name =
        url.replace("127.0.0.1", "db.example") + &format!("{separator}hostaddr=127.0.0.1");
    let wrong_name = refusal(by_other_name, path.to_str()).await;
    assert!(
        matches!(wrong_name, ConnectError::Certificate { .. }),
        "{wrong_name}"
    );
}

#[tokio::test]
async fn no_parameter_of_the_url_switches_verification_off() {
    let cluster = Cluster::shared().await.unwrap();
    let plain = cluster.postgres_url("postgres");
    let base = plain.split('?').next().unwrap();
    for mode in ["disable", "allow", "prefer", "require", "verify-ca"] {
        let error = refusal(format!("{base}?sslmode={mode}"), None).await;
        assert!(
            matches!(error, ConnectError::Certificate { .. }),
            "{mode}: {error}"
        );
    }
}

#[tokio::test]
async fn a_server_without_tls_gets_no_session() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut ssl_request = [0; 8];
        stream.read_exact(&mut ssl_request).await.unwrap();
        stream.write_all(b"N").await.unwrap();
        // Nothing may follow, least of all a password.
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).await.unwrap();
        assert!(rest.is_empty());
    });
    let error = refusal(
        format!("postgres://postgres:secret@127.0.0.1:{port}/x"),
        None,
    )
    .await;
    assert!(matches!(error, ConnectError::Plaintext { .. }), "{error}");
}

#[tokio::test]
async fn every_other_refusal_is_clear_and_tells_no_password() {
    let cluster = Cluster::shared().await.unwrap();
    let ca = cluster.ca_pem_path();
    let port = cluster.port();
    for (url, expected) in [
        (
            "nonsense".to_owned(),
            "DATABASE_URL is not a PostgreSQL URL with a host",
        ),
        (
            "postgres://u:hunter2@db.example:6543/postgres".to_owned(),
            "transaction pooler",
        ),
        (
            format!("postgres://postgres:hunter2@127.0.0.1:{port}/postgres"),
            "password authentication failed",
        ),
        (
            "postgres://u:hunter2@127.0.0.1:1/postgres".to_owned(),
            "cannot connect to 127.0.0.1",
        ),
    ] {
        let error = refusal(url, ca.to_str()).await.to_string();
        assert!(error.contains(expected), "{error}");
        assert!(!error.contains("hunter2"), "{error}");
    }
    let unreadable = refusal(cluster.postgres_url("postgres"), Some("no/such/file")).await;
    assert!(matches!(unreadable, ConnectError::Root(_)), "{unreadable}");
}

#[tokio::test]
async fn migrations_apply_once_and_twice_changes_nothing() {
    let database = TestDatabase::empty().await.unwrap();
    let mut client = session(&database).await;
    let before = migrate::status(&client).await.unwrap();
    assert_eq!(
        (before.applied.len(), before.pending.len()),
        (0, MIGRATIONS.len())
    );
    let mut heard = Vec::new();
    let applied = migrate::apply(&mut client, &mut |one| heard.push(one.version))
        .await
        .unwrap();
    assert_eq!(applied.len(), MIGRATIONS.len());
    assert_eq!(heard.len(), MIGRATIONS.len());
    assert!(
        migrate::apply(&mut client, &mut |_| {})
            .await
            .unwrap()
            .is_empty()
    );
    assert!(migrate::status(&client).await.unwrap().pending.is_empty());
}

#[tokio::test]
async fn a_changed_or_unknown_migration_stops_everything() {
    let database = support::database().await;
    let mut client = session(&database).await;
    let change = "update ops.migrations set sha256 = 'x' where version = (select min(version) from ops.migrations)";
    let restore = client.query_one("select min(sha256) from ops.migrations where version = (select min(version) from ops.migrations)", &[]).await.unwrap();
    client.batch_execute(change).await.unwrap();
    let error = migrate::apply(&mut client, &mut |_| {}).await.unwrap_err();
    assert!(
        matches!(&error, MigrateError::Changed(file) if file == &MIGRATIONS[0].file()),
        "{error}"
    );
    let sha256: String = restore.get(0);
    client
        .execute(
            "update ops.migrations set sha256 = $1 where version = $2",
            &[&sha256, &MIGRATIONS[0].version],
        )
        .await
        .unwrap();
    client
        .batch_execute("insert into ops.migrations (version, name, sha256) values ('99991231235959', 'later', 'x')")
        .await
        .unwrap();
    let error = migrate::apply(&mut client, &mut |_| {}).await.unwrap_err();
    assert!(
        matches!(&error, MigrateError::Newer(version) if version == "99991231235959"),
        "{error}"
    );
}

#[tokio::test]
async fn a_failing_file_is_rolled_back_whole_and_named() {
    let database = TestDatabase::empty().await.unwrap();
    let admin = database
        .cluster()
        .await
        .unwrap()
        .connect_admin(database.name())
        .await
        .unwrap();
    // A table of the same name but another shape is in the way of a later file.
    admin.batch_execute("create schema ops; create table ops.outbox (id integer); alter schema ops owner to postgres; alter table ops.outbox owner to postgres").await.unwrap();
    let mut client = session(&database).await;
    let error = migrate::apply(&mut client, &mut |_| {}).await.unwrap_err();
    let MigrateError::Failed { file, .. } = &error else {
        panic!("{error}");
    };
    assert!(file.contains("outbox"), "{error}");
    let status = migrate::status(&client).await.unwrap();
    assert!(
        !status.applied.is_empty() && status.pending[0].file() == *file,
        "{error}"
    );
    admin.batch_execute("drop table ops.outbox").await.unwrap();
    migrate::apply(&mut client, &mut |_| {})
        .await
        .expect("it goes on where it stopped");
}

#[tokio::test]
async fn one_migrator_at_a_time() {
    let database = TestDatabase::empty().await.unwrap();
    let (mut one, mut other) = (session(&database).await, session(&database).await);
    let mut quiet = |_: &migrate::Migration| {};
    let mut silent = |_: &migrate::Migration| {};
    let (one, other) = tokio::join!(
        migrate::apply(&mut one, &mut quiet),
        migrate::apply(&mut other, &mut silent)
    );
    let busy = [&one, &other]
        .into_iter()
        .filter(|outcome| matches!(outcome, Err(MigrateError::Busy)))
        .count();
    let done = [&one, &other]
        .into_iter()
        .filter(|outcome| outcome.is_ok())
        .count();
    assert_eq!((busy, done), (1, 1), "{one:?} {other:?}");
}
