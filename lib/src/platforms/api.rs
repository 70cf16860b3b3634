//! One platform's API: a base URL, a token, and requests that are bounded in time and size.
//!
//! Reading is tried again where the platform asks for patience or fails for a moment.
//! What changes something is sent once: an answer that is lost leaves it
//! [uncertain](ApiError::is_uncertain) whether it was done, and only looking tells.

use std::{fmt, sync::Arc, time::Duration};

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use http::{Method, StatusCode, header::CONTENT_TYPE};
use outside::{
    clock::{self, Deadline},
    failure::Failure,
    outbound::Outbound,
};
use secrecy::{ExposeSecret, SecretString};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use url::Url;

use crate::exchange::{Answer, exchange_up_to};

/// The largest answer that is read, in bytes: a page of a hundred deployments is a tenth.
const ANSWER_LIMIT: usize = 4 * 1024 * 1024;

/// How often what only reads is asked.
const READ_TRIES: u32 = 3;

/// The longest wait before a reading is tried again; who asks for more is told to the caller.
const LONGEST_PATIENCE: Duration = Duration::from_secs(30);

/// What an operator is told of an answer at most, in characters.
const TOLD: usize = 300;

/// A platform's API, as one token may use it. Clones share the HTTP client.
#[derive(Clone)]
pub struct Api {
    outbound: Arc<Outbound>,
    base: Url,
    token: SecretString,
    /// Headers that the platform wants with every request.
    headers: &'static [(&'static str, &'static str)],
    pace: Pace,
}

/// How long an API is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// How long one request may take.
    pub request: Duration,
    /// The wait before a reading is tried again, doubled at each try.
    pub patience: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            request: Duration::from_secs(20),
            patience: Duration::from_millis(250),
        }
    }
}

/// One request to be made.
#[derive(Debug, Clone)]
pub struct Call<'a> {
    method: Method,
    path: Vec<&'a str>,
    query: Vec<(&'a str, String)>,
    body: Option<Body>,
}

/// What a request carries.
#[derive(Debug, Clone)]
enum Body {
    Json(Value),
    /// What is no JSON, with its type.
    Bytes(&'static str, Bytes),
}

/// Why a platform's API gave no usable answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ApiError {
    /// It was not reached, or did not answer; `sent` says whether it may have acted.
    Unreached {
        /// What went wrong.
        failure: Failure,
        /// Whether the request may have arrived.
        sent: bool,
    },
    /// It answered that it will not, or cannot.
    Refused {
        /// The status of the answer.
        status: u16,
        /// Its own word for why, where it has one.
        code: Option<String>,
        /// Its words for people, cut.
        message: String,
        /// How long it asks to be left alone.
        retry_after: Option<Duration>,
    },
    /// It answered something that is not what its documentation says.
    Odd(String),
}

impl Api {
    /// An API at `base`, whose own path stands before every path.
    #[must_use]
    pub fn new(
        outbound: Arc<Outbound>,
        base: Url,
        token: SecretString,
        headers: &'static [(&'static str, &'static str)],
    ) -> Self {
        Self {
            outbound,
            base,
            token,
            headers,
            pace: Pace::default(),
        }
    }

    /// The same API, which is waited for otherwise.
    #[must_use]
    pub fn at_pace(self, pace: Pace) -> Self {
        Self { pace, ..self }
    }

    /// The host that is spoken to, which commands print before they change anything.
    #[must_use]
    pub fn host(&self) -> String {
        self.base.host_str().unwrap_or_default().to_owned()
    }

    /// Reads a document, up to three times.
    pub async fn read<T: DeserializeOwned>(&self, call: &Call<'_>) -> Result<T, ApiError> {
        self.reading(call, parsed).await
    }

    async fn reading<T>(
        &self,
        call: &Call<'_>,
        read: impl Fn(&Answer) -> Result<T, ApiError>,
    ) -> Result<T, ApiError> {
        let mut tries = 1;
        loop {
            match self.once(call).await.and_then(|answer| read(&answer)) {
                Err(error) if tries < READ_TRIES => match error.patience(self.pace.patience, tries)
                {
                    Some(wait) => clock::wait(wait).await,
                    None => return Err(error),
                },
                other => return other,
            }
            tries += 1;
        }
    }

    /// Reads what is no JSON, up to three times, as base64.
    pub async fn read_base64(&self, call: &Call<'_>) -> Result<String, ApiError> {
        let body = self.reading(call, |answer| Ok(answer.body.clone())).await?;
        Ok(BASE64_STANDARD.encode(body))
    }

    /// Changes something, once, and reads what is answered.
    pub async fn write<T: DeserializeOwned>(&self, call: &Call<'_>) -> Result<T, ApiError> {
        let answer = self.once(call).await?;
        parsed(&answer)
    }

    /// Changes something, once, whatever is answered in its favour.
    pub async fn send(&self, call: &Call<'_>) -> Result<StatusCode, ApiError> {
        Ok(self.once(call).await?.status)
    }

    async fn once(&self, call: &Call<'_>) -> Result<Answer, ApiError> {
        let client = self
            .outbound
            .client()
            .map_err(|failure| ApiError::Unreached {
                failure,
                sent: false,
            })?;
        let mut request = client
            .request(call.method.clone(), call.url(&self.base))
            .bearer_auth(self.token.expose_secret());
        for (name, value) in self.headers {
            request = request.header(*name, *value);
        }
        match &call.body {
            None => {}
            Some(Body::Json(body)) => request = request.json(body),
            Some(Body::Bytes(kind, body)) => {
                request = request.header(CONTENT_TYPE, *kind).body(body.clone());
            }
        }
        let answer =
            exchange_up_to(ANSWER_LIMIT, request, Deadline::after(self.pace.request)).await;
        match answer {
            Ok(answer) if answer.status.is_success() => Ok(answer),
            Ok(answer) => Err(ApiError::refused(&answer)),
            Err(failure) => Err(ApiError::Unreached {
                failure,
                sent: may_have_arrived(failure),
            }),
        }
    }
}

impl fmt::Debug for Api {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Api")
            .field("base", &self.base.as_str())
            .finish_non_exhaustive()
    }
}

impl<'a> Call<'a> {
    /// A request for the path whose segments these are; each is encoded.
    #[must_use]
    pub fn new(method: Method, path: impl IntoIterator<Item = &'a str>) -> Self {
        Self {
            method,
            path: path.into_iter().collect(),
            query: Vec::new(),
            body: None,
        }
    }

    /// The same for what only reads.
    #[must_use]
    pub fn get(path: impl IntoIterator<Item = &'a str>) -> Self {
        Self::new(Method::GET, path)
    }

    /// With one more parameter.
    #[must_use]
    pub fn with(mut self, name: &'a str, value: impl Into<String>) -> Self {
        self.query.push((name, value.into()));
        self
    }

    /// With a JSON body.
    #[must_use]
    pub fn json(mut self, body: impl Serialize) -> Self {
        self.body = Some(Body::Json(
            serde_json::to_value(body).unwrap_or(Value::Null),
        ));
        self
    }

    /// With a body of another type.
    #[must_use]
    pub fn bytes(mut self, kind: &'static str, body: impl Into<Bytes>) -> Self {
        self.body = Some(Body::Bytes(kind, body.into()));
        self
    }

    fn url(&self, base: &Url) -> Url {
        let mut url = base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(&self.path);
        }
        if !self.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&self.query);
        }
        url
    }
}

impl ApiError {
    /// Whether a change that was asked for may have happened all the same.
    #[must_use]
    pub fn is_uncertain(&self) -> bool {
        match self {
            Self::Unreached { sent, .. } => *sent,
            Self::Refused { status, .. } => *status >= 500,
            Self::Odd(_) => true,
        }
    }

    /// The status that was answered, if there was an answer.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Refused { status, .. } => Some(*status),
            Self::Unreached { .. } | Self::Odd(_) => None,
        }
    }

    /// Whether there is no such thing.
    #[must_use]
    pub fn is_absent(&self) -> bool {
        self.status() == Some(404)
    }

    fn refused(answer: &Answer) -> Self {
        let said: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        // Vercel nests `error`, GitHub and Supabase do not.
        let error = said
            .get("error")
            .filter(|error| error.is_object())
            .unwrap_or(&said);
        let word = |name: &str| Some(error.get(name)?.as_str()?.chars().take(TOLD).collect());
        Self::Refused {
            status: answer.status.as_u16(),
            code: word("code"),
            message: word("message").unwrap_or_default(),
            retry_after: answer.retry_after,
        }
    }

    /// How long to wait before reading again after try `tries`, if that may help.
    fn patience(&self, first: Duration, tries: u32) -> Option<Duration> {
        let step = first * 2_u32.pow(tries);
        match self {
            Self::Unreached { .. } => Some(step),
            Self::Refused {
                status: 429,
                retry_after,
                ..
            } => Some(retry_after.unwrap_or(step)).filter(|wait| *wait <= LONGEST_PATIENCE),
            Self::Refused { status, .. } if *status >= 500 => Some(step),
            Self::Refused { .. } | Self::Odd(_) => None,
        }
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreached { failure, .. } => write!(formatter, "{failure}"),
            Self::Refused {
                status,
                code,
                message,
                ..
            } => {
                write!(formatter, "answered {status}")?;
                if let Some(code) = code {
                    write!(formatter, " {code}")?;
                }
                if !message.is_empty() {
                    write!(formatter, ": {message}")?;
                }
                Ok(())
            }
            Self::Odd(how) => write!(formatter, "answered what it should not: {how}"),
        }
    }
}

impl std::error::Error for ApiError {}

/// Whether a request that failed like this may have reached who was asked.
fn may_have_arrived(failure: Failure) -> bool {
    match failure {
        Failure::Timeout | Failure::Reset | Failure::TooLarge => true,
        Failure::Dns | Failure::Private | Failure::Connect | Failure::Tls | Failure::Request => {
            false
        }
    }
}

fn parsed<T: DeserializeOwned>(answer: &Answer) -> Result<T, ApiError> {
    // A change may be answered with nothing at all.
    let body: &[u8] = if answer.body.is_empty() {
        b"null"
    } else {
        &answer.body
    };
    serde_json::from_slice(body).map_err(|error| ApiError::Odd(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_and_parameters_are_encoded_behind_the_base() {
        let base = "https://api.example/sub/".parse().unwrap();
        let call = Call::get(["v9", "projects", "a/b?c"]).with("teamId", "t&x");
        assert_eq!(
            call.url(&base).as_str(),
            "https://api.example/sub/v9/projects/a%2Fb%3Fc?teamId=t%26x"
        );
    }

    #[test]
    fn only_what_may_have_arrived_is_uncertain() {
        let refused = |status| ApiError::Refused {
            status,
            code: None,
            message: String::new(),
            retry_after: None,
        };
        for (error, uncertain) in [
            (refused(409), false),
            (refused(429), false),
            (refused(502), true),
            (ApiError::Odd(String::new()), true),
        ] {
            assert_eq!(error.is_uncertain(), uncertain, "{error:?}");
        }
        assert!(may_have_arrived(Failure::Timeout) && !may_have_arrived(Failure::Connect));
    }

    #[test]
    fn a_platform_that_asks_for_long_patience_is_not_waited_for() {
        let limited = |seconds| ApiError::Refused {
            status: 429,
            code: None,
            message: String::new(),
            retry_after: Some(Duration::from_secs(seconds)),
        };
        let first = Pace::default().patience;
        assert_eq!(limited(7).patience(first, 1), Some(Duration::from_secs(7)));
        assert_eq!(limited(600).patience(first, 1), None);
    }
}
