//! The project on Vercel that a command is about.

use std::sync::Arc;

use anyhow::Context;
use clap::ValueEnum;
use ops::{config::Config, platforms::vercel::Vercel, verification::subject::Project};
use outside::outbound::Outbound;
use terminal::{failure::Misuse, output};
use url::Url;

use super::Scene;
use crate::environment::Environment;

/// Whose project is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Which {
    /// The watched app
    App,
    /// This bundle
    Ops,
}

/// A project on Vercel, and how it is spoken to.
#[derive(Debug)]
pub(crate) struct Platform {
    pub(crate) which: Which,
    pub(crate) vercel: Vercel,
    /// The project, by the name or id that the variable has.
    pub(crate) project: String,
    /// Where its production is known to answer.
    known_at: Option<Url>,
    /// What is known of everything else, which its deployments are looked at with.
    pub(crate) config: Config,
    pub(crate) outbound: Arc<Outbound>,
}

impl Which {
    /// The variable that names the project.
    fn variable(self) -> &'static str {
        match self {
            Self::App => "APP_VERCEL_PROJECT_ID",
            Self::Ops => "VERCEL_PROJECT_ID",
        }
    }

    /// The project in words.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::App => "the app",
            Self::Ops => "this bundle",
        }
    }

    /// What commands about it add to their line.
    pub(crate) fn flag(self) -> &'static str {
        match self {
            Self::App => "",
            Self::Ops => " --project ops",
        }
    }
}

impl From<Which> for Project {
    fn from(which: Which) -> Self {
        match which {
            Which::App => Self::App,
            Which::Ops => Self::Ops,
        }
    }
}

impl Platform {
    /// The project that the environment names.
    pub(crate) fn of(environment: &Environment, which: Which) -> anyhow::Result<Self> {
        let config = environment.config();
        let outbound = Arc::new(Outbound::default());
        let unset = |name: &str| {
            Misuse(format!(
                "{name} is not set in {}, or cannot be used",
                environment.origin()
            ))
        };
        let (project, known_at) = match which {
            Which::App => (config.platforms.app_project.clone(), config.app_url.clone()),
            Which::Ops => (
                config.platforms.own_project.clone(),
                config.base_url.clone(),
            ),
        };
        let vercel = config.platforms.vercel(&outbound);
        Ok(Self {
            which,
            vercel: vercel.ok_or_else(|| unset("VERCEL_TOKEN"))?,
            project: project.ok_or_else(|| unset(which.variable()))?,
            known_at,
            config,
            outbound,
        })
    }

    /// Looks at it, and shows what is about to be changed.
    pub(crate) async fn show(&self, environment: &Environment) -> anyhow::Result<Scene> {
        let scene = self.look().await?;
        output::note(&format!(
            "target: production of {} ({}) on {} (from {})",
            scene.project.name,
            scene.project.id,
            self.vercel.api().host(),
            environment.origin()
        ));
        Ok(scene)
    }

    /// Looks at it.
    pub(crate) async fn look(&self) -> anyhow::Result<Scene> {
        let looked = Scene::look(&self.vercel, &self.project).await;
        looked.with_context(|| {
            format!(
                "cannot see what serves project {} on {}",
                self.project,
                self.vercel.api().host()
            )
        })
    }

    /// Where its production answers.
    pub(crate) fn address(&self, scene: &Scene) -> Option<String> {
        match &self.known_at {
            Some(url) => Some(url.to_string()),
            None => scene
                .domains
                .keys()
                .next()
                .map(|domain| format!("https://{domain}")),
        }
    }
}
