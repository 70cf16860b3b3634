//! Every source, by the paths to which its clients send.

use bytes::Bytes;
use http::Request;

use super::{otlp, own, reports, sentry, source::Source, supabase, vercel};
use crate::{handler::Answer, media_type, problem::Problem};

/// The source of a request: by its path, and at ours by what the body is said to be.
pub(super) fn of(request: &Request<Bytes>) -> Option<&'static Source> {
    let kind = media_type::of(request.headers()).unwrap_or_default();
    let path = request.uri().path().trim_end_matches('/');
    match path {
        "/api/drain/vercel" => return Some(&vercel::DRAIN),
        "/api/drain/vercel-webhook" => return Some(&vercel::WEBHOOK),
        "/api/drain/supabase" => return Some(&supabase::SOURCE),
        "/v1/traces" => return Some(&otlp::TRACES),
        "/v1/logs" => return Some(&otlp::LOGS),
        "/v1/metrics" => return Some(&otlp::METRICS),
        _ => {}
    }
    match path.rsplit('/').next()? {
        "ingest" if reports::MEDIA_TYPES.contains(&kind.as_str()) => Some(&reports::SOURCE),
        "ingest" => Some(&own::SOURCE),
        "envelope" => Some(&sentry::ENVELOPE),
        "store" => Some(&sentry::STORE),
        "security" => Some(&reports::SOURCE),
        _ => None,
    }
}

/// Whether a platform or a server sends, so that nobody is known by where it sends from.
pub(super) fn is_of_platform(request: &Request<Bytes>) -> bool {
    let path = request.uri().path();
    ["/api/drain/", "/v1/"]
        .iter()
        .any(|start| path.starts_with(start))
}

/// What a client is told of a problem, where its protocol has a form of its own for that.
pub(super) fn refusal(request: &Request<Bytes>, problem: &Problem) -> Option<Answer> {
    let path = request.uri().path();
    let is_of_otlp = path.starts_with("/v1/")
        || path == "/api/drain/supabase" && otlp::is_protobuf(request.headers());
    is_of_otlp.then(|| otlp::refusal(request.headers(), problem))
}
