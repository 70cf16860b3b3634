//! A place in a text that is being parsed.

use crate::gateway::error::ApiError;

/// Reads a text from left to right.
#[derive(Clone, Debug)]
pub(super) struct Cursor<'a> {
    text: &'a str,
    /// In bytes, always between two characters.
    position: usize,
}

/// Why a text could not be parsed.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Unexpected {
    /// The column, from 1.
    column: usize,
    found: Option<char>,
    expected: &'static str,
}

/// The result of a parsing step.
pub(super) type Parsed<T> = Result<T, Unexpected>;

impl Unexpected {
    /// The answer to a request with that text.
    pub(super) fn in_text(&self, what: &str, text: &str) -> ApiError {
        let found = self
            .found
            .map_or_else(|| "end of input".to_owned(), |found| format!("\"{found}\""));
        ApiError::bad_request(
            "PGRST100",
            format!(
                "\"failed to parse {what} ({text})\" (line 1, column {})",
                self.column
            ),
        )
        .details(format!("unexpected {found} expecting {}", self.expected))
    }
}

impl<'a> Cursor<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, position: 0 }
    }

    pub(super) fn rest(&self) -> &'a str {
        &self.text[self.position..]
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    pub(super) fn next(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.position += next.len_utf8();
        Some(next)
    }

    /// Passes over `token` if it comes next.
    pub(super) fn eat(&mut self, token: &str) -> bool {
        let found = self.rest().starts_with(token);
        if found {
            self.position += token.len();
        }
        found
    }

    /// Passes over `token`, which must come next.
    pub(super) fn expect(&mut self, token: &'static str) -> Parsed<()> {
        if self.eat(token) {
            Ok(())
        } else {
            Err(self.unexpected(token))
        }
    }

    /// Passes over all characters that `wanted` holds for.
    pub(super) fn take_while(&mut self, wanted: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let end = rest.find(|found| !wanted(found)).unwrap_or(rest.len());
        self.position += end;
        &rest[..end]
    }

    pub(super) fn skip_blanks(&mut self) {
        self.take_while(|found| found == ' ');
    }

    /// Everything that is left.
    pub(super) fn take_rest(&mut self) -> &'a str {
        self.take_while(|_| true)
    }

    /// The text must end here.
    pub(super) fn end(&self) -> Parsed<()> {
        match self.peek() {
            None => Ok(()),
            Some(_) => Err(self.unexpected("end of input")),
        }
    }

    /// What comes next is not what the grammar expects.
    pub(super) fn unexpected(&self, expected: &'static str) -> Unexpected {
        Unexpected {
            column: self.text[..self.position].chars().count() + 1,
            found: self.peek(),
            expected,
        }
    }

    /// Tries a step; where it fails, nothing has been passed over.
    pub(super) fn attempt<T>(&mut self, step: impl FnOnce(&mut Self) -> Parsed<T>) -> Option<T> {
        let before = self.position;
        let parsed = step(self).ok();
        if parsed.is_none() {
            self.position = before;
        }
        parsed
    }

    /// A text in double quotes, in which `\` escapes any character.
    pub(super) fn quoted(&mut self) -> Parsed<String> {
        self.expect("\"")?;
        let mut text = String::new();
        loop {
            match self.next() {
                Some('"') => return Ok(text),
                Some('\\') => match self.next() {
                    Some(escaped) => text.push(escaped),
                    None => return Err(self.unexpected("an escaped character")),
                },
                Some(other) => text.push(other),
                None => return Err(self.unexpected("a closing quote")),
            }
        }
    }

    /// One or more items with commas between them.
    pub(super) fn comma_list<T>(
        &mut self,
        mut item: impl FnMut(&mut Self) -> Parsed<T>,
    ) -> Parsed<Vec<T>> {
        let mut items = vec![item(self)?];
        while self.eat(",") {
            items.push(item(self)?);
        }
        Ok(items)
    }
}

/// Parses the whole of `text`, or says as PostgREST does where it failed.
pub(super) fn parse_whole<T>(
    what: &str,
    text: &str,
    parse: impl FnOnce(&mut Cursor<'_>) -> Parsed<T>,
) -> Result<T, ApiError> {
    let mut cursor = Cursor::new(text);
    parse(&mut cursor)
        .and_then(|parsed| cursor.end().map(|()| parsed))
        .map_err(|unexpected| unexpected.in_text(what, text))
}
