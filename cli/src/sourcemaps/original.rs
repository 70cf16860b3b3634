//! A frame as somebody wrote it: its file, its function, and the lines around it.

use serde::Serialize;

use super::{names, source_map::Origin};

/// How many lines are shown before and after the one where it happened.
const AROUND: usize = 2;

/// How much of a line is shown, in characters.
const LINE: usize = 160;

/// Words that stand before the name of what is called.
const BEFORE_A_CALL: [&str; 7] = ["await", "new", "return", "throw", "void", "yield", "typeof"];

/// A place in a file as somebody wrote it. Both numbers begin with 1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Original {
    pub(crate) file: String,
    pub(crate) line: usize,
    pub(crate) column: usize,
    /// What the code around calls the function; null where nobody knows.
    pub(crate) function: Option<String>,
    /// The lines around it; empty where the map does not have the source.
    pub(crate) lines: Vec<SourceLine>,
    /// What is called there, by its name.
    #[serde(skip)]
    pub(crate) calls: Option<String>,
}

/// A line of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct SourceLine {
    pub(crate) number: usize,
    pub(crate) text: String,
}

impl Original {
    pub(super) fn of(origin: &Origin<'_>) -> Self {
        let line = usize::try_from(origin.place.line).unwrap_or(usize::MAX);
        let column = usize::try_from(origin.place.column).unwrap_or(usize::MAX);
        let here = origin.text.and_then(|text| text.lines().nth(line));
        let calls = here.and_then(|text| called(text, column));
        Self {
            file: names::of_source(&origin.source),
            line: line.saturating_add(1),
            column: column.saturating_add(1),
            function: None,
            lines: origin.text.map_or_else(Vec::new, |text| around(text, line)),
            calls: calls.or_else(|| origin.name.map(str::to_owned)),
        }
    }

    /// Whether somebody of the app wrote it.
    pub(crate) fn is_own(&self) -> bool {
        !self.file.contains("node_modules/")
    }
}

fn around(text: &str, line: usize) -> Vec<SourceLine> {
    let first = line.saturating_sub(AROUND);
    let count = line - first + AROUND + 1;
    let lines = text.lines().enumerate().skip(first).take(count);
    let lines = lines.map(|(nth, text)| SourceLine {
        number: nth + 1,
        text: text.trim_end().chars().take(LINE).collect(),
    });
    let lines: Vec<_> = lines.collect();
    // A map of another build may name a line that the source does not have.
    if lines.iter().any(|shown| shown.number == line + 1) {
        lines
    } else {
        Vec::new()
    }
}

/// The name of what a line calls at a column, which counts units of UTF-16.
fn called(line: &str, column: usize) -> Option<String> {
    let mut units = 0;
    let start = line.char_indices().find(|(_, letter)| {
        let is_there = units >= column;
        units += letter.len_utf16();
        is_there
    });
    let mut rest = line.get(start?.0..)?;
    loop {
        let is_part = |letter: char| letter.is_alphanumeric() || matches!(letter, '_' | '$' | '.');
        let end = rest.find(|letter| !is_part(letter)).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        if BEFORE_A_CALL.contains(&word) {
            rest = after.trim_start();
            continue;
        }
        let name = word.rsplit('.').next().unwrap_or_default();
        let is_name = name.starts_with(|letter: char| !letter.is_ascii_digit());
        return (is_name && after.starts_with('(')).then(|| name.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sourcemaps::mappings::Place;

    fn original(line: u32, column: u32, text: Option<&str>, name: Option<&str>) -> Original {
        Original::of(&Origin {
            source: "webpack://_N_E/./src/a.ts".to_owned(),
            place: Place { line, column },
            name,
            text,
        })
    }

    #[test]
    fn a_place_is_shown_with_the_lines_around_it() {
        let text = "one\r\n\ttwo  \nthree\nfour\nfive\nsix";
        let shown = original(1, 1, Some(text), None);
        assert_eq!((shown.line, shown.column), (2, 2));
        assert_eq!(shown.file, "src/a.ts");
        let lines: Vec<_> = shown
            .lines
            .iter()
            .map(|line| (line.number, line.text.as_str()))
            .collect();
        assert_eq!(lines, [(1, "one"), (2, "\ttwo"), (3, "three"), (4, "four")]);
        for (line, text) in [
            (9, Some(text)),
            (u32::MAX, Some(text)),
            (0, None),
            (0, Some("")),
        ] {
            assert_eq!(original(line, 0, text, None).lines, [], "{line}");
        }
        let long = "x".repeat(100_000);
        assert_eq!(original(0, 0, Some(&long), None).lines[0].text.len(), LINE);
    }

    #[test]
    fn what_a_place_calls_is_read_off_the_source_or_else_off_the_map() {
        for (line, column, expected) in [
            ("  return drinkWine(opened);", 9, Some("drinkWine")),
            ("  return drinkWine(opened);", 2, Some("drinkWine")),
            ("  await store.open (x);", 2, None),
            ("  await store.open(x);", 2, Some("open")),
            ("  await store.open(x);", 14, Some("open")),
            ("throw new TypeError('x');", 6, Some("TypeError")),
            ("  a.b = 7;", 2, None),
            ("'😀'; é(1)", 6, Some("é")),
            ("x", 900, None),
            ("7(1)", 0, None),
        ] {
            assert_eq!(called(line, column).as_deref(), expected, "{line}");
        }
        let of_map = original(0, 0, None, Some("addWine"));
        assert_eq!(of_map.calls.as_deref(), Some("addWine"));
    }
}
