//! A program that a deployment runs: with an end to its time, its words for people passed
//! on, what it says for programs read.
//!
//! It has a process group of its own, which ends with it: what it has begun itself must not
//! go on, least of all what changes a database.

use std::{io, path::Path, process::Stdio, time::Duration};

use anyhow::{Context, bail};
use rustix::process::{Pid, Signal, kill_process_group};
use secrecy::{ExposeSecret, SecretString};
use terminal::output;
use tokio::{
    process::{Child, Command},
    time,
};

/// How much of what a program that failed has said is shown.
const SHOWN: usize = 30;

/// A program to be run.
#[derive(Debug, Clone)]
pub(super) struct Program {
    name: &'static str,
    arguments: Vec<String>,
    limit: Duration,
    /// Variables beside those of this command: no secret stands among the arguments, which
    /// everybody on the machine can read.
    variables: Vec<(&'static str, SecretString)>,
}

/// The processes of a program that runs; they are killed where it is not waited for.
struct Group(Option<Pid>);

impl Program {
    /// A program with its arguments, which has that long.
    pub(super) fn new<'a>(
        name: &'static str,
        arguments: impl IntoIterator<Item = &'a str>,
        limit: Duration,
    ) -> Self {
        Self {
            name,
            arguments: arguments.into_iter().map(str::to_owned).collect(),
            limit,
            variables: Vec::new(),
        }
    }

    /// With one more variable.
    pub(super) fn with(mut self, name: &'static str, value: impl Into<SecretString>) -> Self {
        self.variables.push((name, value.into()));
        self
    }

    /// As somebody would type it.
    pub(super) fn line(&self) -> String {
        format!("{} {}", self.name, self.arguments.join(" "))
    }

    /// Runs it in a folder, and gives what it wrote to standard output.
    pub(super) async fn run(&self, folder: &Path) -> anyhow::Result<String> {
        let child = self.start(folder)?;
        let mut group = Group::of(&child);
        let Ok(ended) = time::timeout(self.limit, child.wait_with_output()).await else {
            bail!(
                "it took longer than {} s and was stopped",
                self.limit.as_secs()
            );
        };
        let ended = ended.with_context(|| format!("cannot follow `{}`", self.name))?;
        group.has_ended();
        let said = String::from_utf8_lossy(&ended.stdout).into_owned();
        if ended.status.success() {
            return Ok(said);
        }
        let lines: Vec<_> = said.lines().collect();
        output::note(&lines[lines.len().saturating_sub(SHOWN)..].join("\n"));
        bail!("it ended with {}", ended.status)
    }

    fn start(&self, folder: &Path) -> anyhow::Result<Child> {
        let mut command = Command::new(self.name);
        command
            .args(&self.arguments)
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .process_group(0);
        for (name, value) in &self.variables {
            command.env(name, value.expose_secret());
        }
        match command.spawn() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                bail!("`{}` is not installed here, or is not on PATH", self.name)
            }
            started => started.with_context(|| format!("cannot run `{}`", self.name)),
        }
    }
}

impl Group {
    fn of(child: &Child) -> Self {
        let leader = child.id().and_then(|id| i32::try_from(id).ok());
        Self(leader.and_then(Pid::from_raw))
    }

    /// Its number may be another's from now on.
    fn has_ended(&mut self) {
        self.0 = None;
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(leader) = self.0 {
            // Whoever is gone already need not be killed.
            let _gone = kill_process_group(leader, Signal::KILL);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn run(script: &str, limit: Duration) -> anyhow::Result<String> {
        let program = Program::new("sh", ["-c", script], limit);
        program.run(".".as_ref()).await
    }

    #[tokio::test]
    async fn what_it_says_is_read_and_how_it_fails_is_told() {
        let long = Duration::from_secs(10);
        assert_eq!(run("echo yes", long).await.unwrap(), "yes\n");
        let failed = run("echo why; exit 3", long).await.unwrap_err();
        assert_eq!(failed.to_string(), "it ended with exit status: 3");
        let absent = Program::new("pourtrait-absent", ["now"], long);
        let absent = absent.run(".".as_ref()).await.unwrap_err();
        assert!(absent.to_string().contains("is not installed here"));
    }

    /// What it began goes on holding its standard output, and ends with it.
    #[tokio::test]
    async fn one_that_takes_too_long_ends_with_all_that_it_began() {
        let file = std::env::temp_dir().join(format!("group-{}", uuid::Uuid::new_v4()));
        let path = file.display();
        let script = format!("(sleep 600 & echo $! >{path}; wait) & wait");
        let slow = run(&script, Duration::from_secs(2)).await.unwrap_err();
        assert!(slow.to_string().contains("was stopped"), "{slow}");
        let begun: i32 = std::fs::read_to_string(&file)
            .unwrap()
            .trim()
            .parse()
            .unwrap();
        std::fs::remove_file(&file).unwrap();
        let begun = Pid::from_raw(begun).unwrap();
        let deadline = outside::clock::Deadline::after(Duration::from_secs(10));
        while is_there(begun) {
            assert!(!deadline.has_passed(), "what it began goes on");
            outside::clock::wait(Duration::from_millis(10)).await;
        }
    }

    /// Whether a process runs; one that has ended may wait for somebody to notice.
    fn is_there(process: Pid) -> bool {
        let said = std::process::Command::new("ps")
            .args(["-o", "stat=", "-p", &process.as_raw_nonzero().to_string()])
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&said.stdout).trim().to_owned();
        !said.is_empty() && !said.starts_with('Z')
    }
}
