//! JSON Feed 1.1.

use serde_json::json;

use super::Feed;

pub(super) fn write(feed: &Feed<'_>) -> String {
    let items: Vec<_> = feed
        .entries
        .iter()
        .map(|entry| {
            json!({
                "id": format!("tag:{},2026:{}", feed.host, entry.id),
                "url": entry.url,
                "title": entry.title,
                "content_text": entry.text,
                "date_published": entry.at,
                "date_modified": entry.at,
                "tags": entry.tags,
            })
        })
        .collect();
    json!({
        "version": "https://jsonfeed.org/version/1.1",
        "title": feed.title,
        "home_page_url": feed.page,
        "feed_url": feed.itself,
        "items": items,
    })
    .to_string()
}
