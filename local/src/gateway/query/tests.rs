use super::*;

fn parse(raw: &str) -> Query {
    Query::parse(raw, Others::Filters).unwrap_or_else(|error| panic!("{raw}: {error:?}"))
}

/// A short form of a parsed query, in which names and values are told apart.
fn shown_field(field: &Field) -> String {
    let mut text = format!("{:?}", field.column);
    for step in &field.path {
        text.push_str(if step.as_text { "->>" } else { "->" });
        match &step.operand {
            Operand::Key(key) => text += &serde_json::json!(key).to_string(),
            Operand::Index(index) => text += index,
        }
    }
    text
}

fn shown_item(item: &Item) -> String {
    match item {
        Item::All => "*".to_owned(),
        Item::Field { field, alias, cast } => format!(
            "{}{} as {}",
            shown_field(field),
            cast.as_ref()
                .map(|cast| format!("::{cast}"))
                .unwrap_or_default(),
            alias.as_deref().unwrap_or(field.output_name()),
        ),
    }
}

fn shown_condition(condition: &Condition) -> String {
    let (negated, text) = match condition {
        Condition::Field {
            field,
            negated,
            test,
        } => (
            negated,
            format!("{} {}", shown_field(field), shown_test(test)),
        ),
        Condition::Group {
            negated,
            any,
            members,
        } => {
            let members: Vec<String> = members.iter().map(shown_condition).collect();
            let joint = if *any { " or " } else { " and " };
            (negated, format!("({})", members.join(joint)))
        }
    };
    if *negated {
        format!("not {text}")
    } else {
        text
    }
}

fn shown_test(test: &Test) -> String {
    match test {
        Test::Binary { operator, value } => format!("{operator} {value:?}"),
        Test::Quantified {
            operator,
            quantifier,
            array,
        } => format!("{operator} {quantifier} {array:?}"),
        Test::In(values) => format!("in {values:?}"),
        Test::Is(state) => format!("is {state}"),
        Test::TextSearch {
            function,
            config,
            query,
        } => format!("{function}({config:?}, {query:?})"),
    }
}

fn check_conditions(raw: &str, expected: &[&str]) {
    let found: Vec<String> = parse(raw).conditions.iter().map(shown_condition).collect();
    assert_eq!(found, expected, "{raw}");
}

fn check_refused(raw: &str, code: &str, message: &str) {
    let refusal = Query::parse(raw, Others::Filters)
        .expect_err(raw)
        .into_response();
    let body: serde_json::Value = serde_json::from_slice(refusal.body()).unwrap();
    assert_eq!(refusal.status(), 400, "{raw}");
    assert_eq!(
        (&body["code"], &body["message"]),
        (&code.into(), &message.into()),
        "{raw}"
    );
}

#[test]
fn select_names_columns_aliases_paths_and_casts() {
    let check = |raw: &str, expected: &[&str]| {
        let found: Vec<String> = parse(raw).select.iter().map(shown_item).collect();
        assert_eq!(found, expected, "{raw}");
    };
    check("select=", &[]);
    check("select=*", &["*"]);
    check("select=a,%20b%20,*", &[r#""a" as a"#, r#""b" as b"#, "*"]);
    check("select=x:a::text", &[r#""a"::text as x"#]);
    check(
        "select=a::double+precision",
        &[r#""a"::double precision as a"#],
    );
    check("select=%22a,%5C%22b%22", &[r#""a,\"b" as a,"b"#]);
    check(
        "select=some-thing,w%C3%A4rme,$1",
        &[
            r#""some-thing" as some-thing"#,
            r#""wärme" as wärme"#,
            r#""$1" as $1"#,
        ],
    );
    check("select=d->a->>b", &[r#""d"->"a"->>"b" as b"#]);
    check("select=d->0->>1::integer", &[r#""d"->0->>1::integer as d"#]);
    check("select=d->a->-1", &[r#""d"->"a"->-1 as a"#]);
    check(
        "select=d->0a,d->%22x.y%22",
        &[r#""d"->"0a" as 0a"#, r#""d"->"x.y" as x.y"#],
    );
    check("select=a&select=b", &[r#""a" as a"#]);
}

#[test]
fn filters_have_every_operator() {
    check_conditions("a=eq.1&b=neq.2", &[r#""a" = "1""#, r#""b" <> "2""#]);
    check_conditions("a=gt.1&a=gte.1", &[r#""a" > "1""#, r#""a" >= "1""#]);
    check_conditions("a=lt.1&a=lte.1", &[r#""a" < "1""#, r#""a" <= "1""#]);
    check_conditions("a=like.*b%25", &[r#""a" LIKE "%b%""#]);
    check_conditions("a=ilike.*b", &[r#""a" ILIKE "%b""#]);
    check_conditions(
        "a=match.%5Eb*&a=imatch.b",
        &[r#""a" ~ "^b*""#, r#""a" ~* "b""#],
    );
    check_conditions("a=like(any).{a*,b}", &[r#""a" LIKE ANY "{a%,b}""#]);
    check_conditions("a=eq(all).{1,2}", &[r#""a" = ALL "{1,2}""#]);
    check_conditions(
        "a=cs.{1,2}&a=cd.{1}",
        &[r#""a" @> "{1,2}""#, r#""a" <@ "{1}""#],
    );
    check_conditions(
        "a=ov.[1,2)&a=sl.(1,2)",
        &[r#""a" && "[1,2)""#, r#""a" << "(1,2)""#],
    );
    check_conditions("a=sr.x&a=nxr.x", &[r#""a" >> "x""#, r#""a" &< "x""#]);
    check_conditions("a=nxl.x&a=adj.x", &[r#""a" &> "x""#, r#""a" -|- "x""#]);
    check_conditions("a=isdistinct.x", &[r#""a" IS DISTINCT FROM "x""#]);
    check_conditions(
        "a=is.null&a=is.NOT_NULL",
        &[r#""a" is NULL"#, r#""a" is NOT NULL"#],
    );
    check_conditions(
        "a=is.True&a=is.unknown",
        &[r#""a" is TRUE"#, r#""a" is UNKNOWN"#],
    );
    check_conditions("a=fts.b", &[r#""a" to_tsquery(None, "b")"#]);
    check_conditions(
        "a=wfts(english).b c",
        &[r#""a" websearch_to_tsquery(Some("english"), "b c")"#],
    );
    check_conditions("a=not.eq.1", &[r#"not "a" = "1""#]);
    check_conditions("d->>k=eq.1", &[r#""d"->>"k" = "1""#]);
    check_conditions("ignored&a=eq.1", &[r#""a" = "1""#]);
}

#[test]
fn values_in_parameters_are_taken_to_the_end() {
    check_conditions("a=eq.", &[r#""a" = """#]);
    check_conditions("a=eq.x,y)\"", &[r#""a" = "x,y)\"""#]);
    check_conditions("a=eq.not.eq.1", &[r#""a" = "not.eq.1""#]);
    check_conditions("a=eq.a+b%2Bc", &[r#""a" = "a b+c""#]);
    check_conditions("a=eq.null", &[r#""a" = "null""#]);
}

#[test]
fn lists_split_at_commas_outside_quotes() {
    check_conditions("a=in.(1,2)", &[r#""a" in ["1", "2"]"#]);
    check_conditions("a=in.(+x,y+)", &[r#""a" in ["x", "y "]"#]);
    check_conditions(
        r#"a=in.("a,b","c\"d","e\\f",g"h)"#,
        &[r#""a" in ["a,b", "c\"d", "e\\f", "g\"h"]"#],
    );
    check_conditions("a=in.()", &[r#""a" in []"#]);
    check_conditions(r#"a=in.("")"#, &[r#""a" in []"#]);
    check_conditions(r#"a=in.("",)"#, &[r#""a" in ["", ""]"#]);
    check_conditions("a=not.in.(1)", &[r#"not "a" in ["1"]"#]);
}

#[test]
fn logic_trees_nest_and_quote() {
    check_conditions("or=(a.eq.1,b.gt.2)", &[r#"("a" = "1" or "b" > "2")"#]);
    check_conditions("not.and=(a.eq.1)", &[r#"not ("a" = "1")"#]);
    check_conditions(
        "and=(+a.not.eq.1,+not.or(b.is.null,and(c.in.(1,2),d.eq.x))+)",
        &[r#"(not "a" = "1" and not ("b" is NULL or ("c" in ["1", "2"] and "d" = "x")))"#],
    );
    check_conditions(
        r#"or=(a.eq."x,y)",b.cs.{"1,}",2},c.eq.p"q)"#,
        &[r#"("a" = "x,y)" or "b" @> "{\"1,}\",2}" or "c" = "p\"q")"#],
    );
    check_conditions(
        "or=(d->k->>0.eq.1,and.eq.2)",
        &[r#"("d"->"k"->>0 = "1" or "and" = "2")"#],
    );
    check_conditions(
        "or=(a.eq.1)&or=(b.eq.2)",
        &[r#"("a" = "1")"#, r#"("b" = "2")"#],
    );
}

#[test]
fn order_columns_and_on_conflict_keep_the_first_repetition() {
    let query = parse("order=a.desc.nullslast,d->>k,b.asc,c.nullsfirst&order=z");
    let order: Vec<String> = query
        .order
        .iter()
        .map(|term| format!("{}{}", shown_field(&term.field), term.suffix))
        .collect();
    assert_eq!(
        order,
        [
            r#""a" DESC NULLS LAST"#,
            r#""d"->>"k""#,
            r#""b" ASC"#,
            r#""c" NULLS FIRST"#
        ]
    );
    let query = parse(r#"columns="a","b c",d&columns=x&on_conflict=a, b&on_conflict=c"#);
    assert_eq!(query.columns.unwrap(), ["a", "b c", "d"]);
    assert_eq!(query.on_conflict.unwrap(), ["a", "b"]);
}

#[test]
fn parameters_without_an_operator_are_arguments_of_a_call_only() {
    let query = Query::parse("a=1&b=eq.2&a=3", Others::FiltersAndArguments).unwrap();
    assert_eq!(
        query.arguments,
        [("a".into(), "1".into()), ("a".into(), "3".into())]
    );
    assert_eq!(query.conditions.len(), 1);
    check_refused(
        "a=1",
        "PGRST100",
        r#""failed to parse filter (1)" (line 1, column 1)"#,
    );
}

#[test]
fn the_canonical_form_is_sorted_and_encoded() {
    assert_eq!(parse("b=eq.x+y&a=eq.%26").canonical, "a=eq.%26&b=eq.x%20y");
    assert_eq!(parse("").canonical, "");
}

#[test]
fn malformed_queries_are_refused_with_the_column() {
    let check = |raw: &str, what: &str, text: &str, column: usize| {
        let message = format!("\"failed to parse {what} ({text})\" (line 1, column {column})");
        check_refused(raw, "PGRST100", &message);
    };
    check("select=a,", "select parameter", "a,", 3);
    check("select=a,other(b)", "select parameter", "a,other(b)", 8);
    check(
        "select=a::text);drop",
        "select parameter",
        "a::text);drop",
        8,
    );
    check("order=a.up", "order", "a.up", 2);
    check("order=", "order", "", 1);
    check("a=foo.1", "filter", "foo.1", 1);
    check("a=eq", "filter", "eq", 1);
    check("a=is.nothing", "filter", "is.nothing", 4);
    check("a=in.1", "filter", "in.1", 4);
    check("a=in.(1", "filter", "in.(1", 6);
    check("a=in.(1)x", "filter", "in.(1)x", 7);
    check("or=()", "logic tree", "()", 2);
    check("or=(a.eq.1", "logic tree", "(a.eq.1", 8);
    check("or=(a.eq.1)x", "logic tree", "(a.eq.1)x", 9);
    check("columns=", "columns parameter", "", 1);
    check("a->>=eq.1", "tree path", "a->>", 5);
    check_refused(
        "other.id=eq.1",
        "PGRST108",
        "'other' is not an embedded resource in this request",
    );
}

#[test]
fn deep_nesting_is_refused_instead_of_overflowing_the_stack() {
    let nested = format!("or=({}a.eq.1{}", "and(".repeat(5000), ")".repeat(5001));
    assert!(Query::parse(&nested, Others::Filters).is_err());
    let nested = format!("or=({}a.eq.1{}", "and(".repeat(50), ")".repeat(51));
    assert_eq!(parse(&nested).conditions.len(), 1);
}
