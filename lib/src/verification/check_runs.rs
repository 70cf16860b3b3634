//! The deployment check of the platform: it asks, one run is verified, and the platform is
//! answered before it gives a release the domains.
//!
//! The database keeps what a run came to before it is sent. So a run whose answer was lost is
//! answered again, and always in the same way; one that was cancelled is not answered at all.

use std::{sync::Arc, time::Duration};

use outside::clock::{self, Deadline};
use serde::{Deserialize, Serialize};
use url::Url;
use uuid::Uuid;

use super::{
    look_at,
    subject::{Project, Subject},
};
use crate::{
    app::App,
    config::Environment,
    platforms::{
        api::ApiError,
        vercel::{
            Vercel,
            check_runs::{Conclusion, RunAnswer},
        },
    },
    rpc::{Call, Retry, RpcError},
};

/// The name of the check on the platform.
pub const NAME: &str = "pourtrait verify";

/// How long one verification may take.
const LOOKING: Duration = Duration::from_secs(20);

/// The time that is kept back to keep and to send a conclusion.
const ANSWERING: Duration = Duration::from_secs(8);

/// How much of what was found the platform is told, in characters.
const TOLD: usize = 1_000;

/// What became of the run that was next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "outcome", rename_all = "lowercase")]
pub enum Answered {
    /// No run waits.
    Nothing,
    /// The platform took the conclusion.
    Taken {
        /// The run.
        run: String,
        /// What it came to.
        conclusion: Conclusion,
        /// Why.
        text: String,
    },
    /// Nobody wants to know it any more, or somebody else is at it.
    Dropped {
        /// The run.
        run: String,
    },
    /// The platform took no answer; it is sent again unless the refusal is for good.
    Unanswered {
        /// The run.
        run: String,
        /// Why.
        reason: String,
    },
}

#[derive(Debug, Serialize)]
struct ClaimCheckRun {
    p_claim: Uuid,
}

/// A run, and what it came to if that is known.
#[derive(Debug, Deserialize)]
struct Claimed {
    run: Option<String>,
    deployment: Option<String>,
    conclusion: Option<Conclusion>,
    text: Option<String>,
}

impl Call for ClaimCheckRun {
    const NAME: &'static str = "ops_claim_check_run";
    const RETRY: Retry = Retry::Idempotent;
    type Output = Claimed;
}

#[derive(Debug, Serialize)]
struct ConcludeCheckRun<'a> {
    p_run: &'a str,
    p_claim: Uuid,
    p_conclusion: Conclusion,
    p_text: &'a str,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Concluded {
    is_due: bool,
    conclusion: Option<Conclusion>,
    text: Option<String>,
}

impl Call for ConcludeCheckRun<'_> {
    const NAME: &'static str = "ops_conclude_check_run";
    const RETRY: Retry = Retry::Idempotent;
    type Output = Concluded;
}

#[derive(Debug, Serialize)]
struct SettleCheckRun<'a> {
    p_run: &'a str,
    p_claim: Uuid,
    p_refusal: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Settled {}

impl Call for SettleCheckRun<'_> {
    const NAME: &'static str = "ops_settle_check_run";
    const RETRY: Retry = Retry::Idempotent;
    type Output = Settled;
}

/// A run that is ours for a while.
struct Run {
    claim: Uuid,
    id: String,
    deployment: String,
}

/// Verifies and answers the run that is next. `None` where there is nobody to answer, or too
/// little time.
///
/// # Errors
/// See [`RpcError`]. What was claimed is claimed again when its lease ends.
pub async fn answer_next(app: &App, deadline: Deadline) -> Result<Option<Answered>, RpcError> {
    let Some(vercel) = app.config.platforms.vercel(&app.outbound) else {
        return Ok(None);
    };
    if deadline.remaining() < LOOKING + ANSWERING {
        return Ok(None);
    }
    let claim = Uuid::new_v4();
    let claimed = app
        .call(&ClaimCheckRun { p_claim: claim }, deadline)
        .await?;
    let (Some(id), Some(deployment)) = (claimed.run, claimed.deployment) else {
        return Ok(Some(Answered::Nothing));
    };
    let run = Run {
        claim,
        id,
        deployment,
    };
    let (conclusion, text) = match (claimed.conclusion, claimed.text) {
        (Some(conclusion), Some(text)) => (conclusion, text),
        _ => match conclude(app, &vercel, &run, deadline).await? {
            Some(concluded) => concluded,
            None => return Ok(Some(Answered::Dropped { run: run.id })),
        },
    };
    send(app, &vercel, run, conclusion, text, deadline)
        .await
        .map(Some)
}

/// Verifies a run and keeps what it came to; `None` if that is nobody's business any more.
async fn conclude(
    app: &App,
    vercel: &Vercel,
    run: &Run,
    deadline: Deadline,
) -> Result<Option<(Conclusion, String)>, RpcError> {
    let (conclusion, text) = verify(app, vercel, run, deadline.within(LOOKING)).await;
    let call = ConcludeCheckRun {
        p_run: &run.id,
        p_claim: run.claim,
        p_conclusion: conclusion,
        p_text: &text,
    };
    let concluded = app.call(&call, deadline).await?;
    let counts = concluded.conclusion.zip(concluded.text);
    Ok(counts.filter(|_| concluded.is_due))
}

async fn verify(app: &App, vercel: &Vercel, run: &Run, deadline: Deadline) -> (Conclusion, String) {
    match subject(app, vercel, &run.deployment).await {
        Ok(subject) => {
            let report = look_at(&subject, deadline).await;
            let conclusion = if report.is_good() {
                Conclusion::Succeeded
            } else {
                Conclusion::Failed
            };
            (conclusion, report.summary(TOLD))
        }
        Err(reason) => (Conclusion::Failed, reason),
    }
}

/// The deployment, at the address that the platform says is its own: what a webhook says of
/// that is not asked. Which release it is, nobody knows who is of the one before.
async fn subject(app: &App, vercel: &Vercel, deployment: &str) -> Result<Subject, String> {
    let found = vercel
        .deployment(deployment)
        .await
        .map_err(|error| format!("Vercel {error}"))?;
    let platforms = &app.config.platforms;
    let is_of = |named: &Option<String>| named.as_ref().is_some_and(|named| found.is_of(named));
    let project = if is_of(&platforms.own_project) {
        Project::Ops
    } else if is_of(&platforms.app_project) {
        Project::App
    } else {
        return Err(format!(
            "it is a deployment of {}, which is not looked at here",
            found.owner()
        ));
    };
    let url = found.address().and_then(|url| url.parse().ok());
    let url = url.ok_or("Vercel says no address of the deployment")?;
    let subject = Subject::of_a_release(url, project, &app.config, Arc::clone(&app.outbound));
    Ok(Subject {
        environment: if found.is_production {
            Environment::Production
        } else {
            Environment::Preview
        },
        ..subject
    })
}

async fn send(
    app: &App,
    vercel: &Vercel,
    run: Run,
    conclusion: Conclusion,
    text: String,
    deadline: Deadline,
) -> Result<Answered, RpcError> {
    let answer = RunAnswer {
        deployment: &run.deployment,
        run: &run.id,
        conclusion,
        text: &text,
        url: app.config.base_url.as_ref().map(Url::as_str),
    };
    let sent = vercel
        .answer_check_run(&answer, clock::now().as_millisecond())
        .await;
    let refusal = match &sent {
        Ok(()) => None,
        Err(error) if is_for_good(error) => Some(error.to_string()),
        Err(error) => {
            tracing::warn!(run = run.id, %error, "a check run's answer may be lost; it is sent again");
            return Ok(Answered::Unanswered {
                reason: error.to_string(),
                run: run.id,
            });
        }
    };
    let call = SettleCheckRun {
        p_run: &run.id,
        p_claim: run.claim,
        p_refusal: refusal.clone(),
    };
    app.call(&call, deadline).await?;
    Ok(match refusal {
        None => Answered::Taken {
            run: run.id,
            conclusion,
            text,
        },
        Some(reason) => Answered::Unanswered {
            run: run.id,
            reason,
        },
    })
}

/// Whether asking again will be answered the same way.
fn is_for_good(error: &ApiError) -> bool {
    matches!(error.status(), Some(400 | 403 | 404 | 409 | 410 | 422))
}
