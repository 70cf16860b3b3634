//! The line below a page's title: its version, who keeps it, and when it is read again. Pages
//! that somebody writes have it already; a page that is made of the code gets it here.

/// When somebody last held the generated pages against what there is, and will again.
const HEADER: &str =
    "*Version 1.0 · Owner: engineering team · Last review 2026-11-30 · Next review 2027-02-28*";

/// A page with that line below its title.
pub(super) fn below_title(page: &str) -> String {
    let (title, rest) = page.split_once('\n').unwrap_or((page, ""));
    format!("{title}\n\n{HEADER}\n{rest}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_stands_between_title_and_text() {
        assert_eq!(
            below_title("# Title\n\nText\n"),
            format!("# Title\n\n{HEADER}\n\nText\n")
        );
    }
}
