//! `pourtrait verify`: whether a deployment is what was promised, looked at from outside.
//!
//! What is looked at and judged is `ops::verification`, which a function can do as well; here
//! is the grammar, and how a report is written.

pub(crate) mod arguments;
mod gate;
mod junit;
mod table;

use std::{sync::Arc, time::Duration};

use ops::{
    config::Config,
    verification::{
        self,
        subject::{Group, Project, Subject},
    },
};
use outside::{clock::Deadline, outbound::Outbound};
use serde_json::json;
use url::Url;

use crate::{environment::Environment, workflow_identity};
use arguments::{Format, Verify};
use terminal::{
    failure::{Misuse, Verdict},
    output::{self, Output},
};

/// How long everything together may take.
const TIME: Duration = Duration::from_secs(120);

pub(crate) async fn run(
    verify: Verify,
    environment: &Environment,
    output: Output,
) -> anyhow::Result<Verdict> {
    if let Some(webhook) = &verify.register {
        return gate::register(webhook, verify.project.into(), environment, output).await;
    }
    if verify.check_runs {
        return gate::answer_all(environment, output).await;
    }
    let config = environment.config();
    let url = verify_url(&verify, &config, environment)?;
    let mut subject = subject(url, &verify, &config);
    if subject.pass.is_none() {
        subject.pass = workflow_identity::pass(&subject.outbound).await;
    }
    output::note(&format!(
        "looking at {} (variables from {})",
        subject.url,
        environment.origin()
    ));
    let report = verification::look_at(&subject, Deadline::after(TIME)).await;
    let format = if output.json {
        Format::Json
    } else {
        verify.format
    };
    match format {
        Format::Table => output.result(&json!(report), &table::of(&report)),
        Format::Json => Output { json: true }.result(&json!(report), ""),
        Format::Junit => output.result(&json!(report), &junit::of(&report)),
    }
    Ok(if report.is_good() {
        Verdict::Good
    } else {
        Verdict::Bad
    })
}

/// The address that was named, or that the variables name.
fn verify_url(verify: &Verify, config: &Config, environment: &Environment) -> anyhow::Result<Url> {
    let (known, name) = match verify.project.into() {
        Project::Ops => (&config.base_url, "BASE_URL"),
        Project::App => (&config.app_url, "NEXT_PUBLIC_APP_URL"),
    };
    let url = verify.url.clone().or_else(|| known.clone());
    let missing = || {
        Misuse(format!(
            "name the address to look at: {name} is not set in {}",
            environment.origin()
        ))
    };
    let url = url.ok_or_else(missing)?;
    if ["http", "https"].contains(&url.scheme()) && url.has_host() {
        Ok(url)
    } else {
        Err(Misuse(format!("{url} is not an address of the web")).into())
    }
}

fn subject(url: Url, verify: &Verify, config: &Config) -> Subject {
    let outbound = Arc::new(Outbound::default());
    let only: Vec<Group> = verify.only.iter().copied().map(Into::into).collect();
    Subject {
        environment: verify.environment.into(),
        groups: if only.is_empty() {
            Group::ALL.to_vec()
        } else {
            only
        },
        output: verify.output.clone(),
        slowest: Duration::from_millis(verify.slowest),
        ..Subject::new(url, verify.project.into(), config, outbound)
    }
}
