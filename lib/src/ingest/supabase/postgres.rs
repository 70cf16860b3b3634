//! Rows of PostgreSQL: those of severity ERROR and above are errors.

use std::sync::LazyLock;

use regex::Regex;

use super::row::Row;
use crate::ingest::{
    detail::Details,
    item::{Item, Kind},
};

/// How much of a statement is kept, in characters.
const STATEMENT: usize = 500;

/// What a statement holds of somebody's: texts, in any of the ways to quote them, and
/// numbers. Names in double quotes stay.
static LITERALS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r#"(?xs)
        "[^"]*"? (?P<name>)                 # a name
        | (?:[EeBbXxNn]|[Uu]&)?'(?:[^'\\]|''|\\.)*(?:'|$) # a text
        | \$[A-Za-z_]*\$.*                  # a text between dollars, and all after it
        | --[^\n]* | /\*.*?(?:\*/|$)        # what somebody remarked
        | \b\d[\d._]*(?:[eE][+-]?\d+)?\b    # a number
        "#,
    )
    .ok()
});

/// The error that a row is, if it is one of PostgreSQL's.
pub(super) fn read(row: &Row) -> Option<Item> {
    let parsed = row.part("parsed");
    let severity = parsed["error_severity"].as_str()?;
    let severity_of_ours = match severity {
        "ERROR" => "high",
        "FATAL" | "PANIC" => "critical",
        _ => return None,
    };
    let state = parsed["sql_state_code"].as_str().unwrap_or("XX000");
    let statement = parsed["query"].as_str().map(without_literals);
    let details = Details::default()
        .with("message", Some(row.message))
        .with("severity", Some(severity_of_ours))
        .with("postgresSeverity", Some(severity))
        .with("sqlState", Some(state))
        .with("statement", statement)
        .with("role", parsed["user_name"].as_str())
        .with("database", parsed["database_name"].as_str())
        .with("command", parsed["command_tag"].as_str());
    let name = format!("PostgreSQL {state}");
    Some(
        Item::new(Kind::Error, &name, None, row.same().as_bytes())
            .at(row.time)
            .detail(details.all()),
    )
}

/// A statement without what it says of anybody, and not too long.
fn without_literals(statement: &str) -> String {
    let Some(literals) = LITERALS.as_ref() else {
        return String::new();
    };
    let start: String = statement.chars().take(8 * STATEMENT).collect();
    let clean = literals.replace_all(&start, |found: &regex::Captures<'_>| {
        let is_name = found.name("name").is_some();
        if is_name {
            found[0].to_owned()
        } else {
            "?".to_owned()
        }
    });
    clean.chars().take(STATEMENT).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_keeps_its_form_alone() {
        for (statement, expected) in [
            (
                "select * from \"wines 7\" where name = 'O''Brien' and id = 42",
                "select * from \"wines 7\" where name = ? and id = ?",
            ),
            (
                "insert into t1 values (E'a\\'b', 1.5e3, $1)",
                "insert into t1 values (?, ?, $?)",
            ),
            ("select $$secret$$ from x", "select ?"),
            ("select 'cut off", "select ?"),
            ("select 1 -- for anna", "select ? ?"),
            ("select /* anna */ x", "select ? x"),
        ] {
            assert_eq!(without_literals(statement), expected, "{statement}");
        }
        let long = without_literals(&"select x, ".repeat(10_000));
        assert_eq!(long.chars().count(), STATEMENT);
    }
}
