//! A deployment that is built for production and serves nobody: made by Vercel's command,
//! found by what it printed or else by Vercel's API.

use std::{path::Path, time::Duration};

use anyhow::{Context, bail};
use jiff::Timestamp;
use ops::platforms::vercel::{COMMIT_MARK, Deployment, ReadyState};
use outside::clock::{self, Deadline};
use serde_json::Value;
use terminal::{failure::Misuse, output};

use super::program::Program;
use crate::{
    environment::Environment,
    traffic::{Platform, Scene, Which},
};

/// How long a build may take.
const BUILDING: Duration = Duration::from_secs(40 * 60);

/// How long anything else may: `--skip-domain` was seen to wait for ever.
const LIMIT: Duration = Duration::from_secs(10 * 60);

/// How long a deployment that was made is waited for.
const READYING: Duration = Duration::from_secs(5 * 60);

/// The time between two looks at it.
const EVERY: Duration = Duration::from_secs(2);

/// How far this machine's clock may be ahead of Vercel's.
const CLOCKS: Duration = Duration::from_secs(60);

/// How many deployments are looked through for one.
const SEARCHED: u8 = 20;

/// What builds.
pub(super) fn builders(which: Which, scene: &Scene, environment: &Environment) -> Vec<Program> {
    let vercel = |line: &str, limit| {
        let program = Program::new("vercel", line.split(' '), limit);
        linked(program, scene, environment)
    };
    let mut programs = vec![
        vercel("pull --yes --environment=production", LIMIT),
        vercel("build --prod", BUILDING),
    ];
    if which == Which::Ops {
        let line = ".ci/check-vercel-output.mjs vercel.json .vercel/output optimised";
        programs.push(Program::new("node", line.split(' '), LIMIT));
    }
    programs
}

/// What uploads.
pub(super) fn uploader(commit: &str, scene: &Scene, environment: &Environment) -> Program {
    let mark = format!("{COMMIT_MARK}={commit}");
    // `--env` is never used: with `--prebuilt` it takes every other variable away.
    let arguments = [
        "deploy",
        "--prebuilt",
        "--prod",
        "--skip-domain",
        "--meta",
        &mark,
    ];
    linked(Program::new("vercel", arguments, LIMIT), scene, environment)
}

/// Vercel's command, told whose token and which project.
fn linked(program: Program, scene: &Scene, environment: &Environment) -> Program {
    let program = match environment.get("VERCEL_TOKEN") {
        Some(token) => program.with("VERCEL_TOKEN", token),
        None => program,
    };
    // It takes both or neither; with neither it goes by the folder's link.
    match &scene.project.account {
        Some(account) => program
            .with("VERCEL_ORG_ID", account.as_str())
            .with("VERCEL_PROJECT_ID", scene.project.id.as_str()),
        None => program,
    }
}

/// Refuses a folder that is linked to another project.
pub(super) fn is_linked(folder: &Path, scene: &Scene) -> anyhow::Result<()> {
    let Ok(link) = std::fs::read_to_string(folder.join(".vercel/project.json")) else {
        return Ok(());
    };
    let link: Value = serde_json::from_str(&link).context(".vercel/project.json is no JSON")?;
    let linked = link["projectId"].as_str().unwrap_or_default();
    if linked == scene.project.id {
        return Ok(());
    }
    Err(Misuse(format!(
        "the folder is linked to project {linked}, and {} ({}) is to be deployed",
        scene.project.name, scene.project.id
    ))
    .into())
}

/// Uploads what was built, and waits until it is ready.
pub(super) async fn upload(
    program: &Program,
    folder: &Path,
    platform: &Platform,
    scene: &Scene,
    commit: &str,
) -> anyhow::Result<Deployment> {
    let began = clock::now();
    let named = match program.run(folder).await {
        Ok(said) => printed(&said).map(str::to_owned),
        Err(error) => {
            output::note(&format!(
                "  {error:#}; Vercel is asked whether it was made all the same"
            ));
            None
        }
    };
    let found = match named {
        Some(named) => named,
        None => made_since(began, platform, scene, commit).await?,
    };
    ready(platform, scene, &found).await
}

/// The deployment's own address, which Vercel's command prints last.
fn printed(said: &str) -> Option<&str> {
    let mut lines = said.lines().rev().map(str::trim);
    lines.find_map(|line| line.strip_prefix("https://"))
}

/// The deployment of that commit which was made since then.
async fn made_since(
    began: Timestamp,
    platform: &Platform,
    scene: &Scene,
    commit: &str,
) -> anyhow::Result<String> {
    let listed = platform
        .vercel
        .deployments(&scene.project.id, SEARCHED)
        .await?;
    let earliest = began.saturating_sub(CLOCKS)?;
    let is_it = |one: &&Deployment| {
        one.meta(COMMIT_MARK) == Some(commit) && one.created_at.is_some_and(|at| at >= earliest)
    };
    let found = listed.deployments.iter().find(is_it);
    found
        .map(|one| one.id.clone())
        .context("no deployment was made")
}

/// Waits until a deployment is ready, and refuses what cannot be promoted.
pub(super) async fn ready(
    platform: &Platform,
    scene: &Scene,
    named: &str,
) -> anyhow::Result<Deployment> {
    let deadline = Deadline::after(READYING);
    loop {
        let found = platform.vercel.deployment(named).await;
        let found = found.with_context(|| format!("cannot look at deployment {named}"))?;
        match found.state {
            ReadyState::Ready => return fits(found, scene),
            ReadyState::Building | ReadyState::Initializing | ReadyState::Queued
                if !deadline.has_passed() =>
            {
                clock::wait(EVERY).await;
            }
            state => bail!("deployment {} is not ready: {state:?}", found.id),
        }
    }
}

fn fits(found: Deployment, scene: &Scene) -> anyhow::Result<Deployment> {
    let is_foreign = found
        .project
        .as_ref()
        .is_some_and(|project| *project != scene.project.id);
    if is_foreign {
        bail!("deployment {} is of another project", found.id);
    }
    if !found.is_production {
        bail!("deployment {} was not built for production", found.id);
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_the_last_that_was_printed() {
        for (said, expected) in [
            ("https://wine-1.vercel.app\n", Some("wine-1.vercel.app")),
            (
                "Inspect: x\nhttps://a.vercel.app\nhttps://b.vercel.app\n\n",
                Some("b.vercel.app"),
            ),
            ("{}", None),
            ("", None),
        ] {
            assert_eq!(printed(said), expected, "{said:?}");
        }
    }
}
