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

/// A deployment to look at.
#[derive(Debug, Clone)]
pub struct Subject {
    /// Where it answers.
    pub url: Url,
    /// Whose it is.
    pub project: Project,
    /// Which environment it has to say that it is.
    pub environment: Environment,
    /// What to look at.
    pub groups: Vec<Group>,
    /// Proof of an operator; sent to hosts of ours alone.
    pub operator_key: Option<SecretString>,
    /// Where this bundle answers, which is a host of ours.
    pub base_url: Option<Url>,
    /// Lets us through the platform's protection of deployments.
    pub bypass: Option<SecretString>,
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

/// What a look belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Group {
    /// How it is reached: encryption, certificates, headers.
    Transport,
    /// Whether it works, and what it stands on.
    Health,
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
            groups: Group::ALL.to_vec(),
            operator_key: config.monitoring_api_key.clone(),
            base_url: config.base_url.clone(),
            bypass: platforms.bypass.clone(),
            vercel: platforms.vercel(&outbound).zip(named.clone()),
            supabase: platforms
                .management(&outbound)
                .zip(platforms.supabase_project.clone()),
            output: None,
            slowest: SLOWEST,
            outbound,
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

impl Group {
    /// Every one, in the order in which to read them.
    pub const ALL: [Self; 9] = [
        Self::Transport,
        Self::Health,
        Self::Configuration,
        Self::Access,
        Self::Jobs,
        Self::Backups,
        Self::Speed,
        Self::Page,
        Self::Platform,
    ];

    /// What a deployment itself can do something about: what is wrong with jobs and backups
    /// must not hold back the release that mends it.
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
