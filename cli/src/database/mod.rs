//! `pourtrait database`: what the database server says of itself.

pub(crate) mod arguments;
mod statistics;

use ops::{
    monitoring::document,
    rpc::{Call, Retry},
};
use serde::Serialize;

use crate::{answered::Answered, environment::Environment, project::Project};
use arguments::Database;
use terminal::{failure::Verdict, output::Output};

#[derive(Debug, Serialize)]
struct ShowDatabase {}

impl Call for ShowDatabase {
    const NAME: &'static str = "ops_show_database";
    const RETRY: Retry = Retry::Read;
    type Output = Answered<document::Database>;
}

pub(crate) async fn run(
    action: Database,
    environment: &Environment,
    output: Output,
) -> anyhow::Result<Verdict> {
    let project = Project::of(environment)?;
    match action {
        Database::Show => {
            let shown = project.call(&ShowDatabase {}).await?;
            output.result(shown.document(), &shown.describe(statistics::describe));
        }
    }
    Ok(Verdict::Good)
}
