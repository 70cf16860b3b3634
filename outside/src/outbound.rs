//! The one HTTP client.
//!
//! Built on first use: an answer that needs no network costs no TLS set-up.
//! Roots are the bundled ones, so that no start pays for reading the system's.

use std::{sync::Arc, sync::OnceLock, time::Duration};

use bytes::{Bytes, BytesMut};
use reqwest::{Client, Response};
use rustls::{ClientConfig, pki_types::CertificateDer};

use crate::{
    certificates::Witness,
    failure::Failure,
    reach::Reach,
    tls::{self, Credentials},
};

/// How long connecting may take, whatever the request's own time-out.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a request may take that names no time-out of its own: those of
/// error reports.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);

const USER_AGENT: &str = concat!("pourtrait-ops/", env!("CARGO_PKG_VERSION"));

/// The one HTTP client of an instance, reused across invocations.
#[derive(Debug, Default)]
pub struct Outbound {
    client: OnceLock<Client>,
    extra_roots: Vec<CertificateDer<'static>>,
}

impl Outbound {
    /// A client that also trusts `extra_roots`.
    #[must_use]
    pub fn trusting(extra_roots: Vec<CertificateDer<'static>>) -> Self {
        Self {
            extra_roots,
            ..Self::default()
        }
    }

    /// The client. Redirects are never followed: a probe that is sent elsewhere
    /// has not reached what it was to check, and a secret must not travel on.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn client(&self) -> Result<&Client, Failure> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        let tls = tls::client_config(self.extra_roots.iter().cloned()).map_err(|_| Failure::Tls)?;
        let client = build(tls, Reach::Anywhere).map_err(|error| Failure::of(&error))?;
        Ok(self.client.get_or_init(|| client))
    }

    /// A client for one look at something, which resolves names within a reach alone;
    /// addresses in URLs are for [`Reach::check`]. It connects anew each time, because
    /// the connection and its handshake are part of what is looked at.
    ///
    /// # Errors
    /// When TLS cannot be set up with these credentials.
    pub fn look(
        &self,
        reach: Reach,
        credentials: Credentials,
    ) -> Result<(Client, Witness), Failure> {
        let (config, witness) = self.look_below_http(credentials)?;
        let client = build(config, reach).map_err(|error| Failure::of(&error))?;
        Ok((client, witness))
    }

    /// The TLS settings for one look, where no HTTP is spoken.
    ///
    /// # Errors
    /// When TLS cannot be set up with these credentials.
    pub fn look_below_http(
        &self,
        credentials: Credentials,
    ) -> Result<(ClientConfig, Witness), Failure> {
        tls::witnessed_config(&self.extra_roots, credentials).map_err(|_| Failure::Tls)
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place that may")]
fn build(tls: ClientConfig, reach: Reach) -> reqwest::Result<Client> {
    let builder = match reach {
        Reach::Anywhere => Client::builder(),
        Reach::Public | Reach::Loopback => Client::builder().dns_resolver(Arc::new(reach)),
    };
    builder
        .tls_backend_preconfigured(tls)
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(DEFAULT_TIMEOUT)
        // A proxy named in the environment is none of our variables, and would
        // take loopback hosts away from the local stack.
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(USER_AGENT)
        .build()
}

/// Reads an answer's body, up to `limit` bytes.
///
/// # Errors
/// [`Failure::TooLarge`] past the limit, else why reading ended.
pub async fn body(mut response: Response, limit: usize) -> Result<Bytes, Failure> {
    let mut body = BytesMut::new();
    while let Some(chunk) = response
        .chunk()
        .await
        .map_err(|error| Failure::of(&error))?
    {
        if body.len() + chunk.len() > limit {
            return Err(Failure::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}
