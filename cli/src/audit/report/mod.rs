//! What `audit security` and `privacy report` have in common: what is gathered for an auditor,
//! and how it is written.

mod gathered;
pub(crate) mod markdown;
pub(crate) mod sections;

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use serde_json::Value;

pub(crate) use gathered::{Gathered, gather};
use terminal::output::Output;

/// Of which time a report is, and where it goes.
#[derive(Debug, Args)]
pub(crate) struct Asked {
    /// How many days it is about, beside as many before them
    #[arg(long, default_value_t = 31, value_parser = clap::value_parser!(u16).range(1..=365))]
    pub(crate) days: u16,
    /// Writes it into this file, as Markdown
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// What `cargo deny --format json check advisories` wrote to standard error
    #[arg(long, value_name = "FILE")]
    pub(crate) advisories: Option<PathBuf>,
}

/// Shows a report, or writes it into the file that was asked for.
pub(crate) fn show(
    asked: &Asked,
    document: &Value,
    text: &str,
    output: Output,
) -> anyhow::Result<()> {
    match &asked.out {
        Some(file) => {
            let written = std::fs::write(file, text);
            written.with_context(|| format!("cannot write {}", file.display()))?;
            output.result(document, &format!("wrote {}", file.display()));
        }
        None => output.result(document, text.trim_end()),
    }
    Ok(())
}
