//! A Supabase that an env file describes, instead of the local one.

use std::collections::BTreeMap;

use ops::database;
use url::{Host, Url};

use super::Database;
use crate::{environment::Environment, failure::Misuse};

/// What a file may say; everything else of it is passed over, so that messages
/// go nowhere but to the local inbox.
const NAMES: [&str; 9] = [
    "NEXT_PUBLIC_SUPABASE_URL",
    "SUPABASE_URL",
    "SUPABASE_SECRET_KEY",
    "SUPABASE_SERVICE_ROLE_KEY",
    "SUPABASE_PUBLISHABLE_KEY",
    "NEXT_PUBLIC_SUPABASE_ANON_KEY",
    "SUPABASE_JWT_SECRET",
    "DATABASE_URL",
    "DATABASE_CA",
];

/// A project's variables.
#[derive(Debug)]
pub(super) struct Described {
    variables: BTreeMap<&'static str, String>,
}

impl Described {
    /// Puts this project in the place of another.
    pub(super) fn replace(self, env: &mut BTreeMap<String, String>) {
        for name in NAMES {
            env.remove(name);
        }
        env.extend(
            self.variables
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value)),
        );
    }
}

/// Reads the description, if the database is one that is described. Fails with
/// [`Misuse`] if it is not whole, or lies elsewhere and may not.
pub(super) fn describe(database: &Database) -> anyhow::Result<Option<Described>> {
    let Database::Described { file, remote } = database else {
        return Ok(None);
    };
    let environment = Environment::from_file(file)?;
    if environment.config().supabase.is_none() {
        let missing = "does not tell how to reach a Supabase project";
        return Err(Misuse(format!(
            "{} {missing}: see `pourtrait check --env-file`",
            file.display()
        ))
        .into());
    }
    if let Some(host) = remote_host(&environment)?
        && !remote
    {
        let consequence = "it would be written to; add --yes if that is meant";
        return Err(Misuse(format!("{host} is not this machine, and {consequence}")).into());
    }
    let variables = NAMES
        .into_iter()
        .filter_map(|name| Some((name, environment.get(name)?)));
    Ok(Some(Described {
        variables: variables.collect(),
    }))
}

/// The first host of a description that is not this machine, if one is not.
pub(crate) fn remote_host(environment: &Environment) -> anyhow::Result<Option<String>> {
    let api = environment
        .config()
        .supabase
        .and_then(|supabase| remote(&supabase.url));
    if api.is_some() {
        return Ok(api);
    }
    let Some(url) = environment.get("DATABASE_URL") else {
        return Ok(None);
    };
    let host = database::host(&url.into())?;
    Ok((!is_loopback(&Host::parse(&host)?)).then_some(host))
}

fn remote(url: &Url) -> Option<String> {
    let host = url.host()?.to_owned();
    (!is_loopback(&host)).then(|| host.to_string())
}

fn is_loopback(host: &Host) -> bool {
    match host {
        Host::Domain(name) => name == "localhost" || name.ends_with(".localhost"),
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    }
}
