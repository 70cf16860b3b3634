//! One running server process and its supervisor.

use std::{
    fs::{self, File},
    io::Write,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    time::Duration,
};

use anyhow::{Context, bail};

use super::account::{self, Account};

/// How long a server may take until it accepts connections; crash recovery of
/// a large data folder is part of that.
const START_LIMIT: Duration = Duration::from_secs(120);
/// How long an orphan may take to stop.
const ORPHAN_LIMIT: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(10);

const SUPERVISOR: &str = include_str!("supervise.sh");

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
    /// A folder that the supervisor removes once the server has stopped.
    pub(super) remove: Option<&'a Path>,
}

/// A server that accepts connections. Its supervisor, a shell, stops it when
/// our end of a pipe closes, which even a kill of our process does.
#[derive(Debug)]
pub(super) struct Server {
    supervisor: Child,
    pipe: Option<ChildStdin>,
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
        let mut server = Self::spawn(launch)?;
        let started = tokio::time::timeout(START_LIMIT, server.ready(launch)).await;
        match started {
            Ok(Ok(())) => Ok(server),
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

    /// Stops the server and waits for its end. Blocks.
    pub(super) fn stop(&mut self, how: Stop) -> anyhow::Result<()> {
        let Some(mut pipe) = self.pipe.take() else {
            return Ok(());
        };
        if matches!(how, Stop::ForNow) {
            // A supervisor that has already gone has nothing left to stop.
            let _gone = writeln!(pipe, "again");
        }
        drop(pipe);
        self.supervisor
            .wait()
            .context("cannot wait for the server's end")?;
        Ok(())
    }

    fn spawn(launch: &Launch<'_>) -> anyhow::Result<Self> {
        let log = File::create(&launch.log)
            .with_context(|| format!("cannot write {}", launch.log.display()))?;
        let signal = if launch.remove.is_some() {
            "QUIT"
        } else {
            "INT"
        };
        let mut command = account::command(launch.account, "/bin/sh");
        command
            .args(["-c", SUPERVISOR, "supervise"])
            .arg(launch.remove.unwrap_or(Path::new("")))
            .arg(signal)
            .arg(&launch.program)
            .arg("-D")
            .arg(&launch.data);
        for (name, value) in &launch.settings {
            command.arg("-c").arg(format!("{name}={value}"));
        }
        // Its own process group: a Ctrl-C in the terminal is ours to handle.
        let mut supervisor = command
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .context("cannot start the server's supervisor")?;
        let pipe = supervisor.stdin.take();
        Ok(Self { supervisor, pipe })
    }

    /// Waits for the word `ready` in the server's lock file, as `pg_ctl` does.
    async fn ready(&mut self, launch: &Launch<'_>) -> anyhow::Result<()> {
        let mut ticks = tokio::time::interval(POLL);
        loop {
            ticks.tick().await;
            if let Some(status) = self.supervisor.try_wait()? {
                bail!(
                    "the server stopped at once ({status}): {}",
                    last_lines(&launch.log)
                );
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
        let _stopping = Command::new("kill")
            .args(["-s", "INT", &process.to_string()])
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

fn last_lines(log: &Path) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(5)..].join("; ")
}
