//! Vercel's side of its runtime protocol: a Unix socket on which the function
//! tells that it has started and that a request has ended, and HTTP to the port
//! that it was given.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    process::ExitStatus,
    sync::atomic::{AtomicU64, Ordering},
};

use bytes::Bytes;
use http::{HeaderValue, Request};
use local_supabase::port;
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    net::{UnixListener, UnixStream},
    sync::mpsc,
};
use uuid::Uuid;

use super::{
    expect,
    http::{Answer, ask},
    process::Process,
};

/// A function as Vercel runs it.
pub(crate) struct Vercel {
    pub(crate) process: Process,
    pub(crate) address: SocketAddr,
    messages: mpsc::UnboundedReceiver<Value>,
    requests: AtomicU64,
    socket: Socket,
}

/// What was left when a function had ended.
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    pub(crate) lines: Vec<String>,
    /// Messages that nobody had waited for.
    pub(crate) messages: Vec<Value>,
}

impl Vercel {
    /// Starts a binary and waits until it says that it has started.
    pub(crate) async fn start(binary: &str, variables: &[(&str, &str)]) -> Self {
        let socket = Socket::new();
        let listener = UnixListener::bind(&socket.0).unwrap();
        let port = port::free();
        let path = socket.0.to_str().unwrap().to_owned();
        let own = [
            ("VERCEL_IPC_PATH", path.as_str()),
            ("VERCEL_DEV_PORT", &port.to_string()),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
        let own: Vec<_> = own
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let process = Process::start(binary, &[variables, &own].concat());
        let (stream, _) = expect("the function connects", listener.accept())
            .await
            .unwrap();
        let mut function = Self {
            process,
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
            messages: receive(stream),
            requests: AtomicU64::new(0),
            socket,
        };
        let started = function.message().await;
        assert_eq!(started["type"], "server-started", "{started}");
        assert_eq!(started["payload"]["httpPort"], port, "{started}");
        function
    }

    /// Sends a request as the platform does; gives the answer and the id under
    /// which its end will be told.
    pub(crate) async fn send(&self, mut request: Request<Bytes>) -> (Answer, u64) {
        let id = self.requests.fetch_add(1, Ordering::Relaxed);
        let headers = request.headers_mut();
        headers.insert(
            "x-vercel-internal-invocation-id",
            HeaderValue::from_static("invocation"),
        );
        headers.insert("x-vercel-internal-request-id", HeaderValue::from(id));
        (expect("an answer", ask(self.address, request)).await, id)
    }

    /// Sends a request and waits until the function says that it has ended.
    pub(crate) async fn ask(&mut self, request: Request<Bytes>) -> Answer {
        let (answer, id) = self.send(request).await;
        self.end_of(id).await;
        answer
    }

    /// Waits for the end of that request, which must be the next message.
    pub(crate) async fn end_of(&mut self, id: u64) {
        let end = self.message().await;
        assert_eq!(end["type"], "end", "{end}");
        let context = &end["payload"]["context"];
        assert_eq!(
            (&context["invocationId"], &context["requestId"]),
            (&"invocation".into(), &id.into())
        );
        assert!(end["payload"]["error"].is_null(), "{end}");
    }

    /// The message that has come meanwhile, if any.
    pub(crate) fn try_message(&mut self) -> Option<Value> {
        self.messages.try_recv().ok()
    }

    async fn message(&mut self) -> Value {
        expect("a message of the function", self.messages.recv())
            .await
            .expect("the socket is open")
    }

    /// Asks the function to end and waits until it has.
    pub(crate) async fn stop(self) -> Ended {
        self.process.terminate().await;
        let Self {
            process,
            mut messages,
            socket,
            ..
        } = self;
        let (status, lines) = process.ended().await;
        let mut left = Vec::new();
        while let Some(message) = expect("the socket closes", messages.recv()).await {
            left.push(message);
        }
        drop(socket);
        Ended {
            status,
            lines,
            messages: left,
        }
    }
}

/// Messages are JSON, each followed by a zero byte.
fn receive(stream: UnixStream) -> mpsc::UnboundedReceiver<Value> {
    let (sender, receiver) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        let mut messages = BufReader::new(stream).split(0);
        while let Ok(Some(message)) = messages.next_segment().await {
            let message = serde_json::from_slice(&message).unwrap_or(Value::Null);
            if sender.send(message).is_err() {
                break;
            }
        }
    });
    receiver
}

/// A socket's path, short enough for the system's limit; removed with it.
struct Socket(PathBuf);

impl Socket {
    fn new() -> Self {
        Self(std::env::temp_dir().join(format!("{}.sock", Uuid::new_v4().simple())))
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        // What is left behind is an empty file in the temporary folder.
        let _ = std::fs::remove_file(&self.0);
    }
}
