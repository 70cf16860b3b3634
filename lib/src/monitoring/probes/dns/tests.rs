//! Questions to a name server of this machine.

use serde_json::{Value, json};
use tokio::net::{TcpListener, UdpSocket};

use super::*;

/// A server that has one MX record, by UDP or by TCP only; its port.
async fn server(by_udp: bool) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let here = listener.local_addr().unwrap();
    let socket = UdpSocket::bind(here).await.unwrap();
    tokio::spawn(async move {
        let mut question = [0; 512];
        while let Ok((length, from)) = socket.recv_from(&mut question).await {
            // Somebody else's answer comes first.
            let mut foreign = answer(&question[..length], true);
            foreign[0] ^= 0xff;
            let _sent = socket.send_to(&foreign, from).await;
            let _sent = socket
                .send_to(&answer(&question[..length], by_udp), from)
                .await;
        }
    });
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let length = stream.read_u16().await.unwrap();
            let mut question = vec![0; length.into()];
            stream.read_exact(&mut question).await.unwrap();
            let answer = answer(&question, true);
            let length = u16::try_from(answer.len()).unwrap();
            stream.write_u16(length).await.unwrap();
            stream.write_all(&answer).await.unwrap();
        }
    });
    here.port()
}

/// An MX record for `wine.example`, nothing for any other name.
fn answer(question: &[u8], whole: bool) -> Vec<u8> {
    let known = question[12..].starts_with(b"\x04wine\x07example\x00\0\x0f");
    let flags = match (whole, known) {
        (false, _) => [0x83, 0x80],
        (true, true) => [0x81, 0x80],
        (true, false) => [0x81, 0x83],
    };
    // The question ends where its own record of eleven bytes begins.
    let asked = &question[12..question.len() - 11];
    let counts = [0, 1, 0, u8::from(known && whole), 0, 0, 0, 0];
    let mut answer = [&question[..2], &flags, &counts, asked].concat();
    if known && whole {
        answer.extend(b"\xc0\x0c\0\x0f\0\x01\0\0\0\x3c\0\x09\0\x0a\x04mail\xc0\x0c");
    }
    answer
}

async fn look(spec: Value, reach: Reach) -> (Option<&'static str>, Option<String>) {
    let mut spec = spec;
    let missing = json!({"host": "wine.example", "record": "MX", "server": "127.0.0.1"});
    for (field, value) in missing.as_object().unwrap() {
        spec.as_object_mut()
            .unwrap()
            .entry(field)
            .or_insert(value.clone());
    }
    let dns: Dns = serde_json::from_value(spec).unwrap();
    let deadline = Deadline::after(Duration::from_secs(10));
    let finding = probe(&dns, dns.record.unwrap(), reach, deadline).await;
    match finding.result {
        Ok(()) => (None, None),
        Err(fault) => (Some(fault.reason), fault.found),
    }
}

#[tokio::test]
async fn records_are_there_and_what_is_expected_of_them() {
    let found = Some("10 mail.wine.example".to_owned());
    for by_udp in [true, false] {
        let port = server(by_udp).await;
        for (spec, expected) in [
            (json!({}), (None, None)),
            (json!({"values": ["10 Mail.wine.example."]}), (None, None)),
            (
                json!({"values": ["10 mail.wine.example", "20 mail.wine.example"]}),
                (Some("record"), found.clone()),
            ),
            (json!({"absent": true}), (Some("unwanted"), found.clone())),
            (
                json!({"host": "beer.example", "absent": true}),
                (None, None),
            ),
            (
                json!({"host": "beer.example"}),
                (Some("record"), Some("none".into())),
            ),
        ] {
            let mut spec = spec;
            spec["port"] = json!(port);
            assert_eq!(
                look(spec.clone(), Reach::Loopback).await,
                expected,
                "{spec} {by_udp}"
            );
        }
    }
}

#[tokio::test]
async fn a_server_is_asked_within_reach_alone() {
    let port = server(true).await;
    let asked = look(json!({"port": port}), Reach::Public).await;
    assert_eq!(asked, (Some("private_address"), None));
}

#[test]
fn a_part_of_a_long_text_is_enough_and_addresses_are_one_however_written() {
    for (kind, record, value, met) in [
        (Record::Txt, "v=spf1 -all", "v=spf1", true),
        (Record::Txt, "v=spf1 -all", "v=spf2", false),
        (Record::Aaaa, "2001:db8::1", "2001:0DB8:0::1", true),
        (Record::A, "127.0.0.1", "127.0.0.2", false),
        (Record::A, "127.0.0.1", "somewhere", false),
        (
            Record::Caa,
            "0 issue ca.example",
            "0 issue \"ca.example\"",
            true,
        ),
        (Record::Ns, "ns.wine.example", "ns.wine", false),
    ] {
        assert_eq!(is(kind, record, value), met, "{record} {value}");
    }
}

#[test]
fn the_systems_servers_are_read_from_its_file() {
    let text = "# nameserver 192.0.2.1\nsearch example\nnameserver 192.0.2.2\nnameserver\t::1\nnameserver x\n";
    let found: Vec<_> = resolvers(text).iter().map(ToString::to_string).collect();
    assert_eq!(found, ["192.0.2.2:53", "[::1]:53"]);
}
