//! As many requests as a function takes, over a number of connections.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use outside::clock;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
};

use crate::function::request;

/// What came back.
pub(crate) struct Load {
    /// How long each answer took, sorted.
    answers: Vec<Duration>,
    took: Duration,
}

impl Load {
    /// Asks for that long.
    pub(crate) fn run(port: u16, method: &str, connections: usize, long: Duration) -> Self {
        let until = clock::Deadline::after(long);
        Self::measure(port, method, connections, move || !until.has_passed())
    }

    /// Asks that many times.
    pub(crate) fn count_to(port: u16, method: &str, connections: usize, count: u64) -> Self {
        let asked = Arc::new(AtomicU64::new(0));
        Self::measure(port, method, connections, move || {
            asked.fetch_add(1, Ordering::Relaxed) < count
        })
    }

    fn measure(
        port: u16,
        method: &str,
        connections: usize,
        more: impl Fn() -> bool + Clone + Send + 'static,
    ) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let began = clock::instant();
        let mut answers = runtime.block_on(async {
            let mut tasks = JoinSet::new();
            for _ in 0..connections {
                tasks.spawn(connection(port, request(method), more.clone()));
            }
            tasks.join_all().await.concat()
        });
        let took = clock::instant().duration_since(began);
        answers.sort_unstable();
        Self { answers, took }
    }

    /// Requests that were answered.
    pub(crate) fn count(&self) -> u64 {
        self.answers.len() as u64
    }

    /// Requests a second.
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    pub(crate) fn rate(&self) -> f64 {
        self.answers.len() as f64 / self.took.as_secs_f64()
    }

    /// The time within which that share of answers came.
    pub(crate) fn percentile(&self, percent: usize) -> Duration {
        self.answers[(self.answers.len() * percent / 100).min(self.answers.len() - 1)]
    }
}

/// One request after the other, each answered with 200.
async fn connection(port: u16, request: String, more: impl Fn() -> bool) -> Vec<Duration> {
    let mut stream = TcpStream::connect(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))
        .await
        .unwrap();
    stream.set_nodelay(true).unwrap();
    let head = request.starts_with("HEAD");
    let mut buffer = vec![0; 16 * 1024];
    let mut answers = Vec::new();
    while more() {
        let asked = clock::instant();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut read = 0;
        while !is_whole(&buffer[..read], head) {
            let more = stream.read(&mut buffer[read..]).await.unwrap();
            assert!(more > 0, "the function closed a connection");
            read += more;
        }
        assert!(
            buffer.starts_with(b"HTTP/1.1 200"),
            "{}",
            String::from_utf8_lossy(&buffer[..read])
        );
        answers.push(clock::instant().duration_since(asked));
    }
    answers
}

/// Whether an answer is there to its end. Ours have a length; Node's of an
/// unknown one end in an empty chunk.
fn is_whole(answer: &[u8], head: bool) -> bool {
    let Some(end) = answer.windows(4).position(|window| window == b"\r\n\r\n") else {
        return false;
    };
    if head {
        return true;
    }
    let text = String::from_utf8_lossy(&answer[..end]).to_ascii_lowercase();
    let length: Option<usize> = text
        .lines()
        .find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
    match length {
        Some(length) => answer.len() >= end + 4 + length,
        None => answer.ends_with(b"0\r\n\r\n"),
    }
}
