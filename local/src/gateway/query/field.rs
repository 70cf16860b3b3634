//! A column, and the way into its JSON.

use super::cursor::{Cursor, Parsed};

/// `column->step->>step`.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::gateway) struct Field {
    pub(in crate::gateway) column: String,
    pub(in crate::gateway) path: Vec<Step>,
}

/// One step into a JSON value.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::gateway) struct Step {
    /// Whether the step gives text (`->>`) instead of JSON (`->`).
    pub(in crate::gateway) as_text: bool,
    pub(in crate::gateway) operand: Operand,
}

/// What a step leads to.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::gateway) enum Operand {
    /// The value of an object's key.
    Key(String),
    /// An element of an array, from 0; negative from the end.
    Index(String),
}

impl Field {
    pub(super) fn parse(cursor: &mut Cursor<'_>) -> Parsed<Self> {
        let column = name(cursor)?;
        let mut path = Vec::new();
        while cursor.eat("->") {
            let as_text = cursor.eat(">");
            let operand = operand(cursor)?;
            path.push(Step { as_text, operand });
        }
        Ok(Self { column, path })
    }

    /// The name that a result has without an alias: the last key of the path.
    pub(in crate::gateway) fn output_name(&self) -> &str {
        self.path
            .iter()
            .rev()
            .find_map(|step| match &step.operand {
                Operand::Key(key) => Some(key.as_str()),
                Operand::Index(_) => None,
            })
            .unwrap_or(&self.column)
    }
}

/// A name in quotes, or words joined by `-`. Blanks around it do not count.
pub(super) fn name(cursor: &mut Cursor<'_>) -> Parsed<String> {
    cursor.skip_blanks();
    let name = if cursor.peek() == Some('"') {
        let name = cursor.quoted()?;
        cursor.skip_blanks();
        name
    } else {
        dashed(cursor, is_name_character)?
            .trim_matches(' ')
            .to_owned()
    };
    if name.is_empty() {
        return Err(cursor.unexpected("field name (* or [a..z0..9_$])"));
    }
    Ok(name)
}

fn is_name_character(found: char) -> bool {
    found.is_alphanumeric() || matches!(found, '_' | '$' | ' ')
}

fn operand(cursor: &mut Cursor<'_>) -> Parsed<Operand> {
    if let Some(index) = cursor.attempt(index) {
        return Ok(Operand::Index(index));
    }
    let key = if cursor.peek() == Some('"') {
        cursor.quoted()?
    } else {
        dashed(cursor, |found| {
            !matches!(found, '(' | ')' | '-' | ':' | '.' | ',' | '>')
        })?
    };
    Ok(Operand::Key(key))
}

/// An integer, but only where a path may go on or end after it.
fn index(cursor: &mut Cursor<'_>) -> Parsed<String> {
    let sign = if cursor.eat("-") { "-" } else { "" };
    let digits = cursor.take_while(|found| found.is_ascii_digit());
    let rest = cursor.rest();
    let ends = rest.is_empty()
        || ["->", "::", ".", ","]
            .iter()
            .any(|token| rest.starts_with(token));
    if digits.is_empty() || !ends {
        return Err(cursor.unexpected("an index"));
    }
    Ok(format!("{sign}{digits}"))
}

/// Words joined by `-`; a `-` before `>` is an arrow and ends them.
fn dashed(cursor: &mut Cursor<'_>, wanted: impl Fn(char) -> bool) -> Parsed<String> {
    let mut text = String::new();
    loop {
        let word = cursor.take_while(&wanted);
        if word.is_empty() {
            return Err(cursor.unexpected("field name (* or [a..z0..9_$])"));
        }
        text.push_str(word);
        if !cursor.rest().starts_with('-') || cursor.rest().starts_with("->") {
            return Ok(text);
        }
        cursor.next();
        text.push('-');
    }
}
