//! What a server shows of itself while it shakes hands, and what is wrong with that.

use std::{
    fmt,
    net::IpAddr,
    sync::{Arc, OnceLock},
};

use jiff::Timestamp;
use rustls::{
    AlertDescription, CertificateError, DigitallySignedStruct, DistinguishedName, Error,
    RootCertStore, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    pki_types::{CertificateDer, ServerName, UnixTime},
};
use x509_cert::{
    Certificate as Parsed,
    der::{Decode, Encode, asn1::AnyRef},
    ext::pkix::{SubjectAltName, name::GeneralName},
    name::Name,
    time::Time,
};

/// A certificate, as far as somebody is told of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// Whom it names: `CN=wine.example`.
    pub subject: String,
    /// When it ends.
    pub not_after: Timestamp,
}

/// The certificates by which a server is trusted, or would be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chain {
    /// The server's own.
    pub leaf: Certificate,
    /// Those between it and a root, nearest first. What a server sends along
    /// without need is left out.
    pub above: Vec<Certificate>,
    /// Who signed the server's own.
    issuer: String,
    self_signed: bool,
    names: Vec<String>,
}

impl Chain {
    /// Who signed the server's own.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The one that ends first, and with it the trust in the server.
    #[must_use]
    pub fn first_to_end(&self) -> &Certificate {
        // Of two that end at once, the server's own is the one to name.
        let above = self.above.iter().min_by_key(|one| one.not_after);
        above
            .filter(|one| one.not_after < self.leaf.not_after)
            .unwrap_or(&self.leaf)
    }

    /// Reads what was shown; none if the server's own certificate cannot be read.
    fn read(
        leaf: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        roots: &RootCertStore,
    ) -> Option<Self> {
        let leaf = Parsed::from_der(leaf).ok()?;
        let others: Vec<_> = others
            .iter()
            .filter_map(|other| Parsed::from_der(other).ok())
            .collect();
        Some(Self {
            above: path(&leaf, &others, roots)
                .into_iter()
                .filter_map(told)
                .collect(),
            issuer: leaf.tbs_certificate.issuer.to_string(),
            self_signed: leaf.tbs_certificate.issuer == leaf.tbs_certificate.subject,
            names: names(&leaf),
            leaf: told(&leaf)?,
        })
    }
}

/// The way from a certificate up to a root, without both.
fn path<'a>(leaf: &'a Parsed, others: &'a [Parsed], roots: &RootCertStore) -> Vec<&'a Parsed> {
    let mut path: Vec<&Parsed> = Vec::new();
    let mut last = leaf;
    while path.len() < others.len() && !is_root(&last.tbs_certificate.issuer, roots) {
        let next = others
            .iter()
            .filter(|other| other.tbs_certificate.subject == last.tbs_certificate.issuer)
            .filter(|other| !path.contains(other))
            // Of two ways up, trust takes the one that lasts.
            .max_by_key(|other| seconds(other.tbs_certificate.validity.not_after));
        let Some(next) = next else { break };
        path.push(next);
        last = next;
    }
    path
}

fn is_root(name: &Name, roots: &RootCertStore) -> bool {
    let Ok(der) = name.to_der() else { return false };
    // Roots keep a name without its outermost header.
    let Ok(content) = AnyRef::from_der(&der) else {
        return false;
    };
    roots
        .roots
        .iter()
        .any(|root| root.subject.as_ref() == content.value())
}

fn told(certificate: &Parsed) -> Option<Certificate> {
    let subject = certificate.tbs_certificate.subject.to_string();
    Some(Certificate {
        subject: if subject.is_empty() {
            names(certificate).join(", ")
        } else {
            subject
        },
        not_after: timestamp(seconds(certificate.tbs_certificate.validity.not_after))?,
    })
}

fn seconds(time: Time) -> u64 {
    time.to_unix_duration().as_secs()
}

fn timestamp(seconds: u64) -> Option<Timestamp> {
    Timestamp::from_second(i64::try_from(seconds).ok()?).ok()
}

/// The names and addresses that a certificate is for.
fn names(certificate: &Parsed) -> Vec<String> {
    let found = certificate.tbs_certificate.get::<SubjectAltName>();
    let Ok(Some((_, SubjectAltName(names)))) = found else {
        return Vec::new();
    };
    names
        .iter()
        .filter_map(|name| match name {
            GeneralName::DnsName(name) => Some(name.to_string()),
            GeneralName::IpAddress(octets) => address(octets.as_bytes()),
            _ => None,
        })
        .collect()
}

fn address(octets: &[u8]) -> Option<String> {
    let address = match octets.len() {
        4 => IpAddr::from(<[u8; 4]>::try_from(octets).ok()?),
        _ => IpAddr::from(<[u8; 16]>::try_from(octets).ok()?),
    };
    Some(address.to_string())
}

/// Keeps what one handshake shows, whether or not it succeeds.
#[derive(Debug, Clone, Default)]
pub struct Witness(Arc<OnceLock<Chain>>);

impl Witness {
    /// What was shown; none before the server has shown anything.
    #[must_use]
    pub fn chain(&self) -> Option<&Chain> {
        self.0.get()
    }
}

/// Judges as everybody does, and lets a witness see.
#[derive(Debug)]
pub(crate) struct Observer {
    pub(crate) judge: Arc<WebPkiServerVerifier>,
    pub(crate) roots: Arc<RootCertStore>,
    pub(crate) witness: Witness,
}

impl ServerCertVerifier for Observer {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if let Some(chain) = Chain::read(end_entity, intermediates, &self.roots) {
            // A witness is of one handshake; of a second one the first stays.
            let _seen = self.witness.0.set(chain);
        }
        self.judge
            .verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.judge
            .verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.judge
            .verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.judge.supported_verify_schemes()
    }

    fn root_hint_subjects(&self) -> Option<&[DistinguishedName]> {
        self.judge.root_hint_subjects()
    }
}

/// What TLS objects to, told apart by what an operator would do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Objection {
    /// A certificate has ended: the server's own or one above it.
    Expired(Option<Certificate>),
    /// A certificate is not valid yet; since when it will be.
    NotYetValid(Option<Timestamp>),
    /// The server vouches for itself.
    SelfSigned,
    /// Nobody whom we trust vouches for it; who does.
    UnknownIssuer(Option<String>),
    /// It is for others; for whom.
    WrongName(Vec<String>),
    /// Something else about a certificate.
    Certificate(String),
    /// The server does not accept us, or the certificate that we have or lack.
    Refused(String),
    /// Both sides do not understand each other, or the server does not speak TLS.
    Protocol(String),
}

impl Objection {
    /// What an error of TLS objects to in what was shown.
    #[must_use]
    pub fn of(error: &Error, shown: Option<&Chain>) -> Self {
        match error {
            Error::InvalidCertificate(fault) => Self::of_certificate(fault, shown),
            Error::AlertReceived(
                alert @ (AlertDescription::CertificateRequired
                | AlertDescription::NoCertificate
                | AlertDescription::BadCertificate
                | AlertDescription::UnsupportedCertificate
                | AlertDescription::CertificateRevoked
                | AlertDescription::CertificateExpired
                | AlertDescription::CertificateUnknown
                | AlertDescription::UnknownCA
                | AlertDescription::AccessDenied),
            ) => Self::Refused(format!("{alert:?}")),
            other => Self::Protocol(other.to_string()),
        }
    }

    fn of_certificate(fault: &CertificateError, shown: Option<&Chain>) -> Self {
        match fault {
            CertificateError::Expired => {
                Self::Expired(shown.map(|chain| chain.first_to_end().clone()))
            }
            CertificateError::ExpiredContext { not_after, .. } => {
                let end = timestamp(not_after.as_secs());
                Self::Expired(shown.and_then(|chain| {
                    let mut all = std::iter::once(&chain.leaf).chain(&chain.above);
                    all.find(|one| Some(one.not_after) == end).cloned()
                }))
            }
            CertificateError::NotValidYet => Self::NotYetValid(None),
            CertificateError::NotValidYetContext { not_before, .. } => {
                Self::NotYetValid(timestamp(not_before.as_secs()))
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                Self::WrongName(shown.map(|chain| chain.names.clone()).unwrap_or_default())
            }
            // One that calls itself an authority is refused as a server's own
            // before anybody asks who vouches for it.
            CertificateError::UnknownIssuer | CertificateError::Other(_)
                if shown.is_some_and(|chain| chain.self_signed) =>
            {
                Self::SelfSigned
            }
            CertificateError::UnknownIssuer => {
                Self::UnknownIssuer(shown.map(|chain| chain.issuer.clone()))
            }
            other => Self::Certificate(other.to_string()),
        }
    }

    /// The stable word that samples carry.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Expired(_) => "tls_expired",
            Self::NotYetValid(_) => "tls_not_yet_valid",
            Self::SelfSigned => "tls_self_signed",
            Self::UnknownIssuer(_) => "tls_unknown_issuer",
            Self::WrongName(_) => "tls_wrong_name",
            Self::Certificate(_) => "tls",
            Self::Refused(_) => "tls_refused",
            Self::Protocol(_) => "tls_protocol",
        }
    }
}

/// How many of a certificate's names are told.
const NAMES_TOLD: usize = 10;

/// What a message adds to the word: whose certificate, until when, for whom.
impl fmt::Display for Objection {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Expired(Some(one)) => {
                write!(formatter, "{} ended {}", one.subject, one.not_after)
            }
            Self::NotYetValid(Some(from)) => write!(formatter, "from {from}"),
            Self::UnknownIssuer(Some(issuer)) => write!(formatter, "issued by {issuer}"),
            Self::WrongName(names) if !names.is_empty() => {
                let told = names.len().min(NAMES_TOLD);
                write!(formatter, "it is for {}", names[..told].join(", "))?;
                match names.len() - told {
                    0 => Ok(()),
                    more => write!(formatter, " and {more} more"),
                }
            }
            Self::Certificate(text) | Self::Refused(text) | Self::Protocol(text) => {
                formatter.write_str(text)
            }
            Self::Expired(None)
            | Self::NotYetValid(None)
            | Self::SelfSigned
            | Self::UnknownIssuer(None)
            | Self::WrongName(_) => Ok(()),
        }
    }
}
