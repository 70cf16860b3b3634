//! Handshakes with servers of this machine, each with something else that is wrong.

use std::sync::Arc;

use jiff::SignedDuration;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        RootCertStore, ServerConfig,
        crypto::ring,
        pki_types::{CertificateDer, PrivatePkcs8KeyDer},
        server::WebPkiClientVerifier,
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
        leaf.subject_alt_names = CertificateParams::new(
            names
                .iter()
                .map(|name| (*name).to_owned())
                .collect::<Vec<_>>(),
        )
        .unwrap()
        .subject_alt_names;
        let own = leaf.signed_by(&key, &self.issuer).unwrap().der().clone();
        let along = along.iter().map(|authority| authority.der());
        (std::iter::once(own).chain(along).collect(), key)
    }
}

type Shown = (Vec<CertificateDer<'static>>, KeyPair);

/// Who shows that certificate, and asks for one of somebody's if there is somebody.
fn acceptor((chain, key): Shown, clients: Option<&Authority>) -> TlsAcceptor {
    let key = PrivatePkcs8KeyDer::from(key.serialize_der());
    let provider = Arc::new(ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .unwrap();
    let config = match clients {
        None => config.with_no_client_auth(),
        Some(authority) => {
            let mut roots = RootCertStore::empty();
            roots.add(authority.der()).unwrap();
            let verifier = WebPkiClientVerifier::builder_with_provider(roots.into(), provider);
            config.with_client_cert_verifier(verifier.build().unwrap())
        }
    };
    let config = config.with_single_cert(chain, key.into()).unwrap();
    TlsAcceptor::from(Arc::new(config))
}

/// What is said before TLS: what the server says, and how the next line has to begin.
type Prelude = &'static [(&'static str, &'static [u8])];

/// Serves HTTP behind that certificate; its port.
async fn serve(shown: Shown, answer: String) -> u16 {
    serve_after(&[], acceptor(shown, None), answer).await
}

async fn serve_after(prelude: Prelude, acceptor: TlsAcceptor, answer: String) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        'next: while let Ok((mut stream, _)) = listener.accept().await {
            for (said, expected) in prelude {
                let _written = stream.write_all(said.as_bytes()).await;
                let mut asked = vec![0; expected.len()];
                if stream.read_exact(&mut asked).await.is_err() || asked != *expected {
                    continue 'next;
                }
            }
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

/// What a probe finds that trusts that root and has those variables.
async fn look_at(
    root: &Authority,
    variables: &[(&str, String)],
    spec: Value,
) -> (Sample, Vec<Sighting>) {
    let outbound = Outbound::trusting(vec![root.der()]);
    let variables = variables.iter();
    let variables = variables
        .map(|(name, value)| ((*name).to_owned(), value.clone().into()))
        .collect();
    let prober = Prober {
        outbound: &outbound,
        variables: &variables,
        reach: Reach::Loopback,
    };
    let deadline = Deadline::after(Duration::from_secs(10));
    prober.probe(&target(&spec), deadline).await
}

/// What both kinds that shake hands find.
async fn look(root: &Authority, port: u16) -> [(Sample, Vec<Sighting>); 2] {
    let url = format!("https://localhost:{port}/");
    let http = json!({"kind": "http", "url": url, "redirects": 1});
    let tls = json!({"kind": "tls", "host": "localhost", "port": port});
    [
        look_at(root, &[], http).await,
        look_at(root, &[], tls).await,
    ]
}

#[tokio::test]
async fn what_is_wrong_with_a_certificate_is_told_apart() {
    let root = Authority::root("our root");
    let stranger = Authority::root("a stranger");
    let ended = root.vouches_for("ended", -3);
    let own_key = KeyPair::generate().unwrap();
    let own = |mut params: CertificateParams| {
        params.subject_alt_names = CertificateParams::new(["localhost".to_owned()])
            .unwrap()
            .subject_alt_names;
        let own = params.self_signed(&own_key).unwrap().der().clone();
        (
            vec![own],
            KeyPair::from_pem(&own_key.serialize_pem()).unwrap(),
        )
    };
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
        (own(params("self", -9, 90)), Some("tls_self_signed"), None),
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
        let port = serve(shown, ok("")).await;
        for (sample, sightings) in look(&root, port).await {
            let said = sample.detail.get("found").and_then(Value::as_str);
            assert_eq!(sample.reason, reason, "{sample:?}");
            assert_eq!(said.is_some(), found.is_some(), "{sample:?}");
            assert!(
                said.unwrap_or_default()
                    .starts_with(found.unwrap_or_default()),
                "{sample:?}"
            );
            assert_eq!(
                sightings.len(),
                1,
                "a certificate that is refused is seen too"
            );
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
    for (shown, first) in [
        (
            between.signs(&["localhost"], -9, 90, &[&between]),
            "CN=between",
        ),
        (between.signs(&["localhost"], -9, 5, &[&between]), "CN=leaf"),
        // Another way up, which has ended, to a root that is trusted as it is.
        (root.signs(&["localhost"], -9, 90, &[&beside]), "CN=leaf"),
    ] {
        let port = serve(shown, ok("")).await;
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
async fn of_two_intermediates_of_one_name_the_one_that_ends_later_counts() {
    let root = Authority::root("our root");
    let former = root.vouches_for("between", 10);
    let renewed = root.vouches_for("between", 50);
    let shown = renewed.signs(&["localhost"], -9, 90, &[&former, &renewed]);
    let port = serve(shown, ok("")).await;
    for (sample, sightings) in look(&root, port).await {
        assert_eq!(sample.status, Status::Up, "{sample:?}");
        let told = certificate("localhost", sightings.first(), clock::now());
        let left = told.detail["daysLeft"].as_i64();
        assert!(left.is_some_and(|days| days > 40), "{told:?}");
    }
}

#[tokio::test]
async fn a_certificate_is_credited_to_the_host_that_showed_it() {
    let root = Authority::root("our root");
    let there = serve(root.signs(&["127.0.0.1"], -9, 5, &[]), ok("")).await;
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
        .map(|sample| {
            (
                sample.name,
                sample.detail["daysLeft"].as_i64().unwrap() < 30,
            )
        })
        .collect();
    assert_eq!(
        seen,
        [
            ("certificate:127.0.0.1".to_owned(), true),
            ("certificate:localhost".to_owned(), false)
        ]
    );
}

#[tokio::test]
async fn tls_begins_where_a_protocol_is_asked_for_it() {
    let root = Authority::root("our root");
    let preludes: [(&str, Prelude); 4] = [
        (
            "smtp",
            &[
                ("220-hello\r\n220 there\r\n", b"EHLO localhost\r\n"),
                ("250-SIZE\r\n250 STARTTLS\r\n", b"STARTTLS\r\n"),
                ("220 go ahead\r\n", b""),
            ],
        ),
        (
            "imap",
            &[
                ("* OK ready\r\n", b"1 STARTTLS\r\n"),
                ("* a word\r\n1 OK begin\r\n", b""),
            ],
        ),
        (
            "pop3",
            &[("+OK ready\r\n", b"STLS\r\n"), ("+OK begin\r\n", b"")],
        ),
        (
            "postgres",
            &[("", &[0, 0, 0, 8, 4, 0xd2, 0x16, 0x2f]), ("S", b"")],
        ),
    ];
    for (protocol, prelude) in preludes {
        let shown = root.signs(&["localhost"], -9, 90, &[]);
        let port = serve_after(prelude, acceptor(shown, None), String::new()).await;
        let spec = json!({"kind": "tls", "host": "localhost", "port": port, "startTls": protocol});
        let (sample, sightings) = look_at(&root, &[], spec).await;
        assert_eq!(
            (sample.status, sample.reason),
            (Status::Up, None),
            "{protocol} {sample:?}"
        );
        assert_eq!(sightings[0].first.subject, "CN=leaf", "{protocol}");
    }
}

#[tokio::test]
async fn who_does_not_begin_tls_is_quoted() {
    let root = Authority::root("our root");
    for (protocol, said, found) in [
        ("smtp", "554 go\taway\r\n", "554 go away"),
        ("imap", "* BYE\r\n", "* BYE"),
        ("pop3", "-ERR\r\n", "-ERR"),
        ("postgres", "N", "N"),
    ] {
        let port = says(false, said).await;
        let spec = json!({"kind": "tls", "host": "localhost", "port": port, "startTls": protocol});
        let (sample, _) = look_at(&root, &[], spec).await;
        assert_eq!(sample.reason, Some("starttls"), "{protocol} {sample:?}");
        assert_eq!(sample.detail["found"], found, "{protocol}");
    }
}

#[tokio::test]
async fn own_roots_and_a_certificate_of_ours_come_from_variables() {
    let (public, theirs) = (Authority::root("public"), Authority::root("theirs"));
    let (chain, key) = theirs.signs(&["us"], -9, 90, &[]);
    let pem = |der: &CertificateDer<'_>| {
        let text = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, der);
        format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n")
    };
    let variables = [
        ("CHECK_CA", pem(&theirs.der())),
        // As a platform keeps it that knows lines only one by one.
        ("CHECK_CERTIFICATE", pem(&chain[0]).replace('\n', "\\n")),
        ("CHECK_KEY", key.serialize_pem()),
        ("CHECK_NONE", "nothing".to_owned()),
    ];
    let server = acceptor(theirs.signs(&["localhost"], -9, 90, &[]), Some(&theirs));
    let port = serve_after(&[], server, ok("")).await;
    let (ca, certificate, key) = ("${CHECK_CA}", "${CHECK_CERTIFICATE}", "${CHECK_KEY}");
    for (fields, reason) in [
        (
            json!({"ca": ca, "certificate": certificate, "key": key}),
            None,
        ),
        (json!({"ca": ca}), Some("tls_refused")),
        (
            json!({"certificate": certificate, "key": key}),
            Some("tls_unknown_issuer"),
        ),
        (json!({"ca": "${CHECK_NONE}"}), Some("variable")),
        (json!({"ca": "${CHECK_ABSENT}"}), Some("variable")),
        (
            json!({"ca": ca, "certificate": certificate, "key": "${CHECK_NONE}"}),
            Some("variable"),
        ),
    ] {
        let mut spec = json!({"kind": "http", "url": format!("https://localhost:{port}/")});
        spec.as_object_mut()
            .unwrap()
            .extend(fields.as_object().unwrap().clone());
        let (sample, _) = look_at(&public, &variables, spec).await;
        assert_eq!(sample.reason, reason, "{fields} {sample:?}");
        assert!(!format!("{sample:?}").contains("BEGIN"), "{sample:?}");
    }
}
