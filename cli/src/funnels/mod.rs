//! `pourtrait funnels`: how far people come on the ways through the app that somebody wants
//! counted. The database counts and validates.

pub(crate) mod arguments;
mod funnel;

use jiff::SignedDuration;
use ops::rpc::{Call, Retry};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{
    answered::{Answered, oddities},
    environment::Environment,
    project::{Project, author},
};
use arguments::{By, Funnels};
use funnel::{Counted, Funnel};
use terminal::{failure::Verdict, output::Output};

#[derive(Debug, Serialize)]
struct ListFunnels {}

#[derive(Debug, Deserialize)]
struct Listed {
    funnels: Vec<Answered<Funnel>>,
}

impl Call for ListFunnels {
    const NAME: &'static str = "ops_list_funnels";
    const RETRY: Retry = Retry::Read;
    type Output = Listed;
}

/// How many funnels are kept, and what is wrong with those that cannot be read.
pub(crate) async fn kept(project: &Project) -> anyhow::Result<(usize, Vec<String>)> {
    let listed = project.call(&ListFunnels {}).await?.funnels;
    Ok((listed.len(), oddities("funnels", &listed)))
}

#[derive(Debug, Serialize)]
struct CountFunnel<'a> {
    p_name: &'a str,
    p_days: u32,
    p_environment: &'a str,
    p_by: Option<&'static str>,
}

impl Call for CountFunnel<'_> {
    const NAME: &'static str = "ops_funnel";
    const RETRY: Retry = Retry::Read;
    type Output = Answered<Counted>;
}

#[derive(Debug, Serialize)]
struct SetFunnel<'a> {
    p_name: &'a str,
    p_steps: &'a [String],
    p_within_minutes: i64,
    p_by: String,
}

impl Call for SetFunnel<'_> {
    const NAME: &'static str = "ops_set_funnel";
    // The same again changes nothing.
    const RETRY: Retry = Retry::Idempotent;
    type Output = Answered<Funnel>;
}

#[derive(Debug, Serialize)]
struct RemoveFunnel<'a> {
    p_name: &'a str,
    p_by: String,
}

impl Call for RemoveFunnel<'_> {
    const NAME: &'static str = "ops_remove_funnel";
    // The second answer would say that there is none.
    const RETRY: Retry = Retry::Never;
    type Output = Answered<Funnel>;
}

pub(crate) async fn run(
    action: Funnels,
    environment: &Environment,
    output: Output,
) -> anyhow::Result<Verdict> {
    let project = Project::of(environment)?;
    match action {
        Funnels::List => {
            let funnels = project.call(&ListFunnels {}).await?.funnels;
            output.result(&json!({ "funnels": funnels }), &funnel::table(&funnels));
        }
        Funnels::Show {
            name,
            days,
            environment,
            by,
        } => {
            let call = CountFunnel {
                p_name: &name,
                p_days: days,
                p_environment: &environment,
                p_by: by.map(By::as_str),
            };
            let counted = project.call(&call).await?;
            output.result(counted.document(), &counted.describe(Counted::describe));
        }
        Funnels::Set {
            name,
            steps,
            within,
        } => {
            project.show(environment);
            let funnel = project.call(&set(&name, &steps, within)).await?;
            output.result(funnel.document(), &funnel.describe(Funnel::line));
        }
        Funnels::Remove { name } => {
            project.show(environment);
            let call = RemoveFunnel {
                p_name: &name,
                p_by: author(),
            };
            let removed = project.call(&call).await?;
            output.result(removed.document(), &format!("{name} is no longer counted"));
        }
    }
    Ok(Verdict::Good)
}

fn set<'a>(name: &'a str, steps: &'a [String], within: SignedDuration) -> SetFunnel<'a> {
    SetFunnel {
        p_name: name,
        p_steps: steps,
        p_within_minutes: within.as_mins(),
        p_by: author(),
    }
}
