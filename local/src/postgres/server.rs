//! One running server process and its supervisor.

use std::{
    fs::{self, File},
    io::Write,
    os::{fd::OwnedFd, unix::process::CommandExt},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    time::Duration,
};

use anyhow::{Context, bail};
use tokio::net::unix::pipe;

use super::account::{self, Account};

/// How long a server may take until it accepts connections; crash recovery of
/// a large data folder is part of that.
const START_LIMIT: Duration = Duration::from_secs(120);
/// How long an orphan may take to stop.
const ORPHAN_LIMIT: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(10);

const SUPERVISOR: &str = include_str!("supervise.sh");
const SUPERVISOR_OF_SHARED: &str = include_str!("supervise_shared.sh");

/// What a server is started with.
pub(super) struct Launch<'a> {
    pub(super) account: Option<Account>,
    pub(super) program: PathBuf,
    /// The server's data directory (PGDATA).
    pub(super) data: PathBuf,
    /// Where its messages go.
    pub(super) log: PathBuf,
    /// Settings given on the command line.
    pub(super) settings: Vec<(&'static str, String)>,
    pub(super) life: Life<'a>,
}

/// When a server stops, and what becomes of its data.
#[derive(Clone, Copy, Debug)]
pub(super) enum Life<'a> {
    /// It stops with this process; the data stays.
    Kept,
    /// It stops with this process, and this folder is removed.
    OfProcess(&'a Path),
    /// It stops once nobody has used it for that long, and this folder is
    /// removed.
    OfUsers(&'a Path, Duration),
}

/// A server that accepts connections. Its supervisor, a shell, stops it when
/// our end of a pipe closes, which even a kill of our process does; that of a
/// shared server does so when all of its users have closed theirs.
#[derive(Debug)]
pub(super) struct Server {
    /// `None` for a shared server that runs: it ends when others say so.
    supervisor: Option<Child>,
    pipe: Option<File>,
}

/// How a server stops.
#[derive(Clone, Copy, Debug)]
pub(super) enum Stop {
    /// To be started again: sessions are cut with 57P01, the data stays.
    ForNow,
    /// For good; data that ends with this process is thrown away.
    ForGood,
}

impl Server {
    /// Starts the server and waits until it accepts connections.
    pub(super) async fn start(launch: &Launch<'_>) -> anyhow::Result<Self> {
        end_orphan(&launch.data).await?;
        let mut server = match launch.life {
            Life::Kept => Self::supervise(launch, Path::new(""), "INT"),
            Life::OfProcess(folder) => Self::supervise(launch, folder, "QUIT"),
            Life::OfUsers(folder, patience) => Self::share(launch, folder, patience).await,
        }?;
        let started = tokio::time::timeout(START_LIMIT, server.ready(launch)).await;
        match started {
            Ok(Ok(())) => {
                if matches!(launch.life, Life::OfUsers(..)) {
                    server.supervisor = None;
                }
                Ok(server)
            }
            Ok(Err(error)) => Err(error),
            Err(_) => {
                server.stop(Stop::ForGood)?;
                bail!(
                    "the server accepts no connections after {} s: {}",
                    START_LIMIT.as_secs(),
                    last_lines(&launch.log)
                )
            }
        }
    }

    /// Becomes a user of the shared server on this data directory; `None` if it
    /// has stopped or is about to.
    pub(super) fn join(data: &Path) -> Option<Self> {
        // Unlike a plain file's, this way of opening waits for no reader.
        let sender = pipe::OpenOptions::new().open_sender(users(data)).ok()?;
        let mut pipe = File::from(sender.into_blocking_fd().ok()?);
        writeln!(pipe, "here").ok()?;
        Some(Self {
            supervisor: None,
            pipe: Some(pipe),
        })
    }

    /// Stops the server and waits for its end, or leaves a shared one to its
    /// other users. Blocks.
    pub(super) fn stop(&mut self, how: Stop) -> anyhow::Result<()> {
        let Some(mut pipe) = self.pipe.take() else {
            return Ok(());
        };
        if matches!(how, Stop::ForNow) {
            // A supervisor that has already gone has nothing left to stop.
            let _gone = writeln!(pipe, "again");
        }
        drop(pipe);
        if let Some(supervisor) = &mut self.supervisor {
            supervisor
                .wait()
                .context("cannot wait for the server's end")?;
        }
        Ok(())
    }

    /// A server that ends with this process. The folder, unless it is empty,
    /// is removed afterwards.
    fn supervise(launch: &Launch<'_>, remove: &Path, signal: &str) -> anyhow::Result<Self> {
        let mut command = account::command(launch.account, "/bin/sh");
        command
            .args(["-c", SUPERVISOR, "supervise"])
            .arg(remove)
            .arg(signal)
            .stdin(Stdio::piped());
        let mut supervisor = spawn(command, launch)?;
        let pipe = supervisor.stdin.take().map(OwnedFd::from).map(File::from);
        Ok(Self {
            supervisor: Some(supervisor),
            pipe,
        })
    }

    /// A server that ends with the last of its users, of whom we are the first.
    async fn share(launch: &Launch<'_>, folder: &Path, patience: Duration) -> anyhow::Result<Self> {
        let mut command = account::command(launch.account, "/bin/sh");
        command
            .args(["-c", SUPERVISOR_OF_SHARED, "supervise"])
            .arg(folder)
            .arg(users(&launch.data))
            .arg(patience.as_secs().to_string());
        let mut supervisor = spawn(command, launch)?;
        let mut ticks = tokio::time::interval(POLL);
        loop {
            ticks.tick().await;
            if let Some(mut server) = Self::join(&launch.data) {
                server.supervisor = Some(supervisor);
                return Ok(server);
            }
            if let Some(status) = supervisor.try_wait()? {
                bail!("{}", stopped(status, launch));
            }
        }
    }

    /// Waits for the word `ready` in the server's lock file, as `pg_ctl` does.
    async fn ready(&mut self, launch: &Launch<'_>) -> anyhow::Result<()> {
        let mut ticks = tokio::time::interval(POLL);
        loop {
            ticks.tick().await;
            if let Some(supervisor) = &mut self.supervisor
                && let Some(status) = supervisor.try_wait()?
            {
                bail!("{}", stopped(status, launch));
            }
            let lock = fs::read_to_string(launch.data.join("postmaster.pid")).unwrap_or_default();
            if lock
                .lines()
                .nth(7)
                .is_some_and(|state| state.trim() == "ready")
            {
                return Ok(());
            }
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Nothing is left to tell of a failure; the supervisor stops the
        // server in any case.
        let _stopped = self.stop(Stop::ForGood);
    }
}

/// The named pipe that users of a shared server keep open.
fn users(data: &Path) -> PathBuf {
    data.with_file_name("users")
}

fn spawn(mut supervisor: Command, launch: &Launch<'_>) -> anyhow::Result<Child> {
    let log = File::create(&launch.log)
        .with_context(|| format!("cannot write {}", launch.log.display()))?;
    supervisor.arg(&launch.program).arg("-D").arg(&launch.data);
    for (name, value) in &launch.settings {
        supervisor.arg("-c").arg(format!("{name}={value}"));
    }
    // Its own process group: a Ctrl-C in the terminal is ours to handle.
    supervisor
        .process_group(0)
        .stdout(log.try_clone()?)
        .stderr(log)
        .spawn()
        .context("cannot start the server's supervisor")
}

/// Ends what a stack that was killed hard left on this data directory: a
/// server that is still running or stopping, or the lock file of one that has
/// gone, whose process number may by now be someone else's.
async fn end_orphan(data: &Path) -> anyhow::Result<()> {
    let lock = data.join("postmaster.pid");
    let Some(process) = fs::read_to_string(&lock)
        .ok()
        .and_then(|text| text.lines().next()?.trim().parse::<u32>().ok())
    else {
        return Ok(());
    };
    if serves(process, data) {
        // The shell's own kill: a small machine has no program of that name.
        let _stopping = Command::new("/bin/sh")
            .args(["-c", "kill -s INT \"$0\"", &process.to_string()])
            .stderr(Stdio::null())
            .status();
        let gone = async {
            let mut ticks = tokio::time::interval(POLL);
            while serves(process, data) {
                ticks.tick().await;
            }
        };
        if tokio::time::timeout(ORPHAN_LIMIT, gone).await.is_err() {
            bail!("an old server, process {process}, does not stop");
        }
    }
    match fs::remove_file(&lock) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", lock.display()))
        }
        _ => Ok(()),
    }
}

/// Whether the process is a server on this data directory.
fn serves(process: u32, data: &Path) -> bool {
    let line = fs::read(format!("/proc/{process}/cmdline")).or_else(|_| {
        Command::new("ps")
            .args(["-o", "command=", "-p", &process.to_string()])
            .output()
            .map(|output| output.stdout)
    });
    line.is_ok_and(|line| String::from_utf8_lossy(&line).contains(&*data.to_string_lossy()))
}

fn stopped(status: ExitStatus, launch: &Launch<'_>) -> String {
    let last = last_lines(&launch.log);
    format!("the server stopped at once ({status}): {last}")
}

fn last_lines(log: &Path) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(5)..].join("; ")
}
