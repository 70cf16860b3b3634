//! One change of traffic: look again just before, ask at most once, wait until it is
//! settled, and look what serves.
//!
//! An answer that is lost is never made up for by asking again: the first request may be
//! done yet. Whatever happens, the [`Report`] says what the last look showed.

use std::time::Duration;

use ops::platforms::{
    api::ApiError,
    vercel::{AliasRequest, Project, Vercel},
};
use outside::clock::{self, Deadline};

use super::{
    Scene,
    report::{Asked, Objection, Report},
    wanted::{Kind, Wanted},
};

/// How long a change is waited for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    /// The time between two looks.
    pub(crate) every: Duration,
    /// Until the project shows what was asked.
    pub(crate) unseen: Duration,
    /// Until what it shows is settled.
    pub(crate) unsettled: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            every: Duration::from_millis(250),
            unseen: Duration::from_secs(20),
            unsettled: Duration::from_secs(180),
        }
    }
}

/// Makes the change that was chosen by what `seen` showed, if it still shows that.
pub(crate) async fn make(
    vercel: &Vercel,
    wanted: Wanted,
    seen: &Scene,
    patience: Patience,
) -> Report {
    let project = seen.project.id.as_str();
    let before = match Scene::look(vercel, project).await {
        Ok(now) => now,
        Err(error) => {
            return Report::not_asked(wanted, Objection::Unseen, Err(error));
        }
    };
    if let Some(objection) = objection(seen, &before) {
        return Report::not_asked(wanted, objection, Ok(before));
    }
    let asked = match ask(vercel, project, &wanted).await {
        Ok(()) => Asked::Accepted,
        Err(error) if error.is_uncertain() => Asked::Uncertain(error),
        Err(error) => Asked::Refused(error),
    };
    let is_settled = match asked {
        Asked::Refused(_) | Asked::Not(_) => true,
        Asked::Accepted | Asked::Uncertain(_) => {
            let former = before.project.last_request.as_ref();
            settle(vercel, project, &wanted, former, patience).await
        }
    };
    Report {
        wanted,
        before: Some(before),
        asked,
        is_settled,
        after: Scene::look(vercel, project).await,
    }
}

/// What speaks against asking: what was chosen by is no longer so.
fn objection(seen: &Scene, now: &Scene) -> Option<Objection> {
    if let Some(request) = now.open_request() {
        return Some(Objection::Busy(request.clone()));
    }
    let same = seen.project.assigns_domains == now.project.assigns_domains
        && seen.project.last_request == now.project.last_request
        && seen.holders().eq(now.holders());
    (!same).then_some(Objection::Moved)
}

async fn ask(vercel: &Vercel, project: &str, wanted: &Wanted) -> Result<(), ApiError> {
    let Wanted {
        kind,
        deployment,
        reason,
    } = wanted;
    match kind {
        Kind::Promote | Kind::Release => vercel.promote(project, deployment).await,
        Kind::Rollback => vercel.roll_back(project, deployment, reason).await,
    }
}

/// Waits until the project says that what was asked is over. `former` is what it showed
/// before.
async fn settle(
    vercel: &Vercel,
    project: &str,
    wanted: &Wanted,
    former: Option<&AliasRequest>,
    patience: Patience,
) -> bool {
    let unseen = Deadline::after(patience.unseen);
    let unsettled = Deadline::after(patience.unsettled);
    loop {
        // What cannot be read now may be in a moment.
        let project = vercel.project(project).await.ok();
        let ours = project
            .as_ref()
            .and_then(|project| ours(project, wanted, former));
        match ours {
            Some(request) if !request.is_open() => return true,
            Some(_) if unsettled.has_passed() => return false,
            None if unseen.has_passed() => return false,
            Some(_) | None => clock::wait(patience.every).await,
        }
    }
}

/// The request that was made here, if the project shows it.
fn ours<'a>(
    project: &'a Project,
    wanted: &Wanted,
    former: Option<&AliasRequest>,
) -> Option<&'a AliasRequest> {
    let shown = project.last_request.as_ref()?;
    let is_new = former.is_none_or(|former| former.requested_at() != shown.requested_at());
    (is_new && shown.to.as_deref() == Some(wanted.deployment.as_str())).then_some(shown)
}
