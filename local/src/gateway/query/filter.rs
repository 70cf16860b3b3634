//! Conditions on rows.

use super::{
    cursor::{Cursor, Parsed},
    field::Field,
};

/// How deep conditions may be nested: far more than any client writes, far
/// less than a stack holds.
const MAX_DEPTH: usize = 100;

/// A condition on a row.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::gateway) enum Condition {
    /// One field compared with a value.
    Field {
        field: Field,
        negated: bool,
        test: Test,
    },
    /// Several conditions of which all or one must hold.
    Group {
        negated: bool,
        any: bool,
        members: Vec<Condition>,
    },
}

/// How a field is tested.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::gateway) enum Test {
    /// `field operator value`.
    Binary {
        operator: &'static str,
        value: String,
    },
    /// `field operator ANY (array)` or `ALL`.
    Quantified {
        operator: &'static str,
        quantifier: &'static str,
        array: String,
    },
    /// The field equals one of the values.
    In(Vec<String>),
    /// `field IS word`.
    Is(&'static str),
    /// The field matches a text search query made by `function`.
    TextSearch {
        function: &'static str,
        config: Option<String>,
        query: String,
    },
}

/// Where a value stands, and so where it ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Scope {
    /// Alone in a parameter: everything to the end, nothing quoted.
    Parameter,
    /// Inside a logic tree: up to a comma or a closing parenthesis.
    Tree,
}

/// Operators that take `(any)` and `(all)`.
const QUANTIFIABLE: [(&str, &str); 9] = [
    ("eq", "="),
    ("gte", ">="),
    ("gt", ">"),
    ("lte", "<="),
    ("lt", "<"),
    ("like", "LIKE"),
    ("ilike", "ILIKE"),
    ("match", "~"),
    ("imatch", "~*"),
];

const SIMPLE: [(&str, &str); 10] = [
    ("neq", "<>"),
    ("cs", "@>"),
    ("cd", "<@"),
    ("ov", "&&"),
    ("sl", "<<"),
    ("sr", ">>"),
    ("nxr", "&<"),
    ("nxl", "&>"),
    ("adj", "-|-"),
    ("isdistinct", "IS DISTINCT FROM"),
];

const TEXT_SEARCH: [(&str, &str); 4] = [
    ("fts", "to_tsquery"),
    ("plfts", "plainto_tsquery"),
    ("phfts", "phraseto_tsquery"),
    ("wfts", "websearch_to_tsquery"),
];

const STATES: [(&str, &str); 5] = [
    ("null", "NULL"),
    ("not_null", "NOT NULL"),
    ("true", "TRUE"),
    ("false", "FALSE"),
    ("unknown", "UNKNOWN"),
];

/// `[not.]operator.value`.
pub(super) fn test(cursor: &mut Cursor<'_>, scope: Scope) -> Parsed<(bool, Test)> {
    let negated = cursor.eat("not.");
    let start = cursor.clone();
    let word = cursor.take_while(|found| found.is_ascii_alphabetic());
    if word == "in" && cursor.eat(".") {
        return Ok((negated, Test::In(list(cursor)?)));
    }
    if word == "is" && cursor.eat(".") {
        return Ok((negated, Test::Is(state(cursor)?)));
    }
    if let Some(operator) = find(&SIMPLE, word)
        && cursor.eat(".")
    {
        let value = value(cursor, scope)?;
        return Ok((negated, Test::Binary { operator, value }));
    }
    if let Some(function) = find(&TEXT_SEARCH, word)
        && let Some(config) = cursor.attempt(text_search_config)
    {
        let query = value(cursor, scope)?;
        let test = Test::TextSearch {
            function,
            config,
            query,
        };
        return Ok((negated, test));
    }
    if let Some(operator) = find(&QUANTIFIABLE, word)
        && let Some(quantifier) = cursor.attempt(quantifier)
    {
        let value = value(cursor, scope)?;
        return Ok((negated, quantifiable(operator, quantifier, value)));
    }
    Err(start.unexpected("\"not\" or operator (eq, gt, ...)"))
}

fn find(table: &[(&str, &'static str)], word: &str) -> Option<&'static str> {
    table
        .iter()
        .find(|(name, _)| *name == word)
        .map(|(_, sql)| *sql)
}

fn quantifiable(
    operator: &'static str,
    quantifier: Option<&'static str>,
    mut value: String,
) -> Test {
    if operator.ends_with("LIKE") {
        value = value.replace('*', "%");
    }
    match quantifier {
        None => Test::Binary { operator, value },
        Some(quantifier) => Test::Quantified {
            operator,
            quantifier,
            array: value,
        },
    }
}

/// `.`, `(any).` or `(all).`.
fn quantifier(cursor: &mut Cursor<'_>) -> Parsed<Option<&'static str>> {
    let quantifier = if cursor.eat("(any)") {
        Some("ANY")
    } else if cursor.eat("(all)") {
        Some("ALL")
    } else {
        None
    };
    cursor.expect(".")?;
    Ok(quantifier)
}

/// `.` or `(english).`.
fn text_search_config(cursor: &mut Cursor<'_>) -> Parsed<Option<String>> {
    let mut config = None;
    if cursor.eat("(") {
        let name = cursor.take_while(|found| found.is_alphanumeric() || found == '_');
        config = Some(name.to_owned());
        cursor.expect(")")?;
    }
    cursor.expect(".")?;
    Ok(config)
}

fn state(cursor: &mut Cursor<'_>) -> Parsed<&'static str> {
    let start = cursor.clone();
    let word = cursor
        .take_while(|found| found.is_ascii_alphabetic() || found == '_')
        .to_ascii_lowercase();
    find(&STATES, &word)
        .ok_or_else(|| start.unexpected("isVal: (null, not_null, true, false, unknown)"))
}

/// `(a,"b c",d)`. A list of one empty element is empty.
fn list(cursor: &mut Cursor<'_>) -> Parsed<Vec<String>> {
    cursor.expect("(")?;
    cursor.skip_blanks();
    let mut elements = cursor.comma_list(|cursor| Ok(listed(cursor)))?;
    cursor.expect(")")?;
    cursor.skip_blanks();
    if elements == [""] {
        elements.clear();
    }
    Ok(elements)
}

/// An element that ends before a comma or a closing parenthesis.
fn listed(cursor: &mut Cursor<'_>) -> String {
    cursor
        .attempt(quoted_element)
        .unwrap_or_else(|| bare(cursor).to_owned())
}

fn quoted_element(cursor: &mut Cursor<'_>) -> Parsed<String> {
    let text = cursor.quoted()?;
    match cursor.peek() {
        None | Some(',' | ')') => Ok(text),
        Some(_) => Err(cursor.unexpected("\",\" or \")\"")),
    }
}

fn bare<'a>(cursor: &mut Cursor<'a>) -> &'a str {
    cursor.take_while(|found| !matches!(found, ',' | ')'))
}

fn value(cursor: &mut Cursor<'_>, scope: Scope) -> Parsed<String> {
    if scope == Scope::Parameter {
        return Ok(cursor.take_rest().to_owned());
    }
    if cursor.peek() == Some('{') {
        return array_literal(cursor);
    }
    Ok(listed(cursor))
}

/// PostgreSQL's `{…}`, whose commas and parentheses belong to the value.
fn array_literal(cursor: &mut Cursor<'_>) -> Parsed<String> {
    let whole = cursor.rest();
    let mut depth = 0_usize;
    let mut quoted = false;
    while let Some(found) = cursor.next() {
        match found {
            '\\' if quoted => {
                cursor.next();
            }
            '"' => quoted = !quoted,
            '{' if !quoted => depth += 1,
            '}' if !quoted => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Ok(whole[..whole.len() - cursor.rest().len()].to_owned());
        }
    }
    Err(cursor.unexpected("\"}\""))
}

/// `(condition,condition,…)`.
pub(super) fn members(cursor: &mut Cursor<'_>, depth: usize) -> Parsed<Vec<Condition>> {
    if depth > MAX_DEPTH {
        return Err(cursor.unexpected("fewer nested conditions"));
    }
    cursor.skip_blanks();
    cursor.expect("(")?;
    let members = cursor.comma_list(|cursor| condition(cursor, depth))?;
    cursor.expect(")")?;
    cursor.skip_blanks();
    Ok(members)
}

fn condition(cursor: &mut Cursor<'_>, depth: usize) -> Parsed<Condition> {
    cursor.skip_blanks();
    if let Some((negated, any)) = cursor.attempt(group_head) {
        let members = members(cursor, depth + 1)?;
        return Ok(Condition::Group {
            negated,
            any,
            members,
        });
    }
    let field = Field::parse(cursor)?;
    cursor.expect(".")?;
    let (negated, test) = test(cursor, Scope::Tree)?;
    cursor.skip_blanks();
    Ok(Condition::Field {
        field,
        negated,
        test,
    })
}

/// `[not.]and` or `[not.]or`, if a list follows.
fn group_head(cursor: &mut Cursor<'_>) -> Parsed<(bool, bool)> {
    let negated = cursor.eat("not.");
    let any = cursor.eat("or");
    if !any {
        cursor.expect("and")?;
    }
    cursor.skip_blanks();
    match cursor.peek() {
        Some('(') => Ok((negated, any)),
        _ => Err(cursor.unexpected("\"(\"")),
    }
}
