use super::*;

fn check(text: &str, columns: usize, expected: Result<u64, &str>) {
    let found = count(text.as_bytes(), columns);
    let found = found.map_err(|fault| fault.to_string());
    assert_eq!(found, expected.map_err(str::to_owned), "{text:?}");
}

#[test]
fn rows_are_counted() {
    check("", 2, Ok(0));
    check("1\ta\n2\t\\N\n", 2, Ok(2));
    check("\n\n", 1, Ok(2));
    check("\n\n\n", 0, Ok(3));
    check("\\\\.\n\\b\\f\\n\\r\\t\\v\n🦀\n", 1, Ok(3));
}

#[test]
fn what_the_server_would_not_write_is_refused() {
    check("1\ta", 2, Err("row 1 has no end"));
    check(
        "1\ta\n2\n",
        2,
        Err("row 2 has more or fewer fields than its table has columns"),
    );
    check(
        "1\t2\t3\n",
        2,
        Err("row 1 has more or fewer fields than its table has columns"),
    );
    check("x\n", 0, Err("row 1 has fields, and its table no columns"));
    for field in ["\\.", "\\", "\\x", "a\\N", "\\Na", "\\\\\\"] {
        check(
            &format!("{field}\n"),
            1,
            Err("row 1 has a backslash that escapes nothing"),
        );
    }
    assert!(count(b"\xff\n", 1).is_err());
}
