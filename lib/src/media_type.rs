//! What kind of body a request carries.

use http::{HeaderMap, header};

/// JSON, of any shape.
pub(crate) const JSON: &str = "application/json";
/// The form of a page.
pub(crate) const FORM: &str = "application/x-www-form-urlencoded";

/// The type of a body in lower case, without its parameters.
pub(crate) fn of(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    let essence = value.split(';').next()?.trim();
    Some(essence.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_is_compared_without_its_case_and_parameters() {
        for (value, expected) in [
            ("application/json", JSON),
            ("Application/JSON; charset=utf-8", JSON),
            (" APPLICATION/JSON ;", JSON),
            ("Application/X-WWW-Form-Urlencoded", FORM),
            ("application/jsonp", "application/jsonp"),
            ("", ""),
        ] {
            let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, value.parse().unwrap())]);
            assert_eq!(of(&headers).as_deref(), Some(expected), "{value:?}");
        }
        assert_eq!(of(&HeaderMap::new()), None);
    }
}
