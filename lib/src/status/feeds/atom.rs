//! Atom, RFC 4287.

use std::fmt::Write;

use jiff::Timestamp;

use super::{Feed, html_in_xml, xml};

/// When a feed without any entry changed.
const NEVER: Timestamp = Timestamp::UNIX_EPOCH;

pub(super) fn write(feed: &Feed<'_>) -> String {
    let updated = feed.entries.first().map_or(NEVER, |entry| entry.at);
    let mut text = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<feed xmlns=\"http://www.w3.org/2005/Atom\">\n\
         <id>tag:{},2026:{}</id>\n<title>{}</title>\n<updated>{updated}</updated>\n\
         <author><name>{}</name></author>\n<link rel=\"self\" type=\"application/atom+xml\" href=\"{}\"/>\n\
         <link rel=\"alternate\" type=\"text/html\" href=\"{}\"/>\n",
        xml(&feed.host),
        xml(feed
            .itself
            .rsplit_once("/status")
            .map_or("", |(_, rest)| rest)),
        xml(&feed.title),
        xml(&feed.title),
        xml(&feed.itself),
        xml(&feed.page),
    );
    for entry in &feed.entries {
        let _ = write!(
            text,
            "<entry>\n<id>tag:{},2026:{}</id>\n<title>{}</title>\n<updated>{}</updated>\n<published>{}</published>\n\
             <link rel=\"alternate\" type=\"text/html\" href=\"{}\"/>\n",
            xml(&feed.host),
            xml(&entry.id),
            xml(&entry.title),
            entry.at,
            entry.at,
            xml(&entry.url),
        );
        for tag in &entry.tags {
            let _ = writeln!(text, "<category term=\"{}\"/>", xml(tag));
        }
        let _ = write!(
            text,
            "<content type=\"html\">{}</content>\n</entry>\n",
            html_in_xml(&entry.text)
        );
    }
    text + "</feed>\n"
}
