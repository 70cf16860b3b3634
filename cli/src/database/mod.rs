//! `pourtrait database`: what the database server says of itself.

mod advice;
pub(crate) mod arguments;
mod resources;
mod statistics;

use ops::{
    monitoring::document,
    rpc::{Call, Retry},
};
use serde::Serialize;
use serde_json::json;

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
        Database::Advise => {
            let advised = project.call(&advice::AdviseDatabase {}).await?;
            output.result(advised.document(), &advised.describe(advice::describe));
        }
        Database::Resources => {
            let listed = project.call(&resources::ListResources {}).await?;
            output.result(&json!(listed), &resources::describe(&listed));
        }
    }
    Ok(Verdict::Good)
}
