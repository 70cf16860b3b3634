//! Bodies as they come.

use http::HeaderValue;

use super::*;

fn headers(name: header::HeaderName, value: &str) -> HeaderMap {
    let value = HeaderValue::from_str(value).unwrap();
    [(name, value)].into_iter().collect()
}

#[test]
fn a_text_is_read_in_the_charset_that_is_named_nearest() {
    let wine = "Wein für alle";
    let latin = b"Wein f\xfcr alle";
    for (content_type, body) in [
        ("text/plain", wine.as_bytes().to_vec()),
        ("text/plain; charset=iso-8859-1", latin.to_vec()),
        ("text/plain;charset=\"ISO-8859-1\"; x=y", latin.to_vec()),
        // What nobody knows is read as if nothing were named.
        ("text/plain; charset=nonsense", wine.as_bytes().to_vec()),
        // The mark knows better than the header.
        (
            "text/plain; charset=iso-8859-1",
            [b"\xef\xbb\xbf", wine.as_bytes()].concat(),
        ),
        (
            "application/json; charset=utf-8",
            std::iter::once(0xfeff)
                .chain(wine.encode_utf16())
                .flat_map(u16::to_le_bytes)
                .collect(),
        ),
        (
            "text/plain; charset=utf-16be",
            wine.encode_utf16().flat_map(u16::to_be_bytes).collect(),
        ),
    ] {
        let headers = headers(header::CONTENT_TYPE, content_type);
        assert_eq!(text(&headers, &body), wine, "{content_type}");
    }
    for (start, rest) in [
        (
            "<!doctype html><META charset=iso-8859-1><p>",
            latin.as_slice(),
        ),
        (
            r#"<meta http-equiv="content-type" content="text/html; charset=iso-8859-1"><p>"#,
            latin,
        ),
        (r#"<?xml version="1.0" encoding="ISO-8859-1"?><p>"#, latin),
        (r#"<meta charset="utf-16"><p>"#, wine.as_bytes()),
    ] {
        let body = [start.as_bytes(), rest].concat();
        assert_eq!(text(&HeaderMap::new(), &body), format!("{start}{wine}"));
    }
}
