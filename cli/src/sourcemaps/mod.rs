//! `pourtrait sourcemaps`: the source maps of builds, which are kept in private, and what
//! they tell of the frames of an error.

pub(crate) mod arguments;
mod build_files;
mod kept_map;
mod mappings;
mod names;
pub(crate) mod original;
mod packing;
pub(crate) mod resolve;
mod source_map;
mod stack;
mod upload;

use ops::rpc::{Call, Retry};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{environment::Environment, project::Project};
use arguments::Sourcemaps;
use kept_map::Listed;
use terminal::{failure::Verdict, output::Output};

#[derive(Debug, Serialize)]
struct ListSourceMaps<'a> {
    p_release: Option<&'a str>,
}

impl Call for ListSourceMaps<'_> {
    const NAME: &'static str = "ops_list_source_maps";
    const RETRY: Retry = Retry::Read;
    type Output = Listed;
}

#[derive(Debug, Serialize)]
struct DeleteSourceMaps<'a> {
    p_release: &'a str,
}

#[derive(Debug, Serialize, Deserialize)]
struct Deleted {
    release: String,
    deleted: u64,
}

impl Call for DeleteSourceMaps<'_> {
    const NAME: &'static str = "ops_delete_source_maps";
    // A second call would be refused, for nothing is left.
    const RETRY: Retry = Retry::Never;
    type Output = Deleted;
}

pub(crate) async fn run(
    action: Sourcemaps,
    environment: &Environment,
    output: Output,
) -> anyhow::Result<Verdict> {
    let project = Project::of(environment)?;
    match action {
        Sourcemaps::Upload(upload) => {
            project.show(environment);
            return upload::run(&project, upload, output).await;
        }
        Sourcemaps::List { release } => {
            let call = ListSourceMaps {
                p_release: release.as_deref(),
            };
            let listed = project.call(&call).await?;
            output.result(&json!(listed), &listed.describe(release.as_deref()));
        }
        Sourcemaps::Delete { release } => {
            project.show(environment);
            let call = DeleteSourceMaps {
                p_release: &release,
            };
            let deleted = project.call(&call).await?;
            let text = match deleted.deleted {
                1 => format!("1 source map of {release} was deleted"),
                count => format!("{count} source maps of {release} were deleted"),
            };
            output.result(&json!(deleted), &text);
        }
    }
    Ok(Verdict::Good)
}
