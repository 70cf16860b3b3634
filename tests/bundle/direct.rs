//! Direct sessions are verified or there is none.

use local_supabase::postgres::Cluster;
use outside::database::{self, ConnectError};
use secrecy::SecretString;

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
    let followed = tokio::spawn(async move {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut ssl_request = [0; 8];
        stream.read_exact(&mut ssl_request).await.unwrap();
        stream.write_all(b"N").await.unwrap();
        stream.read(&mut [0; 8]).await.unwrap()
    });
    let error = refusal(
        format!("postgres://postgres:secret@127.0.0.1:{port}/x"),
        None,
    )
    .await;
    assert!(matches!(error, ConnectError::Plaintext { .. }), "{error}");
    assert_eq!(followed.await.unwrap(), 0, "least of all a password");
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
