//! Whether answers carry the headers that `vercel.json` promises.

use std::sync::LazyLock;

use http::HeaderMap;
use regex::Regex;
use serde::Deserialize;

use super::OPS;
use crate::{
    VERSION,
    verification::{
        judgement::Judgement,
        look::Look,
        report::Importance,
        seen::{PromisedHeader, Seen},
        subject::{Group, Release},
    },
};

pub(super) const LOOK: Look = Look {
    name: "headers",
    group: Group::Transport,
    importance: Importance::Important,
    of: OPS,
    mend: "deploy the release whose vercel.json this is, and look at what stands before the \
           deployment and takes headers away",
    judge,
};

/// The rules of this build, which are the deployment's if it is of this release.
static RULES: LazyLock<Vec<Rule>> = LazyLock::new(|| {
    let file: File =
        serde_json::from_str(include_str!("../../../../vercel.json")).unwrap_or_default();
    file.headers
});

/// How caches keep what is not an answer's own matter; networks take it away.
const OF_CACHES: [&str; 2] = ["cache-control", "vercel-cdn-cache-control"];

const HSTS: &str = "strict-transport-security";

#[derive(Debug, Default, Deserialize)]
struct File {
    headers: Vec<Rule>,
}

#[derive(Debug, Deserialize)]
struct Rule {
    source: String,
    headers: Vec<Header>,
}

#[derive(Debug, Clone, Deserialize)]
struct Header {
    key: String,
    value: String,
}

fn judge(seen: &Seen<'_>) -> Judgement {
    if seen.subject.release == Release::Any
        && let Some(other) = seen.release().filter(|release| release != VERSION)
    {
        return Judgement::skipped(format!("{other} answers, whose rules are not known here"));
    }
    let mut bad = Vec::new();
    for (path, reply) in &seen.pages {
        match reply {
            Err(failure) => bad.push(format!("{path}: {failure}")),
            Ok(answer) => bad.extend(unlike(path, &answer.headers)),
        }
    }
    Judgement::unless(&bad, "pages and functions carry those of vercel.json")
}

/// What a path's answer has not, or has otherwise.
fn unlike(path: &str, found: &HeaderMap) -> Vec<String> {
    promised_headers(path, found)
        .into_iter()
        .filter(|header| !header.is_kept)
        .map(|PromisedHeader { name, found, .. }| match found {
            None => format!("{path} lacks {name}"),
            Some(found) => format!("{path} has {name}: {found}"),
        })
        .collect()
}

/// What is promised of a path's answer, and what became of it.
pub(in crate::verification) fn promised_headers(
    path: &str,
    found: &HeaderMap,
) -> Vec<PromisedHeader> {
    promised(path)
        .into_iter()
        .map(|Header { key, value }| {
            let found = found.get(&key).and_then(|value| value.to_str().ok());
            PromisedHeader {
                path: path.to_owned(),
                is_kept: found.is_some_and(|found| is_as_good(&key, found, &value)),
                found: found.map(str::to_owned),
                name: key,
                promised: value,
            }
        })
        .collect()
}

/// The platform's own domains promise more than we ask for.
fn is_as_good(key: &str, found: &str, promised: &str) -> bool {
    let seconds = |value: &str| {
        let first = value.split(';').next()?;
        first.trim().strip_prefix("max-age=")?.parse::<u64>().ok()
    };
    if key.eq_ignore_ascii_case(HSTS) {
        return seconds(found) >= seconds(promised) && found.contains("includeSubDomains");
    }
    found == promised
}

/// What the rules say of a path; of two that say the same, the later one counts.
fn promised(path: &str) -> Vec<Header> {
    let mut promised: Vec<Header> = Vec::new();
    for rule in RULES.iter().filter(|rule| is_about(&rule.source, path)) {
        for header in &rule.headers {
            let key = header.key.to_ascii_lowercase();
            if OF_CACHES.contains(&key.as_str()) {
                continue;
            }
            promised.retain(|known| !known.key.eq_ignore_ascii_case(&key));
            promised.push(header.clone());
        }
    }
    promised
}

fn is_about(source: &str, path: &str) -> bool {
    Regex::new(&format!("^{source}$")).is_ok_and(|pattern| pattern.is_match(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_later_rule_counts_and_caches_are_left_out() {
        let of = |path: &str, key: &str| {
            let found = promised(path).into_iter().find(|header| header.key == key);
            found.map(|header| header.value)
        };
        assert!(
            of("/dashboard", "Content-Security-Policy")
                .unwrap()
                .contains("script-src 'self'")
        );
        assert!(of("/dashboard", "Cache-Control").is_none());
        assert_eq!(of("/", "X-Frame-Options").as_deref(), Some("DENY"));
    }

    #[test]
    fn a_stricter_promise_of_encryption_is_as_good() {
        let promised = "max-age=100; includeSubDomains";
        for (found, good) in [
            ("max-age=100; includeSubDomains", true),
            ("max-age=200; includeSubDomains; preload", true),
            ("max-age=99; includeSubDomains", false),
            ("max-age=200", false),
            ("nonsense", false),
        ] {
            assert_eq!(is_as_good(HSTS, found, promised), good, "{found}");
        }
    }
}
