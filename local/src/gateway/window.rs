//! Which rows of a result are wanted, and how the answer tells which it holds.

use http::{HeaderMap, StatusCode, header::RANGE};

use super::{
    error::{ApiError, Result},
    query::Query,
};

/// A part of a result.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Window {
    /// How many rows come before it.
    pub(super) offset: u64,
    /// How many rows it has at most.
    pub(super) limit: Option<u64>,
}

impl Window {
    /// `limit` and `offset`, intersected with the header `Range` if there is
    /// one. `headers` is given where the header counts, for GET alone.
    pub(super) fn parse(query: &Query, headers: Option<&HeaderMap>) -> Result<Self> {
        let limit =
            query.limit.map(u64::try_from).transpose().map_err(|_| {
                ApiError::bad_range("Limit should be greater than or equal to zero.")
            })?;
        let asked = Self {
            offset: query.offset,
            limit,
        };
        match headers.and_then(|headers| headers.get(RANGE)?.to_str().ok()) {
            // Nothing is a valid wish, which no other range can widen.
            Some(range) if limit != Some(0) => asked.intersect(range),
            _ => Ok(asked),
        }
    }

    /// The same window with no more rows than `max`.
    pub(super) fn capped(self, max: u64) -> Self {
        Self {
            limit: Some(self.limit.map_or(max, |limit| limit.min(max))),
            ..self
        }
    }

    /// The last row plus one.
    fn end(self) -> Option<u64> {
        self.limit.map(|limit| self.offset.saturating_add(limit))
    }

    fn intersect(self, range: &str) -> Result<Self> {
        let Some((first, last)) = parse_range(range) else {
            return Ok(self);
        };
        if last.is_some_and(|last| first > last) {
            return Err(ApiError::bad_range(
                "The lower boundary must be lower than or equal to the upper boundary in the Range header.",
            ));
        }
        let offset = self.offset.max(first);
        let end = [self.end(), last.map(|last| last.saturating_add(1))]
            .into_iter()
            .flatten()
            .min();
        match end {
            Some(end) if end <= offset => Err(ApiError::bad_range(
                "The range has no row in common with limit and offset.",
            )),
            _ => Ok(Self {
                offset,
                limit: end.map(|end| end - offset),
            }),
        }
    }
}

/// `a-b` or `a-`, both inclusive; a unit before `=` does not count. Whatever
/// has another form is no range.
fn parse_range(value: &str) -> Option<(u64, Option<u64>)> {
    let range = value.split_once('=').map_or(value, |(_unit, range)| range);
    let (first, last) = range.trim().split_once('-')?;
    let last = match last {
        "" => None,
        last => Some(last.parse().ok()?),
    };
    Some((first.parse().ok()?, last))
}

/// `Content-Range` of `rows` rows from `first` on.
pub(super) fn content_range(first: u64, rows: u64, total: Option<u64>) -> String {
    let total_text = total.map_or_else(|| "*".to_owned(), |total| total.to_string());
    if rows == 0 || total == Some(0) {
        return format!("*/{total_text}");
    }
    format!("{first}-{}/{total_text}", first + rows - 1)
}

/// The status of a result that may be a part only. Fails where the window
/// starts behind the last row.
pub(super) fn status(first: u64, rows: u64, total: Option<u64>) -> Result<StatusCode> {
    match total {
        Some(total) if first > total => Err(ApiError::bad_range(format!(
            "An offset of {first} was requested, but there are only {total} rows."
        ))
        .header(http::header::CONTENT_RANGE, &format!("*/{total}"))),
        Some(total) if rows < total => Ok(StatusCode::PARTIAL_CONTENT),
        _ => Ok(StatusCode::OK),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::query::Others;

    fn window(query: &str, range: Option<&str>) -> Option<(u64, Option<u64>)> {
        let query = Query::parse(query, Others::Filters).unwrap();
        let mut headers = HeaderMap::new();
        if let Some(range) = range {
            headers.insert(RANGE, range.parse().unwrap());
        }
        let window = Window::parse(&query, Some(&headers)).ok()?;
        Some((window.offset, window.limit))
    }

    #[test]
    fn limit_offset_and_range_are_intersected() {
        let check = |query, range, expected| {
            assert_eq!(window(query, range), expected, "{query:?} {range:?}");
        };
        check("", None, Some((0, None)));
        check("limit=5&offset=10", None, Some((10, Some(5))));
        check("limit=5&limit=7&limit=x", None, Some((0, Some(7))));
        check("offset=-3", None, Some((0, None)));
        check("limit=-1", None, None);
        check("", Some("0-9"), Some((0, Some(10))));
        check("", Some("items=5-"), Some((5, None)));
        check("", Some("5-4"), None);
        check("", Some("-5"), Some((0, None)));
        check("", Some("bytes"), Some((0, None)));
        check("limit=5", Some("3-9"), Some((3, Some(2))));
        check("limit=5", Some("5-9"), None);
        check("offset=4", Some("0-9"), Some((4, Some(6))));
        check("limit=0", Some("5-9"), Some((0, Some(0))));
        check("limit=0", None, Some((0, Some(0))));
    }

    #[test]
    fn status_and_content_range_tell_the_part() {
        let check = |first, rows, total, expected: u16, range: &str| {
            assert_eq!(status(first, rows, total).unwrap().as_u16(), expected);
            assert_eq!(content_range(first, rows, total), range);
        };
        check(0, 3, None, 200, "0-2/*");
        check(0, 0, None, 200, "*/*");
        check(0, 3, Some(3), 200, "0-2/3");
        check(1, 2, Some(3), 206, "1-2/3");
        check(3, 0, Some(3), 206, "*/3");
        check(0, 0, Some(0), 200, "*/0");
        assert!(status(4, 0, Some(3)).is_err());
    }
}
