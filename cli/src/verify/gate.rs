//! The deployment check on Vercel: made once, and its runs answered from here where no tick
//! does it.

use std::{sync::Arc, time::Duration};

use anyhow::Context;
use ops::{
    app::App,
    verification::{
        check_runs::{self, Answered},
        subject::Project,
    },
};
use outside::{clock::Deadline, outbound::Outbound};
use serde_json::json;

use crate::environment::Environment;
use terminal::{
    failure::{Misuse, Verdict},
    output::{self, Output},
};

/// How long one run may take.
const TIME: Duration = Duration::from_secs(120);

/// How many runs are answered at most; a project rarely has two that wait.
const MOST: usize = 20;

/// Makes the check, unless it is there.
pub(super) async fn register(
    webhook: &str,
    project: Project,
    environment: &Environment,
    output: Output,
) -> anyhow::Result<Verdict> {
    let config = environment.config();
    let (named, variable) = match project {
        Project::Ops => (&config.platforms.own_project, "VERCEL_PROJECT_ID"),
        Project::App => (&config.platforms.app_project, "APP_VERCEL_PROJECT_ID"),
    };
    let missing = |name: &str| Misuse(format!("{name} is not set in {}", environment.origin()));
    let vercel = config.platforms.vercel(&Arc::new(Outbound::default()));
    let vercel = vercel.ok_or_else(|| missing("VERCEL_TOKEN"))?;
    let named = named.as_ref().ok_or_else(|| missing(variable))?;
    output::note(&format!("target: {named} at {}", vercel.api().host()));
    let known = vercel.checks(named).await.context("cannot list checks")?;
    let known = known
        .into_iter()
        .find(|check| check.name == check_runs::NAME);
    let (check, made) = if let Some(check) = known {
        (check, false)
    } else {
        let made = vercel.make_check(named, check_runs::NAME, webhook).await;
        let made = made.map_err(|error| {
            let uncertain = if error.is_uncertain() {
                "; it may have been made: call this again to see"
            } else {
                ""
            };
            anyhow::anyhow!("the check was not made: Vercel {error}{uncertain}")
        })?;
        (made, true)
    };
    let text = if made {
        format!(
            "made check {}: a production deployment of {named} gets its domains when it is \
             verified, or never",
            check.id
        )
    } else {
        format!("check {} is there already; nothing was changed", check.id)
    };
    output.result(&json!({ "check": check.id, "made": made }), &text);
    Ok(Verdict::Good)
}

/// Answers every run that waits.
pub(super) async fn answer_all(
    environment: &Environment,
    output: Output,
) -> anyhow::Result<Verdict> {
    let app = App::new(environment.config());
    let mut answered = Vec::new();
    for _ in 0..MOST {
        let next = check_runs::answer_next(&app, Deadline::after(TIME)).await?;
        let next = next.ok_or_else(|| {
            Misuse(format!(
                "VERCEL_TOKEN is not set in {}",
                environment.origin()
            ))
        })?;
        if next == Answered::Nothing {
            break;
        }
        output::note(&told(&next));
        answered.push(next);
    }
    let text = match answered.len() {
        0 => "no run waits".to_owned(),
        1 => "one run was answered".to_owned(),
        more => format!("{more} runs were looked at"),
    };
    output.result(&json!({ "runs": answered }), &text);
    let lost = answered
        .iter()
        .any(|answered| matches!(answered, Answered::Unanswered { .. }));
    Ok(if lost { Verdict::Bad } else { Verdict::Good })
}

fn told(answered: &Answered) -> String {
    match answered {
        Answered::Nothing => "no run waits".to_owned(),
        Answered::Taken {
            run,
            conclusion,
            text,
        } => format!("{run}: {conclusion:?}: {text}").to_lowercase(),
        Answered::Dropped { run } => format!("{run}: nobody wants to know it any more"),
        Answered::Unanswered { run, reason } => {
            format!("{run}: Vercel did not take the answer: {reason}")
        }
    }
}
