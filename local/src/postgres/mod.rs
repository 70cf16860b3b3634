//! A real PostgreSQL server with Supabase's roles, schemas and grants.
//!
//! The server is this machine's own, runs as an unprivileged user, and never
//! outlives the process that started it: a supervisor stops it as soon as that
//! process is gone, even by `kill -9`. A kill of everything at once is mended
//! by the next start on the same data. Tests share a server that outlives each
//! of their processes, and ends some time after the last one.

mod account;
mod bootstrap;
mod certificates;
mod folder;
mod server;
mod shared;
mod test_database;

use std::{
    net::TcpListener,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, bail};
use tokio::sync::{Mutex, OnceCell};
use tokio_postgres::{Client, Config, NoTls};

use account::Account;
use folder::{Folder, Passwords};
use server::{Launch, Life, Server, Stop};
pub use test_database::TestDatabase;

use crate::machine::{self, NotInstalled, Tool, postgresql::Binaries};

/// How a cluster is run.
#[derive(Clone, Debug, Default)]
pub struct ClusterOptions {
    /// The folder that keeps the data from one start to the next; `None` for a
    /// fresh folder that is removed at the end.
    pub data: Option<PathBuf>,
    /// Whether a commit survives a power cut. Off, everything is faster, and a
    /// killed server still loses nothing.
    pub durable: bool,
    /// The port on 127.0.0.1; `None` for any free one.
    pub port: Option<u16>,
}

/// Settings of a server whose data nobody will miss: a commit waits for no
/// write, and nothing happens beside what is asked for. A vacuum would also keep
/// its database from being cloned. A session of a test runs most statements a few
/// times, so that planning each of them anew would be most of the work.
const HURRIED: [(&str, &str); 7] = [
    // Every tick reads them, of all databases.
    ("pg_stat_statements.max", "1000"),
    // Several migrations at once, of which each locks every object that it makes.
    ("max_locks_per_transaction", "512"),
    ("plan_cache_mode", "force_generic_plan"),
    ("synchronous_commit", "off"),
    ("autovacuum", "off"),
    ("max_wal_size", "1GB"),
    ("checkpoint_timeout", "1d"),
];

/// A running server with the roles and databases of a Supabase project.
/// Dropping it stops the server.
pub struct Cluster {
    // First, so that it has stopped before its folder goes.
    server: Mutex<Option<Server>>,
    folder: Folder,
    binaries: Binaries,
    account: Option<Account>,
    passwords: Passwords,
    usage: Usage,
    port: u16,
}

/// What a server is there for, which says how it runs and how long.
#[derive(Clone, Copy, Debug)]
enum Usage {
    /// It serves this process.
    Own { durable: bool },
    /// It serves tests of several processes, and waits that long for the next.
    Shared { patience: Duration },
}

impl Cluster {
    /// Starts a server, on the data of an earlier one if the folder holds any.
    ///
    /// Fails with [`NotInstalled`] where this machine has no PostgreSQL.
    pub async fn start(options: ClusterOptions) -> anyhow::Result<Self> {
        let durable = options.durable;
        Self::start_for(Usage::Own { durable }, options).await
    }

    async fn start_for(usage: Usage, options: ClusterOptions) -> anyhow::Result<Self> {
        // First of all: what is brought may make the user that the server runs as.
        let binaries = Binaries::find(folder::version(options.data.as_deref()))?;
        let account = Account::for_server()?;
        let folder = match (&options.data, usage) {
            (Some(path), _) => Folder::open(path, account)?,
            (None, Usage::Shared { .. }) => Folder::fresh_in_memory(account)?,
            (None, Usage::Own { .. }) => Folder::fresh(account)?,
        };
        let passwords = folder.passwords()?;
        let fresh = folder.initialised().is_none();
        if fresh {
            bootstrap::initialise(&folder, &binaries, account, &passwords)?;
        }
        let mut cluster = Self {
            folder,
            binaries,
            account,
            passwords,
            usage,
            port: options.port.map_or_else(free_port, Ok)?,
            server: Mutex::new(None),
        };
        cluster.launch(options.port.is_none()).await?;
        if fresh {
            cluster.bootstrap().await?;
        }
        Ok(cluster)
    }

    /// The one server of all tests that were built together, in whatever
    /// process they are. It is fast, loses everything with the machine, and
    /// ends some time after the last of them.
    pub async fn shared() -> anyhow::Result<&'static Self> {
        static SHARED: OnceCell<Cluster> = OnceCell::const_new();
        SHARED
            .get_or_try_init(async || {
                bring_for_tests()?;
                Self::shared_at(&shared::place()?, shared::PATIENCE).await
            })
            .await
    }

    /// The server that everyone shares who names this folder, started if none
    /// runs. It ends when nobody has used it for as long as `patience`, which
    /// is that of whoever started it, in seconds.
    pub async fn shared_at(place: &Path, patience: Duration) -> anyhow::Result<Self> {
        shared::join_or_start(place, patience).await
    }

    /// The port on 127.0.0.1, the same after a restart.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// How the superuser `supabase_admin` connects, without TLS.
    #[must_use]
    pub fn admin_config(&self, database: &str) -> Config {
        self.config(database, "supabase_admin", &self.passwords.supabase_admin)
    }

    /// How the role of `DATABASE_URL` connects, without TLS.
    #[must_use]
    pub fn postgres_config(&self, database: &str) -> Config {
        self.config(database, "postgres", &self.passwords.postgres)
    }

    /// How the gateway connects, without TLS.
    #[must_use]
    pub fn authenticator_config(&self, database: &str) -> Config {
        self.config(database, "authenticator", &self.passwords.authenticator)
    }

    /// `DATABASE_URL` as Supabase gives it: the role `postgres`, TLS required.
    #[must_use]
    pub fn postgres_url(&self, database: &str) -> String {
        format!(
            "postgresql://postgres:{}@127.0.0.1:{}/{database}?sslmode=require",
            self.passwords.postgres, self.port
        )
    }

    /// The certificate authority (PEM) that vouches for the server's names
    /// `localhost` and `127.0.0.1`.
    #[must_use]
    pub fn ca_pem_path(&self) -> PathBuf {
        self.folder.authority()
    }

    /// The path of one of PostgreSQL's client programs: `psql`, `pg_dump`, …
    ///
    /// Fails with [`NotInstalled`] where this machine has none.
    pub fn program(&self, name: &str) -> anyhow::Result<PathBuf> {
        self.binaries.client(name)
    }

    /// Connects as `supabase_admin` without TLS. The connection lives on the
    /// current runtime, as long as the client.
    pub async fn connect_admin(&self, database: &str) -> anyhow::Result<Client> {
        connect(&self.admin_config(database)).await
    }

    /// Connects as `postgres` without TLS. The connection lives on the current
    /// runtime, as long as the client.
    pub async fn connect_postgres(&self, database: &str) -> anyhow::Result<Client> {
        connect(&self.postgres_config(database)).await
    }

    /// Makes a database that belongs to `postgres`, as a fresh Supabase project
    /// has it, or as a clone of `template`.
    pub async fn create_database(&self, name: &str, template: Option<&str>) -> anyhow::Result<()> {
        let template = template.unwrap_or(bootstrap::TEMPLATE);
        self.connect_admin("template1")
            .await?
            .batch_execute(&format!(
                "create database {} owner postgres template {} strategy file_copy",
                quoted(name),
                quoted(template)
            ))
            .await
            .with_context(|| format!("cannot make the database {name} from {template}"))
    }

    /// Removes a database together with its sessions; an absent one is fine.
    pub async fn drop_database(&self, name: &str) -> anyhow::Result<()> {
        self.connect_admin("template1")
            .await?
            .batch_execute(&format!(
                "drop database if exists {} with (force)",
                quoted(name)
            ))
            .await
            .with_context(|| format!("cannot remove the database {name}"))
    }

    /// Stops the server as an operator would: sessions end with 57P01, data is
    /// kept. A stopped one stays stopped until [`Cluster::restart`]. A shared
    /// server is refused, for others may use it.
    pub async fn stop(&self) -> anyhow::Result<()> {
        if matches!(self.usage, Usage::Shared { .. }) {
            bail!("a shared server is nobody's to stop");
        }
        let Some(mut server) = self.server.lock().await.take() else {
            return Ok(());
        };
        tokio::task::spawn_blocking(move || server.stop(Stop::ForNow)).await?
    }

    /// Stops the server if it runs, and starts it on the same port.
    pub async fn restart(&self) -> anyhow::Result<()> {
        self.stop().await?;
        let server = Server::start(&self.launch_on(self.port)).await?;
        *self.server.lock().await = Some(server);
        Ok(())
    }

    /// The first start. A free port may be taken by someone else before the
    /// server has it, so others are tried.
    async fn launch(&mut self, any_port: bool) -> anyhow::Result<()> {
        let mut attempts = 5;
        loop {
            match Server::start(&self.launch_on(self.port)).await {
                Ok(server) => {
                    *self.server.get_mut() = Some(server);
                    return Ok(());
                }
                Err(error) => {
                    attempts -= 1;
                    let taken = error.to_string().contains("Address already in use");
                    if !(any_port && taken && attempts > 0) {
                        return Err(error);
                    }
                    self.port = free_port()?;
                }
            }
        }
    }

    fn launch_on(&self, port: u16) -> Launch<'_> {
        Launch {
            account: self.account,
            program: self.binaries.program("postgres"),
            data: self.folder.data(),
            log: self.folder.log(),
            settings: self.settings(port),
            life: match self.usage {
                Usage::Shared { patience } => Life::OfUsers(self.folder.path(), patience),
                Usage::Own { .. } => self.folder.temporary().map_or(Life::Kept, Life::OfProcess),
            },
        }
    }

    /// Settings that follow Supabase's where they can be seen from a session,
    /// `extra_float_digits` among them: text of a float is rounded there.
    fn settings(&self, port: u16) -> Vec<(&'static str, String)> {
        let preloaded = self
            .binaries
            .libraries(&["pg_stat_statements", "auto_explain"]);
        let durable = matches!(self.usage, Usage::Own { durable: true });
        let durable = if durable { "on" } else { "off" };
        let sockets = self.folder.socket_folder();
        let mut settings = vec![
            ("listen_addresses", "127.0.0.1".to_owned()),
            ("port", port.to_string()),
            (
                "unix_socket_directories",
                sockets.map_or_else(String::new, |path| path.display().to_string()),
            ),
            ("max_connections", "200".to_owned()),
            ("shared_preload_libraries", preloaded.join(",")),
            ("wal_level", "logical".to_owned()),
            ("extra_float_digits", "0".to_owned()),
            ("timezone", "UTC".to_owned()),
            ("ssl", "on".to_owned()),
            ("ssl_cert_file", "server.crt".to_owned()),
            ("ssl_key_file", "server.key".to_owned()),
            ("fsync", durable.to_owned()),
            ("full_page_writes", durable.to_owned()),
        ];
        if matches!(self.usage, Usage::Shared { .. }) {
            settings.extend(HURRIED.map(|(name, value)| (name, value.to_owned())));
        }
        settings
    }

    async fn bootstrap(&self) -> anyhow::Result<()> {
        let superuser = self.connect_admin("template1").await?;
        bootstrap::make_roles(&superuser, &self.passwords).await?;
        bootstrap::fill_template(&self.connect_admin(bootstrap::TEMPLATE).await?).await?;
        bootstrap::make_project_database(&superuser).await?;
        self.folder.set_initialised(self.binaries.major)
    }

    fn config(&self, database: &str, role: &str, password: &str) -> Config {
        let mut config = Config::new();
        config
            .host("127.0.0.1")
            .port(self.port)
            .dbname(database)
            .user(role)
            .password(password);
        config
    }
}

/// Brings at once what any test needs. Only the server has to be there: a test
/// that needs another tool asks for it again.
fn bring_for_tests() -> anyhow::Result<()> {
    let Err(error) = machine::bring(&Tool::FOR_TESTS) else {
        return Ok(());
    };
    match error.downcast::<NotInstalled>() {
        Ok(missing) if !missing.lacks(Tool::Server { major: None }) => Ok(()),
        Ok(missing) => Err(missing.into()),
        Err(error) => Err(error),
    }
}

async fn connect(config: &Config) -> anyhow::Result<Client> {
    let (client, connection) = config
        .connect(NoTls)
        .await
        .context("cannot connect to the local PostgreSQL")?;
    // The connection ends with its client, who hears of every failure.
    tokio::spawn(connection);
    Ok(client)
}

fn free_port() -> anyhow::Result<u16> {
    let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
    if port == 0 {
        bail!("no port is free on 127.0.0.1");
    }
    Ok(port)
}

/// A name as SQL takes it, whatever its characters.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
