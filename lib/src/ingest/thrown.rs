//! What was thrown, where all that came is the text of a log.

/// The text of an error as runtimes print it, taken apart.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Thrown<'a> {
    /// `TypeError`, say; `Error` where the text does not tell.
    pub(super) name: &'a str,
    /// The rest of the line that has it.
    pub(super) message: &'a str,
    /// The lines after it, if there are any.
    pub(super) stack: Option<&'a str>,
}

/// Takes such a text apart.
pub(super) fn read(text: &str) -> Thrown<'_> {
    let text = text.trim();
    let (line, rest) = text.split_once('\n').unwrap_or((text, ""));
    let (name, message) = named(line).unwrap_or(("Error", line));
    let rest = rest.trim_end();
    Thrown {
        name,
        message: message.trim(),
        stack: (!rest.trim().is_empty()).then_some(rest),
    }
}

/// The last word before a colon that names an error, and what follows the colon: words of
/// the runtime stand before it, such as `Uncaught` or `Unhandled Rejection:`.
fn named(line: &str) -> Option<(&str, &str)> {
    let mut from = 0;
    while let Some(colon) = line.get(from..)?.find(": ") {
        let at = from + colon;
        let before = &line[from..at];
        let word = before.rsplit([' ', '(', '[']).next().unwrap_or_default();
        if is_name(word) {
            return Some((word, &line[at + 2..]));
        }
        from = at + 2;
    }
    None
}

fn is_name(word: &str) -> bool {
    let ending = ["Error", "Exception", "Rejection"];
    word.len() <= 80
        && word.starts_with(|letter: char| letter.is_ascii_uppercase())
        && ending.iter().any(|ending| word.ends_with(ending))
        && word != "Rejection"
        && word
            .bytes()
            .all(|letter| letter.is_ascii_alphanumeric() || b"_.$".contains(&letter))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_that_names_an_error_is_found() {
        for (text, name, message, stack) in [
            (
                "TypeError: x is not a function\n    at load (app.js:1:2)\n",
                "TypeError",
                "x is not a function",
                Some("    at load (app.js:1:2)"),
            ),
            ("Uncaught RangeError: a: b", "RangeError", "a: b", None),
            (
                "Unhandled Rejection: PostgrestError: no row",
                "PostgrestError",
                "no row",
                None,
            ),
            ("cellar: no wine", "Error", "cellar: no wine", None),
            ("", "Error", "", None),
            (": ", "Error", ":", None),
            ("é: Ü: Error: ", "Error", "é: Ü: Error:", None),
        ] {
            let expected = Thrown {
                name,
                message,
                stack,
            };
            assert_eq!(read(text), expected, "{text}");
        }
    }
}
