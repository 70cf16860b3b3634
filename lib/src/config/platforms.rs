//! How the platforms' own APIs are reached, where they may be.

use std::sync::Arc;

use outside::outbound::Outbound;
use secrecy::SecretString;
use url::Url;

use crate::{
    platforms::{
        github::{self, GitHub},
        supabase::{self, Management, host_metrics},
        vercel::{self, Vercel},
    },
    variables::Reader,
};

/// The platforms that a token is there for, and what is ours on them.
#[derive(Debug, Clone, Default)]
pub struct Platforms {
    vercel: Option<Access>,
    vercel_team: Option<String>,
    github: Option<Access>,
    management: Option<Access>,
    /// Lets us through Vercel's protection of deployments.
    pub bypass: Option<SecretString>,
    /// The watched app's project on Vercel, by id or name.
    pub app_project: Option<String>,
    /// This bundle's project on Vercel.
    pub own_project: Option<String>,
    /// The repository on GitHub, `owner/name`.
    pub repository: Option<String>,
    /// The reference of the project on Supabase.
    pub supabase_project: Option<String>,
    /// The password of its role `postgres`.
    pub database_password: Option<SecretString>,
    /// Where the database's host tells how it is.
    pub host_metrics: Option<Url>,
}

/// A token, and where it is taken.
#[derive(Debug, Clone)]
struct Access {
    token: SecretString,
    base: Url,
}

impl Platforms {
    pub(super) fn open(read: &mut Reader) -> Self {
        Self {
            vercel: access(read, "VERCEL_TOKEN", "VERCEL_API_URL", vercel::BASE_URL),
            vercel_team: read.text("VERCEL_TEAM_ID"),
            github: access(read, "GITHUB_TOKEN", "GITHUB_API_URL", github::BASE_URL),
            management: access(
                read,
                "SUPABASE_ACCESS_TOKEN",
                "SUPABASE_API_URL",
                supabase::BASE_URL,
            ),
            bypass: read
                .text("VERCEL_AUTOMATION_BYPASS_SECRET")
                .map(SecretString::from),
            app_project: read.text("APP_VERCEL_PROJECT_ID"),
            own_project: read.text("VERCEL_PROJECT_ID"),
            repository: read.text("GITHUB_REPOSITORY"),
            supabase_project: read.text("SUPABASE_PROJECT_REF").or_else(|| named(read)),
            database_password: read.text("SUPABASE_DB_PASSWORD").map(SecretString::from),
            host_metrics: host_metrics(read),
        }
    }

    /// Whether there is a token for any of them.
    #[must_use]
    pub fn is_any_open(&self) -> bool {
        [&self.vercel, &self.github, &self.management]
            .into_iter()
            .any(Option::is_some)
    }

    /// Vercel, if there is a token.
    #[must_use]
    pub fn vercel(&self, outbound: &Arc<Outbound>) -> Option<Vercel> {
        let Access { token, base } = self.vercel.clone()?;
        let team = self.vercel_team.clone();
        Some(Vercel::new(Arc::clone(outbound), base, token, team))
    }

    /// GitHub, if there is a token and a repository.
    #[must_use]
    pub fn github(&self, outbound: &Arc<Outbound>) -> Option<GitHub> {
        let Access { token, base } = self.github.clone()?;
        GitHub::new(
            Arc::clone(outbound),
            base,
            token,
            self.repository.as_deref()?,
        )
    }

    /// Supabase's management, if there is a token.
    #[must_use]
    pub fn management(&self, outbound: &Arc<Outbound>) -> Option<Management> {
        let Access { token, base } = self.management.clone()?;
        Some(Management::new(Arc::clone(outbound), base, token))
    }
}

fn access(
    read: &mut Reader,
    token: &'static str,
    url: &'static str,
    default: &'static str,
) -> Option<Access> {
    let token = read.key(token)?;
    let base = read.url_or(url, default)?;
    Some(Access { token, base })
}

/// Where the host's metrics are: as a variable says, else where Supabase's own platform has them.
fn host_metrics(read: &mut Reader) -> Option<Url> {
    let (_, url) = read.first(&["SUPABASE_URL", "NEXT_PUBLIC_SUPABASE_URL"])?;
    let default = named(read).and_then(|_| Url::parse(&url).ok()?.join(host_metrics::PATH).ok());
    read.url(&["SUPABASE_METRICS_URL"]).or(default)
}

/// The reference that a project's own URL begins with: `https://<ref>.supabase.co`.
fn named(read: &Reader) -> Option<String> {
    let (_, url) = read.first(&["SUPABASE_URL", "NEXT_PUBLIC_SUPABASE_URL"])?;
    let url = Url::parse(&url).ok()?;
    let reference = url.host_str()?.strip_suffix(".supabase.co")?;
    Some(reference.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn platforms(variables: &[(&str, &str)]) -> Platforms {
        let lookup = |name: &str| {
            let known = variables.iter().find(|(known, _)| *known == name);
            known.map(|(_, value)| (*value).to_owned())
        };
        Config::from_lookup(&lookup).platforms
    }

    #[test]
    fn a_platform_is_spoken_to_with_a_token_alone() {
        let outbound = Arc::new(Outbound::default());
        let none = platforms(&[("VERCEL_PROJECT_ID", "prj_1"), ("GITHUB_TOKEN", "t")]);
        assert!(none.vercel(&outbound).is_none() && none.github(&outbound).is_none());
        let some = platforms(&[("VERCEL_TOKEN", "t"), ("GITHUB_REPOSITORY", "a/b")]);
        let host = some.vercel(&outbound).map(|vercel| vercel.api().host());
        assert_eq!(host.as_deref(), Some("api.vercel.com"));
    }

    #[test]
    fn a_project_of_supabase_is_named_by_its_own_url() {
        let of = |variables: &[(&str, &str)]| platforms(variables).supabase_project;
        let url = ("SUPABASE_URL", "https://abcdefgh.supabase.co");
        assert_eq!(of(&[url]).as_deref(), Some("abcdefgh"));
        let named = ("SUPABASE_PROJECT_REF", "other");
        assert_eq!(of(&[url, named]).as_deref(), Some("other"));
        assert_eq!(of(&[("SUPABASE_URL", "https://db.example.com")]), None);
    }
}
