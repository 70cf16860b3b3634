//! A source: a form that it reads, and an answer that its clients understand.

use std::borrow::Cow;

use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode, header};
use serde_json::json;
use url::Url;

use super::{Taken, batch::Batch};
use crate::{encoded_body, handler, handler::Answer, problem::Problem};

/// A form in which things come.
pub(super) struct Source {
    /// What it is called where things are counted.
    pub(super) name: &'static str,
    /// Makes items of a request. An item that cannot be used is left out and counted; only a
    /// request of another form is refused.
    pub(super) decode: fn(&Received) -> Result<Batch, Problem>,
    /// What its client is answered.
    pub(super) answer: fn(&Received, &Batch, &Taken) -> Answer,
    /// What is noted of a body that is too large once it is decoded, from what came. The
    /// client is told that it is too large all the same.
    pub(super) note_too_large: Option<fn(&[u8]) -> Batch>,
}

/// A request as it came, its body decoded.
#[derive(Debug, Default)]
pub(super) struct Received {
    /// Its headers.
    pub(super) headers: HeaderMap,
    /// Its body.
    pub(super) body: Vec<u8>,
    /// Where this bundle itself answers, which must not tell itself of itself.
    pub(super) own_host: Option<String>,
}

impl Received {
    /// Decodes the body.
    ///
    /// # Errors
    /// `encoding`, or `too_large` if more comes out than may.
    pub(super) fn new(request: &Request<Bytes>, own: Option<&Url>) -> Result<Self, &'static str> {
        let headers = request.headers().clone();
        let body = encoded_body::decode(&headers, request.body()).map(Cow::into_owned)?;
        let own_host = own.and_then(Url::host_str).map(str::to_owned);
        Ok(Self {
            headers,
            body,
            own_host,
        })
    }
}

/// The page that sends, if it is one.
pub(super) fn origin(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::ORIGIN)?.to_str().ok()
}

/// What most clients are answered: 200 and how many were new; 429 where nothing of the batch
/// could be taken because it is too much.
pub(super) fn counted(_: &Received, batch: &Batch, taken: &Taken) -> Answer {
    let left_out: u64 = batch.drops.values().sum();
    let nothing = taken.over_quota > 0 && taken.over_quota == batch.items.len() as u64;
    let status = if nothing {
        StatusCode::TOO_MANY_REQUESTS
    } else {
        StatusCode::OK
    };
    let mut response = handler::json(
        status,
        &json!({ "taken": taken.taken, "leftOut": left_out, "overQuota": taken.over_quota }),
    )?;
    if let Some(seconds) = taken.retry_after_seconds {
        response
            .headers_mut()
            .insert(header::RETRY_AFTER, seconds.into());
    }
    Ok(response)
}
