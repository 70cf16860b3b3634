//! The UPDATE and DELETE statements in the text of a function, and whether each
//! has a WHERE of its own: one in a subquery or in the next statement is none.

/// A statement that changes rows, from its first word to its end.
#[derive(Debug, PartialEq)]
pub(crate) struct Changing<'a> {
    pub(crate) text: &'a str,
    pub(crate) has_where: bool,
}

/// What matters of SQL's words.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Token<'a> {
    /// A keyword or a name without quotes.
    Word(&'a str),
    Open,
    Close,
    End,
    /// A literal, a quoted name, an operator.
    Other,
}

/// Every statement of that text that changes rows.
pub(crate) fn changing(sql: &str) -> Vec<Changing<'_>> {
    let tokens = tokens(sql);
    let starts = (0..tokens.len()).filter(|nth| starts_change(&tokens, *nth));
    starts.map(|nth| statement(sql, &tokens[nth..])).collect()
}

/// Whether a statement begins there: not `for update`, `for no key update` or
/// `do update`, the last of which touches the row that was in the way alone.
fn starts_change(tokens: &[(usize, Token)], nth: usize) -> bool {
    let word = |nth: usize| match tokens.get(nth) {
        Some((_, Token::Word(word))) => word.to_lowercase(),
        _ => String::new(),
    };
    match word(nth).as_str() {
        "delete" => word(nth + 1) == "from",
        "update" => {
            let before = nth.checked_sub(1).map(word).unwrap_or_default();
            !["for", "key", "do"].contains(&before.as_str())
        }
        _ => false,
    }
}

/// The statement that begins with the first of these tokens.
fn statement<'a>(sql: &'a str, tokens: &[(usize, Token)]) -> Changing<'a> {
    let mut depth = 0_i32;
    let mut has_where = false;
    let mut end = sql.len();
    for (at, token) in tokens {
        match token {
            Token::Open => depth += 1,
            Token::Close => depth -= 1,
            Token::Word(word) => has_where |= depth == 0 && word.eq_ignore_ascii_case("where"),
            Token::End | Token::Other => {}
        }
        if depth < 0 || *token == Token::End {
            end = *at;
            break;
        }
    }
    Changing {
        text: &sql[tokens[0].0..end],
        has_where,
    }
}

/// The tokens of a text with their places, without comments.
fn tokens(sql: &str) -> Vec<(usize, Token<'_>)> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(first) = sql[at..].chars().next() {
        let rest = &sql[at..];
        let (token, length) = match first {
            '(' => (Some(Token::Open), 1),
            ')' => (Some(Token::Close), 1),
            ';' => (Some(Token::End), 1),
            '\'' | '"' => (Some(Token::Other), quoted(rest, first)),
            '$' => (Some(Token::Other), dollar_quoted(rest)),
            _ if rest.starts_with("--") => (None, up_to(rest, "\n")),
            _ if rest.starts_with("/*") => (None, up_to(rest, "*/")),
            _ if is_of_word(first) => {
                let length = rest.find(|c| !is_of_word(c)).unwrap_or(rest.len());
                (Some(Token::Word(&rest[..length])), length)
            }
            _ if first.is_whitespace() => (None, first.len_utf8()),
            _ => (Some(Token::Other), first.len_utf8()),
        };
        tokens.extend(token.map(|token| (at, token)));
        at += length;
    }
    tokens
}

fn is_of_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// The length of a quoted text, of two when a quote in it is doubled.
fn quoted(text: &str, quote: char) -> usize {
    text[1..]
        .find(quote)
        .map_or(text.len(), |length| length + 2)
}

/// The length of a text between two marks such as `$body$`, or of a lone `$`.
fn dollar_quoted(text: &str) -> usize {
    let Some(length) = text[1..].find('$').map(|length| length + 2) else {
        return 1;
    };
    let mark = &text[..length];
    if !mark[1..length - 1].chars().all(is_of_word) {
        return 1;
    }
    length + up_to(&text[length..], mark)
}

/// The length of a text up to and with its first `end`.
fn up_to(text: &str, end: &str) -> usize {
    text.find(end).map_or(text.len(), |at| at + end.len())
}

#[test]
fn a_where_counts_for_its_own_statement_alone() {
    #[track_caller]
    fn check(sql: &str, expected: &[(&str, bool)]) {
        let found = changing(sql);
        let found: Vec<_> = found.iter().map(|one| (one.text, one.has_where)).collect();
        assert_eq!(found, expected, "{sql}");
    }
    check("delete from a where b", &[("delete from a where b", true)]);
    check(
        "UPDATE a SET b = 1 WHERE c",
        &[("UPDATE a SET b = 1 WHERE c", true)],
    );
    check(
        "delete from a; select 1 where b",
        &[("delete from a", false)],
    );
    check(
        "update a set b = (select c from d where e)",
        &[("update a set b = (select c from d where e)", false)],
    );
    check(
        "with gone as (delete from a returning b) select b from gone where c",
        &[("delete from a returning b", false)],
    );
    check(
        "with gone as (delete from a where b) update c set d = 1 from gone",
        &[
            ("delete from a where b", true),
            ("update c set d = 1 from gone", false),
        ],
    );
    check(
        "update a set b = count(*) filter (where c)",
        &[("update a set b = count(*) filter (where c)", false)],
    );
    check(
        "delete from a -- where b",
        &[("delete from a -- where b", false)],
    );
    check(
        "delete from a /* where */",
        &[("delete from a /* where */", false)],
    );
    check(
        "update a set b = ' where '''",
        &[("update a set b = ' where '''", false)],
    );
    check(
        "update a set b = $x$ where; $x$",
        &[("update a set b = $x$ where; $x$", false)],
    );
    check(
        r#"update a set "where" = 1"#,
        &[(r#"update a set "where" = 1"#, false)],
    );
    check("select a for update; select b for no key update", &[]);
    check(
        "insert into a values (1) on conflict (b) do update set c = 2",
        &[],
    );
    check("raise exception 'update it; delete from it'", &[]);
}
