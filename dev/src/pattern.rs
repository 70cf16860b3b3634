//! Paths as `vercel.json` writes them, with the meaning that Vercel gives them:
//! path-to-regexp 6, strict and case-sensitive.

use anyhow::{Context, bail};
use regex::Regex;

/// The regular expression that a `source` stands for.
///
/// Fails on what this reader does not know, rather than match something else
/// than Vercel would.
pub(super) fn compile(source: &str) -> anyhow::Result<Regex> {
    let expression = expression(source).with_context(|| format!("in the source {source}"))?;
    Regex::new(&expression).with_context(|| format!("in the source {source}"))
}

fn expression(source: &str) -> anyhow::Result<String> {
    let mut rest = source.chars().peekable();
    let mut expression = String::from("^");
    // The last literal, until it is known whether a group follows: a `/` or `.`
    // before a group belongs to it.
    let mut literal: Option<char> = None;
    while let Some(next) = rest.next() {
        let group = match next {
            ':' => {
                while rest
                    .next_if(|name| name.is_ascii_alphanumeric() || *name == '_')
                    .is_some()
                {}
                if rest.peek() == Some(&'(') {
                    rest.next();
                    inside(&mut rest)?
                } else {
                    r"[^/]+?".to_owned()
                }
            }
            '(' => inside(&mut rest)?,
            '\\' => {
                flush(
                    &mut expression,
                    literal.replace(rest.next().context("ends in a backslash")?),
                );
                continue;
            }
            '{' | '}' | '*' | '+' | '?' => bail!("`{next}` is not understood here"),
            plain => {
                flush(&mut expression, literal.replace(plain));
                continue;
            }
        };
        let prefix = literal.take_if(|last| matches!(last, '/' | '.'));
        flush(&mut expression, literal.take());
        let modifier = rest.next_if(|modifier| matches!(modifier, '*' | '+' | '?'));
        expression.push_str(&repeated(prefix, &group, modifier));
    }
    flush(&mut expression, literal);
    expression.push('$');
    Ok(expression)
}

fn flush(expression: &mut String, literal: Option<char>) {
    if let Some(literal) = literal {
        expression.push_str(&regex::escape(literal.encode_utf8(&mut [0; 4])));
    }
}

fn repeated(prefix: Option<char>, group: &str, modifier: Option<char>) -> String {
    let prefix = prefix
        .map(|prefix| regex::escape(&prefix.to_string()))
        .unwrap_or_default();
    match modifier {
        Some(often @ ('*' | '+')) => {
            let optional = if often == '*' { "?" } else { "" };
            format!("(?:{prefix}(?:{group})(?:{prefix}(?:{group}))*){optional}")
        }
        Some(_) => format!("(?:{prefix}(?:{group}))?"),
        None => format!("(?:{prefix}(?:{group}))"),
    }
}

/// What stands between a parenthesis and the one that closes it.
fn inside(rest: &mut std::iter::Peekable<std::str::Chars<'_>>) -> anyhow::Result<String> {
    let mut text = String::new();
    let mut depth = 1;
    while let Some(next) = rest.next() {
        match next {
            '\\' => {
                text.push(next);
                text.extend(rest.next());
                continue;
            }
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Ok(text);
        }
        text.push(next);
    }
    bail!("a parenthesis is never closed")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_matches_what_it_matches_on_vercel() {
        for (source, matching, others) in [
            (
                "/health",
                vec!["/health"],
                vec!["/health/", "/healthy", "/Health", "/"],
            ),
            ("/(.*)", vec!["/", "/a", "/a/b.c"], vec![]),
            (
                "/assets/(.*)",
                vec!["/assets/", "/assets/a/b"],
                vec!["/assets", "/x/assets/a"],
            ),
            (
                "/((?:a|b)\\.html)?",
                vec!["/a.html", "/b.html"],
                vec!["/c.html", "/axhtml", "/"],
            ),
            (
                "/api/:path*",
                vec!["/api", "/api/a", "/api/a/b"],
                vec!["/api/", "/apix"],
            ),
            ("/api/:path+", vec!["/api/a", "/api/a/b"], vec!["/api"]),
            ("/a/:b", vec!["/a/x"], vec!["/a", "/a/", "/a/x/y"]),
            ("/a/:b(\\d+)", vec!["/a/12"], vec!["/a/x"]),
            (
                "/:name.:kind(css|js)",
                vec!["/a.css", "/a.js"],
                vec!["/a.html", "/a"],
            ),
        ] {
            let pattern = compile(source).unwrap();
            for path in matching {
                assert!(pattern.is_match(path), "{source} matches {path}");
            }
            for path in others {
                assert!(!pattern.is_match(path), "{source} does not match {path}");
            }
        }
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for source in ["/a{/b}?", "/a*", "/(a", "/a\\"] {
            assert!(compile(source).is_err(), "{source}");
        }
    }
}
