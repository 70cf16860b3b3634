//! Whether there is a backup, young enough.

use super::OPS;
use crate::verification::{
    judgement::Judgement, look::Look, report::Importance, seen::Seen, subject::Group,
};

pub(super) const LOOK: Look = Look {
    name: "backup",
    group: Group::Backups,
    importance: Importance::Critical,
    of: OPS,
    mend: "run `pourtrait backup run` and read why the last one failed on the dashboard",
    judge,
};

fn judge(seen: &Seen<'_>) -> Judgement {
    seen.with_dashboard(|data| {
        let backups = &data["backups"];
        let last = backups["lastBackupAt"].as_str();
        match (backups["status"].as_str(), last) {
            (Some("ok"), Some(at)) => Judgement::passed(format!("the newest is of {at}")),
            (Some(status), Some(at)) => {
                Judgement::failed(format!("{status}: the newest is of {at}"))
            }
            (Some(status), None) => Judgement::failed(format!("{status}: there is none")),
            (None, _) => Judgement::failed("no backup was ever tried"),
        }
    })
}
