//! Who is calling, and whether they may.
//!
//! Closed by default: each kind of caller names the proofs that make one, and
//! where all of its secrets are missing nobody is one: 503. Proofs are compared in
//! constant time. Wrong ones are limited per client, right ones never are.

mod callers;
mod claims;
mod derived_key;
pub mod door_key;
pub mod heartbeat_token;
mod limiter;
mod project_keys;
pub mod signed_link;
mod user_token;
mod vercel_signature;

use std::{fmt::Debug, sync::Arc};

use bytes::Bytes;
use http::{Request, header};
use secrecy::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq;
use url::form_urlencoded;

pub use callers::{
    Answerer, DoorKey, HeartbeatToken, Link, METRICS, Operator, Person, Reader, Starter, Visitor,
};
pub use user_token::Admin;

use crate::{config::Config, problem::Problem};
use limiter::{Client, Limiter};
use outside::{clock::Deadline, outbound::Outbound};
use project_keys::ProjectKeys;

/// A kind of caller, and what it takes to be one.
pub(crate) trait Caller: Debug + Sized + Send + 'static {
    /// Finds out whether a request comes from such a caller.
    ///
    /// # Errors
    /// 503 if none of the accepted proofs is configured or one cannot be checked
    /// now, 401 without a proof or with a wrong one, 403 if proven and not allowed,
    /// 429 after too many wrong ones.
    fn prove(attempt: &Attempt<'_>) -> impl Future<Output = Result<Self, Problem>> + Send;
}

/// The client as the platform names it, which no caller can choose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientAddress(pub String);

/// What an instance remembers about its callers: how many wrong proofs each client
/// sent, and the project's public keys.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    limiter: Arc<Limiter>,
    project_keys: ProjectKeys,
}

impl Gate {
    /// Finds out whether a request comes from a caller of that kind.
    ///
    /// # Errors
    /// See [`Caller::prove`].
    pub(crate) async fn admit<C: Caller>(
        &self,
        config: &Config,
        outbound: &Outbound,
        request: &Request<Bytes>,
        deadline: Deadline,
    ) -> Result<C, Problem> {
        let attempt = Attempt {
            gate: self,
            config,
            outbound,
            request,
            deadline,
        };
        C::prove(&attempt).await
    }
}

/// A request whose caller is to be found out, and what that takes.
#[derive(Debug)]
pub(crate) struct Attempt<'a> {
    gate: &'a Gate,
    config: &'a Config,
    outbound: &'a Outbound,
    request: &'a Request<Bytes>,
    deadline: Deadline,
}

/// The bearers that make a caller of some kind.
struct Bearers<'a, C> {
    /// Secrets as configured, each with the caller that it proves.
    secrets: Vec<(Option<&'a SecretString>, C)>,
    /// The caller that a token of an admin proves, where one is accepted.
    admin: Option<fn(Admin) -> C>,
}

/// What a presented proof turned out to be.
enum Verdict<C> {
    Right(C),
    Forbidden,
    Wrong,
    /// Whether it is right could not be found out.
    Unproven,
}

impl Attempt<'_> {
    /// The caller that the request's bearer proves.
    async fn bearer<C>(&self, mut accepted: Bearers<'_, C>) -> Result<C, Problem> {
        accepted.secrets.retain(|(secret, _)| secret.is_some());
        if self.config.supabase.is_none() {
            accepted.admin = None;
        }
        if accepted.secrets.is_empty() && accepted.admin.is_none() {
            tracing::error!("no proof that this endpoint accepts is configured; it stays closed");
            return Err(Problem::Unavailable("this endpoint is not configured"));
        }
        let Some(presented) = self.request.headers().get(header::AUTHORIZATION) else {
            return Err(Problem::Unauthorized);
        };
        let verdict = match bearer(presented.as_bytes()) {
            Some(presented) => self.examine(presented, accepted).await,
            None => Verdict::Wrong,
        };
        match verdict {
            Verdict::Right(caller) => Ok(caller),
            Verdict::Forbidden => Err(Problem::Forbidden),
            Verdict::Unproven => Err(Problem::Unavailable("the proof cannot be checked now")),
            Verdict::Wrong => Err(self.wrong_proof().refuse()),
        }
    }

    async fn examine<C>(&self, presented: &str, accepted: Bearers<'_, C>) -> Verdict<C> {
        let known = accepted
            .secrets
            .into_iter()
            .find(|(secret, _)| equals(*secret, presented));
        if let Some((_, caller)) = known {
            return Verdict::Right(caller);
        }
        match accepted.admin {
            Some(admin) if user_token::looks_like(presented) => {
                user_token::examine(self, presented).await.map(admin)
            }
            _ => Verdict::Wrong,
        }
    }

    /// What a wrong proof of this client comes to.
    fn wrong_proof(&self) -> WrongProof {
        WrongProof {
            limiter: Arc::clone(&self.gate.limiter),
            client: Client::at(self.request.extensions().get()),
        }
    }
}

impl<C> Verdict<C> {
    fn map<T>(self, as_caller: impl FnOnce(C) -> T) -> Verdict<T> {
        match self {
            Self::Right(caller) => Verdict::Right(as_caller(caller)),
            Self::Forbidden => Verdict::Forbidden,
            Self::Wrong => Verdict::Wrong,
            Self::Unproven => Verdict::Unproven,
        }
    }
}

/// The refusal of a wrong proof, which has yet to be counted.
#[derive(Debug)]
struct WrongProof {
    limiter: Arc<Limiter>,
    client: Client,
}

impl WrongProof {
    /// Counts it.
    ///
    /// # Errors
    /// 429 if it was one too many.
    fn count(&self) -> Result<(), Problem> {
        match self.limiter.count(self.client) {
            Some(retry_after) => Err(Problem::TooManyRequests { retry_after }),
            None => Ok(()),
        }
    }

    /// Counts it and refuses: 401, or 429 if it was one too many.
    fn refuse(&self) -> Problem {
        self.count().err().unwrap_or(Problem::Unauthorized)
    }
}

fn bearer(value: &[u8]) -> Option<&str> {
    let (scheme, token) = std::str::from_utf8(value).ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// A field of a form or a query; the last one counts.
fn field(form: &[u8], name: &str) -> Option<String> {
    form_urlencoded::parse(form)
        .filter(|(known, _)| known == name)
        .last()
        .map(|(_, value)| value.into_owned())
}

/// Constant-time whatever is presented; lengths may differ and are not secret.
fn equals(secret: Option<&SecretString>, presented: &str) -> bool {
    secret.is_some_and(|secret| {
        let secret = secret.expose_secret().as_bytes();
        secret.ct_eq(presented.as_bytes()).into()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bearer_is_read_whatever_the_case_of_its_scheme() {
        assert_eq!(bearer(b"Bearer abc"), Some("abc"));
        assert_eq!(bearer(b"bearer  abc "), Some("abc"));
        assert_eq!(bearer(b"Basic abc"), None);
        assert_eq!(bearer(b"abc"), None);
        assert_eq!(bearer(b"Bearer \xff"), None);
    }

    #[test]
    fn a_missing_secret_equals_nothing() {
        assert!(!equals(None, ""));
        assert!(!equals(Some(&"right".into()), "wrong"));
        assert!(!equals(Some(&"right".into()), "right "));
        assert!(equals(Some(&"right".into()), "right"));
    }
}
