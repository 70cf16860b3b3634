//! A project on Supabase that a recovery makes, and deletes again where it was a drill.

use anyhow::{Context, bail};
use ops::platforms::supabase::projects::NewProject;
use secrecy::{ExposeSecret, SecretString};
use terminal::{failure::Misuse, output};

use super::{Carried, Course, lacking};
use crate::setup::{
    made::random,
    supabase::{self, come_up, told},
};

/// The password of the project's database, which is in the folder before anybody is asked.
const PASSWORD: &str = "SUPABASE_DB_PASSWORD";

impl Course<'_> {
    /// Makes the project, and waits until it works. A call that was killed goes on: the password
    /// it had kept says that a project of that name is its own.
    pub(super) async fn make_project(&mut self) -> anyhow::Result<Carried> {
        let management = self.management.clone();
        let management = management.ok_or_else(|| lacking("SUPABASE_ACCESS_TOKEN"))?;
        let target = self.wanted.target.as_ref().context("no target is named")?;
        let [name, organization, region] =
            [&target.new_project, &target.organization, &target.region]
                .map(|given| given.clone().unwrap_or_default());
        let found = supabase::named(&management, &name, &organization).await?;
        let is_own = self.variables.contains_key(PASSWORD);
        if let (Some(there), false) = (&found, is_own) {
            let taken = format!(
                "there is a project {name} already ({}): name another",
                there.id
            );
            return Err(Misuse(taken).into());
        }
        let password = self.password()?;
        let project = if let Some(project) = found {
            project
        } else {
            let wanted = NewProject {
                name: &name,
                organization: &organization,
                region: &region,
                password: &password,
            };
            supabase::make(&management, &wanted).await?
        };
        self.journal.made_project = Some(project.id.clone());
        self.journal.write()?;
        let project = come_up(&management, project).await?;
        let keys = management.api_keys(&project.id).await;
        let keys = keys.map_err(|error| told(&error, "read the project's keys"))?;
        let secret = keys
            .secret
            .context("the new project has no secret key yet: call this again")?;
        let url = supabase::database_url(&management, &project.id, &password).await?;
        for (name, value) in [
            ("SUPABASE_PROJECT_REF", Some(project.id.clone())),
            (
                "SUPABASE_URL",
                Some(format!("https://{}.supabase.co", project.id)),
            ),
            (
                "SUPABASE_SECRET_KEY",
                Some(secret.expose_secret().to_owned()),
            ),
            ("SUPABASE_PUBLISHABLE_KEY", keys.publishable),
            ("DATABASE_URL", Some(url)),
        ] {
            if let Some(value) = value {
                self.variables.insert(name.to_owned(), value);
            }
        }
        self.keep()?;
        output::note(&format!("  it is {}", project.id));
        Ok(Carried::Done)
    }

    fn password(&mut self) -> anyhow::Result<SecretString> {
        if let Some(kept) = self.variables.get(PASSWORD) {
            return Ok(kept.clone().into());
        }
        let password = random()?;
        self.variables.insert(PASSWORD.to_owned(), password.clone());
        self.keep()?;
        Ok(password.into())
    }

    /// Deletes the half restored project that an earlier call made, and makes another.
    pub(super) async fn make_project_again(&mut self) -> anyhow::Result<()> {
        self.delete_project().await?;
        match self.make_project().await? {
            Carried::Done => Ok(()),
            Carried::ByHand(how) => bail!(how),
        }
    }

    /// Deletes what this recovery made, and nothing else.
    pub(super) async fn remove(&mut self) -> anyhow::Result<Carried> {
        self.delete_project().await?;
        if let Some(project) = self.journal.made_vercel_project.clone() {
            let vercel = self
                .vercel
                .as_ref()
                .ok_or_else(|| lacking("VERCEL_TOKEN"))?;
            let deleted = vercel.delete_project(&project).await;
            deleted.with_context(|| format!("cannot delete the project {project} on Vercel"))?;
            self.journal.made_vercel_project = None;
            self.journal.write()?;
            self.forget_vercel_project()?;
        }
        Ok(Carried::Done)
    }

    async fn delete_project(&mut self) -> anyhow::Result<()> {
        let Some(reference) = self.journal.made_project.clone() else {
            return Ok(());
        };
        let management = self.management.as_ref();
        let management = management.ok_or_else(|| lacking("SUPABASE_ACCESS_TOKEN"))?;
        output::note(&format!(
            "  the project {reference}, which this recovery made, is deleted"
        ));
        let deleted = management.delete_project(&reference).await;
        deleted.map_err(|error| told(&error, &format!("delete the project {reference}")))?;
        self.journal.made_project = None;
        self.journal.write()
    }
}
