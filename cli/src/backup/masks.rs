//! `pourtrait backup mask-template`, and the masks of a restore.

use std::{io::Write, path::Path};

use anyhow::Context;
use backup::masking::{self, MaskFile};
use serde_json::json;

use super::{
    arguments::MaskTemplate,
    repository::{Repository, identities},
};
use crate::environment::Environment;
use terminal::{
    failure::{Misuse, Verdict},
    output::Output,
};

/// Writes a file of masks for a person to read and to correct.
pub(super) async fn propose(
    options: &MaskTemplate,
    environment: &Environment,
    output: Output,
) -> anyhow::Result<Verdict> {
    let repository = Repository::of(environment)?;
    let identities = identities(&options.key, environment)?;
    let snapshot = options.moment.find(&repository, &options.snapshot).await?;
    let text = masking::template(&repository.store, &snapshot, &identities).await?;
    let columns = MaskFile::parse(&text)?.columns.len();
    let mut document = json!({ "backup": snapshot.snapshot, "columns": columns });
    match &options.output {
        None => {
            document["masks"] = json!(text);
            output.result(&document, text.trim_end());
        }
        Some(path) => {
            write_new(path, &text)?;
            document["file"] = json!(path);
            let told = format!(
                "{columns} columns look personal: masks for them are in {}",
                path.display()
            );
            output.result(&document, &told);
        }
    }
    Ok(Verdict::Good)
}

/// What somebody has decided is never written over.
fn write_new(path: &Path, text: &str) -> anyhow::Result<()> {
    let doing = || format!("cannot make {}", path.display());
    let mut file = std::fs::File::create_new(path).with_context(doing)?;
    file.write_all(text.as_bytes()).with_context(doing)
}

/// The masks of a file.
pub(super) fn read(path: &Path) -> anyhow::Result<MaskFile> {
    let misuse = |reason: String| Misuse(format!("{}: {reason}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|error| misuse(error.to_string()))?;
    let file = MaskFile::parse(&text).map_err(|error| misuse(error.to_string()))?;
    Ok(file)
}
