//! The platforms' own APIs beside the project: two projects of Vercel's, for the bundle
//! and for the app, a repository of GitHub's, and the project itself as Supabase's
//! management shows it.

use std::{collections::BTreeMap, fmt, path::Path};

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::Ports;
use crate::{
    files::load_or_make,
    keys::Keys,
    platforms::{
        github,
        stand_in::StandIn,
        supabase::{self, projects::Project},
        vercel::{self, deployments::Deployment},
    },
    random,
};

/// The reference of the project.
const REFERENCE: &str = "localpourtraitprojec";

/// Owner and name of the repository.
const REPOSITORY: [&str; 2] = ["local", "pourtrait-ops"];

/// The stand-ins, each with its state. What they keep ends with them.
pub struct Platforms {
    /// Vercel's.
    pub vercel: StandIn<vercel::State>,
    /// GitHub's.
    pub github: StandIn<github::State>,
    /// The one of Supabase's management.
    pub management: StandIn<supabase::State>,
    own_project: String,
    app_project: String,
}

impl Platforms {
    pub(super) async fn start(
        ports: &Ports,
        folder: Option<&Path>,
        keys: &Keys,
    ) -> anyhow::Result<Self> {
        let tokens = match folder {
            Some(folder) => load_or_make(&folder.join("platforms.json"), Tokens::generate)?,
            None => Tokens::generate()?,
        };
        let vercel = vercel::start(ports.vercel, &tokens.vercel).await?;
        let github = github::start(ports.github, &tokens.github).await?;
        let management = supabase::start(ports.management, &tokens.management).await?;
        let (own_project, app_project) = {
            let mut state = vercel.state();
            let projects = &mut state.projects;
            (projects.add("pourtrait-ops"), projects.add("wine-app"))
        };
        let [owner, name] = REPOSITORY;
        github.state().secrets.repository(owner, name);
        management.state().projects.projects.push(Project {
            id: REFERENCE.to_owned(),
            name: "wine-app".to_owned(),
            region: "eu-central-1".to_owned(),
            secret_key: keys.secret_key().to_owned(),
            publishable_key: keys.publishable_key().to_owned(),
            db_pass: "postgres".to_owned(),
            is_up: true,
            configured: BTreeMap::new(),
            functions: Vec::new(),
        });
        management.state().backups.without_any(REFERENCE);
        Ok(Self {
            vercel,
            github,
            management,
            own_project,
            app_project,
        })
    }

    /// Puts the bundle into production at that host, with the paths and schedules of its crons.
    pub fn deploy(&self, host: &str, crons: &[(&str, &str)]) {
        let definitions: Vec<_> = crons
            .iter()
            .map(|(path, schedule)| json!({ "host": host, "path": path, "schedule": schedule }))
            .collect();
        let mut state = self.vercel.state();
        state.projects.describe(
            &self.own_project,
            &json!({
                "autoAssignCustomDomains": true,
                "crons": { "enabledAt": 1, "disabledAt": null, "definitions": definitions },
            }),
        );
        state.deployments.all = vec![Deployment {
            project: (self.own_project.clone(), "pourtrait-ops".to_owned()),
            url: host.to_owned(),
            ..Deployment::served("dpl_local", 1, "local")
        }];
    }

    pub(super) fn variables(&self) -> BTreeMap<String, String> {
        [
            ("VERCEL_TOKEN", self.vercel.token().to_owned()),
            ("VERCEL_API_URL", self.vercel.url()),
            ("VERCEL_PROJECT_ID", self.own_project.clone()),
            ("APP_VERCEL_PROJECT_ID", self.app_project.clone()),
            ("GITHUB_TOKEN", self.github.token().to_owned()),
            ("GITHUB_API_URL", self.github.url()),
            ("GITHUB_REPOSITORY", REPOSITORY.join("/")),
            ("SUPABASE_ACCESS_TOKEN", self.management.token().to_owned()),
            ("SUPABASE_API_URL", self.management.url()),
            ("SUPABASE_PROJECT_REF", REFERENCE.to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }

    pub(super) async fn stop(&self) {
        tokio::join!(
            self.vercel.stop(),
            self.github.stop(),
            self.management.stop()
        );
    }
}

impl fmt::Debug for Platforms {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Platforms").finish_non_exhaustive()
    }
}

#[derive(Serialize, Deserialize)]
struct Tokens {
    vercel: String,
    github: String,
    management: String,
}

impl Tokens {
    fn generate() -> anyhow::Result<Self> {
        Ok(Self {
            vercel: format!("local_vercel_{}", random::hex::<12>()?),
            github: format!("github_pat_{}", random::hex::<12>()?),
            management: format!("sbp_{}", random::hex::<20>()?),
        })
    }
}
