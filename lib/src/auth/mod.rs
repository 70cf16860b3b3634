//! Who is calling, and whether they may.
//!
//! Closed by default: an endpoint names the proofs that it accepts, and one
//! whose secrets are all missing answers 503 to everybody. Proofs are compared
//! in constant time. Wrong ones are limited per client, right ones never are.

mod limiter;
mod token;

use http::{HeaderMap, header};
use secrecy::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq;

pub use limiter::Limiter;
pub use token::{Admin, Jwks};

use crate::{app::App, clock::Deadline, problem::Problem};

/// A kind of proof that an endpoint may accept, always as bearer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// `CRON_SECRET`, as the platform's scheduler sends it.
    CronSecret,
    /// `MONITORING_API_KEY`.
    ApiKey,
    /// A user token whose `app_metadata.role` is `admin`.
    AdminToken,
}

/// A caller whose proof was right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Caller {
    /// The platform's scheduler.
    Cron,
    /// An operator, or CI.
    Operator,
    /// A signed-in admin of the app.
    Admin(Admin),
}

impl Caller {
    /// The word that logs carry; never a name or an address.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Cron => "cron",
            Self::Operator => "operator",
            Self::Admin(_) => "admin",
        }
    }
}

/// The client as the platform names it, which no caller can choose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientAddress(pub String);

/// What a presented proof turned out to be.
enum Verdict {
    Right(Caller),
    Forbidden,
    Wrong,
    /// Whether it is right could not be found out.
    Unproven,
}

/// Finds out who is calling.
///
/// # Errors
/// 503 if none of the accepted proofs is configured or the keys cannot be had,
/// 401 without a proof or with a wrong one, 403 if proven and not allowed, 429
/// after too many wrong ones.
pub async fn require(
    app: &App,
    headers: &HeaderMap,
    client: Option<&ClientAddress>,
    accepted: &[Proof],
    deadline: Deadline,
) -> Result<Caller, Problem> {
    let configured: Vec<Proof> = accepted
        .iter()
        .copied()
        .filter(|proof| is_configured(app, *proof))
        .collect();
    if configured.is_empty() {
        tracing::error!("no proof that this endpoint accepts is configured; it stays closed");
        return Err(Problem::Unavailable("this endpoint is not configured"));
    }
    let Some(presented) = headers.get(header::AUTHORIZATION) else {
        return Err(Problem::Unauthorized);
    };
    let verdict = match bearer(presented.as_bytes()) {
        Some(presented) => examine(app, presented, &configured, client, deadline).await,
        None => Verdict::Wrong,
    };
    match verdict {
        Verdict::Right(caller) => Ok(caller),
        Verdict::Forbidden => Err(Problem::Forbidden),
        Verdict::Unproven => Err(Problem::Unavailable("the proof cannot be checked now")),
        Verdict::Wrong => Err(app
            .limiter
            .count(client)
            .map_or(Problem::Unauthorized, |retry_after| {
                Problem::TooManyRequests { retry_after }
            })),
    }
}

fn is_configured(app: &App, proof: Proof) -> bool {
    match proof {
        Proof::CronSecret => app.config.cron_secret.is_some(),
        Proof::ApiKey => app.config.monitoring_api_key.is_some(),
        Proof::AdminToken => app.config.supabase.is_some(),
    }
}

fn bearer(value: &[u8]) -> Option<&str> {
    let (scheme, token) = std::str::from_utf8(value).ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

async fn examine(
    app: &App,
    presented: &str,
    accepted: &[Proof],
    client: Option<&ClientAddress>,
    deadline: Deadline,
) -> Verdict {
    let config = &app.config;
    if accepted.contains(&Proof::CronSecret) && equals(config.cron_secret.as_ref(), presented) {
        return Verdict::Right(Caller::Cron);
    }
    if accepted.contains(&Proof::ApiKey) && equals(config.monitoring_api_key.as_ref(), presented) {
        return Verdict::Right(Caller::Operator);
    }
    if !accepted.contains(&Proof::AdminToken) || !token::looks_like(presented) {
        return Verdict::Wrong;
    }
    // A client that keeps sending wrong proofs must not make us fetch keys.
    let may_fetch = !app.limiter.is_limited(client);
    token::examine(app, presented, may_fetch, deadline).await
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
