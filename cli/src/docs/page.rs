//! `public/runbook.html`: the runbook as a page of the deployment, so that a link
//! in a message works for whoever is woken by it, without the repository.

use std::fmt::Write;

use anyhow::Context;
use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag, TagEnd, html};

/// The page, with the style sheet at that path.
pub(super) fn render(markdown: &str, style: &str) -> anyhow::Result<String> {
    let mut events: Vec<Event> = Parser::new_ext(
        markdown,
        Options::ENABLE_TABLES | Options::ENABLE_HEADING_ATTRIBUTES,
    )
    .collect();
    unlink_files(&mut events);
    name_headings(&mut events);
    let title = title(&events).context("docs/runbooks.md has no title")?;
    let mut body = String::new();
    html::push_html(&mut body, events.into_iter());
    Ok(wrap(
        &format!("{} · Pourtrait Ops", escape(&title)),
        "For every alert: the first command to run, what you should see, and what to do.",
        &body,
        style,
    ))
}

/// A page of that title, which is about that, and whose body is written already.
pub(super) fn wrap(title: &str, about: &str, body: &str, style: &str) -> String {
    let mut page =
        String::from("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
    page.push_str("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
    page.push_str("<meta name=\"robots\" content=\"noindex\">\n");
    let _ = writeln!(page, "<meta name=\"description\" content=\"{about}\">");
    let _ = writeln!(page, "<title>{title}</title>");
    page.push_str("<link rel=\"icon\" href=\"/favicon.svg\" type=\"image/svg+xml\">\n");
    let _ = writeln!(
        page,
        "<link rel=\"stylesheet\" href=\"{style}\">\n</head>\n<body>\n<main>\n{}\n</main>\n</body>\n</html>",
        body.trim_end()
    );
    page
}

/// Gives every heading without an id the one that its text makes, so that a
/// message can link the entry of its rule.
fn name_headings(events: &mut [Event]) {
    for start in 0..events.len() {
        let text = text_of_heading(&events[start..]);
        if let Event::Start(Tag::Heading { id: id @ None, .. }) = &mut events[start] {
            *id = Some(slug(&text).into());
        }
    }
}

/// Turns links to other files of the repository into plain text: they are not
/// part of the deployment.
fn unlink_files(events: &mut Vec<Event>) {
    let mut unlinked = false;
    events.retain(|event| match event {
        Event::Start(Tag::Link { dest_url, .. }) => {
            let answers = ["#", "/", "https://", "http://"];
            unlinked = !answers.iter().any(|start| dest_url.starts_with(start));
            !unlinked
        }
        // Links do not nest.
        Event::End(TagEnd::Link) => !std::mem::take(&mut unlinked),
        _ => true,
    });
}

fn title(events: &[Event]) -> Option<String> {
    let is_title = |event: &Event| {
        matches!(
            event,
            Event::Start(Tag::Heading {
                level: HeadingLevel::H1,
                ..
            })
        )
    };
    let start = events.iter().position(is_title)?;
    Some(text_of_heading(&events[start..]))
}

fn text_of_heading(events: &[Event]) -> String {
    events
        .iter()
        .take_while(|event| !matches!(event, Event::End(TagEnd::Heading(_))))
        .filter_map(|event| match event {
            Event::Text(text) | Event::Code(text) => Some(text.as_ref()),
            _ => None,
        })
        .collect()
}

/// As GitHub makes ids of headings, so that links work there as well.
fn slug(text: &str) -> String {
    text.trim()
        .chars()
        .filter_map(|character| match character {
            ' ' => Some('-'),
            kept if kept.is_alphanumeric() || matches!(kept, '-' | '_') => Some(kept),
            _ => None,
        })
        .flat_map(char::to_lowercase)
        .collect()
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    const STYLE: &str = "/assets/style.0.css";

    #[test]
    fn headings_can_be_linked_by_their_text() {
        let page = render(
            "# Run & go\n\n## `app_down`\n\nText\n\n## Two words {#own}\n",
            STYLE,
        )
        .unwrap();
        assert!(
            page.contains("<title>Run &amp; go · Pourtrait Ops</title>"),
            "{page}"
        );
        assert!(
            page.contains("<h2 id=\"app_down\"><code>app_down</code></h2>"),
            "{page}"
        );
        assert!(page.contains("<h2 id=\"own\">Two words</h2>"), "{page}");
        assert!(page.contains("href=\"/assets/style.0.css\""), "{page}");
    }

    #[test]
    fn only_links_that_a_deployment_answers_are_kept() {
        let page = render("# T\n\n[a](#b) [c](d.md#e) [f](https://g.test)\n", STYLE).unwrap();
        assert!(
            page.contains("<p><a href=\"#b\">a</a> c <a href=\"https://g.test\">f</a></p>"),
            "{page}"
        );
    }

    #[test]
    fn a_runbook_without_a_title_is_refused() {
        assert!(render("text", STYLE).is_err());
    }
}
