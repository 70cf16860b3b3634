//! What a scheduler of AWS sends: an event of its own, and no request.
//!
//! An event that is none of a function URL's can only have come by the API that invokes
//! functions, which asks AWS's own permission; a stranger at the URL cannot make one. So it
//! becomes the request that any other clock makes, with the proof that all of them share. The
//! word of a clock stays a label: what it may do is what every scheduler may.

use bytes::Bytes;
use http::{HeaderValue, Method, Request, header};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use url::form_urlencoded;

use crate::endpoint::Spec;

/// The input that the schedule gives: `{"clock": "aws", "slot": "…"}`.
#[derive(Debug, Deserialize)]
struct Event {
    clock: String,
    slot: Option<String>,
}

/// Why an event is not answered.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum EventError {
    /// Somebody else's event.
    #[error(
        "the event is neither a request nor a scheduler's: it must be {{\"clock\": …, \"slot\": …}}"
    )]
    Unknown,
    /// The endpoint has no job.
    #[error("nothing is done here by schedule")]
    NoJob,
    /// The proof that it would be given.
    #[error("CRON_SECRET is not set, so that no scheduler can be told from a stranger")]
    NoSecret,
}

/// The request that a scheduler's event stands for.
pub(super) fn request(
    spec: &Spec,
    secret: Option<&SecretString>,
    event: &[u8],
) -> Result<Request<Bytes>, EventError> {
    let Event { clock, slot } = serde_json::from_slice(event).map_err(|_| EventError::Unknown)?;
    if spec.job.is_none() {
        return Err(EventError::NoJob);
    }
    let secret = secret.ok_or(EventError::NoSecret)?.expose_secret();
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("clock", &clock);
    if let Some(slot) = slot {
        query.append_pair("slot", &slot);
    }
    let uri = format!("{}?{}", spec.path, query.finish());
    let mut request = Request::new(Bytes::new());
    *request.method_mut() = Method::GET;
    *request.uri_mut() = uri.parse().map_err(|_| EventError::Unknown)?;
    let proof = HeaderValue::from_str(&format!("Bearer {secret}"));
    let proof = proof.map_err(|_| EventError::NoSecret)?;
    request.headers_mut().insert(header::AUTHORIZATION, proof);
    Ok(request)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::endpoint::Endpoint;

    fn asked(endpoint: Endpoint, secret: Option<&str>, event: &str) -> Result<String, EventError> {
        let secret = secret.map(SecretString::from);
        let made = request(endpoint.spec(), secret.as_ref(), event.as_bytes())?;
        let proof = &made.headers()[header::AUTHORIZATION];
        Ok(format!(
            "{} {} {}",
            made.method(),
            made.uri(),
            proof.to_str().unwrap()
        ))
    }

    #[test]
    fn a_schedulers_event_becomes_the_request_of_a_clock() {
        let slot = r#"{"clock": "aws", "slot": "2026-11-24T12:00:00Z"}"#;
        let secret = Some("cron-secret-of-the-tests");
        assert_eq!(
            asked(Endpoint::Monitor, secret, slot).unwrap(),
            "GET /api/cron/monitor?clock=aws&slot=2026-11-24T12%3A00%3A00Z Bearer cron-secret-of-the-tests"
        );
        assert_eq!(
            asked(Endpoint::Dispatch, secret, r#"{"clock": "a&b=/../"}"#).unwrap(),
            "GET /api/alerts/dispatch?clock=a%26b%3D%2F..%2F Bearer cron-secret-of-the-tests"
        );
    }

    #[test]
    fn anything_else_is_no_request() {
        let secret = Some("cron-secret-of-the-tests");
        let event = r#"{"clock": "aws"}"#;
        for (endpoint, secret, event, error) in [
            (
                Endpoint::Monitor,
                secret,
                r#"{"Records": []}"#,
                EventError::Unknown,
            ),
            (
                Endpoint::Monitor,
                secret,
                r#"{"clock": 7}"#,
                EventError::Unknown,
            ),
            (Endpoint::Monitor, secret, "", EventError::Unknown),
            (Endpoint::Health, secret, event, EventError::NoJob),
            (Endpoint::Monitor, None, event, EventError::NoSecret),
        ] {
            assert_eq!(asked(endpoint, secret, event), Err(error), "{event}");
        }
    }
}
