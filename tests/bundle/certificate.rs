//! The certificate of the app, read off the connection that checks it.

use std::sync::Arc;

use http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use ops::{app::App, config::Config, endpoint::Endpoint, function::Function, router};
use outside::outbound::Outbound;
use rcgen::{CertificateParams, Issuer, KeyPair};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::ring,
        pki_types::{CertificateDer, PrivatePkcs8KeyDer},
    },
};

use crate::support::{Bundle, get};

/// An app on `localhost` whose certificate ends at that time, and the root that
/// signed it.
async fn app_until(end: Timestamp) -> (String, CertificateDer<'static>) {
    let mut root = CertificateParams::new([]).unwrap();
    root.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let root_key = KeyPair::generate().unwrap();
    let root_certificate = root.self_signed(&root_key).unwrap();
    let issuer = Issuer::new(root, root_key);
    let key = KeyPair::generate().unwrap();
    let mut leaf = CertificateParams::new(["localhost".to_owned()]).unwrap();
    leaf.distinguished_name
        .push(rcgen::DnType::CommonName, "localhost");
    leaf.not_before = rcgen::date_time_ymd(2020, 1, 1);
    let day = jiff::tz::Offset::UTC.to_datetime(end);
    leaf.not_after = rcgen::date_time_ymd(
        day.year().into(),
        u8::try_from(day.month()).unwrap(),
        u8::try_from(day.day()).unwrap(),
    );
    let certificate = leaf.signed_by(&key, &issuer).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
        )
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(serve(listener, TlsAcceptor::from(Arc::new(config))));
    (
        format!("https://localhost:{port}"),
        root_certificate.der().clone(),
    )
}

async fn serve(listener: TcpListener, acceptor: TlsAcceptor) {
    while let Ok((stream, _)) = listener.accept().await {
        let acceptor = acceptor.clone();
        tokio::spawn(async move {
            // Whoever does not trust the certificate hangs up.
            let Ok(mut stream) = acceptor.accept(stream).await else {
                return;
            };
            let mut request = [0; 4096];
            let _read = stream.read(&mut request).await;
            let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok";
            let _written = stream.write_all(answer).await;
            let _closed = stream.shutdown().await;
        });
    }
}

/// Three ticks over an app whose certificate ends in so many days; the last
/// one's answer.
async fn ticks(bundle: &mut Bundle, days: i64, trusted: bool) -> Value {
    let end = outside::clock::now() + SignedDuration::from_hours(24 * (days + 1));
    let (url, root) = app_until(end).await;
    bundle.env.insert("NEXT_PUBLIC_APP_URL".into(), url);
    let config = Config::from_lookup(&|name| bundle.env.get(name).cloned());
    let roots = if trusted { vec![root] } else { Vec::new() };
    let app = trusting(config, roots);
    three_ticks(bundle, &app).await
}

/// The monitor's function, which also trusts those roots.
fn trusting(config: Config, roots: Vec<CertificateDer<'static>>) -> Function {
    let app = App::with_outbound(config, Outbound::trusting(roots));
    Function::new(app, router::routes(Endpoint::Monitor))
}

async fn three_ticks(bundle: &Bundle, app: &Function) -> Value {
    let mut last = Value::Null;
    for _ in 0..3 {
        let key = bundle.secret("MONITORING_API_KEY");
        let answer = get(app, "/api/cron/monitor").bearer(key).send().await;
        assert_eq!(answer.status, StatusCode::OK, "{:?}", answer.bytes);
        last = answer.json();
    }
    last
}

fn opened(tick: &Value) -> Vec<&str> {
    let transitions = tick["transitions"].as_array().unwrap();
    transitions
        .iter()
        .map(|one| one["rule"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn the_closer_its_end_the_louder_the_alert_and_never_two_at_once() {
    for (days, rules) in [
        (60, [].as_slice()),
        (20, &["certificate_expiring"]),
        (3, &["certificate_urgent"]),
    ] {
        let mut bundle = Bundle::start().await;
        let tick = ticks(&mut bundle, days, true).await;
        assert_eq!(opened(&tick), rules, "{days} days: {tick}");
        let check = tick["checks"]
            .as_array()
            .unwrap()
            .iter()
            .find(|check| check["kind"] == "certificate");
        let left = check.unwrap()["detail"]["daysLeft"].as_i64().unwrap();
        assert!((days - 1..=days + 1).contains(&left), "{left} of {days}");
    }
}

#[tokio::test]
async fn a_kept_check_of_a_handshake_sees_the_certificate_too() {
    let end = outside::clock::now() + SignedDuration::from_hours(24 * 4);
    let (url, root) = app_until(end).await;
    let bundle = Bundle::start().await;
    let port: u16 = url.rsplit(':').next().unwrap().parse().unwrap();
    let check = json!({"kind": "tls", "host": "localhost", "port": port});
    let add = "select public.ops_add_check('mail', $1::text::jsonb, 'test')";
    let admin = bundle.admin().await;
    admin.execute(add, &[&check.to_string()]).await.unwrap();
    for (roots, status, rules) in [
        (vec![root], "up", ["certificate_urgent"]),
        (Vec::new(), "down", ["check_failing"]),
    ] {
        let config = Config::from_lookup(&|name| bundle.env.get(name).cloned());
        let app = trusting(config, roots);
        let tick = three_ticks(&bundle, &app).await;
        let checks = tick["checks"].as_array().unwrap();
        let seen = checks.iter().find(|check| check["name"] == "check:mail");
        assert_eq!(seen.unwrap()["status"], status, "{tick}");
        assert_eq!(opened(&tick), rules, "{tick}");
    }
}

#[tokio::test]
async fn one_that_nobody_vouches_for_is_an_app_that_is_down() {
    let mut bundle = Bundle::start().await;
    let tick = ticks(&mut bundle, 60, false).await;
    assert_eq!(opened(&tick), ["app_down"], "{tick}");
    assert_eq!(tick["checks"][0]["reason"], json!("tls_unknown_issuer"));
}
