//! Everything that a health function asks, answering at once; and one service
//! that never does.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    thread,
};

/// What the database's function answers.
const PONG: &str = r#"{"now":"2026-11-24T03:00:00+00:00","version":"15.18"}"#;

/// Servers on ports of their own until the process ends.
pub(crate) struct Dependencies {
    /// Answers at once.
    pub(crate) prompt: SocketAddr,
    /// Takes connections and questions, and answers nothing.
    pub(crate) silent: SocketAddr,
}

impl Dependencies {
    pub(crate) fn start() -> Self {
        Self {
            prompt: serve(|stream| {
                answer(&stream);
            }),
            silent: serve(|stream| {
                // Reads until the caller gives up.
                let _ = std::io::copy(&mut &stream, &mut std::io::sink());
            }),
        }
    }
}

fn serve(handle: fn(TcpStream)) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(move || handle(stream));
        }
    });
    address
}

/// Answers request after request of a connection; `None` when it has ended.
fn answer(stream: &TcpStream) -> Option<()> {
    stream.set_nodelay(true).ok()?;
    let mut requests = BufReader::new(stream);
    loop {
        let (path, length) = head(&mut requests)?;
        std::io::copy(&mut requests.by_ref().take(length), &mut std::io::sink()).ok()?;
        let body = match path.as_str() {
            "/rest/v1/rpc/ops_ping" => PONG,
            "/storage/v1/bucket" => "[]",
            _ => "{}",
        };
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        let mut answers = stream;
        answers.write_all((head + body).as_bytes()).ok()?;
    }
}

/// The path of the next request, and its body's length.
fn head(requests: &mut impl BufRead) -> Option<(String, u64)> {
    let mut line = String::new();
    requests
        .read_line(&mut line)
        .ok()
        .filter(|read| *read > 0)?;
    let target = line.split(' ').nth(1)?;
    let path = target.split('?').next()?.to_owned();
    let mut length = 0;
    loop {
        line.clear();
        requests
            .read_line(&mut line)
            .ok()
            .filter(|read| *read > 0)?;
        let header = line.trim().to_ascii_lowercase();
        if header.is_empty() {
            return Some((path, length));
        }
        if let Some(value) = header.strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
    }
}
