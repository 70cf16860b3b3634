//! `pourtrait check`: everything that is wrong with the configuration, at once,
//! and with `--live` with what it leads to.

mod backups;
mod channel_proofs;
mod channels;
mod configuration;
mod contacts;
mod exercises;
mod finding;
mod open_tables;
mod restores;
mod schema;
mod services;
mod watched;

use std::time::Duration;

use serde_json::json;

use crate::{answered::word, environment::Environment};
use finding::{Finding, Level};
use terminal::{
    failure::Verdict,
    output::{self, Output},
};

/// How long all probes together may take.
const PROBE_TIMEOUT: Duration = Duration::from_secs(10);

pub(crate) async fn run(
    live: bool,
    environment: &Environment,
    output: Output,
) -> anyhow::Result<Verdict> {
    output::note(&format!("checking {}", environment.origin()));
    let mut findings = configuration::look(&environment.config());
    if live {
        findings.extend(services::look(environment).await);
        findings.push(schema::look(environment).await);
        findings.extend(open_tables::look(environment).await);
        findings.extend(watched::look(environment).await);
        findings.extend(restores::look(environment).await);
        findings.extend(channels::look(environment).await);
        findings.extend(contacts::look(environment).await);
        findings.extend(channel_proofs::look(environment).await);
        findings.extend(backups::look(environment).await);
        findings.push(exercises::look(environment).await);
    }
    let bad = findings.iter().any(|finding| finding.level == Level::Error);
    output.result(
        &json!({ "source": environment.origin(), "valid": !bad, "findings": findings }),
        &table(&findings),
    );
    Ok(if bad { Verdict::Bad } else { Verdict::Good })
}

fn table(findings: &[Finding]) -> String {
    let row = |finding: &Finding| {
        [
            word(finding.level),
            finding.subject.clone(),
            finding.text.clone(),
        ]
    };
    let rows: Vec<_> = findings.iter().map(row).collect();
    output::table(["", "what", "finding"], &rows)
}
