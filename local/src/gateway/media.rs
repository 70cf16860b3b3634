//! In which form the result is wanted.

use http::{HeaderMap, StatusCode, header::ACCEPT};

use super::error::{ApiError, Result};

/// The form of a result.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Media {
    /// All rows.
    Array,
    /// The one row there is.
    Object,
}

impl Media {
    /// The first form in `Accept` that there is; no header means an array.
    pub(super) fn negotiate(headers: &HeaderMap) -> Result<Self> {
        let accept: Vec<&str> = headers
            .get_all(ACCEPT)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .map(str::trim)
            .filter(|item| !item.is_empty())
            .collect();
        if accept.is_empty() {
            return Ok(Self::Array);
        }
        accept.iter().find_map(|item| known(item)).ok_or_else(|| {
            ApiError::new(
                StatusCode::NOT_ACCEPTABLE,
                "PGRST107",
                format!(
                    "None of these media types are available: {}",
                    accept.join(", ")
                ),
            )
        })
    }

    /// The `Content-Type` of such a result.
    pub(super) fn content_type(self) -> &'static str {
        match self {
            Self::Array => "application/json; charset=utf-8",
            Self::Object => "application/vnd.pgrst.object+json; charset=utf-8",
        }
    }
}

fn known(item: &str) -> Option<Media> {
    match item.split(';').next().unwrap_or_default().trim() {
        "*/*"
        | "application/*"
        | "application/json"
        | "application/vnd.pgrst.array+json"
        | "application/vnd.pgrst.array" => Some(Media::Array),
        "application/vnd.pgrst.object+json" | "application/vnd.pgrst.object" => Some(Media::Object),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_known_form_wins() {
        let check = |accept: &str, expected: Option<Media>| {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT, accept.parse().unwrap());
            assert_eq!(Media::negotiate(&headers).ok(), expected, "{accept}");
        };
        check("application/json", Some(Media::Array));
        check("text/html, */*;q=0.1", Some(Media::Array));
        check("application/vnd.pgrst.object+json", Some(Media::Object));
        check("application/vnd.pgrst.object", Some(Media::Object));
        check(
            "application/vnd.pgrst.object+json, application/json",
            Some(Media::Object),
        );
        check("text/csv", None);
        assert_eq!(Media::negotiate(&HeaderMap::new()), Ok(Media::Array));
    }
}
