//! People who prove who they are and may not do what they ask for are written into the audit
//! log. The refusal stands whatever comes of that, and waits for it a moment at most.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use serde::{Deserialize, Serialize};

use super::{Attempt, User};
use crate::rpc::{Call, Retry, Rpc};
use outside::clock::Moment;

/// How long the database may take.
const ASKING: Duration = Duration::from_secs(2);

/// An instance asks again for the same person after this; the database keeps the same count
/// for all instances.
const AGAIN: Duration = Duration::from_secs(60 * 60);

/// People who are remembered at the most; past it, everybody is written again.
const PEOPLE: usize = 1_000;

/// Whom this instance had written lately.
#[derive(Debug, Default)]
pub(super) struct Refusals {
    noted: Mutex<HashMap<String, Moment>>,
}

/// Writes that somebody was refused.
#[derive(Debug, Serialize)]
struct NoteRefusal<'a> {
    p_actor: String,
    p_user: &'a str,
    p_method: &'a str,
    p_path: &'a str,
}

/// Whether it was written, or had been within the hour.
#[derive(Debug, Deserialize)]
struct Noted {
    #[serde(rename = "written")]
    _written: bool,
}

impl Call for NoteRefusal<'_> {
    const NAME: &'static str = "ops_note_refusal";
    // The database writes it once in an hour.
    const RETRY: Retry = Retry::Idempotent;
    type Output = Noted;
}

impl Refusals {
    /// Writes it, unless this instance did so within the hour.
    pub(super) async fn note(&self, attempt: &Attempt<'_>, user: &User) {
        let Some(supabase) = &attempt.config.supabase else {
            return;
        };
        if !self.is_new(&user.subject, Moment::now()) {
            return;
        }
        let call = NoteRefusal {
            p_actor: user.name(),
            p_user: &user.subject,
            p_method: attempt.request.method().as_str(),
            p_path: attempt.request.uri().path(),
        };
        let rpc = Rpc::new(supabase.clone());
        let deadline = attempt.deadline.within(ASKING);
        if let Err(error) = rpc.call(attempt.outbound, &call, deadline).await {
            tracing::warn!(%error, "a refusal is not in the audit log");
        }
    }

    fn is_new(&self, person: &str, now: Moment) -> bool {
        let mut noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        if noted.len() >= PEOPLE {
            noted.clear();
        }
        let known = noted.get(person);
        let is_new = known.is_none_or(|since| since.age(now) >= AGAIN);
        if is_new {
            noted.insert(person.to_owned(), now);
        }
        is_new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_is_new_once_an_hour_and_never_fills_the_memory() {
        let refusals = Refusals::default();
        let now = Moment::now();
        assert!(refusals.is_new("anna", now));
        assert!(!refusals.is_new("anna", now));
        assert!(refusals.is_new("ben", now));
        for stranger in 0..PEOPLE {
            refusals.is_new(&stranger.to_string(), now);
        }
        assert!(refusals.noted.lock().unwrap().len() <= PEOPLE);
    }
}
