//! The bundle's project on Vercel: found or made, and given its variables.

use anyhow::{anyhow, bail};
use ops::platforms::{
    api::ApiError,
    vercel::{Project, Vercel},
};
use terminal::{failure::Misuse, output};

use super::{
    arguments::Setup,
    book::Book,
    vercel_plan::{Change, Wanted, plan},
};

/// The project, and what is to be done about its variables.
pub(super) struct OnVercel {
    vercel: Vercel,
    pub(super) project: Project,
}

impl OnVercel {
    /// Finds the project, or makes the one that is asked for; nothing where no project is
    /// named, or where one would be made and nothing may be.
    pub(super) async fn link(
        vercel: Vercel,
        book: &mut Book,
        options: &Setup,
    ) -> anyhow::Result<Option<Self>> {
        let project = match (
            book.get("VERCEL_PROJECT_ID"),
            options.create_vercel_project.as_deref(),
        ) {
            (Some(named), _) => Some(existing(&vercel, named).await?),
            (None, Some(name)) => made(&vercel, name, options.dry_run).await?,
            (None, None) => None,
        };
        let Some(project) = project else {
            return Ok(None);
        };
        if book.get("VERCEL_PROJECT_ID") != Some(project.name.as_str()) {
            book.put("VERCEL_PROJECT_ID", &project.id);
        }
        Ok(Some(Self { vercel, project }))
    }

    /// What its variables lack.
    pub(super) async fn changes(&self, wanted: Vec<Wanted>) -> anyhow::Result<Vec<Change>> {
        let listed = self.vercel.variables(&self.project.id).await;
        let listed = listed.map_err(|error| told(&error, "list the variables"))?;
        Ok(plan(wanted, &listed))
    }

    /// Makes the changes, each request once. A run that is cut off is gone on with by the
    /// next: what is in the way goes first, and what is absent is set.
    pub(super) async fn apply(&self, changes: &[Change]) -> anyhow::Result<()> {
        if changes.is_empty() {
            return Ok(());
        }
        for id in changes.iter().flat_map(|change| &change.removes) {
            let removed = self.vercel.remove_variable(&self.project.id, id).await;
            removed.map_err(|error| told(&error, "remove a variable"))?;
        }
        let set: Vec<_> = changes
            .iter()
            .map(|change| change.wanted.to_set())
            .collect();
        let refused = self.vercel.set_variables(&self.project.id, &set).await;
        let refused = refused.map_err(|error| told(&error, "set the variables"))?;
        if refused.is_empty() {
            return Ok(());
        }
        let each: Vec<String> = refused
            .iter()
            .map(|one| {
                let key = one.key.as_deref().unwrap_or("a variable");
                format!("{key} ({}: {})", one.code, one.message)
            })
            .collect();
        bail!("Vercel did not take {}", each.join(", "))
    }
}

async fn existing(vercel: &Vercel, named: &str) -> anyhow::Result<Project> {
    let found = vercel.find_project(named).await;
    let found = found.map_err(|error| told(&error, "look the project up"))?;
    found.ok_or_else(|| {
        let text = format!(
            "VERCEL_PROJECT_ID is {named}, and the token sees no such project: check VERCEL_TEAM_ID, or leave VERCEL_PROJECT_ID empty and make one with --create-vercel-project NAME"
        );
        Misuse(text).into()
    })
}

/// The project of that name, which is made where there is none.
async fn made(vercel: &Vercel, name: &str, dry_run: bool) -> anyhow::Result<Option<Project>> {
    let look = async || {
        let found = vercel.find_project(name).await;
        found.map_err(|error| told(&error, "look the project up"))
    };
    if let Some(project) = look().await? {
        return Ok(Some(project));
    }
    if dry_run {
        return Ok(None);
    }
    output::note(&format!("target: Vercel, a new project {name}"));
    match vercel.create_project(name).await {
        Ok(project) => Ok(Some(project)),
        // It may have been made all the same: only looking tells.
        Err(error) if error.is_uncertain() => match look().await? {
            Some(project) => Ok(Some(project)),
            None => Err(told(&error, "make the project")),
        },
        Err(error) => Err(told(&error, "make the project")),
    }
}

fn told(error: &ApiError, what: &str) -> anyhow::Error {
    let after = if error.is_uncertain() {
        "; whether it was done is not known, and running this again goes on from what is there"
    } else {
        ""
    };
    anyhow!("cannot {what} on Vercel: {error}{after}")
}
