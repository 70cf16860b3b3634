//! A function's process: its environment, its output and its end.

use std::{
    process::{ExitStatus, Stdio},
    sync::Arc,
};

use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, BufReader},
    process::{Child, Command},
    sync::watch,
    task::JoinHandle,
};

use super::expect;

/// A started function, killed when it is dropped.
pub(crate) struct Process {
    child: Child,
    lines: Arc<watch::Sender<Vec<String>>>,
    readers: [JoinHandle<()>; 2],
}

impl Process {
    /// Starts a binary with those variables and no others.
    pub(crate) fn start(binary: &str, variables: &[(&str, &str)]) -> Self {
        let mut child = Command::new(binary)
            .env_clear()
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let lines = Arc::new(watch::Sender::new(Vec::new()));
        let readers = [
            read(child.stdout.take().unwrap(), Arc::clone(&lines)),
            read(child.stderr.take().unwrap(), Arc::clone(&lines)),
        ];
        Self {
            child,
            lines,
            readers,
        }
    }

    /// Waits for a line of JSON that a test is looking for.
    pub(crate) async fn logged(&self, wanted: impl Fn(&Value) -> bool) -> Value {
        let mut lines = self.lines.subscribe();
        let find = |lines: &Vec<String>| lines.iter().filter_map(|line| json(line)).find(&wanted);
        let found = expect("a log line", lines.wait_for(|lines| find(lines).is_some())).await;
        find(&found.unwrap()).unwrap()
    }

    /// The names of the process's threads.
    pub(crate) fn threads(&self) -> Vec<String> {
        let tasks = format!("/proc/{}/task", self.child.id().unwrap());
        let tasks = std::fs::read_dir(tasks).unwrap();
        let names = tasks.map(|task| std::fs::read_to_string(task.unwrap().path().join("comm")));
        names.map(|name| name.unwrap().trim().to_owned()).collect()
    }

    /// Asks the process to end, as a platform does before it kills.
    pub(crate) async fn terminate(&self) {
        let id = self.child.id().unwrap().to_string();
        let status = Command::new("sh")
            .args(["-c", "kill -s TERM \"$0\"", &id])
            .status()
            .await
            .unwrap();
        assert!(status.success(), "the process is gone already");
    }

    /// Waits for the end; gives the status and everything that was written.
    pub(crate) async fn ended(mut self) -> (ExitStatus, Vec<String>) {
        let status = expect("the process ends", self.child.wait()).await.unwrap();
        for reader in self.readers {
            expect("its output ends", reader).await.unwrap();
        }
        (status, self.lines.borrow().clone())
    }
}

/// A line as JSON, if it is.
pub(crate) fn json(line: &str) -> Option<Value> {
    serde_json::from_str(line).ok()
}

fn read(
    output: impl AsyncRead + Send + Unpin + 'static,
    lines: Arc<watch::Sender<Vec<String>>>,
) -> JoinHandle<()> {
    tokio::spawn(async move {
        let mut output = BufReader::new(output).lines();
        while let Ok(Some(line)) = output.next_line().await {
            lines.send_modify(|lines| lines.push(line));
        }
    })
}
