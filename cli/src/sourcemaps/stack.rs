//! The frames of an error, in whichever form its client sent them; the place where it
//! happened comes first.

use serde_json::Value;
use uuid::Uuid;

use super::names;

/// How many frames of an error are looked at.
const FRAMES: usize = 50;

/// A line of a stack.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Frame {
    /// As it was sent.
    pub(super) said: String,
    /// The function; empty where nobody knows.
    pub(super) function: String,
    /// Where in a built file it is; none of what no build made.
    pub(super) place: Option<BuiltPlace>,
}

/// A place in a built file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct BuiltPlace {
    /// The name by which the file is known.
    pub(super) file: String,
    /// The id that the build gave the file.
    pub(super) debug_id: Option<Uuid>,
    /// Both begin with 1.
    pub(super) line: u32,
    pub(super) column: u32,
}

/// The frames among the details of an error.
pub(super) fn of_detail(detail: &Value) -> Vec<Frame> {
    let frames = detail["frames"].as_array();
    if let Some(frames) = frames.filter(|frames| !frames.is_empty()) {
        let frames = frames.iter().rev().take(FRAMES);
        return frames.map(|frame| sent(frame, detail)).collect();
    }
    let stack = detail["stack"].as_str().unwrap_or_default();
    stack
        .lines()
        .take(FRAMES)
        .map(|line| of_line(line, detail))
        .collect()
}

fn sent(frame: &Value, detail: &Value) -> Frame {
    let file = frame["filename"].as_str().unwrap_or("?");
    let function = frame["function"].as_str().unwrap_or_default();
    let number = |name: &str| {
        frame[name]
            .as_u64()
            .and_then(|number| u32::try_from(number).ok())
    };
    let (line, column) = (number("lineno"), number("colno"));
    let place = match (line, column) {
        (Some(line), Some(column)) => format!(":{line}:{column}"),
        (Some(line), None) => format!(":{line}"),
        (None, _) => String::new(),
    };
    let shown = if function.is_empty() { "?" } else { function };
    Frame {
        said: format!("at {shown} ({file}{place})"),
        function: function.to_owned(),
        place: line
            .zip(column)
            .and_then(|place| built(file, place, detail)),
    }
}

/// A line as V8 writes it (`at f (file:1:2)`), or other engines do (`f@file:1:2`).
fn of_line(line: &str, detail: &Value) -> Frame {
    let said = line.trim();
    let (function, place) = taken_apart(said).unwrap_or_default();
    let place = numbered(place).and_then(|(file, place)| built(file, place, detail));
    Frame {
        said: said.to_owned(),
        function: function.to_owned(),
        place,
    }
}

fn taken_apart(said: &str) -> Option<(&str, &str)> {
    let Some(v8) = said.strip_prefix("at ") else {
        return said.split_once('@');
    };
    let v8 = v8.strip_prefix("async ").unwrap_or(v8);
    match v8
        .strip_suffix(')')
        .and_then(|inner| inner.rsplit_once(" ("))
    {
        Some(named) => Some(named),
        None => Some(("", v8)),
    }
}

fn numbered(place: &str) -> Option<(&str, (u32, u32))> {
    let (rest, column) = place.rsplit_once(':')?;
    let (file, line) = rest.rsplit_once(':')?;
    Some((file, (line.parse().ok()?, column.parse().ok()?)))
}

fn built(file: &str, (line, column): (u32, u32), detail: &Value) -> Option<BuiltPlace> {
    let name = names::of_built(file)?;
    let ids = detail["debug_ids"].as_array().into_iter().flatten();
    let mut ids = ids.filter(|image| {
        let of = image["code_file"].as_str().and_then(names::of_built);
        of.as_ref() == Some(&name)
    });
    let debug_id = ids.next().and_then(|image| image["debug_id"].as_str());
    Some(BuiltPlace {
        debug_id: debug_id.and_then(|id| Uuid::parse_str(id).ok()),
        file: name,
        line,
        column,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ID: &str = "17531e93-d729-ba58-dffc-cc88bcc7a8b9";

    fn place(file: &str, line: u32, column: u32, id: Option<&str>) -> BuiltPlace {
        BuiltPlace {
            file: file.to_owned(),
            debug_id: id.map(|id| id.parse().unwrap()),
            line,
            column,
        }
    }

    #[test]
    fn frames_of_a_client_have_the_ids_of_their_files() {
        let file = "https://wine.example/_next/static/a.js";
        let detail = json!({
            "frames": [
                {"function": "load", "filename": "node:internal/x", "lineno": 1, "colno": 1},
                {"filename": file, "lineno": 1, "colno": 2_345},
                {"function": "a", "filename": file, "lineno": 1},
                {"function": "b"},
                {"function": "c", "filename": file, "lineno": -1, "colno": 1e300},
            ],
            "debug_ids": [7, {"debug_id": "odd", "code_file": "/other.js"},
                          {"debug_id": ID, "code_file": "app:///_next/static/a.js"}],
        });
        let frames = of_detail(&detail);
        let said: Vec<_> = frames.iter().map(|frame| frame.said.as_str()).collect();
        assert_eq!(
            said,
            [
                &format!("at c ({file})"),
                "at b (?)",
                &format!("at a ({file}:1)"),
                &format!("at ? ({file}:1:2345)"),
                "at load (node:internal/x:1:1)",
            ]
        );
        let places: Vec<_> = frames.into_iter().filter_map(|frame| frame.place).collect();
        assert_eq!(
            places.first(),
            Some(&place("~/_next/static/a.js", 1, 2_345, Some(ID)))
        );
        assert_eq!(places.len(), 1);
    }

    #[test]
    fn lines_of_a_stack_are_read_as_engines_write_them() {
        let file = "~/_next/static/a.js";
        for (line, function, expected) in [
            (
                "    at load (https://h/_next/static/a.js:1:2)",
                "load",
                Some(place(file, 1, 2, None)),
            ),
            (
                "at async Object.load (/var/task/.next/static/a.js:1:2)",
                "Object.load",
                Some(place(file, 1, 2, None)),
            ),
            (
                "at https://h/(shop)/a.js:1:2",
                "",
                Some(place("~/(shop)/a.js", 1, 2, None)),
            ),
            (
                "load@https://h/_next/static/a.js:1:2",
                "load",
                Some(place(file, 1, 2, None)),
            ),
            (
                "@https://h/_next/static/a.js:1:2",
                "",
                Some(place(file, 1, 2, None)),
            ),
            ("at Array.map (<anonymous>)", "Array.map", None),
            ("at node:internal/process/task_queues:95:5", "", None),
            ("TypeError: see http://x:1:2", "", None),
            ("at x (https://h/a.js:99999999999:1)", "x", None),
            ("", "", None),
            ("at ", "", None),
        ] {
            let detail = json!({ "stack": line });
            let frame = of_detail(&detail).into_iter().next().unwrap_or(Frame {
                said: String::new(),
                function: String::new(),
                place: None,
            });
            assert_eq!(
                (frame.function.as_str(), frame.place, frame.said.as_str()),
                (function, expected, line.trim()),
                "{line}"
            );
        }
        for odd in [json!(null), json!({"stack": 7}), json!({"frames": [7]})] {
            assert!(of_detail(&odd).iter().all(|frame| frame.place.is_none()));
        }
    }
}
