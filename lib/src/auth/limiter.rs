//! Limits wrong proofs: 30 a minute per client, counted per instance.
//!
//! Per instance only: instances share nothing, so a client that is spread over
//! several gets as many tries more. Secrets are long enough for that not to
//! matter; the limit keeps logs and key fetches bounded.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use outside::clock;

use super::ClientAddress;

const WINDOW: Duration = Duration::from_secs(60);
const ALLOWED: u32 = 30;
/// Clients that are remembered at the most; past it, everybody starts afresh.
const CLIENTS: usize = 10_000;

/// Wrong proofs per client within the current minute.
#[derive(Debug, Default)]
pub(super) struct Limiter {
    counts: Mutex<HashMap<String, Count>>,
}

#[derive(Debug, Clone, Copy)]
struct Count {
    since: Instant,
    wrong: u32,
}

impl Limiter {
    /// Counts a wrong proof. Seconds until the next try if it was one too many.
    pub(super) fn count(&self, client: Option<&ClientAddress>) -> Option<u64> {
        self.count_at(client, clock::instant())
    }

    /// Whether this client has used up its wrong proofs.
    pub(super) fn is_limited(&self, client: Option<&ClientAddress>) -> bool {
        self.is_limited_at(client, clock::instant())
    }

    fn count_at(&self, client: Option<&ClientAddress>, now: Instant) -> Option<u64> {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.len() >= CLIENTS {
            counts.retain(|_, count| now.duration_since(count.since) < WINDOW);
            if counts.len() >= CLIENTS {
                counts.clear();
            }
        }
        let count = counts.entry(key(client)).or_insert(Count {
            since: now,
            wrong: 0,
        });
        if now.duration_since(count.since) >= WINDOW {
            *count = Count {
                since: now,
                wrong: 0,
            };
        }
        count.wrong += 1;
        let left = WINDOW.saturating_sub(now.duration_since(count.since));
        (count.wrong > ALLOWED).then(|| left.as_secs().max(1))
    }

    fn is_limited_at(&self, client: Option<&ClientAddress>, now: Instant) -> bool {
        let counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts
            .get(&key(client))
            .is_some_and(|count| count.wrong > ALLOWED && now.duration_since(count.since) < WINDOW)
    }
}

/// Clients that the platform did not name share one count.
fn key(client: Option<&ClientAddress>) -> String {
    client
        .map(|ClientAddress(address)| address.clone())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_thirty_first_wrong_proof_of_a_minute_is_refused_for_the_rest_of_it() {
        let limiter = Limiter::default();
        let start = clock::instant();
        let client = ClientAddress("192.0.2.1".into());
        for _ in 0..30 {
            assert_eq!(limiter.count_at(Some(&client), start), None);
        }
        assert!(!limiter.is_limited_at(Some(&client), start));
        let later = start + Duration::from_secs(20);
        assert_eq!(limiter.count_at(Some(&client), later), Some(40));
        assert!(limiter.is_limited_at(Some(&client), later));
        assert_eq!(
            limiter.count_at(Some(&ClientAddress("192.0.2.2".into())), later),
            None
        );
        let next_minute = start + WINDOW;
        assert!(!limiter.is_limited_at(Some(&client), next_minute));
        assert_eq!(limiter.count_at(Some(&client), next_minute), None);
    }

    #[test]
    fn memory_stays_bounded_whatever_the_number_of_clients() {
        let limiter = Limiter::default();
        let now = clock::instant();
        for client in 0..CLIENTS * 2 {
            limiter.count_at(Some(&ClientAddress(client.to_string())), now);
        }
        assert!(limiter.counts.lock().unwrap().len() <= CLIENTS);
    }
}
