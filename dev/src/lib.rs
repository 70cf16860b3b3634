//! The whole bundle on one machine: a real PostgreSQL, a Supabase-shaped gateway,
//! captured messages, a sample app, and every endpoint on one port as
//! `vercel.json` routes them.
//!
//! `cargo dev` runs it for people; tests run it with [`start`], in their own
//! process, on any free port and on a database of their own:
//!
//! ```no_run
//! # async fn example() -> anyhow::Result<()> {
//! use dev::{Database, DevOptions};
//! use local_supabase::postgres::TestDatabase;
//!
//! let database = TestDatabase::create("migrated", &ops::migrate::Schema::embedded().fingerprint(), dev::migrate).await?;
//! let options = DevOptions { database: Database::Shared(database.name().to_owned()), ..DevOptions::default() };
//! let bundle = dev::start(options).await?;
//! println!("{}/api/health", bundle.base_url);
//! bundle.stop().await?;
//! # Ok(())
//! # }
//! ```

mod arguments;
mod backups;
pub mod command;
mod compression;
mod crons;
mod described;
mod files;
mod folder;
mod local;
mod newcomer;
mod pattern;
mod routes;
mod sample;
mod site;
mod traffic;

use std::{
    collections::BTreeMap,
    mem,
    path::PathBuf,
    sync::{Arc, OnceLock},
};

use anyhow::Context;
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use local_supabase::{
    postgres::Cluster,
    server::Server,
    stack::{Channels, Stack},
};
use ops::{
    auth::door_key::KeySigner,
    endpoint::Endpoint,
    migrate::{MigrateError, Step},
};
use outside::database;
use secrecy::SecretString;
use tokio::task::JoinSet;
use url::Url;

use backups::Backups;
use described::Project;
use folder::Folder;
use local::Local;
use newcomer::Newcomer;
use routes::Routes;
use site::Site;

/// How the bundle is run. The default is quiet: any free port, a fresh database
/// that ends with the process, no sample data and nothing by schedule.
#[derive(Debug, Clone, Default)]
pub struct DevOptions {
    /// The port on 127.0.0.1; 0 for any free one.
    pub port: u16,
    /// The folder that keeps data, keys and ports from one start to the next,
    /// and `dev.env`; `None` for nothing of that.
    pub data: Option<PathBuf>,
    /// Where the data lie.
    pub database: Database,
    /// Whether an empty database is filled with sample data.
    pub sample_data: bool,
    /// Whether sample traffic is written, a few rows a second.
    pub traffic: bool,
    /// Whether jobs are called by schedule.
    pub crons: bool,
    /// Which alert channels the functions are configured with.
    pub channels: Channels,
}

/// Where the bundle's data lie.
#[derive(Debug, Clone, Default)]
pub enum Database {
    /// On a server of its own.
    #[default]
    Own,
    /// In a database of this process's one test server, by name.
    Shared(String),
    /// In the Supabase that an env file describes. It is used as it is: neither
    /// migrated nor filled.
    Described {
        /// The env file.
        file: PathBuf,
        /// Whether it may lie on another machine.
        remote: bool,
    },
}

/// The running bundle. Dropping it stops everything without waiting.
pub struct Running {
    /// Where everything answers, without a slash at the end.
    pub base_url: String,
    /// Every variable that the functions were configured with.
    pub env: BTreeMap<String, String>,
    /// Where these variables are written, if there is a data folder.
    pub env_file: Option<PathBuf>,
    /// Signs whoever opens it first in as the sample admin, where the server is ours.
    pub sign_in_link: Option<String>,
    // In the order in which they have to end.
    tasks: JoinSet<()>,
    server: Server,
    local: Local,
    _backups: Option<Backups>,
    _folder: Option<Folder>,
}

impl Running {
    /// The local stack: inbox, faults, scripted answers, users.
    #[must_use]
    pub fn stack(&self) -> &Stack {
        self.local.stack()
    }

    /// Stops everything, after the answers under way.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        self.tasks.shutdown().await;
        self.server.stop().await;
        self.local.stop().await
    }
}

/// Starts the bundle; when this returns, it answers.
///
/// Fails with [`Misuse`](terminal::failure::Misuse) where the options do not
/// allow it, and with [`NotInstalled`](local_supabase::machine::NotInstalled)
/// where the machine does not.
pub async fn start(options: DevOptions) -> anyhow::Result<Running> {
    let routes = Routes::of_this_build()?;
    let folder = options.data.as_deref().map(Folder::open).transpose()?;
    let described = described(&options.database)?;
    // The port comes first: whoever finds it taken should not wait for a
    // database to learn it.
    let site = Arc::new(OnceLock::new());
    let server = serve(options.port, &site).await?;
    let base_url = server.url();
    let local = Local::start(folder.as_ref(), &options.database, options.channels).await?;
    let mut env = local.stack().env();
    if let Some(described) = described {
        described.replace(&mut env);
    }
    env.insert("BASE_URL".to_owned(), base_url.clone());
    // The sample app plays the production: that is what the app's rows say of
    // themselves, and what the dashboard shows unless asked otherwise.
    env.insert("VERCEL_ENV".to_owned(), "production".to_owned());
    deploy(local.stack(), &base_url, options.crons);
    // A project that is described has its own deployment, and its own backups.
    let backups = match options.database {
        Database::Own | Database::Shared(_) => Some(Backups::open(folder.as_ref())?),
        Database::Described { .. } => None,
    };
    if let Some(backups) = &backups {
        env.extend(backups.variables()?);
        backups.prepare().await?;
    }
    let Prepared { door_key, newcomer } = prepare(&options, &env, local.stack()).await?;
    let sign_in_link = newcomer
        .as_ref()
        .and_then(|newcomer| newcomer.link(&base_url));
    // Set once; the server reads it from now on.
    let _ = site.set(Site::new(routes, &env, local.stack_handle(), newcomer));
    if let Some(folder) = &folder {
        let mut variables = env.clone();
        variables.extend(backups.as_ref().map(Backups::identity_file));
        folder.write(&variables)?;
    }
    let mut tasks = JoinSet::new();
    if options.crons {
        crons::start(&base_url, &env, &mut tasks)?;
    }
    if options.traffic {
        let door = door_key.map(|key| format!("{base_url}/api/ingest?key={key}"));
        tasks.spawn(traffic::run(env.clone(), door));
    }
    let env_file = folder.as_ref().map(Folder::env_file);
    Ok(Running {
        base_url,
        env,
        env_file,
        sign_in_link,
        tasks,
        server,
        local,
        _backups: backups,
        _folder: folder,
    })
}

/// The project that an env file describes, if the data lie in one.
fn described(database: &Database) -> anyhow::Result<Option<Project>> {
    let Database::Described { file, remote } = database else {
        return Ok(None);
    };
    let project = Project::read(file)?;
    project.admit(*remote)?;
    Ok(Some(project))
}

/// Brings one database of a local server to the schema of this build: what a
/// test's template needs.
pub async fn migrate(cluster: &Cluster, name: &str) -> anyhow::Result<()> {
    let ca = cluster.ca_pem_path().display().to_string();
    apply(&cluster.postgres_url(name).into(), &ca)
        .await
        .map(drop)
}

/// Lets the platform that is played say of this server what it would say of a deployment.
fn deploy(stack: &Stack, base_url: &str, crons: bool) {
    let specs = Endpoint::ALL.into_iter().map(Endpoint::spec);
    let jobs = specs.filter_map(|spec| Some((spec.path, spec.job?.schedule)));
    let jobs: Vec<_> = jobs.filter(|_| crons).collect();
    let host = Url::parse(base_url).ok();
    let host = host.as_ref().and_then(Url::host_str).unwrap_or_default();
    stack.platforms().deploy(host, &jobs);
}

async fn serve(port: u16, site: &Arc<OnceLock<Site>>) -> anyhow::Result<Server> {
    let site = Arc::clone(site);
    let answer = move |request: Request<Bytes>| {
        let site = Arc::clone(&site);
        async move {
            match site.get() {
                Some(site) => site.answer(request).await,
                None => starting(),
            }
        }
    };
    let server = Server::bind((port != 0).then_some(port), answer).await;
    server.map_err(|error| {
        if is_taken(&error) {
            error.context(format!(
                "port {port} is taken; choose another with --port, or 0 for any free one"
            ))
        } else {
            error
        }
    })
}

fn starting() -> Response<Bytes> {
    let mut response = Response::new(Bytes::from_static(b"starting\n"));
    *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    response.headers_mut().insert(
        http::header::RETRY_AFTER,
        http::HeaderValue::from_static("1"),
    );
    response
}

/// Whether a port could not be had because somebody else has it.
fn is_taken(error: &anyhow::Error) -> bool {
    let kinds = error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<std::io::Error>());
    kinds
        .map(std::io::Error::kind)
        .any(|kind| kind == std::io::ErrorKind::AddrInUse)
}

/// What a database of ours is prepared with.
#[derive(Default)]
struct Prepared {
    /// The key with which sample pages send.
    door_key: Option<String>,
    newcomer: Option<Newcomer>,
}

/// Migrates and fills the database, where it is ours.
async fn prepare(
    options: &DevOptions,
    env: &BTreeMap<String, String>,
    stack: &Stack,
) -> anyhow::Result<Prepared> {
    if matches!(options.database, Database::Described { .. }) {
        return Ok(Prepared::default());
    }
    let of = |name: &str| env.get(name).with_context(|| format!("{name} is not set"));
    let mut client = apply(&of("DATABASE_URL")?.as_str().into(), of("DATABASE_CA")?)
        .await
        .with_context(|| stale(options))?;
    if options.sample_data || options.traffic {
        sample::make_users(&client).await?;
    }
    if options.sample_data && sample::fill(&mut client, of("NEXT_PUBLIC_APP_URL")?).await? {
        tracing::info!("filled with sample data of the past week");
    }
    let newcomer = match options.database {
        Database::Own => Some(Newcomer::welcome(stack, &client).await?),
        // Tests make their own people.
        Database::Shared(_) | Database::Described { .. } => None,
    };
    let door_key = if options.traffic {
        let number = sample::open_door(&client).await?;
        let secret = of("MONITORING_API_KEY")?.as_str().into();
        Some(KeySigner::new(&secret).sign(number))
    } else {
        None
    };
    Ok(Prepared { door_key, newcomer })
}

/// What a person can do who works on the migrations themselves.
fn stale(options: &DevOptions) -> String {
    let kept = "cannot bring the kept database up to date";
    match &options.data {
        Some(folder) => format!("{kept} (to start afresh, remove {})", folder.display()),
        None => kept.to_owned(),
    }
}

async fn apply(url: &SecretString, ca: &str) -> anyhow::Result<tokio_postgres::Client> {
    let mut client = database::connect(url, Some(ca)).await?;
    let mut told = false;
    let mut starting = |_: &Step| {
        if !mem::replace(&mut told, true) {
            tracing::info!("bringing the database to the schema of this build");
        }
    };
    let mut applied = ops::migrate::apply(&mut client, &mut starting).await;
    if matches!(applied, Err(MigrateError::OldLayout)) {
        tracing::info!("the kept schema is of before the first release: making it anew");
        client.batch_execute(FORGET).await?;
        applied = ops::migrate::apply(&mut client, &mut starting).await;
    }
    applied.context("cannot migrate")?;
    Ok(client)
}

/// Takes away all that was ours: in this folder nothing of it has to last.
const FORGET: &str = r"
drop schema ops cascade;
do $$
declare
    v_function regprocedure;
begin
    for v_function in
        select oid from pg_proc where pronamespace = 'public'::regnamespace and proname like 'ops\_%'
    loop
        execute format('drop function %s cascade', v_function);
    end loop;
end
$$;
";

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_port_that_is_taken_is_said_to_be() {
        let taken = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = taken.local_addr().unwrap().port();
        let error = start(DevOptions {
            port,
            ..DevOptions::default()
        })
        .await
        .err()
        .unwrap();
        assert!(
            format!("{error:#}").starts_with(&format!("port {port} is taken")),
            "{error:#}"
        );
    }
}
