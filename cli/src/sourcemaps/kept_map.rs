//! Source maps that are kept, and how they are listed.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    answered::{self, Answered},
    times::to_the_minute,
};
use ops::messages::plain_text;

/// A source map that is kept, without its content.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct KeptMap {
    pub(super) file: String,
    pub(super) content: String,
    pub(super) parts: u32,
    debug_id: Option<String>,
    size: u64,
    uploaded_at: Timestamp,
}

/// A version of the app that has source maps.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Release {
    release: String,
    maps: u64,
    size: u64,
    uploaded_at: Timestamp,
    last_error_at: Option<Timestamp>,
}

/// What is kept.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Listed {
    releases: Vec<Answered<Release>>,
    maps: Vec<Answered<KeptMap>>,
}

impl Listed {
    pub(super) fn describe(&self, release: Option<&str>) -> String {
        const RELEASES: [&str; 5] = ["release", "maps", "size", "uploaded", "last error"];
        const MAPS: [&str; 4] = ["file", "debug id", "size", "uploaded"];
        match release {
            None if self.releases.is_empty() => "no source maps are kept".to_owned(),
            None => answered::table("releases", &self.releases, RELEASES, Release::row),
            Some(release) if self.maps.is_empty() => {
                format!("no source map of the release {release} is kept")
            }
            Some(_) => answered::table("source maps", &self.maps, MAPS, KeptMap::row),
        }
    }
}

impl Release {
    fn row(&self) -> [String; 5] {
        [
            plain_text::line(&self.release),
            self.maps.to_string(),
            megabytes(self.size),
            to_the_minute(self.uploaded_at),
            self.last_error_at
                .map_or_else(|| "none".to_owned(), to_the_minute),
        ]
    }
}

impl KeptMap {
    fn row(&self) -> [String; 4] {
        [
            plain_text::line(&self.file),
            self.debug_id.clone().unwrap_or_default(),
            megabytes(self.size),
            to_the_minute(self.uploaded_at),
        ]
    }
}

fn megabytes(bytes: u64) -> String {
    let tenths = bytes.div_ceil(100_000);
    format!("{}.{} MB", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn versions_are_listed_and_the_maps_of_one() {
        let nothing: Listed = serde_json::from_value(json!({"releases": [], "maps": []})).unwrap();
        assert_eq!(nothing.describe(None), "no source maps are kept");
        assert!(nothing.describe(Some("1.4")).contains("release 1.4"));
        let listed: Listed = serde_json::from_value(json!({
            "releases": [{"release": "1.4", "maps": 12, "size": 2_340_000,
                          "uploadedAt": "2026-11-24T10:00:00Z", "lastErrorAt": null}],
            "maps": [{"release": "1.4", "file": "~/a.js", "content": "c", "parts": 1, "debugId": null,
                      "size": 1, "uploadedAt": "2026-11-24T10:00:00Z", "uploadedBy": "anna"}, 7],
        }))
        .unwrap();
        let text = listed.describe(None);
        assert!(
            text.contains("1.4      12    2.4 MB  2026-11-24 10:00 UTC  none"),
            "{text}"
        );
        let text = listed.describe(Some("1.4"));
        assert!(text.contains("~/a.js            0.1 MB"), "{text}");
        assert!(text.contains("1 of 2 source maps cannot be read"), "{text}");
    }
}
