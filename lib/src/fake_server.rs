//! A server on a real socket that answers as a test wants, for tests of what is sent.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

use crate::{app::App, config::Config, variables::Reader};

/// An app with these variables and no others.
pub(crate) fn app(variables: &[(&str, &str)]) -> App {
    let config = Config::from_lookup(&|name| {
        let found = variables.iter().find(|(variable, _)| *variable == name);
        found.map(|(_, value)| (*value).to_owned())
    });
    App::new(config)
}

/// What those variables and no others open.
pub(crate) fn opened<T>(
    variables: &[(&str, &str)],
    read: impl FnOnce(&mut Reader) -> Option<T>,
) -> T {
    let lookup = |name: &str| {
        let found = variables.iter().find(|(variable, _)| *variable == name);
        found.map(|(_, value)| (*value).to_owned())
    };
    read(&mut Reader::new(&lookup)).expect("variables that open it")
}

/// What a request is answered with.
#[derive(Debug, Clone)]
pub(crate) enum Reply {
    /// A whole answer.
    Answer {
        status: u16,
        headers: String,
        body: String,
    },
    /// Nothing, ever.
    Hang,
    /// The end of the connection.
    Reset,
}

impl Reply {
    pub(crate) fn new(status: u16, body: &str) -> Self {
        Self::Answer {
            status,
            headers: String::new(),
            body: body.to_owned(),
        }
    }

    /// How long to wait for it: one that never comes is waited for in vain.
    pub(crate) fn patience(&self) -> Duration {
        match self {
            Self::Hang => Duration::from_millis(500),
            Self::Answer { .. } | Self::Reset => Duration::from_secs(10),
        }
    }

    pub(crate) fn header(mut self, header: &str) -> Self {
        if let Self::Answer { headers, .. } = &mut self {
            headers.push_str(header);
            headers.push_str("\r\n");
        }
        self
    }
}

/// A request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Received {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("a JSON body")
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (header, value) = line.split_once(": ")?;
            header.eq_ignore_ascii_case(name).then_some(value)
        })
    }
}

/// A server that gives each request the next reply, and hangs without one.
pub(crate) struct Server {
    port: u16,
    received: Arc<Mutex<Vec<Received>>>,
    accepting: JoinHandle<()>,
}

impl Server {
    pub(crate) async fn start(replies: impl IntoIterator<Item = Reply>) -> Self {
        let mut replies: VecDeque<Reply> = replies.into_iter().collect();
        Self::answering(move |_| replies.pop_front().unwrap_or(Reply::Hang)).await
    }

    /// A server whose replies depend on the requests.
    pub(crate) async fn answering(reply: impl FnMut(&Received) -> Reply + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let received = Arc::default();
        let desk = Desk {
            received: Arc::clone(&received),
            reply: Arc::new(Mutex::new(reply)),
        };
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let desk = desk.clone();
                tokio::spawn(async move { desk.serve(stream).await });
            }
        });
        Self {
            port,
            received,
            accepting,
        }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    pub(crate) fn requests(&self) -> Vec<Received> {
        self.received.lock().expect("the log").clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

struct Desk<F> {
    received: Arc<Mutex<Vec<Received>>>,
    reply: Arc<Mutex<F>>,
}

impl<F> Clone for Desk<F> {
    fn clone(&self) -> Self {
        Self {
            received: Arc::clone(&self.received),
            reply: Arc::clone(&self.reply),
        }
    }
}

impl<F: FnMut(&Received) -> Reply> Desk<F> {
    /// One request per connection; the client opens another for the next.
    async fn serve(&self, mut stream: TcpStream) {
        let Some(request) = read(&mut stream).await else {
            return;
        };
        let reply = (self.reply.lock().expect("the replies"))(&request);
        self.received.lock().expect("the log").push(request);
        match reply {
            Reply::Reset => {}
            Reply::Hang => std::future::pending().await,
            Reply::Answer {
                status,
                headers,
                body,
            } => {
                let length = body.len();
                let answer = format!(
                    "HTTP/1.1 {status} X\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n{body}"
                );
                // A client that is gone is the test's own business.
                let _written = stream.write_all(answer.as_bytes()).await;
            }
        }
    }
}

async fn read(stream: &mut TcpStream) -> Option<Received> {
    let mut bytes = Vec::new();
    loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
            let mut request = Received {
                head,
                body: bytes.split_off(end + 4),
            };
            // A request without a body names no length.
            let length = request.header("content-length").unwrap_or("0");
            let length: usize = length.parse().ok()?;
            while request.body.len() < length {
                if stream.read_buf(&mut request.body).await.ok()? == 0 {
                    return None;
                }
            }
            return Some(request);
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
}
