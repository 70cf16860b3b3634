//! Our side, each backup and restore in a process of its own.

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context, bail};
use backup::{
    catalogue,
    keys::{self, Identities, Recipients, Secret},
    repository::Repository,
    restore, run,
    selection::Selection,
    store::Store,
    tools,
};
use local_supabase::postgres::Cluster;
use outside::{
    clock::{self, Deadline},
    outbound::Outbound,
};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

use crate::{source::direct, timed};

/// Sessions that read, and sessions that load: as many as `pg_restore -j2`.
const JOBS: usize = 2;

/// Starts the children, which share a store and its keys.
pub(crate) struct Child<'a> {
    cluster: &'a Cluster,
    store: PathBuf,
    keys: keys::Keys,
}

/// What a child did.
pub(crate) struct Done {
    pub(crate) took: Duration,
    pub(crate) peak_kilobytes: u64,
    figures: Value,
}

impl Done {
    pub(crate) fn figure(&self, name: &str) -> anyhow::Result<u64> {
        self.figures[name]
            .as_u64()
            .with_context(|| format!("no figure {name}"))
    }
}

impl<'a> Child<'a> {
    pub(crate) fn new(cluster: &'a Cluster, folder: &Path) -> Self {
        Self {
            cluster,
            store: folder.join("store"),
            keys: keys::generate(),
        }
    }

    /// Empties the store, so that the next backup is a first one.
    pub(crate) fn forget(&self) -> anyhow::Result<()> {
        if self.store.exists() {
            std::fs::remove_dir_all(&self.store)?;
        }
        Ok(())
    }

    /// Forgets what is known of rows, so that the next backup reads all of them.
    pub(crate) fn forget_rows(&self) -> anyhow::Result<()> {
        Ok(std::fs::remove_dir_all(self.store.join("v1/known"))?)
    }

    pub(crate) fn back_up(&self, database: &str) -> anyhow::Result<Done> {
        self.start("backup", database)
    }

    pub(crate) fn restore(&self, into: &str) -> anyhow::Result<Done> {
        self.start("restore", into)
    }

    fn start(&self, task: &str, database: &str) -> anyhow::Result<Done> {
        let (url, ca) = direct(self.cluster, database);
        let mut command = Command::new(std::env::current_exe()?);
        command.args([
            task,
            url.expose_secret(),
            &ca,
            &format!("file://{}", self.store.display()),
            self.keys.secret.expose_secret(),
            &self.keys.recipient,
            self.keys.identity.expose_secret(),
        ]);
        let (took, output) = timed(&mut command)?;
        let figures: Value = serde_json::from_slice(&output)?;
        Ok(Done {
            took,
            peak_kilobytes: figures["peakKilobytes"].as_u64().unwrap_or_default(),
            figures,
        })
    }
}

/// What a child is asked for.
pub(crate) struct Task {
    name: String,
    url: SecretString,
    ca: String,
    store: String,
    secret: SecretString,
    recipient: String,
    identity: String,
}

impl Task {
    /// The task of a child; `None` in the process that starts children.
    pub(crate) fn parse(arguments: &[String]) -> Option<Self> {
        let [name, url, ca, store, secret, recipient, identity] = arguments else {
            return None;
        };
        Some(Self {
            name: name.clone(),
            url: url.as_str().into(),
            ca: ca.clone(),
            store: store.clone(),
            secret: secret.as_str().into(),
            recipient: recipient.clone(),
            identity: identity.clone(),
        })
    }

    #[expect(clippy::print_stdout, reason = "the figures are for the parent")]
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let mut figures = match self.name.as_str() {
            "backup" => self.back_up().await?,
            "restore" => self.restore().await?,
            other => bail!("no task is called {other}"),
        };
        figures["peakKilobytes"] = json!(peak_kilobytes());
        println!("{figures}");
        Ok(())
    }

    async fn back_up(&self) -> anyhow::Result<Value> {
        let store = Store::make(&self.store, None, &Outbound::default())?;
        Repository::make(&store, clock::now()).await?;
        let secret = Secret::parse(&self.secret)?;
        let request = run::Request {
            url: &self.url,
            ca: Some(&self.ca),
            store,
            secret: &secret,
            recipients: Recipients::parse(&self.recipient)?,
            fence: 1,
            workers: JOBS,
            deadline: Deadline::after(Duration::from_secs(3_600)),
            tools: tools::FILES,
            files: None,
            whole: false,
        };
        let backup = run::run(request, async || true).await?;
        Ok(serde_json::to_value(backup.figures)?)
    }

    async fn restore(&self) -> anyhow::Result<Value> {
        let store = Store::open(&self.store, None, &Outbound::default())?;
        let snapshot = catalogue::find(&store, "latest").await?;
        let request = restore::Request {
            store: &store,
            snapshot: &snapshot,
            identities: &Identities::parse(&self.identity)?,
            into: &self.url,
            ca: Some(&self.ca),
            selection: &Selection::default(),
            jobs: JOBS,
            strict: true,
            masking: None,
        };
        let restored = restore::restore(request, &|_| {}).await?;
        Ok(json!({ "rows": restored.rows }))
    }
}

/// The most memory that this process ever used.
fn peak_kilobytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok())
        .unwrap_or_default()
}
