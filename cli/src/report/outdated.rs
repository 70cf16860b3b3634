//! `pourtrait report outdated`: what cargo-outdated or npm found outdated, handed in for
//! reports. Nothing is looked up here.

use std::{collections::BTreeSet, fs, path::Path};

use anyhow::Context;
use ops::rpc::{Call, Retry};
use serde::{Deserialize, Serialize};
use serde_json::{Deserializer, Value, json};
use uuid::Uuid;

use crate::project::{Project, author};
use terminal::{
    failure::{Misuse, Verdict},
    output::Output,
};

/// A list is a few kilobytes.
const FILE_LIMIT: u64 = 8 * 1024 * 1024;

#[derive(Debug, Serialize)]
struct HandIn<'a> {
    p_request: Uuid,
    p_tool: &'static str,
    p_packages: &'a BTreeSet<Package>,
    p_by: String,
}

#[derive(Debug, Deserialize)]
struct HandedIn {
    tool: String,
    outdated: u64,
}

impl Call for HandIn<'_> {
    const NAME: &'static str = "ops_hand_in_outdated";
    const RETRY: Retry = Retry::Idempotent;
    type Output = HandedIn;
}

/// A dependency that has a newer version.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
struct Package {
    name: String,
    version: String,
    latest: String,
}

/// What a tool wrote.
#[derive(Debug, PartialEq, Eq)]
struct List {
    tool: &'static str,
    packages: BTreeSet<Package>,
}

pub(super) async fn hand_in(
    project: &Project,
    file: &Path,
    output: Output,
) -> anyhow::Result<Verdict> {
    let list = read(&text(file)?).with_context(|| {
        Misuse(format!(
            "{} is neither what `cargo outdated --format json` nor what `npm outdated --json` writes",
            file.display()
        ))
    })?;
    let call = HandIn {
        p_request: Uuid::new_v4(),
        p_tool: list.tool,
        p_packages: &list.packages,
        p_by: author(),
    };
    let handed_in = project.call(&call).await?;
    let count = match handed_in.outdated {
        1 => "1 outdated dependency".to_owned(),
        count => format!("{count} outdated dependencies"),
    };
    output.result(
        &json!({"tool": handed_in.tool, "outdated": handed_in.outdated}),
        &format!("handed in from {}: {count}", handed_in.tool),
    );
    Ok(Verdict::Good)
}

fn text(file: &Path) -> anyhow::Result<String> {
    let named = || Misuse(format!("cannot read {}", file.display()));
    let size = fs::metadata(file).with_context(named)?.len();
    if size > FILE_LIMIT {
        return Err(Misuse(format!("{} is larger than any such list", file.display())).into());
    }
    fs::read_to_string(file).with_context(named)
}

/// What a tool wrote; `None` if none of them did.
fn read(text: &str) -> Option<List> {
    // npm writes nothing at all where nothing is outdated, cargo a document a package.
    let documents: Vec<Value> = Deserializer::from_str(text)
        .into_iter::<Value>()
        .collect::<Result<_, _>>()
        .ok()?;
    if documents
        .iter()
        .any(|document| document["crate_name"].is_string())
    {
        let packages = documents.iter().map(of_cargo).collect::<Option<Vec<_>>>()?;
        return Some(List {
            tool: "cargo",
            packages: packages.into_iter().flatten().collect(),
        });
    }
    let packages = documents.iter().map(of_npm).collect::<Option<Vec<_>>>()?;
    Some(List {
        tool: "npm",
        packages: packages.into_iter().flatten().collect(),
    })
}

fn of_cargo(document: &Value) -> Option<Vec<Package>> {
    let dependencies = document["dependencies"].as_array()?.iter();
    dependencies
        .map(|dependency| {
            package(
                dependency["name"].as_str()?,
                &dependency["project"],
                dependency,
            )
        })
        .collect::<Option<Vec<_>>>()
        .map(|found| found.into_iter().flatten().collect())
}

fn of_npm(document: &Value) -> Option<Vec<Package>> {
    let mut packages = Vec::new();
    for (name, found) in document.as_object()? {
        // A package that several workspaces use is a list.
        let one = std::slice::from_ref(found);
        for found in found.as_array().map_or(one, Vec::as_slice) {
            let current = if found["current"].is_string() {
                &found["current"]
            } else {
                &found["wanted"]
            };
            packages.extend(package(name, current, found)?);
        }
    }
    Some(packages)
}

/// A package whose newest version is another; `None` within if it is current, or nobody
/// knows a newer one.
#[expect(
    clippy::option_option,
    reason = "a list with what is no package is no list of the tool"
)]
fn package(name: &str, version: &Value, found: &Value) -> Option<Option<Package>> {
    let (version, latest) = (version.as_str()?, found["latest"].as_str()?);
    let is_known = latest.starts_with(|first: char| first.is_ascii_digit());
    Some((is_known && version != latest).then(|| Package {
        name: name.to_owned(),
        version: version.to_owned(),
        latest: latest.to_owned(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Option<(&'static str, Vec<String>)> {
        let list = read(text)?;
        let names = list
            .packages
            .into_iter()
            .map(|package| package.name + " " + &package.latest);
        Some((list.tool, names.collect()))
    }

    #[test]
    fn both_tools_are_told_apart_and_what_is_current_is_left_out() {
        let cargo = r#"{"crate_name":"a","dependencies":[
            {"name":"http","project":"1.0.0","compat":"1.1.0","latest":"1.1.0","kind":"Normal","platform":null},
            {"name":"url","project":"2.0.0","compat":"---","latest":"2.0.0","kind":"Normal","platform":null},
            {"name":"gone","project":"1.0.0","compat":"Removed","latest":"Removed","kind":"Normal","platform":null}]}
            {"crate_name":"b","dependencies":[
            {"name":"http","project":"1.0.0","compat":"1.1.0","latest":"1.1.0","kind":"Normal","platform":null}]}"#;
        let npm = r#"{"next":{"current":"15.0.0","wanted":"15.0.3","latest":"15.1.0","dependent":"app"},
            "react":[{"current":"19.0.0","wanted":"19.0.0","latest":"19.1.0"},{"wanted":"19.1.0","latest":"19.1.0"}]}"#;
        for (text, tool, packages) in [
            (cargo, "cargo", vec!["http 1.1.0"]),
            (r#"{"crate_name":"a","dependencies":[]}"#, "cargo", vec![]),
            (npm, "npm", vec!["next 15.1.0", "react 19.1.0"]),
            ("{}", "npm", vec![]),
            ("", "npm", vec![]),
        ] {
            let packages = packages.into_iter().map(str::to_owned).collect();
            assert_eq!(names(text), Some((tool, packages)), "{text}");
        }
    }

    #[test]
    fn anything_else_is_no_list() {
        for text in [
            "[1]",
            "7",
            "{\"a\":1}",
            "not json",
            r#"{"crate_name":"a"}"#,
            r#"{"next":{"latest":1}}"#,
        ] {
            assert_eq!(names(text), None, "{text}");
        }
    }
}
