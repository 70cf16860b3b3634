//! `pourtrait audit`: what was done that somebody has to answer for, the proof that this is what
//! was written, and what an auditor reads.

pub(crate) mod arguments;
mod proof;
mod rows;
mod security;

use serde_json::json;

use crate::{environment::Environment, project::Project};
use arguments::Audit;
use terminal::{failure::Verdict, output::Output};

pub(crate) async fn run(
    action: Audit,
    environment: &Environment,
    output: Output,
) -> anyhow::Result<Verdict> {
    let project = Project::of(environment)?;
    match action {
        Audit::List(list) => rows::show(&project, list, output).await,
        Audit::Verify => {
            let proof = proof::find(&project, environment).await?;
            output.result(&json!(proof.report), &proof.text());
            Ok(proof.verdict())
        }
        Audit::Security(options) => security::run(&options, &project, environment, output).await,
    }
}
