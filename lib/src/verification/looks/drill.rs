//! Whether a backup was restored lately, how that went, and whether what lies in the store was
//! found whole.

use super::OPS;
use crate::verification::{
    judgement::Judgement, look::Look, report::Importance, seen::Seen, subject::Group,
};

pub(super) const LOOK: Look = Look {
    name: "drill",
    group: Group::Backups,
    importance: Importance::Important,
    of: OPS,
    mend: "run `pourtrait backup drill`: a backup that nobody restored is a hope; of a damaged one, \
           `pourtrait backup verify` names the objects",
    judge,
};

fn judge(seen: &Seen<'_>) -> Judgement {
    seen.with_dashboard(|data| {
        let verifications = &data["backups"]["verifications"];
        if verifications["status"] == "damaged" {
            let last = &verifications["last"];
            return Judgement::failed(format!(
                "{} is damaged in its store, found {}",
                last["snapshot"].as_str().unwrap_or("a backup"),
                last["finishedAt"].as_str().unwrap_or("lately"),
            ));
        }
        let drills = &data["backups"]["drills"];
        let at = drills["last"]["finishedAt"].as_str().unwrap_or("never");
        match drills["status"].as_str() {
            Some("ok") => Judgement::passed(format!("the last one was good, {at}")),
            Some("not_set_up") | None => Judgement::failed("no backup was ever restored"),
            Some(status) => {
                let reason = drills["last"]["reason"].as_str();
                let reason = reason.map(|reason| format!(": {reason}"));
                Judgement::failed(format!(
                    "{status}, the last one was {at}{}",
                    reason.unwrap_or_default()
                ))
            }
        }
    })
}
