//! Modules know each other one way only: among the modules of one crate there is
//! no circle but that of a parent with its own children.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use crate::files;

/// The crates whose sources are held to it, by folder.
const CRATES: [&str; 7] = [
    "lib", "backup", "cli", "dev", "local", "outside", "terminal",
];

/// A module's path below its crate, `messages::channels` say; empty for the root.
type Module = String;

#[test]
fn no_modules_know_each_other_in_a_circle() {
    for folder in CRATES {
        let circles = circles(&uses(folder));
        assert!(circles.is_empty(), "{folder}: {circles:#?}");
    }
}

/// Which modules each module of a crate names, parents and children aside.
fn uses(folder: &str) -> BTreeMap<Module, BTreeSet<Module>> {
    let sources: BTreeMap<Module, String> = files::below(&format!("{folder}/src"))
        .into_iter()
        .filter(|path| path.extension().is_some_and(|ending| ending == "rs"))
        .map(|path| (module(folder, &path), files::text(&path)))
        .collect();
    let known: BTreeSet<&str> = sources.keys().map(String::as_str).collect();
    let named = |from: &str, text: &str| {
        let paths = paths(from, without_tests(text));
        paths
            .iter()
            .filter_map(|path| longest(path, &known))
            .filter(|to| !is_family(from, to))
            .collect()
    };
    sources
        .iter()
        .map(|(from, text)| (from.clone(), named(from, text)))
        .collect()
}

/// The module that a source file holds.
fn module(folder: &str, path: &Path) -> Module {
    let below = path.strip_prefix(format!("{folder}/src")).unwrap();
    let mut parts: Vec<String> = below
        .with_extension("")
        .iter()
        .map(|part| part.to_string_lossy().into_owned())
        .collect();
    if parts
        .last()
        .is_some_and(|name| ["mod", "lib", "main"].contains(&name.as_str()))
    {
        parts.pop();
    }
    parts.join("::")
}

/// Tests of a module may look wherever they like.
fn without_tests(text: &str) -> &str {
    text.find("#[cfg(test)]").map_or(text, |at| &text[..at])
}

/// Every path into the crate that a source names, from the crate's root on. A
/// braced list counts for each of its first names.
fn paths(from: &str, text: &str) -> BTreeSet<Module> {
    let mut found = BTreeSet::new();
    for (prefix, base) in [("crate::", String::new()), ("super::", parent(from))] {
        for (at, _) in text.match_indices(prefix) {
            let rest = &text[at + prefix.len()..];
            for name in heads(rest) {
                found.insert(join(&base, &name));
            }
        }
    }
    found
}

/// The paths that follow a prefix: one, or one for each element of `{…}`.
fn heads(rest: &str) -> Vec<String> {
    if let Some(list) = rest.strip_prefix('{') {
        let mut depth = 1;
        let end = list
            .char_indices()
            .find(|(_, character)| {
                depth += i32::from(*character == '{') - i32::from(*character == '}');
                depth == 0
            })
            .map_or(list.len(), |(at, _)| at);
        return split(&list[..end]).into_iter().flat_map(heads).collect();
    }
    let path: String = rest
        .chars()
        .take_while(|character| character.is_alphanumeric() || "_:".contains(*character))
        .collect();
    let after = &rest[path.len()..];
    match path.strip_suffix("::") {
        Some(base) if after.starts_with('{') => {
            heads(after).iter().map(|head| join(base, head)).collect()
        }
        _ => vec![path],
    }
}

/// The elements of a list, however deep each of them goes.
fn split(list: &str) -> Vec<&str> {
    let mut depth = 0;
    list.split(|character| {
        depth += i32::from(character == '{') - i32::from(character == '}');
        character == ',' && depth == 0
    })
    .map(str::trim)
    .filter(|element| !element.is_empty())
    .collect()
}

fn join(base: &str, name: &str) -> Module {
    [base, name]
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join("::")
}

fn parent(module: &str) -> Module {
    module
        .rsplit_once("::")
        .map_or_else(String::new, |(parent, _)| parent.to_owned())
}

/// The module that a path leads into: the longest beginning that is one.
fn longest(path: &str, known: &BTreeSet<&str>) -> Option<Module> {
    let mut path = path.to_owned();
    while !path.is_empty() {
        if known.contains(path.as_str()) {
            return Some(path);
        }
        path = parent(&path);
    }
    None
}

/// Whether one of the two is the other, or lies within it.
fn is_family(one: &str, other: &str) -> bool {
    let within = |outer: &str, inner: &str| {
        outer.is_empty() || inner == outer || inner.starts_with(&format!("{outer}::"))
    };
    within(one, other) || within(other, one)
}

/// The groups of modules that reach each other.
fn circles(uses: &BTreeMap<Module, BTreeSet<Module>>) -> Vec<BTreeSet<Module>> {
    let reached = |from: &Module| {
        let mut seen = BTreeSet::new();
        let mut next = vec![from];
        while let Some(module) = next.pop() {
            for to in uses.get(module).into_iter().flatten() {
                if seen.insert(to.clone()) {
                    next.push(to);
                }
            }
        }
        seen
    };
    let reach: BTreeMap<&Module, BTreeSet<Module>> = uses
        .keys()
        .map(|module| (module, reached(module)))
        .collect();
    let mut found: Vec<BTreeSet<Module>> = Vec::new();
    for (module, reaches) in &reach {
        if !reaches.contains(*module) || found.iter().any(|circle| circle.contains(*module)) {
            continue;
        }
        let circle = reaches
            .iter()
            .filter(|other| reach[*other].contains(*module))
            .cloned()
            .collect();
        found.push(circle);
    }
    found
}

#[test]
fn paths_are_read_as_rust_reads_them() {
    let text =
        "use crate::{app::{self, App}, jobs};\nuse super::words;\nfn f() { crate::rpc::call() }";
    let found: Vec<String> = paths("alerts::raise", text).into_iter().collect();
    assert_eq!(
        found,
        [
            "alerts::words",
            "app::App",
            "app::self",
            "jobs",
            "rpc::call"
        ]
    );
}

#[test]
fn a_circle_is_found_through_a_third() {
    let uses = [("a", "b"), ("b", "c"), ("c", "a"), ("d", "a")];
    let mut graph: BTreeMap<Module, BTreeSet<Module>> = BTreeMap::new();
    for (from, to) in uses {
        graph.entry(from.into()).or_default().insert(to.into());
    }
    let expected = ["a", "b", "c"].map(String::from).into();
    assert_eq!(circles(&graph), [expected]);
}
