//! `pourtrait recover`: a database, an application or both brought back, step by step.
//!
//! In reading order: `plan` says which steps there are and how each stands; `journal` keeps what
//! was done, so that a call that was killed is gone on with; `course` takes the steps; `report`
//! tells how it went, with a receipt for the project.

pub(crate) mod arguments;
mod course;
mod journal;
mod plan;
mod report;

use ops::backups::recovery_receipts::Kind;
use terminal::{
    failure::{Misuse, Verdict},
    output::{self, Output},
};

use crate::{backup::refuse_shared, environment::Environment};
use arguments::{Place, Recover, RecoverApplication, RecoverDatabase, RecoverRegion, Target, Way};
use course::Course;
use report::Report;

/// What was asked for.
pub(super) struct Wanted {
    kind: Kind,
    way: Way,
    target: Option<Target>,
    place: Option<Place>,
}

impl From<Recover> for Wanted {
    fn from(action: Recover) -> Self {
        match action {
            Recover::Database(RecoverDatabase { target, way }) => Self {
                kind: Kind::Database,
                way,
                target: Some(target),
                place: None,
            },
            Recover::Application(RecoverApplication { place, way }) => Self {
                kind: Kind::Application,
                way,
                target: None,
                place: Some(place),
            },
            Recover::Region(RecoverRegion { target, place, way }) => Self {
                kind: Kind::Region,
                way,
                target: Some(target),
                place: Some(place),
            },
        }
    }
}

pub(crate) async fn run(
    action: Recover,
    environment: &Environment,
    output: Output,
) -> anyhow::Result<Verdict> {
    let wanted = Wanted::from(action);
    let folder = wanted.way.folder.clone();
    refuse_shared(&folder, "the keys of what is recovered")?;
    let mut course = Course::of(wanted, environment).await?;
    for target in course.targets() {
        output::note(&format!("target: {target}"));
    }
    let plan = course.plan();
    if course.wanted.way.dry_run {
        output.result(&report::plan_document(&plan), &report::plan_text(&plan));
        return Ok(Verdict::Good);
    }
    if !course.wanted.way.yes {
        output::note(&report::plan_text(&plan));
        let nothing = format!(
            "nothing was done: to recover into {}, say --yes",
            course.targets().join(" and ")
        );
        return Err(Misuse(nothing).into());
    }
    course.begin()?;
    let failure = course.go().await.err();
    let report = Report::of(&course, failure).await;
    // The next drill begins anew, unless there is something left to throw away.
    if course.journal.is_drill && !course.journal.has_made() {
        course.journal.forget()?;
    }
    output.result(&report.document(), &report.text());
    Ok(if report.is_good() {
        Verdict::Good
    } else {
        Verdict::Bad
    })
}
