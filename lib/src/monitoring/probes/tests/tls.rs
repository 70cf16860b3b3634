//! Handshakes with servers of this machine, each with something else that is wrong.

use std::sync::Arc;

use jiff::SignedDuration;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::ring,
        pki_types::{CertificateDer, PrivatePkcs8KeyDer},
    },
};

use super::*;

/// Days from now.
type Days = i64;

fn params(name: &str, from: Days, until: Days) -> CertificateParams {
    let day = |days: Days| {
        let at = clock::now() + SignedDuration::from_hours(24 * days);
        let date = jiff::tz::Offset::UTC.to_datetime(at);
        let (month, day) = (date.month().unsigned_abs(), date.day().unsigned_abs());
        rcgen::date_time_ymd(date.year().into(), month, day)
    };
    let mut params = CertificateParams::new([]).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = day(from);
    params.not_after = day(until);
    params
}

/// Somebody who signs certificates.
struct Authority {
    certificate: rcgen::Certificate,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn params(name: &str, until: Days) -> CertificateParams {
        let mut params = params(name, -1000, until);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params
    }

    fn root(name: &str) -> Self {
        let (params, key) = (Self::params(name, 1000), KeyPair::generate().unwrap());
        Self {
            certificate: params.self_signed(&key).unwrap(),
            issuer: Issuer::new(params, key),
        }
    }

    /// Another authority, which this one vouches for.
    fn vouches_for(&self, name: &str, until: Days) -> Self {
        let (params, key) = (Self::params(name, until), KeyPair::generate().unwrap());
        Self {
            certificate: params.signed_by(&key, &self.issuer).unwrap(),
            issuer: Issuer::new(params, key),
        }
    }

    fn der(&self) -> CertificateDer<'static> {
        self.certificate.der().clone()
    }

    /// A server's certificate with its key, and what it sends along.
    fn signs(&self, names: &[&str], from: Days, until: Days, along: &[&Self]) -> Shown {
        let key = KeyPair::generate().unwrap();
        let mut leaf = params("leaf", from, until);
        leaf.subject_alt_names = CertificateParams::new(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>())
            .unwrap()
            .subject_alt_names;
        let own = leaf.signed_by(&key, &self.issuer).unwrap().der().clone();
        let along = along.iter().map(|authority| authority.der());
        (std::iter::once(own).chain(along).collect(), key)
    }
}

type Shown = (Vec<CertificateDer<'static>>, KeyPair);

/// Serves HTTP behind that certificate; its port.
async fn serve((chain, key): Shown, answer: String) -> u16 {
    let key = PrivatePkcs8KeyDer::from(key.serialize_der());
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key.into())
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            // Whoever does not trust the certificate hangs up.
            let Ok(mut stream) = acceptor.accept(stream).await else {
                continue;
            };
            let mut request = [0; 4096];
            let _read = stream.read(&mut request).await;
            let _written = stream.write_all(answer.as_bytes()).await;
            let _closed = stream.shutdown().await;
        }
    });
    port
}

/// Both kinds that shake hands, and what each of them found.
async fn look(root: &Authority, port: u16) -> [(Sample, Vec<Sighting>); 2] {
    let (outbound, variables) = (Outbound::trusting(vec![root.der()]), BTreeMap::new());
    let prober = Prober {
        outbound: &outbound,
        variables: &variables,
        reach: Reach::Loopback,
    };
    let deadline = Deadline::after(Duration::from_secs(10));
    let http = target(json!({"kind": "http", "url": format!("https://localhost:{port}/"), "redirects": 1}));
    let tls = target(json!({"kind": "tls", "host": "localhost", "port": port}));
    [
        prober.probe(&http, deadline).await,
        prober.probe(&tls, deadline).await,
    ]
}

#[tokio::test]
async fn what_is_wrong_with_a_certificate_is_told_apart() {
    let root = Authority::root("our root");
    let stranger = Authority::root("a stranger");
    let ended = root.vouches_for("ended", -3);
    let own_key = KeyPair::generate().unwrap();
    let own = |mut params: CertificateParams| {
        params.subject_alt_names = CertificateParams::new(["localhost".to_owned()]).unwrap().subject_alt_names;
        let own = params.self_signed(&own_key).unwrap().der().clone();
        (vec![own], KeyPair::from_pem(&own_key.serialize_pem()).unwrap())
    };
    let ok = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    for (shown, reason, found) in [
        (root.signs(&["localhost"], -9, 90, &[]), None, None),
        (
            root.signs(&["localhost"], -90, -2, &[]),
            Some("tls_expired"),
            Some("CN=leaf ended "),
        ),
        (
            ended.signs(&["localhost"], -9, 90, &[&ended]),
            Some("tls_expired"),
            Some("CN=ended ended "),
        ),
        (
            root.signs(&["localhost"], 2, 90, &[]),
            Some("tls_not_yet_valid"),
            Some("from "),
        ),
        (
            own(params("self", -9, 90)),
            Some("tls_self_signed"),
            None,
        ),
        (
            own(Authority::params("self", 90)),
            Some("tls_self_signed"),
            None,
        ),
        (
            stranger.signs(&["localhost"], -9, 90, &[&stranger]),
            Some("tls_unknown_issuer"),
            Some("issued by CN=a stranger"),
        ),
        (
            root.signs(&["wine.example", "*.wine.example", "10.0.0.1"], -9, 90, &[]),
            Some("tls_wrong_name"),
            Some("it is for wine.example, *.wine.example, 10.0.0.1"),
        ),
    ] {
        let port = serve(shown, ok.to_owned()).await;
        for (sample, sightings) in look(&root, port).await {
            let said = sample.detail.get("found").and_then(Value::as_str);
            assert_eq!(sample.reason, reason, "{sample:?}");
            assert_eq!(said.is_some(), found.is_some(), "{sample:?}");
            assert!(said.unwrap_or_default().starts_with(found.unwrap_or_default()), "{sample:?}");
            assert_eq!(sightings.len(), 1, "a certificate that is refused is seen too");
        }
    }
}

#[tokio::test]
async fn who_does_not_speak_tls_is_told_apart_from_who_is_not_trusted() {
    let root = Authority::root("our root");
    let plain = server(|_| ok("")).await;
    let port = plain.rsplit(':').next().unwrap().parse().unwrap();
    for (sample, sightings) in look(&root, port).await {
        assert_eq!(sample.reason, Some("tls_protocol"), "{sample:?}");
        assert!(sightings.is_empty());
    }
    // One that hangs up at once.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut hello = [0; 4096];
            let _read = stream.read(&mut hello).await;
        }
    });
    for (sample, _) in look(&root, port).await {
        assert_eq!(sample.reason, Some("tls"), "{sample:?}");
    }
}

#[tokio::test]
async fn an_intermediate_that_ends_first_is_seen_and_one_that_is_not_needed_is_not() {
    let root = Authority::root("our root");
    let between = root.vouches_for("between", 10);
    let beside = Authority::root("beside").vouches_for("our root", -5);
    let ok = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    for (shown, first) in [
        (between.signs(&["localhost"], -9, 90, &[&between]), "CN=between"),
        (between.signs(&["localhost"], -9, 5, &[&between]), "CN=leaf"),
        // Another way up, which has ended, to a root that is trusted as it is.
        (root.signs(&["localhost"], -9, 90, &[&beside]), "CN=leaf"),
    ] {
        let port = serve(shown, ok.to_owned()).await;
        for (sample, sightings) in look(&root, port).await {
            assert_eq!(sample.status, Status::Up, "{sample:?}");
            assert_eq!(sightings[0].first.subject, first);
            let told = certificate("localhost", sightings.first(), clock::now());
            let above = (first != "CN=leaf").then_some(first);
            assert_eq!(told.detail.get("found").and_then(Value::as_str), above);
            assert_eq!(told.reason, above.map(|_| "intermediate"));
        }
    }
}

#[tokio::test]
async fn a_certificate_is_credited_to_the_host_that_showed_it() {
    let root = Authority::root("our root");
    let there = serve(
        root.signs(&["127.0.0.1"], -9, 5, &[]),
        "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".into(),
    )
    .await;
    let here = serve(
        root.signs(&["localhost"], -9, 90, &[]),
        redirect(&format!("https://127.0.0.1:{there}/")),
    )
    .await;
    let [(sample, sightings), _] = look(&root, here).await;
    assert_eq!(sample.status, Status::Up, "{sample:?}");
    assert_eq!(sample.detail["hosts"], json!(["localhost", "127.0.0.1"]));
    let now = clock::now();
    let seen: Vec<_> = certificates(&[], &sightings, now)
        .map(|sample| (sample.name, sample.detail["daysLeft"].as_i64().unwrap() < 30))
        .collect();
    assert_eq!(
        seen,
        [
            ("certificate:127.0.0.1".to_owned(), true),
            ("certificate:localhost".to_owned(), false)
        ]
    );
}
