//! Whom an encrypted connection trusts, and what it objects to.

use std::{error::Error, sync::Arc};

use rustls::{
    ClientConfig, RootCertStore,
    client::{Resumption, WebPkiServerVerifier},
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};

use crate::{
    certificates::{Observer, Witness},
    error_chain::causes,
};

/// The TLS client settings of everything that leaves the bundle: ring, the
/// bundled public roots, and `extra` roots (none in production for HTTP; the
/// project's own root for direct database sessions).
///
/// # Errors
/// When the provider offers no usable protocol version or a root is malformed.
pub fn client_config<'a>(
    extra: impl IntoIterator<Item = CertificateDer<'a>>,
) -> Result<ClientConfig, rustls::Error> {
    Ok(
        ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots(extra)?)
            .with_no_client_auth(),
    )
}

/// What one look trusts beside the public roots, and how it proves who asks.
#[derive(Debug, Default)]
pub struct Credentials {
    /// More roots.
    pub roots: Vec<CertificateDer<'static>>,
    /// A certificate, with those above it, and its key.
    pub identity: Option<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)>,
}

/// The certificates of a PEM text; none if it cannot be read.
#[must_use]
pub fn certificates(pem: &str) -> Option<Vec<CertificateDer<'static>>> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
    found.ok().filter(|found| !found.is_empty())
}

/// The private key of a PEM text; none if it cannot be read.
#[must_use]
pub fn private_key(pem: &str) -> Option<PrivateKeyDer<'static>> {
    PrivateKeyDer::from_pem_slice(pem.as_bytes()).ok()
}

/// The same settings for one look at a server: the handshake is made in full, and
/// the witness keeps what the server shows of itself.
///
/// # Errors
/// As [`client_config`], and when the identity is none.
pub fn witnessed_config(
    trusted: &[CertificateDer<'_>],
    credentials: Credentials,
) -> Result<(ClientConfig, Witness), rustls::Error> {
    let trusted = trusted.iter().chain(&credentials.roots).cloned();
    let roots = Arc::new(roots(trusted)?);
    let provider = Arc::new(ring::default_provider());
    let judge = WebPkiServerVerifier::builder_with_provider(roots.clone(), provider.clone());
    let witness = Witness::default();
    let observer = Observer {
        judge: judge
            .build()
            .map_err(|error| rustls::Error::General(error.to_string()))?,
        roots,
        witness: witness.clone(),
    };
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(observer));
    let mut config = match credentials.identity {
        Some((chain, key)) => config.with_client_auth_cert(chain, key)?,
        None => config.with_no_client_auth(),
    };
    // What is resumed is not looked at.
    config.resumption = Resumption::disabled();
    Ok((config, witness))
}

fn roots<'a>(
    extra: impl IntoIterator<Item = CertificateDer<'a>>,
) -> Result<RootCertStore, rustls::Error> {
    let mut roots = RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
    };
    for root in extra {
        roots.add(root)?;
    }
    Ok(roots)
}

/// What TLS objected to, if an error of any client rests on that.
#[must_use]
pub fn objection<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a rustls::Error> {
    causes(error).find_map(|cause| cause.downcast_ref::<rustls::Error>())
}
