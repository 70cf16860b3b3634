//! Lines of fields, as manifests and inventories are written.
//!
//! A line is a kind and its fields with tabs between, ended by a newline. In a
//! field a backslash, a tab and a newline are written `\\`, `\t` and `\n`, as in
//! COPY text, and `\N` alone is a field without a value. There is one way to
//! write anything: a text that can be read is the text that would be written.

use std::{fmt::Display, iter::Peekable, str::FromStr};

use crate::hex;

use super::{FormatError, VERSION};

/// Writes lines.
pub(super) struct Writer {
    text: String,
    lines: usize,
}

impl Writer {
    /// Begins with the line that names the format and its version.
    pub(super) fn new(format: &str) -> Self {
        let mut writer = Self {
            text: String::new(),
            lines: 0,
        };
        writer.line(format, [&VERSION as &dyn Display]);
        writer
    }

    pub(super) fn line<const N: usize>(&mut self, kind: &str, fields: [&dyn Display; N]) {
        self.optional_line(kind, fields.map(Some));
    }

    pub(super) fn optional_line<const N: usize>(
        &mut self,
        kind: &str,
        fields: [Option<&dyn Display>; N],
    ) {
        self.text.push_str(kind);
        for field in fields {
            self.text.push('\t');
            match field {
                Some(value) => escape(&value.to_string(), &mut self.text),
                None => self.text.push_str("\\N"),
            }
        }
        self.text.push('\n');
        self.lines += 1;
    }

    /// Ends with the number of lines, so that a cut between two lines shows.
    pub(super) fn finish(mut self) -> Vec<u8> {
        let lines = self.lines + 1;
        self.line("end", [&lines]);
        self.text.into_bytes()
    }
}

fn escape(value: &str, text: &mut String) {
    for character in value.chars() {
        match character {
            '\\' => text.push_str("\\\\"),
            '\t' => text.push_str("\\t"),
            '\n' => text.push_str("\\n"),
            other => text.push(other),
        }
    }
}

/// Reads lines, kind by kind in the order in which they have to come.
pub(super) struct Reader<'a> {
    lines: Peekable<std::str::Split<'a, char>>,
    number: usize,
}

impl<'a> Reader<'a> {
    /// Checks the line that names the format and its version.
    pub(super) fn new(format: &str, bytes: &'a [u8]) -> Result<Self, FormatError> {
        let text = utf8(bytes)?;
        let mut reader = Self {
            lines: text.split('\n').peekable(),
            number: 0,
        };
        let [version] = reader.only(format)?;
        let version = version.text()?;
        if version != VERSION.to_string() {
            return Err(FormatError::Version(version));
        }
        Ok(reader)
    }

    /// The next line, which has to be of this kind.
    pub(super) fn only<const N: usize>(&mut self, kind: &str) -> Result<[Field; N], FormatError> {
        let missing = FormatError::Line {
            number: self.number + 1,
            reason: "an unknown kind of line, or one in the wrong place",
        };
        self.next_of(kind)?.ok_or(missing)
    }

    /// The next line if it is of this kind.
    pub(super) fn next_of<const N: usize>(
        &mut self,
        kind: &str,
    ) -> Result<Option<[Field; N]>, FormatError> {
        let is_next = |line: &&str| line.split('\t').next() == Some(kind);
        let Some(line) = self.lines.next_if(is_next) else {
            return Ok(None);
        };
        self.number += 1;
        let number = self.number;
        let fields: Vec<Field> = line
            .split('\t')
            .skip(1)
            .map(|field| Field::parse(number, field))
            .collect::<Result<_, _>>()?;
        let fields = fields.try_into().map_err(|_| FormatError::Line {
            number,
            reason: "it has too few or too many fields",
        })?;
        Ok(Some(fields))
    }

    /// All lines of this kind that follow.
    pub(super) fn all<const N: usize, T>(
        &mut self,
        kind: &str,
        mut read: impl FnMut([Field; N]) -> Result<T, FormatError>,
    ) -> Result<Vec<T>, FormatError> {
        let mut items = Vec::new();
        while let Some(fields) = self.next_of(kind)? {
            items.push(read(fields)?);
        }
        Ok(items)
    }

    /// Whether the next line is of this kind and begins with this field.
    pub(super) fn next_is(&mut self, kind: &str, first: &str) -> bool {
        self.lines.peek().is_some_and(|line| {
            let mut fields = line.split('\t');
            fields.next() == Some(kind) && fields.next() == Some(first)
        })
    }

    /// The last line, and that nothing follows it.
    pub(super) fn finish(mut self) -> Result<(), FormatError> {
        let [count] = self.only("end")?;
        if count.number::<usize>()? != self.number {
            return Err(count.because("lines are missing before it"));
        }
        match (self.lines.next(), self.lines.next()) {
            (Some(""), None) => Ok(()),
            (Some(_) | None, _) => Err(count.because("something follows it")),
        }
    }
}

fn utf8(bytes: &[u8]) -> Result<&str, FormatError> {
    std::str::from_utf8(bytes).map_err(|error| {
        let before = &bytes[..error.valid_up_to()];
        FormatError::Line {
            number: before.split(|&byte| byte == b'\n').count(),
            reason: "it is not UTF-8",
        }
    })
}

/// One field of a line.
pub(super) struct Field {
    line: usize,
    value: Option<String>,
}

impl Field {
    fn parse(line: usize, text: &str) -> Result<Self, FormatError> {
        if text == "\\N" {
            return Ok(Self { line, value: None });
        }
        let mut value = String::with_capacity(text.len());
        let mut characters = text.chars();
        while let Some(character) = characters.next() {
            value.push(match character {
                '\\' => match characters.next() {
                    Some('\\') => '\\',
                    Some('t') => '\t',
                    Some('n') => '\n',
                    Some(_) | None => {
                        return Err(FormatError::Line {
                            number: line,
                            reason: "a backslash is followed by none of \\, t and n",
                        });
                    }
                },
                other => other,
            });
        }
        Ok(Self {
            line,
            value: Some(value),
        })
    }

    /// The error that this field causes.
    pub(super) fn because(&self, reason: &'static str) -> FormatError {
        FormatError::Line {
            number: self.line,
            reason,
        }
    }

    pub(super) fn has_value(&self) -> bool {
        self.value.is_some()
    }

    pub(super) fn text(self) -> Result<String, FormatError> {
        let missing = self.because("a field has no value");
        self.value.ok_or(missing)
    }

    /// Something that is written in one way only.
    pub(super) fn parsed<T: FromStr + Display>(
        &self,
        reason: &'static str,
    ) -> Result<T, FormatError> {
        self.value
            .as_deref()
            .and_then(|text| {
                let value: T = text.parse().ok()?;
                (value.to_string() == text).then_some(value)
            })
            .ok_or_else(|| self.because(reason))
    }

    pub(super) fn number<T: FromStr + Display>(&self) -> Result<T, FormatError> {
        self.parsed("a field is not a number, or one out of range")
    }

    /// Numbers with spaces between, of which there may be none.
    pub(super) fn numbers<T: FromStr + Display>(&self) -> Result<Vec<T>, FormatError> {
        let wrong = || self.because("a field is not a list of numbers");
        let text = self.value.as_deref().ok_or_else(wrong)?;
        let mut words = text.split(' ').filter(|_| !text.is_empty());
        let number = |word: &str| {
            let number: T = word.parse().ok()?;
            (number.to_string() == word).then_some(number)
        };
        words.try_fold(Vec::new(), |mut numbers, word| {
            numbers.push(number(word).ok_or_else(wrong)?);
            Ok(numbers)
        })
    }

    pub(super) fn hash(self) -> Result<String, FormatError> {
        let wrong = self.because("a field is not a SHA-256 in hexadecimal");
        self.value.filter(|value| hex::is_hash(value)).ok_or(wrong)
    }
}
