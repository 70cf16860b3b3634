//! What browsers report of our own pages, at `/api/reports`: the one thing that the door takes
//! without a key. It has to be such a report, of a page at our own origin; it is bounded,
//! counted by client, and kept under a key of those pages that an operator may revoke.

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use outside::clock::Deadline;
use serde::{Deserialize, Serialize};

use super::{batch, item::Item, reports};
use crate::{
    app::App,
    auth::{client_of, subscriber_keys::SubscriberKeys},
    encoded_body,
    handler::Answer,
    media_type,
    problem::Problem,
    rpc::{Call, Retry},
};

/// The most that a browser brings at once, in bytes and in reports.
const BODY: usize = 64 * 1024;
const REPORTS: usize = 20;

/// After how many seconds a client that brought too much may come again.
const PAUSE: u64 = 3_600;

#[derive(Debug, Serialize)]
struct TakeOwnReports<'a> {
    p_origin: &'a str,
    p_client: String,
    p_items: &'a [Item],
    p_drops: batch::Drops,
}

#[derive(Debug, Deserialize)]
struct Taken {
    refused: Option<Refusal>,
}

/// Why nothing was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Refusal {
    /// The client brings too much.
    Client,
    /// An operator revoked the key of our pages.
    Key,
    /// The key of our pages is of another origin.
    Origin,
}

impl Call for TakeOwnReports<'_> {
    const NAME: &'static str = "ops_take_own_reports";
    // Items have ids of their own, so that they are taken once; the client is counted twice.
    const RETRY: Retry = Retry::Idempotent;
    type Output = Taken;
}

/// Takes reports of pages at that origin.
pub(super) async fn take(
    app: &App,
    origin: &str,
    request: &Request<Bytes>,
    deadline: Deadline,
) -> Answer {
    let kind = media_type::of(request.headers()).unwrap_or_default();
    if !reports::MEDIA_TYPES.contains(&kind.as_str()) {
        return Err(Problem::UnsupportedMediaType);
    }
    if request.body().len() > BODY {
        return Err(Problem::PayloadTooLarge(BODY));
    }
    let body = encoded_body::decode(request.headers(), request.body())
        .ok()
        .filter(|body| body.len() <= BODY)
        .ok_or(Problem::PayloadTooLarge(BODY))?;
    let batch = reports::of_pages_at(origin, REPORTS, &body)?
        .corrected()
        .judged();
    if batch.items.is_empty() {
        return Err(Problem::Forbidden);
    }
    let keys = app.config.monitoring_api_key.as_ref();
    let keys = keys
        .and_then(SubscriberKeys::new)
        .ok_or(Problem::Internal)?;
    let mut client = keys.hash("reporter", &client_of(request));
    client.truncate(32);
    let call = TakeOwnReports {
        p_origin: origin,
        p_client: client,
        p_items: &batch.items,
        p_drops: batch.drops.clone(),
    };
    let taken = app.call(&call, deadline).await.map_err(|error| {
        tracing::error!(%error, "reports of our own pages cannot be taken");
        Problem::Unavailable("the database cannot be asked now")
    })?;
    match taken.refused {
        None => {
            let mut response = Response::new(Bytes::new());
            *response.status_mut() = StatusCode::NO_CONTENT;
            Ok(response)
        }
        Some(Refusal::Client) => Err(Problem::TooManyRequests { retry_after: PAUSE }),
        Some(Refusal::Key | Refusal::Origin) => Err(Problem::Forbidden),
    }
}
