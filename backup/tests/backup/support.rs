//! A database of one's own.

use std::time::Duration;

use local_supabase::postgres::{Cluster, TestDatabase};
use ops::migrate;
use outside::{clock::Deadline, database};
use secrecy::SecretString;
use tokio_postgres::Client;

/// A project with every migration of ours applied, cloned from a template.
pub(crate) async fn migrated() -> TestDatabase {
    TestDatabase::create(
        "migrated",
        &migrate::Schema::embedded().fingerprint(),
        async |cluster, name| {
            let (url, ca) = direct_to(cluster, name);
            let mut client = database::connect(&url, Some(&ca)).await?;
            migrate::apply(&mut client, &mut |_| {}).await?;
            Ok(())
        },
    )
    .await
    .expect("a migrated database")
}

/// A session that may do everything.
pub(crate) async fn admin(database: &TestDatabase) -> Client {
    let cluster = database.cluster().await.unwrap();
    cluster.connect_admin(database.name()).await.unwrap()
}

/// A session as the role of `DATABASE_URL`, verified as in production.
pub(crate) async fn session(database: &TestDatabase) -> Client {
    let (url, ca) = direct(database).await;
    database::connect(&url, Some(&ca)).await.expect("a session")
}

/// `DATABASE_URL` and `DATABASE_CA` of a database.
pub(crate) async fn direct(database: &TestDatabase) -> (SecretString, String) {
    direct_to(Cluster::shared().await.unwrap(), database.name())
}

/// Waits until a statement that is run again and again says so.
pub(crate) async fn until(client: &Client, condition: &str) {
    let deadline = Deadline::after(Duration::from_secs(10));
    while !client
        .query_one(condition, &[])
        .await
        .unwrap()
        .get::<_, bool>(0)
    {
        assert!(!deadline.has_passed(), "never came true: {condition}");
        tokio::task::yield_now().await;
    }
}

fn direct_to(cluster: &Cluster, name: &str) -> (SecretString, String) {
    let ca = cluster.ca_pem_path().display().to_string();
    (cluster.postgres_url(name).into(), ca)
}

#[tokio::test]
async fn a_migrated_database_answers_its_owner() {
    let database = migrated().await;
    let client = session(&database).await;
    let row = client
        .query_one("select current_user::text", &[])
        .await
        .unwrap();
    assert_eq!(row.get::<_, &str>(0), "postgres");
}
