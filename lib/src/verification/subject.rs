//! What is looked at, and with which proofs.

use std::{path::PathBuf, sync::Arc, time::Duration};

use outside::{outbound::Outbound, secure_url};
use secrecy::SecretString;
use serde::Serialize;
use url::Url;

use crate::{
    config::{Config, Environment},
    platforms::{supabase::Management, vercel::Vercel},
};

/// How long 19 of 20 answers may take at most.
const SLOWEST: Duration = Duration::from_secs(1);

/// The same of a release that nobody has called yet: it starts cold.
const SLOWEST_COLD: Duration = Duration::from_secs(3);

/// A deployment to look at.
#[derive(Debug, Clone)]
pub struct Subject {
    /// Where it answers.
    pub url: Url,
    /// Whose it is.
    pub project: Project,
    /// Which environment it has to say that it is.
    pub environment: Environment,
    /// Which release it has to say that it is.
    pub release: Release,
    /// What to look at.
    pub groups: Vec<Group>,
    /// Proof of an operator; sent to hosts of ours alone.
    pub operator_key: Option<SecretString>,
    /// Where this bundle answers, which is a host of ours.
    pub base_url: Option<Url>,
    /// Lets us through the platform's protection of deployments.
    pub pass: Option<Pass>,
    /// Vercel, and the project there.
    pub vercel: Option<(Vercel, String)>,
    /// Supabase's management, and the project there.
    pub supabase: Option<(Management, String)>,
    /// What `vercel build` made, where that is at hand.
    pub output: Option<PathBuf>,
    /// How long 19 of 20 answers may take at most.
    pub slowest: Duration,
    /// The network.
    pub outbound: Arc<Outbound>,
}

/// Whose deployment is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Project {
    /// This bundle's.
    Ops,
    /// The watched app's.
    App,
}

/// What lets us through the platform's protection of deployments.
#[derive(Debug, Clone)]
pub enum Pass {
    /// The project's secret for that, which lasts until it is rotated.
    Secret(SecretString),
    /// A token of an identity that the project trusts, which lasts minutes.
    Identity(SecretString),
}

/// Which release is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Release {
    /// The one that looks.
    OfThisBuild,
    /// Whichever it is: one that is gone back to is older, and one that asks for its domains
    /// is newer than what serves.
    Any,
}

/// What a look belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Group {
    /// How it is reached: encryption, certificates, headers.
    Transport,
    /// Whether it works, and its database.
    Health,
    /// What others provide: AI, mail, storage, channels.
    Services,
    /// Which release of which project it is, and with which variables.
    Configuration,
    /// Whom it lets in.
    Access,
    /// Whether its jobs run.
    Jobs,
    /// Whether there are backups that can be restored.
    Backups,
    /// How fast it answers.
    Speed,
    /// What everybody sees.
    Page,
    /// What the platform says of it.
    Platform,
}

impl Subject {
    /// A deployment, with the proofs that a configuration has.
    #[must_use]
    pub fn new(url: Url, project: Project, config: &Config, outbound: Arc<Outbound>) -> Self {
        let platforms = &config.platforms;
        let named = match project {
            Project::Ops => &platforms.own_project,
            Project::App => &platforms.app_project,
        };
        Self {
            url,
            project,
            environment: Environment::Production,
            release: Release::OfThisBuild,
            groups: Group::ALL.to_vec(),
            operator_key: config.monitoring_api_key.clone(),
            base_url: config.base_url.clone(),
            pass: platforms.bypass.clone().map(Pass::Secret),
            vercel: platforms.vercel(&outbound).zip(named.clone()),
            supabase: platforms
                .management(&outbound)
                .zip(platforms.supabase_project.clone()),
            output: None,
            slowest: SLOWEST,
            outbound,
        }
    }

    /// A deployment that is to serve or has begun to: what it can do something about itself,
    /// whichever release it is.
    #[must_use]
    pub fn of_a_release(
        url: Url,
        project: Project,
        config: &Config,
        outbound: Arc<Outbound>,
    ) -> Self {
        Self {
            groups: Group::OF_A_RELEASE.to_vec(),
            release: Release::Any,
            slowest: SLOWEST_COLD,
            ..Self::new(url, project, config, outbound)
        }
    }

    /// Whether something of that group is looked at.
    #[must_use]
    pub fn looks_at(&self, group: Group) -> bool {
        self.groups.contains(&group)
    }

    /// Whether the host is known to be ours without asking anybody.
    pub(super) fn is_at_home(&self) -> bool {
        secure_url::is_loopback(&self.url)
            || self
                .base_url
                .as_ref()
                .is_some_and(|base| base.host() == self.url.host())
    }

    /// Whether a secret may travel there at all.
    pub(super) fn is_secure(&self) -> bool {
        secure_url::parse(self.url.as_str()).is_ok()
    }
}

impl Pass {
    /// The header that carries it, and what it carries.
    pub(super) fn header(&self) -> (&'static str, &SecretString) {
        match self {
            Self::Secret(secret) => ("x-vercel-protection-bypass", secret),
            Self::Identity(token) => ("x-vercel-trusted-oidc-idp-token", token),
        }
    }
}

impl Group {
    /// Every one, in the order in which to read them.
    pub const ALL: [Self; 10] = [
        Self::Transport,
        Self::Health,
        Self::Services,
        Self::Configuration,
        Self::Access,
        Self::Jobs,
        Self::Backups,
        Self::Speed,
        Self::Page,
        Self::Platform,
    ];

    /// What a deployment itself can do something about: what is wrong with jobs and backups
    /// must not hold back the release that mends it, and an outage of somebody else's takes no
    /// release back.
    pub const OF_A_RELEASE: [Self; 6] = [
        Self::Transport,
        Self::Health,
        Self::Configuration,
        Self::Access,
        Self::Speed,
        Self::Page,
    ];

    /// Its word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Transport => "transport",
            Self::Health => "health",
            Self::Services => "services",
            Self::Configuration => "configuration",
            Self::Access => "access",
            Self::Jobs => "jobs",
            Self::Backups => "backups",
            Self::Speed => "speed",
            Self::Page => "page",
            Self::Platform => "platform",
        }
    }
}
