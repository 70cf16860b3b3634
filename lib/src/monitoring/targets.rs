//! What the monitor checks of the app. Pure: settings in, targets out.

use serde::Deserialize;
use serde_json::{Map, Value};
use url::Url;

/// A URL of the app, and what it has to answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The check's name; its history hangs on it.
    pub name: String,
    /// What is requested.
    pub url: Url,
    /// Statuses that count as up; empty means any 2xx.
    pub status: Vec<u16>,
    /// A text that the answer has to contain.
    pub contains: Option<String>,
}

/// One entry of the setting `app.urls`; the database has validated it.
#[derive(Debug, Deserialize)]
struct Entry {
    url: Url,
    name: Option<String>,
    status: Option<Statuses>,
    contains: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Statuses {
    One(u16),
    Several(Vec<u16>),
}

/// The URLs of the setting `app.urls`, or the app's own if it lists none.
///
/// # Errors
/// When the setting cannot be read; the text says why.
pub fn of(settings: &Map<String, Value>, app_url: Option<&Url>) -> Result<Vec<Target>, String> {
    let listed = settings
        .get("app.urls")
        .cloned()
        .unwrap_or_else(|| Value::Array(Vec::new()));
    let listed: Vec<Entry> =
        serde_json::from_value(listed).map_err(|error| format!("the setting app.urls: {error}"))?;
    if listed.is_empty() {
        return Ok(app_url.cloned().map(Target::plain).into_iter().collect());
    }
    Ok(listed.into_iter().map(Target::from).collect())
}

impl Target {
    fn plain(url: Url) -> Self {
        Self {
            name: name(&url),
            url,
            status: Vec::new(),
            contains: None,
        }
    }

    /// Whether a status counts as up.
    #[must_use]
    pub fn expects(&self, status: u16) -> bool {
        match self.status.as_slice() {
            [] => (200..300).contains(&status),
            expected => expected.contains(&status),
        }
    }
}

impl From<Entry> for Target {
    fn from(entry: Entry) -> Self {
        let status = match entry.status {
            None => Vec::new(),
            Some(Statuses::One(status)) => vec![status],
            Some(Statuses::Several(statuses)) => statuses,
        };
        let name = entry
            .name
            .map_or_else(|| name(&entry.url), |slug| format!("app:{slug}"));
        Self {
            name,
            url: entry.url,
            status,
            contains: entry.contains,
        }
    }
}

fn name(url: &Url) -> String {
    format!("app:{url}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn targets(urls: Value) -> Result<Vec<Target>, String> {
        let settings = [("app.urls".to_owned(), urls)].into_iter().collect();
        of(&settings, Some(&"https://wine.example".parse().unwrap()))
    }

    #[test]
    fn without_a_setting_the_app_itself_is_checked() {
        let found = targets(json!([])).unwrap();
        assert_eq!(
            found,
            [Target::plain("https://wine.example/".parse().unwrap())]
        );
        assert_eq!(of(&Map::new(), None), Ok(Vec::new()));
    }

    #[test]
    fn listed_urls_replace_it() {
        let found = targets(json!([
            { "url": "https://wine.example/login", "status": [200, 401], "contains": "Cellar" },
            { "url": "https://wine.example/", "name": "home", "status": 204 },
        ]))
        .unwrap();
        assert_eq!(found[0].name, "app:https://wine.example/login");
        assert!(found[0].expects(401) && !found[0].expects(204));
        assert_eq!(found[0].contains.as_deref(), Some("Cellar"));
        assert_eq!(found[1].name, "app:home");
        assert!(found[1].expects(204) && !found[1].expects(200));
    }

    #[test]
    fn any_success_counts_where_no_status_is_named() {
        let found = targets(json!([{ "url": "https://wine.example/" }])).unwrap();
        for (status, up) in [
            (199, false),
            (200, true),
            (204, true),
            (299, true),
            (301, false),
            (500, false),
        ] {
            assert_eq!(found[0].expects(status), up, "{status}");
        }
    }

    #[test]
    fn a_setting_that_cannot_be_read_is_named() {
        let error = targets(json!([{ "url": "nonsense" }])).unwrap_err();
        assert!(error.starts_with("the setting app.urls: "), "{error}");
    }
}
