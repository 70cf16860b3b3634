//! What the platform adds to answers: security headers to all of them, caching
//! to files only.

use std::collections::{BTreeMap, BTreeSet};

use ops::endpoint::Endpoint;

use crate::{configuration, files, functions};

/// The headers that the rules add at a path; of two rules the later wins.
fn headers_at(path: &str) -> BTreeMap<String, String> {
    configuration::read()
        .headers
        .into_iter()
        .filter(|rule| applies(&rule.source, path))
        .flat_map(|rule| rule.headers)
        .map(|header| (header.key.to_ascii_lowercase(), header.value))
        .collect()
}

/// Whether a rule's source matches; the sources here use `(.*)` at most once.
fn applies(source: &str, path: &str) -> bool {
    match source.split_once("(.*)") {
        None => source == path,
        Some((start, end)) => {
            path.len() >= start.len() + end.len() && path.starts_with(start) && path.ends_with(end)
        }
    }
}

/// Some paths of each endpoint: its own, and one for each rewrite.
fn paths_of_endpoints() -> Vec<String> {
    let specs = Endpoint::ALL.into_iter().map(Endpoint::spec);
    specs
        .flat_map(|spec| std::iter::once(spec.path).chain(spec.rewrites.iter().copied()))
        .flat_map(functions::paths)
        .collect()
}

/// What the rules add to answers of functions beyond what all answers have.
#[test]
fn functions_add_their_own_headers_but_where_the_status_page_is_read() {
    let whole = headers_at("/nowhere");
    for path in paths_of_endpoints() {
        let headers = headers_at(&path);
        let other: BTreeMap<_, _> = headers
            .iter()
            .filter(|(name, value)| whole.get(*name) != Some(value))
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let policy = "content-security-policy";
        let readers = ("cross-origin-resource-policy", "cross-origin");
        let expected: Vec<(&str, &str)> = match path.as_str() {
            "/status" => vec![(policy, other.get(policy).copied().unwrap_or_default())],
            path if path.starts_with("/status/") => {
                vec![
                    (policy, other.get(policy).copied().unwrap_or_default()),
                    readers,
                ]
            }
            path if path.starts_with("/api/v2/") => vec![readers],
            _ => vec![],
        };
        assert_eq!(other, expected.into_iter().collect(), "{path}");
        assert!(
            whole.keys().all(|name| headers.contains_key(name)),
            "{path}"
        );
    }
}

#[test]
fn every_rule_is_about_something_and_none_stands_twice() {
    let files = files::below("public")
        .into_iter()
        .map(|file| served_at(&file));
    let pages = ["/".to_owned(), "/dashboard".to_owned()];
    let paths: Vec<_> = files.chain(pages).chain(paths_of_endpoints()).collect();
    let mut seen = BTreeSet::new();
    for rule in configuration::read().headers {
        assert!(
            paths.iter().any(|path| applies(&rule.source, path)),
            "nothing is at {}",
            rule.source
        );
        assert!(seen.insert(rule.source.clone()), "{} twice", rule.source);
        let names: BTreeSet<_> = rule
            .headers
            .iter()
            .map(|header| header.key.to_ascii_lowercase())
            .collect();
        assert_eq!(
            names.len(),
            rule.headers.len(),
            "{} names one twice",
            rule.source
        );
    }
}

/// The path at which a file of `public/` is served.
fn served_at(file: &std::path::Path) -> String {
    format!("/{}", file.strip_prefix("public").unwrap().display())
}

#[test]
fn every_answer_carries_the_security_headers() {
    let paths = Endpoint::ALL
        .map(|endpoint| endpoint.spec().path.to_owned())
        .into_iter();
    let paths = paths.chain(
        files::below("public")
            .into_iter()
            .map(|file| served_at(&file)),
    );
    for path in paths.chain(["/".into(), "/health".into(), "/nowhere".into()]) {
        let headers = headers_at(&path);
        let has = |name: &str, part: &str| {
            let value = headers
                .get(name)
                .unwrap_or_else(|| panic!("{path} lacks {name}"));
            assert!(
                value.contains(part),
                "{path}: {name} is `{value}`, without `{part}`"
            );
        };
        has("content-security-policy", "default-src 'none'");
        has("content-security-policy", "frame-ancestors 'none'");
        has("content-security-policy", "base-uri 'none'");
        has("strict-transport-security", "max-age=63072000");
        has("x-content-type-options", "nosniff");
        has("x-frame-options", "DENY");
        has("referrer-policy", "no-referrer");
        has("permissions-policy", "camera=()");
    }
}

#[test]
fn the_policy_allows_no_inline_code_and_the_pages_have_none() {
    let policy = &headers_at("/")["content-security-policy"];
    assert!(!policy.contains("unsafe"), "{policy}");
    for page in files::below("public")
        .iter()
        .filter(|file| file.extension().is_some_and(|end| end == "html"))
    {
        let text = files::text(page);
        let scripts = allowed_scripts(&headers_at(&served_at(page))["content-security-policy"]);
        for inline in ["<style", " style=", " onclick=", " onload="] {
            assert!(
                !text.contains(inline),
                "{}: `{inline}` would be refused",
                page.display()
            );
        }
        assert_eq!(
            text.matches("<script").count(),
            text.matches(scripts).count(),
            "{}: a script would be refused",
            page.display()
        );
    }
}

/// How a script of ours begins in a page with that policy.
fn allowed_scripts(policy: &str) -> &'static str {
    if policy.contains("script-src 'self'") {
        "<script type=\"module\" src=\"/assets/"
    } else {
        "no script"
    }
}

#[test]
fn a_page_with_scripts_takes_none_but_ours_and_makes_none_of_texts() {
    let policy = &headers_at("/dashboard")["content-security-policy"];
    assert_eq!(
        *policy,
        headers_at("/dashboard.html")["content-security-policy"]
    );
    for part in [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "connect-src 'self'",
        "form-action 'none'",
        "require-trusted-types-for 'script'",
        // The worker that shows push messages, and nothing else.
        "worker-src 'self'",
        "trusted-types sw",
    ] {
        assert!(
            policy.split("; ").any(|found| found == part),
            "`{part}` is missing in {policy}"
        );
    }
    assert!(
        !policy.contains("unsafe") && !policy.contains("http"),
        "{policy}"
    );
}

#[test]
fn the_network_keeps_files_and_never_answers() {
    for endpoint in Endpoint::ALL {
        let path = endpoint.spec().path;
        let caching = headers_at(path)
            .into_keys()
            .find(|name| name.contains("cache"));
        assert_eq!(caching, None, "{path} says itself that nothing may be kept");
    }
    assert!(
        headers_at("/health")
            .keys()
            .all(|name| !name.contains("cache"))
    );
    for file in files::below("public") {
        let path = served_at(&file);
        let headers = headers_at(&path);
        let expected = if path.starts_with("/assets/") {
            "public, max-age=31536000, immutable"
        } else {
            assert_eq!(
                headers["vercel-cdn-cache-control"], "public, max-age=86400",
                "{path}"
            );
            "public, max-age=0, must-revalidate"
        };
        assert_eq!(headers["cache-control"], expected, "{path}");
    }
    assert_eq!(
        headers_at("/")["cache-control"],
        headers_at("/index.html")["cache-control"]
    );
}
