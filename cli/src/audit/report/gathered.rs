//! Everything that a report is made of, asked for once.

use std::{path::Path, sync::Arc, time::Duration};

use anyhow::Context;
use jiff::SignedDuration;
use ops::{
    config::Config,
    security_report::{
        Collected,
        answer::{Answer, ReadReport},
        dependencies::{self, Dependencies},
        facts::{Difference, Facts},
        looked::{Backups, Looked, look},
        places::Verified,
    },
};
use outside::{
    clock::{self, Deadline},
    outbound::Outbound,
};
use serde_json::{Value, json};

use super::Asked;
use crate::{backup::open_store, environment::Environment, project::Project};
use terminal::failure::Misuse;

/// How long looking outside may take.
const TIME: Duration = Duration::from_secs(60);

/// What is known of advisories where nobody handed any in.
const NOT_HANDED_IN: &str = "no advisories were handed in: run `cargo deny --format json check advisories 2> FILE` in the sources and say --advisories FILE; CI does the same with each change";

/// What a report is made of.
#[derive(Debug)]
pub(crate) struct Gathered {
    pub(crate) host: String,
    pub(crate) answer: Answer,
    pub(crate) looked: Looked,
    pub(crate) dependencies: Result<Dependencies, String>,
    pub(crate) config: Config,
    pub(crate) facts: Facts,
    /// From the report of a month that was kept last; nothing where none was.
    pub(crate) differences: Option<Vec<Difference>>,
}

/// Asks for all of it.
pub(crate) async fn gather(
    asked: &Asked,
    project: &Project,
    environment: &Environment,
) -> anyhow::Result<Gathered> {
    let since = SignedDuration::from_hours(24 * i64::from(asked.days));
    let call = ReadReport {
        p_from: clock::now() - since,
        p_to: None,
    };
    let dependencies = match &asked.advisories {
        Some(file) => Ok(advisories(file)?),
        None => Err(NOT_HANDED_IN.to_owned()),
    };
    let answer = project.call(&call).await?;
    let config = environment.config();
    let backups = match environment
        .get("BACKUP_URL")
        .map(|_| open_store(environment))
    {
        None => Backups::Absent,
        Some(Ok(store)) => Backups::In(store),
        Some(Err(error)) => Backups::Unreadable(format!("{error:#}")),
    };
    let outbound = Arc::new(Outbound::default());
    let looked = look(&config, &outbound, &backups, Deadline::after(TIME)).await;
    let facts = Collected {
        answer: &answer,
        looked: &looked,
        dependencies: &dependencies,
        config: &config,
    }
    .facts();
    let former = answer.former.as_ref();
    let differences = former.map(|former| facts.differences(&former.facts));
    Ok(Gathered {
        host: project.host().to_owned(),
        answer,
        looked,
        dependencies,
        config,
        facts,
        differences,
    })
}

fn advisories(file: &Path) -> anyhow::Result<Dependencies> {
    let named = || Misuse(format!("cannot read {}", file.display()));
    let text = std::fs::read_to_string(file).with_context(named)?;
    dependencies::read(&text)
        .map_err(|reason| Misuse(format!("{}: {reason}", file.display())).into())
}

impl Gathered {
    /// For programs.
    pub(crate) fn document(&self) -> Value {
        let differences = self.differences.as_ref();
        let differences =
            differences.map(|all| all.iter().map(ToString::to_string).collect::<Vec<_>>());
        json!({
            "host": self.host,
            "database": self.answer,
            "looked": self.looked,
            "dependencies": self.dependencies,
            "facts": self.facts,
            "differences": differences,
        })
    }

    /// Whether a place was found to be otherwise than it has to be.
    pub(crate) fn is_somewhere_wrong(&self) -> bool {
        let mut places = self.looked.places.iter();
        places.any(|place| matches!(place.verified, Verified::Wrong(_)))
    }
}
