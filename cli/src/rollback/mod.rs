//! `pourtrait rollback`: an earlier deployment has the domains again, and whether it works
//! is looked at.

pub(crate) mod arguments;
mod choice;

use anyhow::Context;
use ops::verification::subject::Release;
use serde_json::json;

use crate::{
    environment::Environment,
    project,
    traffic::{Kind, Outcome, Patience, Platform, Scene, Wanted, change, proof},
};
use arguments::Rollback;
use terminal::{
    failure::Verdict,
    output::{self, Output},
};

/// How many deployments are looked through for the one before.
const SEARCHED: u8 = 100;

pub(crate) async fn run(
    rollback: &Rollback,
    environment: &Environment,
    output: Output,
) -> anyhow::Result<Verdict> {
    let platform = Platform::of(environment, rollback.project)?;
    let scene = platform.show(environment).await?;
    let deployment = choose(rollback, &platform, &scene).await?;
    let wanted = Wanted {
        kind: if rollback.release {
            Kind::Release
        } else {
            Kind::Rollback
        },
        deployment,
        reason: reason(&rollback.reason),
    };
    output::note(&format!(
        "{}; {} is asked for",
        scene.words(),
        wanted.deployment
    ));
    let report = change::make(&platform.vercel, wanted, &scene, Patience::default()).await;
    let mut document = report.document();
    if report.outcome() != Outcome::Done {
        output.result(&document, &report.words());
        return Ok(Verdict::Bad);
    }
    let looked = match platform.address(&scene) {
        Some(url) => proof::look(&platform, &url, Release::Any).await,
        None => Err("no domain is known, so nothing was looked at".to_owned()),
    };
    document["verified"] = json!(looked.is_ok());
    document["broken"] = json!(looked.as_ref().err());
    let (verified, verdict) = match looked {
        Ok(seen) => (format!("It works: {seen}."), Verdict::Good),
        Err(why) => (format!("It does not work: {why}."), Verdict::Bad),
    };
    output.result(&document, &format!("{}\n{verified}", report.words()));
    Ok(verdict)
}

async fn choose(rollback: &Rollback, platform: &Platform, scene: &Scene) -> anyhow::Result<String> {
    let vercel = &platform.vercel;
    match (&rollback.deployment, rollback.release) {
        (Some(named), is_release) => {
            let named = choice::bare(named);
            let found = vercel.deployment(named).await;
            let found = match found {
                Err(error) if error.is_absent() => return Err(choice::unknown(named).into()),
                other => other.with_context(|| format!("cannot look at {named}"))?,
            };
            if is_release {
                choice::to_release(&found)?;
            } else {
                choice::to_go_back(&found, scene)?;
            }
            Ok(found.id)
        }
        (None, true) => choice::serving(scene).map_err(Into::into),
        (None, false) => {
            let listed = vercel.deployments(&scene.project.id, SEARCHED).await;
            let listed = listed.context("cannot list the deployments")?;
            choice::before(&listed.deployments, scene).map_err(Into::into)
        }
    }
}

fn reason(said: &str) -> String {
    let by = format!("pourtrait rollback by {}", project::author());
    match said.trim() {
        "" => by,
        said => format!("{said} ({by})"),
    }
}
