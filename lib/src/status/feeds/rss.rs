//! RSS 2.0.

use std::fmt::Write;

use jiff::Timestamp;

use super::{Feed, html_in_xml, xml};

pub(super) fn write(feed: &Feed<'_>) -> String {
    let mut text = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<rss version=\"2.0\" xmlns:atom=\"http://www.w3.org/2005/Atom\">\n\
         <channel>\n<title>{}</title>\n<link>{}</link>\n<description>{}</description>\n<ttl>5</ttl>\n\
         <atom:link rel=\"self\" type=\"application/rss+xml\" href=\"{}\"/>\n",
        xml(&feed.title),
        xml(&feed.page),
        xml(&format!("What happens to {}", feed.document.name)),
        xml(&feed.itself),
    );
    for entry in &feed.entries {
        let _ = write!(
            text,
            "<item>\n<guid isPermaLink=\"false\">tag:{},2026:{}</guid>\n<title>{}</title>\n<link>{}</link>\n\
             <pubDate>{}</pubDate>\n",
            xml(&feed.host),
            xml(&entry.id),
            xml(&entry.title),
            xml(&entry.url),
            date(entry.at),
        );
        for tag in &entry.tags {
            let _ = writeln!(text, "<category>{}</category>", xml(tag));
        }
        let _ = write!(
            text,
            "<description>{}</description>\n</item>\n",
            html_in_xml(&entry.text)
        );
    }
    text + "</channel>\n</rss>\n"
}

/// As RFC 822 writes it, with a year of four digits.
fn date(at: Timestamp) -> String {
    at.strftime("%a, %d %b %Y %H:%M:%S +0000").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_has_four_digits_for_the_year() {
        let at = "2026-11-04T09:05:07Z".parse().unwrap();
        assert_eq!(date(at), "Wed, 04 Nov 2026 09:05:07 +0000");
    }
}
