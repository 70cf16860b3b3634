//! `pourtrait errors`: what goes wrong in the app, each kind of error once.

pub(crate) mod arguments;
mod issue;

use std::collections::BTreeMap;

use jiff::Timestamp;
use ops::rpc::{Call, Retry};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    answered::Answered,
    environment::Environment,
    id_start,
    project::{Project, author},
    sourcemaps::resolve,
};
use arguments::Errors;
use issue::{Issue, Shown};
use terminal::{failure::Verdict, output::Output};

/// How many errors are looked through for the one that is named.
const NAMED: u32 = 500;

#[derive(Debug, Serialize)]
struct ListErrors<'a> {
    p_environment: &'a str,
    p_status: &'static str,
    p_limit: u32,
}

#[derive(Debug, Serialize, Deserialize)]
struct Listed {
    errors: Vec<Answered<Issue>>,
    more: u64,
}

impl Call for ListErrors<'_> {
    const NAME: &'static str = "ops_list_errors";
    const RETRY: Retry = Retry::Read;
    type Output = Listed;
}

#[derive(Debug, Serialize)]
struct ShowError {
    p_error: Uuid,
}

impl Call for ShowError {
    const NAME: &'static str = "ops_show_error";
    const RETRY: Retry = Retry::Read;
    type Output = Answered<Shown>;
}

#[derive(Debug, Serialize)]
struct ActOnError {
    p_error: Uuid,
    p_action: &'static str,
    p_until: Option<Timestamp>,
    p_by: String,
}

impl Call for ActOnError {
    const NAME: &'static str = "ops_act_on_error";
    // The same again changes nothing but the time.
    const RETRY: Retry = Retry::Idempotent;
    type Output = Answered<Issue>;
}

pub(crate) async fn run(
    action: Errors,
    environment: &Environment,
    output: Output,
) -> anyhow::Result<Verdict> {
    let project = Project::of(environment)?;
    let act = match action {
        Errors::List {
            status,
            environment,
            limit,
        } => {
            let call = ListErrors {
                p_environment: &environment,
                p_status: status.as_str(),
                p_limit: limit,
            };
            let listed = project.call(&call).await?;
            let text = issue::table(&listed.errors, status.as_str(), listed.more);
            output.result(&serde_json::json!(listed), &text);
            return Ok(Verdict::Good);
        }
        Errors::Show { error } => {
            let call = ShowError {
                p_error: find(&project, &error).await?,
            };
            let shown = project.call(&call).await?;
            show(&project, &shown, output).await;
            return Ok(Verdict::Good);
        }
        Errors::Resolve { error } => (error, "resolve", None),
        Errors::Ignore { error, until } => (error, "ignore", until),
        Errors::Reopen { error } => (error, "reopen", None),
    };
    project.show(environment);
    let (error, action, until) = act;
    let call = ActOnError {
        p_error: find(&project, &error).await?,
        p_action: action,
        p_until: until,
        p_by: author(),
    };
    let issue = project.call(&call).await?;
    output.result(issue.document(), &issue.describe(Issue::standing));
    Ok(Verdict::Good)
}

/// Shows an error, its frames as they were written as far as source maps tell.
async fn show(project: &Project, shown: &Answered<Shown>, output: Output) {
    let looked = shown.known().map(Shown::looked).unwrap_or_default();
    let (events, looked): (Vec<_>, Vec<_>) = looked.into_iter().unzip();
    let frames = resolve::resolve(project, &looked).await;
    let frames: BTreeMap<_, _> = events.into_iter().zip(frames).collect();
    let mut document = shown.document().clone();
    for (event, frames) in &frames {
        if let Some(event) = document["newest"].get_mut(*event) {
            event["frames"] = json!(frames);
        }
    }
    output.result(&document, &shown.describe(|shown| shown.describe(&frames)));
}

/// The id that begins so, in any environment and of any status.
async fn find(project: &Project, start: &str) -> anyhow::Result<Uuid> {
    if let Ok(id) = start.trim().parse() {
        return Ok(id);
    }
    let mut ids = Vec::new();
    for environment in ["production", "preview", "development"] {
        let call = ListErrors {
            p_environment: environment,
            p_status: "all",
            p_limit: NAMED,
        };
        let listed = project.call(&call).await?;
        ids.extend(listed.errors.iter().filter_map(Answered::id));
    }
    Ok(id_start::find("error", start.trim(), ids)?)
}

/// A detail of an error as one line or several; nothing of what is not there.
fn said<'a>(detail: &'a Value, name: &str) -> Option<&'a str> {
    detail[name].as_str().filter(|text| !text.is_empty())
}
