//! What lies below HTTP: names, ports and handshakes.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use outside::{clock::Deadline, failure::Failure, reach::Reach};
use serde_json::{Map, Value, json};
use tokio::{net::TcpStream, time::timeout};
use tokio_rustls::{TlsConnector, rustls::pki_types::ServerName};

use super::{Finding, Prober, http::not_after};
use crate::monitoring::probe_targets::{Dns, Tcp, Tls};

/// How many addresses of a name a sample keeps.
const ADDRESSES: usize = 10;

/// Resolves a name. Any reach is allowed: nothing is connected to.
pub(super) async fn dns(dns: &Dns, deadline: Deadline) -> Finding {
    let mut detail = place(&dns.host, None);
    let resolved = within(deadline.remaining(), Reach::Anywhere.resolve(&dns.host, 0)).await;
    let mut found: Vec<_> = match resolved {
        Ok(found) => found.iter().map(SocketAddr::ip).collect(),
        Err(failure) => return Finding::down(failure.as_str(), detail),
    };
    found.sort_unstable();
    found.dedup();
    let met = dns.address.is_none_or(|address| found.contains(&address));
    found.truncate(ADDRESSES);
    detail.insert("addresses".into(), json!(found));
    Finding {
        result: if met { Ok(()) } else { Err("address") },
        expiry: None,
        detail,
    }
}

/// Connects to a port.
pub(super) async fn tcp(tcp: &Tcp, reach: Reach, deadline: Deadline) -> Finding {
    let detail = place(&tcp.host, Some(tcp.port));
    let connected = connect(&tcp.host, tcp.port, reach);
    match within(deadline.remaining(), connected).await {
        Ok(_) => Finding {
            result: Ok(()),
            expiry: None,
            detail,
        },
        Err(failure) => Finding::down(failure.as_str(), detail),
    }
}

/// Shakes hands and looks at the certificate.
pub(super) async fn tls(
    prober: &Prober<'_>,
    tls: &Tls,
    reach: Reach,
    deadline: Deadline,
) -> Finding {
    let detail = place(&tls.host, Some(tls.port));
    match within(deadline.remaining(), certificate(prober, tls, reach)).await {
        Ok(der) => Finding {
            result: Ok(()),
            expiry: not_after(&der),
            detail,
        },
        Err(failure) => Finding::down(failure.as_str(), detail),
    }
}

async fn certificate(prober: &Prober<'_>, tls: &Tls, reach: Reach) -> Result<Vec<u8>, Failure> {
    let name = ServerName::try_from(tls.host.clone()).map_err(|_| Failure::Request)?;
    let connector = TlsConnector::from(Arc::new(prober.outbound.tls()?));
    let stream = connect(&tls.host, tls.port, reach).await?;
    let stream = connector
        .connect(name, stream)
        .await
        .map_err(|_| Failure::Tls)?;
    let (_, session) = stream.get_ref();
    let shown = session.peer_certificates().and_then(<[_]>::first);
    Ok(shown.ok_or(Failure::Tls)?.to_vec())
}

/// To the first of the resolved addresses that answers, and to no other.
async fn connect(host: &str, port: u16, reach: Reach) -> Result<TcpStream, Failure> {
    let addresses = reach.resolve(host, port).await?;
    TcpStream::connect(addresses.as_slice())
        .await
        .map_err(|_| Failure::Connect)
}

async fn within<T>(
    time: Duration,
    work: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    timeout(time, work).await.unwrap_or(Err(Failure::Timeout))
}

fn place(host: &str, port: Option<u16>) -> Map<String, Value> {
    let mut detail = Map::new();
    detail.insert("host".into(), json!(host));
    if let Some(port) = port {
        detail.insert("port".into(), json!(port));
    }
    detail
}
