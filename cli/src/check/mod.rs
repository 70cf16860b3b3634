//! `pourtrait check`: everything that is wrong with the configuration, at once,
//! with `--live` with what it leads to, and with `--all` with the plan and with what the
//! platform and the running functions have of it.
//!
//! Each finding says how to mend it.

mod auth_settings;
mod backups;
mod channel_proofs;
mod channels;
mod configuration;
mod contacts;
mod exercises;
mod finding;
mod kept_documents;
mod keys;
mod limits;
mod on_vercel;
mod open_tables;
mod restores;
mod running_functions;
mod schema;
mod services;
mod status_bucket;
mod watched;

use std::time::Duration;

use clap::Args;
use serde_json::json;

use crate::{answered::word, environment::Environment};
use finding::{Finding, Level};
use limits::Plan;
use terminal::{
    failure::Verdict,
    output::{self, Output},
};

/// How long all probes together may take.
const PROBE_TIMEOUT: Duration = Duration::from_secs(10);

/// How much is looked at.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Check {
    /// Also asks every service, opens a database session and looks for pending migrations
    #[arg(long)]
    live: bool,
    /// Also looks at the plan's limits, and at what Vercel and the running functions have of
    /// the variables
    #[arg(long)]
    all: bool,
    /// The plan on Vercel
    #[arg(long, value_enum, default_value = "pro")]
    plan: Plan,
}

pub(crate) async fn run(
    options: Check,
    environment: &Environment,
    output: Output,
) -> anyhow::Result<Verdict> {
    output::note(&format!("checking {}", environment.origin()));
    let mut findings = configuration::look(&environment.config());
    if options.live || options.all {
        findings.extend(services::look(environment).await);
        findings.extend(keys::look(environment).await);
        findings.extend(auth_settings::look(environment).await);
        findings.push(schema::look(environment).await);
        findings.extend(open_tables::look(environment).await);
        findings.extend(watched::look(environment).await);
        findings.extend(kept_documents::look(environment).await);
        findings.extend(restores::look(environment).await);
        findings.extend(channels::look(environment).await);
        findings.extend(contacts::look(environment).await);
        findings.extend(channel_proofs::look(environment).await);
        findings.extend(backups::look(environment).await);
        findings.extend(status_bucket::look(environment).await);
        findings.push(exercises::look(environment).await);
    }
    if options.all {
        findings.extend(limits::look(options.plan, ".".as_ref()));
        findings.extend(on_vercel::look(environment).await);
        findings.extend(running_functions::look(environment).await);
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
