//! The one HTTP client, and how its failures are told apart.
//!
//! Built on first use: an answer that needs no network costs no TLS set-up.
//! Roots are the bundled ones, so that no start pays for reading the system's.

use std::{error::Error, fmt, sync::Arc, sync::OnceLock, time::Duration};

use bytes::{Bytes, BytesMut};
use reqwest::{Client, Response};
use rustls::{ClientConfig, RootCertStore, crypto::ring, pki_types::CertificateDer};

use crate::reach::Reach;

/// How long connecting may take, whatever the request's own time-out.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a request may take that names no time-out of its own: those of
/// error reports.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);

const USER_AGENT: &str = concat!("pourtrait-ops/", env!("CARGO_PKG_VERSION"));

/// The TLS client settings of everything that leaves the bundle: ring, the
/// bundled public roots, and `extra` roots (none in production for HTTP; the
/// project's own root for direct database sessions).
///
/// # Errors
/// When the provider offers no usable protocol version or a root is malformed.
pub fn tls_config<'a>(
    extra: impl IntoIterator<Item = CertificateDer<'a>>,
) -> Result<ClientConfig, rustls::Error> {
    let mut roots = RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
    };
    for root in extra {
        roots.add(root)?;
    }
    Ok(
        ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth(),
    )
}

/// The one HTTP client of an instance, reused across invocations.
#[derive(Debug, Default)]
pub struct Outbound {
    client: OnceLock<Client>,
    /// The same within the two bounded reaches.
    public: OnceLock<Client>,
    loopback: OnceLock<Client>,
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
        self.client_within(Reach::Anywhere)
    }

    /// The same client for what an operator may aim: it resolves names within a
    /// reach alone. Addresses in URLs are for [`Reach::check`].
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn client_within(&self, reach: Reach) -> Result<&Client, Failure> {
        let kept = match reach {
            Reach::Anywhere => &self.client,
            Reach::Public => &self.public,
            Reach::Loopback => &self.loopback,
        };
        if let Some(client) = kept.get() {
            return Ok(client);
        }
        let client = build(self.tls()?, reach).map_err(|error| Failure::of(&error))?;
        Ok(kept.get_or_init(|| client))
    }

    /// The TLS settings of everything that leaves the instance.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn tls(&self) -> Result<ClientConfig, Failure> {
        tls_config(self.extra_roots.iter().cloned()).map_err(|_| Failure::Tls)
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
        .tls_info(true)
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(DEFAULT_TIMEOUT)
        // A proxy named in the environment is none of our variables, and would
        // take loopback hosts away from the local stack.
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(USER_AGENT)
        .build()
}

/// Why a request got no usable answer, told apart by what an operator would do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// No answer in time.
    Timeout,
    /// The name does not resolve.
    Dns,
    /// The name or the URL stands for an address out of reach.
    Private,
    /// Nothing listens there, or it cannot be reached.
    Connect,
    /// The certificate or the handshake was refused.
    Tls,
    /// The connection ended before the answer did.
    Reset,
    /// The answer is larger than it may be.
    TooLarge,
    /// The request could not be made.
    Request,
}

impl Failure {
    /// The failure behind an error of the client.
    #[must_use]
    pub fn of(error: &reqwest::Error) -> Self {
        if error.is_timeout() {
            return Self::Timeout;
        }
        if tls_failure(error).is_some() {
            return Self::Tls;
        }
        // What our own resolver said.
        if let Some(failure) = sources(error).find_map(|source| source.downcast_ref::<Self>()) {
            return *failure;
        }
        if error.is_connect() {
            // The resolver's error has no public type; its text is stable.
            let dns = sources(error).any(|source| source.to_string().contains("dns error"));
            return if dns { Self::Dns } else { Self::Connect };
        }
        if error.is_builder() {
            return Self::Request;
        }
        Self::Reset
    }

    /// The stable word that samples and logs carry.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Timeout => "timeout",
            Self::Dns => "dns",
            Self::Private => "private_address",
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Reset => "reset",
            Self::TooLarge => "too_large",
            Self::Request => "request",
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Timeout => "no answer in time",
            Self::Dns => "the name does not resolve",
            Self::Private => "the address is private",
            Self::Connect => "cannot connect",
            Self::Tls => "the TLS handshake failed",
            Self::Reset => "the connection ended early",
            Self::TooLarge => "the answer is too large",
            Self::Request => "the request cannot be made",
        })
    }
}

impl Error for Failure {}

/// What TLS objected to, if an error of any client rests on that.
#[must_use]
pub fn tls_failure(error: &(dyn Error + 'static)) -> Option<String> {
    sources(error).find_map(|source| Some(source.downcast_ref::<rustls::Error>()?.to_string()))
}

/// An error and everything behind it. An `io::Error` hides the error it wraps
/// from `source`, and TLS failures arrive in one.
fn sources<'a>(
    error: &'a (dyn Error + 'static),
) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    fn behind<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
        let wrapped = error
            .downcast_ref::<std::io::Error>()
            .and_then(std::io::Error::get_ref);
        wrapped
            .map(|inner| inner as &(dyn Error + 'static))
            .or_else(|| error.source())
    }
    std::iter::successors(Some(error), |error| behind(*error))
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
