//! Whether everything that changes something refuses whoever has no proof.

use super::OPS;
use crate::verification::{
    judgement::Judgement,
    look::Look,
    report::Importance,
    seen::{Door, Seen},
    subject::Group,
};

pub(super) const LOOK: Look = Look {
    name: "doors",
    group: Group::Access,
    importance: Importance::Critical,
    of: OPS,
    mend: "set CRON_SECRET and MONITORING_API_KEY for this environment and deploy anew; an open \
           door is a fault of the deployment, so roll back first",
    judge,
};

fn judge(seen: &Seen<'_>) -> Judgement {
    let bad: Vec<_> = seen.doors.iter().filter_map(fault).collect();
    Judgement::unless(
        &bad,
        format!("all {} refuse whoever has no proof", seen.doors.len()),
    )
}

fn fault(door: &Door) -> Option<String> {
    let Door { name, reply } = door;
    match reply {
        Err(failure) => Some(format!("{name}: {failure}")),
        Ok(answer) => match answer.status {
            401 | 403 => None,
            503 => Some(format!(
                "{name} is closed to everybody: its secret is missing when it runs"
            )),
            status if (200..300).contains(&status) => Some(format!("{name} is open")),
            status => Some(format!("{name} answers {status} instead of a refusal")),
        },
    }
}
