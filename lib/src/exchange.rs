//! One request to somebody else's service, and what was answered.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, StatusCode, header};
use jiff::{SignedDuration, Timestamp, fmt::rfc2822};
use outside::{
    clock::{self, Deadline},
    failure::Failure,
    outbound,
};
use reqwest::RequestBuilder;

/// The largest answer that [`exchange`] reads, in bytes; real ones are under a hundred.
const ANSWER_LIMIT: usize = 64 * 1024;

/// The longest that a provider may ask us to wait: past this we look again.
pub(crate) const LONGEST_WAIT: Duration = Duration::from_secs(3_600);

/// What a provider answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) retry_after: Option<Duration>,
    pub(crate) body: Bytes,
}

/// Sends a request and reads the answer, all within the deadline. The error
/// carries no URL: the webhook's is a secret.
pub(crate) async fn exchange(
    request: RequestBuilder,
    deadline: Deadline,
) -> Result<Answer, Failure> {
    exchange_up_to(ANSWER_LIMIT, request, deadline).await
}

/// The same for a service whose answers are documents of up to `limit` bytes.
pub(crate) async fn exchange_up_to(
    limit: usize,
    request: RequestBuilder,
    deadline: Deadline,
) -> Result<Answer, Failure> {
    let response = request
        .timeout(deadline.remaining())
        .send()
        .await
        .map_err(|error| Failure::of(&error))?;
    let status = response.status();
    let retry_after = retry_after(response.headers(), clock::now());
    let body = outbound::body(response, limit).await?;
    Ok(Answer {
        status,
        retry_after,
        body,
    })
}

/// How long an answer asks us to wait: `Retry-After` in seconds or as a date,
/// at most an hour.
fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let value = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = match value.parse::<u64>() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => until(value, now)?,
    };
    Some(wait.min(LONGEST_WAIT))
}

/// The time until an HTTP date; none if it is past.
fn until(date: &str, now: Timestamp) -> Option<Duration> {
    let date = rfc2822::DateTimeParser::new().parse_timestamp(date).ok()?;
    let wait: SignedDuration = date.duration_since(now);
    Some(Duration::try_from(wait).unwrap_or(Duration::ZERO))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_read_as_seconds_or_as_a_date_and_is_bounded() {
        let now: Timestamp = "2026-11-24T03:12:00Z".parse().unwrap();
        for (value, seconds) in [
            ("30", Some(30)),
            (" 0 ", Some(0)),
            ("86400", Some(3_600)),
            ("Tue, 24 Nov 2026 03:12:45 GMT", Some(45)),
            ("Tue, 24 Nov 2026 03:00:00 GMT", Some(0)),
            ("Fri, 01 Jan 2100 00:00:00 GMT", Some(3_600)),
            ("soon", None),
            ("-1", None),
            ("1.5", None),
            ("", None),
        ] {
            let headers = [(header::RETRY_AFTER, value.parse().unwrap())];
            let headers = HeaderMap::from_iter(headers);
            assert_eq!(
                retry_after(&headers, now),
                seconds.map(Duration::from_secs),
                "{value:?}"
            );
        }
        assert_eq!(retry_after(&HeaderMap::new(), now), None);
    }
}
