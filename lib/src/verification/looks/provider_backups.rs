//! Whether the provider's own backups are made.

use jiff::{SignedDuration, Timestamp};

use super::OPS;
use crate::{
    platforms::supabase::backups::ProviderBackup,
    verification::{
        judgement::Judgement, look::Look, report::Importance, seen::Seen, subject::Group,
    },
};

pub(super) const LOOK: Look = Look {
    name: "provider_backups",
    group: Group::Backups,
    importance: Importance::Important,
    of: OPS,
    mend: "look at Database → Backups of the project, and write to its support; ours do not \
           depend on them",
    judge,
};

/// How old the newest daily backup may be: the provider makes them at no exact time.
const OLDEST: SignedDuration = SignedDuration::from_hours(26);

/// How far point-in-time recovery may lag behind.
const LAG: SignedDuration = SignedDuration::from_mins(10);

fn judge(seen: &Seen<'_>) -> Judgement {
    let found = match &seen.provider_backups {
        Err(reason) => return Judgement::skipped(*reason),
        Ok(Err(error)) => return Judgement::skipped(format!("Supabase {error}")),
        Ok(Ok(found)) => found,
    };
    if found.pitr {
        return recovery(found.latest_physical, seen.now);
    }
    match found.backups.first() {
        None if found.unreadable > 0 => Judgement::failed("none of them says when it was made"),
        None => Judgement::skipped("the project's plan has none"),
        Some(ProviderBackup { at, status })
            if ["FAILED", "CANCELED"].contains(&status.as_str()) =>
        {
            Judgement::failed(format!("the newest, of {at}, is {status}"))
        }
        Some(newest) if seen.now.duration_since(newest.at) > OLDEST => {
            Judgement::failed(format!("the newest is of {}", newest.at))
        }
        Some(ProviderBackup { at, status }) => {
            Judgement::passed(format!("the newest, of {at}, is {status}"))
        }
    }
}

fn recovery(latest: Option<Timestamp>, now: Timestamp) -> Judgement {
    match latest {
        None => Judgement::failed("point-in-time recovery is on and says nothing of its reach"),
        Some(at) if now.duration_since(at) > LAG => Judgement::failed(format!(
            "point-in-time recovery reaches {at} and no further"
        )),
        Some(at) => Judgement::passed(format!("point-in-time recovery reaches {at}")),
    }
}
