//! `cargo dev`: starts the bundle for a person, says what to open, and stops it
//! when asked.

use std::{path::Path, process::ExitCode, time::Duration};

use anyhow::Context;
use clap::Parser;
use local_supabase::{machine::NotInstalled, stack::Channels};
use ops::migrate;
use outside::database;
use serde_json::json;
use terminal::{
    failure::{self, Misuse, Verdict},
    output::{self, Output},
};
use tokio::{
    signal::unix::{SignalKind, signal},
    time::timeout,
};
use tracing::{Level, Metadata};
use tracing_subscriber::{Layer, filter, layer::SubscriberExt, util::SubscriberInitExt};

use crate::{
    Database, DevOptions, Running,
    arguments::{self, Arguments},
    described::Project,
};

/// How much later than its children this process may hear of a signal.
const SIGNAL_DELAY: Duration = Duration::from_millis(100);

/// Runs until a signal, as the process's arguments say.
#[must_use]
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let outcome = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start")
        .and_then(|runtime| runtime.block_on(run(&arguments)))
        .map_err(as_misuse);
    failure::end(&outcome)
}

/// Where the machine lacks something, the person has a command to run first:
/// that is no failure of what was asked for.
fn as_misuse(error: anyhow::Error) -> anyhow::Error {
    match error.downcast::<NotInstalled>() {
        Ok(missing) => Misuse(missing.to_string()).into(),
        Err(error) => error,
    }
}

async fn run(arguments: &Arguments) -> anyhow::Result<Verdict> {
    log_to_stderr();
    let output = Output {
        json: arguments.json,
    };
    let options = match &arguments.supabase {
        None => local(arguments),
        Some(file) => described(arguments, file).await?,
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
        running = crate::start(options) => running,
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

fn local(arguments: &Arguments) -> DevOptions {
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

fn channels(arguments: &Arguments) -> Channels {
    match arguments.channels {
        arguments::Channels::Usual => Channels::Usual,
        arguments::Channels::All => Channels::All,
    }
}

/// Somebody's own Supabase is looked at as it is. One on another machine has
/// its own deployment, whose slots a laptop must not take: no crons there.
async fn described(arguments: &Arguments, file: &Path) -> anyhow::Result<DevOptions> {
    let project = Project::read(file)?;
    let remote = project.remote_host()?;
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
        note_pending(&project, file).await;
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

async fn note_pending(project: &Project, file: &Path) {
    let status = async {
        let (url, ca) = project.database()?;
        let client = database::connect(&url, ca.as_deref()).await?;
        anyhow::Ok(migrate::status(&client).await?)
    };
    match status.await {
        Ok(status) if status.is_current() => {}
        Ok(_) => output::note(&format!(
            "note: its schema is not that of this build: run `pourtrait migrate --env-file {}`",
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
        let is_ours = ["ops", "backup", "outside", "dev"].iter().any(|name| {
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
    json!({
        "ready": running.base_url,
        "envFile": running.env_file,
        "signInLink": running.sign_in_link,
    })
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
    let sign_in = running.sign_in_link.as_ref().map_or_else(
        || format!("{url}/dashboard"),
        |link| format!("{link}   (signs you in, once)"),
    );
    let backups = running.env.get("BACKUP_URL").map_or("none", String::as_str);
    let file = running
        .env_file
        .as_ref()
        .map(|path| path.display().to_string())
        .unwrap_or_default();
    format!(
        "ready: {url}\n\
         \n  health     {url}/health\
         \n  dashboard  {sign_in}\
         \n             curl -H 'Authorization: Bearer {key}' {url}/api/monitoring/dashboard\
         \n  break it   {url}/_local/   (buttons that break services, and what people were told)\
         \n  inbox      {url}/_local/inbox\
         \n  faults     curl -d '{{\"service\":\"app\",\"mode\":\"refuse\"}}' {url}/_local/faults\
         \n             (services: database openai vision resend storage slack discord webhook pagerduty twilio ntfy telegram teams push app; modes: ok refuse hang slow status)\
         \n  app        {app}\
         \n  backups    {backups}\
         \n  variables  {file}\
         \n\nCtrl-C stops it; the data stay."
    )
}
