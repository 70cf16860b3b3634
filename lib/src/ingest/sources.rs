//! Every source, by the paths to which its clients send.

use bytes::Bytes;
use http::Request;

use super::{own, reports, source::Source};
use crate::media_type;

/// The source of a request: by its path, and at ours by what the body is said to be.
pub(super) fn of(request: &Request<Bytes>) -> Option<&'static Source> {
    let kind = media_type::of(request.headers()).unwrap_or_default();
    let path = request.uri().path().trim_end_matches('/');
    match path.rsplit('/').next()? {
        "ingest" if reports::MEDIA_TYPES.contains(&kind.as_str()) => Some(&reports::SOURCE),
        "ingest" => Some(&own::SOURCE),
        "security" => Some(&reports::SOURCE),
        _ => None,
    }
}
