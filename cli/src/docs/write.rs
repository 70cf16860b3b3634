//! `pourtrait docs`: writes those of the files that have drifted.

use std::path::Path;

use anyhow::Context;
use serde_json::json;

use super::{ROOT, files};
use terminal::{failure::Verdict, output::Output};

pub(crate) fn run(output: Output) -> anyhow::Result<Verdict> {
    let mut written = Vec::new();
    for file in files()? {
        let path = Path::new(ROOT).join(file.path);
        if std::fs::read_to_string(&path).is_ok_and(|present| present == file.text) {
            continue;
        }
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::write(&path, &file.text).with_context(|| format!("cannot write {}", file.path))?;
        written.push(file.path);
    }
    let text = if written.is_empty() {
        "nothing has changed".to_owned()
    } else {
        format!("written: {}", written.join(", "))
    };
    output.result(&json!({ "written": written }), &text);
    Ok(Verdict::Good)
}
