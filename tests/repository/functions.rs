//! The table of endpoints, the files in `api/`, the binaries of `Cargo.toml`
//! and the limits in `vercel.json` say the same.

use std::{collections::BTreeSet, process::Command};

use ops::endpoint::{Endpoint, Spec};
use serde_json::Value;

use crate::{configuration, files};

/// What a Hobby plan allows per deployment.
const MOST_FUNCTIONS: usize = 12;

fn specs() -> impl Iterator<Item = &'static Spec> {
    Endpoint::ALL.into_iter().map(Endpoint::spec)
}

#[test]
fn every_file_in_api_is_the_source_of_an_endpoint_and_short() {
    let sources: BTreeSet<String> = specs().map(|spec| spec.source.to_owned()).collect();
    let found: BTreeSet<String> = files::below("api")
        .iter()
        .map(|path| path.to_string_lossy().into_owned())
        .collect();
    assert_eq!(found, sources, "a helper in api/ would become a function");
    assert!(found.len() <= MOST_FUNCTIONS, "{} functions", found.len());
    for file in &found {
        let lines = files::text(file).lines().count();
        assert!(
            lines < 20,
            "{file} has {lines} lines: it only names its endpoint"
        );
    }
}

#[test]
fn a_functions_path_follows_from_its_file() {
    for spec in specs() {
        assert_eq!(
            format!("/{}", spec.source.trim_end_matches(".rs")),
            spec.path
        );
        let name = spec.path.trim_start_matches("/api/").replace('/', "_");
        assert_eq!(spec.name, name);
    }
}

#[test]
fn every_endpoint_has_one_binary_of_its_name() {
    let declared: BTreeSet<(String, String)> = specs()
        .map(|spec| {
            (
                spec.name.to_owned(),
                files::root().join(spec.source).display().to_string(),
            )
        })
        .collect();
    assert_eq!(binaries(), declared);
}

/// Name and source of each binary of the root package, as cargo sees them.
fn binaries() -> BTreeSet<(String, String)> {
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--no-deps",
            "--offline",
            "--format-version",
            "1",
        ])
        .current_dir(files::root())
        .output()
        .unwrap();
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let root = packages
        .iter()
        .find(|package| package["name"] == env!("CARGO_PKG_NAME"))
        .unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    root["targets"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|target| target["kind"] == serde_json::json!(["bin"]))
        .map(|target| (text(&target["name"]), text(&target["src_path"])))
        .collect()
}

#[test]
fn the_first_pattern_that_matches_gives_the_limits_of_the_table() {
    let configuration::Functions(patterns) = configuration::read().functions;
    let mut used = BTreeSet::new();
    for spec in specs() {
        let (pattern, limits) = patterns
            .iter()
            .find(|(pattern, _)| matches(pattern, spec.source))
            .unwrap_or_else(|| panic!("no pattern of vercel.json matches {}", spec.source));
        assert_eq!(limits.memory, spec.memory_mb, "memory of {}", spec.source);
        assert_eq!(
            limits.max_duration, spec.max_duration_s,
            "maxDuration of {}",
            spec.source
        );
        used.insert(pattern);
    }
    for (pattern, _) in &patterns {
        assert!(
            used.contains(pattern),
            "{pattern} matches nothing, which fails the build"
        );
    }
}

/// Whether a pattern of `*` and `**` matches a path.
fn matches(pattern: &str, path: &str) -> bool {
    fn segments(pattern: &[&str], path: &[&str]) -> bool {
        match (pattern, path) {
            ([], []) => true,
            (["**", rest @ ..], _) => {
                segments(rest, path)
                    || path
                        .split_first()
                        .is_some_and(|(_, path)| segments(pattern, path))
            }
            ([first, pattern @ ..], [name, path @ ..]) => {
                segment(first, name) && segments(pattern, path)
            }
            _ => false,
        }
    }
    fn segment(pattern: &str, name: &str) -> bool {
        match pattern.split_once('*') {
            None => pattern == name,
            Some((start, end)) => {
                name.len() >= start.len() + end.len()
                    && name.starts_with(start)
                    && name.ends_with(end)
            }
        }
    }
    segments(
        &pattern.split('/').collect::<Vec<_>>(),
        &path.split('/').collect::<Vec<_>>(),
    )
}

#[test]
fn patterns_match_as_the_builder_matches_them() {
    #[track_caller]
    fn check(pattern: &str, path: &str, expected: bool) {
        assert_eq!(matches(pattern, path), expected, "{pattern} on {path}");
    }
    check("api/*.rs", "api/health.rs", true);
    check("api/*.rs", "api/cron/monitor.rs", false);
    check("api/cron/*.rs", "api/cron/monitor.rs", true);
    check("api/**/*.rs", "api/cron/monitor.rs", true);
    check("api/**/*.rs", "api/health.rs", true);
    check("api/health.rs", "api/health.rs", true);
    check("api/*.rs", "api/health.md", false);
}

/// Pages that are found by another name than their file's.
const PAGES: [(&str, &str); 1] = [("/dashboard", "/dashboard.html")];

#[test]
fn the_rewrites_of_vercel_json_are_the_tables_and_no_others() {
    let of_endpoints = specs().flat_map(|spec| {
        let sources = spec.rewrites.iter();
        sources.map(|source| ((*source).to_owned(), spec.path.to_owned()))
    });
    let of_pages = PAGES.map(|(source, file)| (source.to_owned(), file.to_owned()));
    let expected: BTreeSet<_> = of_endpoints.chain(of_pages).collect();
    let rewrites = configuration::read().rewrites;
    assert_eq!(rewrites.len(), expected.len(), "one stands there twice");
    let found: BTreeSet<_> = rewrites
        .into_iter()
        .map(|rewrite| (rewrite.source, rewrite.destination))
        .collect();
    assert_eq!(found, expected);
}

#[test]
fn every_rewrite_leads_where_the_local_server_leads() {
    for rewrite in configuration::read().rewrites {
        let endpoint = Endpoint::at(&rewrite.destination);
        let page = files::root().join(format!("public{}", rewrite.destination));
        assert!(
            endpoint.is_some() || page.is_file(),
            "nothing is at {}",
            rewrite.destination
        );
        for path in paths(&rewrite.source) {
            assert_eq!(
                Endpoint::at(&path),
                endpoint,
                "{path} of {}",
                rewrite.source
            );
        }
    }
}

/// Paths of a pattern: each of the words that a group takes, and a number or a name. Groups
/// have no names, because those would be added to the query.
pub(crate) fn paths(source: &str) -> Vec<String> {
    let Some((start, rest)) = source.split_once('(') else {
        return vec![source.to_owned()];
    };
    let (words, rest) = rest.split_once(')').unwrap();
    words
        .replace(r"\d+", "17")
        .replace("[^/]+", "name")
        .split('|')
        .flat_map(|word| {
            let rest = paths(rest).into_iter();
            rest.map(move |rest| format!("{start}{word}{rest}"))
        })
        .collect()
}

#[test]
fn a_function_ends_by_itself_and_its_bodies_arrive() {
    for endpoint in Endpoint::ALL {
        let spec = endpoint.spec();
        assert!(endpoint.time_budget().as_secs() < u64::from(spec.max_duration_s));
        assert!(
            !endpoint.time_budget().is_zero(),
            "{} has no time at all",
            spec.name
        );
        assert!(
            spec.body_limit < 4_500_000,
            "{}: the platform takes 4.5 MB",
            spec.name
        );
    }
}
