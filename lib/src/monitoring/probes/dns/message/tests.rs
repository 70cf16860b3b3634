//! Answers as servers write them.

use super::*;

const ID: u16 = 0x1234;

fn asked(record: Record) -> Vec<u8> {
    question(ID, "Wine.example.", record).unwrap()
}

/// An answer of these records to a question about `wine.example`, whose name the
/// records point back to.
fn answered(record: Record, flags: u16, records: &[&[u8]]) -> Vec<u8> {
    let count = u16::try_from(records.len()).unwrap();
    let mut message = Vec::new();
    for word in [ID, 0x8180 | flags, 1, count, 0, 0] {
        message.extend(word.to_be_bytes());
    }
    message.extend(b"\x04wine\x07example\x00");
    for word in [code(record), INTERNET] {
        message.extend(word.to_be_bytes());
    }
    for data in records {
        message.extend([0xc0, 12]);
        for word in [
            code(record),
            INTERNET,
            0,
            60,
            u16::try_from(data.len()).unwrap(),
        ] {
            message.extend(word.to_be_bytes());
        }
        message.extend(*data);
    }
    message
}

fn read(record: Record, data: &[u8]) -> Result<Answer, NoAnswer> {
    answer(&answered(record, 0, &[data]), &asked(record), record)
}

#[test]
fn a_question_is_one_name_and_one_kind() {
    let message = asked(Record::Mx);
    assert_eq!(message[..12], [0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 1]);
    assert_eq!(message[12..26], *b"\x04Wine\x07example\x00");
    assert_eq!(message[26..30], [0, 15, 0, 1]);
    for name in ["", "a..b", &"x".repeat(64)] {
        assert_eq!(question(ID, name, Record::A), None, "{name}");
    }
}

#[test]
fn every_kind_of_record_is_read_as_a_zone_file_writes_it() {
    for (record, data, text) in [
        (Record::A, b"\x7f\0\0\x01".as_slice(), "127.0.0.1"),
        (Record::Aaaa, b"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01", "::1"),
        (Record::Ns, b"\x02NS\xc0\x0c", "ns.wine.example"),
        (Record::Cname, b"\x01a\x00", "a"),
        (Record::Ptr, b"\xc0\x0c", "wine.example"),
        (
            Record::Mx,
            b"\0\x0a\x04mail\xc0\x0c",
            "10 mail.wine.example",
        ),
        (Record::Txt, b"\x04v=sp\x02f1", "v=spf1"),
        (
            Record::Srv,
            b"\0\x01\0\x02\x14\x66\x01s\xc0\x0c",
            "1 2 5222 s.wine.example",
        ),
        (
            Record::Caa,
            b"\x80\x05issueca.example",
            "128 issue ca.example",
        ),
        (
            Record::Soa,
            b"\x02ns\xc0\x0c\x05admin\xc0\x0c\0\0\0\x07\0\0\0\x01\0\0\0\x02\0\0\0\x03\0\0\0\x04",
            "ns.wine.example admin.wine.example 7 1 2 3 4",
        ),
    ] {
        assert_eq!(
            read(record, data),
            Ok(Answer::Records(vec![text.into()])),
            "{record:?}"
        );
    }
}

#[test]
fn records_of_another_kind_on_the_way_are_left_out() {
    let mut message = answered(Record::A, 0, &[b"\x7f\0\0\x02", b"\x7f\0\0\x01"]);
    let cname = [b"\xc0\x0c\0\x05\0\x01\0\0\0\x3c\0\x03\x01x\x00".as_slice()].concat();
    message.splice(30..30, cname);
    message[7] = 3;
    let records = ["127.0.0.1".to_owned(), "127.0.0.2".to_owned()];
    assert_eq!(
        answer(&message, &asked(Record::A), Record::A),
        Ok(Answer::Records(records.into()))
    );
}

#[test]
fn what_a_server_would_not_say_is_told_apart_from_nothing() {
    for (flags, expected) in [
        (0, Answer::Records(Vec::new())),
        (3, Answer::Records(Vec::new())),
        (2, Answer::Refused("SERVFAIL".into())),
        (5, Answer::Refused("REFUSED".into())),
        (9, Answer::Refused("RCODE 9".into())),
        (0x0200, Answer::Truncated),
    ] {
        let message = answered(Record::A, flags, &[]);
        assert_eq!(answer(&message, &asked(Record::A), Record::A), Ok(expected));
    }
}

#[test]
fn what_is_no_answer_is_refused_wherever_it_breaks_off() {
    let whole = answered(Record::Mx, 0, &[b"\0\x0a\x04mail\xc0\x0c"]);
    for length in 0..whole.len() {
        let cut = answer(&whole[..length], &asked(Record::Mx), Record::Mx);
        assert_eq!(cut, Err(NoAnswer), "{length} of {}", whole.len());
    }
    let mut foreign = whole.clone();
    foreign[1] += 1;
    assert_eq!(
        answer(&foreign, &asked(Record::Mx), Record::Mx),
        Err(NoAnswer)
    );
    let mut question = whole;
    question[2] &= 0x7f;
    assert_eq!(
        answer(&question, &asked(Record::Mx), Record::Mx),
        Err(NoAnswer)
    );
    // A name that points to itself.
    assert_eq!(read(Record::Ns, b"\xc0\x2a"), Err(NoAnswer));
    assert_eq!(read(Record::Txt, b"\xffx"), Err(NoAnswer));
    assert_eq!(read(Record::Caa, b"\x00\xffx"), Err(NoAnswer));
}

#[test]
fn an_address_has_a_name_backwards() {
    assert_eq!(
        reverse("192.0.2.7".parse().unwrap()),
        "7.2.0.192.in-addr.arpa"
    );
    assert_eq!(
        reverse("2001:db8::1".parse().unwrap()),
        "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa"
    );
}
