//! `pourtrait audit`: what was done that somebody has to answer for, the proof that this is what
//! was written, and what an auditor reads.

pub(crate) mod arguments;
mod export;
pub(crate) mod log_file;
mod proof;
pub(crate) mod report;
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
    match action {
        Audit::List(list) => rows::show(&Project::of(environment)?, list, output).await,
        Audit::Verify(options) => {
            let proof = match &options.file {
                Some(file) => proof::of_file(file, environment).await?,
                None => proof::find(&Project::of(environment)?, environment).await?,
            };
            output.result(&json!(proof.report), &proof.text());
            Ok(proof.verdict())
        }
        Audit::Export { output: file } => {
            export::run(&file, &Project::of(environment)?, output).await
        }
        Audit::Security(options) => {
            security::run(&options, &Project::of(environment)?, environment, output).await
        }
    }
}
