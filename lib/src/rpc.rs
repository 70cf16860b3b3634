//! The database's functions, called through `PostgREST`.
//!
//! The `postgrest` crate builds each request; the bundle's one HTTP client sends
//! it. (The crate's own client rests on an HTTP stack with open advisories; it
//! is never asked to open a connection.)

use std::{fmt::Debug, sync::OnceLock, time::Duration};

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use outside::{
    clock::{self, Deadline},
    failure::Failure,
    outbound::{self, Outbound},
};
use postgrest::Postgrest;
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{
    bounded_json,
    config::{Supabase, SupabaseKey},
};

/// Above the 8 s that `PostgREST`'s login role allows a statement, so that the
/// database's own verdict arrives if there is one.
const CALL_TIMEOUT: Duration = Duration::from_secs(10);

/// What a call is refused with that met an exchange of the functions.
const EXCHANGED: &str = "PT503";

/// How often such a call is made in all: it changed nothing, and the next one
/// meets the new functions.
const EXCHANGED_ATTEMPTS: u32 = 3;

/// The largest answer that is read, in bytes.
const ANSWER_LIMIT: usize = 8 * 1024 * 1024;

/// How many levels of an answer are read: twice what our own documents have around
/// what came from elsewhere. Rows that an older release wrote may nest deeper.
const ANSWER_LEVELS: usize = 64;

/// A function of the database: its arguments by name, and what it answers.
pub trait Call: Serialize + Debug {
    /// The function's name in schema `public`.
    const NAME: &'static str;
    /// Whether a lost answer may be asked for again.
    const RETRY: Retry;
    /// The one document it answers.
    type Output: DeserializeOwned;
}

/// How often a call whose answer was lost is repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// It changes nothing: twice more.
    Read,
    /// It carries a uuid made here and returns its first result when repeated:
    /// once more.
    Idempotent,
    /// It must not happen twice.
    Never,
}

impl Retry {
    fn attempts(self) -> u32 {
        match self {
            Self::Read => 3,
            Self::Idempotent => 2,
            Self::Never => 1,
        }
    }
}

/// Why a call has no result.
#[derive(Debug, thiserror::Error)]
pub enum RpcError {
    /// The project's URL or secret key is missing or invalid.
    #[error("the database is not configured")]
    Unconfigured,
    /// No answer arrived; whether the call took effect is unknown.
    #[error("database unreachable: {0}")]
    Unreachable(#[from] Failure),
    /// The database or its API refused the call.
    #[error("database refused {function} with {status}: {code} {message}")]
    Refused {
        /// Which function was called.
        function: &'static str,
        /// HTTP status.
        status: StatusCode,
        /// `PostgREST`'s code or the SQLSTATE.
        code: String,
        /// The database's text, for logs only.
        message: String,
        /// The database's hint, if it gave one.
        hint: Option<String>,
    },
    /// Something answered that is not the function.
    #[error("{function} answered what it never should: {reason}")]
    Garbage {
        /// Which function was called.
        function: &'static str,
        /// Where reading the answer failed.
        reason: String,
    },
}

/// What our functions answer to an argument that cannot be meant, with words for whoever sent it.
pub(crate) const INVALID_PARAMETER_VALUE: &str = "22023";

impl RpcError {
    /// Whether asking again may help: nothing answered, or what answered said
    /// that it cannot now.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unreachable(failure) => *failure != Failure::Request,
            Self::Refused { status, .. } => matches!(status.as_u16(), 502..=504 | 520..=524),
            Self::Unconfigured | Self::Garbage { .. } => false,
        }
    }

    /// The SQLSTATE or `PostgREST` code of a refusal.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Refused { code, .. } => Some(code),
            Self::Unconfigured | Self::Unreachable(_) | Self::Garbage { .. } => None,
        }
    }
}

/// The error body of `PostgREST`. Gateways before it answer other shapes.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ErrorBody {
    code: Option<String>,
    message: Option<String>,
    hint: Option<String>,
}

/// A client of one project's functions.
#[derive(Debug)]
pub struct Rpc {
    supabase: Supabase,
    requests: OnceLock<Requests>,
}

struct Requests(Postgrest);

impl Debug for Requests {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Requests")
    }
}

impl Rpc {
    /// A client for that project.
    #[must_use]
    pub fn new(supabase: Supabase) -> Self {
        Self {
            supabase,
            requests: OnceLock::new(),
        }
    }

    /// Calls a function and reads its document.
    ///
    /// # Errors
    /// See [`RpcError`]. A lost answer is retried as the call's [`Retry`]
    /// allows, and a call that met an exchange of the functions whatever it
    /// says; with jitter, and never past the deadline.
    pub async fn call<C: Call>(
        &self,
        outbound: &Outbound,
        call: &C,
        deadline: Deadline,
    ) -> Result<C::Output, RpcError> {
        let mut attempt = 1;
        loop {
            match self.attempt(outbound, call, deadline).await {
                Err(error) if attempt < attempts(C::RETRY, &error) => {
                    let pause = backoff(attempt);
                    if deadline.remaining() <= pause {
                        return Err(error);
                    }
                    tracing::warn!(function = C::NAME, attempt, %error, "call failed, trying again");
                    clock::wait(pause).await;
                    attempt += 1;
                }
                outcome => return outcome,
            }
        }
    }

    async fn attempt<C: Call>(
        &self,
        outbound: &Outbound,
        call: &C,
        deadline: Deadline,
    ) -> Result<C::Output, RpcError> {
        let client = outbound.client()?;
        let timeout = CALL_TIMEOUT.min(deadline.remaining());
        let (url, headers, body) = self.request(call)?;
        let response = client
            .post(url)
            .headers(headers)
            .body(body)
            .timeout(timeout)
            .send()
            .await
            .map_err(|error| Failure::of(&error))?;
        let status = response.status();
        let body = outbound::body(response, ANSWER_LIMIT).await?;
        if !status.is_success() {
            return Err(refusal(C::NAME, status, &body));
        }
        bounded_json::read(&body, ANSWER_LEVELS).map_err(|error| RpcError::Garbage {
            function: C::NAME,
            reason: error.to_string(),
        })
    }

    /// The request that the `postgrest` crate builds, in the terms of our own
    /// client.
    fn request<C: Call>(&self, call: &C) -> Result<(String, HeaderMap, Vec<u8>), Failure> {
        let arguments = serde_json::to_string(call).map_err(|_| Failure::Request)?;
        let Requests(requests) = self.requests.get_or_init(|| self.requests());
        let request = requests
            .rpc(C::NAME, arguments)
            .build()
            .build()
            .map_err(|_| Failure::Request)?;
        let headers = request
            .headers()
            .iter()
            .filter_map(|(name, value)| {
                let name = HeaderName::from_bytes(name.as_str().as_bytes()).ok()?;
                let mut header = HeaderValue::from_bytes(value.as_bytes()).ok()?;
                header.set_sensitive(value.is_sensitive() || name == "apikey");
                Some((name, header))
            })
            .chain([(
                http::header::CONTENT_TYPE,
                HeaderValue::from_static("application/json"),
            )])
            .collect();
        let body = request.body().and_then(|body| body.as_bytes());
        Ok((
            request.url().to_string(),
            headers,
            body.unwrap_or_default().to_vec(),
        ))
    }

    fn requests(&self) -> Requests {
        let base = self.supabase.url.as_str().trim_end_matches('/');
        let requests = Postgrest::new(format!("{base}/rest/v1"));
        Requests(match &self.supabase.key {
            SupabaseKey::Opaque(key) => requests.insert_header("apikey", key.expose_secret()),
            SupabaseKey::Legacy(key) => requests
                .insert_header("apikey", key.expose_secret())
                .insert_header("authorization", format!("Bearer {}", key.expose_secret())),
        })
    }
}

/// How often a call may be made in all, given how it failed.
fn attempts(retry: Retry, error: &RpcError) -> u32 {
    if error.code() == Some(EXCHANGED) {
        EXCHANGED_ATTEMPTS
    } else if error.is_transient() {
        retry.attempts()
    } else {
        1
    }
}

fn refusal(function: &'static str, status: StatusCode, body: &[u8]) -> RpcError {
    let body: ErrorBody = serde_json::from_slice(body).unwrap_or_default();
    RpcError::Refused {
        function,
        status,
        code: body.code.unwrap_or_default(),
        message: body.message.unwrap_or_default(),
        hint: body.hint,
    }
}

/// 100 ms, then 300 ms, each up to half as long again, so that instances that
/// failed together do not come back together.
fn backoff(attempt: u32) -> Duration {
    let base = Duration::from_millis(100) * 3u32.pow(attempt - 1);
    let jitter = f64::from(uuid::Uuid::new_v4().as_fields().0) / f64::from(u32::MAX);
    base.mul_f64(1.0 + jitter / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_that_changed_nothing_is_made_again_whatever_it_does() {
        let refused = |status, code: &str| RpcError::Refused {
            function: "ops_claim_run",
            status,
            code: code.to_owned(),
            message: String::new(),
            hint: None,
        };
        let check = |retry, error: &RpcError, expected| {
            assert_eq!(attempts(retry, error), expected, "{retry:?} {error}");
        };
        let exchanged = refused(StatusCode::SERVICE_UNAVAILABLE, EXCHANGED);
        let unavailable = refused(StatusCode::SERVICE_UNAVAILABLE, "PGRST001");
        let invalid = refused(StatusCode::BAD_REQUEST, "22023");
        check(Retry::Never, &exchanged, 3);
        check(Retry::Idempotent, &exchanged, 3);
        check(Retry::Never, &unavailable, 1);
        check(Retry::Idempotent, &unavailable, 2);
        check(Retry::Read, &unavailable, 3);
        check(Retry::Read, &invalid, 1);
    }

    #[test]
    fn what_a_gateway_says_may_pass_and_what_the_database_says_stays() {
        for (status, expected) in [
            (408, 1),
            (429, 1),
            (500, 1),
            (501, 1),
            (502, 3),
            (504, 3),
            (505, 1),
            (519, 1),
            (520, 3),
            (524, 3),
            (525, 1),
        ] {
            let error = refusal("ops_ping", StatusCode::from_u16(status).unwrap(), b"");
            assert_eq!(attempts(Retry::Read, &error), expected, "{status}");
        }
    }
}
