//! Spans: what a server answered is a request, what it asked of others a span of ours; what
//! it does within itself is not kept. What was thrown on the way is an error.

use super::{
    attributes::Attributes,
    messages::{Span, SpanEvent, Traces},
    sender::{Sender, trace_of},
};
use crate::{
    hexadecimal::hexadecimal,
    ingest::{
        batch::Batch,
        detail::Details,
        item::{self, Item, Kind},
        moment,
    },
};

/// `SPAN_KIND_SERVER`.
const SERVER: i32 = 2;

/// `SPAN_KIND_CLIENT`.
const CLIENT: i32 = 3;

/// `STATUS_CODE_ERROR`.
const FAILED: i32 = 2;

/// Makes items of spans.
pub(super) fn take(traces: &Traces, batch: &mut Batch) {
    for part in &traces.resource_spans {
        let sender = Sender::new(part.resource.as_ref());
        for span in part.scope_spans.iter().flat_map(|scope| &scope.spans) {
            take_one(&sender, span, batch);
        }
    }
}

fn take_one(sender: &Sender, span: &Span, batch: &mut Batch) {
    let Some(trace) = trace_of(&span.trace_id).filter(|_| span.span_id.len() == 8) else {
        return batch.drop(super::UNUSABLE, 1);
    };
    let said = Attributes(&span.attributes);
    for event in span.events.iter().filter(|event| event.name == "exception") {
        batch.add(exception(sender, said, event, &trace));
    }
    let same = format!("otlp span {trace} {}", hexadecimal(&span.span_id));
    let is_of_database = said.text(&["db.system.name", "db.system"]).is_some();
    let item = match span.kind {
        SERVER => request(said, span, &same),
        CLIENT => dependency(said, span, &same),
        _ if is_of_database => dependency(said, span, &same),
        _ => return batch.drop("kind of span that is not kept", 1),
    };
    let item = sender
        .sign(item, said)
        .at(moment::of_nanoseconds(span.start_time_unix_nano))
        .value(milliseconds(span));
    let failed = has_failed(span).then_some(true);
    let more = details(said)
        .with("trace", Some(trace))
        .with("failed", failed);
    batch.add(item.detail(more.all()));
}

fn request(said: Attributes<'_>, span: &Span, same: &str) -> Item {
    let status = said.number(&["http.response.status_code", "http.status_code"]);
    let status = status.or(has_failed(span).then_some(500));
    Item::new(
        Kind::Request,
        &route(said, &span.name),
        None,
        same.as_bytes(),
    )
    .request(said.text(&["http.request.method", "http.method"]), status)
}

/// The pattern of a route; the name of the span has it, or else the path that was asked for.
fn route(said: Attributes<'_>, name: &str) -> String {
    let pattern = said.text(&["http.route", "next.route"]);
    let named = name.split_whitespace().find(|word| word.starts_with('/'));
    let asked = said.text(&["url.path", "http.target", "url.full", "http.url"]);
    item::path(pattern.or(named).or(asked).unwrap_or(name))
}

fn dependency(said: Attributes<'_>, span: &Span, same: &str) -> Item {
    let name = match said.text(&["db.system.name", "db.system"]) {
        Some(system) => {
            let operation = said.text(&["db.operation.name", "db.operation"]);
            let of = said.text(&["db.collection.name", "db.sql.table"]);
            let parts = [Some(system), operation, of];
            parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
        }
        None => match said.text(&["server.address", "net.peer.name", "peer.service"]) {
            Some(host) => host.to_owned(),
            None => host(said.text(&["url.full", "http.url"]).unwrap_or(&span.name)),
        },
    };
    Item::new(Kind::Span, &name, None, same.as_bytes()).request(
        said.text(&["http.request.method", "http.method"]),
        said.number(&["http.response.status_code", "http.status_code"]),
    )
}

/// The host of a URL; of what is none the text without what may be anything.
fn host(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let rest = rest.split(['/', '?', '#']).next().unwrap_or_default();
    rest.rsplit('@').next().unwrap_or_default().to_owned()
}

fn details(said: Attributes<'_>) -> Details {
    let asked = said.text(&["url.full", "http.url"]).map(item::path);
    Details::default()
        .with("path", asked)
        .with("type", said.text(&["next.span_type"]))
        .with("region", said.text(&["vercel.region", "cloud.region"]))
}

/// One that was thrown passes through span after span, each of which tells of it: it is one
/// of its trace.
fn exception(sender: &Sender, of: Attributes<'_>, event: &SpanEvent, trace: &str) -> Item {
    let said = Attributes(&event.attributes);
    let name = said.text(&["exception.type"]).unwrap_or("Error");
    let message = said.text(&["exception.message"]);
    let stack = said.text(&["exception.stacktrace"]);
    let same = format!(
        "otlp exception {trace} {name} {}",
        message.unwrap_or_default()
    );
    let route = of.text(&["http.route", "next.route"]).map(item::path);
    let details = Details::default()
        .with("message", message)
        .with("stack", stack)
        .with("transaction", route)
        .with("trace", Some(trace));
    sender
        .sign(Item::new(Kind::Error, name, None, same.as_bytes()), of)
        .at(moment::of_nanoseconds(event.time_unix_nano))
        .detail(details.all())
}

fn has_failed(span: &Span) -> bool {
    span.status
        .as_ref()
        .is_some_and(|status| status.code == FAILED)
}

/// How long it took; nothing where it ends before it begins.
fn milliseconds(span: &Span) -> Option<f64> {
    let took = span
        .end_time_unix_nano
        .checked_sub(span.start_time_unix_nano)?;
    let known = span.start_time_unix_nano > 0;
    #[expect(
        clippy::cast_precision_loss,
        reason = "what is lost is far below a millisecond"
    )]
    let milliseconds = took as f64 / 1e6;
    known.then_some(milliseconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_of_its_route() {
        let pair = |key: &str, value: &str| super::super::tests::attribute(key, value);
        for (attributes, name, expected) in [
            (
                vec![pair("http.route", "/wines/[id]")],
                "GET /wines/7",
                "/wines/[id]",
            ),
            (
                vec![pair("http.target", "/wines/7?x=1")],
                "GET /wines/[id]",
                "/wines/[id]",
            ),
            (vec![pair("http.target", "/wines/7?x=1")], "GET", "/wines/7"),
            (vec![pair("url.full", "https://a.example/b?x")], "GET", "/b"),
            (vec![], "handle", "handle"),
        ] {
            assert_eq!(route(Attributes(&attributes), name), expected);
        }
        for (url, expected) in [
            ("https://u:p@a.example:8080/b?x#y", "a.example:8080"),
            ("fetch GET", "fetch GET"),
            ("", ""),
        ] {
            assert_eq!(host(url), expected);
        }
    }
}
