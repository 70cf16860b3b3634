//! What the name system says of a name: any common kind of record, asked of the
//! system's own servers or of one that the check names.

mod message;

use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use outside::{clock::Deadline, failure::Failure, reach::Reach};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpStream, UdpSocket},
    time::timeout,
};

use super::{Fault, Finding, network};
use crate::monitoring::probe_targets::{Dns, Record};
use message::Answer;

/// How many records a sample keeps, and a message shows.
const RECORDS: usize = 10;

/// How long one server may take before the next one is asked.
const PATIENCE: Duration = Duration::from_millis(1500);

/// Where this machine says which servers it asks.
const RESOLVERS: &str = "/etc/resolv.conf";

/// Asks for records and compares them with what is expected.
pub(super) async fn probe(dns: &Dns, record: Record, reach: Reach, deadline: Deadline) -> Finding {
    let mut detail = network::place(&dns.host, None);
    let asked = timeout(deadline.remaining(), ask(dns, record, reach)).await;
    let mut records = match asked.unwrap_or(Err(Failure::Timeout.into())) {
        Ok(records) => records,
        Err(fault) => return Finding::of(Err(fault), detail),
    };
    let result = judge(dns, record, &records);
    records.truncate(RECORDS);
    detail.insert("records".into(), json!(records));
    Finding::of(result, detail)
}

fn judge(dns: &Dns, kind: Record, records: &[String]) -> Result<(), Fault> {
    let found = || match records {
        [] => "none".to_owned(),
        records => records[..records.len().min(RECORDS)].join(", "),
    };
    if dns.absent {
        return match records {
            [] => Ok(()),
            _ => Err(Fault::with("unwanted", found())),
        };
    }
    let met = |value: &String| records.iter().any(|record| is(kind, record, value));
    if !records.is_empty() && dns.values.iter().all(met) {
        Ok(())
    } else {
        Err(Fault::with("record", found()))
    }
}

/// Whether a record is what somebody wrote down. Of long texts a part is enough.
fn is(kind: Record, record: &str, value: &str) -> bool {
    match kind {
        Record::Txt | Record::Soa => record.contains(value),
        Record::A | Record::Aaaa => {
            let address = |text: &str| text.parse::<IpAddr>().ok();
            address(value).is_some() && address(record) == address(value)
        }
        Record::Caa => record.eq_ignore_ascii_case(&value.replace('"', "")),
        Record::Cname | Record::Mx | Record::Ns | Record::Ptr | Record::Srv => {
            record.eq_ignore_ascii_case(value.trim_end_matches('.'))
        }
    }
}

async fn ask(dns: &Dns, record: Record, reach: Reach) -> Result<Vec<String>, Fault> {
    let name = match dns.host.parse::<IpAddr>() {
        Ok(address) => message::reverse(address),
        Err(_) => dns.host.clone(),
    };
    let id = uuid::Uuid::new_v4().as_fields().1;
    let question = message::question(id, &name, record).ok_or(Failure::Request)?;
    let mut last = Fault::from(Failure::Dns);
    for server in servers(dns, reach).await? {
        match ask_server(server, &question, record).await {
            Ok(records) => return Ok(records),
            Err(fault) => last = fault,
        }
    }
    Err(last)
}

async fn servers(dns: &Dns, reach: Reach) -> Result<Vec<SocketAddr>, Fault> {
    if let Some(server) = dns.server {
        if !reach.admits(server) {
            return Err(Failure::Private.into());
        }
        let server = SocketAddr::new(server, dns.port);
        // A datagram may be lost.
        return Ok(vec![server, server]);
    }
    let text = tokio::fs::read_to_string(RESOLVERS).await;
    let found = resolvers(&text.unwrap_or_default());
    if found.is_empty() {
        return Err(Fault::with("dns", format!("{RESOLVERS} names no server")));
    }
    Ok(found.repeat(2))
}

/// The servers that such a file names.
fn resolvers(text: &str) -> Vec<SocketAddr> {
    text.lines()
        .filter_map(|line| line.strip_prefix("nameserver"))
        .filter_map(|rest| rest.trim().parse().ok())
        .map(|address: IpAddr| SocketAddr::new(address, 53))
        .collect()
}

async fn ask_server(
    server: SocketAddr,
    question: &[u8],
    record: Record,
) -> Result<Vec<String>, Fault> {
    let asked = timeout(PATIENCE, by_udp(server, question, record)).await;
    let answer = match asked.unwrap_or(Err(Failure::Timeout))? {
        Answer::Truncated => timeout(PATIENCE, by_tcp(server, question, record))
            .await
            .unwrap_or(Err(Failure::Timeout))?,
        answer => answer,
    };
    match answer {
        Answer::Records(records) => Ok(records),
        Answer::Refused(code) => Err(Fault::with("dns", code)),
        Answer::Truncated => Err(Failure::TooLarge.into()),
    }
}

async fn by_udp(server: SocketAddr, question: &[u8], record: Record) -> Result<Answer, Failure> {
    let here: SocketAddr = if server.is_ipv4() {
        ([0, 0, 0, 0], 0).into()
    } else {
        ([0; 16], 0).into()
    };
    let socket = UdpSocket::bind(here).await.map_err(|_| Failure::Connect)?;
    // From now on nobody else is heard.
    let connected = socket.connect(server).await;
    connected.map_err(|_| Failure::Connect)?;
    let sent = socket.send(question).await;
    sent.map_err(|_| Failure::Connect)?;
    let mut buffer = vec![0; message::UDP_SIZE.into()];
    loop {
        let length = socket.recv(&mut buffer).await;
        let length = length.map_err(|_| Failure::Connect)?;
        // What is no answer to this question is not waited for less.
        if let Ok(answer) = message::answer(&buffer[..length], question, record) {
            return Ok(answer);
        }
    }
}

async fn by_tcp(server: SocketAddr, question: &[u8], record: Record) -> Result<Answer, Failure> {
    let stream = TcpStream::connect(server).await;
    let mut stream = stream.map_err(|_| Failure::Connect)?;
    let length = u16::try_from(question.len()).map_err(|_| Failure::Request)?;
    let framed = [&length.to_be_bytes(), question].concat();
    let sent = stream.write_all(&framed).await;
    sent.map_err(|_| Failure::Reset)?;
    let length = stream.read_u16().await.map_err(|_| Failure::Reset)?;
    let mut answer = vec![0; length.into()];
    let read = stream.read_exact(&mut answer).await;
    read.map_err(|_| Failure::Reset)?;
    message::answer(&answer, question, record).map_err(|_| Failure::Reset)
}

#[cfg(test)]
mod tests;
