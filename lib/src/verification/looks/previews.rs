//! Whether previews leave production's jobs alone.
//!
//! Schedules run on previews too, and a preview that probes the app writes as if it watched.

use super::OPS;
use crate::verification::{
    judgement::Judgement, look::Look, report::Importance, seen::Seen, subject::Group,
};

pub(super) const LOOK: Look = Look {
    name: "previews",
    group: Group::Jobs,
    importance: Importance::Important,
    of: OPS,
    mend: "take CRON_SECRET away from the platform's preview environment, and target schedules \
           at production alone",
    judge,
};

fn judge(seen: &Seen<'_>) -> Judgement {
    seen.with_preview_dashboard(|data| match data["systemHealth"]["lastUpdated"].as_str() {
        Some(at) => Judgement::failed(format!("a preview ran the monitor at {at}")),
        None => Judgement::passed("no preview ran a job"),
    })
}
