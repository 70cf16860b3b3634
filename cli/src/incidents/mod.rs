//! `pourtrait incidents`: what people work on, what they do about it, and what is
//! written about it afterwards.

pub(crate) mod arguments;
mod changes;
mod postmortem;
mod story;
mod summary;
mod timeline;

use std::{fs::File, io::Write, path::Path};

use anyhow::Context;
use ops::{
    monitoring::document::Incident,
    rpc::{Call, Retry},
};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{
    answered::{Answered, as_read},
    environment::Environment,
    project::Project,
};
use arguments::Incidents;
use terminal::{
    failure::Verdict,
    output::{self, Output},
};

#[derive(Debug, Serialize)]
struct ListIncidents {
    p_limit: u8,
    p_before: Option<i64>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Listed {
    #[serde(serialize_with = "as_read")]
    incidents: Vec<Answered<Incident>>,
}

impl Call for ListIncidents {
    const NAME: &'static str = "ops_list_incidents";
    const RETRY: Retry = Retry::Read;
    type Output = Listed;
}

pub(crate) async fn run(
    action: Incidents,
    environment: &Environment,
    output: Output,
) -> anyhow::Result<Verdict> {
    let project = Project::of(environment)?;
    match action {
        Incidents::List { limit, before } => {
            let list = ListIncidents {
                p_limit: limit,
                p_before: before,
            };
            let listed = project.call(&list).await?;
            output.result(&json!(listed), &summary::table(&listed.incidents));
        }
        Incidents::Show { number } => {
            let story = story::fetch(&project, number).await?;
            output.result(&json!(story), &story.text());
        }
        Incidents::Postmortem { number, out } => {
            let text = postmortem::write(&story::fetch(&project, number).await?);
            keep(&text, out.as_deref(), output)?;
        }
        Incidents::Change(change) => {
            project.show(environment);
            let changed = changes::apply(&project, change).await?;
            output.result(&json!(changed), &summary::line(&changed));
        }
    }
    Ok(Verdict::Good)
}

/// Writes a text where it was asked for, never over what somebody has edited.
fn keep(text: &str, out: Option<&Path>, output: Output) -> anyhow::Result<()> {
    let Some(path) = out else {
        output.result(&json!({ "markdown": text }), text);
        return Ok(());
    };
    let mut file =
        File::create_new(path).with_context(|| format!("cannot write {}", path.display()))?;
    file.write_all(text.as_bytes())
        .with_context(|| format!("cannot write {}", path.display()))?;
    output::note(&format!("written to {}", path.display()));
    Ok(())
}
