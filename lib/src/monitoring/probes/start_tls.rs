//! What is said before TLS, in protocols that begin without it.

use outside::failure::Failure;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::{Fault, excerpt};
use crate::monitoring::probe_targets::StartTls;

/// How long a line may be, in bytes, and of how many lines an answer.
const LINE: usize = 1000;
const LINES: usize = 100;

/// The request for TLS in PostgreSQL's protocol: its length, and a number that is no
/// version.
const POSTGRES: [u8; 8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];

/// Asks for TLS. After that nothing has been read that belongs to it.
pub(super) async fn ask(stream: &mut TcpStream, protocol: StartTls) -> Result<(), Fault> {
    match protocol {
        StartTls::Smtp => {
            answer(stream, smtp, "220").await?;
            say(stream, b"EHLO localhost\r\n").await?;
            answer(stream, smtp, "250").await?;
            say(stream, b"STARTTLS\r\n").await?;
            answer(stream, smtp, "220").await
        }
        StartTls::Imap => {
            answer(stream, any, "* OK").await?;
            say(stream, b"1 STARTTLS\r\n").await?;
            answer(stream, imap, "1 OK").await
        }
        StartTls::Pop3 => {
            answer(stream, any, "+OK").await?;
            say(stream, b"STLS\r\n").await?;
            answer(stream, any, "+OK").await
        }
        StartTls::Postgres => {
            say(stream, &POSTGRES).await?;
            match stream.read_u8().await.map_err(|_| Failure::Reset)? {
                b'S' => Ok(()),
                other => Err(refused(&char::from(other).to_string())),
            }
        }
    }
}

/// Which line of an answer is its last.
type IsLast = fn(&str) -> bool;

fn any(_: &str) -> bool {
    true
}

fn smtp(line: &str) -> bool {
    line.as_bytes().get(3) != Some(&b'-')
}

fn imap(line: &str) -> bool {
    line.starts_with("1 ")
}

async fn answer(stream: &mut TcpStream, is_last: IsLast, expected: &str) -> Result<(), Fault> {
    for _ in 0..LINES {
        let line = line(stream).await?;
        if is_last(&line) {
            let met = line
                .get(..expected.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(expected));
            return if met { Ok(()) } else { Err(refused(&line)) };
        }
    }
    Err(Failure::TooLarge.into())
}

/// One line, and not a byte more: what follows may be TLS.
async fn line(stream: &mut TcpStream) -> Result<String, Failure> {
    let mut line = Vec::new();
    while line.len() < LINE {
        match stream.read_u8().await.map_err(|_| Failure::Reset)? {
            b'\n' => return Ok(String::from_utf8_lossy(&line).into_owned()),
            byte => line.push(byte),
        }
    }
    Err(Failure::TooLarge)
}

async fn say(stream: &mut TcpStream, text: &[u8]) -> Result<(), Failure> {
    let said = stream.write_all(text).await;
    said.map_err(|_| Failure::Reset)
}

fn refused(line: &str) -> Fault {
    Fault::with("starttls", excerpt(line))
}
