//! Whom an encrypted connection trusts, and what it objects to.

use std::{error::Error, sync::Arc};

use rustls::{ClientConfig, RootCertStore, crypto::ring, pki_types::CertificateDer};

use crate::error_chain::causes;

/// The TLS client settings of everything that leaves the bundle: ring, the
/// bundled public roots, and `extra` roots (none in production for HTTP; the
/// project's own root for direct database sessions).
///
/// # Errors
/// When the provider offers no usable protocol version or a root is malformed.
pub fn client_config<'a>(
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

/// What TLS objected to, if an error of any client rests on that.
#[must_use]
pub fn objection(error: &(dyn Error + 'static)) -> Option<String> {
    causes(error).find_map(|cause| Some(cause.downcast_ref::<rustls::Error>()?.to_string()))
}
