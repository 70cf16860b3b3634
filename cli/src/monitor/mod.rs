//! `pourtrait monitor`: watches the bundle and the app from outside, for weeks, as a service.
//!
//! It remembers a handful of numbers for each thing that it watches and nothing else. SIGTERM
//! ends it at once; SIGHUP makes it open its log anew.

pub(crate) mod arguments;
mod log_file;
mod probing;
mod telling;
mod watched;

use anyhow::Context;
use jiff::Timestamp;
use ops::{app::App, config::Config};
use outside::{clock, secure_url};
use serde_json::{Value, json};
use tokio::signal::unix::{SignalKind, signal};
use url::Url;

use crate::environment::Environment;
use arguments::Monitor;
use log_file::LogFile;
use probing::{Look, Subject, Target};
use telling::Ways;
use terminal::{
    failure::{Misuse, Verdict},
    output::{self, Output},
};
use watched::{News, Seen, Watched};

pub(crate) async fn run(
    monitor: Monitor,
    environment: &Environment,
    output: Output,
) -> anyhow::Result<Verdict> {
    let config = environment.config();
    let targets = targets(&monitor, &config, environment)?;
    for target in &targets {
        output::note(&format!(
            "watching the {} at {}",
            target.subject.as_str(),
            target.url
        ));
    }
    let ways = ways(&monitor, &config)?;
    let app = App::new(config);
    if monitor.once {
        let looks = probing::look(&app.outbound, &targets, &monitor.witness).await;
        return Ok(once(&targets, &looks, output));
    }
    let mut round = Round {
        log: LogFile::open(monitor.log.as_deref())?,
        watched: targets.iter().map(|_| Watched::default()).collect(),
        app,
        targets,
        witness: monitor.witness,
        ways,
    };
    let mut terminated = signal(SignalKind::terminate()).context("cannot hear of signals")?;
    let mut interrupted = signal(SignalKind::interrupt()).context("cannot hear of signals")?;
    let mut hung_up = signal(SignalKind::hangup()).context("cannot hear of signals")?;
    let mut watching = std::pin::pin!(async {
        loop {
            round.go().await;
            let mut rest = std::pin::pin!(clock::wait(monitor.interval));
            loop {
                tokio::select! {
                    () = &mut rest => break,
                    _ = hung_up.recv() => round.log.reopen(),
                }
            }
        }
    });
    tokio::select! {
        () = &mut watching => {}
        _ = terminated.recv() => {}
        _ = interrupted.recv() => {}
    }
    output::note("ended by a signal");
    Ok(Verdict::Good)
}

/// What is watched, and with what.
struct Round {
    app: App,
    targets: Vec<Target>,
    watched: Vec<Watched>,
    witness: Url,
    ways: Ways,
    log: LogFile,
}

impl Round {
    /// Looks at everything once and tells what has become of it.
    async fn go(&mut self) {
        let looks = probing::look(&self.app.outbound, &self.targets, &self.witness).await;
        let now = clock::now();
        for ((target, watched), look) in self.targets.iter().zip(&mut self.watched).zip(&looks) {
            self.log.write(&line(target, look, now));
            watched.observe(&look.seen, now);
        }
        let bundle = self.targets[0].url.clone();
        for (target, watched) in self.targets.iter().zip(&mut self.watched) {
            let Some(news) = watched.pending().cloned() else {
                continue;
            };
            let known_by = watched.known_by();
            let told = telling::tell(
                &self.app,
                &bundle,
                self.ways,
                known_by,
                target.subject,
                &news,
            )
            .await;
            self.log.write(&json!({
                "at": now, "subject": target.subject, "news": word(&news),
                "toldBy": told.map(|way| format!("{way:?}").to_lowercase()),
            }));
            if let Some(way) = told {
                watched.told(way);
            }
        }
    }
}

/// The bundle, and the app where its address is known.
fn targets(
    monitor: &Monitor,
    config: &Config,
    environment: &Environment,
) -> anyhow::Result<Vec<Target>> {
    let base = monitor.url.clone().or_else(|| config.base_url.clone());
    let base = base.ok_or_else(|| {
        Misuse(format!(
            "name the address to watch: BASE_URL is not set in {}",
            environment.origin()
        ))
    })?;
    // A key is sent there, to raise alerts.
    secure_url::parse(base.as_str()).map_err(|wrong| Misuse(format!("{base}: {wrong}")))?;
    let bundle = Target {
        subject: Subject::Bundle,
        url: base.join("/api/health").context("no address of health")?,
    };
    let app = config.app_url.clone().map(|url| Target {
        subject: Subject::App,
        url,
    });
    Ok(std::iter::once(bundle).chain(app).collect())
}

/// How people may be told, if that can be done at all.
fn ways(monitor: &Monitor, config: &Config) -> anyhow::Result<Ways> {
    let ways = match (monitor.dispatch, monitor.slack) {
        (true, _) => Ways::DispatchAlone,
        (_, true) => Ways::SlackAlone,
        (false, false) => Ways::Both,
    };
    if monitor.once {
        return Ok(ways);
    }
    let key = config.monitoring_api_key.is_some();
    let channels = config.channels.list();
    let slack = channels
        .iter()
        .any(|channel| channel.as_str().starts_with("slack"));
    let lacking = match ways {
        Ways::DispatchAlone if !key => Some("MONITORING_API_KEY"),
        Ways::SlackAlone if !slack => Some("SLACK_WEBHOOK_URL"),
        Ways::Both if channels.is_empty() => {
            Some("a channel, SLACK_WEBHOOK_URL say: a bundle that is down tells nobody")
        }
        Ways::Both | Ways::DispatchAlone | Ways::SlackAlone => None,
    };
    match lacking {
        Some(what) => Err(Misuse(format!("to tell anybody it needs {what}")).into()),
        None => Ok(ways),
    }
}

fn once(targets: &[Target], looks: &[Look], output: Output) -> Verdict {
    let now = clock::now();
    let lines: Vec<Value> = targets
        .iter()
        .zip(looks)
        .map(|(target, look)| line(target, look, now))
        .collect();
    let rows: Vec<_> = targets
        .iter()
        .zip(looks)
        .map(|(target, look)| {
            let (word, reason) = words(&look.seen);
            [
                target.subject.as_str().to_owned(),
                word.to_owned(),
                format!("{} ms", look.milliseconds),
                reason.to_owned(),
            ]
        })
        .collect();
    output.result(
        &json!(lines),
        &output::table(["what", "seen", "time", "reason"], &rows),
    );
    if looks.iter().all(|look| look.seen == Seen::Up) {
        Verdict::Good
    } else {
        Verdict::Bad
    }
}

fn line(target: &Target, look: &Look, now: Timestamp) -> Value {
    let (word, reason) = words(&look.seen);
    let reason = (!reason.is_empty()).then_some(reason);
    json!({
        "at": now, "subject": target.subject, "seen": word, "reason": reason,
        "milliseconds": look.milliseconds,
    })
}

fn words(seen: &Seen) -> (&'static str, &str) {
    match seen {
        Seen::Up => ("up", ""),
        Seen::Down(reason) => ("down", reason),
        Seen::Unknown => (
            "unknown",
            "the network here is lost: the witness does not answer",
        ),
    }
}

fn word(news: &News) -> &'static str {
    match news {
        News::Opened { .. } => "opened",
        News::Resolved { .. } => "resolved",
        News::Works => "works",
    }
}

#[cfg(test)]
mod tests;
