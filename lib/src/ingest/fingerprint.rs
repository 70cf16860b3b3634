//! Which errors are one issue.
//!
//! An explicit fingerprint wins. Else it is the error's type with the frames of the app in
//! which it happened, or where there are none, with its message without what differs from one
//! to the next: numbers, ids, addresses, texts in quotes. Names that a build makes anew are
//! left out, so that a deployment splits no issue. A fingerprint begins with the version of
//! these rules: better rules come with another version, and what is known goes on under the
//! fingerprint that it has, as long as the old rules find it.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::hexadecimal::hexadecimal;

/// The version of these rules.
const VERSION: u8 = 1;

/// How many frames count, from where it happened.
const FRAMES: usize = 3;

/// What one error is known by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Issue {
    /// Equal for errors that are one issue.
    pub(super) key: String,
    /// What people call it.
    pub(super) title: String,
    /// Where it happened: a function and its file, or a route.
    pub(super) culprit: String,
}

/// What becomes of an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Judged {
    /// It belongs to an issue.
    Issue(Issue),
    /// It is none of the app's: the reason, in words.
    Nothing(&'static str),
}

/// Ways in which Next.js leaves a function, which are no errors.
const PSEUDO: [&str; 5] = [
    "NEXT_REDIRECT",
    "NEXT_NOT_FOUND",
    "NEXT_HTTP_ERROR_FALLBACK",
    "DYNAMIC_SERVER_USAGE",
    "BAILOUT_TO_CLIENT_SIDE_RENDERING",
];

/// A chunk that a deployment has taken away: one issue, whatever it is called.
const CHUNKS: [&str; 4] = [
    "ChunkLoadError",
    "Loading chunk",
    "Loading CSS chunk",
    "dynamically imported module",
];

/// Words of React about pages that came out otherwise than the server made them.
const HYDRATION: [&str; 4] = [
    "Hydration failed",
    "hydrating",
    "did not match",
    "hydration",
];

/// Judges an error by its type and details, as every source has them: `message`, `frames`
/// with the place where it happened last, `fingerprint`, `transaction`.
pub(super) fn judge(kind: &str, detail: &Map<String, Value>) -> Judged {
    let message = text(detail, "message");
    let digest = text(detail, "digest");
    if PSEUDO
        .iter()
        .any(|word| message.starts_with(word) || digest.starts_with(word))
    {
        return Judged::Nothing("no error of Next.js");
    }
    let frames = frames(detail);
    if !frames.is_empty() && frames.iter().all(|frame| is_of_extension(&frame.file)) {
        return Judged::Nothing("of a browser's extension");
    }
    let place = place(&frames, detail);
    let parts = match explicit(detail) {
        Some(parts) => parts
            .into_iter()
            .flat_map(|part| match part.as_str() {
                "{{ default }}" | "{{default}}" => usual(kind, message, &frames, &place),
                _ => vec![part],
            })
            .collect(),
        None => usual(kind, message, &frames, &place),
    };
    Judged::Issue(Issue {
        key: hashed(&parts),
        title: title(kind, message),
        culprit: place,
    })
}

fn usual(kind: &str, message: &str, frames: &[Frame], place: &str) -> Vec<String> {
    let whole = format!("{kind}: {message}");
    if CHUNKS.iter().any(|word| whole.contains(word)) {
        return vec!["chunk".to_owned()];
    }
    if message.trim_end_matches('.') == "Script error" && frames.is_empty() {
        return vec!["script error".to_owned()];
    }
    if let Some(number) = minified(message) {
        return vec![format!("react {number}")];
    }
    if HYDRATION.iter().any(|word| message.contains(word)) {
        return vec!["hydration".to_owned(), place.to_owned()];
    }
    let own = || frames.iter().filter(|frame| frame.in_app);
    let mut counted: Vec<_> = own()
        .rev()
        .filter(|frame| !frame.name.is_empty())
        .take(FRAMES)
        .map(|frame| frame.name.clone())
        .collect();
    // Where no file is known, a function's name is too little.
    if counted.is_empty() || own().any(|frame| is_anonymous(&stable_file(&frame.file))) {
        counted.push(normalised(message));
    }
    [vec![kind.to_owned()], counted].concat()
}

/// The number of an error of React's production build, which stands for its message.
fn minified(message: &str) -> Option<&str> {
    let (_, rest) = message.split_once("Minified React error #")?;
    let number = rest.split(|letter: char| !letter.is_ascii_digit()).next()?;
    (!number.is_empty()).then_some(number)
}

fn hashed(parts: &[String]) -> String {
    let digest = Sha256::digest(parts.join("\n"));
    let start = digest.first_chunk::<16>().copied().unwrap_or_default();
    format!("{VERSION}:{}", hexadecimal(&start))
}

fn title(kind: &str, message: &str) -> String {
    let line = message.lines().next().unwrap_or_default().trim();
    let title = if line.is_empty() {
        kind.to_owned()
    } else if line.starts_with(kind) || kind == "Error" && !line.is_empty() {
        line.to_owned()
    } else {
        format!("{kind}: {line}")
    };
    title.chars().take(200).collect()
}

/// A place in the code, without what a build makes anew.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Frame {
    /// Its file, as it was sent.
    file: String,
    /// What tells it apart: the function with the file, both without hashes.
    name: String,
    in_app: bool,
}

fn frames(detail: &Map<String, Value>) -> Vec<Frame> {
    let frames = detail.get("frames").and_then(Value::as_array);
    let frames: Vec<_> = frames.into_iter().flatten().filter_map(frame).collect();
    if frames.is_empty() {
        return of_stack(text(detail, "stack"));
    }
    frames
}

fn frame(value: &Value) -> Option<Frame> {
    let said = |name: &str| value[name].as_str().unwrap_or_default();
    let file = [said("filename"), said("abs_path"), said("module")]
        .into_iter()
        .find(|file| !file.is_empty())?
        .to_owned();
    let in_app = value["in_app"]
        .as_bool()
        .unwrap_or_else(|| is_of_app(&file));
    Some(Frame {
        name: named(said("function"), &file),
        file,
        in_app,
    })
}

/// The frames of a stack as browsers and Node write it, turned around: the place where it
/// happened comes last.
fn of_stack(stack: &str) -> Vec<Frame> {
    static LINE: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r"^\s*(?:at\s+)?(?:async\s+)?(?P<function>[^\s(@]*?)\s*[(@]?(?P<file>[^\s()@]+?)(?::\d+){1,2}\)?$").ok()
    });
    let Some(line) = LINE.as_ref() else {
        return Vec::new();
    };
    let mut frames: Vec<_> = stack
        .lines()
        .take(50)
        .filter_map(|text| line.captures(text))
        .map(|found| {
            let file = found["file"].to_owned();
            Frame {
                name: named(&found["function"], &file),
                in_app: is_of_app(&file),
                file,
            }
        })
        .collect();
    frames.reverse();
    frames
}

/// A function in a file, both without what a build makes anew. A minified name of a letter or
/// two says nothing.
fn named(function: &str, file: &str) -> String {
    let function = function.rsplit(['.', '/']).next().unwrap_or_default();
    let function = if function.len() <= 2 || function == "<anonymous>" {
        ""
    } else {
        function
    };
    let file = stable_file(file);
    match (function, file.as_str()) {
        (function, file) if is_anonymous(file) => function.to_owned(),
        (function, file) => format!("{function} {file}").trim().to_owned(),
    }
}

/// A file's path without its origin, query, build id and hashes.
fn stable_file(file: &str) -> String {
    static HASHES: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r"[.-]?\b[0-9a-f]{8,64}\b|(?:_next/static/)[A-Za-z0-9_-]{15,}/").ok()
    });
    let file = file.split(['?', '#']).next().unwrap_or_default();
    let path = file.split_once("://").map_or(file, |(_, rest)| {
        rest.find('/').map_or("", |at| &rest[at..])
    });
    let path = path.trim_start_matches("webpack-internal:///");
    if let Some(path) = without_turbopack_hash(path) {
        return path;
    }
    HASHES.as_ref().map_or_else(
        || path.to_owned(),
        |hashes| hashes.replace_all(path, "*").into_owned(),
    )
}

/// The path of a chunk as Turbopack names it, without the hash of its content, with which
/// the name ends and which may be all of it.
fn without_turbopack_hash(path: &str) -> Option<String> {
    const LENGTH: usize = 13;
    let (folder, name) = path.rsplit_once('/')?;
    let name = name
        .strip_suffix(".js")
        .filter(|_| folder.contains("/chunks"))?;
    let name = name.strip_suffix("._").unwrap_or(name);
    let (before, hash) = name.split_at_checked(name.len().checked_sub(LENGTH)?)?;
    let is_hash = hash.starts_with(['0', '1', '2', '3'])
        && hash
            .bytes()
            .all(|letter| matches!(letter, b'0'..=b'9' | b'a'..=b'z' | b'_' | b'~' | b'-'));
    let is_whole = before.is_empty() || before.ends_with(['_', '-']);
    (is_hash && is_whole).then(|| format!("{folder}/{before}*"))
}

/// Whether a file's stable name says nothing: many chunks have the same.
fn is_anonymous(file: &str) -> bool {
    let name = file.rsplit('/').next().unwrap_or_default();
    let name = name.trim_end_matches(".js");
    let rest = name.trim_matches(['*', '_', '-', '.']);
    name.is_empty()
        || name.contains('*') && matches!(rest, "" | "[root-of-the-server]" | "turbopack")
}

fn is_of_app(file: &str) -> bool {
    !(file.contains("node_modules")
        || file.starts_with("node:")
        || file.starts_with("internal/")
        || file.starts_with('<')
        || is_of_extension(file))
}

fn is_of_extension(file: &str) -> bool {
    const SCHEMES: [&str; 5] = [
        "chrome-extension:",
        "moz-extension:",
        "safari-extension:",
        "safari-web-extension:",
        "webkit-masked-url:",
    ];
    SCHEMES.iter().any(|scheme| file.starts_with(scheme))
}

/// Where it happened: the last frame of the app that has a name, else the route, else nothing.
fn place(frames: &[Frame], detail: &Map<String, Value>) -> String {
    let own = frames
        .iter()
        .rev()
        .find(|frame| frame.in_app && !frame.name.is_empty());
    let place = own.map_or_else(
        || text(detail, "transaction").to_owned(),
        |frame| frame.name.clone(),
    );
    place.chars().take(200).collect()
}

fn explicit(detail: &Map<String, Value>) -> Option<Vec<String>> {
    let parts = detail.get("fingerprint")?.as_array()?;
    let parts: Vec<_> = parts
        .iter()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect();
    let says_more = parts.iter().any(|part| part != "{{ default }}");
    (says_more && !parts.is_empty()).then_some(parts)
}

fn text<'a>(detail: &'a Map<String, Value>, name: &str) -> &'a str {
    detail.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// A message without what differs from one error to the next.
fn normalised(message: &str) -> String {
    static VARIABLE: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(
            r#"(?x)
            [a-z][a-z0-9+.-]*://[^\s"')]+                                   # a URL
            | [\w.%+-]+@[\w.-]+\.\w+                                        # an address of mail
            | \b[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\b      # a uuid
            | \b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b                          # an address
            | \b\d{4}-\d\d-\d\d[T\ ]\d\d:\d\d(?::\d\d)?(?:\.\d+)?Z?         # a time
            | \b(?:0x)?[0-9a-fA-F]{8,}\b                                    # a hash
            | "[^"]*" | '[^']*' | `[^`]*`                                   # what is quoted
            | [-+]?\b\d+(?:\.\d+)?(?:e[-+]?\d+)?\b                          # a number
            "#,
        )
        .ok()
    });
    let line: String = message.chars().take(1_000).collect();
    VARIABLE.as_ref().map_or_else(
        || line.clone(),
        |variable| variable.replace_all(&line, "*").into_owned(),
    )
}

#[cfg(test)]
mod tests;
