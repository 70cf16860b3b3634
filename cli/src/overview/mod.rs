//! `pourtrait` alone: how everything stands, and the next sensible step. It asks the project
//! once, changes nothing, and what it finds is no failure of the command.

mod next_step;
mod standing;

use std::time::Duration;

use serde_json::json;

use crate::{
    environment::Environment,
    project::{Project, Unmigrated},
};
use next_step::Step;
use standing::{Known, ShowOverview, Standing};
use terminal::{failure::Verdict, output::Output};

/// How long the project may take: whoever asks nothing in particular does not wait for long.
const PATIENCE: Duration = Duration::from_secs(5);

pub(crate) async fn run(
    environment: Option<&Environment>,
    output: Output,
) -> anyhow::Result<Verdict> {
    let standing = match environment {
        None => Standing::Nameless,
        Some(environment) => ask(environment).await,
    };
    let step = Step::after(&standing);
    let source = environment.map(Environment::origin);
    output.result(
        &json!({ "source": source, "standing": standing.document(), "next": step }),
        &format!(
            "{}\n\nnext: {}",
            standing.text(source.as_deref()),
            step.text()
        ),
    );
    Ok(Verdict::Good)
}

async fn ask(environment: &Environment) -> Standing {
    let project = match Project::of(environment) {
        Ok(project) => project,
        Err(error) => return Standing::Unconfigured(format!("{error:#}")),
    };
    let host = project.host().to_owned();
    match project.call_within(PATIENCE, &ShowOverview {}).await {
        Ok(shown) => Standing::Known(Box::new(Known { host, shown })),
        Err(error) if error.is::<Unmigrated>() => Standing::Unmigrated(host),
        Err(error) => Standing::Silent {
            host,
            reason: format!("{error:#}"),
        },
    }
}
