//! A project's public keys, as this instance knows them.
//!
//! They are kept for ten minutes and fetched at most once in ten seconds, whoever
//! asks: so a token that nobody can prove costs no more than that, and a right one
//! is proven for a client that sent many wrong ones before.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use jsonwebtoken::jwk::Jwk;
use outside::{clock::Moment, failure::Failure, outbound};
use serde::Deserialize;
use serde_json::Value;

use super::Attempt;

/// How long keys are kept.
const LIFE: Duration = Duration::from_secs(600);
/// How long after one request for keys the next may be sent.
const LOOK_AGAIN: Duration = Duration::from_secs(10);
const FETCH_TIMEOUT: Duration = Duration::from_secs(3);
const BODY_LIMIT: usize = 64 * 1024;

/// The keys that are kept, and when they were asked for.
#[derive(Debug, Default)]
pub(super) struct ProjectKeys {
    kept: Mutex<Kept>,
    /// Held while fetching: whoever comes meanwhile waits for the same keys.
    flight: tokio::sync::Mutex<()>,
}

#[derive(Debug, Clone, Default)]
struct Kept {
    keys: Vec<Jwk>,
    /// When those keys came.
    fetched: Option<Moment>,
    /// When keys were last asked for, whether they came or not.
    asked: Option<Moment>,
}

/// What is known of a key.
#[derive(Debug, Clone, PartialEq)]
enum Known {
    /// It is the project's.
    Key(Box<Jwk>),
    /// The project has no such key.
    NoKey,
    /// The project did not say a moment ago.
    Nothing,
    /// The project can be asked.
    Askable,
}

/// Why there is no key to prove a token with.
#[derive(Debug)]
pub(super) enum NoKey {
    /// The project has no such key.
    Unknown,
    /// The project could not be asked.
    Unreachable,
}

impl ProjectKeys {
    /// The project's key of that id: from the kept ones, else fetched.
    pub(super) async fn find(&self, attempt: &Attempt<'_>, id: &str) -> Result<Jwk, NoKey> {
        if let Some(found) = self.known(id).settled() {
            return found;
        }
        let _flight = self.flight.lock().await;
        if let Some(found) = self.known(id).settled() {
            return found;
        }
        let fetched = fetch(attempt).await;
        self.keep(fetched);
        self.known(id).settled().unwrap_or(Err(NoKey::Unreachable))
    }

    fn known(&self, id: &str) -> Known {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.look_up(id, Moment::now())
    }

    fn keep(&self, fetched: Result<Vec<Jwk>, Failure>) {
        let now = Moment::now();
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.asked = Some(now);
        match fetched {
            Ok(keys) => {
                kept.keys = keys;
                kept.fetched = Some(now);
            }
            Err(error) => {
                tracing::warn!(%error, "the project's public keys cannot be fetched");
            }
        }
    }
}

impl Kept {
    fn look_up(&self, id: &str, now: Moment) -> Known {
        let is_fresh = self.fetched.is_some_and(|at| at.age(now) < LIFE);
        let may_ask = self.asked.is_none_or(|at| at.age(now) >= LOOK_AGAIN);
        let has_id = |key: &&Jwk| key.common.key_id.as_deref() == Some(id);
        match self.keys.iter().find(has_id) {
            Some(key) if is_fresh => Known::Key(Box::new(key.clone())),
            _ if may_ask => Known::Askable,
            _ if is_fresh => Known::NoKey,
            _ => Known::Nothing,
        }
    }
}

impl Known {
    /// The answer; `None` where the project has to be asked for it.
    fn settled(self) -> Option<Result<Jwk, NoKey>> {
        match self {
            Self::Key(key) => Some(Ok(*key)),
            Self::NoKey => Some(Err(NoKey::Unknown)),
            Self::Nothing => Some(Err(NoKey::Unreachable)),
            Self::Askable => None,
        }
    }
}

async fn fetch(attempt: &Attempt<'_>) -> Result<Vec<Jwk>, Failure> {
    let supabase = attempt.config.supabase.as_ref().ok_or(Failure::Request)?;
    let base = supabase.url.as_str().trim_end_matches('/');
    let response = attempt
        .outbound
        .client()?
        .get(format!("{base}/auth/v1/.well-known/jwks.json"))
        .timeout(FETCH_TIMEOUT.min(attempt.deadline.remaining()))
        .send()
        .await
        .and_then(reqwest::Response::error_for_status)
        .map_err(|error| Failure::of(&error))?;
    let body = outbound::body(response, BODY_LIMIT).await?;
    parse(&body).ok_or(Failure::Reset)
}

/// The keys of a set; `None` if it is none. A key of a kind that we do not know
/// takes no other along.
fn parse(body: &[u8]) -> Option<Vec<Jwk>> {
    #[derive(Deserialize)]
    struct Set {
        keys: Vec<Value>,
    }
    let Set { keys } = serde_json::from_slice(body).ok()?;
    Some(
        keys.iter()
            .filter_map(|key| Jwk::deserialize(key).ok())
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn set(ids: &[&str]) -> Vec<Jwk> {
        let keys: Vec<Value> = ids
            .iter()
            .map(|id| json!({"kty": "EC", "crv": "P-256", "kid": id, "x": "AA", "y": "AA"}))
            .collect();
        parse(json!({ "keys": keys }).to_string().as_bytes()).unwrap()
    }

    fn name(known: &Known) -> &'static str {
        match known {
            Known::Key(_) => "key",
            Known::NoKey => "no key",
            Known::Nothing => "nothing",
            Known::Askable => "askable",
        }
    }

    #[test]
    fn keys_are_kept_ten_minutes_and_asked_for_once_in_ten_seconds() {
        let start = Moment::now();
        let empty = Kept::default();
        assert_eq!(name(&empty.look_up("a", start)), "askable");
        let kept = Kept {
            keys: set(&["a"]),
            fetched: Some(start),
            asked: Some(start),
        };
        let failed = Kept {
            asked: Some(start),
            ..Kept::default()
        };
        for (after_ms, known, unknown, after_failure) in [
            (0, "key", "no key", "nothing"),
            (9_999, "key", "no key", "nothing"),
            (10_000, "key", "askable", "askable"),
            (599_999, "key", "askable", "askable"),
            (600_000, "askable", "askable", "askable"),
        ] {
            let now = start.after(Duration::from_millis(after_ms));
            assert_eq!(name(&kept.look_up("a", now)), known, "{after_ms}");
            assert_eq!(name(&kept.look_up("b", now)), unknown, "{after_ms}");
            assert_eq!(name(&failed.look_up("a", now)), after_failure, "{after_ms}");
        }
        let expired = Kept {
            asked: Some(start.after(LIFE)),
            ..kept
        };
        let known = expired.look_up("a", start.after(LIFE));
        assert_eq!(name(&known), "nothing", "keys of yesterday prove nothing");
    }

    #[test]
    fn a_fetch_that_fails_counts_as_one_and_takes_no_key_away() {
        let keys = ProjectKeys::default();
        assert_eq!(name(&keys.known("a")), "askable");
        keys.keep(Err(Failure::Timeout));
        assert_eq!(name(&keys.known("a")), "nothing");
        keys.keep(Ok(set(&["a"])));
        keys.keep(Err(Failure::Timeout));
        assert_eq!(name(&keys.known("a")), "key");
    }

    #[test]
    fn a_key_that_cannot_be_read_takes_no_other_along() {
        let body = json!({"keys": [
            {"kty": "LATTICE", "kid": "new"}, 7, {"kid": "half"},
            {"kty": "EC", "crv": "P-256", "kid": "a", "x": "AA", "y": "AA"},
        ]});
        let keys = parse(body.to_string().as_bytes()).unwrap();
        let ids: Vec<_> = keys
            .iter()
            .map(|key| key.common.key_id.as_deref())
            .collect();
        assert!(ids.contains(&Some("a")) && ids.len() < 4, "{ids:?}");
        assert!(parse(b"[]").is_none() && parse(b"<html>").is_none());
    }
}
