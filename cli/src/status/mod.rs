//! `pourtrait status`: what serves production, by what holds its domains and not by what
//! was asked for, and which deployments one can go back to.

pub(crate) mod arguments;

use anyhow::Context;
use jiff::Timestamp;
use ops::{
    messages::{plain_text, quantities},
    platforms::vercel::{Deployment, Listed, ReadyState, Substate, Traffic},
};
use outside::clock;
use serde_json::{Value, json};

use crate::{
    environment::Environment,
    times,
    traffic::{Pin, Platform, Scene, Serving, Which, way_back},
};
use arguments::Status;
use terminal::{
    failure::Verdict,
    output::{self, Output},
};

/// How many deployments are shown.
const SHOWN: u8 = 20;

pub(crate) async fn run(
    asked: &Status,
    environment: &Environment,
    output: Output,
) -> anyhow::Result<Verdict> {
    let platform = Platform::of(environment, asked.project)?;
    let scene = platform.show(environment).await?;
    let listed = platform
        .vercel
        .deployments(&scene.project.id, SHOWN)
        .await
        .context("cannot list the deployments")?;
    let now = clock::now();
    let mut document = json!({
        "project": {"id": scene.project.id, "name": scene.project.name},
        "serving": scene.document(),
        "commit": serving_deployment(&scene, &listed).and_then(Deployment::commit),
        "underWay": scene.open_request().and_then(|request| request.to.clone()),
    });
    let mut lines = overview(&scene, &listed, platform.which, now);
    if asked.deployments {
        let documents: Vec<_> = listed
            .deployments
            .iter()
            .map(|one| row_document(one, &scene))
            .collect();
        document["deployments"] = Value::from(documents);
        lines.push(String::new());
        lines.extend(table(&listed, &scene, now));
    }
    output.result(&document, &lines.join("\n"));
    Ok(match scene.serving() {
        Serving::One(_) => Verdict::Good,
        Serving::Several | Serving::Nobody => Verdict::Bad,
    })
}

fn serving_deployment<'a>(scene: &Scene, listed: &'a Listed) -> Option<&'a Deployment> {
    let serving = scene.alone()?;
    listed.deployments.iter().find(|one| one.id == serving)
}

fn overview(scene: &Scene, listed: &Listed, which: Which, now: Timestamp) -> Vec<String> {
    let since = scene.since().map(|at| {
        let age = age(at, now);
        format!(" since {} ({age})", times::to_the_minute(at))
    });
    let mut lines = vec![format!("{}{}", scene.words(), since.unwrap_or_default())];
    if let Some(serving) = serving_deployment(scene, listed) {
        lines.push(format!("commit: {}", commit(serving)));
    }
    let domains: Vec<_> = scene.domains.keys().map(String::as_str).collect();
    lines.push(format!("domains: {}", domains.join(", ")));
    lines.push(format!("pinned: {}", pin(scene.pin(), which)));
    if let Some(request) = scene.open_request() {
        let what = match request.kind {
            Some(Traffic::Promote) => "a promotion",
            Some(Traffic::Rollback) => "a rollback",
            Some(Traffic::Unknown) | None => "a change",
        };
        let to = request.to.as_deref().unwrap_or("another deployment");
        lines.push(format!("under way: {what} to {to}"));
    }
    lines
}

fn pin(pin: Pin, which: Which) -> String {
    let release = format!("`pourtrait rollback --release{}` ends that", which.flag());
    match pin {
        Pin::Free => "no".to_owned(),
        Pin::Pinned(Some(since)) => format!(
            "yes, since {}: later releases serve nobody; {release}",
            times::to_the_minute(since)
        ),
        Pin::Pinned(None) => format!("yes: later releases serve nobody; {release}"),
        Pin::Unsaid => "Vercel does not say".to_owned(),
    }
}

fn table(listed: &Listed, scene: &Scene, now: Timestamp) -> Vec<String> {
    let rows: Vec<_> = listed
        .deployments
        .iter()
        .map(|one| {
            let obstacle = way_back::obstacle(one, scene);
            [
                one.id.clone(),
                one.created_at.map_or_else(String::new, |at| age(at, now)),
                commit(one),
                state(one).to_owned(),
                obstacle.map_or_else(|| "yes".to_owned(), |why| format!("no: {}", why.words())),
            ]
        })
        .collect();
    let heading = ["deployment", "age", "commit", "state", "can go back to it"];
    let mut lines = vec![output::table(heading, &rows)];
    if listed.unreadable > 0 {
        lines.push(format!(
            "{} more cannot be read by this command",
            listed.unreadable
        ));
    }
    lines
}

fn row_document(one: &Deployment, scene: &Scene) -> Value {
    let obstacle = way_back::obstacle(one, scene);
    json!({
        "id": one.id,
        "url": one.address(),
        "createdAt": one.created_at,
        "commit": one.commit(),
        "state": state(one),
        "serves": scene.holders().any(|(_, holder)| holder == Some(one.id.as_str())),
        "canGoBack": obstacle.is_none(),
        "whyNot": obstacle.map(way_back::Obstacle::words),
    })
}

fn state(one: &Deployment) -> &'static str {
    match (one.state, one.substate) {
        (ReadyState::Ready, Some(Substate::Staged)) => "staged",
        (ReadyState::Ready, Some(Substate::Rolling)) => "rolling",
        (ReadyState::Ready, Some(Substate::Promoted)) => "promoted",
        (ReadyState::Ready, Some(Substate::Unknown) | None) => "ready",
        (ReadyState::Blocked, _) => "blocked",
        (ReadyState::Building, _) => "building",
        (ReadyState::Canceled, _) => "canceled",
        (ReadyState::Deleted, _) => "deleted",
        (ReadyState::Error, _) => "failed",
        (ReadyState::Initializing, _) => "initializing",
        (ReadyState::Queued, _) => "queued",
        (ReadyState::Unknown, _) => "unknown",
    }
}

/// The commit in seven characters, and what it says.
fn commit(one: &Deployment) -> String {
    let Some(commit) = one.commit() else {
        return "unknown".to_owned();
    };
    let short: String = commit.chars().take(7).collect();
    match one.subject() {
        Some(subject) => format!("{} {}", plain_text::line(&short), plain_text::line(subject)),
        None => plain_text::line(&short),
    }
}

fn age(at: Timestamp, now: Timestamp) -> String {
    let seconds = now.duration_since(at).as_secs();
    quantities::duration(u64::try_from(seconds).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pin_says_how_it_ends() {
        let since: Timestamp = "2026-11-24T12:00:00Z".parse().unwrap();
        for (which, said, words) in [
            (Which::App, Pin::Free, "no"),
            (
                Which::Ops,
                Pin::Pinned(Some(since)),
                "yes, since 2026-11-24 12:00 UTC: later releases serve nobody; \
                 `pourtrait rollback --release --project ops` ends that",
            ),
            (Which::App, Pin::Unsaid, "Vercel does not say"),
        ] {
            assert_eq!(pin(said, which), words);
        }
    }
}
