//! What a command says: results on standard output, everything else on standard
//! error, so that a script reads nothing but results.

use std::io::Write;

use serde_json::Value;

/// Where a command's words go.
#[derive(Debug, Clone, Copy)]
pub struct Output {
    /// Results as one JSON document a line instead of text.
    pub json: bool,
}

impl Output {
    /// A result, in the form that was asked for.
    pub fn result(self, json: &Value, text: &str) {
        let mut stdout = std::io::stdout().lock();
        // A reader that has gone away wants no more words.
        let _ = if self.json {
            writeln!(stdout, "{json}")
        } else {
            writeln!(stdout, "{}", text.trim_end())
        };
        let _ = stdout.flush();
    }
}

/// Says something that a person should know, and no script.
pub fn note(text: &str) {
    // Whoever closed standard error wants to know nothing.
    let _ = writeln!(std::io::stderr().lock(), "{}", text.trim_end());
}

/// Rows below a heading, in columns as wide as they have to be.
pub fn table<const N: usize>(heading: [&str; N], rows: &[[String; N]]) -> String {
    let mut widths = heading.map(width);
    for row in rows {
        for (widest, cell) in widths.iter_mut().zip(row) {
            *widest = (*widest).max(width(cell));
        }
    }
    let heading = heading.map(str::to_uppercase);
    let lines = std::iter::once(&heading).chain(rows).map(|row| {
        let cells = row.iter().zip(widths).map(|(cell, widest)| {
            format!("{cell}{}", " ".repeat(widest.saturating_sub(width(cell))))
        });
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn width(text: &str) -> usize {
    text.chars().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = [
            ["a".into(), "ünï".into(), String::new()],
            ["long".into(), "x".into(), "y".into()],
        ];
        assert_eq!(
            table(["key", "to", "end"], &rows),
            "KEY   TO   END\na     ünï\nlong  x    y"
        );
    }
}
