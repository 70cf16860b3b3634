//! Messages of DNS (RFC 1035), as far as a check asks and reads. Pure.

use std::{
    fmt::Write,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use crate::monitoring::probe_targets::Record;

/// The class of the internet.
const INTERNET: u16 = 1;

/// How large an answer may be by UDP, in bytes: what passes every network whole.
pub(super) const UDP_SIZE: u16 = 1232;

/// How often a name may point elsewhere in its message.
const POINTERS: usize = 32;

/// What a server answered.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// The records of the kind that was asked for; none if there is no such name.
    Records(Vec<String>),
    /// The answer was too large for UDP.
    Truncated,
    /// The server could or would not say: the word for its code.
    Refused(String),
}

/// Why a message is no answer to ours.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NoAnswer;

/// The name under which an address is looked up backwards.
pub(super) fn reverse(address: IpAddr) -> String {
    let mut name = String::new();
    match address {
        IpAddr::V4(address) => {
            for octet in address.octets().iter().rev() {
                let _infallible = write!(name, "{octet}.");
            }
            name + "in-addr.arpa"
        }
        IpAddr::V6(address) => {
            for octet in address.octets().iter().rev() {
                let _infallible = write!(name, "{:x}.{:x}.", octet & 0x0f, octet >> 4);
            }
            name + "ip6.arpa"
        }
    }
}

/// A question; none if the name is none.
pub(super) fn question(id: u16, name: &str, record: Record) -> Option<Vec<u8>> {
    let mut message = Vec::new();
    // Recursion is asked for; one question, and one more record that says how much
    // may be answered.
    for word in [id, 0x0100, 1, 0, 0, 1] {
        message.extend(word.to_be_bytes());
    }
    for label in name.trim_end_matches('.').split('.') {
        let length = u8::try_from(label.len()).ok()?;
        if !(1..=63).contains(&length) {
            return None;
        }
        message.push(length);
        message.extend(label.bytes());
    }
    message.push(0);
    for word in [code(record), INTERNET] {
        message.extend(word.to_be_bytes());
    }
    message.push(0);
    for word in [41, UDP_SIZE, 0, 0, 0] {
        message.extend(word.to_be_bytes());
    }
    Some(message)
}

fn code(record: Record) -> u16 {
    match record {
        Record::A => 1,
        Record::Ns => 2,
        Record::Cname => 5,
        Record::Soa => 6,
        Record::Ptr => 12,
        Record::Mx => 15,
        Record::Txt => 16,
        Record::Aaaa => 28,
        Record::Srv => 33,
        Record::Caa => 257,
    }
}

/// Reads the answer to a question.
pub(super) fn answer(message: &[u8], question: &[u8], record: Record) -> Result<Answer, NoAnswer> {
    let mut reader = Reader { message, at: 0 };
    let (id, flags) = (reader.word()?, reader.word()?);
    let (questions, answers) = (reader.word()?, reader.word()?);
    reader.skip(4)?;
    let asked = question.get(..2).ok_or(NoAnswer)?;
    if id.to_be_bytes() != asked || flags & 0x8000 == 0 {
        return Err(NoAnswer);
    }
    match flags & 0x000f {
        0 | 3 => {}
        code => return Ok(Answer::Refused(refusal(code))),
    }
    if flags & 0x0200 != 0 {
        return Ok(Answer::Truncated);
    }
    for _ in 0..questions {
        reader.name()?;
        reader.skip(4)?;
    }
    let mut records = Vec::new();
    for _ in 0..answers {
        reader.name()?;
        let (kind, class) = (reader.word()?, reader.word()?);
        reader.skip(4)?;
        let length = usize::from(reader.word()?);
        let end = reader.at + length;
        if kind == code(record) && class == INTERNET {
            records.push(reader.record(record, end)?);
        }
        reader.at = end;
    }
    records.sort_unstable();
    Ok(Answer::Records(records))
}

fn refusal(code: u16) -> String {
    match code {
        1 => "FORMERR".into(),
        2 => "SERVFAIL".into(),
        4 => "NOTIMP".into(),
        5 => "REFUSED".into(),
        other => format!("RCODE {other}"),
    }
}

/// A place in a message, which never leads past its end.
struct Reader<'a> {
    message: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn bytes(&mut self, length: usize) -> Result<&'a [u8], NoAnswer> {
        let end = self.at.checked_add(length).ok_or(NoAnswer)?;
        let bytes = self.message.get(self.at..end).ok_or(NoAnswer)?;
        self.at = end;
        Ok(bytes)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], NoAnswer> {
        self.bytes(N)?.try_into().map_err(|_| NoAnswer)
    }

    fn skip(&mut self, length: usize) -> Result<(), NoAnswer> {
        self.bytes(length).map(drop)
    }

    fn byte(&mut self) -> Result<u8, NoAnswer> {
        self.array().map(|[byte]: [u8; 1]| byte)
    }

    fn word(&mut self) -> Result<u16, NoAnswer> {
        self.array().map(u16::from_be_bytes)
    }

    fn long(&mut self) -> Result<u32, NoAnswer> {
        self.array().map(u32::from_be_bytes)
    }

    /// A name in lower case, without the dot at its end.
    fn name(&mut self) -> Result<String, NoAnswer> {
        let mut labels: Vec<String> = Vec::new();
        // Where reading goes on once a pointer was followed.
        let mut back = None;
        let mut pointers = 0;
        loop {
            match self.byte()? {
                0 => break,
                length @ 1..=63 => {
                    let label = self.bytes(length.into())?;
                    labels.push(shown(label).to_ascii_lowercase());
                }
                pointer @ 192..=255 => {
                    let to = u16::from_be_bytes([pointer & 0x3f, self.byte()?]);
                    back = back.or(Some(self.at));
                    self.at = to.into();
                    pointers += 1;
                    if pointers > POINTERS {
                        return Err(NoAnswer);
                    }
                }
                64..=191 => return Err(NoAnswer),
            }
        }
        self.at = back.unwrap_or(self.at);
        Ok(labels.join("."))
    }

    /// A record as zone files write it, without quotes around its texts.
    fn record(&mut self, record: Record, end: usize) -> Result<String, NoAnswer> {
        Ok(match record {
            Record::A => Ipv4Addr::from(self.array::<4>()?).to_string(),
            Record::Aaaa => Ipv6Addr::from(self.array::<16>()?).to_string(),
            Record::Ns | Record::Cname | Record::Ptr => self.name()?,
            Record::Mx => format!("{} {}", self.word()?, self.name()?),
            Record::Srv => {
                let (priority, weight, port) = (self.word()?, self.word()?, self.word()?);
                format!("{priority} {weight} {port} {}", self.name()?)
            }
            Record::Soa => {
                let (primary, mailbox) = (self.name()?, self.name()?);
                let mut text = format!("{primary} {mailbox}");
                for _ in 0..5 {
                    let _infallible = write!(text, " {}", self.long()?);
                }
                text
            }
            Record::Txt => {
                let mut text = String::new();
                while self.at < end {
                    let length = self.byte()?.into();
                    text.push_str(&shown(self.bytes(length)?));
                }
                text
            }
            Record::Caa => {
                let (flags, length) = (self.byte()?, self.byte()?.into());
                let tag = shown(self.bytes(length)?).to_ascii_lowercase();
                let rest = end.checked_sub(self.at).ok_or(NoAnswer)?;
                format!("{flags} {tag} {}", shown(self.bytes(rest)?))
            }
        })
    }
}

fn shown(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests;
