//! Whether the provider's own backups are made.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::OPS;
use crate::verification::{
    judgement::Judgement, look::Look, report::Importance, seen::Seen, subject::Group,
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
    let document = match &seen.provider_backups {
        Err(reason) => return Judgement::skipped(*reason),
        Ok(Err(error)) => return Judgement::skipped(format!("Supabase {error}")),
        Ok(Ok(document)) => document,
    };
    let backups = document["backups"].as_array();
    let backups = backups.map_or(&[][..], Vec::as_slice);
    if document["pitr_enabled"] == true {
        return recovery(document, seen.now);
    }
    if backups.is_empty() {
        return Judgement::skipped("the project's plan has none");
    }
    let newest = backups
        .iter()
        .filter_map(|backup| Some((time(&backup["inserted_at"])?, backup["status"].as_str()?)))
        .max();
    match newest {
        None => Judgement::failed("none of them says when it was made"),
        Some((at, status @ ("FAILED" | "CANCELED"))) => {
            Judgement::failed(format!("the newest, of {at}, is {status}"))
        }
        Some((at, _)) if seen.now.duration_since(at) > OLDEST => {
            Judgement::failed(format!("the newest is of {at}"))
        }
        Some((at, status)) => Judgement::passed(format!("the newest, of {at}, is {status}")),
    }
}

fn recovery(document: &Value, now: Timestamp) -> Judgement {
    let latest = document["physical_backup_data"]["latest_physical_backup_date_unix"].as_i64();
    match latest.and_then(|seconds| Timestamp::from_second(seconds).ok()) {
        None => Judgement::failed("point-in-time recovery is on and says nothing of its reach"),
        Some(at) if now.duration_since(at) > LAG => Judgement::failed(format!(
            "point-in-time recovery reaches {at} and no further"
        )),
        Some(at) => Judgement::passed(format!("point-in-time recovery reaches {at}")),
    }
}

fn time(value: &Value) -> Option<Timestamp> {
    value.as_str()?.parse().ok()
}
