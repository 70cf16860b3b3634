//! What stands before the bundle: it encrypts, passes everything on, and breaks one thing
//! when it is told to.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{Request, Response};
use jiff::SignedDuration;
use local_supabase::server::{Answer, Server};
use outside::{clock, outbound::Outbound};
use rcgen::{CertificateParams, Issuer, KeyPair};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::ring,
        pki_types::{CertificateDer, PrivatePkcs8KeyDer},
    },
};
use url::Url;

use crate::support::forward;

/// Changes an answer on its way.
pub(super) type Breaks = fn(&Request<Bytes>, &mut Response<Bytes>);

/// Whose certificate is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Certificate {
    Good,
    /// It ended a month ago.
    Expired,
    /// It ends within days.
    Ending,
    /// Nobody whom we trust signed it.
    Unknown,
}

/// The bundle behind a proxy, at one address for each certificate.
pub(super) struct Front {
    breaks: Arc<Mutex<Option<Breaks>>>,
    root: CertificateDer<'static>,
    ports: Vec<(Certificate, u16)>,
    proxy: Server,
}

impl Front {
    pub(super) async fn before(upstream: String) -> Self {
        let breaks: Arc<Mutex<Option<Breaks>>> = Arc::default();
        let outbound = Arc::new(Outbound::default());
        let proxy = Server::bind(None, {
            let breaks = Arc::clone(&breaks);
            move |request| {
                let (upstream, outbound) = (upstream.clone(), Arc::clone(&outbound));
                let breaks = *breaks.lock().unwrap();
                async move {
                    let mut answer = forward(&outbound, &upstream, &request).await;
                    if let (Answer::Response(response), Some(breaks)) = (&mut answer, breaks) {
                        breaks(&request, response);
                    }
                    answer
                }
            }
        })
        .await
        .unwrap();
        let (trusted, unknown) = (Authority::new(), Authority::new());
        let mut ports = Vec::new();
        for (certificate, authority, days) in [
            (Certificate::Good, &trusted, 365),
            (Certificate::Expired, &trusted, -30),
            (Certificate::Ending, &trusted, 3),
            (Certificate::Unknown, &unknown, 365),
        ] {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            ports.push((certificate, listener.local_addr().unwrap().port()));
            let acceptor = authority.acceptor(days);
            tokio::spawn(encrypt(listener, acceptor, proxy.address()));
        }
        Self {
            breaks,
            root: trusted.root,
            ports,
            proxy,
        }
    }

    /// What has to be trusted to trust the good certificate.
    pub(super) fn root(&self) -> CertificateDer<'static> {
        self.root.clone()
    }

    pub(super) fn url(&self, certificate: Certificate) -> Url {
        let (_, port) = self
            .ports
            .iter()
            .find(|(known, _)| *known == certificate)
            .unwrap();
        format!("https://localhost:{port}").parse().unwrap()
    }

    /// Its address without encryption.
    pub(super) fn plain_url(&self) -> String {
        self.proxy.url()
    }

    pub(super) fn break_with(&self, breaks: Option<Breaks>) {
        *self.breaks.lock().unwrap() = breaks;
    }
}

/// Takes TLS off and passes the bytes on.
async fn encrypt(listener: TcpListener, acceptor: TlsAcceptor, proxy: std::net::SocketAddr) {
    while let Ok((stream, _)) = listener.accept().await {
        let acceptor = acceptor.clone();
        tokio::spawn(async move {
            // Whoever does not trust the certificate hangs up.
            let Ok(mut outer) = acceptor.accept(stream).await else {
                return;
            };
            let mut inner = TcpStream::connect(proxy).await.unwrap();
            let _ended = tokio::io::copy_bidirectional(&mut outer, &mut inner).await;
        });
    }
}

/// Somebody who signs certificates.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    root: CertificateDer<'static>,
}

impl Authority {
    fn new() -> Self {
        let mut root = CertificateParams::new([]).unwrap();
        root.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let certificate = root.self_signed(&key).unwrap();
        Self {
            root: certificate.der().clone(),
            issuer: Issuer::new(root, key),
        }
    }

    /// A server of `localhost` whose certificate ends in so many days.
    fn acceptor(&self, days: i64) -> TlsAcceptor {
        let end = clock::now() + SignedDuration::from_hours(24 * (days + 1));
        let end = jiff::tz::Offset::UTC.to_datetime(end);
        let mut leaf = CertificateParams::new(["localhost".to_owned()]).unwrap();
        leaf.not_before = rcgen::date_time_ymd(2020, 1, 1);
        leaf.not_after = rcgen::date_time_ymd(
            end.year().into(),
            u8::try_from(end.month()).unwrap(),
            u8::try_from(end.day()).unwrap(),
        );
        let key = KeyPair::generate().unwrap();
        let certificate = leaf.signed_by(&key, &self.issuer).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![certificate.der().clone()],
                PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
            )
            .unwrap();
        TlsAcceptor::from(Arc::new(config))
    }
}
