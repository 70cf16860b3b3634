//! `pourtrait dev`: starts the bundle for a person, says what to open, and stops
//! it when asked.

use std::{path::Path, time::Duration};

use local_supabase::stack::Channels;
use ops::{database, migrate};
use serde_json::json;
use tokio::{
    signal::unix::{SignalKind, signal},
    time::timeout,
};
use tracing::{Level, Metadata};
use tracing_subscriber::{Layer, filter, layer::SubscriberExt, util::SubscriberInitExt};

use crate::{
    arguments,
    dev::{self, Database, DevOptions, Running},
    environment::Environment,
    failure::Verdict,
    output::{self, Output},
};

/// How much later than its children this process may hear of a signal.
const SIGNAL_DELAY: Duration = Duration::from_millis(100);

pub(crate) async fn run(arguments: arguments::Dev, output: Output) -> anyhow::Result<Verdict> {
    log_to_stderr();
    let options = match &arguments.supabase {
        None => local(&arguments),
        Some(file) => described(&arguments, file).await?,
    };
    let mut interrupted = signal(SignalKind::interrupt())?;
    let mut terminated = signal(SignalKind::terminate())?;
    let stop = async {
        tokio::select! {
            _ = interrupted.recv() => {}
            _ = terminated.recv() => {}
        }
    };
    tokio::pin!(stop);
    let running = tokio::select! {
        running = dev::start(options) => running,
        // Half-started parts end as they are dropped.
        () = &mut stop => return Ok(Verdict::Good),
    };
    let running = match running {
        // A terminal interrupts what is being started as well, and that may be
        // first to say so.
        Err(_) if timeout(SIGNAL_DELAY, &mut stop).await.is_ok() => return Ok(Verdict::Good),
        running => running?,
    };
    output.result(&ready_json(&running), &ready_text(&running));
    stop.await;
    output::note("stopping");
    running.stop().await?;
    Ok(Verdict::Good)
}

fn local(arguments: &arguments::Dev) -> DevOptions {
    DevOptions {
        port: arguments.port,
        data: Some(arguments.data.clone()),
        database: Database::Own,
        sample_data: !arguments.empty,
        traffic: !arguments.empty && !arguments.no_traffic,
        crons: !arguments.no_crons,
        channels: channels(arguments),
    }
}

fn channels(arguments: &arguments::Dev) -> Channels {
    match arguments.channels {
        arguments::Channels::Usual => Channels::Usual,
        arguments::Channels::All => Channels::All,
    }
}

/// Somebody's own Supabase is looked at as it is. One on another machine has
/// its own deployment, whose slots a laptop must not take: no crons there.
async fn described(arguments: &arguments::Dev, file: &Path) -> anyhow::Result<DevOptions> {
    let environment = Environment::from_file(file)?;
    let remote = dev::remote_host(&environment)?;
    let crons = !arguments.no_crons && remote.is_none();
    output::note(&format!(
        "target: the Supabase of {}; no sample data, no traffic, no migrations, {}; \
         faults of database and storage do not reach it",
        file.display(),
        match (crons, &remote) {
            (true, _) => "crons on their schedules",
            (false, Some(_)) => "and no crons, for it is not on this machine",
            (false, None) => "no crons",
        }
    ));
    if remote.is_none() || arguments.yes {
        note_pending(&environment, file).await;
    }
    Ok(DevOptions {
        port: arguments.port,
        data: Some(arguments.data.clone()),
        database: Database::Described {
            file: file.to_owned(),
            remote: arguments.yes,
        },
        sample_data: false,
        traffic: false,
        crons,
        channels: channels(arguments),
    })
}

async fn note_pending(environment: &Environment, file: &Path) {
    let status = async {
        let (url, ca) = environment.database()?;
        let client = database::connect(&url, ca.as_deref()).await?;
        anyhow::Ok(migrate::status(&client).await?)
    };
    match status.await {
        Ok(status) if status.pending.is_empty() => {}
        Ok(status) => output::note(&format!(
            "note: {} migrations are pending there: run `pourtrait migrate --env-file {}`",
            status.pending.len(),
            file.display()
        )),
        Err(error) => output::note(&format!(
            "note: whether it is migrated cannot be told: {error:#}"
        )),
    }
}

/// People see requests and trouble as lines on standard error; the functions'
/// own JSON lines are for machines.
fn log_to_stderr() {
    let ours = |metadata: &Metadata<'_>| {
        let is_ours = ["ops", "pourtrait"].iter().any(|name| {
            metadata
                .target()
                .strip_prefix(name)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
        });
        is_ours && *metadata.level() <= Level::INFO
    };
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_target(false)
        .compact()
        .with_filter(filter::filter_fn(ours));
    // Nothing else has installed a subscriber in this process.
    let _ = tracing_subscriber::registry().with(lines).try_init();
}

fn ready_json(running: &Running) -> serde_json::Value {
    json!({ "ready": running.base_url, "envFile": running.env_file })
}

fn ready_text(running: &Running) -> String {
    let url = &running.base_url;
    let key = running
        .env
        .get("MONITORING_API_KEY")
        .map(String::as_str)
        .unwrap_or_default();
    let app = running
        .env
        .get("NEXT_PUBLIC_APP_URL")
        .map(String::as_str)
        .unwrap_or_default();
    let backups = running.env.get("BACKUP_URL").map_or("none", String::as_str);
    let file = running
        .env_file
        .as_ref()
        .map(|path| path.display().to_string())
        .unwrap_or_default();
    format!(
        "ready: {url}\n\
         \n  health     {url}/health\
         \n  dashboard  curl -H 'Authorization: Bearer {key}' {url}/api/monitoring/dashboard\
         \n  inbox      {url}/_local/inbox\
         \n  faults     curl -d '{{\"service\":\"app\",\"mode\":\"refuse\"}}' {url}/_local/faults\
         \n             (services: database openai vision resend storage slack discord webhook app; modes: ok refuse hang slow status)\
         \n  app        {app}\
         \n  backups    {backups}\
         \n  variables  {file}\
         \n\nCtrl-C stops it; the data stay."
    )
}
