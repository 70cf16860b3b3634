//! What readers follow: one entry for each piece of news, which never changes once it is
//! there, because readers pass over what they have seen.

mod atom;
mod calendar;
mod json_feed;
mod rss;

use std::fmt::Write;

use jiff::Timestamp;
use url::Url;

use super::{
    document::{Document, Maintenance, WorkState},
    place::Format,
    words,
};
use crate::messages::{plain_text, quantities::time};

/// How many entries a feed has at most.
const ENTRIES: usize = 50;

/// How long a text may be in XML, with what escaping adds to it.
const LIMIT: usize = 40_000;

/// One piece of news.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    /// Its name, which never changes.
    id: String,
    /// Where it stands on the page.
    url: String,
    title: String,
    text: String,
    at: Timestamp,
    /// The names of the components that it is about.
    tags: Vec<String>,
}

/// A feed, whatever its form.
#[derive(Debug)]
struct Feed<'a> {
    document: &'a Document,
    /// The page's address.
    page: String,
    /// The feed's own address.
    itself: String,
    title: String,
    /// What its names begin with: the host of the page.
    host: String,
    entries: Vec<Entry>,
}

/// A feed's text, and what kind of text that is.
pub(super) fn feed(
    document: &Document,
    base: &Url,
    format: Format,
    component: Option<&str>,
) -> (&'static str, String) {
    if format == Format::Calendar {
        return (
            "text/calendar; charset=utf-8",
            calendar::write(document, base, component),
        );
    }
    let base_text = base.as_str().trim_end_matches('/');
    let name = component.and_then(|id| document.component(id));
    let page = words::page_name(&document.name);
    let feed = Feed {
        document,
        page: format!("{base_text}/status"),
        itself: format!("{base_text}{}", format.path(component)),
        title: match name {
            Some(component) => format!("{page}: {}", plain_text::line(&component.name)),
            None => page,
        },
        host: base.host_str().unwrap_or("localhost").to_owned(),
        entries: entries(document, base_text, component),
    };
    match format {
        Format::Rss => ("application/rss+xml; charset=utf-8", rss::write(&feed)),
        Format::Json => (
            "application/feed+json; charset=utf-8",
            json_feed::write(&feed),
        ),
        Format::Atom | Format::Calendar => {
            ("application/atom+xml; charset=utf-8", atom::write(&feed))
        }
    }
}

/// Whether something is about a component, or whether any will do.
fn concerns(component: Option<&str>, ids: &[String]) -> bool {
    component.is_none_or(|wanted| ids.iter().any(|id| id == wanted))
}

/// All news, the newest first.
fn entries(document: &Document, base: &str, component: Option<&str>) -> Vec<Entry> {
    let tags = |ids: &[String]| {
        let names = document.names(ids).into_iter();
        names.map(plain_text::line).collect::<Vec<_>>()
    };
    let incidents = document
        .incidents
        .iter()
        .filter(|incident| concerns(component, &incident.components));
    let updates = incidents.flat_map(|incident| {
        incident.updates.iter().map(move |update| Entry {
            id: format!("incident/{}/{}", incident.id, update.id),
            url: format!("{base}/status/incidents/{}#{}", incident.id, update.id),
            title: format!(
                "{}: {}",
                words::incident_title(incident, document),
                words::progress(update.status)
            ),
            text: words::update(update, incident),
            at: update.at,
            tags: tags(&incident.components),
        })
    });
    let work = document
        .maintenances
        .iter()
        .filter(|work| concerns(component, &work.components))
        .map(|work| maintenance_entry(work, base, tags(&work.components)));
    let mut entries: Vec<Entry> = updates.chain(work).collect();
    entries.sort_by(|one, other| other.at.cmp(&one.at).then_with(|| other.id.cmp(&one.id)));
    entries.truncate(ENTRIES);
    entries
}

fn maintenance_entry(work: &Maintenance, base: &str, tags: Vec<String>) -> Entry {
    let cancelled = work.state == WorkState::Cancelled;
    let title = words::maintenance_title(work);
    let mut text = format!("From {} to {}.", time(work.from), time(work.to));
    if cancelled {
        text.insert_str(0, "Cancelled. ");
    }
    let _ = write!(text, "\n{}", words::text(&work.words));
    Entry {
        id: format!(
            "maintenance/{}/{}{}",
            work.id,
            work.sequence,
            if cancelled { "/cancelled" } else { "" }
        ),
        url: format!("{base}/status#maintenance-{}", work.id),
        title: if cancelled {
            format!("{title}: Cancelled")
        } else {
            title
        },
        text,
        at: work.updated_at,
        tags,
    }
}

/// A text in XML 1.0, which has no word for most controls: they are left out.
fn xml(text: &str) -> String {
    let allowed: String = text
        .chars()
        .filter(|letter| {
            matches!(letter, '\t' | '\n')
                || !(letter.is_control() || matches!(letter, '\u{fffe}' | '\u{ffff}'))
        })
        .collect();
    plain_text::html(&allowed, LIMIT)
}

/// A text as HTML within XML: escaped twice, with its lines.
fn html_in_xml(text: &str) -> String {
    let html = plain_text::html(text, LIMIT).replace('\n', "<br>");
    xml(&format!("<p>{html}</p>"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::status::{document::State, sample};

    fn base() -> Url {
        "https://ops.wine.example/".parse().unwrap()
    }

    #[test]
    fn there_is_an_entry_for_each_piece_of_news_and_the_newest_is_first() {
        let document = sample::document(&[State::Operational, State::Operational]);
        let all = entries(&document, "https://x", None);
        let ids: Vec<&str> = all.iter().map(|entry| entry.id.as_str()).collect();
        assert_eq!(
            ids,
            [
                "incident/1c1d/u3",
                "incident/1c1d/u2",
                "incident/1c1d/u1",
                "maintenance/3a3b/2"
            ]
        );
        assert!(entries(&document, "https://x", Some("part-1")).is_empty());
        assert_eq!(entries(&document, "https://x", Some("part-0")).len(), 4);
    }

    #[test]
    fn controls_and_markup_of_people_stay_text() {
        let document = sample::document(&[State::Operational]);
        for format in [Format::Atom, Format::Rss, Format::Json] {
            let (_, text) = feed(&document, &base(), format, None);
            for raw in ["\u{8}", "\u{202e}", "]]>", "<b>found"] {
                let is_json = format == Format::Json && raw.is_ascii() && raw != "\u{8}";
                assert!(is_json || !text.contains(raw), "{format:?} {raw:?}");
            }
        }
        assert_eq!(xml("a\u{8}\u{ffff}]]>\u{1f377}"), "a]]&gt;\u{1f377}");
    }

    #[test]
    fn a_feed_says_the_same_again_until_there_is_news() {
        let mut document = sample::document(&[State::Operational]);
        for format in [Format::Atom, Format::Rss, Format::Json, Format::Calendar] {
            let before = feed(&document, &base(), format, None);
            document.generated_at = "2026-11-24T11:00:00Z".parse().unwrap();
            assert_eq!(feed(&document, &base(), format, None), before, "{format:?}");
        }
    }
}
