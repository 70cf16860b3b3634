//! Whether the certificate is trusted and lasts, and which TLS is spoken.

use super::BOTH;
use crate::verification::{
    judgement::Judgement, look::Look, report::Importance, seen::Seen, subject::Group,
};

pub(super) const LOOK: Look = Look {
    name: "certificate",
    group: Group::Transport,
    importance: Importance::Critical,
    of: BOTH,
    mend: "renew the certificate, and look at the domain's DNS and CAA records if the platform \
           does not do it by itself",
    judge,
};

/// How many days a certificate has to last; Vercel renews 14 to 30 days before the end.
const DAYS: i64 = 10;

fn judge(seen: &Seen<'_>) -> Judgement {
    let Some(handshake) = &seen.handshake else {
        return Judgement::skipped("there is no TLS at that address");
    };
    let version = match &handshake.result {
        Ok(version) => version,
        Err(objection) => return Judgement::failed(objection.clone()),
    };
    let Some(chain) = &handshake.chain else {
        return Judgement::failed("the certificate cannot be read");
    };
    let first = chain.first_to_end();
    let days = first.not_after.duration_since(seen.now).as_hours() / 24;
    let said = format!("{} ends in {days} days; {version}", first.subject);
    if days < DAYS {
        Judgement::Failed(said)
    } else {
        Judgement::Passed(said)
    }
}
