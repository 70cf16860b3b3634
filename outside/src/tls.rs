//! Whom an encrypted connection trusts, and what it objects to.

use std::{error::Error, sync::Arc};

use rustls::{
    ClientConfig, RootCertStore,
    client::{Resumption, WebPkiServerVerifier},
    crypto::ring,
    pki_types::CertificateDer,
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

/// The same settings for one look at a server: the handshake is made in full, and
/// the witness keeps what the server shows of itself.
///
/// # Errors
/// As [`client_config`].
pub fn witnessed_config<'a>(
    extra: impl IntoIterator<Item = CertificateDer<'a>>,
) -> Result<(ClientConfig, Witness), rustls::Error> {
    let roots = Arc::new(roots(extra)?);
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
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(observer))
        .with_no_client_auth();
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
