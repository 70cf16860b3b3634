//! Whether later releases will serve anybody.
//!
//! After a rollback the platform gives its domains to no new deployment, and only one field
//! of the project says so for good.

use super::BOTH;
use crate::verification::{
    judgement::Judgement, look::Look, report::Importance, seen::Seen, subject::Group,
};

pub(super) const LOOK: Look = Look {
    name: "pin",
    group: Group::Platform,
    importance: Importance::Important,
    of: BOTH,
    mend: "promote the release that shall serve; until then every later one is built and serves \
           nobody",
    judge,
};

fn judge(seen: &Seen<'_>) -> Judgement {
    match &seen.vercel_project {
        Err(reason) => Judgement::skipped(*reason),
        Ok(Err(error)) => Judgement::skipped(format!("Vercel {error}")),
        Ok(Ok(project)) => match project.assigns_domains {
            Some(true) => Judgement::passed("later releases get the domains"),
            Some(false) => Judgement::failed("production is pinned to what serves now"),
            // Whoever takes that for a yes promotes over a rollback.
            None => Judgement::failed("Vercel does not say whether production is pinned"),
        },
    }
}
