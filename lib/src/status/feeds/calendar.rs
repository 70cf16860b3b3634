//! iCalendar, RFC 5545: announced work, for the calendars of those who plan around it.

use jiff::Timestamp;
use url::Url;

use super::super::{
    document::{Document, Maintenance, WorkState},
    words,
};
use super::concerns;
use crate::messages::plain_text;

/// The longest line, in octets, without what ends it.
const LINE: usize = 75;

pub(super) fn write(document: &Document, base: &Url, component: Option<&str>) -> String {
    let mut lines = vec![
        "BEGIN:VCALENDAR".to_owned(),
        "VERSION:2.0".to_owned(),
        "PRODID:-//Pourtrait Ops//Status page//EN".to_owned(),
        "METHOD:PUBLISH".to_owned(),
        property("X-WR-CALNAME", &words::page_name(&document.name)),
        "REFRESH-INTERVAL;VALUE=DURATION:PT1H".to_owned(),
    ];
    let shown = document
        .maintenances
        .iter()
        .filter(|work| concerns(component, &work.components));
    for work in shown {
        lines.extend(event(work, document, base));
    }
    lines.push("END:VCALENDAR".to_owned());
    lines.iter().map(|line| folded(line)).collect()
}

fn event(work: &Maintenance, document: &Document, base: &Url) -> [String; 11] {
    let cancelled = work.state == WorkState::Cancelled;
    let host = base.host_str().unwrap_or("localhost");
    let base = base.as_str().trim_end_matches('/');
    let names: Vec<String> = document
        .names(&work.components)
        .into_iter()
        .map(|name| escaped(&plain_text::line(name)))
        .collect();
    [
        "BEGIN:VEVENT".to_owned(),
        format!("UID:{}@{host}", work.id),
        format!("SEQUENCE:{}", work.sequence + u32::from(cancelled)),
        format!("DTSTAMP:{}", moment(work.updated_at)),
        format!("DTSTART:{}", moment(work.from)),
        format!("DTEND:{}", moment(work.to)),
        format!(
            "STATUS:{}",
            if cancelled { "CANCELLED" } else { "CONFIRMED" }
        ),
        property("SUMMARY", &words::maintenance_title(work)),
        property("DESCRIPTION", &words::text(&work.words)),
        format!("CATEGORIES:{}", names.join(",")),
        format!("URL:{base}/status#maintenance-{}\r\nEND:VEVENT", work.id),
    ]
}

fn moment(at: Timestamp) -> String {
    at.strftime("%Y%m%dT%H%M%SZ").to_string()
}

fn property(name: &str, text: &str) -> String {
    format!("{name}:{}", escaped(text))
}

/// A text as a value: what separates values is marked.
fn escaped(text: &str) -> String {
    plain_text::escaped(text, usize::MAX, |letter| match letter {
        '\\' => Some("\\\\"),
        ';' => Some("\\;"),
        ',' => Some("\\,"),
        '\n' => Some("\\n"),
        _ => None,
    })
}

/// A line with its end; a long one goes on in the next, behind a blank.
fn folded(line: &str) -> String {
    let mut text = String::with_capacity(line.len() + 8);
    for (nth, part) in line.split("\r\n").enumerate() {
        if nth > 0 {
            text.push_str("\r\n");
        }
        let mut width = 0;
        for letter in part.chars() {
            if width + letter.len_utf8() > LINE {
                text.push_str("\r\n ");
                width = 1;
            }
            text.push(letter);
            width += letter.len_utf8();
        }
    }
    text + "\r\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::status::{document::State, sample};

    fn calendar(state: &str) -> String {
        let mut document = sample::document(&[State::Operational]);
        document.maintenances = vec![serde_json::from_value(sample::maintenance(state)).unwrap()];
        write(
            &document,
            &"https://ops.wine.example".parse().unwrap(),
            None,
        )
    }

    #[test]
    fn no_line_is_longer_than_seventy_five_octets_and_all_of_it_can_be_unfolded() {
        let text = calendar("planned");
        for line in text.split_terminator("\r\n") {
            assert!(line.len() <= LINE, "{line}");
            assert!(!line.contains(['\n', '\r']), "{line:?}");
        }
        let unfolded = text.replace("\r\n ", "");
        assert!(
            unfolded.contains("\r\nSUMMARY:Moving\\, house\\; \\\\ really\r\n"),
            "{unfolded}"
        );
        assert!(
            unfolded.contains("DESCRIPTION:We move.\\nÀ bientôt – it takes an hour\\, and"),
            "{unfolded}"
        );
        assert!(unfolded.contains("\r\nDTSTART:20261125T200000Z\r\nDTEND:20261125T210000Z\r\n"));
        assert!(unfolded.contains("\r\nUID:3a3b@ops.wine.example\r\nSEQUENCE:2\r\n"));
    }

    #[test]
    fn what_will_not_be_is_cancelled_under_the_same_name() {
        let text = calendar("cancelled");
        assert!(
            text.contains("UID:3a3b@ops.wine.example\r\nSEQUENCE:3\r\n"),
            "{text}"
        );
        assert!(text.contains("\r\nSTATUS:CANCELLED\r\n"));
    }
}
