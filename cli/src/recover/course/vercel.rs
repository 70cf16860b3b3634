//! The steps on Vercel: projects that use the new database, and the app's project made anew.

use std::{collections::BTreeMap, fs, time::Duration};

use anyhow::{Context, bail};
use ops::platforms::{
    api::ApiError,
    vercel::{
        Deployment, ReadyState, Vercel,
        environment::{Kind, Listed, Set},
    },
};
use outside::clock::{self, Deadline};
use serde::Deserialize;
use serde_json::{Value, json};
use terminal::{env_file, output};

use super::{Carried, Course, lacking};
use crate::{environment::process_variable, setup::placement::portable};

/// How long a deployment may take to be built.
const BUILDING: Duration = Duration::from_secs(600);

/// The wait between two looks at one.
const STEP: Duration = Duration::from_secs(5);

/// The file that says that a project on Vercel is this recovery's.
const NOTED: &str = "vercel-project";

/// How many deployments are looked through.
const SEARCHED: u8 = 100;

/// What tells a deployment that a recovery asked for.
const MARK: &str = "pourtraitRecovery";

/// The names under which apps know what changes with the project, each with ours.
const POINTED: [(&str, &str); 14] = [
    ("NEXT_PUBLIC_SUPABASE_URL", "SUPABASE_URL"),
    ("SUPABASE_URL", "SUPABASE_URL"),
    ("SUPABASE_SECRET_KEY", "SUPABASE_SECRET_KEY"),
    ("SUPABASE_SERVICE_ROLE_KEY", "SUPABASE_SECRET_KEY"),
    ("SUPABASE_PUBLISHABLE_KEY", "SUPABASE_PUBLISHABLE_KEY"),
    ("SUPABASE_ANON_KEY", "SUPABASE_PUBLISHABLE_KEY"),
    (
        "NEXT_PUBLIC_SUPABASE_PUBLISHABLE_KEY",
        "SUPABASE_PUBLISHABLE_KEY",
    ),
    ("NEXT_PUBLIC_SUPABASE_ANON_KEY", "SUPABASE_PUBLISHABLE_KEY"),
    ("DATABASE_URL", "DATABASE_URL"),
    ("DATABASE_CA", "DATABASE_CA"),
    ("SUPABASE_PROJECT_REF", "SUPABASE_PROJECT_REF"),
    ("BACKUP_URL", "BACKUP_URL"),
    ("BACKUP_ACCESS_KEY_ID", "BACKUP_ACCESS_KEY_ID"),
    ("BACKUP_SECRET_ACCESS_KEY", "BACKUP_SECRET_ACCESS_KEY"),
];

/// The settings of a project that can be put; others follow from where its code is.
const SETTINGS: [&str; 9] = [
    "framework",
    "rootDirectory",
    "buildCommand",
    "installCommand",
    "devCommand",
    "outputDirectory",
    "nodeVersion",
    "autoExposeSystemEnvs",
    "gitForkProtection",
];

/// A variable as an archive has it.
struct Archived {
    key: String,
    kind: Kind,
    target: Vec<String>,
    comment: String,
}

impl Course<'_> {
    pub(super) fn vercel(&self) -> anyhow::Result<&Vercel> {
        self.vercel.as_ref().ok_or_else(|| lacking("VERCEL_TOKEN"))
    }

    /// Gives the variables that production has the new project's values. What is not there is
    /// not added, and what is not known stays.
    pub(super) async fn point(&self, project: &str) -> anyhow::Result<Carried> {
        let vercel = self.vercel()?;
        let listed = vercel.variables(project).await;
        let listed = listed.with_context(|| format!("cannot list the variables of {project}"))?;
        let mut known = Vec::new();
        let mut unknown = Vec::new();
        for variable in listed.iter().filter(|one| is_of_production(one)) {
            let Some((_, ours)) = POINTED.iter().find(|(name, _)| *name == variable.key) else {
                continue;
            };
            let is_of_store = ours.starts_with("BACKUP_");
            // Only where the copy took the place of the backups.
            let is_moved = |value: &&String| self.source.get(ours).as_ref() != Some(*value);
            match self.variables.get(*ours) {
                Some(value) if !is_of_store || is_moved(&value) => {
                    known.push((variable, portable(ours, value)));
                }
                Some(_) => {}
                None if is_of_store || *ours == "DATABASE_CA" => {}
                None => unknown.push(variable.key.as_str()),
            }
        }
        let mut set = Vec::new();
        for (variable, value) in &known {
            let value = value.as_ref().map_err(|error| anyhow::anyhow!("{error}"))?;
            set.push((*variable, value.as_str()));
        }
        set_all(vercel, project, &set).await?;
        let names: Vec<_> = set
            .iter()
            .map(|(variable, _)| variable.key.as_str())
            .collect();
        output::note(&format!("  {project}: {}", names.join(", ")));
        Ok(if unknown.is_empty() {
            Carried::Done
        } else {
            let names = unknown.join(", ");
            Carried::ByHand(format!(
                "{names} of {project} still name the former project: their new values are not known here"
            ))
        })
    }

    /// Builds what serves production once more, and waits until it is ready. A call that lost
    /// the answer finds the deployment by its mark; one that failed is not waited for again.
    pub(super) async fn deploy_anew(&self, project: &str) -> anyhow::Result<Carried> {
        let vercel = self.vercel()?;
        let named = vercel.project(project).await;
        let named = named.with_context(|| format!("cannot look {project} up"))?;
        let mark = self.journal.id.to_string();
        let listed = vercel.deployments(&named.id, SEARCHED).await;
        let listed = listed.context("cannot list the deployments")?.deployments;
        let of_project = || listed.iter().filter(|one| one.is_of(&named.id));
        let is_ours = |one: &&Deployment| one.meta(MARK) == Some(mark.as_str());
        let begun = of_project().find(|one| is_ours(one) && !one.state.has_failed());
        let deployment = if let Some(begun) = begun {
            begun.clone()
        } else {
            let mut serving =
                of_project().filter(|one| one.is_production && one.state == ReadyState::Ready);
            let Some(serving) = serving.next() else {
                return Ok(Carried::ByHand(format!(
                    "{project} has no deployment that could be built anew: deploy it, `pourtrait deploy`"
                )));
            };
            let made = vercel
                .redeploy(&named.name, &serving.id, (MARK, &mark))
                .await;
            made.with_context(|| format!("cannot deploy {project} anew"))?
        };
        await_ready(vercel, deployment).await?;
        Ok(if named.assigns_domains == Some(false) {
            Carried::ByHand(format!(
                "production of {project} is pinned, so the new deployment serves nobody: promote it on Vercel"
            ))
        } else {
            Carried::Done
        })
    }

    /// Makes the app's project, with its settings. One of that name has to be ours.
    pub(super) async fn make_vercel_project(&mut self) -> anyhow::Result<Carried> {
        let place = self.wanted.place.as_ref().context("no place is named")?;
        let name = place.vercel_project.clone().unwrap_or_default();
        let vercel = self.vercel()?.clone();
        let look = async || {
            let found = vercel.find_project(&name).await;
            found.context("cannot look the project up on Vercel")
        };
        let noted = self.journal.place(NOTED);
        let found = look().await?;
        if let (Some(found), false) = (&found, noted.exists()) {
            bail!(
                "there is a project {name} on Vercel already ({}): name another",
                found.id
            );
        }
        // From here on a project of that name is this recovery's, whatever becomes of the answer.
        fs::write(&noted, &name).with_context(|| format!("cannot write {}", noted.display()))?;
        let project = match found {
            Some(project) => project,
            None => match vercel.create_project(&name).await {
                Ok(project) => project,
                Err(error) if error.is_uncertain() => look().await?.ok_or(error)?,
                Err(error) => return Err(error).context("cannot make the project on Vercel"),
            },
        };
        self.journal.made_vercel_project = Some(project.id.clone());
        self.journal.write()?;
        let archived = self.archive()?.document("vercel.app.project");
        let settings: BTreeMap<&str, &Value> = SETTINGS
            .into_iter()
            .filter_map(|name| Some((name, archived.get(name)?)))
            .collect();
        let configured = vercel
            .configure_project(&project.id, &json!(settings))
            .await;
        configured.context("cannot set the project on Vercel up")?;
        Ok(Carried::Done)
    }

    /// A project of that name is somebody else's again.
    pub(super) fn forget_vercel_project(&self) -> anyhow::Result<()> {
        let noted = self.journal.place(NOTED);
        fs::remove_file(&noted).with_context(|| format!("cannot remove {}", noted.display()))
    }

    fn made_vercel_project(&self) -> anyhow::Result<&str> {
        let made = self.journal.made_vercel_project.as_deref();
        made.context("the project on Vercel is not made yet")
    }

    /// Sets the app's variables: their names are in the archive, their values come from the
    /// file that was named, from the environment, and from the new project.
    pub(super) async fn set_app_variables(&self) -> anyhow::Result<Carried> {
        let project = self.made_vercel_project()?;
        let values = self
            .wanted
            .place
            .as_ref()
            .and_then(|place| place.values.as_deref());
        let values = values.map(env_file::read).transpose()?.unwrap_or_default();
        let archived = self.archived_variables();
        let value = |key: &str| {
            let pointed = POINTED.iter().find(|(name, _)| *name == key);
            let new = pointed
                .filter(|_| self.wanted.target.is_some())
                .and_then(|(_, ours)| self.variables.get(*ours).cloned());
            new.or_else(|| values.get(key).cloned())
                .or_else(|| process_variable(key))
                .filter(|value| !value.trim().is_empty())
        };
        let known: Vec<_> = archived.iter().map(|one| (one, value(&one.key))).collect();
        let targets: Vec<Vec<&str>> = known
            .iter()
            .map(|(one, _)| one.target.iter().map(String::as_str).collect())
            .collect();
        let set: Vec<Set<'_>> = known
            .iter()
            .zip(&targets)
            .filter_map(|((one, value), target)| {
                Some(Set {
                    key: &one.key,
                    value: value.as_deref()?,
                    kind: one.kind,
                    target,
                    comment: &one.comment,
                })
            })
            .collect();
        send(self.vercel()?, project, &set).await?;
        let missing = known.iter().filter(|(_, value)| value.is_none());
        let missing: Vec<_> = missing.map(|(one, _)| one.key.as_str()).collect();
        output::note(&format!("  {} of {} set", set.len(), known.len()));
        Ok(if missing.is_empty() {
            Carried::Done
        } else {
            Carried::ByHand(format!(
                "nobody said what {} are: write them to a file as NAME=value, and call this again with --values FILE",
                missing.join(", ")
            ))
        })
    }

    /// Those that somebody set for whole environments.
    fn archived_variables(&self) -> Vec<Archived> {
        let document = self
            .opened
            .as_ref()
            .map(|opened| opened.document("vercel.app.variables"));
        let envs = document
            .as_ref()
            .and_then(|document| document["envs"].as_array());
        let read = |one: &Value| {
            let listed = Listed::deserialize(one).ok()?;
            let settable = match listed.kind {
                Kind::Plain | Kind::Encrypted | Kind::Sensitive => listed.is_general(),
                Kind::System | Kind::Other => false,
            };
            settable.then(|| Archived {
                key: listed.key,
                kind: listed.kind,
                target: listed.target,
                comment: listed.comment.unwrap_or_default(),
            })
        };
        envs.into_iter().flatten().filter_map(read).collect()
    }

    /// Gives the project its domains. Those that another project still has are left to a person.
    pub(super) async fn add_domains(&self) -> anyhow::Result<Carried> {
        let (vercel, project) = (self.vercel()?, self.made_vercel_project()?);
        let there = vercel.domains(project).await;
        let there = there.context("cannot list the domains on Vercel")?;
        let archived = self.archive()?.document("vercel.app.domains");
        let mut taken = Vec::new();
        for domain in archived["domains"].as_array().into_iter().flatten() {
            let name = domain["name"].as_str().unwrap_or_default();
            // Each deployment has one there by itself.
            if name.is_empty()
                || name.ends_with(".vercel.app")
                || there.iter().any(|one| one == name)
            {
                continue;
            }
            let mut wanted = json!({ "name": name });
            for field in ["redirect", "redirectStatusCode", "gitBranch"] {
                if !domain[field].is_null() {
                    wanted[field] = domain[field].clone();
                }
            }
            match vercel.add_domain(project, &wanted).await {
                Ok(()) => {}
                Err(
                    error @ ApiError::Refused {
                        status: 400..=499, ..
                    },
                ) => {
                    taken.push(format!("{name} ({error})"));
                }
                Err(error) => return Err(error).context(format!("cannot add the domain {name}")),
            }
        }
        Ok(if taken.is_empty() {
            Carried::Done
        } else {
            Carried::ByHand(format!(
                "Vercel does not give these domains yet: {}. Take them from where they are, then call this again",
                taken.join(", ")
            ))
        })
    }
}

/// Whether production has it, whatever else has, and it can be set.
fn is_of_production(variable: &Listed) -> bool {
    let settable = match variable.kind {
        Kind::Plain | Kind::Encrypted | Kind::Sensitive => true,
        Kind::System | Kind::Other => false,
    };
    let production = variable.target.iter().any(|target| target == "production");
    settable && production && variable.is_general()
}

async fn set_all(vercel: &Vercel, project: &str, set: &[(&Listed, &str)]) -> anyhow::Result<()> {
    let targets: Vec<Vec<&str>> = set
        .iter()
        .map(|(variable, _)| variable.target.iter().map(String::as_str).collect())
        .collect();
    let set: Vec<Set<'_>> = set
        .iter()
        .zip(&targets)
        .map(|((variable, value), target)| Set {
            key: &variable.key,
            value,
            kind: variable.kind,
            target,
            comment: variable.comment.as_deref().unwrap_or_default(),
        })
        .collect();
    send(vercel, project, &set).await
}

async fn send(vercel: &Vercel, project: &str, set: &[Set<'_>]) -> anyhow::Result<()> {
    if set.is_empty() {
        return Ok(());
    }
    let refused = vercel.set_variables(project, set).await;
    let refused = refused.context("cannot set the variables on Vercel")?;
    if refused.is_empty() {
        return Ok(());
    }
    let told = refused.iter().map(|one| {
        let key = one.key.as_deref().unwrap_or("a variable");
        format!("{key} ({}: {})", one.code, one.message)
    });
    bail!(
        "Vercel did not take {}",
        told.collect::<Vec<_>>().join(", ")
    )
}

async fn await_ready(vercel: &Vercel, mut deployment: Deployment) -> anyhow::Result<()> {
    let deadline = Deadline::after(BUILDING);
    loop {
        match deployment.state {
            ReadyState::Ready => return Ok(()),
            ReadyState::Blocked => bail!(
                "the deployment {} waits for somebody's consent: give it on Vercel, and call this again",
                deployment.id
            ),
            state if state.has_failed() => bail!(
                "the deployment {} did not become ready: look at it on Vercel; the next call builds it once more",
                deployment.id
            ),
            _ => {}
        }
        if deadline.has_passed() {
            bail!(
                "the deployment {} is still not ready: call this again, which waits for it",
                deployment.id
            );
        }
        clock::wait(STEP).await;
        let looked = vercel.deployment(&deployment.id).await;
        deployment = looked.context("cannot look at the deployment")?;
    }
}
