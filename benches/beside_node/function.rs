//! A function's process, started as the platform starts it.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpStream},
    os::unix::net::{UnixListener, UnixStream},
    path::{Path, PathBuf},
    process::{Child, ChildStderr, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use local_supabase::port;
use outside::clock;

use crate::dependencies::Dependencies;

/// What is started, and with which variables.
pub(crate) struct Binary {
    pub(crate) name: &'static str,
    command: Vec<String>,
    variables: Vec<(&'static str, String)>,
}

impl Binary {
    /// A function whose every dependency answers at once.
    pub(crate) fn new(
        name: &'static str,
        program: &str,
        arguments: &[&str],
        dependencies: &Dependencies,
    ) -> Self {
        let prompt = dependencies.prompt;
        Self {
            name,
            command: [&[program], arguments]
                .concat()
                .into_iter()
                .map(str::to_owned)
                .collect(),
            variables: vec![
                ("SUPABASE_URL", format!("http://{prompt}")),
                ("SUPABASE_SECRET_KEY", "sb_secret_benchmark".to_owned()),
                ("SENTRY_DSN", format!("http://public@{prompt}/1")),
                ("VERCEL", "1".to_owned()),
                ("VERCEL_ENV", "production".to_owned()),
            ],
        }
    }

    /// A function one of whose services never answers.
    pub(crate) fn hanging(program: &str, dependencies: &Dependencies) -> Self {
        let mut binary = Self::new("Rust", program, &[], dependencies);
        binary.variables.extend([
            ("OPENAI_API_KEY", "benchmark".to_owned()),
            ("OPENAI_BASE_URL", format!("http://{}", dependencies.silent)),
        ]);
        binary
    }
}

/// A running function, killed when it is dropped.
pub(crate) struct Function {
    child: Child,
    port: u16,
    began: Instant,
    socket: PathBuf,
}

impl Function {
    /// Starts a function, on a core of its own if one is named, and waits until
    /// it says that it has started.
    pub(crate) fn start(binary: &Binary, core: Option<u8>) -> Self {
        let socket = std::env::temp_dir().join(format!("{}.sock", uuid::Uuid::new_v4().simple()));
        let listener = UnixListener::bind(&socket).unwrap();
        let port = port::free();
        let pinned: Vec<String> = match core {
            Some(core) if Path::new("/usr/bin/taskset").exists() => {
                ["/usr/bin/taskset", "-c", &core.to_string()]
                    .map(str::to_owned)
                    .into()
            }
            _ => Vec::new(),
        };
        let words = [&pinned[..], &binary.command[..]].concat();
        let began = clock::instant();
        let mut child = Command::new(&words[0])
            .args(&words[1..])
            .envs(binary.variables.iter().map(|(name, value)| (name, value)))
            .env("VERCEL_IPC_PATH", &socket)
            .env("VERCEL_DEV_PORT", port.to_string())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        end_waiting(child.stderr.take(), socket.clone());
        let (stream, _) = listener.accept().unwrap();
        started(stream);
        Self {
            child,
            port,
            began,
            socket,
        }
    }

    /// The port on which it answers.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// How long ago it was started.
    pub(crate) fn age(&self) -> Duration {
        clock::instant().duration_since(self.began)
    }

    /// The status of one HEAD.
    pub(crate) fn head(&self) -> u16 {
        self.ask("HEAD")
    }

    /// The status of one GET.
    pub(crate) fn get(&self) -> u16 {
        self.ask("GET")
    }

    fn ask(&self, method: &str) -> u16 {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, self.port));
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.write_all(request(method).as_bytes()).unwrap();
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line).unwrap();
        line.split(' ')
            .nth(1)
            .and_then(|status| status.parse().ok())
            .unwrap()
    }

    /// Memory in use, as the system counts it.
    pub(crate) fn rss_kilobytes(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))
            .unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        line.and_then(|line| line.split_whitespace().next()?.parse().ok())
            .unwrap_or(0)
    }
}

impl Drop for Function {
    fn drop(&mut self) {
        // It may have ended already, and a socket's file may stay behind.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_file(&self.socket);
    }
}

/// A request as the platform sends it.
pub(crate) fn request(method: &str) -> String {
    format!(
        "{method} /api/health HTTP/1.1\r\nhost: ops.example\r\nx-vercel-id: fra1::benchmark\r\n\
         x-vercel-internal-invocation-id: benchmark\r\nx-vercel-internal-request-id: 1\r\n\r\n"
    )
}

/// Waits for the first message; the others, one at each request's end, are read
/// and dropped.
fn started(stream: UnixStream) {
    let mut messages = BufReader::new(stream);
    let mut first = Vec::new();
    messages.read_until(0, &mut first).unwrap();
    assert!(String::from_utf8_lossy(&first).contains("server-started"));
    thread::spawn(move || {
        let mut buffer = vec![0; 64 * 1024];
        while messages.read(&mut buffer).is_ok_and(|read| read > 0) {}
    });
}

/// Shows what the function complains of. When it has died, knocks at the socket
/// in its place, lest its start be awaited for ever.
fn end_waiting(complaints: Option<ChildStderr>, socket: PathBuf) {
    thread::spawn(move || {
        if let Some(mut complaints) = complaints {
            // What cannot be shown is only a complaint.
            let _ = std::io::copy(&mut complaints, &mut std::io::stderr());
        }
        let _ = UnixStream::connect(socket);
    });
}
