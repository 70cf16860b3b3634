//! `pourtrait audit export`: the log as a file, for whoever asks for it.

use std::path::Path;

use ops::audit_log::ReadAudit;
use serde_json::json;

use super::{log_file::Writing, proof::PAGE};
use crate::project::Project;
use terminal::{failure::Verdict, output::Output};

pub(super) async fn run(path: &Path, project: &Project, output: Output) -> anyhow::Result<Verdict> {
    let page = |p_after| ReadAudit {
        p_after,
        p_limit: PAGE,
    };
    let mut next = project.call(&page(0)).await?;
    let mut writing = Writing::begin(path, project.host(), next.checkpoint.clone())?;
    while !next.rows.is_empty() {
        for row in &next.rows {
            writing.add(row)?;
        }
        next = project.call(&page(writing.last())).await?;
    }
    let written = writing.end()?;
    output.result(
        &json!({ "file": path, "rows": written.rows }),
        &format!("wrote {} rows into {}", written.rows, path.display()),
    );
    Ok(Verdict::Good)
}
