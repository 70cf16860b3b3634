//! Commands as documents and examples write them, held against the grammar.

use clap::{CommandFactory, error::ErrorKind};

use crate::arguments::Arguments;

/// The words that a shell makes of a line, as far as one command goes: until it is piped,
/// redirected, followed by another one or explained. Variables stay as they are written.
pub(crate) fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote: Option<char> = None;
    for letter in line.chars() {
        match (quote, letter) {
            (Some(open), _) if open == letter => quote = None,
            (None, '\'' | '"') => {
                quote = Some(letter);
                word.get_or_insert_default();
            }
            (None, '|' | '>' | ';' | '&') => break,
            (None, '#' | ')') if word.is_none() => break,
            (None, ' ') => words.extend(word.take()),
            _ => word.get_or_insert_default().push(letter),
        }
    }
    words.extend(word);
    words
}

/// Whether the grammar takes such words, and if not, what it says.
pub(crate) fn understood(words: &[String]) -> Result<(), String> {
    match Arguments::command().try_get_matches_from(words) {
        Err(error)
            if !matches!(
                error.kind(),
                ErrorKind::DisplayHelp | ErrorKind::DisplayVersion
            ) =>
        {
            Err(error.to_string())
        }
        _ => Ok(()),
    }
}

#[test]
fn a_line_is_read_as_far_as_its_first_command_goes() {
    for (line, expected) in [
        ("a b  c", vec!["a", "b", "c"]),
        ("a 'b c' \"d\" # e", vec!["a", "b c", "d"]),
        ("a x='b c' | d", vec!["a", "x=b c"]),
        ("a ''", vec!["a", ""]),
        ("a > b", vec!["a"]),
        ("a b#c", vec!["a", "b#c"]),
    ] {
        assert_eq!(words(line), expected, "{line}");
    }
}
