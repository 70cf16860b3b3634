//! Env files: what a shell would make of one by sourcing it, and nothing that a
//! shell would have to run for it.
//!
//! Where a shell would do something else than assign (run a command, expand a
//! variable that is not set), reading fails and says so: a value that silently
//! differs from what the shell sees is worse than none.

use std::{collections::BTreeMap, iter::Peekable, path::Path, str::Chars};

use crate::failure::Misuse;

/// Variables by name.
pub type Variables = BTreeMap<String, String>;

/// Why a file cannot be read. Never carries a value, which may be a secret.
#[derive(Debug, PartialEq, Eq)]
pub struct SyntaxError {
    /// The line, counted from one.
    pub line: usize,
    /// What is wrong there.
    pub reason: String,
}

impl std::fmt::Display for SyntaxError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "line {}: {}", self.line, self.reason)
    }
}

impl std::error::Error for SyntaxError {}

/// Reads a file that somebody named.
///
/// # Errors
/// [`Misuse`] if it cannot be read, or is no env file.
pub fn read(path: &Path) -> Result<Variables, Misuse> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| Misuse(format!("cannot read {}: {error}", path.display())))?;
    parse(&text).map_err(|error| Misuse(format!("{}, {error}", path.display())))
}

/// Reads a file's text. A name that is assigned twice keeps its last value.
///
/// # Errors
/// [`SyntaxError`] at the first line that is not a plain assignment.
pub fn parse(text: &str) -> Result<Variables, SyntaxError> {
    let text = text
        .strip_prefix('\u{feff}')
        .unwrap_or(text)
        .replace("\r\n", "\n");
    let mut reader = Reader {
        rest: text.chars().peekable(),
        line: 1,
    };
    let mut variables = Variables::new();
    while reader.skip_to_statement() {
        let name = reader.name()?;
        let value = reader.value(&variables)?;
        reader.end()?;
        variables.insert(name, value);
    }
    Ok(variables)
}

/// One line of an env file that a shell reads back as that value.
#[must_use]
pub fn assignment(name: &str, value: &str) -> String {
    format!("{name}='{}'\n", value.replace('\'', r"'\''"))
}

struct Reader<'a> {
    rest: Peekable<Chars<'a>>,
    line: usize,
}

impl Reader<'_> {
    fn next(&mut self) -> Option<char> {
        let next = self.rest.next();
        if next == Some('\n') {
            self.line += 1;
        }
        next
    }

    fn peek(&mut self) -> Option<char> {
        self.rest.peek().copied()
    }

    fn wrong<T>(&self, reason: impl Into<String>) -> Result<T, SyntaxError> {
        Err(SyntaxError {
            line: self.line,
            reason: reason.into(),
        })
    }

    /// Passes blanks, empty lines and comments; false at the end of the text.
    fn skip_to_statement(&mut self) -> bool {
        loop {
            match self.peek() {
                None => return false,
                Some('#') => self.skip_comment(),
                Some(blank) if blank.is_ascii_whitespace() => {
                    self.next();
                }
                Some(_) => return true,
            }
        }
    }

    fn skip_comment(&mut self) {
        while self.peek().is_some_and(|character| character != '\n') {
            self.next();
        }
    }

    fn skip_blanks(&mut self) -> bool {
        let mut skipped = false;
        while matches!(self.peek(), Some(' ' | '\t')) {
            self.next();
            skipped = true;
        }
        skipped
    }

    fn word(&mut self) -> String {
        let mut word = String::new();
        while let Some(character) = self.peek() {
            if !(character.is_ascii_alphanumeric() || character == '_') {
                break;
            }
            word.push(character);
            self.next();
        }
        word
    }

    /// A name and the `=` that follows it without a blank.
    fn name(&mut self) -> Result<String, SyntaxError> {
        let mut name = self.word();
        if name == "export" && self.skip_blanks() {
            name = self.word();
        }
        if name.is_empty() || name.starts_with(|first: char| first.is_ascii_digit()) {
            return self.wrong("expected NAME=value");
        }
        if self.peek() != Some('=') {
            return self.wrong(format!("expected `=` right after {name}"));
        }
        self.next();
        Ok(name)
    }

    /// Pieces that stand together, each quoted in its own way.
    fn value(&mut self, known: &Variables) -> Result<String, SyntaxError> {
        let mut value = String::new();
        while let Some(character) = self.peek() {
            match character {
                ' ' | '\t' | '\n' => break,
                '\'' => self.single_quoted(&mut value)?,
                '"' => self.double_quoted(&mut value, known)?,
                '$' => self.expansion(&mut value, known)?,
                '\\' => {
                    self.next();
                    match self.next() {
                        // A line that goes on in the next.
                        Some('\n') | None => {}
                        Some(escaped) => value.push(escaped),
                    }
                }
                '`' | '&' | '|' | ';' | '<' | '>' | '(' | ')' => {
                    return self.wrong(format!(
                        "`{character}` needs single quotes around the value"
                    ));
                }
                plain => {
                    value.push(plain);
                    self.next();
                }
            }
        }
        Ok(value)
    }

    fn single_quoted(&mut self, value: &mut String) -> Result<(), SyntaxError> {
        let opened = self.line;
        self.next();
        loop {
            match self.next() {
                Some('\'') => return Ok(()),
                Some(character) => value.push(character),
                None => return unclosed(opened),
            }
        }
    }

    fn double_quoted(&mut self, value: &mut String, known: &Variables) -> Result<(), SyntaxError> {
        let opened = self.line;
        self.next();
        loop {
            match self.peek() {
                Some('"') => {
                    self.next();
                    return Ok(());
                }
                Some('$') => self.expansion(value, known)?,
                Some('`') => return self.wrong("a command cannot be run here; use single quotes"),
                Some('\\') => {
                    self.next();
                    match self.next() {
                        Some('\n') => {}
                        Some(escaped @ ('"' | '\\' | '$' | '`')) => value.push(escaped),
                        Some(other) => value.extend(['\\', other]),
                        None => return unclosed(opened),
                    }
                }
                Some(character) => {
                    value.push(character);
                    self.next();
                }
                None => return unclosed(opened),
            }
        }
    }

    /// `$NAME` or `${NAME}` of a variable that the file has assigned before.
    fn expansion(&mut self, value: &mut String, known: &Variables) -> Result<(), SyntaxError> {
        self.next();
        let braced = self.peek() == Some('{');
        if braced {
            self.next();
        }
        let name = self.word();
        if name.is_empty() || (braced && self.next() != Some('}')) {
            return self
                .wrong("only $NAME and ${NAME} are expanded; use single quotes for a dollar");
        }
        let Some(found) = known.get(&name) else {
            return self.wrong(format!(
                "${name} is not assigned above; use single quotes for a dollar"
            ));
        };
        value.push_str(found);
        Ok(())
    }

    /// Nothing but a comment may follow a value on its line: a shell would run
    /// it as a command.
    fn end(&mut self) -> Result<(), SyntaxError> {
        self.skip_blanks();
        match self.peek() {
            None | Some('\n' | '#') => Ok(()),
            Some(_) => self.wrong("a value with blanks needs quotes"),
        }
    }
}

fn unclosed<T>(line: usize) -> Result<T, SyntaxError> {
    Err(SyntaxError {
        line,
        reason: "a quote is opened and never closed".into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[(&str, &str)]) {
        let expected: Variables = expected
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        assert_eq!(parse(text), Ok(expected), "{text}");
    }

    #[test]
    fn a_file_is_read_as_a_shell_sources_it() {
        check("", &[]);
        check("# nothing\n\n  # here\n", &[]);
        check("A=b", &[("A", "b")]);
        check("A=\nB=c\n", &[("A", ""), ("B", "c")]);
        check("A=1\nA=2\n", &[("A", "2")]);
        check("export A=b # comment\r\nB=c\r\n", &[("A", "b"), ("B", "c")]);
        check("A=b#c", &[("A", "b#c")]);
        check("A='a b # $c \\n \"d\"'", &[("A", "a b # $c \\n \"d\"")]);
        check(
            r#"A="a 'b' \"c\" \$d \\ \n""#,
            &[("A", r#"a 'b' "c" $d \ \n"#)],
        );
        check(r"A='it'\''s'", &[("A", "it's")]);
        check(r"A=a\ b", &[("A", "a b")]);
        check("A=a'b'\"c\"d", &[("A", "abcd")]);
        check("A='one\ntwo'\nB=c", &[("A", "one\ntwo"), ("B", "c")]);
        check(
            "A=x\nB=\"$A/${A}y\"\nC=$B",
            &[("A", "x"), ("B", "x/xy"), ("C", "x/xy")],
        );
        check("A=https://x/?y=1", &[("A", "https://x/?y=1")]);
        check("\u{feff}A=b", &[("A", "b")]);
    }

    #[test]
    fn what_a_shell_would_run_is_refused_with_its_line() {
        for (text, line) in [
            ("A=b\nnonsense", 2),
            ("A = b", 1),
            ("1A=b", 1),
            ("A=b c", 1),
            ("A=$(id)", 1),
            ("A=`id`", 1),
            ("A=\"`id`\"", 1),
            ("A=x&y=1", 1),
            ("A=$UNKNOWN", 1),
            ("\nA=\"${B:-c}\"", 2),
            ("\nA='open\n\n", 2),
            ("A=\"open", 1),
        ] {
            assert_eq!(parse(text).map_err(|error| error.line), Err(line), "{text}");
        }
    }

    #[test]
    fn an_error_never_repeats_a_value() {
        for text in [
            "KEY=sb_secret_abc def",
            "KEY=\"sb_secret_abc",
            "KEY=sb_secret_abc&x",
        ] {
            let error = parse(text).unwrap_err().to_string();
            assert!(!error.contains("sb_secret"), "{error}");
        }
    }

    #[test]
    fn what_is_written_is_read_back() {
        for value in [
            "",
            "plain",
            "a b",
            "it's",
            "'",
            "$HOME `id` \"x\" \\",
            "one\ntwo",
            "#",
        ] {
            check(&assignment("A", value), &[("A", value)]);
        }
    }
}
