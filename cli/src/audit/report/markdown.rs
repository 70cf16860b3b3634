//! Reports as Markdown.

use std::fmt::Write;

/// A report that is being written.
#[derive(Debug)]
pub(crate) struct Document(String);

impl Document {
    /// Begins it with its title and what it is about.
    pub(crate) fn new(title: &str, about: &str) -> Self {
        Self(format!("# {title}\n\n{about}\n"))
    }

    /// Adds a section.
    pub(crate) fn section(&mut self, title: &str, body: &str) {
        let _ = write!(self.0, "\n## {title}\n\n{}\n", body.trim_end());
    }

    /// The whole.
    pub(crate) fn text(self) -> String {
        self.0
    }
}

/// A table, or a word where it has no row.
pub(crate) fn table<const N: usize>(
    heading: [&str; N],
    rows: impl IntoIterator<Item = [String; N]>,
) -> String {
    let rows: Vec<String> = rows
        .into_iter()
        .map(|cells| {
            let cells = cells.map(|cell| cell.replace('|', "\\|").replace('\n', " "));
            format!("| {} |\n", cells.join(" | "))
        })
        .collect();
    if rows.is_empty() {
        return "None.\n".to_owned();
    }
    let rule = "| --- ".repeat(N);
    format!("| {} |\n{rule}|\n{}", heading.join(" | "), rows.concat())
}

/// A list of sentences, or a word where there are none.
pub(crate) fn list(sentences: impl IntoIterator<Item = String>) -> String {
    let lines: Vec<_> = sentences
        .into_iter()
        .map(|sentence| format!("- {sentence}\n"))
        .collect();
    if lines.is_empty() {
        return "None.\n".to_owned();
    }
    lines.concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_escapes_what_would_end_a_cell_and_says_where_it_is_empty() {
        let rows = [["a|b\nc".to_owned(), "d".to_owned()]];
        assert_eq!(
            table(["x", "y"], rows),
            "| x | y |\n| --- | --- |\n| a\\|b c | d |\n"
        );
        assert_eq!(table(["x"], []), "None.\n");
        assert_eq!(list([]), "None.\n");
        assert_eq!(list(["a".to_owned()]), "- a\n");
    }
}
