//! `pourtrait deploy`: gates, the schema, a deployment that serves nobody, a look at it, the
//! domains, a look at them; and back where they do not work.
//!
//! Killed at any moment it leaves one of three things: nothing, a staged deployment that
//! serves nobody, from which `--staged` goes on, or a change of traffic that was asked for,
//! which `pourtrait status` shows and a second call waits for in words. Asked to end by a
//! signal it says which of them, and waits for a change of traffic that is under way.

pub(crate) mod arguments;
mod gates;
mod notice;
mod program;
mod push;
mod release;
mod repository;
mod schema;
mod staging;
mod steps;

use std::path::PathBuf;

use anyhow::{Context, bail};
use ops::{
    migrate::Schema,
    platforms::vercel::{Deployment, ReadyState, Substate},
    verification::subject::Release,
};
use serde_json::json;

use crate::{
    environment::Environment,
    traffic::{Outcome, Platform, Scene, Which, proof},
};
use arguments::Deploy;
use program::Program;
use release::Released;
use steps::{Cut, Steps};
use terminal::{
    failure::{Misuse, Verdict},
    output::{self, Output},
};

/// How many deployments are looked through.
const SEARCHED: u8 = 100;

/// A deployment under way.
struct Course<'a> {
    options: &'a Deploy,
    environment: &'a Environment,
    platform: &'a Platform,
    folder: PathBuf,
    commit: String,
    /// What served as this began.
    scene: Scene,
    steps: Steps,
    /// What takes the database's functions back.
    way_back: Option<Schema>,
}

pub(crate) async fn run(
    options: &Deploy,
    environment: &Environment,
    output: Output,
) -> anyhow::Result<Verdict> {
    let platform = Platform::of(environment, options.project)?;
    let scene = platform.show(environment).await?;
    let folder = PathBuf::from(".");
    staging::is_linked(&folder, &scene)?;
    let commit = repository::head(&folder).await?;
    let mut course = Course {
        options,
        environment,
        platform: &platform,
        folder,
        commit,
        scene,
        steps: Steps::new()?,
        way_back: None,
    };
    if options.dry_run {
        let plan = course.plan()?;
        output.result(
            &json!({"commit": course.commit, "plan": plan}),
            &plan.join("\n"),
        );
        return Ok(Verdict::Good);
    }
    release::admits(&course.scene, options.unpin)?;
    let outcome = Box::pin(course.go()).await;
    course.tell(&outcome).await;
    let released = outcome?;
    let mut document = released.document();
    document["commit"] = json!(course.commit);
    document["steps"] = course.steps.document();
    output.result(&document, &released.words());
    Ok(if released.is_good() {
        Verdict::Good
    } else {
        Verdict::Bad
    })
}

impl Course<'_> {
    /// Everything, up to a deployment that serves or what served before.
    async fn go(&mut self) -> anyhow::Result<Released> {
        let listed = self.listed().await?;
        if self.options.staged.is_none() {
            self.mention_staged(&listed);
            // What would be refused later is refused before anything takes its time.
            self.push()?;
            self.pass_gates().await?;
            self.build().await?;
        }
        self.migrate(&listed).await?;
        let staged = self.stage().await?;
        let looking = look_at(self.platform, &staged);
        self.steps.leave(format!(
            "{} serves nobody; `{}` goes on from it",
            staged.id,
            self.going_on(&staged.id)
        ));
        self.steps.take("look at its own address", looking).await?;
        // The gates took their time: who serves and whether it is pinned is read anew.
        let seen = self.platform.look().await?;
        release::admits(&seen, self.options.unpin)?;
        let mut released =
            release::promote(self.platform, &seen, &staged.id, &mut self.steps).await?;
        if let (Outcome::Done, Some(broken)) = (released.report.outcome(), &released.broken) {
            let former = self.way_back.as_ref();
            let (platform, environment) = (self.platform, self.environment);
            let returning = release::go_back(platform, environment, &seen, former, &mut self.steps);
            match returning.await {
                Ok(report) => released.returned = Some(report),
                Err(error) => released.broken = Some(format!("{broken}\ngoing back: {error:#}")),
            }
        }
        Ok(released)
    }

    async fn listed(&self) -> anyhow::Result<Vec<Deployment>> {
        let project = &self.scene.project.id;
        let listed = self.platform.vercel.deployments(project, SEARCHED).await;
        Ok(listed.context("cannot list the deployments")?.deployments)
    }

    /// A call before this one may have been killed after it had built.
    fn mention_staged(&self, listed: &[Deployment]) {
        let is_left = |one: &&Deployment| {
            one.state == ReadyState::Ready
                && one.substate == Some(Substate::Staged)
                && one.commit() == Some(self.commit.as_str())
        };
        if let Some(left) = listed.iter().find(is_left) {
            output::note(&format!(
                "note: {} is built from this commit and serves nobody; `--staged {}` goes on from it",
                left.id, left.id
            ));
        }
        let serves = self.scene.alone();
        let serving = listed.iter().find(|one| Some(one.id.as_str()) == serves);
        if serving.and_then(Deployment::commit) == Some(self.commit.as_str()) {
            output::note("note: what serves now is of this commit; it is built and released anew");
        }
    }

    async fn pass_gates(&mut self) -> anyhow::Result<()> {
        if self.options.skip_gates {
            output::note("GATES SKIPPED: nobody knows whether this commit passes its own checks");
            return Ok(());
        }
        let clean = repository::is_clean(&self.folder);
        let step = "the folder is as committed";
        self.steps.take(step, clean).await?;
        let gates = gates::programs(self.options.project, &self.folder);
        self.run_all(&gates).await
    }

    async fn build(&mut self) -> anyhow::Result<()> {
        let builders = staging::builders(self.options.project, &self.scene, self.environment);
        self.run_all(&builders).await
    }

    async fn run_all(&mut self, programs: &[Program]) -> anyhow::Result<()> {
        for program in programs {
            let running = program.run(&self.folder);
            self.steps.take(&program.line(), running).await?;
        }
        Ok(())
    }

    /// Brings the database what the release needs, while the one before serves on it.
    async fn migrate(&mut self, listed: &[Deployment]) -> anyhow::Result<()> {
        if self.options.project == Which::App {
            if let Some(push) = self.push()? {
                let running = push.run(&self.folder);
                self.steps
                    .take_leaving(&push.line(), push::LEAVES, running)
                    .await?;
                self.steps.leave("the app's migrations are applied");
            }
            return Ok(());
        }
        let serves = self.scene.alone();
        let serving = listed.iter().find(|one| Some(one.id.as_str()) == serves);
        let applying = schema::apply(
            self.environment,
            &self.folder,
            &self.commit,
            serving.and_then(Deployment::commit),
            self.options.one_way,
        );
        let leaves = "a table file is applied whole or not at all, and so are the functions: \
            `pourtrait migrate status` says how far it came";
        let migrated = self.steps.take_leaving("migrate", leaves, applying).await?;
        self.steps
            .leave("the database has the schema of this build, which what serves bears");
        self.way_back = migrated.way_back;
        output::note(&format!(
            "  {} table files applied{}",
            migrated.applied.tables.len(),
            if migrated.applied.exchanged {
                ", the functions exchanged"
            } else {
                ""
            }
        ));
        Ok(())
    }

    /// What applies the app's own migrations, where it keeps them here and they were not
    /// applied for a staged deployment already.
    fn push(&self) -> Result<Option<Program>, Misuse> {
        if self.options.project == Which::Ops || self.options.staged.is_some() {
            return Ok(None);
        }
        push::program(&self.folder, self.environment)
    }

    /// The command that goes on from a staged deployment.
    fn going_on(&self, staged: &str) -> String {
        let flag = self.platform.which.flag();
        format!("pourtrait deploy --staged {staged}{flag}")
    }

    /// A deployment that is ready and serves nobody.
    async fn stage(&mut self) -> anyhow::Result<Deployment> {
        let (platform, scene) = (self.platform, &self.scene);
        let staged = if let Some(named) = &self.options.staged {
            let named = named.trim_start_matches("https://");
            let finding = staging::ready(platform, scene, named);
            let step = "find the staged deployment";
            self.steps.take(step, finding).await?
        } else {
            let program = staging::uploader(&self.commit, scene, self.environment);
            let uploading = staging::upload(&program, &self.folder, platform, scene, &self.commit);
            let leaves = format!(
                "a deployment may have been made, which serves nobody: `pourtrait status \
                 --deployments{}` lists it, and `{}` goes on from it",
                platform.which.flag(),
                self.going_on("DEPLOYMENT")
            );
            self.steps
                .take_leaving(&program.line(), &leaves, uploading)
                .await?
        };
        if self.scene.alone() == Some(staged.id.as_str()) {
            return Err(Misuse(format!("{} serves already", staged.id)).into());
        }
        output::note(&format!(
            "  staged: {} {}",
            staged.id,
            staged.address().unwrap_or_default()
        ));
        Ok(staged)
    }

    async fn tell(&mut self, outcome: &anyhow::Result<Released>) {
        let failure = match outcome {
            Ok(released) if released.is_good() => None,
            Ok(released) => Some(released.words()),
            Err(error) if is_nobodys_business(error) => return,
            Err(error) => Some(format!("{error:#}")),
        };
        let telling = notice::tell(
            self.environment,
            &self.platform.outbound,
            self.options.project,
            failure.as_deref(),
        );
        self.steps.unless_signalled(telling).await;
    }

    /// What would be done, a line a step.
    fn plan(&self) -> Result<Vec<String>, Misuse> {
        let project = self.options.project;
        let mut lines = vec![format!("{}; commit {}", self.scene.words(), self.commit)];
        if let Err(Misuse(why)) = release::admits(&self.scene, self.options.unpin) {
            lines.push(format!("refused as it is now: {why}"));
        }
        if self.options.staged.is_none() {
            if self.options.skip_gates {
                lines.push("GATES SKIPPED".to_owned());
            } else {
                lines.push("the folder is as committed".to_owned());
                lines.extend(line_of(&gates::programs(project, &self.folder)));
            }
            lines.extend(line_of(&staging::builders(
                project,
                &self.scene,
                self.environment,
            )));
        }
        match project {
            Which::App => lines.extend(self.push()?.map(|push| push.line())),
            Which::Ops => {
                lines.push("pourtrait migrate, where what serves now bears it".to_owned());
            }
        }
        lines.push(match &self.options.staged {
            Some(named) => format!("go on from {named}"),
            None => staging::uploader(&self.commit, &self.scene, self.environment).line(),
        });
        lines.extend(
            [
                "look at its own address",
                "promote it, once",
                "look at the domains; where they do not work, go back",
                "tell the bundle",
            ]
            .map(str::to_owned),
        );
        Ok(lines)
    }
}

/// A word that was typed wrongly, or an end that somebody asked for while nothing served
/// otherwise than before.
fn is_nobodys_business(error: &anyhow::Error) -> bool {
    let cut = error.downcast_ref::<Cut>();
    error.is::<Misuse>() || cut.is_some_and(|cut| !cut.has_changed_traffic)
}

async fn look_at(platform: &Platform, staged: &Deployment) -> anyhow::Result<()> {
    let url = staged.address().context("it has no address of its own")?;
    match proof::look(platform, &url, Release::OfThisBuild).await {
        Ok(seen) => {
            output::note(&format!("  {seen}"));
            Ok(())
        }
        Err(why) => bail!("{why}; it serves nobody, and nothing was promoted"),
    }
}

fn line_of(programs: &[Program]) -> Vec<String> {
    programs.iter().map(Program::line).collect()
}
