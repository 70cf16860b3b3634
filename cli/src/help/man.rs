//! `pourtrait man`: manual pages, one for the command and one for each thing that it does.

use std::path::Path;

use anyhow::Context;
use serde_json::json;

use super::grammar;
use terminal::{failure::Verdict, output::Output};

/// Writes every page into a folder, or prints the command's own.
pub(crate) fn man(folder: Option<&Path>, output: Output) -> anyhow::Result<Verdict> {
    let Some(folder) = folder else {
        let page = page()?;
        output.result(&json!({ "page": page }), &page);
        return Ok(Verdict::Good);
    };
    let cannot = || format!("cannot write to {}", folder.display());
    std::fs::create_dir_all(folder).with_context(cannot)?;
    clap_mangen::generate_to(grammar(), folder).with_context(cannot)?;
    let text = format!(
        "written to {}: `man -M` takes a folder whose man1 it is, `man -l` takes a file",
        folder.display()
    );
    output.result(&json!({ "folder": folder }), &text);
    Ok(Verdict::Good)
}

fn page() -> anyhow::Result<String> {
    let mut written = Vec::new();
    clap_mangen::Man::new(grammar()).render(&mut written)?;
    Ok(String::from_utf8_lossy(&written).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_names_what_the_command_does_and_leaves_out_what_is_hidden() {
        let page = page().unwrap();
        for text in [".TH pourtrait 1", "pourtrait\\-incidents(1)", "Exit status"] {
            assert!(page.contains(text), "{text} in {page}");
        }
        assert!(!page.contains("pourtrait\\-docs(1)"), "{page}");
    }
}
