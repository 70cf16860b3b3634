//! A Supabase project that an env file describes, instead of the local one.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use ops::config::Config;
use outside::database;
use secrecy::SecretString;
use terminal::{
    env_file::{self, Variables},
    failure::Misuse,
};
use url::{Host, Url};

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

/// A project as its file describes it.
#[derive(Debug)]
pub(crate) struct Project {
    file: PathBuf,
    variables: Variables,
}

impl Project {
    /// Reads the description. Fails with [`Misuse`] where that cannot be done.
    pub(crate) fn read(file: &Path) -> anyhow::Result<Self> {
        Ok(Self {
            file: file.to_owned(),
            variables: env_file::read(file)?,
        })
    }

    /// Fails with [`Misuse`] if the description is not whole, or the project
    /// lies on another machine and `remote` does not allow that.
    pub(crate) fn admit(&self, remote: bool) -> anyhow::Result<()> {
        if self.config().supabase.is_none() {
            let missing = "does not tell how to reach a Supabase project";
            return Err(Misuse(format!(
                "{} {missing}: see `pourtrait check --env-file`",
                self.file.display()
            ))
            .into());
        }
        match self.remote_host()? {
            Some(host) if !remote => {
                let consequence = "it would be written to; add --yes if that is meant";
                Err(Misuse(format!("{host} is not this machine, and {consequence}")).into())
            }
            _ => Ok(()),
        }
    }

    /// Puts this project in the place of another.
    pub(crate) fn replace(&self, env: &mut BTreeMap<String, String>) {
        for name in NAMES {
            env.remove(name);
            if let Some(value) = self.get(name) {
                env.insert(name.to_owned(), value);
            }
        }
    }

    /// The first host of the description that is not this machine, if one is not.
    pub(crate) fn remote_host(&self) -> anyhow::Result<Option<String>> {
        let api = self
            .config()
            .supabase
            .and_then(|supabase| remote(&supabase.url));
        if api.is_some() {
            return Ok(api);
        }
        let Some(url) = self.get("DATABASE_URL") else {
            return Ok(None);
        };
        let host = database::host(&url.into())?;
        Ok((!is_loopback(&Host::parse(&host)?)).then_some(host))
    }

    /// The direct session: `DATABASE_URL`, and what `DATABASE_CA` names.
    pub(crate) fn database(&self) -> anyhow::Result<(SecretString, Option<String>)> {
        let unset = || {
            Misuse(format!(
                "DATABASE_URL is not set in {}",
                self.file.display()
            ))
        };
        let url = self.get("DATABASE_URL").ok_or_else(unset)?;
        Ok((url.trim().into(), self.get("DATABASE_CA")))
    }

    fn config(&self) -> Config {
        Config::from_lookup(&|name| self.get(name))
    }

    /// A variable; one that is blank counts as unset.
    fn get(&self, name: &str) -> Option<String> {
        let value = self.variables.get(name)?;
        (!value.trim().is_empty()).then(|| value.clone())
    }
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
