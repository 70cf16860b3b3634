//! Whether the platform knows every job's schedule.

use super::OPS;
use crate::{
    endpoint::Endpoint,
    verification::{
        judgement::Judgement, look::Look, report::Importance, seen::Seen, subject::Group,
    },
};

pub(super) const LOOK: Look = Look {
    name: "crons_declared",
    group: Group::Jobs,
    importance: Importance::Important,
    of: OPS,
    mend: "look at Settings → Cron Jobs: they are declared by the vercel.json in the project's \
           root directory, and a rollback brings back those of the old build",
    judge,
};

fn judge(seen: &Seen<'_>) -> Judgement {
    let project = match &seen.vercel_project {
        Err(reason) => return Judgement::skipped(*reason),
        Ok(Err(error)) => return Judgement::skipped(format!("Vercel {error}")),
        Ok(Ok(project)) => project,
    };
    let Some(crons) = &project.crons else {
        return Judgement::failed("Vercel knows no crons of the project");
    };
    let mut bad = Vec::new();
    if crons.are_disabled() {
        bad.push("crons are disabled for the whole project".to_owned());
    }
    let jobs = Endpoint::ALL.into_iter().map(Endpoint::spec);
    for spec in jobs.filter(|spec| spec.job.is_some()) {
        if !crons.are_declared(spec.path) {
            bad.push(format!("{} is not declared", spec.path));
        }
    }
    Judgement::unless(&bad, "every job's schedule is known to Vercel")
}
