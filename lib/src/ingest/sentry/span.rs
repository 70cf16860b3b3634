//! Spans and transactions: requests that the app answered and those that it made.
//!
//! Up to version 10 clients send a transaction with its spans, from version 11 on each span
//! by itself. Kept are a server's requests, and of what the app made those to databases and
//! over HTTP, and what is the root of a trace by itself, such as a job. The many spans of
//! what happens within the app are counted and left out.

use serde_json::{Map, Value};

use super::{
    event,
    fields::{self, Fields},
    pattern, vital,
};
use crate::ingest::item::{self, Item, Kind};

/// A span, whichever form it came in.
struct Span<'a> {
    name: &'a str,
    op: &'a str,
    data: &'a Fields,
    trace: Option<&'a str>,
    id: Option<&'a str>,
    is_root: bool,
    has_failed: bool,
}

/// What became of spans.
#[derive(Default)]
pub(super) struct Read {
    pub(super) items: Vec<Item>,
    /// How many are of kinds that are not kept.
    pub(super) left_out: u64,
}

impl Read {
    fn add(&mut self, item: Option<Item>) {
        match item {
            Some(item) => self.items.push(item),
            None => self.left_out += 1,
        }
    }
}

/// A transaction, its spans and how its page felt.
pub(super) fn of_transaction(said: &str, given: &Fields) -> Read {
    let none = Fields::new();
    let trace = fields::within(given, &["contexts", "trace"]).unwrap_or(&none);
    let mut data = fields::within(trace, &["data"])
        .cloned()
        .unwrap_or_default();
    let response = fields::within(given, &["contexts", "response"]);
    if let Some(status) = response.and_then(|response| response.get("status_code")) {
        data.insert("http.response.status_code".to_owned(), status.clone());
    }
    for (from, to) in [("method", "http.request.method"), ("url", "url.full")] {
        let value = fields::within(given, &["request"]).and_then(|request| request.get(from));
        if let Some(value) = value.filter(|_| !data.contains_key(to)) {
            data.insert(to.to_owned(), value.clone());
        }
    }
    let source = fields::within(given, &["transaction_info"]);
    if let Some(source) = source.and_then(|source| source.get("source")) {
        data.insert("sentry.source".to_owned(), source.clone());
    }
    let root = Span {
        name: fields::text(given, "transaction").unwrap_or_default(),
        op: fields::text(trace, "op").unwrap_or_default(),
        data: &data,
        trace: fields::text(trace, "trace_id"),
        id: fields::text(trace, "span_id"),
        is_root: true,
        has_failed: has_failed(trace),
    };
    let described = |item: Option<Item>, times: &Fields, end: &str| {
        let item = event::described(item?, given).at(fields::time(times, "start_timestamp"));
        Some(item.value(fields::milliseconds(times, "start_timestamp", end)))
    };
    let mut read = Read::default();
    read.add(described(root.item(said), given, "timestamp"));
    for span in fields::listed(given, "spans") {
        let Some(fields) = span.as_object() else {
            read.left_out += 1;
            continue;
        };
        let span = Span {
            name: fields::text(fields, "description").unwrap_or_default(),
            op: fields::text(fields, "op").unwrap_or_default(),
            data: fields::within(fields, &["data"]).unwrap_or(&none),
            trace: fields::text(fields, "trace_id"),
            id: fields::text(fields, "span_id"),
            is_root: false,
            has_failed: has_failed(fields),
        };
        read.add(described(span.item(said), fields, "timestamp"));
    }
    let vitals = vital::of_measurements(said, given);
    read.items
        .extend(vitals.into_iter().map(|item| event::described(item, given)));
    read
}

/// A span that version 10 sends by itself, mostly for how its page felt.
pub(super) fn of_standalone(said: &str, given: &Fields) -> Read {
    let none = Fields::new();
    let data = fields::within(given, &["data"]).unwrap_or(&none);
    let described = |item: Item| {
        item.at(fields::time(given, "start_timestamp"))
            .environment(fields::text(data, "environment"))
            .release(fields::text(data, "release"))
    };
    let vitals = vital::of_measurements(said, given);
    let mut read = Read::default();
    if vitals.is_empty() {
        let span = Span {
            name: fields::text(given, "description").unwrap_or_default(),
            op: fields::text(given, "op").unwrap_or_default(),
            data,
            trace: fields::text(given, "trace_id"),
            id: fields::text(given, "span_id"),
            is_root: given.get("is_segment") == Some(&Value::Bool(true)),
            has_failed: has_failed(given),
        };
        let took = fields::milliseconds(given, "start_timestamp", "timestamp");
        read.add(span.item(said).map(|item| described(item).value(took)));
    }
    read.items.extend(vitals.into_iter().map(described));
    read
}

/// One span as version 11 sends it, and how its page felt.
pub(super) fn of_stream(said: &str, given: &Fields) -> Read {
    let data = fields::attributes(given);
    let described = |item: Item| {
        item.at(fields::time(given, "start_timestamp"))
            .environment(fields::text(&data, "sentry.environment"))
            .release(fields::text(&data, "sentry.release"))
            .by(fields::person(data.get("user.id")).as_deref(), None)
    };
    let span = Span {
        name: fields::text(given, "name").unwrap_or_default(),
        op: fields::text(&data, "sentry.op").unwrap_or_default(),
        data: &data,
        trace: fields::text(given, "trace_id"),
        id: fields::text(given, "span_id"),
        is_root: given.get("is_segment") == Some(&Value::Bool(true)),
        has_failed: has_failed(given),
    };
    let mut read = Read::default();
    let took = fields::milliseconds(given, "start_timestamp", "end_timestamp");
    let item = span.item(said).map(|item| described(item).value(took));
    let vitals = vital::of_attributes(said, given, &data);
    // A span that only carries how a page felt has said all that it had to.
    if item.is_some() || vitals.is_empty() {
        read.add(item);
    }
    read.items.extend(vitals.into_iter().map(described));
    read
}

fn has_failed(span: &Fields) -> bool {
    fields::text(span, "status").is_some_and(|status| status != "ok" && status != "unset")
}

impl Span<'_> {
    /// The item, unless it is of a kind that is not kept.
    fn item(&self, said: &str) -> Option<Item> {
        let (kind, name) = match self.op {
            "http.server" => (Kind::Request, self.route()),
            "http.client" => (Kind::Span, self.host()),
            op if op == "db" || op.starts_with("db.") => {
                (Kind::Span, pattern::statement(self.name))
            }
            // A page's own times are its Web Vitals.
            "pageload" | "navigation" => return None,
            _ if self.is_root && !self.name.is_empty() => (Kind::Span, pattern::path(self.name)),
            _ => return None,
        };
        let same = match (self.trace, self.id) {
            (Some(trace), Some(id)) => format!("span {trace} {id}"),
            _ => format!("{said}{} {}", self.name, Value::from(self.data.clone())),
        };
        let mut detail = Map::new();
        for (name, value) in [
            ("op", Some(self.op)),
            ("system", self.word(&["db.system.name", "db.system"])),
            ("transaction", fields::segment(self.data)),
            ("trace", self.trace),
        ] {
            if let Some(value) = value.filter(|value| !value.is_empty()) {
                detail.insert(name.to_owned(), value.into());
            }
        }
        if self.has_failed {
            detail.insert("failed".to_owned(), true.into());
        }
        let item = Item::new(kind, &name, None, same.as_bytes());
        Some(item.request(self.method(), self.status()).detail(detail))
    }

    fn word(&self, names: &[&str]) -> Option<&str> {
        names.iter().find_map(|name| fields::text(self.data, name))
    }

    fn status(&self) -> Option<u64> {
        let names = ["http.response.status_code", "http.status_code"];
        let status = names.iter().find_map(|name| self.data.get(*name))?;
        status.as_u64().or_else(|| status.as_str()?.parse().ok())
    }

    fn method(&self) -> Option<&str> {
        let named = self
            .name
            .split_once(' ')
            .map_or(self.name, |(method, _)| method);
        let is_method =
            (3..=7).contains(&named.len()) && named.bytes().all(|byte| byte.is_ascii_uppercase());
        self.word(&["http.request.method", "http.method"])
            .or_else(|| (is_method && self.op.starts_with("http.")).then_some(named))
    }

    /// A name without the method before it.
    fn bare(&self) -> &str {
        let method = self.method().unwrap_or_default();
        let rest = self.name.strip_prefix(method).unwrap_or(self.name);
        if rest.is_empty() || rest.starts_with(' ') {
            rest.trim_start()
        } else {
            self.name
        }
    }

    /// Of a request that was answered: the template of its route, or what may be one.
    fn route(&self) -> String {
        if let Some(route) = self.word(&["http.route"]) {
            return item::path(route);
        }
        let source = [
            "sentry.segment.name.source",
            "sentry.span.source",
            "sentry.source",
        ];
        let bare = self.bare();
        if self.word(&source) == Some("route") && !bare.is_empty() {
            return bare.to_owned();
        }
        let place = if bare.starts_with('/') {
            Some(bare)
        } else {
            self.word(&["url.path", "http.target", "url.full", "http.url", "url"])
        };
        match place {
            Some(place) => pattern::path(&item::path(place)),
            None => bare.to_owned(),
        }
    }

    /// Of a request that was made: the host and the template of the path.
    fn host(&self) -> String {
        let url = self
            .word(&["url.full", "http.url", "url"])
            .unwrap_or_else(|| self.bare());
        let host = url.split_once("://").and_then(|(_, rest)| {
            let host = rest.split(['/', '?', '#']).next()?;
            Some(host.rsplit('@').next().unwrap_or(host))
        });
        match host {
            Some(host) => format!("{host}{}", pattern::path(&item::path(url))),
            None => pattern::path(&item::path(url)),
        }
    }
}
