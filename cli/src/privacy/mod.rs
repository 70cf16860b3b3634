//! `pourtrait privacy`: what somebody may ask for of what is held of them.

pub(crate) mod arguments;
mod consents;
mod erase;
mod export;
pub(crate) mod following;
mod report;
mod requests;
mod show;

use std::sync::Arc;

use backup::files::StorageApi;
use ops::{backups::storage_files, config::Config, privacy::Person};
use outside::{database, outbound::Outbound};
use tokio_postgres::Client;
use uuid::Uuid;

use crate::environment::Environment;
use arguments::Privacy;
use terminal::{
    failure::{Misuse, Verdict},
    output::{self, Output},
};

pub(crate) async fn run(
    action: Privacy,
    environment: &Environment,
    output: Output,
) -> anyhow::Result<Verdict> {
    match action {
        Privacy::Show(whose) => show::run(&whose, environment, output).await,
        Privacy::Export(options) => export::run(&options, environment, output).await,
        Privacy::Erase(options) => erase::run(&options, environment, output).await,
        Privacy::Report(asked) => report::run(&asked, environment, output).await,
        Privacy::Requests => requests::list(environment, output).await,
        Privacy::Refuse { person, kind } => {
            requests::refuse(&person, kind.into(), environment, output).await
        }
        Privacy::Erasures => erase::list(environment, output).await,
        Privacy::Consents { person } => consents::show(&person, environment, output).await,
        Privacy::Consent {
            person,
            purpose,
            answer,
        } => consents::set(&person, purpose, answer, environment, output).await,
    }
}

/// A session, and the host that is worked on, which is shown.
async fn session(environment: &Environment) -> anyhow::Result<(Client, String)> {
    let (url, ca) = environment.database()?;
    let host = database::host(&url)?;
    output::note(&format!("target: {host} (from {})", environment.origin()));
    Ok((database::connect(&url, ca.as_deref()).await?, host))
}

/// The project's Storage, where the environment tells how to reach it.
fn storage(config: &Config) -> Option<StorageApi> {
    let outbound = Arc::new(Outbound::default());
    let supabase = config.supabase.as_ref()?;
    Some(storage_files::storage(supabase, &outbound))
}

/// The number of the account. One that is named by it needs no session.
async fn number(person: &str, environment: &Environment) -> anyhow::Result<String> {
    if let Ok(id) = person.trim().parse::<Uuid>() {
        return Ok(id.to_string());
    }
    let (client, _) = session(environment).await?;
    Ok(find(&client, person).await?.id.to_string())
}

/// Whom a number or an address of mail names. Somebody of that number may have been erased
/// halfway by others, and is looked for all the same; nobody knows whose an address was.
async fn find(client: &Client, named: &str) -> anyhow::Result<Person> {
    if let Ok(id) = named.trim().parse() {
        return Ok(Person::find(client, id).await?);
    }
    let found = Person::find_by_email(client, named.trim()).await?;
    found.ok_or_else(|| {
        Misuse(format!(
            "no account has the number or the address of mail {named}"
        ))
        .into()
    })
}
