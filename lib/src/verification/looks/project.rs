//! Whether it is the deployment of the project that is meant.

use super::BOTH;
use crate::verification::{
    judgement::Judgement,
    look::Look,
    report::Importance,
    seen::Seen,
    subject::{Group, Project},
};

pub(super) const LOOK: Look = Look {
    name: "project",
    group: Group::Configuration,
    importance: Importance::Critical,
    of: BOTH,
    mend: "compare the project's id with .vercel/project.json; in a repository with several \
           projects the wrong one is deployed easily",
    judge,
};

fn judge(seen: &Seen<'_>) -> Judgement {
    if seen.subject.project == Project::Ops && !is_ours(seen) {
        return Judgement::failed("what answers at /api/health is not this bundle");
    }
    let Some((_, named)) = &seen.subject.vercel else {
        return Judgement::passed("it answers as this bundle does; Vercel was not asked");
    };
    match &seen.vercel_deployment {
        Err(reason) => Judgement::skipped(*reason),
        Ok(Err(error)) if error.is_absent() => {
            Judgement::failed("Vercel knows no deployment of the team at this address")
        }
        Ok(Err(error)) => Judgement::skipped(format!("Vercel {error}")),
        Ok(Ok(deployment)) if deployment.is_of(named) => {
            Judgement::passed(format!("deployment {} of {named}", deployment.id))
        }
        Ok(Ok(deployment)) => Judgement::failed(format!(
            "it is a deployment of {}, not of {named}",
            deployment.owner()
        )),
    }
}

/// Whether health has the words that only we have.
fn is_ours(seen: &Seen<'_>) -> bool {
    let health = seen.best_health();
    health["services"]["database"].is_object() && health["configuration"]["valid"].is_boolean()
}
