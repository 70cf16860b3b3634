//! What lies below HTTP: names, ports and handshakes.

use std::{net::SocketAddr, sync::Arc};

use outside::{clock::Deadline, failure::Failure, reach::Reach};
use serde_json::{Map, Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::{TlsConnector, rustls::pki_types::ServerName};

use super::{Fault, Finding, Prober, Sighting, excerpt, start_tls};
use crate::monitoring::probe_targets::{Dns, Tcp, Tls};

/// How many addresses of a name a sample keeps.
const ADDRESSES: usize = 10;

/// How long a server is listened to, in bytes.
const HEARD: usize = 16 * 1024;

/// Resolves a name. Any reach is allowed: nothing is connected to.
pub(super) async fn dns(dns: &Dns, deadline: Deadline) -> Finding {
    let mut detail = place(&dns.host, None);
    let resolved = within(deadline, Reach::Anywhere.resolve(&dns.host, 0)).await;
    let mut found: Vec<_> = match resolved {
        Ok(found) => found.iter().map(SocketAddr::ip).collect(),
        Err(failure) => return Finding::of(Err(failure.into()), detail),
    };
    found.sort_unstable();
    found.dedup();
    let met = dns.address.is_none_or(|address| found.contains(&address));
    found.truncate(ADDRESSES);
    detail.insert("addresses".into(), json!(found));
    Finding::of(if met { Ok(()) } else { Err("address".into()) }, detail)
}

/// Connects to a port, and listens where something is to be said.
pub(super) async fn tcp(tcp: &Tcp, reach: Reach, deadline: Deadline) -> Finding {
    let mut heard = Vec::new();
    let conversed = timeout(deadline.remaining(), converse(tcp, reach, &mut heard)).await;
    let result = match conversed {
        Ok(result) => result,
        Err(_) if heard.is_empty() => Err(Failure::Timeout.into()),
        // It said something else and went silent.
        Err(_) => judge(tcp, &heard),
    };
    Finding::of(result, place(&tcp.host, Some(tcp.port)))
}

async fn converse(tcp: &Tcp, reach: Reach, heard: &mut Vec<u8>) -> Result<(), Fault> {
    let mut stream = connect(&tcp.host, tcp.port, reach).await?;
    if let Some(text) = &tcp.send {
        let sent = stream.write_all(text.as_bytes()).await;
        sent.map_err(|_| Failure::Reset)?;
    }
    if !tcp.expectation.needs_body() {
        return Ok(());
    }
    loop {
        let mut buffer = [0; 1024];
        let length = stream.read(&mut buffer).await;
        let length = length.map_err(|_| Failure::Reset)?;
        heard.extend(&buffer[..length]);
        let judged = judge(tcp, heard);
        let waits = matches!(&judged, Err(fault) if fault.reason == "text");
        if length == 0 || heard.len() >= HEARD || !waits {
            return judged;
        }
    }
}

fn judge(tcp: &Tcp, heard: &[u8]) -> Result<(), Fault> {
    let text = String::from_utf8_lossy(heard);
    tcp.expectation
        .judge(&text)
        .map_err(|unmet| match unmet.reason {
            "text" => Fault::with("text", excerpt(&text)),
            _ => unmet.into(),
        })
}

/// Shakes hands and looks at the certificate.
pub(super) async fn tls(
    prober: &Prober<'_>,
    tls: &Tls,
    reach: Reach,
    deadline: Deadline,
) -> Finding {
    let mut sightings = Vec::new();
    let hands = shake_hands(prober, tls, reach, &mut sightings);
    let result = timeout(deadline.remaining(), hands).await;
    Finding {
        result: result.unwrap_or(Err(Failure::Timeout.into())),
        sightings,
        detail: place(&tls.host, Some(tls.port())),
    }
}

async fn shake_hands(
    prober: &Prober<'_>,
    tls: &Tls,
    reach: Reach,
    sightings: &mut Vec<Sighting>,
) -> Result<(), Fault> {
    let name = ServerName::try_from(tls.host.clone()).map_err(|_| Failure::Request)?;
    let credentials = prober.credentials(&tls.credentials)?;
    let (config, witness) = prober.outbound.look_below_http(credentials)?;
    let mut stream = connect(&tls.host, tls.port(), reach).await?;
    if let Some(protocol) = tls.start_tls {
        start_tls::ask(&mut stream, protocol).await?;
    }
    let shaken = TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await;
    sightings.extend(Sighting::of(&tls.host, &witness));
    match shaken {
        Ok(_) => Ok(()),
        Err(error) => Err(Fault::of(&error, Failure::Tls, &witness)),
    }
}

/// To the first of the resolved addresses that answers, and to no other.
async fn connect(host: &str, port: u16, reach: Reach) -> Result<TcpStream, Failure> {
    let addresses = reach.resolve(host, port).await?;
    TcpStream::connect(addresses.as_slice())
        .await
        .map_err(|_| Failure::Connect)
}

async fn within<T>(
    deadline: Deadline,
    work: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    timeout(deadline.remaining(), work)
        .await
        .unwrap_or(Err(Failure::Timeout))
}

pub(super) fn place(host: &str, port: Option<u16>) -> Map<String, Value> {
    let mut detail = Map::new();
    detail.insert("host".into(), json!(host));
    if let Some(port) = port {
        detail.insert("port".into(), json!(port));
    }
    detail
}
