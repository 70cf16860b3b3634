//! A program that a deployment runs: with an end to its time, its words for people passed
//! on, what it says for programs read.

use std::{path::Path, process::Stdio, time::Duration};

use anyhow::{Context, bail};
use secrecy::{ExposeSecret, SecretString};
use terminal::output;
use tokio::{process::Command, time};

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
        let mut command = Command::new(self.name);
        command
            .args(&self.arguments)
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true);
        for (name, value) in &self.variables {
            command.env(name, value.expose_secret());
        }
        let child = command
            .spawn()
            .with_context(|| format!("cannot run `{}`", self.name))?;
        let Ok(ended) = time::timeout(self.limit, child.wait_with_output()).await else {
            bail!(
                "it took longer than {} s and was stopped",
                self.limit.as_secs()
            );
        };
        let ended = ended.with_context(|| format!("cannot follow `{}`", self.name))?;
        let said = String::from_utf8_lossy(&ended.stdout).into_owned();
        if ended.status.success() {
            return Ok(said);
        }
        let lines: Vec<_> = said.lines().collect();
        output::note(&lines[lines.len().saturating_sub(SHOWN)..].join("\n"));
        bail!("it ended with {}", ended.status)
    }
}
