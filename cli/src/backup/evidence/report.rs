//! What is told of a period: as JSON or as Markdown, or the receipts themselves.

use std::path::Path;

use anyhow::Context;
use jiff::Timestamp;
use ops::backups::evidence::ReadEvidence;
use outside::clock;
use serde_json::json;

use super::{
    super::arguments::{self, EvidenceFormat},
    document::Report,
    in_store::{self, Chain},
    markdown, summary,
};
use crate::{environment::Environment, project::Project};
use terminal::{
    failure::{Misuse, Verdict},
    output::{self, Output},
};

pub(super) async fn run(
    options: &arguments::Evidence,
    environment: &Environment,
    output: Output,
) -> anyhow::Result<Verdict> {
    // The grammar has made sure that it is given.
    let from = options
        .from
        .ok_or_else(|| Misuse("--from is missing".to_owned()))?;
    let to = options.to.unwrap_or_else(clock::now);
    if to <= from {
        return Err(Misuse(format!("--to must be later than --from, got {to}")).into());
    }
    if options.format == EvidenceFormat::Intoto {
        return envelopes((from, to), options, environment, output).await;
    }
    let project = Project::of(environment)?;
    let call = ReadEvidence {
        p_from: from,
        p_to: to,
    };
    let evidence = project.call(&call).await?;
    let chain = match in_store::read(environment, None).await {
        Ok(read) => read.chain(from, to),
        Err(error) => Chain::Unread {
            reason: format!("{error:#}"),
        },
    };
    let verdict = match &chain {
        Chain::Whole { faults, .. } if !faults.is_empty() => Verdict::Bad,
        Chain::Whole { .. } | Chain::Unread { .. } => Verdict::Good,
    };
    let report = Report {
        host: project.host().to_owned(),
        summary: summary::of(&evidence, &chain),
        chain,
        evidence,
    };
    let text = match options.format {
        EvidenceFormat::Json => serde_json::to_string_pretty(&report)? + "\n",
        EvidenceFormat::Markdown | EvidenceFormat::Intoto => markdown::render(&report),
    };
    show(options.output.as_deref(), &json!(report), &text, output)?;
    Ok(verdict)
}

/// The receipts of the period as they lie in the store, an envelope a line, whether or not anything
/// is wrong with the others.
async fn envelopes(
    (from, to): (Timestamp, Timestamp),
    options: &arguments::Evidence,
    environment: &Environment,
    output: Output,
) -> anyhow::Result<Verdict> {
    let read = in_store::read(environment, None).await?;
    let mut text = String::new();
    let mut documents = Vec::new();
    for one in &read.proven.receipts {
        let receipt = one.found.receipt.as_ref();
        if receipt.is_ok_and(|receipt| (from..to).contains(&receipt.fact.at)) {
            let envelope: serde_json::Value = serde_json::from_slice(&one.text)?;
            text.push_str(&envelope.to_string());
            text.push('\n');
            documents.push(envelope);
        }
    }
    if !read.proven.faults.is_empty() {
        output::note(&format!(
            "{} of the receipts are not as they should be: see --verify",
            read.proven.faults.len()
        ));
    }
    let document = json!({ "envelopes": documents });
    show(options.output.as_deref(), &document, &text, output)?;
    Ok(if read.proven.faults.is_empty() {
        Verdict::Good
    } else {
        Verdict::Bad
    })
}

fn show(
    file: Option<&Path>,
    document: &serde_json::Value,
    text: &str,
    output: Output,
) -> anyhow::Result<()> {
    match file {
        Some(file) => {
            let written = std::fs::write(file, text);
            written.with_context(|| format!("cannot write {}", file.display()))?;
            let said = json!({ "file": file });
            output.result(&said, &format!("wrote {}", file.display()));
        }
        None => output.result(document, text),
    }
    Ok(())
}
