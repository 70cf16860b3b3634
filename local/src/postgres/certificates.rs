//! A certificate authority for one server, as Supabase has one for its
//! databases: clients verify the server against `ca.pem`.

use anyhow::Context;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};

/// What one cluster needs for TLS, each in PEM.
pub(super) struct Certificates {
    /// What clients trust.
    pub(super) authority: String,
    /// The server's certificate, for `localhost` and `127.0.0.1`.
    pub(super) server: String,
    /// The server's private key.
    pub(super) server_key: String,
}

/// Makes a fresh authority and one server certificate. The authority's own key
/// is not kept, so that nobody can issue another certificate with it.
pub(super) fn issue() -> anyhow::Result<Certificates> {
    let authority_key = KeyPair::generate().context("cannot make the authority's key")?;
    let mut authority = CertificateParams::new(Vec::new())?;
    authority
        .distinguished_name
        .push(DnType::CommonName, "Local Supabase authority");
    authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    limit_validity(&mut authority);
    let authority_certificate = authority.self_signed(&authority_key)?;
    let issuer = Issuer::new(authority, authority_key);

    let server_key = KeyPair::generate().context("cannot make the server's key")?;
    let mut server = CertificateParams::new(["localhost".to_owned(), "127.0.0.1".to_owned()])?;
    server
        .distinguished_name
        .push(DnType::CommonName, "localhost");
    server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    server.use_authority_key_identifier_extension = true;
    limit_validity(&mut server);
    let server_certificate = server.signed_by(&server_key, &issuer)?;

    Ok(Certificates {
        authority: authority_certificate.pem(),
        server: server_certificate.pem(),
        server_key: server_key.serialize_pem(),
    })
}

fn limit_validity(parameters: &mut CertificateParams) {
    parameters.not_before = date_time_ymd(2020, 1, 1);
    parameters.not_after = date_time_ymd(2049, 12, 31);
}
