//! A staged deployment gets the domains; where it then does not work, what served before
//! gets them back.

use anyhow::Context;
use ops::{migrate::Schema, verification::subject::Release};
use serde_json::{Value, json};
use terminal::{failure::Misuse, output};

use super::{
    schema,
    steps::{Cut, Steps},
};
use crate::{
    environment::Environment,
    traffic::{
        Kind, Outcome, Patience, Pin, Platform, Report, Scene, Serving, Wanted, Which, change,
        proof,
    },
};

/// What came of a release.
#[derive(Debug)]
pub(super) struct Released {
    pub(super) report: Report,
    /// Why what serves does not work, if it does not.
    pub(super) broken: Option<String>,
    /// What came of going back, where that was tried.
    pub(super) returned: Option<Report>,
}

/// Refuses to release where nobody would see it, or where that cannot be known.
pub(super) fn admits(scene: &Scene, consents: bool) -> Result<(), Misuse> {
    if let Some(request) = scene.open_request() {
        let to = request.to.as_deref().unwrap_or("another deployment");
        return Err(Misuse(format!(
            "a change to {to} is under way: look with `pourtrait status`, and come back when it \
             is over"
        )));
    }
    if scene.serving() == Serving::Several {
        return Err(Misuse(format!(
            "{}: make one serve with `pourtrait rollback DEPLOYMENT` first",
            scene.words()
        )));
    }
    match scene.pin() {
        Pin::Free => Ok(()),
        Pin::Pinned(_) | Pin::Unsaid if consents => Ok(()),
        Pin::Pinned(since) => {
            let since = since.map(|at| format!(" since {}", crate::times::to_the_minute(at)));
            Err(Misuse(format!(
                "production is pinned to {}{}, so that a release would serve nobody: --unpin \
                 promotes it all the same, `pourtrait rollback --release` ends the pin alone",
                scene.alone().unwrap_or("nothing"),
                since.unwrap_or_default()
            )))
        }
        Pin::Unsaid => Err(Misuse(
            "Vercel does not say whether production is pinned: --unpin promotes all the same"
                .to_owned(),
        )),
    }
}

/// Promotes a deployment by what `seen` showed, and looks whether it works.
pub(super) async fn promote(
    platform: &Platform,
    seen: &Scene,
    deployment: &str,
    steps: &mut Steps,
) -> anyhow::Result<Released> {
    let wanted = Wanted {
        kind: Kind::Promote,
        deployment: deployment.to_owned(),
        reason: String::new(),
    };
    let promoting = async {
        let patience = Patience::default();
        Ok(change::make(&platform.vercel, wanted, seen, patience).await)
    };
    let report = steps
        .take_whole("promote", &unknown(platform), promoting)
        .await?;
    output::note(&format!("  {}", report.words()));
    let mut broken = None;
    if report.outcome() == Outcome::Done {
        let looking = works(platform, seen, Release::OfThisBuild);
        steps.leave(unseen(platform, deployment));
        match steps.take("look at the domains", looking).await {
            Ok(()) => {}
            // Whoever asked for an end did not ask to go back.
            Err(error) if error.is::<Cut>() => return Err(error),
            Err(error) => broken = Some(format!("{error:#}")),
        }
    }
    Ok(Released {
        report,
        broken,
        returned: None,
    })
}

/// Gives the domains back to what served before, and the database its functions.
pub(super) async fn go_back(
    platform: &Platform,
    environment: &Environment,
    before: &Scene,
    former: Option<&Schema>,
    steps: &mut Steps,
) -> anyhow::Result<Report> {
    let deployment = before
        .alone()
        .context("nothing served before, so that there is nothing to go back to")?;
    let wanted = Wanted {
        kind: Kind::Rollback,
        deployment: deployment.to_owned(),
        reason: "pourtrait deploy: the release does not work".to_owned(),
    };
    let returning = async {
        let seen = platform.look().await?;
        let patience = Patience::default();
        Ok(change::make(&platform.vercel, wanted, &seen, patience).await)
    };
    let report = steps
        .take_whole("go back", &unknown(platform), returning)
        .await?;
    output::note(&format!("  {}", report.words()));
    if report.outcome() == Outcome::Done {
        steps.leave(unseen(platform, deployment));
        if let Some(former) = former {
            let restoring = schema::go_back(environment, former);
            let leaves = "the functions of the release that was gone back from may be in force: \
                `pourtrait migrate status` says so";
            steps
                .take_whole("put the functions back", leaves, restoring)
                .await?;
        }
        let looking = works(platform, before, Release::Any);
        steps.take("look at the domains again", looking).await?;
    }
    Ok(report)
}

/// What is left where a change of traffic is not waited for.
fn unknown(platform: &Platform) -> String {
    format!(
        "whether the domains move is not known: `pourtrait status{}` says what serves",
        platform.which.flag()
    )
}

/// What is left where nobody looked at what serves.
fn unseen(platform: &Platform, deployment: &str) -> String {
    format!(
        "{deployment} serves, and nobody looked whether it works: `pourtrait verify{}` does",
        match platform.which {
            Which::App => " --project app",
            Which::Ops => "",
        }
    )
}

/// Looks at the domains as they are now.
async fn works(platform: &Platform, scene: &Scene, release: Release) -> anyhow::Result<()> {
    let Some(url) = platform.address(scene) else {
        output::note("  no domain is known, so nothing was looked at");
        return Ok(());
    };
    let seen = proof::look(platform, &url, release).await;
    output::note(&format!("  {}", seen.map_err(anyhow::Error::msg)?));
    Ok(())
}

impl Released {
    /// Whether the deployment serves and works.
    pub(super) fn is_good(&self) -> bool {
        self.report.outcome() == Outcome::Done && self.broken.is_none()
    }

    /// What came of it.
    pub(super) fn words(&self) -> String {
        let mut lines = vec![self.report.words()];
        lines.extend(self.broken.clone());
        if let Some(returned) = &self.returned {
            lines.push(format!("Gone back: {}", returned.words()));
        }
        lines.join("\n")
    }

    /// The same for scripts.
    pub(super) fn document(&self) -> Value {
        json!({
            "promotion": self.report.document(),
            "broken": self.broken,
            "return": self.returned.as_ref().map(Report::document),
        })
    }
}
