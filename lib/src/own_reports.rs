//! Where browsers send what they report of our own pages. The policies of those pages name it,
//! in `vercel.json` and where a function answers with a page.

use http::{HeaderMap, HeaderValue};

/// Its address; the door's function answers it.
pub const PATH: &str = "/api/reports";

/// Tells a browser where the group `ops` of a policy's `report-to` is.
pub(crate) fn announce(headers: &mut HeaderMap) {
    let endpoints = HeaderValue::from_static("ops=\"/api/reports\"");
    headers.insert("reporting-endpoints", endpoints);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_name_the_address_that_is_answered() {
        let mut headers = HeaderMap::new();
        announce(&mut headers);
        let announced = headers["reporting-endpoints"].to_str().unwrap();
        assert_eq!(announced, format!("ops=\"{PATH}\""));
        let platform = include_str!("../../vercel.json");
        assert!(platform.contains(&announced.replace('"', "\\\"")));
        assert_eq!(
            platform.matches("\"Content-Security-Policy\"").count(),
            platform
                .matches(&format!("; report-uri {PATH}; report-to ops\""))
                .count()
        );
    }
}
