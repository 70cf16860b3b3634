//! A recovery under way: what it knows, and the steps that it takes one after the other, those
//! of `database`, `new_project`, `application` and `vercel`.

mod application;
mod database;
mod new_project;
mod vercel;

use std::{path::Path, process::Stdio, sync::Arc};

use anyhow::{Context, bail};
use backup::{format::Snapshot, keys::Identities};
use ops::{
    backups::recovery_receipts::Kind,
    platforms::{supabase::Management, vercel::Vercel},
};
use outside::{clock, outbound::Outbound};
use terminal::{env_file::Variables, failure::Misuse, output};
use tokio::process::Command;

use super::{
    Wanted,
    journal::Journal,
    plan::{self, Facts, Planned, State, Step},
};
use crate::{
    backup::{
        quantities,
        repository::{Repository, identities},
    },
    environment::Environment,
    times,
};

use application::Opened;
use database::UNCOVERED;

/// What names the former project, and must name the new one or nothing.
const OF_THE_PROJECT: [&str; 10] = [
    "NEXT_PUBLIC_SUPABASE_URL",
    "SUPABASE_URL",
    "SUPABASE_SECRET_KEY",
    "SUPABASE_SERVICE_ROLE_KEY",
    "SUPABASE_PUBLISHABLE_KEY",
    "NEXT_PUBLIC_SUPABASE_ANON_KEY",
    "DATABASE_URL",
    "DATABASE_CA",
    "SUPABASE_PROJECT_REF",
    "SUPABASE_DB_PASSWORD",
];

/// What of the first place of the backups has a counterpart in the copy's.
const OF_THE_STORE: [(&str, &str); 3] = [
    ("BACKUP_URL", "BACKUP_REPLICA_URL"),
    ("BACKUP_ACCESS_KEY_ID", "BACKUP_REPLICA_ACCESS_KEY_ID"),
    (
        "BACKUP_SECRET_ACCESS_KEY",
        "BACKUP_REPLICA_SECRET_ACCESS_KEY",
    ),
];

/// What came of a step.
enum Carried {
    Done,
    /// A part of it is left to a person.
    ByHand(String),
}

pub(super) struct Course<'a> {
    pub(super) wanted: Wanted,
    /// What the command was called with; the former project's.
    pub(super) source: &'a Environment,
    pub(super) journal: Journal,
    /// The variables of what is made.
    pub(super) variables: Variables,
    outbound: Arc<Outbound>,
    management: Option<Management>,
    vercel: Option<Vercel>,
    identities: Identities,
    snapshot: Option<Snapshot>,
    opened: Option<Opened>,
    /// What is left to a person, and how, of the steps so far.
    pub(super) by_hand: Vec<(Step, String)>,
}

impl<'a> Course<'a> {
    /// Reads what there is, and changes nothing.
    pub(super) async fn of(wanted: Wanted, source: &'a Environment) -> anyhow::Result<Self> {
        let journal = Journal::open(&wanted.way.folder, wanted.kind, wanted.way.drill)?;
        let mut variables = journal.variables(source)?;
        if wanted.target.is_some() && !journal.variables_path().exists() {
            variables.retain(|name, _| !OF_THE_PROJECT.contains(&name.as_str()));
        }
        let outbound = Arc::new(Outbound::default());
        let platforms = source.config().platforms;
        let identities = identities(&wanted.way.key, source)?;
        let mut course = Self {
            management: platforms.management(&outbound),
            vercel: platforms.vercel(&outbound),
            wanted,
            source,
            journal,
            variables,
            outbound,
            identities,
            snapshot: None,
            opened: None,
            by_hand: Vec::new(),
        };
        if course.wanted.kind == Kind::Region {
            course.look_at_the_store().await?;
        }
        course.choose().await?;
        Ok(course)
    }

    /// Takes the copy where the first place of the backups does not answer, or holds none.
    async fn look_at_the_store(&mut self) -> anyhow::Result<()> {
        let Err(error) = self.holds_backups().await else {
            return Ok(());
        };
        if !self.variables.contains_key("BACKUP_REPLICA_URL") {
            return Err(error.context("BACKUP_REPLICA_URL names no copy of the backups"));
        }
        for (name, of_copy) in OF_THE_STORE {
            match self.variables.remove(of_copy) {
                Some(value) => self.variables.insert(name.to_owned(), value),
                None => self.variables.remove(name),
            };
        }
        output::note(&format!("note: {error:#}; the copy is used from here on"));
        self.holds_backups().await
    }

    async fn holds_backups(&self) -> anyhow::Result<()> {
        let repository = self.repository()?;
        if repository.all().await?.snapshots.is_empty() {
            bail!("there is no backup in {}", repository.store.place());
        }
        Ok(())
    }

    async fn choose(&mut self) -> anyhow::Result<()> {
        if let Some(target) = &self.wanted.target {
            let which = self.journal.snapshot.as_deref().unwrap_or(&target.backup);
            let snapshot = self.repository()?.find(which).await?;
            output::note(&format!(
                "backup: {}, taken {:.0}, {} ago: {} rows of {} tables, {}",
                snapshot.snapshot,
                snapshot.taken_at,
                quantities::age(clock::now(), snapshot.taken_at),
                quantities::count(snapshot.totals.rows),
                quantities::count(snapshot.totals.tables),
                quantities::bytes(snapshot.totals.raw_bytes)
            ));
            self.journal.snapshot = Some(snapshot.snapshot.to_string());
            self.snapshot = Some(snapshot);
        }
        if let Some(place) = &self.wanted.place {
            let which = self.journal.archive.as_deref().unwrap_or(&place.archive);
            let store = self.repository()?.store;
            let opened = Opened::find(&store, which, &self.identities).await?;
            output::note(&format!("archive: {}", opened.name));
            self.journal.archive = Some(opened.name.clone());
            self.opened = Some(opened);
        }
        Ok(())
    }

    /// The store as the variables have it.
    fn repository(&self) -> anyhow::Result<Repository> {
        Repository::of(&Environment::of_variables(
            &self.wanted.way.folder,
            self.variables.clone(),
        ))
    }

    /// What is about to be changed.
    pub(super) fn targets(&self) -> Vec<String> {
        let mut targets = Vec::new();
        if let Some(target) = &self.wanted.target {
            targets.push(match (&target.new_project, &target.into) {
                (Some(name), _) => format!("a new project {name} on Supabase"),
                (None, Some(url)) => {
                    let host = outside::database::host(&url.trim().into());
                    host.unwrap_or_else(|_| "a database that --into does not name".to_owned())
                }
                (None, None) => String::new(),
            });
        }
        if let Some(place) = &self.wanted.place {
            if let Some(remote) = place
                .repository
                .as_deref()
                .filter(|_| !self.journal.is_drill)
            {
                targets.push(format!("the repository {}", without_secret(remote)));
            }
            if let Some(name) = &place.vercel_project {
                targets.push(format!("a project {name} on Vercel"));
            }
        }
        let serving =
            self.wanted.target.is_some() && !self.journal.is_drill && self.vercel.is_some();
        let platforms = self.source.config().platforms;
        for project in [platforms.app_project, platforms.own_project] {
            let named = project.filter(|_| serving);
            targets.extend(named.map(|project| format!("the project {project} on Vercel")));
        }
        if targets.is_empty() {
            targets.push(self.wanted.way.folder.display().to_string());
        }
        targets
    }

    /// Every step with how it stands.
    pub(super) fn plan(&self) -> Vec<Planned> {
        let platforms = self.source.config().platforms;
        let (target, place) = (self.wanted.target.as_ref(), self.wanted.place.as_ref());
        let makes_project = target.is_some_and(|target| target.new_project.is_some());
        let facts = Facts {
            done: self.journal.done.clone(),
            makes_project,
            has_api: makes_project || target.is_some_and(|target| target.project_url.is_some()),
            has_files: self
                .snapshot
                .as_ref()
                .is_some_and(|one| one.files.is_some()),
            has_management: self.management.is_some() && self.has_reference(makes_project),
            has_vercel: self.vercel.is_some(),
            has_app_project: platforms.app_project.is_some(),
            has_own_project: platforms.own_project.is_some(),
            has_repository: place.is_some_and(|place| place.repository.is_some()),
            makes_vercel_project: place.is_some_and(|place| place.vercel_project.is_some()),
            archive: self.journal.place("archive").display().to_string(),
            uncovered: self.journal.place(UNCOVERED).display().to_string(),
            recovered: self.journal.variables_path().display().to_string(),
        };
        plan::plan(self.journal.kind, self.journal.is_drill, &facts)
    }

    fn has_reference(&self, is_made: bool) -> bool {
        is_made || self.variables.contains_key("SUPABASE_PROJECT_REF")
    }

    /// Makes the folder, and notes what was chosen.
    pub(super) fn begin(&mut self) -> anyhow::Result<()> {
        self.journal.make_folder()?;
        if let Some(target) = &self.wanted.target {
            let ca = target.ca.clone().or_else(|| self.source.get("DATABASE_CA"));
            for (name, value) in [
                ("DATABASE_URL", &target.into),
                ("SUPABASE_URL", &target.project_url),
                ("SUPABASE_SECRET_KEY", &target.secret_key),
                ("DATABASE_CA", &ca),
            ] {
                if let Some(value) = value {
                    let value = value.trim().to_owned();
                    self.variables.insert(name.to_owned(), value);
                }
            }
        }
        self.keep()
    }

    /// Keeps what is known.
    pub(super) fn keep(&self) -> anyhow::Result<()> {
        self.journal.keep_variables(&self.variables)?;
        self.journal.write()
    }

    /// Takes every step that is to be taken. What a drill made is thrown away whatever failed.
    pub(super) async fn go(&mut self) -> anyhow::Result<()> {
        let mut failure = None;
        for Planned { step, state } in self.plan() {
            match state {
                State::Done(_) => {}
                State::ByHand(how) => self.by_hand.push((step, how)),
                State::Todo if failure.is_some() && step != Step::Removal => {}
                State::Todo => {
                    if let Err(error) = self.take(step).await {
                        failure.get_or_insert(error.context(format!("{} failed", step.title())));
                    }
                }
            }
        }
        failure.map_or(Ok(()), Err)
    }

    async fn take(&mut self, step: Step) -> anyhow::Result<()> {
        let began = clock::instant();
        output::note(&format!(
            "{}  {}",
            times::to_the_second(clock::now()),
            step.title()
        ));
        // Each is a machine of its own, and together they would be a big one.
        let carried = Box::pin(self.carry(step)).await?;
        let took = began.elapsed();
        match carried {
            Carried::Done => {
                output::note(&format!("  done in {}", quantities::took(took)));
                self.journal.note(step, took.as_secs_f64())
            }
            Carried::ByHand(how) => {
                output::note(&format!("  by hand: {how}"));
                self.by_hand.push((step, how));
                Ok(())
            }
        }
    }

    async fn carry(&mut self, step: Step) -> anyhow::Result<Carried> {
        match step {
            Step::Store => Ok(Carried::Done),
            Step::Project => self.make_project().await,
            Step::Restore => self.restore().await,
            Step::Files => self.restore_files().await,
            Step::Archive => self.write_archive(),
            Step::Repository => self.push_repository().await,
            Step::Functions => self.deploy_functions().await,
            Step::Configuration => self.configure().await,
            Step::VercelProject => self.make_vercel_project().await,
            Step::Variables => self.set_app_variables().await,
            Step::Domains => self.add_domains().await,
            Step::PointApp => self.point(&self.app_project()?).await,
            Step::PointBundle => self.point(&self.own_project()?).await,
            Step::DeployApp => self.deploy_anew(&self.app_project()?).await,
            Step::DeployBundle => self.deploy_anew(&self.own_project()?).await,
            Step::Check => self.call(&["check", "--live"]).await,
            Step::FirstBackup => self.call(&["backup", "run"]).await,
            Step::Removal => self.remove().await,
            Step::Uncovered | Step::Jobs | Step::Release | Step::Addresses => {
                bail!("it is left to a person")
            }
        }
    }

    fn app_project(&self) -> anyhow::Result<String> {
        let project = self.source.config().platforms.app_project;
        project.context("APP_VERCEL_PROJECT_ID is not set")
    }

    fn own_project(&self) -> anyhow::Result<String> {
        let project = self.source.config().platforms.own_project;
        project.context("VERCEL_PROJECT_ID is not set")
    }

    fn chosen(&self) -> anyhow::Result<&Snapshot> {
        self.snapshot.as_ref().context("no backup was chosen")
    }

    fn archive(&self) -> anyhow::Result<&Opened> {
        self.opened.as_ref().context("no archive was chosen")
    }

    /// Runs another command of ours with the variables of what was made. What it prints goes
    /// where people look.
    async fn call(&self, arguments: &[&str]) -> anyhow::Result<Carried> {
        let program = std::env::current_exe().context("cannot find this program")?;
        let variables = self.journal.variables_path();
        let line = arguments.join(" ");
        output::note(&format!(
            "  pourtrait --env-file {} {line}",
            variables.display()
        ));
        let ended = Command::new(program)
            .arg("--env-file")
            .arg(Path::new(&variables))
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .context("cannot start this program")?
            .wait_with_output()
            .await?;
        output::note(String::from_utf8_lossy(&ended.stdout).trim_end());
        if !ended.status.success() {
            bail!(
                "`pourtrait {line}` ended with {}; mend what it says, and call this again",
                ended.status
            );
        }
        Ok(Carried::Done)
    }
}

/// A repository's address without the token that may stand in it.
fn without_secret(remote: &str) -> String {
    match (remote.split_once("://"), remote.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, place))) => format!("{scheme}://{place}"),
        _ => remote.to_owned(),
    }
}

/// What a step needs and was not given.
fn lacking(what: &str) -> anyhow::Error {
    Misuse(format!("{what} is not set")).into()
}
