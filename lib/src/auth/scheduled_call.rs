//! Which clock started a scheduled call, and for when.
//!
//! A clock names itself in the query, because every scheduler that can call an address can
//! call one with a query. The name is a label and no proof: whoever sends it has proven to
//! be a scheduler by the secret that all clocks share.

use bytes::Bytes;
use http::{Request, header};
use jiff::Timestamp;

use super::field;

/// What Vercel's crons call themselves; they can be given no query.
const VERCEL: &str = "vercel-cron/";

/// A call that a clock made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScheduledCall {
    /// `vercel`, `supabase`, `aws`, or what another clock calls itself.
    pub clock: String,
    /// The time for which it was scheduled, if the clock says.
    pub scheduled_for: Option<Timestamp>,
}

impl ScheduledCall {
    pub(super) fn of(request: &Request<Bytes>) -> Self {
        let query = request.uri().query().unwrap_or_default();
        let named = field(query.as_bytes(), "clock").filter(|name| is_name(name));
        let user_agent = request.headers().get(header::USER_AGENT);
        let by_vercel =
            user_agent.is_some_and(|name| name.as_bytes().starts_with(VERCEL.as_bytes()));
        let unnamed = if by_vercel { "vercel" } else { "other" };
        let slot = field(query.as_bytes(), "slot");
        Self {
            clock: named.unwrap_or_else(|| unnamed.to_owned()),
            scheduled_for: slot.and_then(|slot| slot.parse().ok()),
        }
    }
}

/// The same rule as that of the column in which the name is kept.
fn is_name(text: &str) -> bool {
    let plain =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-".contains(&byte);
    text.len() <= 30
        && text.starts_with(|first: char| first.is_ascii_lowercase())
        && text.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(uri: &str, user_agent: Option<&str>) -> (String, Option<String>) {
        let mut request = Request::new(Bytes::new());
        *request.uri_mut() = uri.parse().unwrap();
        if let Some(name) = user_agent {
            let headers = request.headers_mut();
            headers.insert(header::USER_AGENT, name.parse().unwrap());
        }
        let ScheduledCall {
            clock,
            scheduled_for,
        } = ScheduledCall::of(&request);
        (clock, scheduled_for.map(|time| time.to_string()))
    }

    #[test]
    fn a_clock_is_known_by_its_name_and_vercels_crons_by_their_user_agent() {
        let too_long = format!("/?clock=a{}", "b".repeat(30));
        for (uri, user_agent, clock) in [
            ("/", None, "other"),
            ("/", Some("curl/8"), "other"),
            ("/", Some("vercel-cron/1.0"), "vercel"),
            ("/?clock=supabase", None, "supabase"),
            (
                "/?clock=vercel-schedules",
                Some("vercel-cron/1.0"),
                "vercel-schedules",
            ),
            ("/?clock=", None, "other"),
            ("/?clock=Loud", None, "other"),
            ("/?clock=1st", None, "other"),
            ("/?clock=a%0ab", None, "other"),
            (&too_long, None, "other"),
        ] {
            assert_eq!(call(uri, user_agent).0, clock, "{uri} {user_agent:?}");
        }
    }

    #[test]
    fn a_slot_that_is_no_time_is_none() {
        for (slot, expected) in [
            ("2026-11-24T12:00:00Z", Some("2026-11-24T12:00:00Z")),
            ("noon", None),
            ("%3Caws.scheduler.scheduled-time%3E", None),
            ("", None),
        ] {
            let (_, scheduled_for) = call(&format!("/?clock=aws&slot={slot}"), None);
            assert_eq!(scheduled_for.as_deref(), expected, "{slot}");
        }
    }
}
