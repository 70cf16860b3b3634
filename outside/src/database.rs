//! Direct database sessions, only for what `PostgREST` cannot serve: migrations,
//! backups and restores.
//!
//! A session is encrypted and verified, chain and host name, or there is none.
//! Supabase's own root is in no public bundle, so `DATABASE_CA` names it.

use std::time::Duration;

use rustls::pki_types::{CertificateDer, pem::PemObject};
use secrecy::{ExposeSecret, SecretString};
use tokio::task::JoinHandle;
use tokio_postgres::{
    Client, Config,
    config::{Host, SslMode},
};
use tokio_postgres_rustls::MakeRustlsConnect;

pub use crate::counted_tls::Received;
use crate::{counted_tls::Counted, tls};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Supabase's transaction pooler: it shares sessions between clients, which
/// breaks advisory locks and everything else that belongs to a session.
const TRANSACTION_POOLER_PORT: u16 = 6543;

/// Why there is no session.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The URL cannot be read. Its text may hold a password and is not repeated.
    #[error("DATABASE_URL is not a PostgreSQL URL with a host")]
    Url,
    /// A pooler that cannot keep a session.
    #[error(
        "DATABASE_URL points at the transaction pooler (port 6543); use the session connection (port 5432)"
    )]
    TransactionPooler,
    /// The root certificate cannot be read.
    #[error("DATABASE_CA cannot be used: {0}")]
    Root(String),
    /// The server offers no encryption.
    #[error("{host} does not offer TLS, and an unencrypted session is never opened")]
    Plaintext {
        /// Where it was tried.
        host: String,
    },
    /// The certificate does not prove the server.
    #[error("the certificate of {host} is not trusted: {reason}")]
    Certificate {
        /// Where it was tried.
        host: String,
        /// What verification found.
        reason: String,
    },
    /// Wrong user, password or database, or the server cannot be reached.
    #[error("cannot connect to {host}: {reason}")]
    Refused {
        /// Where it was tried.
        host: String,
        /// The server's or the network's own words.
        reason: String,
    },
}

/// Opens a session, encrypted and verified. `ca` is PEM text or a path to it
/// and adds to the public roots.
///
/// # Errors
/// See [`ConnectError`].
pub async fn connect(url: &SecretString, ca: Option<&str>) -> Result<Client, ConnectError> {
    let Driven { client, driver, .. } = connect_driven(url, ca).await?;
    tokio::spawn(async move {
        if let Ok(Err(error)) = driver.await {
            tracing::warn!(%error, "a database session ended");
        }
    });
    Ok(client)
}

/// A session, and what is known of it beside what it answers.
#[derive(Debug)]
pub struct Driven {
    /// Where statements go.
    pub client: Client,
    /// The task that drives it, which knows how it ended.
    pub driver: JoinHandle<Result<(), tokio_postgres::Error>>,
    /// How much came over it.
    pub received: Received,
}

/// Opens a session like [`connect`], for whoever has to know how it ended or what came.
///
/// # Errors
/// See [`ConnectError`].
pub async fn connect_driven(url: &SecretString, ca: Option<&str>) -> Result<Driven, ConnectError> {
    let config = config(url)?;
    let host = target(&config);
    let roots = ca.map(roots).transpose()?.unwrap_or_default();
    let trust = tls::client_config(roots).map_err(|error| ConnectError::Root(error.to_string()))?;
    let received = Received::default();
    let counted = Counted {
        inner: MakeRustlsConnect::new(trust),
        received: received.clone(),
    };
    let connected = config.connect(counted).await;
    let (client, connection) = connected.map_err(|error| refused(host, &error))?;
    Ok(Driven {
        client,
        driver: tokio::spawn(connection),
        received,
    })
}

/// The host that a URL names, to be shown before anything is changed.
///
/// # Errors
/// [`ConnectError::Url`] if it names none.
pub fn host(url: &SecretString) -> Result<String, ConnectError> {
    Ok(target(&config(url)?))
}

fn config(url: &SecretString) -> Result<Config, ConnectError> {
    let mut config: Config = without_ssl_mode(url.expose_secret())
        .parse()
        .map_err(|_| ConnectError::Url)?;
    if !matches!(config.get_hosts(), [Host::Tcp(_), ..]) {
        return Err(ConnectError::Url);
    }
    if config.get_ports().contains(&TRANSACTION_POOLER_PORT) {
        return Err(ConnectError::TransactionPooler);
    }
    config
        .ssl_mode(SslMode::Require)
        .connect_timeout(CONNECT_TIMEOUT)
        .application_name("pourtrait-ops");
    Ok(config)
}

/// A URL's own `sslmode` is dropped, whatever it says: ours is stricter than
/// every value but `verify-full`, and equal to that.
fn without_ssl_mode(text: &str) -> String {
    let Ok(mut url) = url::Url::parse(text) else {
        return text.to_owned();
    };
    let kept: Vec<(String, String)> = url
        .query_pairs()
        .filter(|(name, _)| name != "sslmode")
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect();
    url.set_query(None);
    if !kept.is_empty() {
        url.query_pairs_mut().extend_pairs(kept);
    }
    url.into()
}

fn target(config: &Config) -> String {
    match config.get_hosts().first() {
        Some(Host::Tcp(host)) => host.clone(),
        #[cfg(unix)]
        Some(Host::Unix(path)) => path.display().to_string(),
        None => String::new(),
    }
}

fn roots(ca: &str) -> Result<Vec<CertificateDer<'static>>, ConnectError> {
    let pem = if ca.contains("-----BEGIN") {
        ca.as_bytes().to_vec()
    } else {
        std::fs::read(ca).map_err(|error| ConnectError::Root(error.to_string()))?
    };
    let roots: Vec<_> = CertificateDer::pem_slice_iter(&pem)
        .collect::<Result<_, _>>()
        .map_err(|error| ConnectError::Root(error.to_string()))?;
    if roots.is_empty() {
        return Err(ConnectError::Root("it holds no certificate".into()));
    }
    Ok(roots)
}

fn refused(host: String, error: &tokio_postgres::Error) -> ConnectError {
    if let Some(objection) = tls::objection(error) {
        let reason = objection.to_string();
        return ConnectError::Certificate { host, reason };
    }
    let reason =
        std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string);
    if reason.contains("server does not support TLS") {
        return ConnectError::Plaintext { host };
    }
    ConnectError::Refused { host, reason }
}
